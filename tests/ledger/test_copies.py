"""Recipients are numbered in order, copies are durable, and `before` hides what came later."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from language.faults import Faults
from language.rings import NOW, Clock, segment_keys
from muniment.disclosure import Copy, Recipient
from muniment.errors import InputError, LimitError, UnreachableError
from muniment.ledger.copies import CopyLedger, JournalCopies, PlannedCopy
from muniment.ledger.journal import Journal
from muniment.ledger.sets import SealedSets

KEYS = segment_keys()


def _open(folder: Path) -> JournalCopies:
    return JournalCopies(Journal.open(folder / "journal.bin", KEYS), SealedSets(folder / "records", KEYS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Journal.create(tmp_path / "journal.bin", KEYS)
    return tmp_path


def _planned(recipient: Recipient, register: str = "persons", purpose: str = "audit") -> PlannedCopy:
    return PlannedCopy(
        recipient, register, purpose, "city = '臺北'", ("name", "address"), 120, 240, "mark-1", "ab" * 32, "cd" * 32
    )


def test_it_is_a_copy_ledger(folder: Path) -> None:
    ledger: CopyLedger = _open(folder)
    assert ledger.copies() == ()
    assert ledger.known_recipients() == ()


def test_recipients_are_numbered_in_order_and_found_again(folder: Path) -> None:
    ledger = _open(folder)
    assert ledger.recipients(["Tax office", "王小明", "Tax office"], NOW) == (
        Recipient(1, "Tax office"),
        Recipient(2, "王小明"),
        Recipient(1, "Tax office"),
    )
    again = _open(folder)
    assert again.recipient("王小明", NOW) == Recipient(2, "王小明")
    assert again.recipient("Caf\u00e9", NOW) == again.recipient("Cafe\u0301", NOW) == Recipient(3, "Caf\u00e9")
    assert [recipient.number for recipient in again.known_recipients()] == [1, 2, 3]
    assert ledger.recipient("tax office", NOW).number == 4


@pytest.mark.parametrize("name", ["", " ", "x" * 10_000, "a\nb", "a\x00"])
def test_bad_name_numbers_nobody(folder: Path, name: str) -> None:
    ledger = _open(folder)
    with pytest.raises(InputError, match="the name of a recipient"):
        ledger.recipients(["good", name], NOW)
    assert ledger.known_recipients() == ()


def test_copy_is_read_back_with_every_field(folder: Path) -> None:
    ledger = _open(folder)
    recipient = ledger.recipient("../../etc/passwd", NOW)
    copy = ledger.record(_planned(recipient), NOW)
    assert copy == Copy(
        1, recipient, "persons", NOW, "audit", "city = '臺北'", ("name", "address"), 120, 240, "mark-1", "ab" * 32,
        "cd" * 32,
    )  # fmt: skip
    assert _open(folder).copies() == (copy,)


def test_filters_and_heads(folder: Path) -> None:
    clock = Clock()
    journal = Journal.open(folder / "journal.bin", KEYS)
    ledger = JournalCopies(journal, SealedSets(folder / "records", KEYS))
    first, second = ledger.recipients(["a", "b"], clock())
    one = ledger.record(_planned(first), clock())
    found_at = clock()
    two = ledger.record(_planned(second, "staff"), clock())
    third = ledger.recipient("c", clock())
    assert ledger.copies("staff") == ledger.copies(recipient=second) == (two,)
    assert ledger.copies("staff", first) == ()
    before = journal.head_before(found_at)
    assert ledger.copies(before=before) == (one,)
    assert ledger.known_recipients(before) == (first, second)
    assert ledger.known_recipients() == (first, second, third)
    assert ledger.copies(before=journal.head_at(0)) == ()


def test_two_ledgers_never_give_one_number_twice(folder: Path) -> None:
    first, second = _open(folder), _open(folder)
    people = [first.recipient("a", NOW), second.recipient("b", NOW), first.recipient("c", NOW)]
    assert [recipient.number for recipient in people] == [1, 2, 3]
    copies = [ledger.record(_planned(people[0]), NOW).number for ledger in (first, second, first)]
    assert copies == [1, 2, 3]


def test_failed_record_leaves_the_index_in_step_with_the_file(folder: Path) -> None:
    ledger = _open(folder)
    recipient = ledger.recipient("a", NOW)
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, "undone")
        ledger.record(_planned(recipient), NOW)
    for step in range(len(steps.calls)):
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, "undone")
            with contextlib.suppress(UnreachableError):
                ledger.record(_planned(recipient), NOW)
        numbers = [copy.number for copy in ledger.copies()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert ledger.copies() == _open(folder).copies()


def test_long_purpose_is_refused(folder: Path) -> None:
    ledger = _open(folder)
    with pytest.raises(LimitError, match="at most 2,000"):
        ledger.record(_planned(ledger.recipient("a", NOW), purpose="x" * 2_001), NOW)


def test_records_are_kept_as_a_set(folder: Path) -> None:
    ledger = _open(folder)
    digest = ledger.store_records(np.array([5, 3, 5], np.uint64))
    assert _open(folder).load_records(digest).tolist() == [3, 5]


def test_a_thousand_recipients_in_one_pass_are_quick(folder: Path) -> None:
    ledger = _open(folder)
    started = time.perf_counter()
    people = ledger.recipients([f"office {n}" for n in range(1_000)], NOW)
    copies = ledger.record_many([_planned(recipient) for recipient in people], NOW + timedelta(seconds=1))
    assert time.perf_counter() - started < 5  # 0.1 s on an idle machine
    assert [copy.number for copy in copies] == list(range(1, 1_001))
    assert _open(folder).copies() == copies
