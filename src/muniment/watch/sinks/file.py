"""A file: one JSON object a line, synced before `send` returns."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from muniment.durable import storage_faults, sync_data, write_all
from muniment.errors import UnreachableError
from muniment.watch.sinks.message import Message

_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class FileSink:
    """Opened for each message, so that whoever rotates logs may rename it at any time."""

    def __init__(self, path: Path) -> None:
        """`path`: made with mode 0600 where it does not exist; its folder must."""
        self._path = path

    def send(self, message: Message) -> None:
        """Append a line. A line that a crash cut short gets its end first, so that it spoils no other.

        Raises `UnreachableError`: no such folder, disk full, a link, or no ordinary file (a pipe, a device).
        """
        with storage_faults(self._path, "append an alert"):
            descriptor = os.open(self._path, _FLAGS, 0o600)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise UnreachableError(f"{self._path}: expected an ordinary file for alerts")
                torn = status.st_size > 0 and os.pread(descriptor, 1, status.st_size - 1) != b"\n"
                write_all(descriptor, b"\n" * torn + message.text().encode() + b"\n")
                sync_data(descriptor)
            finally:
                os.close(descriptor)
