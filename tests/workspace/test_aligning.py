"""Aligning a leak with a register: by leak and register alone, in normal forms, decoys included."""

from __future__ import annotations

from datetime import timedelta

import pytest

from language.offices import Office, people, read_table, stacked, without
from language.rings import NOW
from muniment.errors import InputError
from muniment.ingest.leaks import read_leak
from muniment.table import Table
from muniment.workspace.aligning import Aligned, align_leak


def aligned(office: Office, table: Table, **fixed: str) -> Aligned:
    parts = office.parts
    leak = read_leak(office.leak(table))
    return align_leak(parts, parts.register("persons"), leak, fixed, parts.journal.head())


@pytest.fixture
def copy(office: Office) -> Table:
    return read_table(office.release("Tax", "Health")[0])


def persons_of(found: Aligned) -> list[str | None]:
    """The register's key of each aligned row, in the order of rows."""
    (table,) = found.tables
    return [found.records["person_id"][record] for record in table.record.tolist()]


def test_every_row_of_a_copy_finds_its_record_without_the_key(office: Office, copy: Table) -> None:
    found = aligned(office, without(copy, ["person_id"]).take(range(149, -1, -1)))
    assert persons_of(found) == copy["person_id"][::-1]
    assert found.rows == len(found.keys) == len(found.pseudonyms) == 150


def test_records_come_once_and_rows_as_often_as_they_are_there(office: Office, copy: Table) -> None:
    found = aligned(office, stacked([copy.take(range(30)), copy.take(range(10))]))
    assert found.rows == 40
    assert len(found.keys) == 30
    assert persons_of(found) == copy["person_id"][:30] + copy["person_id"][:10]


def test_strangers_are_left_out(office: Office, copy: Table) -> None:
    found = aligned(office, stacked([copy.take(range(50)), people(50, seed=70)]))
    assert persons_of(found)[:50] == copy["person_id"][:50]
    assert found.rows <= 52


def test_a_column_that_matches_nothing_is_left_out(office: Office, copy: Table) -> None:
    extra = Table((*copy.columns, "remark"), (*copy.cells, [f"note {row}" for row in range(150)]))
    found = aligned(office, extra)
    assert "remark" not in found.tables[0].cells.columns
    assert {match.leak_column: match.column for match in found.matches}["remark"] is None


def test_a_column_can_be_fixed_and_an_unknown_one_is_refused(office: Office, copy: Table) -> None:
    renamed = Table(("person_id", "x", *copy.columns[2:]), copy.cells)
    found = aligned(office, renamed, x="household_id")
    assert next(match for match in found.matches if match.leak_column == "x").fixed
    with pytest.raises(InputError, match="nothing"):
        aligned(office, renamed, nothing="household_id")


def test_decoys_are_records_too_and_known_as_such(office: Office) -> None:
    office.allow_rows("decoy")
    reserved = [f"RR{number:06}" for number in range(500)]
    office.workspace.plan_decoys(
        "persons", count=30, reserved=reserved, expires=NOW.date() + timedelta(9), owner="k", consent="yes", share=0.5
    )
    copy = read_table(office.release("Tax")[0])
    found = aligned(office, copy)
    decoys = [key in reserved for key in found.records["person_id"]]
    assert found.is_decoy.tolist() == decoys
    assert 5 < sum(decoys) < 26
    assert found.rows == copy.rows
    assert len(found.all_keys()) == 180


def test_nothing_aligned_is_no_error(office: Office, copy: Table) -> None:
    found = aligned(office, Table(("a", "b"), (["x", "y"], ["1", "2"])))
    assert found.rows == 0
    assert found.keys == []
    assert len(found.pseudonyms) == 0


def test_its_repr_ties_no_row_to_a_record(office: Office, copy: Table) -> None:
    found = aligned(office, copy)
    assert repr(found) == "Aligned('persons', rows=150, records=150)"
    assert "person" not in repr(found.tables[0]) or "object at" in repr(found.tables[0])
