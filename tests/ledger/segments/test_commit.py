"""Commitments: equal to a slow reading of the rules, one hash at a time, by another hand than the fast one."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from language.segments import a_batch
from muniment.errors import IntegrityError
from muniment.ledger.batch import Batch
from muniment.ledger.segments import commit, shapes
from muniment.ledger.segments.commit import Commitments, Committer, PagedTree
from muniment.prf import hkdf

SECRET = b"s" * 32
ROOT = hkdf(SECRET, "muniment commit 1", length=32)


def _h(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def _salt(label: str, row: int, position: int) -> bytes:
    key = Cipher(algorithms.AES(hkdf(ROOT, label)), modes.ECB()).encryptor()
    return key.update(row.to_bytes(8, "big") + position.to_bytes(8, "big"))


def _merkle(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, by its own recursion."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return _h(b"\1", _merkle(hashes[:split]), _merkle(hashes[split:]))


def _set_root(row: int, records: list[int], span: int) -> bytes:
    if len(records) >= 4096 and 8 * len(records) >= span:
        held = set(records)
        leaves = [
            _h(b"\x12", _salt("record salt", row, o), o.to_bytes(4, "big"), bytes([o in held]))
            for o in range(-(-span // 64) * 64)
        ]
    else:
        leaves = [
            _h(b"\x10", _salt("record salt", row, position), ordinal.to_bytes(4, "big"))
            for position, ordinal in enumerate(records)
        ]
    chunks = [_h(b"\x11", *leaves[at : at + 64]) for at in range(0, len(leaves), 64)]
    return _merkle(chunks) if chunks else _h(b"\x15")


def _field(name: str, text: str) -> bytes:
    return _h(b"\x13", hkdf(ROOT, "field", name, length=16), text.encode())


def _event(batch: Batch, row: int, span: int) -> bytes:
    records = batch.records(row).tolist()
    dump = len(records) >= 4096 and 8 * len(records) >= span
    party = json.loads(batch.party[row])
    digest = _h(b"\x14", *(_field(name, party[name]) for name in ("recipient", "account", "device")))
    numbers = (batch.sequence, batch.time, batch.rows, batch.size, batch.released, batch.occurred)
    return _h(
        b"\0",
        _salt("event salt", row, 0),
        *(int(column[row]).to_bytes(8, "big", signed=True) for column in numbers),
        digest,
        *(_field(name, getattr(batch, name)[row]) for name in ("template", "case", "fingerprint")),
        bytes([2 if dump else 1 if records else 0]),
        (span if dump else 0).to_bytes(8, "big"),
        _set_root(row, records, span),
    )


@pytest.mark.parametrize("window", [1, 100, commit._WINDOW])
def test_every_root_is_that_of_the_rules(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "_WINDOW", window)
    span = 9_999
    batch, _ = shapes.arranged(a_batch(rows=60, span=span, dumps=2), span)
    found = Committer(batch, span, SECRET).commitments()
    assert sorted(found.dumps) == [60, 61]
    for row, chunks in found.dumps.items():
        assert chunks.root == _set_root(row, batch.records(row).tolist(), span)
    assert found.events.root == _merkle([_event(batch, row, span) for row in range(len(batch))])


def test_more_events_than_a_page() -> None:
    batch, _ = shapes.arranged(a_batch(rows=2_100), 10_000)
    committer = Committer(batch, 10_000, SECRET)
    leaves = [leaf for page in range(3) for leaf in committer.event_page(page, {})]
    assert len(leaves) == 2_100
    assert committer.commitments().events.root == _merkle(leaves)


@pytest.mark.parametrize("size", [1, 2, 1_023, 1_024, 1_025, 3_000])
def test_a_paged_tree_is_the_whole_tree(size: int) -> None:
    leaves = [_h(bytes([i % 256]), bytes([i // 256])) for i in range(size)]
    paged = PagedTree.of(leaves)
    assert paged.root == _merkle(leaves)
    last = (size - 1) // commit.PAGE
    commit.tree.verify_inclusion(
        leaves[-1], size - 1, size, paged.path(size - 1, leaves[last * commit.PAGE :]), paged.root
    )
    with pytest.raises(IntegrityError, match="commitments that are stored"):
        paged.path(size - 1, [*leaves[last * commit.PAGE : -1], bytes(32)])


def test_another_secret_or_row_gives_other_roots() -> None:
    batch, _ = shapes.arranged(a_batch(rows=10), 10_000)
    roots = {
        Committer(batch, 10_000, SECRET).commitments().events.root,
        Committer(batch, 10_000, b"t" * 32).commitments().events.root,
        Committer(batch.take(np.arange(9)), 10_000, SECRET).commitments().events.root,
    }
    assert len(roots) == 3


def test_equal_records_of_two_rows_have_different_leaves() -> None:
    batch, _ = shapes.arranged(a_batch(rows=10), 10_000)
    twice = batch.take(np.array([9, 9]))
    leaves = Committer(twice, 10_000, SECRET).record_leaves(0, 2)
    assert len(set(leaves)) == len(leaves) == 2 * int(batch.counts[9]) > 0


def test_what_cannot_be_committed_is_refused() -> None:
    batch = a_batch(rows=30)
    with pytest.raises(ValueError, match="arranged"):
        Committer(batch, 10_000, SECRET)
    ordered, _ = shapes.arranged(batch, 10_000)
    with pytest.raises(ValueError, match="beyond"):
        Committer(ordered, 50, SECRET)


def test_commitments_are_text_and_back() -> None:
    batch, _ = shapes.arranged(a_batch(rows=30, dumps=1), 10_000)
    found = Committer(batch, 10_000, SECRET).commitments()
    text = found.to_text()
    assert Commitments.from_text(text, 10_000) == found
    for other in ("", "[]", "{}", "1", '{"events":[1,"AA=="]}', '{"events":5}', "[" * 100_000, text + " ", text[:-9]):
        with pytest.raises(IntegrityError):
            Commitments.from_text(other, 10_000)
