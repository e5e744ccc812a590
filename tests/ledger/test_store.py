"""The ledger as a whole: written, sealed, read and indexed; and what its readers refuse to answer from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from language.appends import cases, disclosure
from language.ledgers import LedgerFolder, ledger_keys, persons, pseudonym
from language.rings import NOW, segment_keys
from muniment.disclosure import Kind
from muniment.errors import InputError, IntegrityError
from muniment.ledger.batch import Batch
from muniment.ledger.completeness import verify_person_proof
from muniment.ledger.declarations import declare_register
from muniment.ledger.index.runs import RecordIndex
from muniment.ledger.ordinals import table as table_module
from muniment.ledger.pruning import notices, remove
from muniment.ledger.service import SharedWriter
from muniment.ledger.store import Ledger, holds
from muniment.ledger.wal.frames import Head

WITHOUT_SIGNING = ledger_keys(signing=None)


@pytest.fixture
def made(tmp_path: Path) -> LedgerFolder:
    return LedgerFolder.made(tmp_path / "here")


def prune(made: LedgerFolder, count: int) -> None:
    """Prune the oldest segments, as `Books.prune` does."""
    ledger = made.open()
    going = [one.manifest for one in ledger.segments()][:count]
    ledger.log().append([notice.to_leaf() for notice in notices(going, NOW, "the term has passed", NOW)])
    remove(made.ledger / "segments", going)


# --- writing and sealing -------------------------------------------------------------------------------------------


def test_what_was_given_is_sealed_when_the_block_ends(made: LedgerFolder) -> None:
    assert made.give(1, 2, 3) == [1, 2, 3]
    ledger = made.open()
    (segment,) = ledger.segments()
    assert (segment.manifest.rows, segment.manifest.first, segment.manifest.last) == (3, 1, 3)
    assert len(ledger.tail(3)) == 0
    assert ledger.log().checkpoint().size == 1
    assert made.give(4) == [4]
    assert made.cases() == [1, 2, 3, 4]


def test_without_a_signing_key_it_waits_for_one_who_may_sign(made: LedgerFolder) -> None:
    assert made.give_unsealed(1, 2) == [1, 2]
    assert made.open().segments() == ()
    assert made.cases() == [1, 2]
    with pytest.raises(InputError, match="no signing key") as caught:
        made.open(WITHOUT_SIGNING).seal()
    assert "who may sign" in caught.value.hint
    (manifest,) = made.open().seal()
    assert (manifest.first, manifest.last) == (1, 2)
    assert made.open().seal() == ()
    assert made.cases() == [1, 2]
    with pytest.raises(InputError, match="a new ledger needs"):
        made.open(WITHOUT_SIGNING).create()


def test_writing_nests_and_one_may_seal_inside_of_it(made: LedgerFolder) -> None:
    ledger = made.open()
    with ledger.writing() as outer, ledger.writing() as inner:
        assert inner is outer
        inner.append(disclosure(1, [])).result()
        assert [(one.first, one.last) for one in ledger.seal()] == [(1, 1)]
        assert ledger.seal() == ()
        inner.append(disclosure(2, [])).result()
    assert [one.manifest.last for one in made.open().segments()] == [1, 2]


def test_a_block_that_fails_seals_nothing_and_loses_nothing(made: LedgerFolder) -> None:
    with suppress(KeyError), made.open().writing() as appender:
        appender.append(disclosure(1, [])).result()
        raise KeyError
    assert made.open().segments() == ()
    assert made.cases() == [1]
    assert made.give(2) == [2], "the lock was let go of"
    assert made.cases() == [1, 2]


def test_a_second_writer_goes_through_the_first(made: LedgerFolder) -> None:
    first, second = made.open(), made.open()
    with first.writing() as mine, second.writing() as theirs:
        assert isinstance(theirs, SharedWriter) and theirs.local is None
        assert mine.append(disclosure(1, [])).result().first == 1
        given = theirs.ordinals(persons(5))
        assert np.array_equal(mine.ordinals(persons(5)), given)
        assert theirs.append(disclosure(2, sorted(given.tolist()))).result().first == 2
        with pytest.raises(InputError, match="another process holds the writer"):
            second.seal()
    assert [one.manifest.last for one in made.open().segments()] == [2]
    assert made.history(5) == [2]


def test_a_table_that_grew_by_a_lot_is_compacted_and_its_head_put_away(
    made: LedgerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module, "COMPACT_FRAMES", 2)
    for n in (1, 10, 20):
        made.give(n)
    assert [path.name for path in (made.ledger / "ordinals").glob("*.key")] == ["00000002.key"]
    assert made.history(11) == [10]
    assert made.verify(full=True).ok


def test_the_clock_may_go_back(made: LedgerFolder) -> None:
    made.give(1)
    made.clock = lambda: NOW - timedelta(days=400)
    assert made.give(2) == [2]
    batch = made.open().reader().batch(made.open().reader().select())
    assert bool((np.diff(batch.time) >= 0).all())
    assert made.verify(full=True).ok


def test_a_ledger_is_made_once(made: LedgerFolder) -> None:
    with pytest.raises(InputError, match="there is an ordinal table already"):
        made.open().create()
    assert repr(made.open()) == f"Ledger({str(made.ledger)!r})"
    assert list(made.open().public_keys) == ["signing-1"]
    assert made.open().origin == f"muniment/{made.journal().head_at(0).digest[:16]}"


# --- reading -------------------------------------------------------------------------------------------------------


def test_records_of_one_disclosure_sealed_or_not(made: LedgerFolder) -> None:
    made.give(1, 2)
    made.give_unsealed(30)
    ledger = made.open()
    with ledger.table() as table:
        for sequence, n in ((1, 1), (2, 2), (3, 30)):
            assert np.array_equal(ledger.records(sequence), np.sort(table.lookup(persons(n))[0]))
    with pytest.raises(IntegrityError, match="disclosure 4 is not in the ledger") as caught:
        ledger.records(4)
    assert "verify" in caught.value.hint


def test_nobody_was_given(made: LedgerFolder) -> None:
    assert made.cases() == made.history(1) == []
    assert made.open().acknowledged() is None
    assert made.verify(full=True).ok


def test_what_is_sealed_while_it_is_read_is_found_in_the_log(
    made: LedgerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.give_unsealed(1)
    ledger = made.open()
    tail, sealed = Ledger.tail, list[bool]()

    def late(self: Ledger, after: int, head: Head | None = None) -> Batch:
        if not sealed:
            sealed.append(True)
            made.open().seal()
            made.give_unsealed(2)
        return tail(self, after, head)

    monkeypatch.setattr(Ledger, "tail", late)
    segments, batch = ledger.whole()
    assert [one.manifest.last for one in segments] == [1]
    assert cases(batch) == [2]


def test_everything_may_be_pruned(made: LedgerFolder) -> None:
    made.give(1)
    made.give(2)
    prune(made, 2)
    assert made.cases() == []
    ledger = made.open()
    assert ledger.segments() == ()
    assert ledger.pruned == 2
    assert made.verify(full=True).ok
    with pytest.raises(IntegrityError, match=r"may have been pruned|not in the ledger"):
        ledger.records(1)
    made.give_unsealed(3)
    assert made.cases() == [3]
    assert made.give(4) == [4]
    assert made.cases() == [3, 4]
    assert made.verify().ok


def test_pruned_disclosures_do_not_come_back_from_a_write_ahead_file(
    made: LedgerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from muniment.ledger.writer import LocalWriter

    with monkeypatch.context() as patch:  # a crash between the log and giving up the file
        patch.setattr(LocalWriter, "sealed", lambda self, number: None)
        made.give(1, 2)
    assert made.cases() == [1, 2]
    prune(made, 1)
    assert made.cases() == []
    made.give(3)
    assert made.cases() == [3]
    assert [(one.manifest.first, one.manifest.last) for one in made.open().segments()] == [(3, 3)]
    assert made.verify(full=True).ok


# --- the index and proofs ------------------------------------------------------------------------------------------


def test_an_index_that_does_not_verify_is_passed_over_and_built_again(made: LedgerFolder) -> None:
    made.give(1, 2)
    assert made.open().reindex().segments == 1
    assert made.open().logged_index() is not None
    assert made.open().reader().unindexed == 0
    catalogue = made.ledger / "index" / "catalogue"
    catalogue.write_bytes(catalogue.read_bytes()[:-1] + b"?")
    assert made.open().reader().unindexed == 1
    assert made.history(2) == [1, 2]
    made.open().reindex()
    assert made.open().reader().unindexed == 0
    size = made.open().log().checkpoint().size
    made.open().reindex(anew=True)
    assert made.open().log().checkpoint().size == size, "nothing new: no leaf"


def test_a_proof_for_one_person(made: LedgerFolder) -> None:
    made.give(1, 2)
    made.give(3)
    with made.open().prover() as prover:
        proof = prover.prove(pseudonym(3))
    person = verify_person_proof(proof, made.open().verifiers)
    assert [one.numbers["sequence"] for one in person.disclosures] == [1, 2, 3]
    with pytest.raises(IntegrityError):
        verify_person_proof(proof, LedgerFolder.made(made.folder.with_name("other")).open().verifiers)


# --- what is refused -----------------------------------------------------------------------------------------------


def refused(made: LedgerFolder, message: str) -> None:
    """Reading and writing are refused with this message; nothing is appended."""
    with pytest.raises(IntegrityError, match=message) as caught:
        made.cases()
    assert caught.value.exit_code == 3 and caught.value.hint
    with pytest.raises(IntegrityError, match=message):
        made.give(99)


def test_a_missing_segment_is_no_pruned_one(made: LedgerFolder) -> None:
    made.give(1)
    (path,) = (made.ledger / "segments").iterdir()
    path.unlink()
    with pytest.raises(IntegrityError, match="missing, and no notice in the log says that it was pruned"):
        made.cases()
    assert not made.verify().ok


def test_an_older_journal_is_refused(made: LedgerFolder) -> None:
    old = made.copied(made.folder.with_name("old"))
    journal = made.journal()
    declare_register(journal, "persons", key=["id"], columns=[("n", Kind.NAME)], coalition=2, law="none", now=NOW)
    made.give(1, journal=journal)
    kept = made.copied(made.folder.with_name("kept"))
    made.put_back(old, "ledger/journal.bin", "ledger/head")
    refused(made, "the journal does not hold entry 1 as it was when the newest segment was sealed")
    assert made.verify().faults
    made.put_back(kept, "ledger/journal.bin", "ledger/head")
    assert made.cases() == [1]


def test_a_journal_that_others_appended_to_is_read_anew(made: LedgerFolder) -> None:
    behind, journal = made.journal(), made.journal()
    declare_register(journal, "persons", key=["id"], columns=[("n", Kind.NAME)], coalition=2, law="none", now=NOW)
    made.give(1, journal=journal)
    assert len(made.open(journal=behind).reader().select()) == 1
    assert holds(behind, journal.head())
    assert not holds(behind, replace(journal.head(), sequence=2))
    assert not holds(behind, replace(journal.head(), digest="0" * 64))


def test_an_older_table_is_refused_by_readers_too(made: LedgerFolder) -> None:
    made.give(1)
    old = made.copied(made.folder.with_name("old"))
    made.give(50)
    made.put_back(old, "ledger/ordinals")
    message = "changes of the ordinal table were acknowledged"
    with pytest.raises(IntegrityError, match=message):
        made.history(50)
    with pytest.raises(IntegrityError, match=message):
        made.give(99)
    assert any(message in fault for fault in made.verify().faults)


def test_a_write_ahead_file_that_was_cut_short_is_refused_by_readers_too(made: LedgerFolder) -> None:
    made.give_unsealed(1, 2)
    (path,) = (made.ledger / "wal").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(IntegrityError, match=r"ends at disclosure 1, but 2 were acknowledged in .*away"):
        made.cases()
    with pytest.raises(IntegrityError, match="cut short or altered"):
        made.give(3)
    path.write_bytes(whole)
    assert made.cases() == [1, 2]


def test_a_write_ahead_file_that_is_missing_is_refused_by_readers_too(made: LedgerFolder) -> None:
    made.give_unsealed(1)
    made.give_unsealed(2)
    first, second = sorted((made.ledger / "wal").iterdir())
    whole = first.read_bytes()
    first.unlink()
    with pytest.raises(IntegrityError, match="after number 0 are in no segment, and their write-ahead file is missing"):
        made.cases()
    first.write_bytes(whole)
    second.unlink()
    with pytest.raises(IntegrityError, match="ends at disclosure 1, but 2 were acknowledged"):
        made.cases()


def test_a_key_ring_of_someone_else(made: LedgerFolder) -> None:
    made.give(1)
    strange = ledger_keys(segment=segment_keys(2)[1:])
    ledger = made.open(strange)
    with pytest.raises(IntegrityError, match="a segment key that this key ring does not hold"):
        ledger.reader()
    with pytest.raises(IntegrityError, match="a segment key that this key ring does not hold"):
        ledger.table()
    with pytest.raises(IntegrityError, match=r"does not hold|does not verify"), ledger.writing():
        pass
    with pytest.raises(IntegrityError, match="sealed under segment-1, which this key ring does not hold"):
        ledger.segments()[0].batch()


def test_a_new_segment_key_opens_what_the_old_one_sealed(made: LedgerFolder) -> None:
    made.give(1)
    made.open().reindex()
    made.keys = ledger_keys(segment=segment_keys(2))
    made.give(2)
    assert [one.manifest.key for one in made.open().segments()] == ["segment-1", "segment-2"]
    made.open().reindex()
    assert made.history(2) == [1, 2]
    assert made.verify(full=True).ok


def test_an_index_of_another_ledger_is_passed_over(made: LedgerFolder) -> None:
    other = LedgerFolder.made(made.folder.with_name("other"))
    other.give(7, 8)
    other.open().reindex()
    made.give(1)
    made.put_back(other, "ledger/index")
    assert len(RecordIndex.open(made.ledger / "index", made.keys.segment).runs) == 1
    assert made.open().reader().unindexed == 1
    assert made.history(1) == [1]
    made.open().reindex()
    assert made.verify(full=True).ok
