"""Key rings and journals for tests: one passphrase, one time, cheap scrypt where it is not the thing tested."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from muniment.keys import Key, Purpose

PASSPHRASE = "correct horse battery staple"
CUSTODIANS = ("first custodian's words", "second custodian's words")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def segment_keys(number: int = 1) -> tuple[Key, ...]:
    """Segment keys `segment-1` to `segment-NUMBER`, the same on every call."""
    return tuple(Key(f"segment-{n}", Purpose.SEGMENT, bytes([n]) * 32) for n in range(1, number + 1))


class Clock:
    """A clock that moves on by a minute whenever it is read."""

    def __init__(self) -> None:
        self._minutes = count()

    def __call__(self) -> datetime:
        return NOW + timedelta(minutes=next(self._minutes))
