"""What came on a connection and is not taken yet, while a session opens: one packet or message at a time.

The relay has `protocol.framing` for streams of rows; here every message is short, and what is left over must be handed
on to the byte.
"""

from __future__ import annotations

from muniment.gate.protocol import ProtocolError
from muniment.gate.protocol.framing import Frame
from muniment.gate.protocol.startup import MAX_PACKET
from muniment.gate.protocol.wire import HEAD_BYTES

_CODE_END = 8
"""Bytes of the shortest packet: length and code."""


class Incoming:
    """Bytes of one direction. `most`: bytes of the longest message. A length out of range is `ProtocolError`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """Bytes that came."""
        self._data += data

    def packet(self) -> bytes | None:
        """The bytes after the length of a startup packet; `None` while it is not all here."""
        if len(self._data) < 4:
            return None
        length = int.from_bytes(self._data[:4], "big")
        if not _CODE_END <= length <= MAX_PACKET:
            raise ProtocolError(f"a startup packet of {length:,} bytes; expected {_CODE_END} to {MAX_PACKET:,}")
        return self._take(4, length)

    def message(self) -> Frame | None:
        """The next message; `None` while it is not all here."""
        if len(self._data) < HEAD_BYTES:
            return None
        length = int.from_bytes(self._data[1:HEAD_BYTES], "big")
        if not 4 <= length <= self._most:
            raise ProtocolError(f"a message of {length:,} bytes before the session began; expected 4 to {self._most:,}")
        kind = self._data[0]
        body = self._take(HEAD_BYTES, length + 1)
        return None if body is None else Frame(kind, body)

    def rest(self) -> bytes:
        """Everything that is left."""
        left = bytes(self._data)
        self._data.clear()
        return left

    def _take(self, start: int, end: int) -> bytes | None:
        if len(self._data) < end:
            return None
        taken = bytes(self._data[start:end])
        del self._data[:end]
        return taken
