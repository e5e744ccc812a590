"""Ordinals of records: one a person, under every epoch of the pseudonym key."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from language.disclosed import TOLD, give, key_of, ordinals_of
from language.offices import PURPOSE, Office, people, write_table
from muniment.disclosure import Party, canonical_key
from muniment.errors import InputError, IntegrityError, UnreachableError
from muniment.ledger.completeness import verify_person_proof
from muniment.pseudonym import pseudonyms
from muniment.workspace.ordinals import carry_over, given_ordinals

WHY = "request of the person"


def recipients(office: Office, row: int) -> list[object]:
    """Who received a person, the office itself left out."""
    told = office.workspace.who(key_of(office, row), purpose=WHY).disclosures
    return [one["recipient"] for one in told if one["recipient"] != office.parts.office]


def span(office: Office) -> int:
    with office.parts.ledger.table() as table:
        return len(table)


# --- one epoch -----------------------------------------------------------------------------------------------------


def test_who_was_never_given_out_has_no_ordinal(office: Office) -> None:
    assert ordinals_of(office, [key_of(office, 0)]) == []
    give(office, [key_of(office, 0)])
    assert len(ordinals_of(office, [key_of(office, 0), key_of(office, 1)])) == 1


def test_known_ordinals_are_ascending_and_each_once(office: Office) -> None:
    keys = [key_of(office, row) for row in range(30)]
    give(office, keys)
    found = ordinals_of(office, [*keys, *keys])
    assert found == sorted(set(found))
    assert len(found) == 30


def test_given_ordinals_keep_the_order_of_the_keys(office: Office) -> None:
    keys = [canonical_key((key_of(office, row),)) for row in range(12)]
    with office.parts.ledger.writing() as appender:
        first = given_ordinals(office.parts, appender, "persons", keys).tolist()
        again = given_ordinals(office.parts, appender, "persons", keys[::-1]).tolist()
    assert again == first[::-1]
    assert len(set(first)) == 12


def test_the_same_key_in_two_registers_is_two_persons(office: Office) -> None:
    staff = write_table(office.folder / "staff.csv", people(40, seed=1))
    office.workspace.register("staff", staff, key="person_id")
    key = key_of(office, 0)
    give(office, [key])
    assert ordinals_of(office, [key], "staff") == []
    give(office, [key], replace(TOLD, template=replace(TOLD.template, register="staff")))
    assert len({*ordinals_of(office, [key]), *ordinals_of(office, [key], "staff")}) == 2


# --- epochs --------------------------------------------------------------------------------------------------------


def test_a_person_released_before_and_after_a_rotation_has_one_ordinal(office: Office) -> None:
    office.release("Tax")
    before = ordinals_of(office, [key_of(office, 3)])
    assert office.workspace.rotate("pseudonym").id == "pseudonym-2"
    office.release("Health")
    assert ordinals_of(office, [key_of(office, 3)]) == before
    assert len(before) == 1
    assert recipients(office, 3) == ["Tax", "Health"]
    assert office.workspace.ledger.verify(full=True).faults == ()


def test_a_rotation_makes_every_known_record_known_under_the_new_key_and_gives_nobody_an_ordinal(
    office: Office,
) -> None:
    office.release("Tax", where="sex = 'F'")
    before, women = span(office), sum(sex == "F" for sex in office.persons["sex"])
    office.workspace.rotate("pseudonym")
    key = office.parts.ring.current("pseudonym")
    canonical = [canonical_key((str(cell),)) for cell in office.persons["person_id"]]
    with office.parts.ledger.table() as table:
        found = table.lookup(pseudonyms(key, "persons", canonical))[1]
    assert found.tolist() == [sex == "F" for sex in office.persons["sex"]]
    assert span(office) == before == women


def test_carrying_over_again_changes_nothing(office: Office) -> None:
    office.release("Tax")
    office.workspace.rotate("pseudonym")
    with office.parts.ledger.table() as table:
        entries = [column.tolist() for column in table.entries()]
    assert carry_over(office.parts) == 150
    with office.parts.ledger.table() as table:
        assert [column.tolist() for column in table.entries()] == entries
    assert len(entries[0]) == 300


def test_who_left_the_register_before_the_rotation_keeps_the_ordinal(office: Office) -> None:
    office.release("Tax")
    left = key_of(office, 7)
    office.change(lambda table: table.take([row for row in range(table.rows) if row != 7]))
    office.workspace.rotate("pseudonym")
    before = ordinals_of(office, [left])
    give(office, [left], replace(TOLD, party=Party("Clinic", "wu")))
    assert ordinals_of(office, [left]) == before
    told = office.workspace.who(left, purpose=WHY).disclosures
    assert [one["recipient"] for one in told][:2] == ["Tax", "Clinic"]


def test_persons_first_seen_in_different_epochs_are_all_found(office: Office) -> None:
    give(office, [key_of(office, 0)])
    office.workspace.rotate("pseudonym")
    give(office, [key_of(office, 1)])
    office.workspace.rotate("pseudonym")
    give(office, [key_of(office, row) for row in range(3)])
    assert len(ordinals_of(office, [key_of(office, row) for row in range(4)])) == 3
    assert [len(recipients(office, row)) for row in range(4)] == [2, 2, 1, 0]


def test_a_copy_from_before_a_rotation_is_still_traced(office: Office) -> None:
    (path,) = office.release("Tax")
    office.release("Health")
    office.workspace.rotate("pseudonym")
    verdict = office.trace(path, leads_purpose="inform the persons concerned")
    assert [(named.recipient, named.copies) for named in verdict.named] == [("Tax", (1,))]
    assert verdict.leads is not None
    assert [lead.records_held for lead in verdict.leads] == [150, 150]


def test_cells_seen_before_a_rotation_are_not_new_after_it(office: Office) -> None:
    office.release("Tax")
    (baseline,) = (office.folder / "office" / "baseline").iterdir()
    before = baseline.stat().st_mtime_ns, baseline.read_bytes()
    office.workspace.rotate("pseudonym")
    office.release("Health")
    assert (baseline.stat().st_mtime_ns, baseline.read_bytes()) == before, "baselines keep the first key"


def test_a_person_is_proved_under_the_newest_key(office: Office) -> None:
    office.release("Tax")
    office.workspace.rotate("pseudonym")
    office.release("Health")
    proof = office.workspace.prove(key_of(office, 5), purpose=WHY)
    history = verify_person_proof(proof, office.parts.ledger.verifiers)
    canonical = [canonical_key((key_of(office, 5),))]
    newest = pseudonyms(office.parts.ring.current("pseudonym"), "persons", canonical)
    assert history.pseudonym == int(newest[0])
    assert len(history.disclosures) == 3, "two copies and the question"


def test_a_workspace_opened_before_a_rotation_neither_answers_nor_writes(office: Office) -> None:
    stale = Office(office.folder, clock=office.clock)
    stale.release("Tax")
    office.workspace.rotate("pseudonym")
    for asked in (
        lambda: stale.workspace.who(key_of(office, 0), purpose=WHY),
        lambda: stale.release("Health"),
        lambda: stale.trace(office.out("Tax.csv")),
    ):
        with pytest.raises(InputError, match="rotated meanwhile") as raised:
            asked()
        assert raised.value.hint == "open the workspace again"
    assert not office.out("Health.csv").exists()
    stale.reopen()
    stale.release("Health")


def test_a_person_with_two_ordinals_is_found_under_both_and_not_proved(office: Office) -> None:
    """A process that wrote under the old key while the rotation ran."""
    office.workspace.rotate("pseudonym")
    old, new = office.parts.ring.all("pseudonym")
    canonical = [canonical_key((key_of(office, 0),))]
    with office.parts.ledger.writing() as appender:
        two = np.concatenate([appender.ordinals(pseudonyms(key, "persons", canonical)) for key in (new, old)])
        for name, ordinal in zip(("Tax", "Health"), two.tolist(), strict=True):
            appender.append(replace(TOLD, party=Party(name), records=(ordinal,))).result()
    assert len(set(two.tolist())) == 2
    assert recipients(office, 0) == ["Tax", "Health"]
    with pytest.raises(IntegrityError, match="two ordinals"):
        office.workspace.prove(key_of(office, 0), purpose=WHY)
    with pytest.raises(IntegrityError, match="two ordinals"):
        carry_over(office.parts)


def test_a_source_that_is_gone_leaves_the_key_ring_alone(office: Office) -> None:
    office.release("Tax")
    office.source.rename(office.folder / "elsewhere.csv")
    with pytest.raises((InputError, UnreachableError)):
        office.workspace.rotate("pseudonym")
    keys = office.workspace.keys()
    assert [key.id for key in keys if key.id.startswith("pseudonym")] == ["pseudonym-1"]


# --- segment keys --------------------------------------------------------------------------------------------------


def test_after_a_rotation_of_the_segment_key_everything_old_and_new_is_read(office: Office) -> None:
    office.release("Tax")
    assert office.workspace.rotate("segment").id == "segment-2"
    office.release("Health")
    assert [one.manifest.key for one in office.parts.ledger.segments()] == ["segment-1", "segment-2"]
    office.reopen()
    assert recipients(office, 2) == ["Tax", "Health"]
    assert office.workspace.ledger.verify(full=True).faults == ()
    assert [copy.purpose for copy in office.workspace.copies()] == [PURPOSE, PURPOSE]


def test_other_keys_are_not_rotated_yet(office: Office) -> None:
    for purpose in ("signing", "nonsense"):
        with pytest.raises(InputError, match="not rotated yet: expected mark, pseudonym, segment"):
            office.workspace.rotate(purpose)
