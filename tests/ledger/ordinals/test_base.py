"""The base of a generation: looked up in frame by frame as if it were loaded, and refused wherever it is damaged."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError, UnreachableError
from muniment.ledger.ordinals import base
from muniment.ledger.ordinals.base import BaseFile, write_base
from muniment.ledger.ordinals.contents import Contents
from muniment.ledger.ordinals.files import path_of
from muniment.ledger.ordinals.frames import Change, Frame
from muniment.ledger.ordinals.ranges import Reserved

KEY = b"t" * 32
START = 16 + 32
HEADER = 8 + 8 + 4 + 16 + 8 + 8 + 4 + 16
LAST = 2**64 - 1


def _frame(change: Change, entries: dict[int, int]) -> Frame:
    pseudonyms = np.array(list(entries), np.uint64)
    return Frame(change, pseudonyms, np.array(list(entries.values()), np.uint32), Reserved(5_000, 0, 9, b"s" * 16))


def _contents(persons: dict[int, int], aliases: dict[int, int] | None = None) -> Contents:
    return Contents().after([_frame(Change.ALLOCATE, persons), _frame(Change.ALIAS, aliases or {})])


def _found(opened: BaseFile, *values: int) -> list[int | None] | None:
    answer = opened.lookup(np.array(values, np.uint64))
    if answer is None:
        return None
    assert not answer[0][~answer[1]].any()
    return [ordinal if known else None for ordinal, known in zip(answer[0].tolist(), answer[1].tolist(), strict=True)]


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "ENTRIES", 4)


PERSONS = {100 * i: i for i in range(1, 23)}
ALIASES = {100 * i + 7: i for i in range(1, 11)}
"""Six frames of persons, the last with two entries, and three of further pseudonyms, the last with two."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_base(tmp_path, 4, KEY, _contents(PERSONS, ALIASES))
    return path_of(tmp_path, 4, "base")


def _frames() -> list[range]:
    """The bytes of each frame."""
    sizes, start = [64, 64, 64, 64, 64, 40, 64, 64, 40], START + HEADER + 8 * 9 + 16
    return [range(start + sum(sizes[:i]), start + sum(sizes[: i + 1])) for i in range(len(sizes))]


# --- what it does ------------------------------------------------------------------------------------------------


def test_everything_is_read_back(path: Path) -> None:
    opened, expected = BaseFile(path.parent, 4, KEY), _contents(PERSONS, ALIASES)
    again = opened.contents()
    assert again.state == opened.state == expected.state
    assert (opened.persons, opened.frames) == (len(PERSONS), 9)
    for runs, other in ((again.persons, expected.persons), (again.aliases, expected.aliases)):
        assert [column.tolist() for column in runs.entries()] == [column.tolist() for column in other.entries()]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == _frames()[-1].stop
    assert "persons=22" in repr(opened)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.one_of(st.sampled_from([0, 1, LAST - 1, LAST]), st.integers(0, 60)), max_size=40, unique=True),
    split=st.integers(0, 40),
    asked=st.lists(st.one_of(st.sampled_from([0, 1, LAST - 1, LAST]), st.integers(0, 60)), max_size=12),
    entries=st.integers(1, 9),
)
def test_frames_answer_as_everything_does(
    tmp_path: Path, numbers: list[int], split: int, asked: list[int], entries: int
) -> None:
    """At the edges of the space and of a frame too; with `None` only where more is asked than there are frames."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "ENTRIES", entries)
        ordinals = dict(zip(numbers, range(len(numbers)), strict=True))
        persons, aliases = dict(list(ordinals.items())[:split]), dict(list(ordinals.items())[split:])
        write_base(tmp_path, 1, KEY, _contents(persons, aliases))
    whole = BaseFile(tmp_path, 1, KEY).contents()
    expected, found = whole.lookup(np.array(asked, np.uint64))
    assert found.tolist() == [value in ordinals for value in asked]
    loaded = [int(ordinal) if known else None for ordinal, known in zip(expected, found, strict=True)]
    assert [_found(BaseFile(tmp_path, 1, KEY), value) for value in asked] == [[answer] for answer in loaded]
    frames = -(-len(persons) // entries) - (-len(aliases) // entries)
    assert _found(BaseFile(tmp_path, 1, KEY), *asked) == (None if len(asked) > frames > 0 else loaded)


def test_only_the_frames_that_are_needed_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, read = BaseFile(path.parent, 4, KEY), list[int]()
    real = os.pread

    def pread(descriptor: int, count: int, start: int) -> bytes:
        read.append(start)
        return real(descriptor, count, start)

    monkeypatch.setattr(os, "pread", pread)
    starts = [frame.start for frame in _frames()]
    assert _found(opened, 99) == [None]  # before every person and every alias
    assert read == []
    assert _found(opened, 500, 800) == [5, 8]
    assert read == [starts[1]]
    assert _found(opened, 507) == [5]
    assert read[1:] == [starts[1], starts[7]]
    assert _found(opened, LAST) == [None]
    assert read[3:] == [starts[5], starts[8]]


def test_frames_are_counted_until_reading_everything_is_cheaper(path: Path) -> None:
    opened = BaseFile(path.parent, 4, KEY)
    assert [_found(opened, 100) for _ in range(9)] == [[1]] * 9
    assert _found(opened, 100) is None
    assert _found(BaseFile(path.parent, 4, KEY), *range(100, 1_100, 100)) is None


def test_a_base_of_nobody_answers(tmp_path: Path) -> None:
    write_base(tmp_path, 1, KEY, Contents())
    opened = BaseFile(tmp_path, 1, KEY)
    assert _found(opened, 0, 5, LAST) == [None] * 3
    assert len(opened.contents().persons) == opened.persons == 0


def test_it_can_be_read_after_it_was_removed_until_it_is_closed(path: Path) -> None:
    opened = BaseFile(path.parent, 4, KEY)
    path.unlink()
    assert _found(opened, 300) == [3]
    opened.close()
    opened.close()
    with pytest.raises(ValueError, match="not open"):
        opened.lookup(np.array([300], np.uint64))


def test_the_descriptor_goes_with_the_object(path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    opened = BaseFile(path.parent, 4, KEY)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    del opened
    path.write_bytes(b"")
    with pytest.raises(IntegrityError):
        BaseFile(path.parent, 4, KEY)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_disk_that_cannot_be_read_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = BaseFile(path.parent, 4, KEY)

    def refuse(*_: object) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(os, "pread", refuse)
    for action in (lambda: opened.lookup(np.array([300], np.uint64)), opened.contents):
        with pytest.raises(UnreachableError, match="could not read"):
            action()


# --- damage ------------------------------------------------------------------------------------------------------


def test_a_flipped_bit_is_refused_by_whoever_uses_it(path: Path) -> None:
    whole, firsts = path.read_bytes(), [100, 500, 900, 1_300, 1_700, 2_100, 107, 507, 907]
    frames = _frames()
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 1 << place % 8
        path.write_bytes(altered)
        if place < frames[0].start:
            with pytest.raises(IntegrityError, match=r"altered|does not verify"):
                BaseFile(path.parent, 4, KEY)
            continue
        opened, hit = BaseFile(path.parent, 4, KEY), next(i for i, frame in enumerate(frames) if place in frame)
        with pytest.raises(IntegrityError, match=f"frame {hit} of"):
            opened.contents()
        with pytest.raises(IntegrityError, match=f"frame {hit} of"):
            opened.lookup(np.array([firsts[hit]], np.uint64))
        if hit < 6:
            other = firsts[(hit + 1) % 6]
            assert _found(opened, other) == [PERSONS[other]]


def test_a_base_that_is_cut_or_longer_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for data in [*(whole[:cut] for cut in range(len(whole))), whole + b"\0", whole + whole[-40:]]:
        path.write_bytes(data)
        with pytest.raises(IntegrityError):
            BaseFile(path.parent, 4, KEY)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 6), (5, 8)])
def test_exchanged_frames_are_refused(path: Path, first: int, second: int) -> None:
    data, frames = bytearray(path.read_bytes()), _frames()
    one, other = (slice(frames[i].start, frames[i].stop) for i in (first, second))
    data[one], data[other] = data[other], data[one]
    path.write_bytes(data)
    opened = BaseFile(path.parent, 4, KEY)
    with pytest.raises(IntegrityError, match=f"frame {first} of"):
        opened.lookup(np.array([400 * first + 100], np.uint64))


def test_parts_of_another_base_of_the_same_key_are_refused(path: Path, tmp_path: Path) -> None:
    """The same persons, written again: every part fits in size, and none belongs here."""
    (tmp_path / "again").mkdir()
    write_base(tmp_path / "again", 4, KEY, _contents(PERSONS, ALIASES))
    whole, other = path.read_bytes(), path_of(tmp_path / "again", 4, "base").read_bytes()
    fence = range(START + HEADER, _frames()[0].start)
    for part in (range(START), range(START, START + HEADER), fence, *_frames()):
        path.write_bytes(whole[: part.start] + other[part.start : part.stop] + whole[part.stop :])
        with pytest.raises(IntegrityError):
            BaseFile(path.parent, 4, KEY).contents()


def test_a_base_of_another_generation_or_key_does_not_open(path: Path) -> None:
    os.rename(path, path_of(path.parent, 5, "base"))
    for generation, key in [(5, KEY), (5, b"u" * 32), (4, KEY)]:
        with pytest.raises(IntegrityError, match=r"does not verify|missing"):
            BaseFile(path.parent, generation, key)


@pytest.mark.parametrize(
    ("counts", "fence", "frames"),
    [
        ((1, 0, 0), [5], [5]),  # frames of no entries
        ((2, 0, 4), [5], [5]),  # more entries than there are bytes
        ((0, 0, 4), [5], [5]),
        ((2**60, 2**60, 1), [5], [5]),
        ((1, 0, 4), [6], [5]),  # the fence leads to another frame
    ],
)
def test_a_base_that_was_sealed_malformed_is_refused(
    tmp_path: Path, counts: tuple[int, int, int], fence: list[int], frames: list[int]
) -> None:
    cipher = base._Cipher(KEY, 1, b"s" * 32)
    header = base._HEADER.pack(100, 0, 9, bytes(16), *counts)
    texts = [header, np.array(fence, "<u8").tobytes(), np.array(frames, "<u8").tobytes() + bytes(4)]
    parts = [cipher.sealed(number, text) for number, text in enumerate(texts)]
    path_of(tmp_path, 1, "base").write_bytes(base.MAGIC + cipher.salt + b"".join(parts))
    with pytest.raises(IntegrityError, match="malformed"):
        BaseFile(tmp_path, 1, KEY).contents()
    assert "s" * 32 not in repr(cipher)


def test_nothing_in_it_shows_a_pseudonym_or_what_it_counts(tmp_path: Path) -> None:
    write_base(tmp_path, 1, KEY, _contents({int.from_bytes(b"findthis", "little"): 1}))
    data = path_of(tmp_path, 1, "base").read_bytes()
    assert b"findthis" not in data
    assert (5_000).to_bytes(8, "big") not in data
