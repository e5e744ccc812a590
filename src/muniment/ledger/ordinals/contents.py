"""What the ordinal table holds: who has which ordinal, and what is reserved. Pure, and never changed in place.

Rules
1. One person, one ordinal; one ordinal, one person. Further pseudonyms of a person (of later epochs) are aliases: they
   lead to an ordinal that a person has, and are no person of their own.
2. No pseudonym stands in the table twice, and no ordinal at or above `reserved`. What breaks this is `IntegrityError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from muniment.errors import IntegrityError
from muniment.ledger.ordinals.frames import Change, Frame
from muniment.ledger.ordinals.ranges import Reserved
from muniment.ledger.ordinals.runs import Runs, sorted_entries

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Persons, their further pseudonyms, and the state of reservations."""

    persons: Runs = field(default_factory=Runs)
    aliases: Runs = field(default_factory=Runs)
    state: Reserved = field(default_factory=Reserved)

    def lookup(self, pseudonyms: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """The ordinal of each pseudonym, and whether it is known; shape (m,) each."""
        ordinals, found = self.persons.lookup(pseudonyms)
        if len(self.aliases) and not found.all():
            missing = np.flatnonzero(~found)
            ordinals[missing], found[missing] = self.aliases.lookup(pseudonyms[missing])
        return ordinals, found

    def after(self, frames: Sequence[Frame]) -> Contents:
        """These contents after some changes that were made by allocating here: their entries are new."""
        persons, aliases = self.persons, self.aliases
        for change in Change:
            parts = [(frame.pseudonyms, frame.ordinals) for frame in frames if frame.change is change]
            if change is Change.ALLOCATE:
                persons = persons.adding(*sorted_entries(parts))
            else:
                aliases = aliases.adding(*sorted_entries(parts))
        return Contents(persons, aliases, frames[-1].state if frames else self.state)

    def above(self, base: Contents) -> Contents:
        """What came since `base`, these contents, together with it."""
        persons = base.persons.adding(*self.persons.entries())
        return Contents(persons, base.aliases.adding(*self.aliases.entries()), self.state)

    def consistent(self) -> Contents:
        """The same contents; `IntegrityError` where some of them break the rules, whatever base they came after."""
        (pseudonyms, ordinals), (others, targets) = self.persons.entries(), self.aliases.entries()
        if not (_rising(pseudonyms) and _rising(others)) or self.persons.lookup(others)[1].any():
            raise IntegrityError("the ordinal table gives one person two ordinals")
        if max(_highest(ordinals), _highest(targets)) >= self.state.reserved:
            raise IntegrityError("the ordinal table gives an ordinal that was never reserved")
        return self

    def checked(self) -> Contents:
        """The same contents; `IntegrityError` where they are not all, and by themselves, as the rules say."""
        (_, ordinals), (_, targets) = self.consistent().persons.entries(), self.aliases.entries()
        given = np.zeros(self.state.reserved, np.bool_)
        given[ordinals] = True
        if np.count_nonzero(given) != len(ordinals):
            raise IntegrityError("the ordinal table gives one ordinal to two persons")
        if not given[targets].all():
            raise IntegrityError("the ordinal table holds a further pseudonym of nobody")
        return self

    def without(self, ordinals: NDArray[np.uint32]) -> Contents:
        """These contents without some persons, whatever their pseudonyms; their ordinals are never given again."""
        gone = np.zeros(self.state.reserved, np.bool_)
        gone[ordinals] = True
        return replace(self, persons=_kept(self.persons, gone), aliases=_kept(self.aliases, gone))


def _kept(runs: Runs, gone: NDArray[np.bool_]) -> Runs:
    pseudonyms, ordinals = runs.entries()
    stay = ~gone[ordinals]
    return Runs().adding(pseudonyms[stay], ordinals[stay])


def _rising(pseudonyms: NDArray[np.uint64]) -> bool:
    return bool((pseudonyms[1:] > pseudonyms[:-1]).all())


def _highest(ordinals: NDArray[np.uint32]) -> int:
    return int(ordinals.max()) if len(ordinals) else -1
