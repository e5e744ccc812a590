"""Frames: what is written is read back, in its own place only; the layout is fixed by a vector."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.rings import NOW, segment_keys
from muniment import limits
from muniment.errors import IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.ledger.frames import (
    MAGIC,
    Boxes,
    Head,
    canonical_json,
    encode_entries,
    genesis,
    open_head,
    read_chain,
    seal_head,
)

HEADER = MAGIC + bytes(16)
START = genesis(HEADER)
BOXES = Boxes(segment_keys())

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.text(max_size=5), st.dictionaries(st.text(), json_values, max_size=3)), max_size=4))
def test_round_trip(items: list[tuple[str, dict[str, object]]]) -> None:
    frames, written = encode_entries(items, NOW, START, BOXES)
    assert read_chain(frames, START, BOXES) == written
    assert [(entry.kind, entry.body) for entry in written.entries] == items
    assert [entry.sequence for entry in written.entries] == list(range(1, len(items) + 1))


def test_layout_of_chain_and_frame() -> None:
    frames, chain = encode_entries([("a", {}), ("b", {"x": 1})], NOW, START, BOXES)
    digest, offset = sha256(HEADER).digest(), 0
    for entry in chain.entries:
        end = offset + 4 + int.from_bytes(frames[offset : offset + 4], "big")
        assert frames[offset + 4 : offset + 8] == (1).to_bytes(4, "big")
        digest = sha256(digest + frames[offset:end]).digest()
        assert entry.digest == digest.hex()
        offset = end
    assert offset == len(frames)
    assert str(Head(2, chain.entries[1].digest)) == f"2:{digest.hex()}"


def test_entry_opens_in_its_own_place_only() -> None:
    frames, chain = encode_entries([("a", {}), ("b", {})], NOW, START, BOXES)
    half = 4 + int.from_bytes(frames[:4], "big")
    assert read_chain(frames[half:], START, BOXES).entries == ()
    assert read_chain(frames[:half] * 2, START, BOXES).entries == chain.entries[:1]
    assert read_chain(frames, genesis(MAGIC + b"another journal!"), BOXES).entries == ()
    assert read_chain(frames, Head(1, START.digest), BOXES).entries == ()


@given(st.data())
def test_a_flipped_bit_ends_the_chain_there(data: st.DataObject) -> None:
    frames, chain = encode_entries([("a", {}), ("b", {}), ("c", {})], NOW, START, BOXES)
    place = data.draw(st.integers(0, len(frames) - 1))
    altered = bytearray(frames)
    altered[place] ^= 1 << data.draw(st.integers(0, 7))
    read = read_chain(bytes(altered), START, BOXES)
    assert read.entries == chain.entries[: len(read.entries)]
    assert read.end <= place


def test_rotated_keys_open_old_entries_and_old_keys_no_new_ones() -> None:
    old, new = Boxes(segment_keys(1)), Boxes(segment_keys(2))
    first, chain = encode_entries([("a", {})], NOW, START, old)
    head = Head(1, chain.digest.hex())
    second, _ = encode_entries([("b", {})], NOW, head, new)
    assert len(read_chain(first + second, START, new).entries) == 2
    assert len(read_chain(first + second, START, old).entries) == 1
    with pytest.raises(IntegrityError, match="a segment key that this key ring does not hold"):
        open_head(seal_head(head, HEADER, new), HEADER, old, what="head")


def test_head_round_trip_and_its_journal() -> None:
    sealed = seal_head(START, HEADER, BOXES)
    assert open_head(sealed, HEADER, BOXES, what="head") == START
    with pytest.raises(IntegrityError):
        open_head(sealed, MAGIC + b"another journal!", BOXES, what="head")


def test_misuse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="time zone"):
        encode_entries([("a", {})], datetime(2026, 1, 1), START, BOXES)
    with pytest.raises(ValueError, match="JSON compliant"):
        encode_entries([("a", {"x": float("nan")})], NOW, START, BOXES)
    with pytest.raises(ValueError, match="segment key"):
        Boxes([Key("mark-1", Purpose.MARK, bytes(32))])
    with pytest.raises(ValueError, match="segment key"):
        Boxes([])
    monkeypatch.setattr(limits, "JOURNAL_FRAME_BYTES", 100)
    with pytest.raises(LimitError, match="at most 100"):
        encode_entries([("a", {"x": "y" * 100})], NOW, START, BOXES)


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": 1, "a": "臺"}) == '{"a":"臺","b":1}'.encode()
    assert "secret" not in repr(BOXES)
    assert replace(START, time=NOW).digest == START.digest
