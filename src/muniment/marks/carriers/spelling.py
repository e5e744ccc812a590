"""`Spelling`: the carrier that all equivalent carriers are - one function from a cell to its two spellings.

Rules
1. A kind of spelling is one function `spell(cell) -> (as 0, as 1, bit)`, or `None` where the cell has no place. The bit
   is `None` where the place is there but shows neither spelling (mixed, or a third one).
2. The normal form is the spelling for 0. So it folds this carrier's spellings and nothing else, and "meaning changed:
   0 cells" is proved by comparing normal forms.
3. `spell` depends only on what no other carrier of the same kinds of column changes, so that carriers can be combined
   on one column in any order (tests/contracts/test_carriers.py tries all pairs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from muniment.disclosure import Harm, Kind

Spelled: TypeAlias = tuple[str, str, int | None]
"""The cell written as 0, as 1, and the bit that it shows."""


def both(value: str, first: str, second: str) -> Spelled | None:
    """The two spellings with the bit that the cell shows; `None` where they do not differ."""
    if first == second:
        return None
    return first, second, 0 if value == first else 1 if value == second else None


@dataclass(frozen=True, slots=True)
class Spelling:
    """An equivalent carrier made from one function; it satisfies `protocol.Carrier`."""

    name: str
    number: int
    kinds: frozenset[Kind]
    spell: Callable[[str], Spelled | None]
    harm: Harm = Harm.EQUIVALENT

    def forms(self, value: str, phase: int = 0) -> tuple[str, str] | None:
        """The cell in its two spellings, or `None` where it has no place for a mark; `phase` is not used."""
        spelled = self.spell(value)
        return None if spelled is None else (spelled[0], spelled[1])

    def read(self, value: str, phase: int = 0) -> int | None:
        """The bit that the cell shows, or `None` (erased)."""
        spelled = self.spell(value)
        return None if spelled is None else spelled[2]

    def normal(self, value: str) -> str:
        """The spelling for 0; the cell itself where it has no place."""
        spelled = self.spell(value)
        return value if spelled is None else spelled[0]

    def same(self, first: str, second: str) -> bool:
        """Whether the two cells have one normal form."""
        return first == second or self.normal(first) == self.normal(second)
