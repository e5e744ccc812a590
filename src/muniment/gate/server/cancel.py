"""Cancelling: the gate's own requests to PostgreSQL, and finding the session that a client's request is about.

A request is delivered when PostgreSQL has closed its connection: before that it may still be on its way, and could hit
the statement after the one that was meant.
"""

from __future__ import annotations

import asyncio
from hmac import compare_digest
from typing import Final, Protocol

from muniment.errors import MunimentError
from muniment.gate.protocol.startup import SECRET_BYTES, CancelRequest
from muniment.gate.server.sides import Side
from muniment.gate.server.upstream import Target, connect

CANCEL_SECONDS: Final = 10.0
"""Seconds to wait for PostgreSQL to close the connection of a cancel request."""
_LEAST = SECRET_BYTES[0]


async def deliver(target: Target, process: int, secret: bytes) -> bool:
    """Send CancelRequest on a connection of its own, and wait until PostgreSQL closes that. `False`: it could not be.

    Takes `CONNECT_SECONDS` and `CANCEL_SECONDS` at most. Never raises for a network that fails.
    """
    end = _End()
    try:
        body = CancelRequest(process, secret).build()
        side, _ = await connect(target, lambda: end)
    except MunimentError:
        return False
    side.write([body])
    side.read(True)
    try:
        await asyncio.wait_for(end.gone.wait(), CANCEL_SECONDS)
    except TimeoutError:
        return False
    finally:
        side.abort()
    return True


class _End:
    """Waits for the end of a connection; what is said on it is dropped (PostgreSQL says nothing)."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def heard(self, side: Side, data: bytes) -> None:
        """See `Listener`."""

    def pressed(self, side: Side) -> None:
        """See `Listener`."""

    def ended(self, side: Side, reason: str) -> None:
        """See `Listener`."""
        self.gone.set()


class Cancellable(Protocol):
    """A session that can be asked to cancel what it runs."""

    def cancel_asked(self) -> None:
        """Somebody showed its key."""
        ...


class CancelKeys:
    """The gate's own cancel keys of the sessions of this process."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[bytes, Cancellable]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def put(self, process: int, secret: bytes, session: Cancellable) -> None:
        """Take up a session."""
        self._held[process] = secret, session

    def drop(self, process: int) -> None:
        """Forget a session."""
        self._held.pop(process, None)

    def ask(self, process: int, secret: bytes) -> bool:
        """Tell the session whose key this is; `False` where there is none. Keys are compared in constant time.

        A client of protocol 3.0 was given the first four bytes alone.
        """
        found = self._held.get(process)
        if found is None or len(secret) < _LEAST or not compare_digest(found[0][: len(secret)], secret):
            return False
        found[1].cancel_asked()
        return True
