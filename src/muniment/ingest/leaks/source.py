"""`Source`: one stretch of foreign bytes - a file, or a member of an archive - that can be opened again and again.

Rules
1. Nothing of a leak is ever written to disk, and no name from inside a file is ever used as a path.
2. Every byte that is handed out passes a `Meter`: declared sizes are never believed.
3. Foreign exceptions of the operating system and the unpackers stop here.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final

from muniment.errors import InputError, LimitError, UnreachableError
from muniment.ingest.leaks.builder import Budget
from muniment.ingest.leaks.leak import shown
from muniment.limits import ARCHIVE_FLOOR_BYTES, DOCUMENT_BYTES, LEAK_BYTES, ZIP_RATIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UNPACK_ERRORS: Final = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""What the unpackers of the standard library raise for bytes that are not what they should be."""

_BUFFER: Final = 1 << 20


@dataclass(slots=True)
class Meter:
    """Counts the bytes that leave an archive (or file) and refuses to go on above `most`."""

    file: str
    most: int = LEAK_BYTES
    done: int = 0
    progress: Callable[[int], None] | None = None

    @classmethod
    def for_archive(cls, file: str, packed: int, progress: Callable[[int], None] | None) -> Meter:
        """The bound of an archive of `packed` bytes: ZIP_RATIO times that, at most LEAK_BYTES."""
        return cls(file, min(LEAK_BYTES, max(packed * ZIP_RATIO, ARCHIVE_FLOOR_BYTES)), 0, progress)

    @property
    def exceeded(self) -> bool:
        """Whether the bound was passed: the whole archive is refused then, not a member of it."""
        return self.done > self.most

    def count(self, size: int) -> None:
        """Count `size` more bytes; `LimitError` above the bound."""
        self.done += size
        if self.exceeded:
            raise LimitError(
                f"{self.file}: unpacks to more than {self.most:,} bytes: a bomb, or more than a trace can use",
                hint="unpack it yourself and give the file that holds the rows",
            )
        if self.progress is not None:
            self.progress(self.done)


class _Metered(io.RawIOBase):
    """A stream that counts what it hands out and names the file when its bytes are broken."""

    def __init__(self, stream: BinaryIO, source: str, meter: Meter) -> None:
        self._stream, self._source, self._meter = stream, source, meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        try:
            data = self._stream.read(len(view))
        except UNPACK_ERRORS as error:
            raise InputError(f"{self._source}: not a whole archive: {error}", hint="copy the file again") from error
        except OSError as error:
            raise UnreachableError(f"{self._source}: cannot be read: {error}") from error
        self._meter.count(len(data))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes with a name. `path` is set only where they lie on disk as they are."""

    name: str
    """For messages: the file, or `file > member`."""
    suffix: str
    raw: Callable[[], BinaryIO]
    meter: Meter
    path: Path | None = None

    @classmethod
    def of_file(cls, path: Path, meter: Meter) -> Source:
        """A file on disk."""
        return cls(shown(path.name), path.suffix.lower(), lambda: _opened(path), meter, path)

    def member(self, name: str, raw: Callable[[], BinaryIO], meter: Meter) -> Source:
        """Something inside this source; its name is foreign and used for nothing but messages and its suffix."""
        inside = shown(name) or "(no name)"
        return Source(f"{self.name} > {inside}", PurePosixPath(inside).suffix.lower(), raw, meter)

    @property
    def title(self) -> str:
        """The name of a table that is all of this source: the last part of its name."""
        return self.name.rpartition(" > ")[2]

    @property
    def inner(self) -> str:
        """The name without the file that it lies in."""
        return self.name.partition(" > ")[2] or self.name

    def open(self) -> BinaryIO:
        """A fresh stream from the first byte; reading raises `InputError`, `LimitError` or `UnreachableError`."""
        return io.BufferedReader(_Metered(self.raw(), self.name, self.meter), _BUFFER)

    def peek(self) -> BinaryIO:
        """A fresh stream for a look at the beginning: what is read counts for nobody, so keep it short."""
        return io.BufferedReader(_Metered(self.raw(), self.name, Meter(self.name)), _BUFFER)

    def head(self, size: int) -> bytes:
        """Up to `size` first bytes."""
        with self.peek() as stream:
            return stream.read(size)

    def whole(self, most: int = DOCUMENT_BYTES) -> bytes:
        """All bytes in memory; `LimitError` above `most`."""
        with self.open() as stream:
            data = stream.read(most + 1)
        if len(data) > most:
            raise LimitError(f"{self.name}: more than {most:,} bytes that must be held in memory at once")
        return data


@dataclass(frozen=True, slots=True)
class Reading:
    """What is common to all parts of one leak while it is read."""

    encoding: str | None
    budget: Budget
    skipped: list[tuple[str, str]]
    """Members of archives that gave no table, and why; filled while the leak is read."""


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UnreachableError(f"{path}: cannot be read: {error.strerror}") from error
