"""gate.toml: text -> frozen values, or `InputError` naming the file, the key and what was expected.

A key that is not in the table is an error, not ignored: a mistyped `statments_per_minute` must not pass for "no limit".
No secret stands in this file; a connection string with a password in it is refused, and never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from muniment.config.settings import REQUIRED, toml_key, toml_value
from muniment.config.tables import TableReader, stored_tables
from muniment.config.values import Key
from muniment.errors import InputError
from muniment.gate.policy.table import BY_TABLE, KEYS

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_LAYERS: Final = {"roles": "roles.NAME", "accounts": "accounts.NAME", "purposes": "purposes.NAME"}
_TABLES: Final = ("gate", "registers", "defaults", *_LAYERS)
_NEEDED: Final = (
    ("certificate", "certificate_key"),
    ("certificate_key", "certificate"),
    ("client_ca", "certificate"),
    ("upstream_login", "upstream_password_file"),
)
"""Keys of [gate] that mean nothing without another: TLS needs both parts, a stored login its passwords."""


@dataclass(frozen=True, slots=True)
class GuardedTable:
    """`[registers.NAME]`: the live table (`schema.table`) of a declared register, and its harmless columns."""

    name: str
    table: str
    harmless: tuple[str, ...] = ()
    mean_row_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class GateSettings:
    """The whole file. Paths are relative to the file's folder where they are not absolute.

    `defaults`, `roles`, `accounts` and `purposes` are the layers of `rules.resolve`, each with only the keys that its
    table sets. `certificate_accounts`: common name of a client certificate -> accounts that it may log in as.
    """

    upstream_host: str
    control: str = field(repr=False)
    listen: tuple[str, ...] = ("127.0.0.1:6432",)
    upstream_port: int = 5432
    upstream_tls: str = "require"
    upstream_ca: str = ""
    upstream_login: str = "client"
    upstream_password_file: str = ""
    control_password_file: str = ""
    database: str = ""
    certificate: str = ""
    certificate_key: str = ""
    client_ca: str = ""
    methods: tuple[str, ...] = ("certificate", "scram-sha-256-plus", "scram-sha-256")
    ledger_down: str = "refuse"
    ledger_wait_seconds: float = 5.0
    workers: int = 1
    metrics: str = ""
    connections: int = 1000
    login_seconds: float = 10.0
    time_zone: str = "UTC"
    registers: Mapping[str, GuardedTable] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    accounts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    purposes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    certificate_accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def caseload_days(self) -> int:
        """Days of the case-load, for `LocalBudgets`."""
        return int(self.defaults.get("caseload_days", 30))


def parse(text: str, path: Path) -> GateSettings:
    """Read the text of gate.toml; `path` is for messages only. Raises `InputError`."""
    stored = stored_tables(text, path)
    reader = _Reader(path, hidden="control", explain="muniment gate explain")
    reader.only_known(stored, _TABLES, "")
    gate = reader.whole("gate", "gate", stored.get("gate", {}))
    registers = {
        name: GuardedTable(name, **reader.whole("registers.NAME", f"registers.{name}", table))
        for name, table in reader.table("registers", stored.get("registers", {})).items()
    }
    layers: dict[str, dict[str, Any]] = {
        part: {
            name: reader.given(kind, f"{part}.{name}", table)
            for name, table in reader.table(part, stored.get(part, {})).items()
        }
        for part, kind in _LAYERS.items()
    }
    defaults = reader.given("defaults", "defaults", stored.get("defaults", {}))
    certificates = _certificates(layers["accounts"])
    found: dict[str, Any] = {**gate, **layers, "registers": registers, "defaults": defaults}
    settings = GateSettings(**found, certificate_accounts=certificates)
    _agree(settings, path)
    return settings


def _certificates(accounts: dict[str, dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Which accounts a common name may log in as; the key is taken out of the layers, as it is no rule."""
    found: dict[str, tuple[str, ...]] = {}
    for account, layer in accounts.items():
        for name in layer.pop("certificates", ()):
            found[name] = (*found.get(name, ()), account)
    return found


def _agree(settings: GateSettings, path: Path) -> None:
    """What single keys cannot say: that what they name is there."""
    for one, other in _NEEDED:
        if getattr(settings, one) not in ("", "client") and not getattr(settings, other):
            raise InputError(f"{path}: gate.{one} needs gate.{other}, which is missing")
    for place, layer in _layers(settings):
        for name, table in (("purposes", "purposes"), ("columns", "registers")):
            missing = sorted(set(layer.get(name) or ()) - set(getattr(settings, table)))
            if missing:
                raise InputError(f"{path}: {place}.{name} names {missing[0]!r}, but there is no [{table}.{missing[0]}]")


def _layers(settings: GateSettings) -> Iterable[tuple[str, Mapping[str, Any]]]:
    yield "defaults", settings.defaults
    for part in _LAYERS:
        yield from ((f"{part}.{name}", layer) for name, layer in getattr(settings, part).items())


class _Reader(TableReader):
    """Reads the tables of gate.toml."""

    __slots__ = ()

    def whole(self, kind: str, place: str, stored: object) -> dict[str, Any]:
        """Every key of a table, with defaults."""
        given = self.given(kind, place, stored)
        for name, key in BY_TABLE[kind].items():
            if name not in given:
                if key.default is REQUIRED:
                    raise InputError(
                        f"{self.path}: {place}.{name} is missing; expected {key.expected}",
                        hint=f"{self.explain} {kind}.{name}",
                    )
                given[name] = key.default
        return given

    def given(self, kind: str, place: str, stored: object) -> dict[str, Any]:
        """The keys that a table sets."""
        table, keys = self.table(place, stored), BY_TABLE[kind]
        self.only_known(table, tuple(keys), place)
        return {name: self.parsed(place, keys[name], f"{kind}.{name}", came) for name, came in table.items()}


def explain(key: str, lang: str = "en") -> str:
    """Say what a key means, takes and defaults to; `accounts.clerk.mode` and `accounts.NAME.mode` both do.

    Raises `InputError` with the nearest key as hint where there is no such key.
    """
    names = []
    for table in BY_TABLE:
        for name, found in BY_TABLE[table].items():
            names.append(f"{table}.{name}")
            parts = (r"[^.]+" if part == "NAME" else re.escape(part) for part in names[-1].split("."))
            if re.fullmatch(r"\.".join(parts), key):
                return _explained(names[-1], found, lang)
    near = get_close_matches(key, names, 1) or names[:1]
    raise InputError(f"there is no key {key!r} in gate.toml", hint=f"muniment gate explain {near[0]}")


def _explained(name: str, key: Key, lang: str) -> str:
    text = key.chinese if lang == "zh-TW" else key.english
    tables = "" if len(key.tables) == 1 else "\nin: " + ", ".join(f"[{table}]" for table in key.tables)
    default = "" if key.default in (REQUIRED, None, "", ()) else f"\ndefault: {_toml(key.default)}"
    return f"{name}\n{text}\nexpected: {key.expected}{tables}{default}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(str(name))} = {_toml(one)}" for name, one in value.items()) + " }"
    return toml_value(value)


_START: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "mode": "observe",
        "persons": {"minute": 60, "hour": 300, "day": 1_000, "month": 5_000},
        "statements_per_minute": 300,
        "unattributed": "charge",
        "copy": False,
        "caseload_days": 30,
    }
)
"""The policy of a new file: its budgets watch and stop nobody, until `gate explain` has shown what they would stop."""
_SHOWN: Final = ("contact", "require", "hours", "break_glass")
_EXAMPLES: Final[Mapping[str, str]] = {
    "contact": '"the data protection officer, extension 123"',
    "require": '["case"]',
    "hours": '{ days = ["mon", "tue", "wed", "thu", "fri"], spans = ["07:00-19:00"] }',
    "break_glass": "{ persons = 20, minutes = 60 }",
}
_HEADS: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "The gate between clients and PostgreSQL. `muniment gate explain KEY` says what a key means.\n"
        "This file is not encrypted: no password stands in it.",
        "What holds for every account, unless [roles.NAME], [accounts.NAME] or [purposes.NAME] says otherwise,\n"
        "in this order. Budgets begin with watching alone; once the figures are right, set mode = \"stop\".",
    ),
    "zh-TW": (
        "PostgreSQL 之前的閘道。各項設定的說明：muniment gate explain KEY。\n本檔未加密，請勿寫入密碼。",
        "適用於所有帳號；[roles.NAME]、[accounts.NAME]、[purposes.NAME] 依序覆蓋。\n"
        "額度起初僅供觀察，不中止查詢；確認數字適當後，請改為 mode = \"stop\"。",
    ),
}  # fmt: skip


def render_settings(values: Mapping[str, Any], tables: Mapping[str, str], lang: str = "en") -> str:
    """A new, commented gate.toml.

    `values`: keys of [gate] that are known already; the others stand as comments with their defaults. `tables`: the
    live table of each register. Raises `InputError` where the result would not be read back.
    """
    heads = _HEADS.get(lang, _HEADS["en"])
    lines = [*_comment(heads[0]), "", "[gate]"]
    for key in KEYS:
        if "gate" in key.tables:
            lines += _line(key, values, lang)
    for name, table in tables.items():
        lines += ["", f"[registers.{toml_key(name)}]", f"table = {_toml(table)}"]
    lines += ["", *_comment(heads[1]), "[defaults]"]
    for key in KEYS:
        if "defaults" in key.tables and key.name in (*_START, *_SHOWN):
            lines += _line(key, _START, lang)
    text = "\n".join(lines) + "\n"
    parse(text, Path("gate.toml"))
    return text


def _line(key: Key, values: Mapping[str, Any], lang: str) -> list[str]:
    comment = _comment(key.chinese if lang == "zh-TW" else key.english)
    if key.name in values:
        return [*comment, f"{key.name} = {_toml(values[key.name])}"]
    if key.default is REQUIRED:
        raise InputError(f"a new gate.toml needs {key.tables[0]}.{key.name}; expected {key.expected}")
    return [*comment, f"# {key.name} = {_EXAMPLES.get(key.name) or _toml(key.default)}"]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.split("\n")]
