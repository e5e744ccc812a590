"""The structured log: one JSON object a line, for people and for the office's own alarm system.

Rules
1. A line holds a fixed word, numbers, and names that the gate was given by its keeper: never a cell, a key of a record,
   a statement or a secret. Whoever reports sees to that; here texts are cut, so that no line can be made to grow.
2. A log that cannot be written never stops the gate: what was lost is counted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

TEXT_CHARACTERS: Final = 300
"""Characters of one field: an account, an address, a reason."""
Fields = Iterable[tuple[str, str | int]]


class Log:
    """Writes lines to a file, or to standard error where none is named."""

    def __init__(self, clock: Callable[[], int], path: Path | None = None, stream: TextIO | None = None) -> None:
        """`clock`: ms since 1970, UTC. The file is opened with the first line, and tried again with each."""
        self._clock = clock
        self._path = path
        self._stream = stream if stream is not None or path is not None else sys.stderr
        self.lost = 0
        """Lines that could not be written."""

    def write(self, event: str, fields: Fields = (), *, session: int = 0, alarm: bool = False) -> None:
        """Write one line. `session`: the number of a connection, 0 for the gate itself."""
        line: dict[str, str | int | bool] = {"time": _moment(self._clock()), "event": event}
        if session:
            line["session"] = session
        if alarm:
            line["alarm"] = True
        for name, value in fields:
            line[name] = value if isinstance(value, int) else value[:TEXT_CHARACTERS]
        try:
            stream = self._opened()
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            stream.flush()
        except (OSError, ValueError):  # a full disk, or a stream that was closed under it
            self.lost += 1

    def reopen(self) -> None:
        """Let go of the file, so that the next line begins a new one where it was rotated away."""
        if self._path is not None and self._stream is not None:
            self._stream.close()
            self._stream = None

    def _opened(self) -> TextIO:
        if self._stream is None and self._path is not None:
            self._stream = self._path.open("a", encoding="utf-8")
        assert self._stream is not None
        return self._stream


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
