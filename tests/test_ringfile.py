"""The stored form of a ring: what is written is read back, and the seal covers what it must."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from muniment.errors import IntegrityError
from muniment.passphrase import PassphraseLock
from muniment.ringfile import Entry, RingFile, parse_ring, render_ring

KEK = b"k" * 32
LOCK = PassphraseLock(2**15, 8, 1, bytes(32), bytes(40))
MARK = Entry("mark-1", "mark", "2026-11-24T09:00:00+00:00", "ab" * 32, False, b"box")
SIGNING = Entry("signing-1", "signing", "2026-11-24T09:00:00+00:00", "cd" * 32, False, b"box")
RING = RingFile(LOCK, None, (MARK, SIGNING))
PATH = Path("ring.json")


@pytest.mark.parametrize("ring", [RING, replace(RING, custodians=(LOCK, LOCK)), RingFile(LOCK, None, ())])
def test_round_trip(ring: RingFile) -> None:
    read = parse_ring(PATH, render_ring(ring, KEK))
    assert read == ring
    read.verify(PATH, KEK)


def test_seal_covers_all_but_the_signing_box() -> None:
    sealed = parse_ring(PATH, render_ring(RING, KEK))
    replace(sealed, entries=(MARK, replace(SIGNING, box=None))).verify(PATH, KEK)
    for altered in (
        replace(sealed, entries=(MARK,)),
        replace(sealed, entries=(replace(MARK, box=b"other"), SIGNING)),
        replace(sealed, entries=(MARK, replace(SIGNING, commitment="ef" * 32))),
        replace(sealed, custodians=(LOCK, LOCK)),
        replace(sealed, lock=replace(LOCK, salt=bytes([1]) * 32)),
    ):
        with pytest.raises(IntegrityError, match="altered"):
            altered.verify(PATH, KEK)
    with pytest.raises(IntegrityError, match="does not verify"):
        sealed.verify(PATH, b"o" * 32)


def test_repr_shows_no_box() -> None:
    assert "box'" not in repr(RING)
