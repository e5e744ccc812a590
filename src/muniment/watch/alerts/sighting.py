"""A sighting: a finding in words that last. Codes belong to one watch; names of registers and pseudonyms do not.

Rules
1. A sighting is what the journal keeps of a finding. It reads back equal (`from_json(to_json())`).
2. Weights belong to columns and registers, never to a record (`Weights`).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol, TypeAlias

from muniment.errors import InputError, IntegrityError
from muniment.watch.findings import KINDS, Finding, Kind

UnitOfAlert: TypeAlias = Literal["account", "office", "record"]
UNITS: Final[tuple[UnitOfAlert, ...]] = ("account", "office", "record")
PATTERNS: Final = (
    "budget", "share", "expected", "caseload", "challenge", "decoy", "volume",
    "burst", "takeover", "waking", "coverage", "pursuit", "split", "crowd",
)  # fmt: skip
"""What an alert can be about; there is a text for each, in each language."""
_EXACT: Final = 10
"""Decimals of shares and logarithms that are kept: what a replay finds again is equal, not nearly equal."""


@dataclass(frozen=True, slots=True)
class NamedStake:
    """Records at stake in one register. `columns`: names; `weight`: of one record, as `Weights` had it at the time."""

    register: str
    columns: tuple[str, ...]
    records: int
    weight: float = 1.0

    def joined(self, other: NamedStake) -> NamedStake:
        """Both together. The same record may be in both: what comes out is an upper limit."""
        columns = self.columns + tuple(name for name in other.columns if name not in self.columns)
        return NamedStake(self.register, columns, self.records + other.records, max(self.weight, other.weight))


@dataclass(frozen=True, slots=True)
class Sighting:
    """One finding. `pseudonym`: of the unit, empty for a record; `office`: the pseudonym of the office it was made in.

    `types`: case types that the reads at stake named, with how many reads; empty where that is not known. `readers`:
    accounts, for a record that many read. `pointer`: what leads to that record, sealed to the data protection officer.
    The rest as in `findings.Finding`.
    """

    unit: UnitOfAlert
    pseudonym: str
    pattern: str
    kind: Kind
    shares: tuple[tuple[str, float], ...]
    log10: float
    since: int
    day: int
    sequence: int
    stakes: tuple[NamedStake, ...]
    office: str = ""
    types: tuple[tuple[str, int], ...] = ()
    readers: int = 0
    pointer: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """`InputError` for a pattern without a text, so that no alert is opened that cannot be read."""
        if self.pattern not in PATTERNS:
            raise InputError(f"pattern {self.pattern!r}: expected one of {', '.join(PATTERNS)}")

    @property
    def records(self) -> int:
        """Records at stake in all registers."""
        return sum(stake.records for stake in self.stakes)

    def to_json(self) -> dict[str, Any]:
        """As JSON: lists for tuples, base64 for the pointer."""
        stakes = [[one.register, list(one.columns), one.records, one.weight] for one in self.stakes]
        return {
            "unit": self.unit, "pseudonym": self.pseudonym, "pattern": self.pattern, "kind": self.kind,
            "shares": [list(one) for one in self.shares], "log10": self.log10, "since": self.since, "day": self.day,
            "sequence": self.sequence, "stakes": stakes, "office": self.office,
            "types": [list(one) for one in self.types], "readers": self.readers,
            "pointer": base64.b64encode(self.pointer).decode(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Sighting:
        """What `to_json` wrote. Raises `IntegrityError` for anything else."""
        try:
            if value["unit"] not in UNITS or value["kind"] not in KINDS:
                raise ValueError
            return cls(
                value["unit"], str(value["pseudonym"]), str(value["pattern"]), value["kind"],
                tuple((str(name), float(share)) for name, share in value["shares"]), float(value["log10"]),
                int(value["since"]), int(value["day"]), int(value["sequence"]),
                tuple(NamedStake(str(a), tuple(map(str, b)), int(c), float(d)) for a, b, c, d in value["stakes"]),
                str(value["office"]), tuple((str(name), int(count)) for name, count in value["types"]),
                int(value["readers"]), base64.b64decode(value["pointer"], validate=True),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise IntegrityError("a sighting in the journal of watch is not what muniment writes") from error


@dataclass(frozen=True, slots=True)
class Weights:
    """What a record of a register is worth in the count of what is at stake: by `register` or `register.column`.

    A record weighs what the heaviest of its register and its columns that were read weighs; 1 where none is declared.
    """

    declared: Mapping[str, float] = field(default_factory=dict)

    def of(self, register: str, columns: Sequence[str]) -> float:
        """The weight of one record, by what was read of it."""
        names = (register, *(f"{register}.{column}" for column in columns))
        return max((self.declared[name] for name in names if name in self.declared), default=1.0)


class Labels(Protocol):
    """The words behind the codes of a finding."""

    def unit(self, unit: Literal["account", "office"], code: int) -> str:
        """The pseudonym of an account or office (`Pseudonyms.of`), never its name."""
        ...

    def office(self, finding: Finding) -> str:
        """The pseudonym of the office in which it was found; empty where it is not known."""
        ...

    def register(self, code: int) -> str:
        """The name of a register."""
        ...

    def columns(self, register: int, bitmap: int) -> tuple[str, ...]:
        """The names of columns, by a bitmap of their numbers."""
        ...


def sighted(finding: Finding, labels: Labels, weights: Weights | None = None) -> Sighting:
    """The finding in words. Shares and logarithm are rounded to 10 decimals, and a value beyond all bounds is cut."""
    named = []
    for stake in finding.stakes:
        register, columns = labels.register(stake.register), labels.columns(stake.register, stake.columns)
        named.append(NamedStake(register, columns, stake.records, (weights or Weights()).of(register, columns)))
    return Sighting(
        finding.unit, labels.unit(finding.unit, finding.code), finding.pattern, finding.kind,
        tuple((name, round(share, _EXACT)) for name, share in finding.shares), _finite(finding.log10),
        finding.since, finding.day, finding.sequence, tuple(named), labels.office(finding),
    )  # fmt: skip


def sighted_crowd(
    register: str, readers: int, since: int, day: int, pointer: bytes = b"", weight: float = 1.0
) -> Sighting:
    """One record that `readers` accounts read without a reason. Who it is stands in `pointer` alone, sealed.

    The id of its alert is made from the pointer: it must be sealed the same way each time, in a replay too (a nonce
    derived from key, day and record, not drawn).
    """
    stakes = (NamedStake(register, (), 1, weight),)
    made = Sighting("record", "", "crowd", "estimated", (("crowd", 1.0),), 0.0, since, day, 0, stakes)
    return replace(made, readers=readers, pointer=pointer)


def _finite(log10: float) -> float:
    return round(min(max(log10, -999.0), 999.0), _EXACT) if not math.isnan(log10) else 0.0
