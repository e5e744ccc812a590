"""Recipients are numbered in order, copies are durable disclosures, and `before` hides what came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from language import faults
from language.faults import Faults
from language.ledgers import LedgerFolder, persons
from language.rings import NOW, Clock
from muniment import limits
from muniment.disclosure import Channel, Copy, Disclosure, Kind, Party, Recipient, Template
from muniment.errors import InputError, LimitError, UnreachableError
from muniment.ledger import copies as module
from muniment.ledger.copies import CopyLedger, LedgerCopies, PlannedCopy
from muniment.ledger.declarations import declare_register
from muniment.ledger.journal import Journal

THREE = persons(1)


@pytest.fixture
def made(tmp_path: Path) -> LedgerFolder:
    return LedgerFolder.made(tmp_path / "here")


def _open(made: LedgerFolder, journal: Journal | None = None) -> LedgerCopies:
    journal = journal or made.journal()
    return LedgerCopies(journal, made.open(journal=journal))


def _planned(recipient: Recipient, register: str = "persons", purpose: str = "audit") -> PlannedCopy:
    return PlannedCopy(
        recipient, register, purpose, "city = '臺北'", ("name", "address"), 3, 240, "mark-1", "ab" * 32, 1_000,
        "clerk", "art. 6", "case 7",
    )  # fmt: skip


def _disclosures(made: LedgerFolder) -> list[Disclosure]:
    reader = made.open().reader()
    batch = reader.batch(reader.select(), records=True)
    return [batch.disclosure(row) for row in range(len(batch))]


# --- recipients ----------------------------------------------------------------------------------------------------


def test_it_is_a_copy_ledger(made: LedgerFolder) -> None:
    ledger: CopyLedger = _open(made)
    assert ledger.copies() == ()
    assert _open(made).known_recipients() == ()


def test_recipients_are_numbered_in_order_and_found_again(made: LedgerFolder) -> None:
    ledger = _open(made)
    assert ledger.recipients(["Tax office", "王小明", "Tax office"], NOW) == (
        Recipient(1, "Tax office"),
        Recipient(2, "王小明"),
        Recipient(1, "Tax office"),
    )
    again = _open(made)
    assert again.recipient("王小明", NOW) == Recipient(2, "王小明")
    assert again.recipient("Caf\u00e9", NOW) == again.recipient("Cafe\u0301", NOW) == Recipient(3, "Caf\u00e9")
    assert [recipient.number for recipient in again.known_recipients()] == [1, 2, 3]
    assert ledger.recipient("tax office", NOW).number == 4


@pytest.mark.parametrize("name", ["", " ", "x" * 10_000, "a\nb", "a\x00"])
def test_bad_name_numbers_nobody(made: LedgerFolder, name: str) -> None:
    ledger = _open(made)
    with pytest.raises(InputError, match="the name of a recipient"):
        ledger.recipients(["good", name], NOW)
    assert ledger.known_recipients() == ()


def test_there_is_a_last_number(made: LedgerFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECIPIENTS", 3)
    ledger = _open(made)
    ledger.recipients(["a", "b"], NOW)
    with pytest.raises(LimitError, match="2 recipients; there are no numbers left"):
        ledger.recipient("c", NOW)
    assert ledger.recipient("a", NOW).number == 1


# --- copies --------------------------------------------------------------------------------------------------------


def test_copy_is_read_back_with_every_field(made: LedgerFolder) -> None:
    ledger = _open(made)
    recipient = ledger.recipient("../../etc/passwd", NOW)
    (copy,) = ledger.record_many([_planned(recipient)], THREE, NOW)
    assert copy == Copy(
        1, recipient, "persons", NOW, "audit", "city = '臺北'", ("name", "address"), 3, 240, "mark-1", "ab" * 32, 1
    )
    assert _open(made).copies() == (copy,)


def test_a_copy_is_a_disclosure_with_everything_that_one_has(made: LedgerFolder) -> None:
    journal = made.journal()
    columns = [("id", Kind.TEXT), ("address", Kind.TEXT), ("name", Kind.NAME)]
    declare_register(journal, "persons", key=["id"], columns=columns, coalition=2, law="none", now=NOW)
    ledger = _open(made, journal)
    (copy,) = ledger.record_many([_planned(ledger.recipient("Tax", NOW))], THREE[::-1].copy(), NOW)
    (disclosure,) = _disclosures(made)
    with made.open().table() as table:
        ordinals = np.sort(table.lookup(THREE)[0])
    assert disclosure == Disclosure(
        Party("Tax", "clerk"),
        Template("persons", 1, Channel.FILE, (2, 3), "audit", "art. 6", "mark-1"),
        tuple(ordinals.tolist()),
        "case 7",
        disclosure.fingerprint,
        3, 1_000, 3,
    )  # fmt: skip
    assert len(disclosure.fingerprint) == 16
    assert np.array_equal(ledger.records(copy), ordinals)
    assert np.array_equal(_open(made).records(copy), ordinals)


def test_the_fingerprint_is_that_of_the_query(made: LedgerFolder) -> None:
    ledger = _open(made)
    a, b = ledger.recipients(["a", "b"], NOW)
    planned = [_planned(a), _planned(b), replace(_planned(a), where=None), replace(_planned(a), columns=("name",))]
    ledger.record_many(planned, THREE, NOW)
    found = [disclosure.fingerprint for disclosure in _disclosures(made)]
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_a_person_who_comes_twice_is_one_record(made: LedgerFolder) -> None:
    ledger = _open(made)
    (copy,) = ledger.record_many([_planned(ledger.recipient("a", NOW))], np.repeat(THREE, 2), NOW)
    assert len(ledger.records(copy)) == 3


def test_nothing_selected_is_a_copy_too(made: LedgerFolder) -> None:
    ledger = _open(made)
    (copy,) = ledger.record_many([_planned(ledger.recipient("a", NOW))], THREE[:0], NOW)
    assert len(ledger.records(copy)) == 0
    assert ledger.record_many([], THREE, NOW) == ()


def test_filters_and_heads(made: LedgerFolder) -> None:
    clock, journal = Clock(), made.journal()
    ledger = _open(made, journal)
    first, second = ledger.recipients(["a", "b"], clock())
    one = ledger.record_many([_planned(first)], THREE, clock())
    found_at = clock()
    two = ledger.record_many([_planned(second, "staff")], THREE, clock())
    third = ledger.recipient("c", clock())
    assert ledger.copies("staff") == ledger.copies(recipient=second) == two
    assert ledger.copies("staff", first) == ()
    before = journal.head_before(found_at)
    assert ledger.copies(before=before) == one
    assert ledger.known_recipients(before) == (first, second)
    assert ledger.known_recipients() == (first, second, third)
    assert ledger.copies(before=journal.head_at(0)) == ()


def test_two_ledgers_never_give_one_number_twice(made: LedgerFolder) -> None:
    first, second = _open(made), _open(made)
    people = [first.recipient("a", NOW), second.recipient("b", NOW), first.recipient("c", NOW)]
    assert [recipient.number for recipient in people] == [1, 2, 3]
    copies = [ledger.record_many([_planned(people[0])], THREE, NOW)[0] for ledger in (first, second, first)]
    assert [copy.number for copy in copies] == [1, 2, 3]
    assert [copy.disclosure for copy in copies] == [1, 2, 3]


def test_long_purpose_is_refused_before_anything_is_written(made: LedgerFolder) -> None:
    ledger = _open(made)
    recipient = ledger.recipient("a", NOW)
    with pytest.raises(LimitError, match="at most 2,000"):
        ledger.record_many([_planned(recipient), _planned(recipient, purpose="x" * 2_001)], THREE, NOW)
    assert ledger.copies() == ()
    assert _disclosures(made) == []


def test_many_copies_of_one_extract_are_appended_in_parts(
    made: LedgerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_APPEND_RECORDS", 7)
    ledger = _open(made)
    people = ledger.recipients([f"office {n}" for n in range(5)], NOW)
    copies = ledger.record_many([_planned(recipient) for recipient in people], THREE, NOW)
    assert [copy.disclosure for copy in copies] == [1, 2, 3, 4, 5]
    assert [disclosure.party.recipient for disclosure in _disclosures(made)] == [one.name for one in people]
    assert all(np.array_equal(ledger.records(copy), ledger.records(copies[0])) for copy in copies)


def test_a_thousand_recipients_in_one_pass(made: LedgerFolder) -> None:
    ledger = _open(made)
    people = ledger.recipients([f"office {n}" for n in range(1_000)], NOW)
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, "undone")
        copies = ledger.record_many([_planned(one) for one in people], THREE, NOW + timedelta(seconds=1))
    assert steps.calls.count("fdatasync") < 12, "one sync for all of them, and those of sealing"
    assert [copy.number for copy in copies] == list(range(1, 1_001))
    assert _open(made).copies() == copies


# --- faults --------------------------------------------------------------------------------------------------------


def test_a_copy_on_record_has_its_disclosure_whatever_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = LedgerFolder.made(tmp_path / "kept")
    recipient = _open(kept).recipient("a", NOW)
    monkeypatch.setattr(faults, "WRITE_CALLS", (*faults.WRITE_CALLS, "unlink", "mkdir"))
    with monkeypatch.context() as patch:
        counted = Faults(patch, None, "undone").calls
        _open(kept.copied(tmp_path / "counted")).record_many([_planned(recipient)], THREE, NOW)
    for step, name in enumerate(counted):
        made, what = kept.copied(tmp_path / str(step)), f"call {step} ({name})"
        ledger = _open(made)
        with monkeypatch.context() as patch:
            Faults(patch, step, ("undone", "done")[step % 2])
            try:
                confirmed = len(ledger.record_many([_planned(recipient)], THREE, NOW))
            except UnreachableError:
                confirmed = 0
        there = _open(made).copies()
        assert len(there) >= confirmed, what
        assert ledger.copies() == there, f"{what}: the index is in step with the file"
        for copy in there:
            assert len(_open(made).records(copy)) == 3, what
        (again,) = ledger.record_many([_planned(recipient)], THREE, NOW)
        assert again.number == len(there) + 1, what
        assert made.verify().faults == (), what
