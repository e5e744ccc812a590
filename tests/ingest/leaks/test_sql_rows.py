"""Statements name columns in any order; a table has one."""

from __future__ import annotations

import pytest

from muniment.errors import LimitError
from muniment.ingest.leaks.builder import Budget
from muniment.ingest.leaks.sql_rows import DumpTables
from muniment.limits import BATCH_ROWS, LEAK_TABLES


def test_order_of_the_first_statement() -> None:
    tables = DumpTables("f", Budget())
    tables.create("t", ["a", "b"])
    tables.rows("t", None).put(["1", "2"])
    tables.rows("t", ["b", "c"]).put(["3", "4"])
    tables.rows("t", None).put(["5", "6", "7"])
    tables.rows("t", ["a", "b"]).put_all([["8", "9"]] * BATCH_ROWS)
    (found,) = tables.finish()
    assert found.table.columns == ("a", "b", "c")
    rows = list(found.table.iter_rows())
    assert rows[:4] == [("1", "2", None), (None, "3", "4"), ("5", "6", "7"), ("8", "9", None)]
    assert found.table.rows == 3 + BATCH_ROWS


def test_tables_without_rows_are_left_out() -> None:
    tables = DumpTables("f", Budget())
    tables.create("a", ["x"])
    tables.rows("b", None)
    assert tables.finish() == []


def test_tables_are_bounded() -> None:
    tables = DumpTables("f", Budget())
    for number in range(LEAK_TABLES):
        tables.rows(str(number), None)
    with pytest.raises(LimitError, match="tables"):
        tables.rows("one more", None)
