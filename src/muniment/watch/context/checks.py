"""What only shows when a whole table is there: rows that end before they begin, say a thing twice, or tie too many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from muniment.watch.context.faults import KEPT, Fault, Wrong
from muniment.watch.context.index import MOST
from muniment.watch.reads import NOBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

Columns: TypeAlias = "dict[str, NDArray[Any]]"
_Mask: TypeAlias = "NDArray[np.bool_]"
_Check: TypeAlias = "tuple[Wrong, str, Callable[[Columns], _Mask]]"
"""What is wrong, the column to name, and which rows it is true of."""


def checked(table: str, columns: Columns, rows: NDArray[np.int64], source: str) -> tuple[Columns, tuple[Fault, ...]]:
    """The columns without the rows that are wrong, and what was. `rows`: their numbers in the source, shape (n,)."""
    faults = []
    for kind, column, check in _CHECKS[table]:
        wrong = check(columns)
        if not wrong.any():
            continue
        faults.append(Fault(kind, table, source, int(wrong.sum()), int(rows[wrong][0]), column))
        if kind not in KEPT:
            columns, rows = {name: values[~wrong] for name, values in columns.items()}, rows[~wrong]
    return columns, tuple(faults)


def _twice(*names: str) -> Callable[[Columns], _Mask]:
    """Rows that are equal in these columns (none: in all) to one before them."""

    def check(columns: Columns) -> _Mask:
        return _again([columns[name] for name in names or columns])

    return check


def _again(columns: list[NDArray[Any]]) -> _Mask:
    order = np.lexsort(columns)  # stable: of equal rows the first comes first
    same = np.ones(max(len(order) - 1, 0), np.bool_)
    for column in columns:
        same &= column[order][1:] == column[order][:-1]
    found = np.zeros(len(order), np.bool_)
    found[order[1:][same]] = True
    return found


def _ends_first(since: str, until: str) -> Callable[[Columns], _Mask]:
    return lambda columns: np.asarray(columns[since] >= columns[until])


def _tied_twice(columns: Columns) -> _Mask:
    one, other = columns["record"], columns["other"]
    return _again([np.minimum(one, other), np.maximum(one, other)])


def _self(columns: Columns) -> _Mask:
    return np.asarray(columns["record"] == columns["other"])


def _too_large(columns: Columns) -> _Mask:
    _, place, sizes = np.unique(columns["household"], return_inverse=True, return_counts=True)
    return np.asarray(sizes[place] > MOST)


def _nobody(columns: Columns) -> _Mask:
    return np.asarray((columns["account"] == NOBODY) & (columns["office"] == NOBODY))


def _no_office(columns: Columns) -> _Mask:
    return np.asarray(columns["office"] == NOBODY)


_SPAN: Final[_Check] = (Wrong.ENDS_FIRST, "until", _ends_first("since", "until"))
_SAME: Final[_Check] = (Wrong.TWICE, "", _twice())
_CHECKS: Final[Mapping[str, tuple[_Check, ...]]] = {
    "staff": (_SPAN, _SAME, (Wrong.NO_OFFICE, "office", _no_office)),
    "cases": (
        (Wrong.ENDS_FIRST, "closed", _ends_first("opened", "closed")),
        _SAME,
        (Wrong.REOPENED, "case", _twice("case")),
    ),
    "covers": (_SAME,),
    "assignments": ((Wrong.NOBODY, "account", _nobody), _SPAN, _SAME),
    "households": (_SAME, (Wrong.TOO_LARGE, "household", _too_large)),
    "family": ((Wrong.SELF, "other_KEY", _self), (Wrong.TWICE, "", _tied_twice)),
    "calendar": (_SAME, (Wrong.SEVERAL_KINDS, "kind", _twice("date", "office"))),
    "shifts": (_SAME,),
    "jobs": (_SPAN, _SAME),
    "orders": ((Wrong.TWICE, "KEY", _twice("record")),),
}
