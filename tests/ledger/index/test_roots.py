"""The map over a run: the same segments give the same root, and every ordinal has its proof."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from language.rings import segment_keys
from language.streams import batch_of, disclosures, source_of
from muniment.errors import IntegrityError
from muniment.ledger.index import roots
from muniment.ledger.index.build import SegmentPart, write_run
from muniment.ledger.index.pages import PageCache
from muniment.ledger.index.postings import Postings
from muniment.ledger.index.proof import RunProof
from muniment.ledger.index.roots import RunMap
from muniment.ledger.sources import BatchSource

KEYS = segment_keys(2)
SPAN = 400


def _sources(seed: int = 0) -> list[BatchSource]:
    return [
        source_of(batch_of(disclosures(150, SPAN, seed=seed + n, dumps=1), first=1 + 150 * n), 2 + n, SPAN)
        for n in range(2)
    ]


def _map(path: Path, sources: list[BatchSource], key: int = 0) -> RunMap:
    write_run(path, [SegmentPart(source) for source in sources], KEYS[-1])
    return RunMap(Postings(path, KEYS, PageCache(0)), KEYS[key])


def test_every_ordinal_has_its_proof(tmp_path: Path) -> None:
    sources = _sources()
    own = _map(tmp_path / "r", sources)
    wanted = defaultdict(list)
    for source in sources:
        for row in range(source.rows):
            if row not in source.spans():
                for ordinal in source.batch().records(row).tolist():
                    wanted[ordinal].append((source.leaf, row))
    root = own.root
    assert (root.first, root.last, root.map.entries) == (2, 3, len(wanted))
    assert {len(wanted[ordinal]) > 0 for ordinal in range(SPAN)} == {True, False}
    for ordinal in (*range(SPAN), SPAN + 7, 2**32 - 1):
        proof = RunProof.from_json(own.prove(ordinal).to_json())
        assert list(proof.verify(ordinal, root.map)) == wanted.get(ordinal, [])


def test_a_root_follows_from_segments_and_key_alone(tmp_path: Path) -> None:
    root = _map(tmp_path / "a", _sources()).root
    assert _map(tmp_path / "b", _sources()).root == root  # other file id, same segments
    assert _map(tmp_path / "c", _sources(), key=1).root != root
    assert _map(tmp_path / "d", _sources(seed=9)).root != root


def test_proofs_of_others_are_refused(tmp_path: Path) -> None:
    own, other = _map(tmp_path / "a", _sources()), _map(tmp_path / "b", _sources(), key=1)
    proof, logged = own.prove(5), own.root.map
    assert proof.postings
    forgeries = [
        (proof, 6, logged),
        (proof, 5, other.root.map),
        (other.prove(5), 5, logged),
        (replace(proof, postings=proof.postings[1:]), 5, logged),
        (replace(proof, postings=(*proof.postings, (2, 0))), 5, logged),
        (replace(proof, postings=(), salt=None), 5, logged),
        (replace(proof, salt=b"x" * 16), 5, logged),
        (replace(own.prove(SPAN + 7), postings=((2, 0),), salt=b"x" * 16), SPAN + 7, logged),
        (own.prove(SPAN + 7), 5, logged),
    ]
    for forged, ordinal, root in forgeries:
        with pytest.raises(IntegrityError):
            forged.verify(ordinal, root)


def test_a_chosen_salt_cannot_make_anybody_absent(tmp_path: Path) -> None:
    """Some salt makes the key of ordinal 5 fall into a gap whose neighbours the keeper can show."""
    own = _map(tmp_path / "a", _sources())
    absent = own.prove(SPAN + 7)
    low, high = (leaf.key for leaf in absent.proof.leaves)
    salt = next(
        salt
        for salt in (n.to_bytes(32, "big") for n in range(1_000_000))
        if low < roots.key_digest(salt, 5) < high
    )
    with pytest.raises(IntegrityError, match="salt"):
        replace(absent, map_salt=salt).verify(5, own.root.map)


def test_malformed_proofs_are_refused(tmp_path: Path) -> None:
    value = _map(tmp_path / "a", _sources()).prove(5).to_json()
    faults = [
        None,
        [],
        value | {"more": 1},
        value | {"salt": None},
        value | {"salt": "zz" * 16},
        value | {"postings": []},
        value | {"postings": [[1]]},
        value | {"postings": [[1, -1]]},
        value | {"postings": [[1, True]]},
        value | {"map_salt": "00"},
        value | {"map_salt": 5},
        value | {"proof": {}},
    ]
    for fault in faults:
        with pytest.raises(IntegrityError, match="malformed"):
            RunProof.from_json(fault)


def test_keys_that_agree_in_64_bits_are_put_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _map(tmp_path / "a", _sources()).root
    monkeypatch.setattr(roots, "_heads", lambda keys: keys[:, 0].astype(np.uint64) >> np.uint64(3) << np.uint64(59))
    own = _map(tmp_path / "b", _sources())
    assert own.root == expected


def test_an_empty_run_has_the_empty_root(tmp_path: Path) -> None:
    own = _map(tmp_path / "a", [BatchSource(batch_of(disclosures(2, 9, most=1)[1:]), leaf=4)])
    assert own.root.map.entries == 0
    assert own.prove(3).verify(3, own.root.map) == ()
