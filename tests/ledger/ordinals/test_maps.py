"""Sorted Merkle maps: presence and absence, and nothing forged."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.log import tree
from muniment.ledger.ordinals.maps import PAGE, ArrayEntries, MapProof, MerkleMap, digests

EMPTY_ROOT = sha256(b"").digest()


def _array(rows: list[bytes]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 32)


def _numbered(count: int) -> dict[bytes, bytes]:
    return {sha256(b"k%d" % n).digest(): sha256(b"v%d" % n).digest() for n in range(count)}


def _map(entries: dict[bytes, bytes]) -> MerkleMap:
    return MerkleMap.build(_array(list(entries)), _array(list(entries.values())))


def _plain_root(entries: dict[bytes, bytes]) -> bytes:
    return tree.root([sha256(b"\x20" + key + entries[key]).digest() for key in sorted(entries)])


KEYS = st.one_of(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 5).map(lambda n: bytes(31) + bytes([n])),
    st.integers(0, 5).map(lambda n: bytes([n]) + bytes(31)),
)


@settings(max_examples=60)
@given(
    entries=st.dictionaries(KEYS, st.binary(min_size=32, max_size=32), max_size=12), others=st.lists(KEYS, max_size=6)
)
def test_root_is_rfc_6962_and_every_key_is_proved(entries: dict[bytes, bytes], others: list[bytes]) -> None:
    built = _map(entries)
    assert built.root == _plain_root(entries)
    assert len(built) == len(entries)
    for key in (*entries, *others):
        proof = MapProof.from_json(json.loads(json.dumps(built.prove(key).to_json())))
        assert proof == built.prove(key)
        assert proof.verify(key, built.root, len(built)) == entries.get(key)


@pytest.mark.parametrize(
    "size", [1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE + 7, 5 * PAGE + PAGE // 2, 66 * PAGE + 3]
)
def test_pages_change_nothing(size: int) -> None:
    entries = _numbered(size)
    built, ordered = _map(entries), sorted(entries)
    assert built.root == _plain_root(entries)
    for place in {0, size // 2, size - 1, min(PAGE, size - 1), PAGE - 1 if size >= PAGE else 0}:
        key = ordered[place]
        assert built.prove(key).verify(key, built.root, size) == entries[key]
    for key in (bytes(32), b"\xff" * 32, ordered[size // 2][:31] + bytes([ordered[size // 2][31] ^ 1])):
        assert built.prove(key).verify(key, built.root, size) is None


def test_the_empty_map_holds_nothing() -> None:
    built = _map({})
    assert built.root == EMPTY_ROOT
    assert built.prove(bytes(32)).leaves == ()
    assert built.prove(bytes(32)).verify(bytes(32), EMPTY_ROOT, 0) is None
    with pytest.raises(IntegrityError, match="neither"):
        MapProof(()).verify(bytes(32), bytes(32), 0)


def test_a_key_that_is_there_cannot_be_denied() -> None:
    entries = _numbered(20)
    built, ordered = _map(entries), sorted(entries)
    leaf = {i: built.prove(ordered[i]).leaves[0] for i in range(20)}
    key = ordered[7]
    lies = [
        (),
        (leaf[6],),
        (leaf[8],),
        (leaf[6], leaf[8]),
        (leaf[8], leaf[6]),
        (leaf[6], leaf[7]),
        (leaf[7], leaf[8]),
        (leaf[0],),
        (leaf[19],),
        (replace(leaf[8], index=7),),
        (leaf[6], replace(leaf[8], index=7)),
        (replace(leaf[7], value=bytes(32)),),
    ]
    for leaves in lies:
        with pytest.raises(IntegrityError):
            MapProof(leaves).verify(key, built.root, 20)


def test_a_key_that_is_absent_cannot_be_claimed() -> None:
    entries = _numbered(20)
    built, ordered = _map(entries), sorted(entries)
    absent = ordered[7][:31] + bytes([ordered[7][31] ^ 1])
    forged = replace(built.prove(ordered[7]).leaves[0], key=absent)
    with pytest.raises(IntegrityError, match="root"):
        MapProof((forged,)).verify(absent, built.root, 20)


def test_a_proof_of_another_root_or_size_is_refused() -> None:
    entries = _numbered(20)
    built, key = _map(entries), min(entries)
    for root, size in [(bytes(32), 20), (built.root, 40), (built.root, 1), (built.root, 0)]:
        with pytest.raises(IntegrityError):
            built.prove(key).verify(key, root, size)
    last = b"\xff" * 32
    with pytest.raises(IntegrityError):
        built.prove(last).verify(last, built.root, 21)


def test_every_altered_digest_is_noticed() -> None:
    entries = _numbered(50)
    built = _map(entries)
    key = sorted(entries)[30]
    (leaf,) = built.prove(key).leaves
    for i, digest in enumerate(leaf.path):
        path = list(leaf.path)
        path[i] = bytes([digest[0] ^ 1]) + digest[1:]
        with pytest.raises(IntegrityError):
            MapProof((replace(leaf, path=tuple(path)),)).verify(key, built.root, 50)


def test_keys_that_do_not_rise_are_refused() -> None:
    keys = _array([b"a" * 32, b"b" * 32, b"b" * 32])
    with pytest.raises(ValueError, match="rise"):
        MerkleMap.build(keys, keys)
    with pytest.raises(ValueError, match="rise"):
        MerkleMap(ArrayEntries(keys[::-1].copy(), keys))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=70) | st.binary(max_size=32).map(bytes.hex),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["index", "key", "value", "path", "x"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(stored=JSON)
def test_any_json_is_read_without_another_fault(stored: object) -> None:
    try:
        proof = MapProof.from_json(stored)
    except IntegrityError:
        return
    assert len(proof.leaves) <= 2


@pytest.mark.parametrize(
    "change",
    [
        {"index": -1}, {"index": True}, {"index": "1"}, {"index": 2**63}, {"key": "00"}, {"key": "zz" * 32},
        {"value": 7}, {"path": "00"}, {"path": ["00" * 31]}, {"path": [7]}, {"path": ["00" * 32] * 65}, {"extra": 1},
    ],
)  # fmt: skip
def test_malformed_leaves_are_refused(change: dict[str, object]) -> None:
    stored = _map(_numbered(3)).prove(min(_numbered(3))).to_json()
    with pytest.raises(IntegrityError, match="malformed"):
        MapProof.from_json([stored[0] | change])


def test_digests_are_sha_256_of_each_row() -> None:
    rows = np.random.default_rng(3).integers(0, 256, (70_000, 41), dtype=np.uint8)
    rows[:, -3:] = 0
    hashed = digests(rows)
    for row in (0, 65_535, 65_536, 69_999):
        assert hashed[row].tobytes() == sha256(rows[row].tobytes()).digest()
    assert digests(rows[:0]).shape == (0, 32)
