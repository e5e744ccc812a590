"""Findings: where a joined detector passed its threshold. A finding becomes an alert, or joins one that is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["guaranteed", "estimated"]
KINDS: Final[tuple[Kind, ...]] = ("guaranteed", "estimated")


@dataclass(frozen=True, slots=True)
class Stake:
    """Records at stake in one register: how many, and which of its columns (bitmap of numbers) they were read with."""

    register: int
    columns: int
    records: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One crossing.

    `unit`: account or office; `code`: which one. `kind`: see `watch`, rule 3. `pattern`: the signal that speaks
    loudest; `shares`: every signal with its share of the joined value, largest first, adding up to 1. `log10`: of
    the joined value. `since`: local day on which the loudest signal's evidence began; `day`: on which it passed.
    `sequence`: the disclosure at which it passed while the day lasted, 0 where it passed at the end of the day.
    """

    unit: Literal["account", "office"]
    code: int
    kind: Kind
    pattern: str
    shares: tuple[tuple[str, float], ...]
    log10: float
    threshold: float
    since: int
    day: int
    sequence: int
    stakes: tuple[Stake, ...]

    @property
    def records(self) -> int:
        """Records at stake in all registers."""
        return sum(stake.records for stake in self.stakes)
