"""Standard output, or any stream: the lines of a message, and an empty line after them."""

from __future__ import annotations

from typing import TextIO

from muniment.errors import UnreachableError
from muniment.watch.sinks.message import Message


class StreamSink:
    """For a terminal, or a service whose output is kept by its supervisor. The stream stays the caller's."""

    def __init__(self, stream: TextIO) -> None:
        """`stream`: written to and flushed, never closed."""
        self._stream = stream

    def send(self, message: Message) -> None:
        """Write subject and lines. Raises `UnreachableError` where the stream is closed, full or broken."""
        try:
            self._stream.write("\n".join((message.subject, *message.lines)) + "\n\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise UnreachableError("the output could not be written: it is closed or full") from error
