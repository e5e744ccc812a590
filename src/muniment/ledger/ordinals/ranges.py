"""Which ordinals are reserved, and in which order they are handed out. Pure: a state in, ordinals and a state out.

Rules
1. Ordinals are reserved in ranges, one after another. Within a range they are handed out in the order of a keyed
   permutation, whose key is drawn for this range: the order of first use does not show in them.
2. `BULK` new persons or more get a range of their own, exactly as long as they are many; fewer draw from a range of
   `RANGE`, and from the next one when it is used up. A large register leaves no gap; a trickle hides among a thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment import limits
from muniment.errors import LimitError
from muniment.ledger.ordinals.permutation import Permutation

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANGE: Final = 1_024
"""Ordinals reserved at once for persons who come one by one."""
BULK: Final = RANGE
"""New persons in one call from which they get a range of their own."""
SEED_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Reserved:
    """Ordinals below `reserved` are reserved; of the small range from `start` on, `used` places were given."""

    reserved: int = 0
    start: int = 0
    used: int = RANGE
    seed: bytes = field(default=bytes(SEED_BYTES), repr=False)

    def draw(self, count: int, random_bytes: Callable[[int], bytes]) -> tuple[NDArray[np.uint32], Reserved]:
        """Ordinals for so many new persons, shape (count,), and the state afterwards.

        Raises `LimitError` where the ledger has no ordinals left; nothing is reserved then.
        """
        if count >= BULK:
            start, permutation = self.reserved, Permutation(random_bytes(SEED_BYTES), count)
            state = replace(self, reserved=_bounded(start + count))
            return permutation.forward(np.arange(count)) + np.uint32(start), state
        state, parts = self, []
        while count:
            if state.used == RANGE:
                reserved = _bounded(state.reserved + RANGE)
                state = Reserved(reserved, state.reserved, 0, random_bytes(SEED_BYTES))
            used = min(RANGE, state.used + count)
            parts.append(_order(state.seed)[state.used : used] + np.uint32(state.start))
            count -= used - state.used
            state = replace(state, used=used)
        return np.concatenate(parts) if parts else np.zeros(0, np.uint32), state


def _bounded(reserved: int) -> int:
    if reserved > limits.LEDGER_ORDINALS:
        most = limits.LEDGER_ORDINALS
        raise LimitError(f"the ledger holds as many persons as it has numbers for; expected at most {most:,}")
    return reserved


@lru_cache(maxsize=4)
def _order(seed: bytes) -> NDArray[np.uint32]:
    return Permutation(seed, RANGE).forward(np.arange(RANGE))
