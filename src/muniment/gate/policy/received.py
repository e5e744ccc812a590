"""Whom one account has received, and in which hour last: a dictionary for a clerk, an array for a harvest.

A dictionary takes some 100 bytes a person, the array two bytes an ordinal of the span that the ledger has given out;
the array is taken where it is the smaller one, and from 65,536 persons on in any case. Ten million persons: 20 MB.

Hours are whole hours since 1970. In the array they are 16 bits beside a base: 7.4 years. What is older than its base
counts as received in the base's hour, and the base is never moved closer than 3.7 years to the present: far beyond the
longest window and case-load, so that no charge depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOUR_MS: Final = 3_600_000
NEVER: Final = 0
"""The hour of a person that was never received."""
PROVISIONAL: Final = 2**31
"""Ordinals from which on none was given by the ledger: those that stand in while it is down. They stay a dictionary."""
DENSE_PERSONS: Final = 65_536
"""Persons from which on the array is used, however wide its span."""
_ENTRY_BYTES: Final = 100
_SMALL: Final = 1_024
"""Persons up to which nothing is gained by an array."""
_SPAN: Final = 2**16
_BEHIND: Final = 2**15
"""Hours (3.7 years) that the base of the array lies behind the present when it is set."""
_LAST: Final = 2**16 - 1


class Received:
    """The last hour in which each ordinal was received; `count` persons in all."""

    __slots__ = ("_base", "_few", "_hours", "_look", "count")

    def __init__(self) -> None:
        self.count = 0
        self._few: dict[int, int] = {}
        self._hours: NDArray[np.uint16] | None = None
        self._base = 0
        self._look = _SMALL

    def one(self, ordinal: int) -> int:
        """The hour in which `ordinal` was received last, NEVER if it was not."""
        if self._hours is None or ordinal >= PROVISIONAL:
            return self._few.get(ordinal, NEVER)
        held = int(self._hours[ordinal]) if ordinal < len(self._hours) else 0
        return held + self._base if held else NEVER

    def many(self, ordinals: NDArray[np.uint32]) -> NDArray[np.int64]:
        """`one` of each, shape (n,). `ordinals` ascending."""
        if self._hours is None:
            return self._looked_up(ordinals)
        given = _given(ordinals)
        if given < len(ordinals):
            return np.concatenate((self.many(ordinals[:given]), self._looked_up(ordinals[given:])))
        inside = len(ordinals)
        if inside and ordinals[-1] >= len(self._hours):
            inside = int(np.searchsorted(ordinals, len(self._hours)))
        held = self._hours[ordinals[:inside]].astype(np.int64)
        hours = np.zeros(len(ordinals), np.int64)
        hours[:inside] = np.where(held > 0, held + self._base, NEVER)
        return hours

    def note(self, ordinals: list[int], hour: int) -> None:
        """Some were received in `hour`, which is not before any hour noted so far."""
        if self._hours is None:
            for ordinal in ordinals:
                self._few[ordinal] = hour
            self._settle()
            return
        for ordinal in ordinals:
            if ordinal >= PROVISIONAL:
                self.count += ordinal not in self._few
                self._few[ordinal] = hour
                continue
            held = self._room(ordinal, hour)
            self.count += not held[ordinal]
            held[ordinal] = hour - self._base

    def note_many(self, ordinals: NDArray[np.uint32], hours: NDArray[np.int64]) -> None:
        """Each of `ordinals` (ascending, each once) was received in its hour of `hours`, both of shape (n,)."""
        if not len(ordinals):
            return
        if self._hours is None:
            self._few.update(zip(ordinals.tolist(), hours.tolist(), strict=True))
            self._settle()
            return
        given = _given(ordinals)
        if given < len(ordinals):
            for ordinal, hour in zip(ordinals[given:].tolist(), hours[given:].tolist(), strict=True):
                self.note([ordinal], hour)
            self.note_many(ordinals[:given], hours[:given])
            return
        held = self._room(int(ordinals[-1]), int(hours.max()))
        self.count += int(np.count_nonzero(held[ordinals] == 0))
        held[ordinals] = np.maximum(hours - self._base, 1)

    def _looked_up(self, ordinals: NDArray[np.uint32]) -> NDArray[np.int64]:
        get = self._few.get
        return np.fromiter((get(one, NEVER) for one in ordinals.tolist()), np.int64, len(ordinals))

    def _settle(self) -> None:
        self.count = len(self._few)
        if self.count < self._look:
            return
        # Finding the span reads every key: it is looked at each time that the dictionary has doubled.
        self._look = min(2 * self.count, DENSE_PERSONS + 1)
        if self.count > DENSE_PERSONS or self.count * _ENTRY_BYTES > 2 * (max(self._few) + _SPAN):
            self._spread()

    def _spread(self) -> None:
        apart = {ordinal: hour for ordinal, hour in self._few.items() if ordinal >= PROVISIONAL}
        given = {ordinal: hour for ordinal, hour in self._few.items() if ordinal < PROVISIONAL}
        if not given:
            return
        ordinals = np.fromiter(given.keys(), np.int64, len(given))
        hours = np.fromiter(given.values(), np.int64, len(given))
        self._base = max(int(hours.max()) - _BEHIND, 0)
        self._hours = np.zeros(_rounded(int(ordinals.max())), np.uint16)
        self._hours[ordinals] = np.maximum(hours - self._base, 1)
        self._few = apart

    def _room(self, ordinal: int, hour: int) -> NDArray[np.uint16]:
        """The array, wide enough for `ordinal` and with its base not too far behind `hour`."""
        assert self._hours is not None
        if ordinal >= len(self._hours):
            wider = np.zeros(max(_rounded(ordinal), _rounded(len(self._hours) * 9 // 8)), np.uint16)
            wider[: len(self._hours)] = self._hours
            self._hours = wider
        if hour - self._base > _LAST:
            shift = hour - _BEHIND - self._base
            held = self._hours > 0
            moved = np.maximum(self._hours.astype(np.int64) - shift, 1)
            self._hours = np.where(held, moved, 0).astype(np.uint16)
            self._base += shift
        return self._hours


def _given(ordinals: NDArray[np.uint32]) -> int:
    """How many of them, ascending, the ledger gave."""
    return int(np.searchsorted(ordinals, PROVISIONAL))


def _rounded(ordinal: int) -> int:
    """Entries of an array that holds `ordinal`: whole blocks, so that it does not grow at each new person."""
    return (ordinal // _SPAN + 1) * _SPAN
