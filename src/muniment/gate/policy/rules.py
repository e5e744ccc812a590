"""What one account may receive, after defaults, roles, account and purpose were laid over one another.

Rules
1. Later wins, key by key: defaults, then the roles it is a member of (in the order of gate.toml), then the account,
   then the purpose that the session declared. A purpose may loosen a budget: it counts only where it may be claimed.
2. An account that no table names is guarded by the defaults: forgetting one never opens it.
3. What budgets are computed with (`recipient`, `caseload_days`) never comes from a purpose: a budget must come out of
   the ledger the same, whatever was declared since. Nor does anything that opens what the account is shut out of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, TypeAlias

Mode: TypeAlias = Literal["observe", "warn", "throttle", "stop"]
Unattributed: TypeAlias = Literal["refuse", "charge", "log"]
MODES: Final[tuple[Mode, ...]] = ("observe", "warn", "throttle", "stop")
UNATTRIBUTED: Final[tuple[Unattributed, ...]] = ("refuse", "charge", "log")
WINDOWS: Final[Mapping[str, int]] = MappingProxyType(
    {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "month": 30 * 86_400_000}
)
"""Sliding windows of the budgets, in ms; a month is 30 days."""
LIFETIME: Final = "lifetime"
GRANT: Final = "grant"
"""A limit for one charge alone: what is left of a break-glass grant (`breakglass.Grants.rules`)."""
LABELS: Final = ("case", "purpose")
"""What a policy may require a session to declare, by `SET muniment.case = ...`."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When registers may be read. `days`: 0 Monday to 6 Sunday. `spans`: minutes since midnight, start < end <= 1,440.

    Both are in the local time of the office; who calls knows its offset to UTC. A span over midnight is two spans.
    """

    days: frozenset[int]
    spans: tuple[tuple[int, int], ...]

    def open(self, local: int) -> bool:
        """Whether `local` (ms since 1970 with the offset to UTC added) lies inside. 1970-01-01 was a Thursday."""
        minutes = local // 60_000
        day, minute = divmod(minutes, 1_440)
        return (day + 3) % 7 in self.days and any(start <= minute < end for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Glass:
    """What break-glass gives: so many persons that are not in the case-load, within so many minutes."""

    persons: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What one account may do, resolved.

    `account` is the account's name; `recipient` is under whose name it is recorded and charged: accounts of one person
    share their budgets by naming the same one. `persons` holds limits of distinct persons by window (`WINDOWS`,
    `LIFETIME`, for one call `GRANT`); a window that is missing has none. `columns` are the names allowed by register,
    `None` for all; a register missing from it has none. `purposes` are those that may be claimed, `None` for all
    declared ones. `harmless` are names of functions that disclose nothing, beside those of the catalogue.
    """

    account: str
    recipient: str
    guarded: bool = True
    mode: Mode = "stop"
    persons: Mapping[str, int] = field(default_factory=dict)
    rows_per_statement: int | None = None
    statements_per_minute: int | None = None
    columns: Mapping[str, frozenset[str]] | None = None
    hours: Hours | None = None
    copy: bool = False
    code: bool = False
    unattributed: Unattributed = "charge"
    require: frozenset[str] = frozenset()
    purpose: str = ""
    purposes: frozenset[str] | None = None
    basis: str = ""
    caseload_days: int = 30
    break_glass: Glass | None = None
    redact: bool = True
    export: bool = False
    read_only: bool = False
    marks: bool = False
    contact: str = ""
    throttle_seconds: float = 1.0
    actor_key: str = ""
    harmless: frozenset[str] = frozenset()


class Policies(Protocol):
    """The four layers of a policy by name, each holding only the keys that its table sets (`settings.GateSettings`)."""

    @property
    def defaults(self) -> Mapping[str, Any]:
        """`[defaults]`."""

    @property
    def roles(self) -> Mapping[str, Mapping[str, Any]]:
        """`[roles.NAME]`, in the order of the file."""

    @property
    def accounts(self) -> Mapping[str, Mapping[str, Any]]:
        """`[accounts.NAME]`."""

    @property
    def purposes(self) -> Mapping[str, Mapping[str, Any]]:
        """`[purposes.NAME]`."""


_OWN: Final = frozenset({"account", "recipient", "guarded", "caseload_days", "purposes"})
"""What a purpose never changes (rule 3); `settings` has no key for it there, this is the second lock."""
_NAMES: Final = frozenset(one.name for one in fields(Rules))


def resolve(policies: Policies, account: str, roles: Sequence[str] = (), purpose: str = "") -> Rules:
    """The rules of `account`, a member of `roles`, in a session that declared `purpose` (empty for none).

    A purpose that is not declared in the file, or that the account may not claim, changes nothing here;
    `statements.permit` refuses it.
    """
    found: dict[str, Any] = {"account": account, "recipient": account}
    for layer in _layers(policies, account, frozenset(roles)):
        _lay(found, layer)
    purpose = purpose or found.get("purpose", "")
    found["purpose"] = purpose
    claimed = found.get("purposes")
    if purpose in policies.purposes and (claimed is None or purpose in claimed):
        _lay(found, {name: value for name, value in policies.purposes[purpose].items() if name not in _OWN})
    if found.get("purposes") is None and policies.purposes:
        found["purposes"] = frozenset(policies.purposes)
    # Marks must not come back by UPDATE and be read as the register's own: they are for accounts that cannot write.
    found["read_only"] = bool(found.get("read_only") or found.get("marks"))
    return Rules(**found)


def lower(rules: Rules, persons: Mapping[str, int]) -> Rules:
    """The rules with limits of persons that are no higher than these, and kept to; `persons` empty: as they are.

    It only ever takes away: where a limit was lower already, that one stays.
    """
    if not persons:
        return rules
    held = {window: min(limit, rules.persons.get(window, limit)) for window, limit in persons.items()}
    return replace(rules, mode="stop", persons={**rules.persons, **held})


def _layers(policies: Policies, account: str, roles: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    yield policies.defaults
    yield from (layer for role, layer in policies.roles.items() if role in roles)
    yield policies.accounts.get(account, {})


def _lay(found: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Lay one table over what was found. Limits by window are single keys too: naming one leaves the others alone."""
    for name, value in layer.items():
        if name == "persons":
            laid = {**found.get("persons", {}), **value}
            found["persons"] = {window: limit for window, limit in laid.items() if limit is not None}
        elif name in _NAMES:
            found[name] = value
