"""An extract of a register has each record once, with the ordinal that the ledger knows it by from then on."""

from __future__ import annotations

import numpy as np
import pytest

from language.offices import Office
from muniment.errors import InputError
from muniment.table import Table
from muniment.workspace.registered import check_columns, read_registered


def test_each_record_has_its_value_and_an_ordinal_that_stays(office: Office) -> None:
    parts = office.parts
    register = parts.register("persons")
    found = read_registered(parts, register, ("sex", "points"), None)
    assert found.record is not None and len(np.unique(found.record)) == found.rows == 150
    for column in found.columns:
        told = [column.labels[code] or None for code in column.codes.tolist()]
        assert told == list(office.persons[column.name])
    again = read_registered(parts, register, ("sex",), None, labels=False)
    assert np.array_equal(again.record, found.record) and again.column("sex").labels == ()


def test_a_part_of_the_register_has_the_ordinals_of_the_whole(office: Office) -> None:
    parts = office.parts
    register = parts.register("persons")
    part = read_registered(parts, register, ("sex",), "sex = 'F'")
    whole = read_registered(parts, register, ("sex",), None)
    column = whole.column("sex")
    chosen = np.array([column.labels[code] == "F" for code in column.codes.tolist()])
    assert 0 < part.rows == chosen.sum() < whole.rows
    assert part.record is not None and whole.record is not None
    assert part.record.tolist() == whole.record[chosen].tolist()


def test_rows_that_share_a_key_are_refused_without_naming_it(office: Office) -> None:
    def doubled(table: Table) -> Table:
        rows = list(table.iter_rows())
        return Table.from_rows(table.columns, [*rows, rows[0]])

    office.change(doubled)
    with pytest.raises(InputError, match="rows share their key") as caught:
        read_registered(office.parts, office.parts.register("persons"), ("sex",), None)
    assert str(next(iter(office.persons.iter_rows()))[0]) not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "said"), [(("sex", "shoe"), "no column 'shoe'; the columns are person_id"), (("sex", "sex"), "twice")]
)
def test_columns_are_there_and_named_once(office: Office, columns: tuple[str, ...], said: str) -> None:
    register = office.parts.register("persons")
    source = office.parts.source(register)
    check_columns(source, source.columns, register)
    with pytest.raises(InputError, match=said):
        check_columns(source, columns, register)
