"""Columns that were merged or split on the way: "Neumann, Michaela" against given name and surname."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from muniment.trace.fold import squeezed
from muniment.trace.probes import Overlap, Probe, cuts

MERGED_SHARE: Final = 0.4
"""Share of leaked values of which both parts must be known, in the same two register columns."""
SPLIT_SHARE: Final = 0.1
"""Share of register values of which both parts must be leaked: a small leak knows few of them."""

Cuts = Sequence[tuple[tuple[str, str], ...]]


def merged_columns(probes: Sequence[Probe], overlap: Overlap, free: Collection[int],
                   leaks: Collection[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (leak column, register column, register column) where one leak column holds two; `free` may be taken."""
    taken: set[int] = set()
    vocabularies = {column: overlap.parts[column] for column in free}
    for number in leaks:
        share, one, other = _best(probes[number].parts, vocabularies, taken)
        if share >= MERGED_SHARE and share > 1.5 * float(overlap.share[number].max(initial=0.0)):
            taken |= {one, other}
            yield number, one, other


def split_columns(probes: Sequence[Probe], overlap: Overlap, free: Collection[int],
                  leaks: Collection[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (register column, leak column, leak column) where two leak columns hold one register column."""
    taken: set[int] = set()
    vocabularies = {number: frozenset(map(squeezed, probes[number].values)) for number in leaks}
    for column in free:
        ways = [tuple((squeezed(a), squeezed(b)) for a, b in cuts(value)) for value in overlap.sampled[column]]
        share, one, other = _best(ways, vocabularies, taken)
        if share >= SPLIT_SHARE:
            taken |= {one, other}
            yield column, one, other


def _best(ways: Cuts, vocabularies: Mapping[int, frozenset[str]], taken: Collection[int]) -> tuple[float, int, int]:
    """Return the share of texts of which both parts are known to the same two columns, and the best such two."""
    if sum(bool(way) for way in ways) <= len(ways) / 2:
        return 0.0, 0, 0
    pairs = combinations([number for number in vocabularies if number not in taken], 2)
    return max(((_share(ways, vocabularies[one], vocabularies[other]), one, other) for one, other in pairs),
               default=(0.0, 0, 0))


def _share(ways: Cuts, one: frozenset[str], other: frozenset[str]) -> float:
    hits = sum(any((a in one and b in other) or (a in other and b in one) for a, b in way) for way in ways)
    return hits / len(ways)
