"""Logging an index, proving under it, and holding it against the segments once more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from language.proofs import KEYS, SPAN, SealedLedger, persons_of, sealed_ledger
from language.rings import NOW
from language.segments import disclosures, numbered
from muniment.errors import InputError, IntegrityError
from muniment.ledger.completeness import verify_person_proof
from muniment.ledger.frames import Head
from muniment.ledger.index.leaf import IndexLeaf, MapRoot
from muniment.ledger.logged import LoggedSegment
from muniment.ledger.proving import Prover, index_leaf, logged_dumps, rederive
from muniment.ledger.segments.segment import write_segment


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> SealedLedger:
    return sealed_ledger(tmp_path_factory.mktemp("ledger"), rows=30)


def _logged(ledger: SealedLedger) -> IndexLeaf:
    return IndexLeaf.from_leaf(ledger.log.leaf(3))


def test_the_leaf_says_what_is_there(ledger: SealedLedger) -> None:
    leaf = _logged(ledger)
    assert leaf == index_leaf(ledger.index, ledger.segments, ledger.persons, NOW)
    assert (leaf.segments, leaf.dumps, leaf.ordinals.entries) == (3, 3, SPAN)
    assert [dump.leaf for dump in logged_dumps(ledger.segments)] == [0, 1, 2]


def test_an_index_that_is_behind_is_not_logged(ledger: SealedLedger) -> None:
    with pytest.raises(InputError, match="does not cover"):
        index_leaf(ledger.index, ledger.segments[:2], ledger.persons, NOW)


def test_a_log_without_an_index_proves_nothing(tmp_path: Path) -> None:
    ledger = sealed_ledger(tmp_path, segments=1, rows=5)
    ledger.log.append([b"{}"])

    class Bare:
        note, checkpoint, inclusion = ledger.log.note, ledger.log.checkpoint, ledger.log.inclusion

        def leaf(self, index: int) -> bytes:
            return b"{}"

    with pytest.raises(InputError, match="no leaf of an index"):
        Prover(Bare(), ledger.segments, ledger.index.maps(), ledger.persons)


def test_what_has_grown_must_be_logged_first(ledger: SealedLedger) -> None:
    with pytest.raises(InputError, match="has grown"):
        Prover(ledger.log, ledger.segments, ledger.index.maps()[:0], ledger.persons)
    with pytest.raises(InputError, match="has grown"):
        Prover(ledger.log, ledger.segments, ledger.index.maps(), persons_of(SPAN + 1))


def test_segments_sealed_after_the_index_are_left_out(tmp_path: Path) -> None:
    ledger = sealed_ledger(tmp_path, segments=2, rows=10)
    folder = tmp_path / "segments"
    later = numbered(disclosures(9, 10, SPAN), 1_000)
    manifest = write_segment(folder, later, key=KEYS[-1], span=SPAN, chain=bytes(32), journal=Head(0, "0" * 64))
    leaf = ledger.log.append([manifest.to_leaf()]).size - 1
    unread = LoggedSegment(leaf, manifest.to_leaf(), lambda _: pytest.fail("a segment behind the index was opened"))
    prover = Prover(ledger.log, [*ledger.segments, unread], ledger.index.maps(), ledger.persons)
    found = verify_person_proof(prover.prove(1), ledger.vkeys)
    assert (found.index, found.size, found.segments) == (2, 4, 2)


def test_an_index_follows_from_its_segments(ledger: SealedLedger, tmp_path: Path) -> None:
    done: list[int] = []
    rederive(_logged(ledger), ledger.segments, ledger.persons, folder=tmp_path, keys=KEYS, done=done.append)
    assert done == [1]


def test_a_wrong_index_is_found(ledger: SealedLedger, tmp_path: Path) -> None:
    logged = _logged(ledger)
    wrong = replace(logged.runs[0], map=MapRoot(b"x" * 32, logged.runs[0].map.entries, logged.runs[0].map.salt))
    faults = {
        "does not follow": replace(logged, runs=(wrong,)),
        "other segments": replace(logged, segments=2),
        "or dumps": replace(logged, dump_digest=b"x" * 32),
        "table of ordinals": replace(logged, ordinals=wrong.map),
    }
    for number, (message, leaf) in enumerate(faults.items()):
        with pytest.raises(IntegrityError, match=message):
            rederive(leaf, ledger.segments, ledger.persons, folder=tmp_path / str(number), keys=KEYS)


def test_a_prover_refuses_an_index_that_was_not_logged(tmp_path: Path) -> None:
    ledger = sealed_ledger(tmp_path, segments=1, rows=10)
    leaf = IndexLeaf.from_leaf(ledger.log.leaf(1))
    run = leaf.runs[0]
    forged = replace(leaf, runs=(replace(run, map=replace(run.map, root=b"x" * 32)),))
    ledger.log.append([forged.to_leaf()])
    with pytest.raises(IntegrityError, match="not the one that was logged"):
        ledger.prover()
