"""The conversation of an account that is not guarded: bytes pass, whole chunks, unread."""

from __future__ import annotations

from typing import Final

from muniment.gate.protocol.backend import ErrorResponse
from muniment.gate.session import events
from muniment.gate.session.commands import CancelUpstream, CloseClient, CloseUpstream, Command, ToClient, ToUpstream

IDLE: Final = b"Z\0\0\0\x05I"
"""ReadyForQuery outside of a transaction: where PostgreSQL's bytes end so, it waits (for draining only)."""


class Passage:
    """One such conversation. `key`: PostgreSQL's cancel key."""

    congested = False
    hold = False

    def __init__(self, key: tuple[int, bytes] | None) -> None:
        self._key = key
        self._draining = False
        self.idle = True
        """Whether PostgreSQL seems to wait, outside of a transaction."""
        self.closed = False

    def receive(self, event: events.Event) -> list[Command]:
        """Take an event."""
        if self.closed:
            return []
        match event:
            case events.FromUpstream(data):
                self.idle = data.endswith(IDLE)
                return [ToClient(data), *self._drained()]
            case events.FromClient(data):
                self.idle = False
                return [ToUpstream(data)]
            case events.CancelAsked():
                return self._cancel()
            case events.Draining():
                self._draining = True
                return self._drained()
            case events.ClientClosed():
                self.closed = True
                return [*([] if self.idle else self._cancel()), CloseUpstream(), CloseClient()]
            case events.UpstreamClosed():
                self.closed = True
                return [CloseClient()]
        return []

    def _cancel(self) -> list[Command]:
        return [] if self._key is None else [CancelUpstream(*self._key)]

    def _drained(self) -> list[Command]:
        if not (self._draining and self.idle):
            return []
        self.closed = True
        told = ErrorResponse.of("FATAL", "57P01", "the gate is shutting down")
        return [ToClient(told.build()), CloseUpstream(), CloseClient()]
