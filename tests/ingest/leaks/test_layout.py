"""Header and width from the first rows."""

from __future__ import annotations

import time

from muniment.ingest.leaks.layout import Layout, layout_of

ROWS = [[str(i), f"Person {i}"] for i in range(9)]


def test_header_or_not() -> None:
    assert layout_of([["id", "name"], *ROWS]) == Layout(("id", "name"), 2, 0)
    assert layout_of(ROWS) == Layout(None, 2, 0)
    assert layout_of(ROWS, header=False).data(ROWS) == ROWS


def test_a_title_stays_as_a_row() -> None:
    rows = [["Report"], ["id", "name"], *ROWS]
    layout = layout_of(rows)
    assert (layout.names, layout.header_row) == (("id", "name"), 1)
    assert layout.data(rows) == [["Report"], *ROWS]


def test_a_header_longer_than_its_rows() -> None:
    assert layout_of([["id", "name", "remark"], *ROWS]) == Layout(("id", "name", "remark"), 3, 0)


def test_names_of_rows_as_r_writes_them() -> None:
    rows = [["name", "birth_date"], *([str(i), f"Person {i}", "1970-01-01"] for i in range(9))]
    assert layout_of(rows) == Layout((None, "name", "birth_date"), 3, 0)


def test_missing_cells_are_no_names() -> None:
    assert layout_of([["id", None], *ROWS]).width == 2


def test_a_hostile_cell_costs_little() -> None:
    started = time.perf_counter()
    layout_of([["a" * 900_000, "b"], *ROWS])
    assert time.perf_counter() - started < 2
