"""Accounts of a gate as recipients: what they receive marked is traced like a release, by the same trace."""

from __future__ import annotations

import pytest

from language.offices import MARKED, Office, without
from muniment.errors import UnreachableError
from muniment.gate.session.marking import MarkedRegister
from muniment.marks.stream import record_keys
from muniment.marks.write import CellMarker
from muniment.table import Table
from muniment.workspace.baselines import load_baseline
from muniment.workspace.gatemarks import PURPOSE, AccountNumbers, marked_register


def marks(office: Office) -> MarkedRegister:
    found = marked_register(office.parts, "persons")
    assert found is not None
    return found


def received(office: Office, number: int) -> Table:
    """The register as an account with this number gets it."""
    found, table = marks(office), office.persons
    marker = CellMarker(found.codebook, found.plan)
    prepared = marker.prepare(table, found.codebook.records(record_keys(table, ("person_id",), 0)))
    return marker.write(prepared, [number])[0]


def test_a_list_from_the_gate_is_named_beside_copies_of_releases(office: Office) -> None:
    office.release("Tax office", "School board")
    numbers = AccountNumbers(office.parts)
    clerk, other = (numbers.number(name, "persons") for name in ("clerk", "other"))
    leak = office.leak(without(received(office, clerk), ("person_id", "household_id")))
    assert office.named(leak) == ["clerk"]
    assert clerk != other


def test_an_account_is_a_candidate_once_and_only_after_it_was_numbered(office: Office) -> None:
    numbers = AccountNumbers(office.parts)
    first = numbers.number("clerk", "persons")
    assert numbers.number("clerk", "persons") == first
    assert AccountNumbers(office.parts).number("clerk", "persons") == first
    (copy,) = office.workspace.copies()
    assert (copy.recipient.name, copy.purpose, copy.rows, copy.mark_key) == ("clerk", PURPOSE, 0, "mark-1")
    assert len(office.parts.copies.records(copy)) == 0


def test_a_recipient_of_releases_keeps_its_number(office: Office) -> None:
    office.release("Tax office", "clerk")
    number = next(one.recipient.number for one in office.workspace.copies() if one.recipient.name == "clerk")
    assert AccountNumbers(office.parts).number("clerk", "persons") == number
    assert len(office.workspace.copies()) == 2, "its copy under this mark key is on record already"


def test_a_new_mark_key_takes_a_new_record(office: Office) -> None:
    AccountNumbers(office.parts).number("clerk", "persons")
    office.workspace.rotate("mark")
    AccountNumbers(office.parts).number("clerk", "persons")
    assert [copy.mark_key for copy in office.workspace.copies()] == ["mark-1", "mark-2"]


def test_a_name_that_no_recipient_can_have_gets_nothing_marked(office: Office) -> None:
    with pytest.raises(UnreachableError, match="control character"):
        AccountNumbers(office.parts).number("a\nb", "persons")
    assert not office.workspace.copies()


def test_the_baseline_is_there_before_anything_is_marked(office: Office) -> None:
    assert not len(load_baseline(office.parts, "persons").pseudonyms)
    assert set(marks(office).plan.columns) == set(MARKED)
    assert len(load_baseline(office.parts, "persons").pseudonyms) == office.persons.rows


def test_a_register_without_marks_has_none(office: Office) -> None:
    office.allow_no_cells()
    assert marked_register(office.parts, "persons") is None
