"""Manifests: canonical there and back, closed to everything else."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.frames import Head
from muniment.ledger.segments.manifest import LEAF_BYTES, Dump, DumpDigest, Manifest, is_manifest

MANIFEST = Manifest(
    id="0a" * 16, sha256="1b" * 32, size=4_567, rows=10, records=20_000, first=100, last=109, start=5, end=9,
    key="segment-3", events="2c" * 32, dumps=(Dump(8, 9_999, "3d" * 32), Dump(9, 9_999, "4e" * 32)), chain="5f" * 32,
    journal=Head(7, "60" * 32),
)  # fmt: skip


def test_the_leaf_is_canonical_json() -> None:
    leaf = MANIFEST.to_leaf()
    value = json.loads(leaf)
    assert leaf == json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    assert (value["kind"], value["file"], value["bytes"]) == ("segment", "0a" * 16 + ".seg", 4_567)
    assert (value["first"], value["last"], value["from"], value["to"]) == (100, 109, 5, 9)
    assert value["dumps"] == [[8, 9_999, "3d" * 32], [9, 9_999, "4e" * 32]]
    assert value["journal"] == {"sequence": 7, "digest": "60" * 32}
    assert Manifest.from_leaf(leaf) == MANIFEST
    assert (MANIFEST.file, MANIFEST.dump_count) == ("0a" * 16 + ".seg", 2)
    assert is_manifest(leaf) and not is_manifest(b'{"kind":"index"}') and not is_manifest(b"\xff")


def test_a_list_of_dumps_too_long_for_a_leaf_becomes_its_digest() -> None:
    dumps = tuple(Dump(row, 2**32, f"{row:064x}") for row in range(2_000))
    long = replace(MANIFEST, rows=2_000, last=3_000, dumps=dumps)
    leaf = long.to_leaf()
    assert len(leaf) < LEAF_BYTES
    lines = (row.to_bytes(8, "big") + (2**32).to_bytes(8, "big") + row.to_bytes(32, "big") for row in range(2_000))
    read = Manifest.from_leaf(leaf)
    assert read.dumps == DumpDigest(2_000, sha256(b"".join(lines)).hexdigest()) == DumpDigest.of(dumps)
    assert (read.dump_count, read.to_leaf()) == (2_000, leaf)


def _with(**members: object) -> bytes:
    value = json.loads(MANIFEST.to_leaf()) | members
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "leaf",
    [
        b"", b"{}", b"[]", b"null", b"5", b"[" * 60_000, b"\xff\xfe", b"9" * 5_000,
        MANIFEST.to_leaf() + b" ", MANIFEST.to_leaf().replace(b":", b": ", 1), b" " * (LEAF_BYTES + 1),
        MANIFEST.to_leaf().replace(b'"bytes":4567', b'"bytes":4567,"bytes":4567'),
        _with(kind="index"), _with(more=1), _with(rows=0), _with(rows=11), _with(rows=True), _with(rows=10.0),
        _with(rows="10"), _with(first=-1), _with(last=2**63), _with(id="0A" * 16), _with(id="0a" * 15), _with(id=5),
        _with(file="../other.seg"), _with(key="mark-1"), _with(key="segment-0"), _with(events="zz" * 32),
        _with(chain="5f" * 31), _with(journal=[7, "60" * 32]), _with(journal={"sequence": 7}), _with(to=4),
        _with(dumps=[[8, 1]]), _with(dumps=[[8, 1, "3d" * 32], [8, 1, "3d" * 32]]), _with(dumps=[[10, 1, "3d" * 32]]),
        _with(dumps=[5]), _with(dumps="none"), _with(dumps={"count": 1}), _with(dumps=None),
    ],
)  # fmt: skip
def test_anything_else_is_refused(leaf: bytes) -> None:
    with pytest.raises(IntegrityError, match="leaf"):
        Manifest.from_leaf(leaf)


@given(st.data())
@settings(max_examples=200)
def test_a_changed_byte_is_refused_or_another_manifest(data: st.DataObject) -> None:
    leaf = bytearray(MANIFEST.to_leaf())
    leaf[data.draw(st.integers(0, len(leaf) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(IntegrityError):
        assert Manifest.from_leaf(bytes(leaf)).to_leaf() == bytes(leaf)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
)


@given(JSON, st.sampled_from(sorted(json.loads(MANIFEST.to_leaf()))))
@settings(max_examples=150)
def test_any_value_in_any_member_raises_nothing_else(value: object, name: str) -> None:
    with contextlib.suppress(IntegrityError):
        Manifest.from_leaf(_with(**{name: value}))
