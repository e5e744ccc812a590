"""The table of all keys of muniment.toml: reading, comments, `explain` and the reference page are made from it.

A key is written with the placeholders NAME and COL: `registers.NAME.columns.COL.kind`. A parser takes the TOML value
and returns it as the program uses it, or raises `ValueError`; the error text is made from `expected`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from muniment.disclosure import Kind
from muniment.errors import InputError
from muniment.limits import NAME_CHARACTERS

Parser: TypeAlias = Callable[[object], Any]
LANGUAGES: Final = ("en", "zh-TW")
COALITIONS: Final = (1, 10)
REQUIRED: Final = object()
"""The default of a key that has none."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: the table it stands in, its name, what it takes, and what it means."""

    table: str
    name: str
    expected: str
    english: str
    chinese: str
    parse: Parser = field(repr=False)
    default: Any = REQUIRED

    @property
    def key(self) -> str:
        """The dotted key, with placeholders."""
        return f"{self.table}.{self.name}"


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > NAME_CHARACTERS or not value.isprintable():
        raise ValueError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError
    texts = tuple(_name(item) for item in value)
    if len(set(texts)) != len(texts):
        raise ValueError
    return texts


def _key_columns(value: object) -> tuple[str, ...]:
    if not (texts := _texts(value)):
        raise ValueError
    return texts


def _carriers(value: object) -> tuple[str, ...]:
    texts = _texts(value)
    if not all(re.fullmatch(r"[a-z][a-z0-9-]*", text) for text in texts):
        raise ValueError
    return texts


def _source(value: object) -> str:
    """A path or address; one with a password in it is refused: muniment.toml is not encrypted."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError
    if value.startswith(("postgres://", "postgresql://")):
        address = urlsplit(value)
        if address.password is not None or "password=" in address.query:
            raise ValueError
    return value


def _choice(*choices: object) -> Parser:
    def parse(value: object) -> object:
        if isinstance(value, bool) or value not in choices:
            raise ValueError
        return value

    return parse


def _alpha(value: object) -> float:
    if not isinstance(value, float) or not 0 < value <= 0.1:
        raise ValueError
    return value


def _kind(value: object) -> Kind:
    return Kind(_name(value))


def _encoding(value: object) -> str:
    """The name of a codec that turns bytes into text."""
    text = _name(value)
    try:
        bytes([65]).decode(text, "ignore")
    except LookupError as error:
        raise ValueError from error
    return text


def _tolerance(value: object) -> str:
    """A positive number, kept as its text: 0.1 has no exact float, and a bound on a change must be exact."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError from error
    if not number.is_finite() or number <= 0:
        raise ValueError
    return str(value)


def _days(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 36_525:
        raise ValueError
    return value


def _class_size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 2 <= value <= 1_000_000:
        raise ValueError
    return value


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError
    return float(value)


def _loss(value: object) -> str:
    """A privacy loss, kept as its text: a budget of 1 must afford ten answers of 0.1."""
    text = _name(value)
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,30})?", text):
        raise ValueError
    return text


def _public_key(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError
    return value


def _witnesses(value: object) -> tuple[str, ...]:
    texts = _texts(value)
    if not all(re.fullmatch(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+", text) for text in texts):
        raise ValueError
    return texts


_REGISTER = "registers.NAME"
_COLUMN = "registers.NAME.columns.COL"

SETTINGS: Final = (
    Setting(
        "workspace", "name", f"a text of 1 to {NAME_CHARACTERS} characters",
        "Who keeps these registers; it stands at the head of every report.",
        "登記簿保管單位,印在每份報告的開頭。",
        _name,
    ),
    Setting(
        "workspace", "lang", " or ".join(f'"{language}"' for language in LANGUAGES),
        "Language of messages and reports. `--lang` overrides it.",
        "訊息與報告的語言,可用 --lang 臨時更改。",
        _choice(*LANGUAGES), "en",
    ),
    Setting(
        "workspace", "alpha", "a number above 0 and at most 0.1, such as 1e-6",
        "Chance that a trace names any innocent recipient, at most. Smaller needs more leaked rows.",
        "追查時誤指任何無辜收受者的機率上限。",
        _alpha, 1e-6,
    ),
    Setting(
        "ledger", "second", "a path of a folder on another disk",
        "The second place: checkpoint and chain head are kept there too, so that a restored backup or a fork of the\n"
        "ledger is refused at start. Left out, they lie inside the workspace, where whoever replaces the workspace\n"
        "replaces them as well.",
        "第二存放處:另存檢查點與鏈首,避免帳冊被換成舊備份而不自知。請放在另一顆磁碟。",
        _source, None,
    ),
    Setting(
        "ledger", "retention_days", "a whole number of days from 1 to 36525",
        "How long disclosures are kept before `muniment ledger prune` removes their segments. Six years are 2192 days.",
        "揭露紀錄的保存天數,逾期由 `muniment ledger prune` 整段移除。",
        _days, None,
    ),
    Setting(
        "ledger", "witnesses", "a list of verifier keys, such as NAME+HASH+KEY",
        "Witnesses that must have signed a checkpoint beside this ledger (C2SP tlog-cosignature). None are needed.",
        "必須共同簽署檢查點的見證人公鑰;預設不需要。",
        _witnesses, (),
    ),
    Setting(
        "ledger", "notice_key", "a public key of 64 hex digits from `muniment notice-key new`",
        "The list of affected persons is encrypted to this key. Whoever runs `muniment affected` need not hold it.",
        "受影響者名單以此公鑰加密,執行查詢的人不必持有私鑰。",
        _public_key, None,
    ),
    Setting(
        "exposure", "on_release", 'one of "off", "warn", "refuse"',
        "Whether a release is judged together with all that its recipient holds already, before it is handed out, and\n"
        "its classes are kept for the next one. It reads the register once more and needs muniment[exposure].",
        "發放前是否併計收受者已持有的資料評估曝險:off 不檢查,warn 警告,refuse 拒絕。",
        _choice("off", "warn", "refuse"), "off",
    ),
    Setting(
        "exposure", "k", "a whole number from 2 to 1000000",
        "Persons who must look alike, at least: a joint class of fewer counts as small.",
        "同一等價類的最少人數,低於此數即視為過小。",
        _class_size, 5,
    ),
    Setting(
        "exposure", "share_below_k", "a number from 0 to 1",
        "Share of the persons of a release that may be in a small joint class.",
        "一次發放中,允許落在過小等價類的人數比例。",
        _share, 0.05,
    ),
    Setting(
        "exposure", "epsilon", 'a number in quotes, such as "1" or "0.5"',
        "Privacy budget of a recipient for noisy counts of one register: losses that add up to no more than this.",
        "每一收受者對每一登記簿的隱私預算 epsilon 上限。",
        _loss, "1",
    ),
    Setting(
        "exposure", "delta", 'a number in quotes, such as "0" or "0.000001"',
        "The same for delta, of mechanisms that have one.",
        "隱私預算的 delta 上限。",
        _loss, "0.000001",
    ),
    Setting(
        _REGISTER, "source", "a path, or postgresql://user@host/database/table without a password",
        "Where the register is read from: a CSV, TSV, Parquet, DuckDB or SQLite file, or a PostgreSQL table.\n"
        "No password here: this file is not encrypted. PostgreSQL finds it in ~/.pgpass or PGPASSWORD.",
        "登記簿的來源。此檔未加密,請勿寫入密碼。",
        _source,
    ),
    Setting(
        _REGISTER, "key", 'a list of column names, such as ["id"]',
        "Columns that identify a record. They never change: marks are derived from them.",
        "識別一筆紀錄的欄位,登記後不可更改。",
        _key_columns,
    ),
    Setting(
        _REGISTER, "encoding", 'the name of an encoding, such as "utf-8" or "big5"',
        "Encoding of a text file. Leave it out to have it found.",
        "文字檔的編碼,省略則自動判斷。",
        _encoding, None,
    ),
    Setting(
        _REGISTER, "coalition", " or ".join(map(str, COALITIONS)),
        "How many recipients may put their copies together and still be traced. It never changes.\n"
        "1 needs the fewest leaked rows, but a mixture of copies escapes; 10 withstands mixtures.",
        "可承受多少收受者合謀混合副本,登記後不可更改。",
        _choice(*COALITIONS), 10,
    ),
    Setting(
        _REGISTER, "structural", 'a list of carriers that work on rows, such as ["order"]',
        "Carriers that leave rows out, put rows in or change their order; no cell of a real record changes.",
        "以列的增減或順序作記號,不改動真實資料。",
        _carriers, (),
    ),
    Setting(
        _REGISTER, "quasi", 'a list of column names, such as ["sex", "birth_date"]',
        "Columns that others could know of a person: exposure judges these. Left out: all but key and sensitive ones.",
        "他人可能已知的欄位(準識別欄位),曝險評估以此為準。",
        _texts, (),
    ),
    Setting(
        _REGISTER, "sensitive", 'a list of column names, such as ["diagnosis"]',
        "Columns whose values must not be found out; conditions of exposure runs may not use them.",
        "敏感欄位:不得被推知,曝險查詢的條件亦不得使用。",
        _texts, (),
    ),
    Setting(
        _COLUMN, "kind", "one of " + ", ".join(f'"{kind.value}"' for kind in Kind),
        "What the cells are. It decides which carriers may be allowed.",
        "欄位的種類,決定可允許的記號方式。",
        _kind,
    ),
    Setting(
        _COLUMN, "carriers", "a list of carriers from `muniment register suggest NAME`",
        "Carriers that you allow in this column. Empty: nothing in it ever changes.",
        "允許在此欄使用的記號方式;空白表示絕不更動。",
        _carriers, (),
    ),
    Setting(
        _COLUMN, "tolerance", 'a positive number in quotes, such as "50" or "0.5"',
        "Largest change that you allow to a number here (to a time stamp: in seconds). Without it none is changed.",
        "數值允許的最大變動(時間以秒計);省略則不變動。",
        _tolerance, None,
    ),
)  # fmt: skip

BY_TABLE: Final = {
    table: {setting.name: setting for setting in SETTINGS if setting.table == table}
    for table in ("workspace", "ledger", "exposure", _REGISTER, _COLUMN)
}


def explain(key: str, lang: str = "en") -> str:
    """Say what a key means, takes and defaults to; `registers.persons.key` and `registers.NAME.key` both do.

    Raises `InputError` with the nearest key as hint where there is no such key.
    """
    for setting in SETTINGS:
        parts = (r"[^.]+" if part in ("NAME", "COL") else re.escape(part) for part in setting.key.split("."))
        if re.fullmatch(r"\.".join(parts), key):
            default = "" if setting.default in (REQUIRED, None) else f"\ndefault: {toml_value(setting.default)}"
            text = setting.chinese if lang == "zh-TW" else setting.english
            return f"{setting.key}\n{text}\nexpected: {setting.expected}{default}"
    keys = [setting.key for setting in SETTINGS]
    near = get_close_matches(key, keys, 1) or keys[:1]
    raise InputError(f"there is no key {key!r} in muniment.toml", hint=f"muniment config explain {near[0]}")


def toml_value(value: object) -> str:
    """A text, number or list of texts as TOML."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return toml_text(value) if isinstance(value, str) else repr(value)


def toml_text(text: str) -> str:
    """A TOML basic string; control characters, quotes and backslashes escaped."""
    escaped = (f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else "\\" + c if c in '"\\' else c for c in text)
    return '"' + "".join(escaped) + '"'


def toml_key(name: str) -> str:
    """A name as a part of a TOML key: bare where it can be, else in quotes."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_text(name)
