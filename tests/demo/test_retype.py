"""Retyping: seeded, composable, and doing what it says."""

import numpy as np
import pytest

from muniment.demo import people
from muniment.demo.retype import other_cases, renamed, retype, shuffled, some_rows, swapped_names, with_slips
from muniment.errors import InputError


@pytest.fixture(scope="module")
def table():
    return people.register(2_000, 7)


def changed(before, after):
    pairs = zip(before.cells, after.cells, strict=True)
    return sum(a != b for one, two in pairs for a, b in zip(one, two, strict=True))


def test_the_same_seed_retypes_alike(table):
    asked = {"keep_rows": 0.5, "drop": ("person_id",), "rename": {"phone": "tel"}, "slips": 0.1, "swaps": 0.2}
    first, second, other = retype(table, 1, **asked), retype(table, 1, **asked), retype(table, 2, **asked)
    assert first == second
    assert first != other
    assert "person_id" not in first.columns
    assert "tel" in first.columns
    assert 850 < first.rows < 1_150


def test_nothing_asked_changes_the_order_only(table):
    out = retype(table, 3)
    assert sorted(out.columns) == sorted(table.columns)
    assert sorted(out["person_id"]) == sorted(table["person_id"])
    assert out["person_id"] != table["person_id"]
    assert retype(table, 3, shuffle=False) == table


def test_slips_hit_the_share_of_cells_and_leave_empty_ones_empty(table):
    random = np.random.default_rng(0)
    out = with_slips(table, random, 0.1)
    filled = sum(cell is not None for cells in table.cells for cell in cells)
    assert 0.085 < changed(table, out) / filled < 0.115
    assert all((a is None) == (b is None) for one, two in zip(table.cells, out.cells, strict=True)
               for a, b in zip(one, two, strict=True))  # fmt: skip


def test_names_are_swapped_in_a_share_of_the_rows(table):
    out = swapped_names(table, np.random.default_rng(0), 1.0)
    name = next(cell for cell in table["name_en"] if cell)
    assert out["name_en"][table["name_en"].index(name)] == " ".join([*name.split(" ")[1:], name.split(" ")[0]])
    assert out["address_en"] == table["address_en"]


def test_cases_rows_names_and_order(table):
    random = np.random.default_rng(0)
    loud = other_cases(table, random, 1.0)
    assert all(cell is None or cell in (cell.upper(), cell.lower()) for cell in loud["address_en"])
    assert some_rows(table, random, 1.0) is table
    assert renamed(table, {"sex": "geschlecht"})["geschlecht"] == table["sex"]
    assert sorted(shuffled(table, random)["email"], key=str) == sorted(table["email"], key=str)


def test_an_unknown_column_is_refused(table):
    with pytest.raises(InputError, match="no column 'nam'"):
        retype(table, 1, drop=("nam",))
