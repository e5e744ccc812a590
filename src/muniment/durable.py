"""Files that survive a crash: write beside, sync, rename; and one lock file per folder.

Rules
1. A file is replaced as a whole: written under another name in the same folder, synced, renamed, folder synced. After a
   crash at any byte the name holds the old or the new content.
2. Every `OSError` stops here as `UnreachableError`, with a hint chosen by its errno.
3. System calls are looked up on `os` when they are made, so that a fault matrix can make each of them fail.

Why the folder is synced too: POSIX promises nothing about a renamed entry until its directory is on disk
(Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014).
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from muniment import limits
from muniment.errors import InputError, LimitError, UnreachableError

_HINTS = {
    errno.ENOSPC: "free some space on this disk and run the command again",
    errno.EDQUOT: "free some of your disk quota and run the command again",
    errno.EROFS: "the disk is mounted read-only: mount it writable, or work on a copy of the workspace",
    errno.EACCES: "give yourself the right to read and write this folder (chmod u+rwx), and run the command again",
    errno.EPERM: "give yourself the right to read and write this folder (chmod u+rwx), and run the command again",
    errno.EIO: "the disk reports a fault: check it before you write to it again",
}
_NO_LINKS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What a file system without hard links says when it is asked for one."""
_POLL_SECONDS = 0.02


@contextmanager
def storage_faults(path: Path, doing: str) -> Iterator[None]:
    """Turn an `OSError` of the block into `UnreachableError`: "PATH: could not DOING: reason"."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UnreachableError(f"{path}: could not {doing}: {reason}", hint=hint_for(error)) from error


def hint_for(error: OSError) -> str:
    """What to do about a fault of storage; empty where nothing general can be said."""
    return _HINTS.get(error.errno or 0, "")


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte at the current position; a short write is carried on, not reported as done."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_all_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write every byte from `offset` on; the position of the descriptor stays where it was."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def sync_data(descriptor: int) -> None:
    """Bring content and length to disk; `fdatasync` where the system has it, `fsync` elsewhere (macOS)."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, chunks: Iterable[bytes], *, mode: int = 0o600) -> None:
    """Put a new file under `path`, or leave what is there: see rule 1.

    Raises `UnreachableError` on a full or read-only disk; no part of the new file is left behind then.
    """
    with storage_faults(path, "write"):
        descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        try:
            _fill(descriptor, chunks, mode)
            os.replace(partial, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(partial)
            raise
        sync_folder(path.parent)


def _fill(descriptor: int, chunks: Iterable[bytes], mode: int) -> None:
    try:
        os.fchmod(descriptor, mode)
        for chunk in chunks:
            write_all(descriptor, chunk)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def take_name(path: Path, out: Path) -> None:
    """Move `path` to `out` in the same folder; `FileExistsError` where that is taken, even by a race. Not yet synced.

    Raises `OSError` as the system does: call it inside `storage_faults`.
    """
    try:
        os.link(path, out)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # An empty file holds the name until it is replaced.
        os.close(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.replace(path, out)


def check_target(path: Path, option: str) -> None:
    """Refuse a place where no new file can stand; `option` is what the caller types to name another.

    Raises `InputError` where there is something already, no folder, or no name that a file system takes.
    """
    other = f"choose another {option}"
    if "\0" in str(path):
        raise InputError(f"no file can have the name {path.name[:80]!r}: it holds a NUL", hint=other)
    try:
        there, folder = path.exists() or path.is_symlink(), path.parent.is_dir()
    except OSError as error:  # a name too long; a folder that may not be looked into
        reason = (error.strerror or type(error).__name__).lower()
        raise InputError(f"no file can have the name {path.name[:80]!r}: {reason}", hint=other) from error
    if there:
        raise InputError(f"{path}: there is a file already; it stays", hint=other)
    if not folder:
        raise InputError(f"{path}: there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")


def read_file(path: Path, at_most: int) -> bytes | None:
    """Read a whole file, or return `None` where there is none: the caller knows what that means.

    Raises `LimitError` where it is longer than `at_most` bytes, `UnreachableError` where it cannot be read.
    """
    with storage_faults(path, "read"):
        if not path.exists():
            return None
        with path.open("rb") as file:
            data = file.read(at_most + 1)
    if len(data) > at_most:
        raise LimitError(f"{path}: more than {at_most:,} bytes; expected a smaller file")
    return data


@contextmanager
def locked(path: Path, *, wait: float = limits.LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock file `path` exclusively; the system lets go of it when the process ends, however it ends.

    Raises `UnreachableError` after `wait` seconds, naming the process that holds it, or where the folder is read-only.
    """
    with storage_faults(path, "open the lock"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, path, wait)
        with suppress(OSError):  # the number is a courtesy to whoever waits; a full disk must not cost us the lock
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, wait: float) -> None:
    # flock, not lockf: it belongs to the open file, so two users within one process keep each other out too.
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise UnreachableError(
                    f"{path}: held by another process for more than {wait:g} s{_holder(descriptor)}",
                    hint="wait until it has finished, or end it, and run the command again",
                ) from error
        time.sleep(_POLL_SECONDS)


def _holder(descriptor: int) -> str:
    with suppress(OSError):
        text = os.pread(descriptor, 20, 0)
        if text.isdigit():
            return f" (pid {int(text)})"
    return ""
