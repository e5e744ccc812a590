"""The second place: a store on another disk that keeps the newest checkpoint, and the newest head of the writer.

Rules
1. A value is put there by compare-and-swap: who names the value that he believes is there may replace it. A restored
   backup or a fork names an older one, and is refused.
2. A swap that raised `UnreachableError` may have been made all the same: read before trying again. A swap to the value
   that is there already succeeds, so trying again does no harm.
3. The store does not know what it keeps. The values are signed or sealed by those who put them there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Protocol

from muniment.durable import locked, read_file, replace_file, storage_faults
from muniment.errors import IntegrityError, LimitError

VALUE_BYTES: Final = 64 * 1024
"""Bytes of one value in the second place: a checkpoint with hundreds of cosignatures; a head is below 1 KiB."""
_NAME = re.compile(r"[a-z0-9-]{1,64}")


class CheckpointStore(Protocol):
    """A place that keeps one value and lets it be replaced by compare-and-swap. `str()` of it names it in messages."""

    def read(self) -> bytes | None:
        """The value, or `None` where none was ever put. Raises `UnreachableError` where the place cannot be read."""
        ...

    def swap(self, expected: bytes | None, new: bytes) -> None:
        """Replace `expected` (`None`: no value yet) by `new`; durable when it returns.

        Raises `IntegrityError` where another value is there, `UnreachableError` where the place cannot be written (then
        the value may be the old or the new one).
        """
        ...


class FolderStore:
    """A value in a file of a folder, best on another disk. Several processes may use it: a lock guards each swap."""

    def __init__(self, path: Path, name: str) -> None:
        """`path`: the folder, made by the first swap; `name`: which value (`checkpoint`, `wal-head`)."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"a name of lower-case letters, digits and hyphens is needed, not {name!r}")
        self._file = path / name

    def __str__(self) -> str:
        return str(self._file)

    def __repr__(self) -> str:
        return f"FolderStore({str(self._file.parent)!r}, {self._file.name!r})"

    def read(self) -> bytes | None:
        """The value; `None` where there is no such file, or no folder (its disk may not be mounted)."""
        try:
            return read_file(self._file, VALUE_BYTES)
        except LimitError as error:
            raise IntegrityError(f"{error.message}: it was not put there by a ledger") from error

    def swap(self, expected: bytes | None, new: bytes) -> None:
        """See `CheckpointStore`. Raises `LimitError` for a value of more than `VALUE_BYTES` bytes."""
        if len(new) > VALUE_BYTES:
            raise LimitError(f"{self}: {len(new):,} bytes; expected at most {VALUE_BYTES:,}")
        folder = self._file.parent
        if expected is None:  # never where a value is expected: a disk that is not mounted would get a twin
            with storage_faults(folder, "make the folder"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(folder / f"{self._file.name}.lock"):
            there = self.read()
            if there == new:
                return
            if there != expected:
                raise IntegrityError(
                    f"{self}: {'no value' if there is None else 'another value'} is there than was put last: another "
                    "ledger writes here too, or this one was restored from a backup",
                    hint="see that each ledger has a second place of its own, then run: muniment ledger verify",
                )
            replace_file(self._file, [new])
