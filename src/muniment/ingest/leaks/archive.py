"""Zip and gzip: each member read as a leak of its own, one archive inside another at most.

Rules
1. Nothing is unpacked to disk, and a member's name is a text, never a path: `../../etc/passwd` is as harmless as `a`.
2. Bytes are counted while they are unpacked (`source.Meter`); the sizes that the archive declares are not believed.
3. An encrypted member refuses the archive: a verdict on part of a leak needs a person who knows that it is a part.
   A member that cannot be read is skipped with its reason.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast

from muniment.errors import InputError, LimitError
from muniment.ingest.leaks.leak import LeakTable, shown
from muniment.ingest.leaks.source import UNPACK_ERRORS, Meter, Reading, Source
from muniment.limits import ARCHIVE_DIRECTORY_BYTES, ZIP_MEMBERS

_ENCRYPTED: Final = 1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Methods that are unpacked a bounded piece at a time; the others of the standard library are not."""
_LITTER: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini"})

ReadSource = Callable[[Source], tuple[LeakTable, ...]]


class _Careful(io.RawIOBase):
    """A file under a zip reader, which asks for the whole directory at once, however long it claims to be."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._stream = stream
        self._file = file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int = -1, /) -> bytes:
        most = ARCHIVE_DIRECTORY_BYTES
        data = self._stream.read(size if 0 <= size <= most else most + 1)
        if len(data) > most:
            raise LimitError(f"{self._file}: a zip directory of more than {most:,} bytes")
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def open_zip(source: Source) -> Iterator[tuple[zipfile.ZipFile, int]]:
    """The zip in a source, and its size in bytes; one that lies in another archive is held in memory.

    Raises `InputError` if it is cut short or holds an encrypted member, `LimitError` for a huge directory.
    """
    stream = _Careful(source.raw() if source.path is not None else io.BytesIO(source.whole()), source.name)
    with stream:
        size = stream.seek(0, io.SEEK_END)
        try:
            archive = zipfile.ZipFile(cast(BinaryIO, stream))
        except (*UNPACK_ERRORS, ValueError, OSError, struct.error) as error:
            hint = "copy the file again and compare its size"
            raise InputError(f"{source.name}: not a whole zip file: {error}", hint=hint) from error
        with archive:
            _check_directory(archive, source.name)
            yield archive, size


def _check_directory(archive: zipfile.ZipFile, file: str) -> None:
    if len(archive.filelist) > ZIP_MEMBERS:
        hint = "unpack it and give the files that hold rows"
        raise LimitError(f"{file}: more than {ZIP_MEMBERS:,} members", hint=hint)
    for info in archive.filelist:
        if info.flag_bits & _ENCRYPTED:
            message = f"{file}: the member {shown(info.filename)} is encrypted"
            raise InputError(message, hint="unpack it with its password and give the file inside")


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: str) -> BinaryIO:
    """A stream over a member; `InputError` for a method that cannot be unpacked piece by piece."""
    if info.compress_type not in _METHODS:
        raise InputError(f"{file}: packed by a method that is not read", hint="pack it again with a common zip program")
    try:
        return cast(BinaryIO, archive.open(info))
    except (*UNPACK_ERRORS, ValueError, OSError) as error:
        raise InputError(f"{file}: the member {shown(info.filename)} is damaged: {error}") from error


def read_zip(source: Source, reading: Reading, read: ReadSource) -> tuple[LeakTable, ...]:
    """Read every member of a zip with `read`; those that give no table go to `reading.skipped` with the reason.

    Raises `InputError` where no member gives a table, `LimitError` for a bomb.
    """
    tables: list[LeakTable] = []
    skipped: list[tuple[str, str]] = []
    with open_zip(source) as (archive, size):
        meter = _meter(source, size)
        for info in archive.filelist:
            if info.filename.endswith("/") or _is_litter(info.filename):
                continue
            member = source.member(info.filename, _opener(archive, info, source.name), meter)
            try:
                tables += _named_by(member, read(member))
            except InputError as error:
                if meter.exceeded:
                    raise
                skipped.append((member.inner, error.message))
    if not tables:
        reasons = "; ".join(reason for _, reason in skipped[:3]) or "it is empty"
        raise InputError(f"{source.name}: no member holds a table: {reasons}", hint="unpack it and look at the files")
    reading.skipped.extend(skipped)
    return tuple(tables)


def read_gzip(source: Source, read: ReadSource) -> tuple[LeakTable, ...]:
    """Read what a gzip file holds."""
    meter = _meter(source, source.path.stat().st_size if source.path is not None else 0)

    def opened() -> BinaryIO:
        raw = source.raw()
        stream = gzip.GzipFile(fileobj=raw)
        stream.myfileobj = raw  # type: ignore[assignment]  # closed with it
        return cast(BinaryIO, stream)

    name = source.title
    return read(source.member(name[:-3] if name.lower().endswith(".gz") else name, opened, meter))


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: str) -> Callable[[], BinaryIO]:
    return lambda: open_member(archive, info, file)


def _meter(source: Source, size: int) -> Meter:
    """An archive on disk has a bound of its own; one inside another stays under the bound of the outer one."""
    if source.path is None:
        return source.meter
    return Meter.for_archive(source.name, size, source.meter.progress)


def _named_by(member: Source, tables: tuple[LeakTable, ...]) -> list[LeakTable]:
    """The tables of a member, named so that those of two members can be told apart."""
    title = member.title
    return [table if table.name == title else replace(table, name=shown(f"{title}/{table.name}")) for table in tables]


def _is_litter(name: str) -> bool:
    """Whether a member is what file managers leave behind."""
    path = PurePosixPath(name)
    return path.name.lower() in _LITTER or path.parts[:1] == ("__MACOSX",) or path.name.startswith("._")
