"""Measures of classes: how many persons look alike, and what three attackers make of it.

    prosecutor   knows that his target is in the extract: one of the class in the extract        k, uniques
    journalist   knows the register, not who of it is in the extract: one of the class there     k-map
    marketer     matches everybody at once: the share that he expects to have right

Named functions (`k`, `uniques`, `k_map`, ...) give exact numbers to compute with; what may leave is in the frozen
values of `class_measures`.

Rules
1. Persons in classes below each of `CUTS` hold one another; they are told by `shares.nested`, from all rows down, so
   that no difference of two is a small count of persons.
2. The largest risk is told as one over k from the floor on; below, as the least of `CUTS` beyond which there is nobody.
3. A register against which an extract is held has to hold it: every class there is at least as large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded, narrowed
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.shares import nested

if TYPE_CHECKING:
    from numpy.typing import NDArray

CUTS: Final = (20, 11, 5, 3, 2)
"""Class sizes below which persons are counted: risks over 0.05, 0.09 (public release), 0.2, 0.33 (controlled), 0.5."""
DIGITS: Final = 4
"""Significant digits of an average that is told."""


@dataclass(frozen=True, slots=True)
class Below:
    """Persons in classes of fewer than `size`: each has a risk above 1 / size."""

    size: int
    persons: Count


@dataclass(frozen=True, slots=True)
class Risk:
    """What one attacker reaches: `smallest` class of any person (k, or k-map), the `most` and the `average` risk.

    `most` is exact where `smallest` is, and a bound from above where that is hidden.
    """

    smallest: Count
    most: float
    average: float
    below: tuple[Below, ...]


@dataclass(frozen=True, slots=True)
class ClassMeasures:
    """All measures that need nothing but the sizes of classes. `journalist`: where a register was given.

    `classes` are told as `rows` where the rows beyond them are fewer than the floor.
    """

    rows: int
    classes: int
    k: Count
    uniques: Count
    prosecutor: Risk
    journalist: Risk | None
    marketer: float


# --- exact, to compute with ------------------------------------------------------------------------------------


def k(of: Classes) -> int:
    """Persons in the smallest class (k-anonymity: Samarati 2001, Sweeney 2002); 0 of no rows."""
    return int(of.sizes.min(initial=np.iinfo(np.int64).max)) if len(of.sizes) else 0


def uniques(of: Classes) -> int:
    """Persons alone in their class."""
    return of.uniques


def prosecutor_average(of: Classes) -> float:
    """Mean over persons of one over their class: classes / rows (El Emam and Dankar 2008); 0 of no rows."""
    return len(of.sizes) / of.rows if of.rows else 0.0


def k_map(in_register: NDArray[np.int64]) -> int:
    """Persons of the register in the smallest class that the extract has (k-map: Sweeney 2001); 0 of no classes."""
    return int(in_register.min()) if len(in_register) else 0


def journalist_average(of: Classes, in_register: NDArray[np.int64]) -> float:
    """Mean over persons of one over their class in the register (El Emam and Dankar 2008); errors as `check_held`."""
    check_held(of, in_register)
    return float((of.sizes / in_register).sum() / of.rows) if of.rows else 0.0


def marketer(of: Classes, in_register: NDArray[np.int64] | None = None) -> float:
    """Share of persons that one who matches all rows expects to have right (Dankar and El Emam 2010).

    He holds the register, or without one a list of just the persons in the extract: then it is classes / rows.
    """
    return prosecutor_average(of) if in_register is None else journalist_average(of, in_register)


def check_held(of: Classes, in_register: NDArray[np.int64]) -> None:
    """Rule 3. Raises `InputError` where the register has fewer persons than the extract in some class."""
    if len(in_register) != len(of.sizes):
        raise InputError(f"sizes in the register of {len(in_register):,} classes: expected {len(of.sizes):,}")
    if (in_register < of.sizes).any():
        raise InputError(
            "the extract has rows that the register does not have: expected each of its classes to be at least as "
            "large there",
            hint="hold the extract against the register it was taken from, recoded in the same way",
        )


# --- the sizes of an extract's classes in the register -----------------------------------------------------------


def chosen_from(register: Classes, rows: NDArray[Any]) -> tuple[Classes, NDArray[np.int64]]:
    """Classes of an extract that is some rows of the register, and the size of each in the register.

    rows: positions of the rows in the register, integers, or a mask of booleans, (register rows,).
    """
    return _kept(register.ids[rows], register.sizes)


def held_against(extract: Sequence[Coded], register: Sequence[Coded]) -> tuple[Classes, NDArray[np.int64]]:
    """Classes of an extract, and the size of each in the register, both coded apart: equal labels are equal values.

    Raises `InputError` where the columns differ in number or have no labels, and where a class is smaller there.
    """
    if len(extract) != len(register):
        raise InputError(f"{len(extract)} columns of the extract against {len(register)} of the register: one for each")
    rows = len(extract[0]) if extract else 0
    both = classes([_one_above_other(mine, theirs) for mine, theirs in zip(extract, register, strict=True)])
    of, _ = _kept(both.ids[:rows], both.sizes)
    counted = np.bincount(both.ids[rows:], minlength=len(both.sizes))
    sizes = counted[np.flatnonzero(np.bincount(both.ids[:rows], minlength=len(both.sizes)))].astype(np.int64)
    check_held(of, sizes)
    return of, sizes


def _kept(ids: NDArray[np.uint32], sizes: NDArray[np.int64]) -> tuple[Classes, NDArray[np.int64]]:
    counts = np.bincount(ids, minlength=len(sizes))
    used = np.flatnonzero(counts)
    renumbered = np.zeros(len(sizes), np.uint32)
    renumbered[used] = np.arange(len(used), dtype=np.uint32)
    return Classes(renumbered[ids], counts[used].astype(np.int64)), sizes[used]


def _one_above_other(mine: Coded, theirs: Coded) -> Coded:
    for column, where in ((mine, "extract"), (theirs, "register")):
        if len(column.labels) != column.size:
            raise InputError(
                f"column {column.name!r} of the {where} has codes without labels: expected the text of each",
                hint="read both with labels, or choose the extract's rows in the register",
            )
    known = {label: code for code, label in enumerate(mine.labels)}
    recode = np.array([known.setdefault(label, len(known)) for label in theirs.labels], np.int64)
    codes = np.concatenate([mine.codes.astype(np.int64), recode[theirs.codes] if len(theirs) else recode[:0]])
    size = max(len(known), 1)
    return Coded(mine.name, narrowed(codes, size), size)  # type: ignore[arg-type]


# --- what may leave ----------------------------------------------------------------------------------------------


def class_measures(
    of: Classes, in_register: NDArray[np.int64] | None = None, *, floor: int = FLOOR, what: str = "the extract"
) -> ClassMeasures:
    """All measures of classes, as they may leave. `in_register`: persons of the register in each class.

    Raises `InputError` for fewer rows than the floor, and as `check_held`.
    """
    check_rows(of.rows, what, floor)
    alone = prosecutor(of, floor)
    there = None if in_register is None else journalist(of, in_register, floor)
    return ClassMeasures(
        rows=of.rows,
        classes=_classes_told(of, floor),
        k=alone.smallest,
        uniques=alone.below[-1].persons,
        prosecutor=alone,
        journalist=there,
        marketer=alone.average if there is None else there.average,
    )


def prosecutor(of: Classes, floor: int = FLOOR) -> Risk:
    """The risk of one who knows that the target is in the extract."""
    return _risk(of.sizes, of.sizes, _classes_told(of, floor) / of.rows if of.rows else 0.0, floor)


def journalist(of: Classes, in_register: NDArray[np.int64], floor: int = FLOOR) -> Risk:
    """The risk of one who holds the register and does not know who of it is in the extract; errors as `check_held`."""
    return _risk(in_register, of.sizes, journalist_average(of, in_register), floor)


def significant(number: float, digits: int = DIGITS) -> float:
    """The number with so many significant digits."""
    return float(f"{number:.{digits}g}")


def _classes_told(of: Classes, floor: int) -> int:
    return of.rows if 0 < of.rows - len(of.sizes) < floor else len(of.sizes)


def _risk(sizes: NDArray[np.int64], persons: NDArray[np.int64], average: float, floor: int) -> Risk:
    """sizes: of each class, as the attacker sees it; persons: of the extract in each; both int64, (classes,)."""
    counts = [int(persons.sum()), *(int(persons[sizes < cut].sum()) for cut in CUTS)]
    smallest = Count.of(int(sizes.min()) if len(sizes) else 0, floor)
    empty = [cut for cut, count in zip(CUTS, counts[1:], strict=True) if not count]
    hidden = 1 / max(empty, default=1)
    below = tuple(Below(cut, told) for cut, told in zip(CUTS, nested(counts, floor)[1:], strict=True))
    most = hidden if smallest.hidden or not smallest.at_least else 1 / smallest.at_least
    return Risk(smallest, most, significant(average), below)
