"""Foreign names, and values that keep their cells to themselves."""

from __future__ import annotations

import pytest

from muniment.errors import LimitError
from muniment.ingest.leaks.leak import Leak, LeakTable, column_names, shown
from muniment.limits import COLUMNS, NAME_CHARACTERS
from muniment.table import Table


def test_foreign_names_are_made_printable_and_cut() -> None:
    assert shown("a\x1b[31m\nb\u202e") == "a [31m b"
    assert len(shown("x" * 10_000)) == NAME_CHARACTERS
    assert shown("\ufeff 姓名\u3000") == "姓名"


def test_names_are_distinct() -> None:
    names = column_names(["a", "a", "a (2)", "a", None, " "], "f")
    assert names == ("a", "a (2)", "a (2) (2)", "a (3)", "column 5", "column 6")
    long = column_names(["x" * 300] * 12, "f")
    assert len(set(long)) == 12
    assert max(map(len, long)) <= NAME_CHARACTERS


def test_a_thousand_equal_names_cost_little() -> None:
    assert len(set(column_names(["a"] * COLUMNS, "f"))) == COLUMNS


def test_too_many_columns() -> None:
    with pytest.raises(LimitError, match=r"f: more than 4,096 columns"):
        column_names(["a"] * (COLUMNS + 1), "f")


def test_cells_are_not_in_the_repr() -> None:
    table = LeakTable("t", Table(("a",), (["SECRET"],)), True, 0)
    assert "SECRET" not in repr(Leak("f", "0", (table,)))
