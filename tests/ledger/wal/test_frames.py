"""Frames, headers and heads: whole or nothing, each in its own place, under its own key."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.appends import KEYS, cases, disclosure
from language.rings import segment_keys
from muniment.errors import IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.ledger.batch import Batch
from muniment.ledger.wal import frames
from muniment.ledger.wal.frames import (
    HEADER_BYTES,
    Head,
    Point,
    SegmentKeys,
    advanced,
    genesis,
    make_header,
    open_head,
    parse_header,
    seal_head,
)

RING = SegmentKeys(KEYS)
POINT = Point(7, 1000, bytes(range(32)))


def _bytes(size: int) -> bytes:
    return bytes([9]) * size


def _numbered(first: int, count: int, time: int = 2000) -> Batch:
    return Batch.of([disclosure(n) for n in range(count)]).numbered(first, time)


def test_header_is_read_back() -> None:
    header, _, data = make_header(3, POINT, RING, _bytes)
    assert len(data) == HEADER_BYTES
    assert parse_header(data + b"frames", RING, what="f")[0] == header
    assert (header.number, header.key, header.start) == (3, 1, POINT)


def test_altered_header_does_not_open() -> None:
    _, _, data = make_header(3, POINT, RING, _bytes)
    for place in range(HEADER_BYTES):
        altered = bytearray(data)
        altered[place] ^= 1
        with pytest.raises(IntegrityError):
            parse_header(bytes(altered), RING, what="f")
        with pytest.raises(IntegrityError, match="cut short in its header"):
            parse_header(data[:place], RING, what="f")


def test_header_names_a_key_of_the_ring() -> None:
    _, _, data = make_header(3, POINT, SegmentKeys(segment_keys(2)), _bytes)
    with pytest.raises(IntegrityError, match="does not hold"):
        parse_header(data, RING, what="f")
    other = SegmentKeys([Key("segment-2", Purpose.SEGMENT, b"x" * 32)])
    with pytest.raises(IntegrityError, match="does not verify"):
        parse_header(data, other, what="f")
    with pytest.raises(ValueError, match="segment key"):
        SegmentKeys([Key("mark-1", Purpose.MARK, b"x" * 32)])
    assert "x" * 8 not in repr(other)


def test_frame_opens_in_its_own_place_only() -> None:
    _, cipher, _ = make_header(3, POINT, RING, _bytes)
    _, other, _ = make_header(4, POINT, RING, bytes)
    frame = cipher.seal(5, _numbered(8, 3))
    batch = cipher.open(5, frame)
    assert batch is not None
    assert cases(batch) == [0, 1, 2]
    assert cipher.open(6, frame) is None
    assert other.open(5, frame) is None
    for place in range(len(frame)):
        altered = bytearray(frame)
        altered[place] ^= 0x10
        assert cipher.open(5, bytes(altered)) is None
        assert cipher.open(5, frame[:place]) is None


def test_too_long_a_frame_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _, cipher, _ = make_header(3, POINT, RING, _bytes)
    monkeypatch.setattr(frames, "WAL_FRAME_BYTES", 100)
    with pytest.raises(LimitError, match="at most 100"):
        cipher.seal(0, _numbered(8, 3))


def test_the_chain_goes_through_every_frame() -> None:
    _, cipher, _ = make_header(3, POINT, RING, _bytes)
    batch = _numbered(8, 3)
    frame = cipher.seal(0, batch)
    point = advanced(POINT, frame, batch)
    assert point == Point(10, 2000, sha256(POINT.chain + frame).digest())
    for wrong in (_numbered(7, 3), _numbered(9, 3), _numbered(8, 3, time=999), Batch.of([])):
        with pytest.raises(IntegrityError, match="do not follow"):
            advanced(POINT, frame, wrong)
    assert genesis(_bytes) == Point(0, 0, b"\x09" * 32)


def test_head_is_read_back_under_old_and_new_keys() -> None:
    head = Head(2, 3, 4, POINT)
    sealed = seal_head(head, RING)
    assert open_head(sealed, RING, what="h") == head
    assert open_head(sealed, SegmentKeys(segment_keys(3)), what="h") == head
    assert POINT.chain not in sealed
    with pytest.raises(IntegrityError, match="does not hold"):
        open_head(seal_head(head, SegmentKeys(segment_keys(2))), RING, what="h")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(IntegrityError):
            open_head(bytes(altered), RING, what="h")


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_order(data: bytes) -> None:
    for read in (lambda: parse_header(data, RING, what="f"), lambda: open_head(data, RING, what="h")):
        with pytest.raises(IntegrityError):
            read()
    assert make_header(1, POINT, RING, _bytes)[1].open(0, data) is None


def test_points_compare_by_value() -> None:
    assert replace(POINT) == POINT
    assert replace(POINT, time=1) != POINT
