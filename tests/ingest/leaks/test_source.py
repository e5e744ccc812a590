"""Bytes that are counted while they are read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

import pytest

from muniment.errors import InputError, LimitError, UnreachableError
from muniment.ingest.leaks.source import Meter, Source
from muniment.limits import ARCHIVE_FLOOR_BYTES, LEAK_BYTES, ZIP_RATIO


class Failing(io.BytesIO):
    """A disk that fails."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError(5, "Input/output error")


def member(content: bytes | BinaryIO, meter: Meter | None = None) -> Source:
    outer = Source.of_file(Path("outer.zip"), Meter("outer.zip"))
    raw = (lambda: io.BytesIO(content)) if isinstance(content, bytes) else (lambda: content)
    return outer.member("dir/in\nner.CSV", raw, meter or Meter("outer.zip"))


def test_names() -> None:
    source = member(b"")
    assert (source.name, source.title, source.inner, source.suffix) == (
        "outer.zip > dir/in ner.CSV",
        "dir/in ner.CSV",
        "dir/in ner.CSV",
        ".csv",
    )
    assert source.path is None


def test_every_byte_is_counted_and_progress_told() -> None:
    seen: list[int] = []
    meter = Meter("f", progress=seen.append)
    with member(b"x" * 3_000_000, meter).open() as stream:
        stream.read()
    assert meter.done == 3_000_000 == seen[-1]


def test_the_bound_stops_in_the_middle() -> None:
    meter = Meter("f", most=1_000_000)
    with member(b"x" * 3_000_000, meter).open() as stream, pytest.raises(LimitError, match="f: unpacks to more"):
        stream.read()
    assert meter.exceeded


def test_a_look_at_the_beginning_counts_for_nobody() -> None:
    meter = Meter("f", most=10)
    assert member(b"x" * 1_000, meter).head(100) == b"x" * 100
    assert meter.done == 0


def test_bounds_of_an_archive() -> None:
    assert Meter.for_archive("f", 10, None).most == ARCHIVE_FLOOR_BYTES
    assert Meter.for_archive("f", 2**20, None).most == 2**20 * ZIP_RATIO
    assert Meter.for_archive("f", LEAK_BYTES, None).most == LEAK_BYTES


def test_whole_is_bounded() -> None:
    assert member(b"abc").whole(3) == b"abc"
    with pytest.raises(LimitError, match="held in memory"):
        member(b"abcd").whole(3)


def test_foreign_errors_stop_here(tmp_path: Path) -> None:
    with member(Failing()).open() as stream, pytest.raises(UnreachableError, match=r"outer\.zip > dir"):
        stream.read()
    with pytest.raises(UnreachableError, match="cannot be read"):
        Source.of_file(tmp_path / "absent", Meter("f")).open()
    with pytest.raises(InputError, match="not a whole archive"):
        member(_Broken()).head(5)


class _Broken(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise EOFError("Compressed file ended")
