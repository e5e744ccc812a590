"""The bytes of the append file: a frame opens in its own place only."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.ordinals import frames as module
from muniment.ledger.ordinals.frames import (
    FRAME_BYTES,
    FRAMES_START,
    SLOT_BYTES,
    AppendCipher,
    Change,
    Frame,
    Point,
    next_frame,
)
from muniment.ledger.ordinals.ranges import Reserved
from muniment.sealed import seal

HEADER = module.MAGIC + bytes(32)
CIPHER = AppendCipher(b"t" * 32, 3, HEADER)


def _frame(*pseudonyms: int) -> Frame:
    ordinals = np.arange(len(pseudonyms), dtype=np.uint32)
    return Frame(Change.ALLOCATE, np.array(pseudonyms, np.uint64), ordinals, Reserved(9, 1, 2, b"s" * 16))


@settings(max_examples=40)
@given(pseudonyms=st.lists(st.integers(0, 2**64 - 1), max_size=30), change=st.sampled_from(Change))
def test_round_trip(pseudonyms: list[int], change: Change) -> None:
    frame = Frame(change, *(_frame(*pseudonyms).pseudonyms, _frame(*pseudonyms).ordinals), Reserved(7, 6, 5, b"x" * 16))
    data, after = CIPHER.sealed(frame, CIPHER.genesis)
    assert next_frame(io.BytesIO(data + b"more")) == data
    opened = CIPHER.opened(data, CIPHER.genesis)
    assert opened is not None
    assert opened[1] == after
    assert opened[0].change is change
    assert opened[0].pseudonyms.tolist() == pseudonyms
    assert opened[0].ordinals.tolist() == list(range(len(pseudonyms)))
    assert opened[0].state == frame.state


def test_a_frame_opens_in_its_own_place_only() -> None:
    first, after = CIPHER.sealed(_frame(1), CIPHER.genesis)
    second, end = CIPHER.sealed(_frame(2), after)
    assert end.frames == 2
    assert end.end == FRAMES_START + len(first) + len(second)
    assert CIPHER.opened(second, CIPHER.genesis) is None
    assert CIPHER.opened(first, after) is None
    for other in (AppendCipher(b"u" * 32, 3, HEADER), AppendCipher(b"t" * 32, 4, HEADER)):
        assert other.opened(first, CIPHER.genesis) is None
    for place in range(len(first)):
        altered = bytearray(first)
        altered[place] ^= 1
        opened = CIPHER.opened(bytes(altered), CIPHER.genesis)
        # The length is not under the tag, but under the chain: the frame opens, at a point that no head names.
        assert opened is None or (place < 4 and opened[1].digest != after.digest)


def test_equal_frames_never_have_equal_bytes() -> None:
    assert CIPHER.sealed(_frame(1), CIPHER.genesis)[0] != CIPHER.sealed(_frame(1), CIPHER.genesis)[0]


def test_a_head_that_was_damaged_leaves_the_other() -> None:
    start, points = bytearray(FRAMES_START), [CIPHER.genesis]
    for number in range(1, 4):
        points.append(Point(number, FRAMES_START + number, bytes([number]) * 32))
    for point in points:
        offset, slot = CIPHER.slot(point)
        assert len(slot) == SLOT_BYTES
        start[offset : offset + SLOT_BYTES] = slot
        assert point in CIPHER.heads(bytes(start))
    start[CIPHER.slot(points[3])[0]] ^= 1
    assert CIPHER.heads(bytes(start)) == [points[2]]
    start[CIPHER.slot(points[2])[0]] ^= 1
    assert CIPHER.heads(bytes(start)) == []


@given(data=st.binary(max_size=100))
def test_any_bytes_are_read_without_a_fault(data: bytes) -> None:
    frame = next_frame(io.BytesIO(data))
    assert CIPHER.opened(frame, CIPHER.genesis) is None
    assert CIPHER.heads(data) == []


def test_a_length_beyond_the_bound_is_not_read() -> None:
    assert next_frame(io.BytesIO((FRAME_BYTES + 1).to_bytes(4, "big") + bytes(FRAME_BYTES + 1))) == b""


def test_authentic_but_malformed_is_refused() -> None:
    for text in (b"", bytes(45), b"\x09" + bytes(40)):
        box = seal(CIPHER._key, text, module._place(CIPHER.genesis))
        with pytest.raises(IntegrityError, match="malformed"):
            CIPHER.opened(len(box).to_bytes(4, "big") + box, CIPHER.genesis)


def test_keys_and_pseudonyms_do_not_show() -> None:
    assert (repr(CIPHER), repr(_frame(1, 2))) == ("AppendCipher()", "Frame(ALLOCATE, entries=2)")
