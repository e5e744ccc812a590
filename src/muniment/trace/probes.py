"""How many of a leak column's values each register column knows: one pass over the register, by hash.

Rules
1. Values are taken in the order of the leak, the first distinct ones of each column; nothing is drawn at random.
2. A value is looked up under each register column's own normal and strict form. A column with a tolerance is looked up
   by grid cell (`fields.grid`).
3. Texts of two or more words also give *parts*: what stands before and after each cut, for columns that were merged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.disclosure import Kind
from muniment.table import Cells, Table
from muniment.trace.columns import ColumnSpec, Scan
from muniment.trace.fields import Encoder, Hashes, grid, numbers_of
from muniment.trace.fold import fold, strict_form

PROBES: Final = 5_000
"""Distinct values of a leak column that are looked up."""
LOOKUPS: Final = 500_000
"""Forms made of leak values in total: wide tables get fewer values a column."""
WHOLE_ROWS: Final = 1_000_000
"""Records that are all looked at; beyond them every second, third, ... as far as `HITS` allows."""
HITS: Final = 250
"""Hits that must still be expected of a column that matches, when records are skipped."""
PARTED: Final = 400
"""Values of a column that are cut into parts."""
_PART_KINDS: Final = frozenset({Kind.NAME, Kind.ADDRESS, Kind.PLACE, Kind.TEXT})


@dataclass(frozen=True, slots=True, repr=False)
class Probe:
    """The values of one leak column: distinct, in order, with the number of rows among those read."""

    values: tuple[str, ...]
    counts: NDArray[np.float64]
    parts: tuple[tuple[tuple[str, str], ...], ...]
    """For the first values: the ways to cut each in two."""


@dataclass(frozen=True, slots=True, repr=False)
class Overlap:
    """What the register's columns (s) know of the leak's columns (c)."""

    share: NDArray[np.float64]
    """[c, s]: share of the leak column's distinct values that the register column knows."""
    alike: NDArray[np.float64]
    """[c, s] in [0, 1]: how alike the frequencies of the known values are."""
    known: tuple[tuple[NDArray[np.bool_], ...], ...]
    """[c][s]: which values of the probe are known."""
    parts: tuple[frozenset[str], ...]
    """[s]: the parts of leaked values that are whole values of the register column."""
    sampled: tuple[tuple[str, ...], ...]
    """[s]: some values of the register column."""


def probe(cells: Cells, most: int) -> Probe:
    """Return the first `most` distinct values of a column."""
    seen: dict[str, int] = {}
    for cell in cells:
        if cell:
            if cell in seen:
                seen[cell] += 1
            elif len(seen) < most:
                seen[cell] = 1
    values = tuple(seen)
    return Probe(values, np.array(list(seen.values()), np.float64), tuple(cuts(value) for value in values[:PARTED]))


def cuts(value: str) -> tuple[tuple[str, str], ...]:
    """Return the ways to cut a text in two: after the first and before the last word, or sign of a Chinese name."""
    text = fold(value)
    words = text.split()
    if len(words) > 1:
        places = dict.fromkeys((1, len(words) - 1))
        return tuple((" ".join(words[:place]), " ".join(words[place:])) for place in places)
    if 2 <= len(text) <= 4 and not text.isascii():
        return tuple((text[:place], text[place:]) for place in (1, 2) if place < len(text))
    return ()


def encoder_of(spec: ColumnSpec) -> Callable[[Cells], Hashes]:
    """Return the function from cells to the hashes under which a register column is looked up."""
    if spec.tolerance:
        tolerance = float(spec.tolerance)
        return lambda cells: grid(numbers_of(cells), tolerance, offset=False)
    strict = strict_form(spec.kind)
    return Encoder(lambda text: strict(spec.normal(text)))


def measure(leak: Table, specs: Sequence[ColumnSpec], scan: Scan) -> tuple[list[Probe], Overlap]:
    """Look up the values of every leak column in every register column."""
    most = max(100, min(PROBES, LOOKUPS // max(1, len(leak.columns) * len(specs))))
    probes = [probe(cells, most) for cells in leak.cells]
    lookups = [_Lookup(spec, probes) for spec in specs]
    step = max(1, max((len(each.values) for each in probes), default=0) // HITS)
    seen = 0
    for batch in scan([spec.name for spec in specs]):
        stride = min(step, 1 + seen // WHOLE_ROWS)
        seen += batch.rows
        for lookup in lookups:
            lookup.add(batch[lookup.spec.name][::stride])
    return probes, _overlap(len(probes), lookups)


def _overlap(probes: int, lookups: Sequence[_Lookup]) -> Overlap:
    shape = (probes, len(lookups))
    share, alike = np.zeros(shape), np.zeros(shape)
    known = tuple(tuple(lookup.known(number) for lookup in lookups) for number in range(probes))
    for number, column in np.ndindex(shape):
        hit = known[number][column]
        share[number, column] = hit.mean() if len(hit) else 0.0
        alike[number, column] = lookups[column].alike(number)
    return Overlap(share, alike, known, parts=tuple(lookup.parts_known() for lookup in lookups),
                   sampled=tuple(lookup.sampled for lookup in lookups))


class _Lookup:
    """One register column while it is read. Owns the counts of the values asked for."""

    __slots__ = ("_asked", "_counts", "_encode", "_hashes", "_part_hashes", "_parts", "_probes", "sampled", "spec")

    def __init__(self, spec: ColumnSpec, probes: Sequence[Probe]) -> None:
        self.spec = spec
        self.sampled: tuple[str, ...] = ()
        self._probes = probes
        self._encode = encoder_of(spec)
        self._hashes = [self._encode(list(each.values)) for each in probes]
        some = spec.kind in _PART_KINDS
        parts = {part for each in probes for ways in each.parts for way in ways for part in way} if some else set()
        self._parts = sorted(parts)
        self._part_hashes = self._encode(list(self._parts))
        self._asked = np.unique(np.concatenate([np.zeros(0, np.int64), *self._hashes, self._part_hashes]))
        self._counts = np.zeros(len(self._asked), np.int64)

    def add(self, cells: Cells) -> None:
        """Count the values asked for among these cells."""
        if self.spec.kind in _PART_KINDS and len(self.sampled) < PARTED:
            self.sampled = tuple(dict.fromkeys((*self.sampled, *filter(None, cells[:: max(1, len(cells) // PARTED)]))))
        if not len(self._asked):
            return
        hashes = self._encode(cells)
        place = np.minimum(np.searchsorted(self._asked, hashes), len(self._asked) - 1)
        hit = (self._asked[place] == hashes) & (hashes != 0)
        self._counts += np.bincount(place[hit], minlength=len(self._asked))

    def _of(self, hashes: Hashes) -> NDArray[np.int64]:
        return self._counts[np.searchsorted(self._asked, hashes)] if len(hashes) else np.zeros(0, np.int64)

    def known(self, number: int) -> NDArray[np.bool_]:
        """Return which values of a probe were found."""
        found: NDArray[np.bool_] = (self._of(self._hashes[number]) > 0) & (self._hashes[number] != 0)
        return found

    def alike(self, number: int) -> float:
        """Return the Bhattacharyya coefficient of both frequencies, over the known values."""
        theirs, mine = self._of(self._hashes[number]).astype(np.float64), self._probes[number].counts
        hit = theirs > 0
        if not hit.any():
            return 0.0
        return float(np.sqrt(mine[hit] * theirs[hit]).sum() / np.sqrt(mine[hit].sum() * theirs[hit].sum()))

    def parts_known(self) -> frozenset[str]:
        """Return the parts that this column knows as whole values."""
        counts = self._of(self._part_hashes)
        return frozenset(part for part, count in zip(self._parts, counts.tolist(), strict=True) if count)
