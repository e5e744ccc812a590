"""What a policy says to a client, in both languages: a message and a hint each, no value of a register in any."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

LANGUAGES: Final = ("en", "zh-TW")

_TEXTS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = MappingProxyType(
    {
        "read-only": {
            "en": ("this account only reads: the gate lets no statement through that may write", ""),
            "zh-TW": ("此帳號僅供讀取，可能寫入資料的指令不得通過閘道", ""),
        },
        "file": {
            "en": ("COPY to or from a file or program of the server does not pass the gate",
                   "Use COPY ... TO STDOUT, if this account may."),
            "zh-TW": ("以伺服器上的檔案或程式執行 COPY，不得通過閘道",
                      "此帳號如獲准使用 COPY，請改用 COPY ... TO STDOUT。"),
        },
        "catalogue": {
            "en": ("{name} does not pass the gate: it can hold values of a register",
                   "Ask {contact} if you need it."),
            "zh-TW": ("{name} 可能含有登記簿的資料，不得通過閘道", "如有需要，請洽{contact}。"),
        },
        "code": {
            "en": ("code of one's own (DO, CREATE FUNCTION and the like) does not pass the gate",
                   "What it reads cannot be seen. Ask {contact} if you need it."),
            "zh-TW": ("自行撰寫的程式碼（DO、CREATE FUNCTION 等）不得通過閘道",
                      "其讀取的內容無從得知。如有需要，請洽{contact}。"),
        },
        "derived": {
            "en": ("this statement would store what it reads from a register in another place",
                   "Read the rows instead, or ask {contact}."),
            "zh-TW": ("此指令會將讀自登記簿的資料另存他處", "請改為直接查詢，或洽{contact}。"),
        },
        "hours": {
            "en": ("registers are closed to this account at this time",
                   "In an emergency: {emergency}. Else ask {contact}."),
            "zh-TW": ("目前不在此帳號可讀取登記簿的時段", "緊急開啟：{emergency}。其他情形請洽{contact}。"),
        },
        "case": {
            "en": ("a case must be declared before a register is read", "SET muniment.case = 'number of the case'"),
            "zh-TW": ("讀取登記簿前，須先聲明案號", "SET muniment.case = '案號'"),
        },
        "purpose": {
            "en": ("a purpose must be declared before a register is read", "SET muniment.purpose = '{purposes}'"),
            "zh-TW": ("讀取登記簿前，須先聲明目的", "SET muniment.purpose = '{purposes}'"),
        },
        "unknown-purpose": {
            "en": ("the purpose that was declared is none that this account may declare",
                   "SET muniment.purpose = '{purposes}'"),
            "zh-TW": ("所聲明的目的，不在此帳號可聲明的範圍內", "SET muniment.purpose = '{purposes}'"),
        },
        "copy": {
            "en": ("this account may not read registers by COPY", "Use SELECT, or ask {contact}."),
            "zh-TW": ("此帳號不得以 COPY 讀取登記簿", "請改用 SELECT，或洽{contact}。"),
        },
        "unattributed": {
            "en": ("it cannot be told whose rows these are, and this account may not receive such rows",
                   "Select the key columns too ({keys}), without joins of a table to itself, WITH or expressions."),
            "zh-TW": ("無法判定此結果屬於何人，此帳號不得取得這類資料",
                      "請一併選取紀錄鍵的欄位（{keys}），且勿使用自我聯結、WITH 或運算式。"),
        },
        "column": {
            "en": ("this account may not receive the column {column} of {register}", "Leave it out, or ask {contact}."),
            "zh-TW": ("此帳號不得取得 {register} 的 {column} 欄位", "請勿選取該欄位，或洽{contact}。"),
        },
        "expression": {
            "en": ("this account may receive some columns only, and expressions cannot be told apart",
                   "Select plain columns, or ask {contact}."),
            "zh-TW": ("此帳號僅可取得部分欄位，而運算式所用的欄位無法判別", "請直接選取欄位，或洽{contact}。"),
        },
        "rate": {
            "en": ("more than {limit:,} statements on registers in a minute",
                   "Try again in {seconds:,} seconds, or ask {contact}."),
            "zh-TW": ("一分鐘內查詢登記簿超過 {limit:,} 次", "請於 {seconds:,} 秒後再試，或洽{contact}。"),
        },
        "no-glass": {
            "en": ("this account has no emergency access", "Ask {contact}."),
            "zh-TW": ("此帳號不得使用緊急開啟", "請洽{contact}。"),
        },
        "no-reason": {
            "en": ("emergency access needs a reason of {least} characters at least",
                   "SET muniment.break_glass = 'what happened, and who needs it'"),
            "zh-TW": ("緊急開啟須載明理由，至少 {least} 個字元", "SET muniment.break_glass = '事由，以及何人需要'"),
        },
        "keeper": {"en": ("whoever keeps this register", ""), "zh-TW": ("本登記簿的保管機關", "")},
        "break-glass": {"en": ("SET muniment.break_glass = 'reason'", ""),
                        "zh-TW": ("SET muniment.break_glass = '理由'", "")},
        "none": {"en": ("there is none", ""), "zh-TW": ("無", "")},
    }
)  # fmt: skip


def text(key: str, lang: str, **values: str | int) -> tuple[str, str]:
    """Message and hint. English where the language is another one than zh-TW; `contact` may be empty."""
    languages = _TEXTS[key]
    message, hint = languages.get(lang) or languages["en"]
    if not values.get("contact"):
        keeper = _TEXTS["keeper"]
        values["contact"] = (keeper.get(lang) or keeper["en"])[0]
    return message.format(**values), hint.format(**values)
