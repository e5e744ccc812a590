"""Loops over persons who belong together, in machine code: members by household, order-free fingerprints, unions.

Made as those of `kernels`: plain functions of arrays and numbers, compiled at the first call.

Rules
1. A fingerprint is the sum of a keyed mix of the members' class ids, modulo 2**64: the order of the rows does not
   matter. Equal fingerprints are compared member by member, so that a collision is found and never believed.
2. Exact and deterministic, one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import LimitError
from muniment.exposure import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL: Final = 64
"""Members up to which a household is sorted by insertion; larger ones are few."""
KEYS: Final = tuple(0x9E3779B97F4A7C15 * step % 2**64 for step in range(1, 9))
"""Keys of the mix, taken in turn until no two different households share a fingerprint."""
FINGERPRINTS: Final = 2**64
LARGEST_TOLD: Final = 255


def gathered(homes: NDArray[Any], sizes: NDArray[np.int64], own: NDArray[Any]
             ) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:  # fmt: skip
    """`starts` of each household, (households + 1,), and the members' own class ids, ascending in each, (rows,)."""
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    members = np.empty(len(own), np.uint32)
    kernels.compiled(_gather)(homes, own, starts[:-1].copy(), members)
    kernels.compiled(_sort_small)(starts, members, SMALL)
    for home in np.flatnonzero(sizes > SMALL).tolist():
        members[starts[home] : starts[home + 1]].sort()
    return starts, members


def matched(starts: NDArray[np.int64], members: NDArray[np.uint32], keys: tuple[int, ...] = KEYS
            ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:  # fmt: skip
    """Households with the same members: the class of each, uint32, and the households in each class, int64.

    Raises `LimitError` where every key made two different households look alike (it does not happen by chance).
    """
    for key in keys:
        prints = np.empty(len(starts) - 1, np.uint64)
        kernels.compiled(_fingerprint)(starts, members, np.uint64(key), prints)
        ids, sizes = kernels.numbered(prints, FINGERPRINTS)
        del prints
        if kernels.compiled(_all_alike)(starts, members, ids, np.full(len(sizes), -1, np.int64)):
            return ids, sizes
    raise LimitError("fingerprints of households collide under every key: expected them to differ for one at least")


def persons_told(
    starts: NDArray[np.int64], members: NDArray[np.uint32], ids: NDArray[np.uint32], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Persons by the size of their joint class (own class and household), (256,); larger ones at 255; at 0 classes."""
    told = np.zeros(LARGEST_TOLD + 1, np.int64)
    kernels.compiled(_tell_persons)(starts, members, ids, sizes, np.zeros(len(sizes), np.uint8), told)
    return told


def components(rows: int, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.uint32]:
    """Of each of so many rows, the least row it is tied to by any number of steps (union by least row)."""
    parents = np.arange(rows, dtype=np.uint32)
    kernels.compiled(_unite)(first, second, parents)
    return parents


# --- members of households -------------------------------------------------------------------------------------


def _gather(homes: NDArray[Any], own: NDArray[Any], cursor: NDArray[np.int64], members: NDArray[np.uint32]) -> None:
    for row in range(len(own)):
        home = homes[row]
        members[cursor[home]] = own[row]
        cursor[home] += 1


def _sort_small(starts: NDArray[np.int64], members: NDArray[np.uint32], small: int) -> None:
    for home in range(len(starts) - 1):
        first, last = starts[home], starts[home + 1]
        if last - first > small:
            continue
        for place in range(first + 1, last):
            one = members[place]
            hole = place
            while hole > first and members[hole - 1] > one:
                members[hole] = members[hole - 1]
                hole -= 1
            members[hole] = one


def _fingerprint(
    starts: NDArray[np.int64], members: NDArray[np.uint32], key: Any, prints: NDArray[np.uint64]
) -> None:
    """The mix is the finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    for home in range(len(starts) - 1):
        total = np.uint64(0)
        for place in range(starts[home], starts[home + 1]):
            mixed = np.uint64(members[place]) + key
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            total += mixed ^ (mixed >> np.uint64(31))
        prints[home] = total


def _all_alike(
    starts: NDArray[np.int64], members: NDArray[np.uint32], ids: NDArray[np.uint32], shown: NDArray[np.int64]
) -> bool:
    """Whether each household has the members of the first of its class."""
    for home in range(len(starts) - 1):
        model = shown[ids[home]]
        if model < 0:
            shown[ids[home]] = home
            continue
        size = starts[home + 1] - starts[home]
        if starts[model + 1] - starts[model] != size:
            return False
        for step in range(size):
            if members[starts[home] + step] != members[starts[model] + step]:
                return False
    return True


def _tell_persons(
    starts: NDArray[np.int64],
    members: NDArray[np.uint32],
    ids: NDArray[np.uint32],
    sizes: NDArray[np.int64],
    seen: NDArray[np.uint8],
    told: NDArray[np.int64],
) -> None:
    for home in range(len(starts) - 1):
        number = ids[home]
        place, last = starts[home], starts[home + 1]
        while place < last:
            end = place + 1
            while end < last and members[end] == members[place]:
                end += 1
            alike = (end - place) * sizes[number]
            told[min(alike, 255)] += end - place
            if seen[number] == 0:
                told[0] += 1
            place = end
        seen[number] = 1


# --- ties ------------------------------------------------------------------------------------------------------


def _unite(first: NDArray[Any], second: NDArray[Any], parents: NDArray[np.uint32]) -> None:
    """Union with path halving (Tarjan and van Leeuwen 1984), then every row is given its root."""
    for tie in range(len(first)):
        one, other = np.int64(first[tie]), np.int64(second[tie])
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = np.int64(parents[one])
        while parents[other] != other:
            parents[other] = parents[parents[other]]
            other = np.int64(parents[other])
        if one < other:
            parents[other] = one
        else:
            parents[one] = other
    for row in range(len(parents)):  # a root is the least row of its own, so that it has been given before
        parents[row] = parents[parents[row]]


# --- traces of events ------------------------------------------------------------------------------------------


def drawn(starts: NDArray[np.int64], points: NDArray[np.uint32], chosen: NDArray[np.int64], seed: int, most: int
          ) -> NDArray[np.int64]:  # fmt: skip
    """Random distinct points of each chosen person, in random order: int64, (chosen, most); -1 where it has no more."""
    draws = np.full((len(chosen), most), -1, np.int64)
    kernels.compiled(_draw)(starts, points, chosen, np.uint64(seed), draws)
    return draws


def first_alone(
    starts: NDArray[np.int64],
    points: NDArray[np.uint32],
    holders: NDArray[np.int64],
    persons: NDArray[np.uint32],
    chosen: NDArray[np.int64],
    draws: NDArray[np.int64],
) -> NDArray[np.int64]:
    """By how many of its draws each chosen person is first the only one that has them all; 0 if by none.

    `starts`, `points`: the distinct points of each person, ascending; `holders`, `persons`: the persons of each point.
    """
    alone, held = np.zeros(len(chosen), np.int64), np.diff(holders)
    rarest = draws[:, 0].copy() if draws.size else np.empty(0, np.int64)
    for known in range(1, draws.shape[1] + 1):
        latest = draws[:, known - 1]
        left = np.flatnonzero((alone == 0) & (latest >= 0))
        rarer = left[held[latest[left]] < held[rarest[left]]]
        rarest[rarer] = latest[rarer]
        kernels.compiled(_single_out)(starts, points, holders, persons, chosen, draws, known, rarest, left, alone)
    return alone


def _draw(
    starts: NDArray[np.int64],
    points: NDArray[np.uint32],
    chosen: NDArray[np.int64],
    seed: Any,
    draws: NDArray[np.int64],
) -> None:
    """Draws by splitmix64 from a state of each person, drawn again where the point was taken before."""
    for at in range(len(chosen)):
        first = starts[chosen[at]]
        size = starts[chosen[at] + 1] - first
        state = seed + np.uint64(chosen[at]) * np.uint64(0xD1342543DE82EF95)
        known = 0
        while known < min(draws.shape[1], size):
            state += np.uint64(0x9E3779B97F4A7C15)
            mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            point = points[first + np.int64((mixed ^ (mixed >> np.uint64(31))) % np.uint64(size))]
            fresh = True
            for before in range(known):
                fresh = fresh and draws[at, before] != point
            if fresh:
                draws[at, known] = point
                known += 1


def _single_out(
    starts: NDArray[np.int64],
    points: NDArray[np.uint32],
    holders: NDArray[np.int64],
    persons: NDArray[np.uint32],
    chosen: NDArray[np.int64],
    draws: NDArray[np.int64],
    known: int,
    rarest: NDArray[np.int64],
    left: NDArray[np.int64],
    alone: NDArray[np.int64],
) -> None:
    """Whether nobody else among the persons of its rarest point has all the `known` draws, for those that are left."""
    for at in left:
        another = False
        for other in persons[holders[rarest[at]] : holders[rarest[at] + 1]]:
            if other == chosen[at]:
                continue
            trace = points[starts[other] : starts[other + 1]]
            same = 0
            while same < known:
                place = np.searchsorted(trace, np.uint32(draws[at, same]))
                if place == len(trace) or trace[place] != draws[at, same]:
                    break
                same += 1
            if same == known:
                another = True
                break
        if not another:
            alone[at] = known
