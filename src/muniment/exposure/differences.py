"""Counts handed to one recipient, taken together: what differences and small systems of equations tell of few persons.

    the records that each count ran over --tell--> Differences

Rules
1. Decided without the secret values: a count is the *set* of persons it ran over, chosen by what is no secret; whatever
   was counted in it, the answer here is the same. A refusal therefore says nothing (simulatable auditing: Kenthapadi,
   Mishra, Nissim, PODS 2005).
2. Persons who are in the same counts are one unknown. A sum over fewer persons than the floor is told if some weighting
   of the counts leaves only unknowns of these (auditing of sums: Chin and Ozsoyoglu 1982; trackers: Denning 1980).
3. Exact, over whole numbers, or a stated refusal: `settled` is False where the systems are too large to be searched
   through, and that counts as exposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, gcd
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import InputError, LimitError
from muniment.exposure.floor import FLOOR, Count

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNTS: Final = 64
"""Counts that are judged as one system: elimination over whole numbers of 64 equations takes about a second."""
UNKNOWNS: Final = 4_096
"""Groups of persons that are in the same counts."""
COMBINATIONS: Final = 2_000
"""Weightings that are tried where several are left."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What several counts tell together.

    counts: how many there are; below: those that ran over fewer persons than the floor; pairs: pairs of counts of which
    one less the other is over fewer; exposed: persons of whom some sum over fewer than the floor is told, at least;
    settled: whether all weightings were searched.
    """

    counts: int
    below: int
    pairs: int
    exposed: Count
    settled: bool = True

    @property
    def safe(self) -> bool:
        """Whether the counts may be handed out together."""
        return self.settled and not self.below and not self.pairs and self.exposed.at_least == 0

    def to_json(self) -> dict[str, object]:
        """The JSON of `differences`."""
        return {
            "counts": self.counts,
            "below": self.below,
            "pairs": self.pairs,
            "exposed": self.exposed.to_json(),
            "settled": self.settled,
            "safe": self.safe,
        }


def tell(counts: Sequence[NDArray[np.uint32]], *, floor: int = FLOOR) -> Differences:
    """Judge the counts that one recipient has, or would have: each the ordinals it ran over, in any order, each once.

    Counts over nobody tell nothing. Raises `LimitError` for more than 64 counts, or more than 4,096 groups of persons
    that are in the same ones; `InputError` where a set holds a person twice.
    """
    counts = _distinct(counts)
    if len(counts) > COUNTS:
        raise LimitError(
            f"{len(counts):,} counts of one recipient: a system of at most {COUNTS} is judged",
            hint="hand out noisy counts: muniment protect --counts",
        )
    members, sizes = unknowns(counts)
    inside = (members * sizes).sum(axis=1)
    exposed, settled = _solved(members, sizes, floor)
    return Differences(
        counts=len(counts),
        below=int((inside < floor).sum()),
        pairs=_pairs(members, sizes, floor),
        exposed=Count.of(int(sizes[sorted(exposed)].sum()), floor),
        settled=settled,
    )


def unknowns(counts: Sequence[NDArray[np.uint32]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Persons in the same counts as one unknown: which counts hold it, 0 or 1, (counts, unknowns), and its persons.

    Raises `LimitError` for more than 4,096 of them.
    """
    if not counts:
        return np.zeros((0, 0), np.int64), np.zeros(0, np.int64)
    persons = np.unique(np.concatenate(counts))
    inside = np.zeros((len(persons), (len(counts) + 7) // 8), np.uint8)
    for number, records in enumerate(counts):
        inside[np.searchsorted(persons, records), number // 8] |= np.uint8(128 >> number % 8)
    rows = np.ascontiguousarray(inside).view(np.dtype((np.void, inside.shape[1]))).reshape(-1)
    signatures, sizes = np.unique(rows, return_counts=True)
    if len(signatures) > UNKNOWNS:
        raise LimitError(
            f"{len(signatures):,} groups of persons who are in the same counts: at most {UNKNOWNS:,} are judged",
            hint="hand out fewer counts, or noisy ones: muniment protect --counts",
        )
    bits = np.unpackbits(signatures.view(np.uint8).reshape(len(signatures), -1), axis=1)[:, : len(counts)]
    return bits.T.astype(np.int64), sizes.astype(np.int64)


def _distinct(counts: Sequence[NDArray[np.uint32]]) -> list[NDArray[np.uint32]]:
    """The sets, ascending, without those of nobody and without those that are there already."""
    known: dict[bytes, NDArray[np.uint32]] = {}
    for records in counts:
        ascending = np.sort(np.asarray(records, np.uint32))
        if len(ascending) > 1 and bool((ascending[1:] == ascending[:-1]).any()):
            raise InputError("a count runs over a person twice: expected the distinct persons of each")
        if len(ascending):
            known.setdefault(ascending.tobytes(), ascending)
    return list(known.values())


def _pairs(members: NDArray[np.int64], sizes: NDArray[np.int64], floor: int) -> int:
    """Pairs of nested counts whose difference is over 1 to floor - 1 persons.

    Of counts that only overlap, one less the other is a difference of two sums: neither is told by it.
    """
    shared = (members * sizes) @ members.T
    total = np.diag(shared)
    more = total[:, None] - shared  # persons of the first that are not in the second
    told = (more > 0) & (more < floor) & (more.T == 0)
    return int(told.sum())


# --- systems of equations ----------------------------------------------------------------------------------------


def _solved(members: NDArray[np.int64], sizes: NDArray[np.int64], floor: int) -> tuple[set[int], bool]:
    """The unknowns in a weighting of the counts that is over fewer persons than the floor; and whether all were tried.

    Weightings that leave no unknown of `floor` persons and more are a space of vectors. One of fewest persons is one of
    smallest support, and these vanish on as many unknowns as the space has dimensions, less one.
    """
    large = np.flatnonzero(sizes >= floor)
    small = np.flatnonzero(sizes < floor)
    ordered = np.concatenate((large, small))
    reduced, pivots = eliminated(members[:, ordered])
    kept = [row for row, pivot in enumerate(pivots) if pivot >= len(large)]
    space = reduced[kept][:, len(large) :]
    dimensions = len(kept)
    if not dimensions:
        return set(), True
    found: set[int] = set()
    for vector in _sparse(space):
        support = np.flatnonzero(vector != 0)
        if len(support) and int(sizes[small[support]].sum()) < floor:
            found.update(small[support].tolist())
    return found, comb(len(small), dimensions - 1) <= COMBINATIONS


def _sparse(space: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Vectors of a space (its rows are a basis in reduced form) that vanish in dimensions - 1 places, all or many."""
    dimensions, width = space.shape
    yield from space
    if comb(width, dimensions - 1) > COMBINATIONS:
        return
    for places in combinations(range(width), dimensions - 1):
        reduced, pivots = eliminated(np.concatenate((space[:, list(places)], space), axis=1))
        yield from (reduced[row, len(places) :] for row, pivot in enumerate(pivots) if pivot >= len(places))


def eliminated(matrix: NDArray[Any]) -> tuple[NDArray[Any], list[int]]:
    """Gauss-Jordan over whole numbers of any size: the independent rows, reduced, and the column of each pivot."""
    rows = matrix.astype(object)
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        done = len(pivots)
        if done == len(rows):
            break
        there = np.flatnonzero(rows[done:, column] != 0)
        if not len(there):
            continue
        rows[[done, done + there[0]]] = rows[[done + there[0], done]]
        for other in np.flatnonzero(rows[:, column] != 0).tolist():
            if other != done:
                rows[other] = _shortened(rows[other] * rows[done, column] - rows[done] * rows[other, column])
        pivots.append(column)
    return rows[: len(pivots)], pivots


def _shortened(row: NDArray[Any]) -> NDArray[Any]:
    """The row without the factor that all its numbers share."""
    factor = gcd(*row.tolist())
    return row // factor if factor > 1 else row
