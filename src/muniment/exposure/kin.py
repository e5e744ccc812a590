"""What a relative's row says about a person, in aggregate: agreement of relatives in a column against a control.

A relative's diagnosis, origin or religion tells something of this person, though this person's own row is not there
(Humbert et al. 2013 on genomes; Erlich et al. 2018 on genealogies).

    kin(column, ties, within)    how often a relative has the same value, against strangers alike in `within`
    beside(column, ties)         each row's relative's value, a column that an attack may take as known

Rules
1. Relatives: for each person with a known value the chance that one of its relatives, drawn at random, has the same.
   Control: the same chance for one drawn from all persons of its class in `within` (such as town and decade of birth)
   that are not its relatives. What both share is no inference from kin. All pairs are counted; nothing is drawn.
2. A person whose value is NULL has none to be told, and tells none.
3. Rare values are those of less than `RARE` of the persons: common ones agree whatever is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.exposure.classes import classes, joint
from muniment.exposure.extract import Classes, Coded, narrowed
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.relations import Ties
from muniment.exposure.shares import Interval, Z, kept_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

RARE: Final = 0.05
"""Share of persons below which a value is rare."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `persons` with a relative: the chance that a random relative has the same value, and that a stranger has.

    `gain` is the difference with its interval of 95 % (a ratio over households as clusters, Cochran 1977). All three
    are `None` where the persons are fewer than the floor.
    """

    persons: Count
    relatives: float | None
    strangers: float | None
    gain: Interval | None

    @property
    def inferred(self) -> bool:
        """Whether a relative's row tells more than a stranger's does: the interval lies above 0."""
        return self.gain is not None and self.gain.low > 0


@dataclass(frozen=True, slots=True)
class Kin:
    """What a relative's row says about a column: over all values, and over the rare ones."""

    column: str
    relation: str
    every: Agreement
    rare: Agreement


def kin(column: Coded, ties: Ties, within: Classes | None = None, *, floor: int = FLOOR) -> Kin:
    """Agreement of relatives in a column against that of strangers of the same class in `within` (all, if not given).

    Raises `InputError` for fewer rows than the floor, or where rows differ in number.
    """
    check_rows(len(column), f"kin by {ties.name!r}", floor)
    control = Classes(np.zeros(ties.rows, np.uint32), np.array([ties.rows])) if within is None else within
    if not len(column) == ties.rows == control.rows:
        raise InputError(
            f"column {column.name!r} has {len(column):,} rows, relation {ties.name!r} {ties.rows:,} and the control "
            f"{control.rows:,}: expected the same rows"
        )
    known = column.codes != column.null if column.null >= 0 else np.ones(ties.rows, bool)
    values, groups = column.codes[known].astype(np.uint32), ties.groups.ids[known]
    chances = _Chances.of(values, groups, control.ids[known])
    rare = (np.bincount(values, minlength=column.size) < RARE * len(values))[values]
    told = chances.told
    return Kin(column.name, ties.name, chances.agreement(told, floor), chances.agreement(told & rare, floor))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Chances:
    """By person: the chance to agree with a relative and with a stranger; `told` where it has some of both."""

    groups: NDArray[np.uint32]
    relatives: NDArray[np.float64]
    strangers: NDArray[np.float64]
    told: NDArray[np.bool_]

    @classmethod
    def of(cls, values: NDArray[np.uint32], groups: NDArray[np.uint32], control: NDArray[np.uint32]) -> _Chances:
        """From the values, relatives and control classes of persons with a value, shape (persons,) each."""
        near = joint(control, groups).ids
        kin_all, kin_same = _held(groups) - 1, _held(joint(groups, values).ids) - 1
        others = _held(control) - _held(near)
        same = _held(joint(control, values).ids) - _held(joint(near, values).ids)
        return cls(
            groups, kin_same / np.maximum(kin_all, 1), same / np.maximum(others, 1), (kin_all > 0) & (others > 0)
        )

    def agreement(self, chosen: NDArray[np.bool_], floor: int) -> Agreement:
        """What it comes to over these persons, as it may leave."""
        persons = int(chosen.sum())
        if persons < floor:
            return Agreement(Count.of(persons, floor), None, None, None)
        relatives, strangers = self.relatives[chosen], self.strangers[chosen]
        near, far = (kept_share(float(side.sum()), persons, floor) for side in (relatives, strangers))
        reach = Z * clustered_error(relatives - strangers, self.groups[chosen])
        gain = Interval(near - far, max(-1.0, near - far - reach), min(1.0, near - far + reach))
        return Agreement(Count.of(persons, floor), near, far, gain)


def _held(ids: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The size of each row's class."""
    sizes: NDArray[np.int64] = np.bincount(ids)[ids]
    return sizes


def clustered_error(values: NDArray[np.float64], groups: NDArray[np.uint32]) -> float:
    """Standard error of the mean of values whose rows come in groups: that of a ratio over groups (Cochran 1977)."""
    if not len(values):
        return 0.0
    sums = np.bincount(groups, weights=values - values.mean())
    count = len(np.unique(groups))
    return math.sqrt(float((sums * sums).sum()) * count / max(count - 1, 1)) / len(values)


def beside(column: Coded, ties: Ties) -> Coded:
    """The value of the next relative of each row, in row order and around; NULL for who has none.

    Raises `InputError` where both are not of the same rows.
    """
    if len(column) != ties.rows:
        raise InputError(f"column {column.name!r} has {len(column):,} rows: expected {ties.rows:,}")
    order = np.argsort(ties.groups.ids, kind="stable")
    after = np.empty(ties.rows, np.int64)
    firsts = np.zeros(len(ties.groups.sizes), np.int64)
    np.cumsum(ties.groups.sizes[:-1], out=firsts[1:])
    after[order[:-1]] = order[1:]
    after[order[firsts + ties.groups.sizes - 1]] = order[firsts]
    null = column.null if column.null >= 0 else column.size
    codes = column.codes.astype(np.uint32)[after]
    codes[after == np.arange(ties.rows)] = null
    size = max(column.size, null + 1)
    return Coded(f"{column.name} of a relative", narrowed(codes, size), size, null)  # type: ignore[arg-type]


def background(columns: tuple[Coded, ...]) -> Classes:
    """The classes of persons that are alike whatever their relatives are, for `within`; errors as `classes`."""
    return classes(columns)
