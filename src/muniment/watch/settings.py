"""watch.toml: text -> frozen values, or `InputError` naming the file, the key and what was expected.

Rules
1. A key that is not in the table is an error, not ignored: a mistyped `alerts_per_100` must not pass for the default.
2. Every key has a default: an empty file is a watch. No secret stands in it; sinks name files that hold theirs.
3. What decides which findings there are is `WatchSettings.deciding`: a replay needs it as it was, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from muniment.config.settings import REQUIRED, toml_key, toml_value
from muniment.config.tables import TableReader, stored_tables
from muniment.config.values import Key
from muniment.errors import InputError
from muniment.watch.reads import Spaces
from muniment.watch.settings_parsers import weight
from muniment.watch.settings_table import ACCOUNT, BUDGET, BY_TABLE, GATE, OFFICE, SINK, TYPE, WATCH
from muniment.watch.signals.declared import Budget, Budgets

_TABLES: Final = ("watch", "budget", "offices", "accounts", "weights", "types", "sinks", "gate")
_HOUR_MS: Final = 3_600_000
_NEEDED: Final = {"file": ("path",), "syslog": ("host",), "webhook": ("url", "secret_file"),
                  "email": ("host", "sender", "recipients")}  # fmt: skip
"""Keys without which a sink of a kind cannot send."""
_ALPHA: Final = 0.001
"""Alerts an account-day where `alerts_per_1000` is 1."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """`[sinks.NAME]`: its kind, and the keys that it sets. Paths are relative to the folder of the file."""

    name: str
    kind: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        """A key, or its default."""
        return self.given.get(key, BY_TABLE[SINK][key].default)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """The whole file. `offices`, `accounts`: declared budgets by name. `weights`: of a register, or register.column.

    `lower`: whether a guaranteed alert lowers the account's budget at the gate, to `persons` by window.
    """

    alerts_per_1000: float = 1.0
    lag_hours: int = 6
    time_zone: str = "UTC"
    channels: tuple[str, ...] = ("gate", "application", "imported")
    challenge: float = 0.0
    challenge_days: int = 14
    alert_days: int = 365
    unmask_persons: int = 1
    crowd_floor: int = 5
    decoys_by_coin: bool = False
    budget: Budget = field(default_factory=Budget)
    offices: Mapping[str, Budget] = field(default_factory=dict)
    accounts: Mapping[str, Budget] = field(default_factory=dict, repr=False)
    weights: Mapping[str, float] = field(default_factory=dict)
    households: Mapping[str, bool] = field(default_factory=dict)
    sinks: Mapping[str, SinkSettings] = field(default_factory=dict)
    lower: bool = False
    persons: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({"day": 20}))

    @property
    def alpha(self) -> float:
        """Alerts an account-day that are accepted on innocent accounts."""
        return self.alerts_per_1000 * _ALPHA

    @property
    def lag_ms(self) -> int:
        """Milliseconds after the end of a day until it is judged."""
        return self.lag_hours * _HOUR_MS

    @property
    def household_types(self) -> tuple[str, ...]:
        """The types of case that cover the household too, by name."""
        return tuple(sorted(name for name, covers in self.households.items() if covers))

    def budgets(self, spaces: Spaces) -> Budgets:
        """The declared budgets by code; names that did not come before get one."""
        return Budgets(
            self.budget,
            {spaces.office.code(name): budget for name, budget in sorted(self.offices.items())},
            {spaces.account.code(name): budget for name, budget in sorted(self.accounts.items())},
        )

    @property
    def deciding(self) -> str:
        """What decides which findings there are, as canonical JSON (rule 3); `restored` undoes it."""
        names = ("alerts_per_1000", "lag_hours", "time_zone", "channels", "challenge", "challenge_days", "crowd_floor",
                 "decoys_by_coin", "households")  # fmt: skip
        value: dict[str, Any] = {name: getattr(self, name) for name in names}
        value["households"] = dict(self.households)
        value["budget"] = _pair(self.budget)
        for layer in ("offices", "accounts"):
            value[layer] = {name: _pair(one) for name, one in getattr(self, layer).items()}
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def restored(text: str) -> WatchSettings:
    """The settings that `deciding` was made from, all else at its default."""
    value = json.loads(text)
    value["channels"] = tuple(value["channels"])
    value["budget"] = Budget(*value["budget"])
    for layer in ("offices", "accounts"):
        value[layer] = {name: Budget(*one) for name, one in value[layer].items()}
    return WatchSettings(**value)


def _pair(budget: Budget) -> list[float | None]:
    return [budget.a_day, budget.share]


def parse(text: str, path: Path) -> WatchSettings:
    """Read the text of watch.toml; `path` is for messages only. Raises `InputError`."""
    stored = stored_tables(text, path)
    reader = _Reader(path, hidden="", explain="muniment watch explain")
    reader.only_known(stored, _TABLES, "")
    watch = reader.given(WATCH, "watch", stored.get("watch", {}))
    budget = _budget(reader.given(BUDGET, "budget", stored.get("budget", {})), Budget())
    gate = reader.given(GATE, "gate", stored.get("gate", {}))
    types = reader.named(TYPE, "types", stored)
    return WatchSettings(
        **watch, **gate, budget=budget,
        offices={name: _budget(one, budget) for name, one in reader.named(OFFICE, "offices", stored).items()},
        accounts={name: _budget(one, budget) for name, one in reader.named(ACCOUNT, "accounts", stored).items()},
        weights=_weights(reader, stored.get("weights", {})),
        households={name: bool(one.get("household", False)) for name, one in types.items()},
        sinks={name: _sink(reader, name, one) for name, one in reader.named(SINK, "sinks", stored).items()},
    )  # fmt: skip


def _budget(given: Mapping[str, Any], default: Budget) -> Budget:
    return Budget(given.get("a_day", default.a_day), given.get("share", default.share))


def _weights(reader: _Reader, stored: object) -> Mapping[str, float]:
    """`[weights]`: its keys are names, so the table of keys does not know them."""
    found = {}
    for name, came in reader.table("weights", stored).items():
        try:
            found[name] = weight(came)
        except ValueError:
            raise InputError(
                f'{reader.path}: weights.{name}: expected a number from 0 to 1000 for a register or "register.column"',
                hint="muniment watch explain weights",
            ) from None
    return MappingProxyType(found)


def _sink(reader: _Reader, name: str, given: Mapping[str, Any]) -> SinkSettings:
    kind = given.get("kind")
    if kind is None:
        raise InputError(
            f"{reader.path}: sinks.{name}.kind is missing; expected {BY_TABLE[SINK]['kind'].expected}",
            hint="muniment watch explain sinks.NAME.kind",
        )
    for key in _NEEDED.get(kind, ()):
        if not given.get(key):
            raise InputError(
                f"{reader.path}: sinks.{name}.{key} is missing: {kind} cannot send without it; expected "
                f"{BY_TABLE[SINK][key].expected}",
                hint=f"muniment watch explain sinks.NAME.{key}",
            )
    return SinkSettings(name, kind, MappingProxyType({key: one for key, one in given.items() if key != "kind"}))


class _Reader(TableReader):
    """Reads the tables of watch.toml."""

    __slots__ = ()

    def given(self, kind: str, place: str, stored: object) -> dict[str, Any]:
        """The keys that a table sets."""
        table, keys = self.table(place, stored), BY_TABLE[kind]
        self.only_known(table, tuple(keys), place)
        return {name: self.parsed(place, keys[name], f"{kind}.{name}", came) for name, came in table.items()}

    def named(self, kind: str, part: str, stored: Mapping[str, object]) -> dict[str, dict[str, Any]]:
        """The tables below one name: `[part.NAME]`."""
        tables = self.table(part, stored.get(part, {}))
        return {name: self.given(kind, f"{part}.{name}", one) for name, one in tables.items()}


def explain(key: str, lang: str = "en") -> str:
    """Say what a key means, takes and defaults to; `offices.tax.a_day` and `offices.NAME.a_day` both do.

    Raises `InputError` with the nearest key as hint where there is no such key.
    """
    if key.split(".", maxsplit=1)[0] == "weights":
        return _WEIGHTS[lang if lang in _WEIGHTS else "en"]
    names = []
    for table, keys in BY_TABLE.items():
        for name, found in keys.items():
            names.append(f"{table}.{name}")
            parts = (r"[^.]+" if part == "NAME" else re.escape(part) for part in names[-1].split("."))
            if re.fullmatch(r"\.".join(parts), key):
                return _explained(names[-1], found, lang)
    near = get_close_matches(key, names, 1) or names[:1]
    raise InputError(f"there is no key {key!r} in watch.toml", hint=f"muniment watch explain {near[0]}")


def _explained(name: str, key: Key, lang: str) -> str:
    text = key.chinese if lang == "zh-TW" else key.english
    tables = "" if len(key.tables) == 1 else "\nin: " + ", ".join(f"[{table}]" for table in key.tables)
    none = key.default is REQUIRED or key.default in (None, "", ()) or (key.default == 0 and key.name == "port")
    default = "" if none else f"\ndefault: {_toml(key.default)}"
    return f"{name}\n{text}\nexpected: {key.expected}{tables}{default}"


_WEIGHTS: Final[Mapping[str, str]] = {
    "en": "weights\nHow grave it is to lose a record of a register, or one of its columns: people = 1 or\n"
    '"people.phone" = 2. Weights belong to columns and registers, never to a record.\n'
    "expected: a number from 0 to 1000\ndefault: 1",
    "zh-TW": "weights\n登記簿或其欄位的紀錄外流的嚴重程度，例如 people = 1 或 \"people.phone\" = 2。\n"
    "權重只屬於欄位與登記簿，不屬於個別紀錄。\nexpected: a number from 0 to 1000\ndefault: 1",
}  # fmt: skip
_HEADS: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "Watch: which account harvests a register. `muniment watch explain KEY` says what a key means.\n"
        "This file is not encrypted: no secret stands in it.",
        "An office or account may have a budget of its own; see also [weights], [types.NAME] and [sinks.NAME].",
    ),
    "zh-TW": (
        "監看：哪個帳號正在蒐集登記簿。各項設定的說明：muniment watch explain KEY。\n本檔未加密，請勿寫入機密。",
        "各單位或帳號可另定額度；另見 [weights]、[types.NAME] 與 [sinks.NAME]。",
    ),
}
_EXAMPLES: Final = (
    "[offices.tax]\na_day = 4", "[weights]\npeople = 1\n\"people.phone\" = 2", "[types.custody]\nhousehold = true",
    "[sinks.security]\nkind = \"syslog\"\nhost = \"siem.example\"",
)  # fmt: skip


def render_settings(values: Mapping[str, Any], lang: str = "en") -> str:
    """A new, commented watch.toml. `values`: keys of [watch] that are known; the others stand as comments."""
    heads = _HEADS.get(lang, _HEADS["en"])
    lines = _comment(heads[0])
    for table in (WATCH, BUDGET, GATE):
        lines += ["", f"[{table}]"]
        for key in BY_TABLE[table].values():
            lines += _comment(key.chinese if lang == "zh-TW" else key.english)
            given = values.get(key.name) if table == WATCH else None
            shown = f"{key.name} = {_toml(key.default if given is None else given)}"
            lines.append(shown if given is not None else f"# {shown}" if key.default is not None else f"# {key.name} =")
    lines += ["", *_comment(heads[1]), *(line for one in _EXAMPLES for line in ["#", *_comment(one)])]
    text = "\n".join(lines) + "\n"
    parse(text, Path("watch.toml"))
    return text


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(str(name))} = {_toml(one)}" for name, one in value.items()) + " }"
    return toml_value(value)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.split("\n")]
