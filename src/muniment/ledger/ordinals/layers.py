"""What an open table looks things up in: the changes since its base, in memory, above a base that is read as needed.

Rules
1. Layers never change: a change, or loading the base, gives new ones. A reader on another thread sees one or the other.
2. While the base is not loaded, it answers for few pseudonyms from its frames; whoever needs more loads it, and with it
   the rules of the whole table are checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from muniment.ledger.ordinals.base import BaseFile
from muniment.ledger.ordinals.contents import Contents
from muniment.ledger.ordinals.frames import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Layers:
    """`contents`: what came since `base`, or everything where that is `None`."""

    contents: Contents = field(default_factory=Contents)
    base: BaseFile | None = None

    def __repr__(self) -> str:
        return f"Layers(persons={len(self)}, base={self.base!r})"

    def __len__(self) -> int:
        return len(self.contents.persons) + (self.base.persons if self.base is not None else 0)

    @classmethod
    def above(cls, base: BaseFile, frames: Sequence[Frame]) -> Layers:
        """A base that stays closed, and the changes after it. Raises `IntegrityError` where these break the rules."""
        layers = cls(Contents(state=base.state).after(frames).consistent(), base)
        return layers if base.frames else layers.loaded()

    def lookup(self, pseudonyms: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]] | None:
        """The ordinal of each pseudonym, and whether it is known; `None` where the base is to be loaded first.

        Raises `IntegrityError` where a frame of the base that is needed does not verify.
        """
        ordinals, found = self.contents.lookup(pseudonyms)
        if self.base is not None and not found.all():
            missing = np.flatnonzero(~found)
            answer = self.base.lookup(pseudonyms[missing])
            if answer is None:
                return None
            ordinals[missing], found[missing] = answer
        return ordinals, found

    def after(self, frames: Sequence[Frame]) -> Layers:
        """These layers after changes that were made here."""
        return replace(self, contents=self.contents.after(frames))

    def loaded(self) -> Layers:
        """These layers with everything in memory. Raises `IntegrityError` where it does not verify or breaks a rule."""
        if self.base is None:
            return self
        return Layers(self.contents.above(self.base.contents()).checked())
