"""Checks of whole tables against the plain way, row by row: what goes, what stays, what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.watch.context.checks import checked
from muniment.watch.context.faults import KEPT, Wrong
from muniment.watch.context.index import MOST
from muniment.watch.reads import NOBODY

SMALL = st.integers(NOBODY, 3)
STAYS = st.lists(st.tuples(SMALL, SMALL, st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25)
TIES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25)


def columns(names: str, rows: list[tuple[int, ...]]) -> dict[str, np.ndarray]:
    return dict(zip(names.split(), np.array(rows, np.int64).T, strict=True))


def left(found: dict[str, np.ndarray]) -> list[tuple[int, ...]]:
    return list(zip(*(values.tolist() for values in found.values()), strict=True))


@given(STAYS)
def test_assignments(rows: list[tuple[int, ...]]) -> None:
    numbers = np.arange(1, len(rows) + 1)
    found, faults = checked("assignments", columns("account office since until", rows), numbers, "a")
    somebody = [row for row in rows if row[:2] != (NOBODY, NOBODY)]
    lasting = [row for row in somebody if row[2] < row[3]]
    assert left(found) == list(dict.fromkeys(lasting))
    expected = {
        Wrong.NOBODY: len(rows) - len(somebody),
        Wrong.ENDS_FIRST: len(somebody) - len(lasting),
        Wrong.TWICE: len(lasting) - len(set(lasting)),
    }
    assert {fault.kind: fault.count for fault in faults} == {kind: n for kind, n in expected.items() if n}


@given(STAYS)
def test_staff_without_an_office_stay_and_are_said_with_the_row_of_the_source(rows: list[tuple[int, ...]]) -> None:
    numbers = 100 + 2 * np.arange(len(rows))
    found, faults = checked("staff", columns("account office since until", rows), numbers, "here.csv")
    kept = list(dict.fromkeys(row for row in rows if row[2] < row[3]))
    assert left(found) == kept
    homeless = [row for row in kept if row[1] == NOBODY]
    said = [fault for fault in faults if fault.kind is Wrong.NO_OFFICE]
    assert [(fault.count, fault.row) for fault in said] == (
        [(len(homeless), 100 + 2 * rows.index(homeless[0]))] if homeless else []
    )
    assert all(fault.source == "here.csv" and fault.table == "staff" for fault in faults)


@given(TIES)
def test_a_tie_counts_once_in_either_direction_and_never_to_oneself(rows: list[tuple[int, int]]) -> None:
    found, faults = checked("family", columns("record other", rows), np.arange(1, len(rows) + 1), "a")
    seen: set[frozenset[int]] = set()
    kept = []
    for row in rows:
        if len(set(row)) == 2 and frozenset(row) not in seen:
            seen.add(frozenset(row))
            kept.append(row)
    assert left(found) == kept
    assert sum(fault.count for fault in faults if fault.kind not in KEPT) == len(rows) - len(kept)


@pytest.mark.parametrize(("size", "stays"), [(MOST, True), (MOST + 1, False)])
def test_a_household_of_too_many_is_none(size: int, stays: bool) -> None:
    rows = [(record, 1) for record in range(size)] + [(size, 2), (size + 1, 2)]
    found, faults = checked("households", columns("record household", rows), np.arange(len(rows)) + 1, "a")
    assert len(found["record"]) == (len(rows) if stays else 2)
    assert [(fault.kind, fault.count, fault.row) for fault in faults] == (
        [] if stays else [(Wrong.TOO_LARGE, size, 1)]
    )


def test_a_case_that_is_opened_again_and_a_day_of_several_kinds_stay() -> None:
    numbers = np.arange(1, 4)
    rows = [(7, 1, 2), (8, 1, 2), (7, 3, 4)]
    cases, said = checked("cases", columns("case opened closed", rows), numbers, "a")
    assert len(cases["case"]) == 3 and [(one.kind, one.row) for one in said] == [(Wrong.REOPENED, 3)]
    rows = [(1, 0, 5), (1, 1, 5), (1, 0, 6)]
    days, said = checked("calendar", columns("date kind office", rows), numbers, "a")
    assert len(days["date"]) == 3 and [(one.kind, one.row) for one in said] == [(Wrong.SEVERAL_KINDS, 2)]
