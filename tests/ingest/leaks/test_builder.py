"""The bounds of what is kept of a leak, and rows that do not fit."""

from __future__ import annotations

import pytest

from muniment.errors import LimitError
from muniment.ingest.leaks.builder import Budget, Builder
from muniment.limits import COLUMNS


def built(budget: Budget | None = None, width: int = 2) -> Builder:
    return Builder("t", "f", budget or Budget(), None, width)


def test_rows_become_columns() -> None:
    builder = built()
    builder.add([("a", "b"), ["c", None]])
    assert builder.finish().table.cells == (["a", "c"], ["b", None])


def test_surplus_starts_late_and_stays_aligned() -> None:
    builder = built()
    builder.add([("1", "2")])
    builder.add([("3", "4", "5", "6"), ("7",), [], ("", "")])
    builder.add([("8", "9")])
    found = builder.finish()
    assert list(found.table.iter_rows()) == [("1", "2", None), ("3", "4", "5,6"), ("7", None, None), ("8", "9", None)]
    assert found.mended == 2


def test_an_empty_surplus_is_no_column() -> None:
    builder = built()
    builder.add([("1", "2", "")] * 3)
    found = builder.finish()
    assert (found.table.columns, found.mended) == (("column 1", "column 2"), 0)


@pytest.mark.parametrize("budget", [Budget(rows=3), Budget(cells=7), Budget(rows=3, cells=6)])
def test_rows_beyond_a_budget_are_counted(budget: Budget) -> None:
    builder = built(budget)
    builder.add([("a", "b")] * 2)
    builder.add([("c", "d")] * 5)
    found = builder.finish()
    assert (found.table.rows, found.left_out) == (3, 4)


def test_characters_are_bounded_too() -> None:
    builder = built(Budget(characters=10))
    builder.add([("abc", "abc")])
    builder.add([("abc", "abc")])
    assert (builder.finish().table.rows, builder.finish().left_out) == (1, 1)


def test_tables_share_a_budget() -> None:
    budget = Budget(rows=3)
    first, second = built(budget), built(budget)
    first.add([("a", "b")] * 2)
    second.add([("a", "b")] * 2)
    assert (first.finish().left_out, second.finish().left_out) == (0, 1)
    assert second.full


def test_columns_that_turn_up_late() -> None:
    builder = Builder("t", "f", Budget(), ["a"])
    builder.add([("1",)])
    builder.widen(["b", "a"])
    builder.add([("2", "3", "4")])
    assert builder.finish().table.columns == ("a", "b", "a (2)")
    assert list(builder.finish().table.iter_rows()) == [("1", None, None), ("2", "3", "4")]


def test_widening_is_bounded() -> None:
    with pytest.raises(LimitError, match="columns"):
        built().widen(["x"] * COLUMNS)
    builder = built(Budget(cells=10))
    builder.add([("a", "b")] * 4)
    with pytest.raises(LimitError, match="too many different"):
        builder.widen(["c"])


def test_too_many_columns() -> None:
    with pytest.raises(LimitError, match="columns"):
        built(width=COLUMNS + 1)
