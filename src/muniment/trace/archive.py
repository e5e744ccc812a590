"""A zip that is the same bytes every time, and that can be read without trusting who wrote it.

Rules
1. Members are stored, not deflated: the same members give the same bytes under any zlib, and no member can unpack to
   more than the file holds. Names are in order, times are fixed.
2. It is written beside its final name, made durable, then renamed: a crash leaves the old file or none.
3. Reading refuses what writing does not make: other compression, two members of one name, a path, encryption, sizes
   that do not add up. Sizes are bounded before anything is read.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from muniment.errors import InputError, IntegrityError, LimitError, UnreachableError
from muniment.limits import BUNDLE_BYTES, BUNDLE_MEMBERS

FIXED_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold; when a bundle was made stands in its manifest."""
_MEMBER_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_PRIVATE_FILE: Final = 0o100600 << 16


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write members (name -> bytes) to `path`, whole or not at all, readable by its owner only.

    Raises `UnreachableError` where the folder cannot be written; nothing is left behind then.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with open(beside, "xb", opener=_private) as file:
                _write_members(file, members)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise UnreachableError(
            f"{path}: cannot be written ({error.strerror})", hint="choose another folder, or make room"
        ) from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write_members(file: IO[bytes], members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, FIXED_TIME)
            info.external_attr = _PRIVATE_FILE
            info.create_system = 3
            archive.writestr(info, members[name])


def read_archive(path: Path) -> dict[str, bytes]:
    """Return the members of an archive that `write_archive` could have made.

    Raises:
        InputError: there is no such file, or it is no zip at all.
        LimitError: it is larger than a bundle may be, or has too many members.
        IntegrityError: it is damaged, or holds what a bundle does not hold.
    """
    try:
        size = path.stat().st_size
        if size > BUNDLE_BYTES:
            raise LimitError(f"{path}: has {size:,} bytes, expected at most {BUNDLE_BYTES:,}")
        with zipfile.ZipFile(path) as archive:
            _check_directory(path, archive.infolist(), size)
            return {info.filename: archive.read(info) for info in archive.infolist()}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise IntegrityError(f"{path}: is no whole bundle: the zip is damaged or cut short") from error


def _check_directory(path: Path, infos: list[zipfile.ZipInfo], size: int) -> None:
    """Check the directory of a zip before a byte of a member is read (rule 3)."""
    if len(infos) > BUNDLE_MEMBERS:
        raise LimitError(f"{path}: has {len(infos):,} members, expected at most {BUNDLE_MEMBERS}")
    names = [info.filename for info in infos]
    if len(set(names)) != len(names):
        raise IntegrityError(f"{path}: two members have the same name")
    for place, info in enumerate(infos):
        if not _MEMBER_NAME.fullmatch(info.filename):
            raise IntegrityError(f"{path}: member {place} has a name that no bundle uses")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.compress_size != info.file_size:
            raise IntegrityError(f"{path}: member {info.filename} is packed or encrypted; a bundle stores its members")
    if sum(info.file_size for info in infos) > size:
        raise IntegrityError(f"{path}: the members claim more bytes than the file has")
