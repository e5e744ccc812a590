"""What a session itself says to a client, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from muniment.gate.policy.budgets import Exceeded
from muniment.gate.policy.rules import Rules
from muniment.gate.policy.statements import Refusal

STOPPED: Final = "57014"
LEDGER: Final = "MU001"
COMMITTED: Final = "MU002"
WARNING: Final = "MU003"

_ZH: Final = "zh-TW"
_WINDOWS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {
            "minute": "persons in a minute", "hour": "persons in an hour", "day": "persons in a day",
            "month": "persons in 30 days", "lifetime": "persons in all", "grant": "persons of this emergency access",
            "rows": "rows of one statement",
        },
        _ZH: {
            "minute": "每分鐘可查閱的人數", "hour": "每小時可查閱的人數", "day": "每日可查閱的人數",
            "month": "三十日內可查閱的人數", "lifetime": "可查閱的總人數", "grant": "本次緊急開啟可查閱的人數",
            "rows": "單一查詢可取得的列數",
        },
    }
)  # fmt: skip
_TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {
            "stopped": "muniment stopped this statement: the limit of {limit:,} {window} is used up",
            "warned": "muniment: the limit of {limit:,} {window} is used up; this is recorded",
            "contact": "For more, ask {contact}.",
            "nobody": "For more, ask whoever keeps this register.",
            "ledger": "muniment gives nothing out: the disclosure ledger cannot be written",
            "ledger_hint": "Try again in a while; nothing was shown that is not recorded.",
            "committed": "the statement took effect, and its rows were withheld",
            "committed_hint": "Do not repeat it. {reason}",
            "lost": "the gate lost its connection to PostgreSQL",
            "draining": "the gate is shutting down",
            "desync": "the gate cannot follow this conversation and ended it",
            "undescribed": "muniment does not know what this result holds",
            "undescribed_hint": "Repeat the statement.",
            "long": "a statement of more than {limit:,} bytes does not pass the gate",
            "call": "the function call protocol does not pass the gate",
        },
        _ZH: {
            "stopped": "muniment 已中止此查詢：{window}以 {limit:,} 為限，額度已用盡",
            "warned": "muniment：{window}以 {limit:,} 為限，額度已用盡；本次查閱已留下紀錄",
            "contact": "如需更多，請洽{contact}。",
            "nobody": "如需更多，請洽本登記簿的保管機關。",
            "ledger": "muniment 未提供任何資料：揭露帳冊目前無法寫入",
            "ledger_hint": "請稍後再試。凡未留下紀錄的資料，均未送出。",
            "committed": "此指令已生效，但其結果未予提供",
            "committed_hint": "請勿重複執行。{reason}",
            "lost": "閘道與 PostgreSQL 的連線已中斷",
            "draining": "閘道即將關閉",
            "desync": "閘道無法判讀此連線的內容，已中斷連線",
            "undescribed": "muniment 無法得知此結果的內容",
            "undescribed_hint": "請重新執行此查詢。",
            "long": "超過 {limit:,} 位元組的指令不得通過閘道",
            "call": "函式呼叫協定不得通過閘道",
        },
    }
)


def stopped(exceeded: Exceeded, rules: Rules, lang: str) -> Refusal:
    """A budget is used up: which, and whom to ask."""
    return _budget("stopped", STOPPED, exceeded, rules, lang)


def warned(exceeded: Exceeded, rules: Rules, lang: str) -> Refusal:
    """The same as a remark, where the rules do not stop."""
    return _budget("warned", WARNING, exceeded, rules, lang)


def ledger_down(lang: str) -> Refusal:
    """Nothing can be recorded, so nothing is given."""
    return Refusal(LEDGER, text("ledger", lang), text("ledger_hint", lang))


def committed(because: Refusal, lang: str) -> Refusal:
    """A statement was broken off, and took effect all the same."""
    return Refusal(COMMITTED, text("committed", lang), text("committed_hint", lang, reason=because.message))


def undescribed(lang: str) -> Refusal:
    """Rows came that nothing describes."""
    return Refusal("42501", text("undescribed", lang), text("undescribed_hint", lang))


def text(key: str, lang: str, **values: str | int) -> str:
    """One text; English where the language is another one than zh-TW."""
    return _TEXTS.get(lang, _TEXTS["en"])[key].format(**values)


def _budget(key: str, sqlstate: str, exceeded: Exceeded, rules: Rules, lang: str) -> Refusal:
    windows = _WINDOWS.get(lang, _WINDOWS["en"])
    message = text(key, lang, limit=exceeded.limit, window=windows.get(exceeded.window, exceeded.window))
    hint = text("contact", lang, contact=rules.contact) if rules.contact else text("nobody", lang)
    return Refusal(sqlstate, message, hint)
