"""A decoy that resembles a record is found, whatever its spelling; one that does not is left alone."""

import pytest

from language.decoy_registers import DEMO, demo_decoys, demo_table
from muniment.marks.decoys.likeness import like_each_other, like_records, recheck
from muniment.table import Table


def row_of(table, at):
    return dict(zip(table.columns, next(table.take([at]).iter_rows()), strict=True))


def whole(table):
    """A decoy in which every cell is filled."""
    return next(at for at in range(table.rows) if all(cells[at] is not None for cells in table.cells))


def meeting(**changes):
    """A record of the register that takes over some cells of a decoy; which decoys are then found."""
    decoys = demo_decoys()
    at = whole(decoys)
    decoy, record = row_of(decoys, at), row_of(demo_table(), whole(demo_table()))
    record |= {name: change(decoy[name]) for name, change in changes.items()}
    register = Table.from_rows(decoys.columns, [tuple(record.values())])
    return at, recheck(decoys, DEMO, [register], alone=("household_id",))


def same(cell):
    return cell


@pytest.mark.parametrize("changes", [
    {"person_id": same},
    {"household_id": same},
    {"mobile": lambda cell: cell.replace("-", "") + " "},
    {"phone": lambda cell: "".join(filter(str.isdigit, cell))},
    {"email": str.upper},
    {"name_zh": same, "name_en": str.upper, "birth_date": same},
    {"name_zh": same, "name_en": lambda cell: cell.replace("-", " "), "address_zh": same, "address_en": str.lower},
])  # fmt: skip
def test_a_record_that_comes_to_resemble_a_decoy_is_found(changes):
    at, found = meeting(**changes)
    assert at in found


@pytest.mark.parametrize("changes", [{}, {"name_zh": same, "name_en": same}, {"address_zh": same, "address_en": same},
                                     {"birth_date": same, "sex": same, "occupation": same}])  # fmt: skip
def test_a_record_that_shares_what_many_share_is_not(changes):
    assert meeting(**changes)[1] == []


def test_decoys_collide_with_no_record_and_not_with_each_other():
    assert recheck(demo_decoys(), DEMO, [demo_table()], alone=("household_id",)) == []
    assert not any(like_each_other(demo_decoys(), DEMO))


def test_batches_are_streamed_and_a_decoy_in_the_live_table_is_itself():
    decoys = demo_decoys()
    assert recheck(decoys, DEMO, iter([demo_table(), decoys])) == []
    twin = decoys.take([0]).with_cells({"person_id": ["MR9999999999"]})
    assert 0 in recheck(decoys, DEMO, iter([demo_table().take(range(10)), twin]))


def test_a_repeated_decoy_is_like_the_first():
    twice = demo_decoys().take([0, 1, 0])
    assert like_each_other(twice, DEMO)[2]
    assert like_records(demo_decoys().take([3]), DEMO, []) == [False]
