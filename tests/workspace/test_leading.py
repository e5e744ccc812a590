"""Leads: only for a purpose, only from enough records, logged, in no order of suspicion, and apart from the verdict."""

from __future__ import annotations

import pytest

from language.offices import PURPOSE, Office, people, read_table, write_table
from muniment.errors import InputError
from muniment.table import Table

WHY = "inform the persons concerned"


@pytest.fixture
def copy(office: Office) -> Table:
    """All of it for Tax and Health, the women for the Clinic, the men for nobody else."""
    office.release("Tax", "Health")
    office.release("Clinic", where="sex = 'F'")
    return read_table(office.out("Health.csv"))


def of_sex(table: Table, sex: str) -> Table:
    return table.take([row for row, cell in enumerate(table["sex"]) if cell == sex])


def test_there_are_none_unless_asked_for(office: Office, copy: Table) -> None:
    verdict = office.trace(office.leak(copy))
    assert verdict.leads is None
    assert "leads" not in verdict.to_json()
    assert not office.parts.journal.entries("leads")


def test_who_received_these_records_beside_what_the_office_alone_explains(office: Office, copy: Table) -> None:
    women = of_sex(copy, "F")
    leads = office.trace(office.leak(women), leads_purpose=WHY).leads
    assert leads is not None
    assert [lead.recipient for lead in leads] == ["Tax", "Health", "Clinic"], "in order of numbers, not of overlap"
    assert [lead.records_held for lead in leads] == [women.rows] * 3
    assert [lead.expected_by_office for lead in leads] == pytest.approx([women.rows, women.rows, women.rows**2 / 150])


def test_a_recipient_of_none_of_them_is_no_lead(office: Office, copy: Table) -> None:
    leads = office.trace(office.leak(of_sex(copy, "M")), leads_purpose=WHY).leads
    assert leads is not None
    assert [lead.recipient for lead in leads] == ["Tax", "Health"]


def test_asking_is_on_record_with_its_purpose(office: Office, copy: Table) -> None:
    office.trace(office.leak(copy), leads_purpose=WHY)
    (entry,) = office.parts.journal.entries("leads")
    assert entry.body == {"register": "persons", "purpose": WHY}


@pytest.mark.parametrize(("rows", "purpose", "wrong"), [(150, " ", "for a purpose only"), (19, WHY, "from 20 on")])
def test_leads_are_refused_before_anything_is_examined(
    office: Office, copy: Table, rows: int, purpose: str, wrong: str
) -> None:
    with pytest.raises(InputError, match=wrong):
        office.trace(office.leak(copy.take(range(rows))), leads_purpose=purpose)
    assert not office.parts.journal.entries("examination")
    assert not office.parts.journal.entries("leads")


def test_twenty_records_are_enough(office: Office, copy: Table) -> None:
    assert office.trace(office.leak(copy.take(range(20))), leads_purpose=WHY).leads


def test_copies_after_the_finding_are_no_leads(office: Office, copy: Table) -> None:
    found = office.clock()
    office.release("Police")
    leads = office.trace(office.leak(copy), leads_purpose=WHY, found=found).leads
    assert leads is not None
    assert "Police" not in [lead.recipient for lead in leads]


def test_a_second_register_without_leaked_records_stands_in_nobodys_way(office: Office, copy: Table) -> None:
    staff = write_table(office.folder / "staff.csv", people(60, seed=9))
    office.workspace.register("staff", staff, key="person_id", coalition=1, accept="equivalent")
    office.workspace.release("staff", to="Union", purpose=PURPOSE, out=office.out("u.csv"))
    leads = office.trace(office.leak(copy), leads_purpose=WHY).leads
    assert leads is not None
    assert {lead.recipient for lead in leads} == {"Tax", "Health", "Clinic"}
