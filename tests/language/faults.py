"""A fault matrix for code that writes files: every system call fails twice over.

`undone`: the call raises and did nothing. `done`: it did its work and raises all the same (a lost acknowledgement).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

WRITE_CALLS = ("open", "write", "pwrite", "fsync", "fdatasync", "ftruncate", "replace")


class Faults:
    """Counts the system calls that change a disk, and makes the n-th one fail; `None` only counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int | None, mode: str) -> None:
        self.fail_at = fail_at
        self.mode = mode
        self.calls: list[str] = []
        for name in WRITE_CALLS:
            monkeypatch.setattr(os, name, self._failing(name, getattr(os, name)))

    def _failing(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **keywords: object) -> object:
            if name == "open" and not int(str(arguments[1])) & (os.O_WRONLY | os.O_RDWR):
                return real(*arguments, **keywords)
            self.calls.append(name)
            if len(self.calls) - 1 != self.fail_at:
                return real(*arguments, **keywords)
            if self.mode == "done":
                result = real(*arguments, **keywords)
                if name == "open":
                    os.close(int(str(result)))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return call


def names_in(folder: Path) -> set[str]:
    """Every file below a folder, by relative path."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
