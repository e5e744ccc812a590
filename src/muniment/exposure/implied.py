"""Which columns give the household away: against a declared relation exactly, and by their shape where none is known.

    revealing(extract, ties)   column sets whose equal rows are households of `ties`: precision and recall over pairs
    implied(extract)           relations that nobody declared: a shared address or phone, surname and address, the same
                               event date and place, the order of rows and roles

Rules
1. `revealing` counts all pairs of rows: no model, no sample.
2. `implied` is a suspicion with its reason. A column set forms groups as small as households; and either its name
   says what it is, or members agree in some further column that it does not determine (or never agree in one, as in a
   role) far more than members of the groups of each part of the set do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from muniment.errors import InputError
from muniment.exposure.classes import classes, joint
from muniment.exposure.extract import Classes, Coded, Extract
from muniment.exposure.floor import FLOOR, check_rows
from muniment.exposure.relations import Ties, by_heads, grouped, in_runs, shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST: Final = 12
"""Persons of the largest group that still looks like a household."""
COVERED: Final = 0.1
"""Share of rows that must be in groups of 2 to `LARGEST`."""
GAIN: Final = 0.3
"""Agreement beyond that of the parts, as a share of what is left to agree in (Cohen's kappa, 1960)."""
APART: Final = 0.9
"""Share by which agreement must fall below that of the parts: two heads in one household."""
DETERMINED: Final = 0.999
"""Agreement from which a column is taken as part of the key: a town that follows from the address tells nothing."""
PAIRS: Final = 100
"""Pairs of rows on which an agreement must rest."""
ROLES: Final = 32
"""Values of a column that may be a role."""
NAMES: Final = {
    "household": re.compile(r"house_?hold|family_?(id|no|key)|^hh?_?(id|no)$|戶號|户号|戶籍號"),
    "address": re.compile(r"addr|street|地址|住址|門牌"),
    "phone": re.compile(r"phone|mobile|^tel|電話|手機"),
    "email": re.compile(r"e_?mail|郵件"),
    "account": re.compile(r"iban|bank_?acc|帳號"),
}
"""What the name of a column says it is."""


@dataclass(frozen=True, slots=True)
class Revealing:
    """A column set as a key of households: of the pairs of rows it joins, `precision` are pairs of one household; of
    the pairs of one household it joins `recall`."""

    columns: tuple[str, ...]
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Implied:
    """A relation that nobody declared. `covered`: share of rows in groups as small as households.

    `reason`: what the name says, or the column in which members agree, with `agreement` of their pairs against
    `expected` of pairs in the groups of each part alone.
    """

    way: Way
    columns: tuple[str, ...]
    reason: str
    covered: float
    agreement: float
    expected: float

    def ties(self, extract: Extract) -> Ties:
        """The relation in an extract of such columns, for `household` and `kin`."""
        return WAYS[self.way](extract, self.columns)


Way = Literal["shared", "heads", "runs"]
WAYS: Final[dict[Way, Callable[[Extract, tuple[str, ...]], Ties]]] = {
    "shared": shared,
    "heads": lambda extract, names: by_heads(extract, names[0]),
    "runs": in_runs,
}
"""How rows belong together: the same values anywhere, or in row order by the role of heads or by equal neighbours."""


# --- against a declared relation -------------------------------------------------------------------------------


def revealing(
    extract: Extract,
    ties: Ties,
    names: Sequence[str] | None = None,
    *,
    deepest: int = 2,
    least: float = 0.5,
    floor: int = FLOOR,
) -> tuple[Revealing, ...]:
    """The smallest column sets with precision and recall of at least `least`, best first.

    A set joins no pair that one of its parts does not, so that only sets whose parts all have the recall are counted.
    Raises `InputError` where the relation joins no rows, or has fewer rows than the floor.
    """
    check_rows(extract.rows, f"relation {ties.name!r}", floor)
    known = pairs(ties.groups.sizes)
    if not known:
        raise InputError(f"relation {ties.name!r} joins no rows: nothing could reveal it")
    kept: set[tuple[str, ...]] = {()}
    found: list[Revealing] = []
    for size in range(1, deepest + 1):
        level: set[tuple[str, ...]] = set()
        for chosen in combinations(extract.names if names is None else names, size):
            if any(part not in kept for part in combinations(chosen, size - 1)):
                continue
            told = _against(extract, chosen, ties, known)
            if told.recall >= least:
                if told.precision >= least:
                    found.append(told)
                else:
                    level.add(chosen)
        kept = level
    return tuple(sorted(found, key=lambda one: (-(one.precision * one.recall), one.columns)))


def _against(extract: Extract, chosen: tuple[str, ...], ties: Ties, known: float) -> Revealing:
    columns = extract.chosen(chosen)
    groups = grouped(classes(columns), columns)
    both, joined = pairs(joint(groups.ids, ties.groups.ids).sizes), pairs(groups.sizes)
    return Revealing(chosen, both / joined if joined else 0.0, both / known)


def pairs(sizes: NDArray[np.int64]) -> float:
    """Pairs of different rows within groups of these sizes."""
    held = sizes.astype(np.float64)
    return float((held * (held - 1)).sum() / 2)


# --- by shape --------------------------------------------------------------------------------------------------


def implied(extract: Extract, names: Sequence[str] | None = None, *, floor: int = FLOOR) -> tuple[Implied, ...]:
    """Relations that the extract gives away, by singles, pairs of columns and row order, widest first.

    Of the orders only the one with most agreement is told: rows in order show it through every column. A set is left
    out where one of its parts is found already. Raises `InputError` for fewer rows than the floor.
    """
    check_rows(extract.rows, "search for implied relations", floor)
    names = extract.names if names is None else names
    agreements = _Agreements(extract, floor)
    found: list[Implied] = []
    orders: list[Implied] = []
    for way, parts in _candidates(extract, names):
        if any(set(one.columns) <= set(parts) for one in found):
            continue
        one = agreements.judged(way, parts)
        if one is not None:
            (found if way == "shared" else orders).append(one)
    best = max(orders, key=lambda one: one.covered * abs(one.agreement - one.expected), default=None)
    return tuple(sorted([*found, *([best] if best else [])], key=lambda one: (-one.covered, one.columns)))


def _candidates(extract: Extract, names: Sequence[str]) -> Iterator[tuple[Way, tuple[str, ...]]]:
    """Column sets that could have groups of a household's size, and orders of rows."""
    sizes = {name: extract.column(name).size for name in names}
    least = extract.rows / LARGEST * COVERED
    yield from (("shared", (name,)) for name in names if sizes[name] >= least)
    for pair in combinations(names, 2):
        first, second = sizes[pair[0]], sizes[pair[1]]
        if first * second >= least and max(first, second) < extract.rows:
            yield "shared", pair
    yield from (("heads" if sizes[name] <= ROLES else "runs", (name,)) for name in names if sizes[name] > 1)


class _Agreements:
    """How often two rows of one group agree in a column, in candidate groups and in those of their parts."""

    def __init__(self, extract: Extract, floor: int) -> None:
        self.extract, self.floor = extract, floor
        self.known: dict[tuple[str, str], float] = {}
        self.groups: dict[str, Classes] = {}

    def judged(self, way: Way, parts: tuple[str, ...]) -> Implied | None:
        """The relation, where it looks like one (rule 2)."""
        groups = WAYS[way](self.extract, parts).groups
        sizes = groups.sizes
        small, joined = int(sizes[(sizes > 1) & (sizes <= LARGEST)].sum()), int(sizes[sizes > 1].sum())
        covered = small / self.extract.rows
        if covered < COVERED or small < max(joined / 2, self.floor) or pairs(sizes) < PAIRS:
            return None
        said = " + ".join(kind for part in parts for kind, words in NAMES.items() if words.search(part.lower()))
        sure = max(self._reasons(groups, parts if way == "shared" and len(parts) > 1 else (), parts), default=None)
        if sure is not None:
            return Implied(way, parts, sure.words, covered, sure.agreement, sure.expected)
        return Implied(way, parts, f"named as {said}", covered, 0.0, 0.0) if said else None

    def _reasons(self, groups: Classes, parts: tuple[str, ...], own: tuple[str, ...]) -> Iterator[_Reason]:
        """Columns in which members of the groups agree, or differ, more than those of the groups of each part."""
        for column in self.extract.columns:
            if column.name in own or column.size < 2:
                continue
            told, whole = agreement(groups, column), self._of("", column)
            if told >= DETERMINED or not _stands_out(told, whole, whole):
                continue
            bases = [whole, *(self._of(part, column) for part in parts)]
            strength = _stands_out(told, max(bases), min(bases))
            if strength:
                how, base = ("agree", max(bases)) if told > whole else ("differ", min(bases))
                yield _Reason(strength, f"members {how} in {column.name}", told, base)

    def _of(self, part: str, column: Coded) -> float:
        """Agreement in the groups of one column alone, or in the whole table."""
        if (part, column.name) not in self.known:
            if part and part not in self.groups:
                self.groups[part] = classes((self.extract.column(part),))
            self.known[part, column.name] = (
                agreement(self.groups[part], column)
                if part
                else pairs(np.bincount(column.codes)) / pairs(np.array([self.extract.rows]))
            )
        return self.known[part, column.name]


@dataclass(frozen=True, slots=True, order=True)
class _Reason:
    strength: float
    words: str
    agreement: float
    expected: float


def _stands_out(told: float, high: float, low: float) -> float:
    """How far an agreement lies above the highest or below the lowest that is expected; 0 where not far enough."""
    gain = (told - high) / (1 - high) if high < DETERMINED else 0.0
    fall = 1 - told / low if low > 1 / ROLES else 0.0
    return gain if gain >= GAIN else fall if fall >= APART else 0.0


def agreement(groups: Classes, column: Coded) -> float:
    """Share of the pairs of rows within groups that have the same value; 0 where there is no pair."""
    all_pairs = pairs(groups.sizes)
    if not all_pairs:
        return 0.0
    return pairs(joint(groups.ids, column.codes.astype(np.uint32)).sizes) / all_pairs
