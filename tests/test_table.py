import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.table import Table

TABLE = Table(("id", "town"), (["1", "2", "3"], ["Ashby", None, "Goole"]))
CELL = st.none() | st.text(max_size=3)


@given(st.lists(st.tuples(CELL, CELL)))
def test_rows_go_in_and_come_out_again(rows: list) -> None:
    table = Table.from_rows(("a", "b"), rows)
    assert list(table.iter_rows()) == rows
    assert table.rows == len(rows)


def test_a_table_without_rows_keeps_its_columns() -> None:
    assert Table.from_rows(("a", "b"), ()) == Table(("a", "b"), ([], []))


def test_columns_are_chosen_by_name_and_rows_by_number() -> None:
    assert TABLE.select(("town",)).cells == (["Ashby", None, "Goole"],)
    assert list(TABLE.take([2, 0, 2]).iter_rows()) == [("3", "Goole"), ("1", "Ashby"), ("3", "Goole")]


def test_new_cells_make_a_new_table_and_leave_the_old_one() -> None:
    changed = TABLE.with_cells({"town": ["x", "y", "z"]})
    assert changed["town"] == ["x", "y", "z"]
    assert TABLE["town"][0] == "Ashby"
    assert changed["id"] is TABLE["id"]


def test_an_unknown_column_is_an_input_error_that_lists_what_there_is() -> None:
    with pytest.raises(InputError, match="no column 'city'; the columns are id, town"):
        TABLE["city"]


@pytest.mark.parametrize("cells", [(["1"],), (["1"], ["1", "2"])])
def test_a_shape_that_is_no_table_is_refused(cells: tuple) -> None:
    with pytest.raises(ValueError, match=r"column"):
        Table(("a", "b"), cells)


def test_a_repr_shows_no_cell() -> None:
    assert repr(TABLE) == "Table(id, town; 3 rows)"
