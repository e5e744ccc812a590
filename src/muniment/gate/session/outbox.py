"""What is to reach the client, in order, and what of it has to wait.

Rules
1. Everything for the client goes through here, in the order in which PostgreSQL said it.
2. What is held behind a token leaves only after `settle(token)`; so does everything that came after it.
3. What `fail` drops never leaves: from the first bytes behind the token up to the ReadyForQuery of its pipeline, which
   stays, as do messages that belong to no statement (notices, settings).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from muniment.gate.session.commands import ToClient

HELD_BYTES: Final = 4 << 20
"""Bytes that may wait for the ledger before the session asks not to be given more."""
SMALL_BYTES: Final = 16 << 10
"""Pieces below this are joined before they leave: one system call, one TLS record."""

Bytes: TypeAlias = bytes | memoryview


class Part(Enum):
    """What a piece is to the conversation."""

    REPLY = "reply"
    """Belongs to a statement."""
    APART = "apart"
    """May come at any time, and belongs to none."""
    READY = "ready"
    """ReadyForQuery: the end of a pipeline."""


@dataclass(slots=True, repr=False)
class _Piece:
    data: Bytes
    token: int
    part: Part
    committed: bool


@dataclass(slots=True, repr=False)
class Outbox:
    """The queue to one client. Tokens are numbers above 0."""

    held: int = 0
    """Bytes that wait."""
    _ready: list[Bytes] = field(default_factory=list)
    _size: int = 0
    _queue: deque[_Piece] = field(default_factory=deque)
    _waiting: set[int] = field(default_factory=set)

    @property
    def congested(self) -> bool:
        """Whether so much waits that nothing more should be read from PostgreSQL."""
        return self.held > HELD_BYTES

    @property
    def empty(self) -> bool:
        """Whether everything has left."""
        return not self._queue and not self._ready

    def send(self, data: Bytes, part: Part = Part.REPLY, *, committed: bool = False) -> None:
        """Bytes that wait for nothing but what came before. `committed`, of a ReadyForQuery: a write lies behind it."""
        if not self._queue:
            self._ready.append(data)
            self._size += len(data)
        else:
            self._queue.append(_Piece(data, 0, part, committed))
            self.held += len(data)

    def hold(self, token: int, data: Bytes) -> None:
        """Bytes that wait for `settle(token)`.

        What little was about to leave waits with them: the description of a row need not be sent ahead of the row.
        """
        if not self._queue and self._size <= SMALL_BYTES:
            self._queue.extend([_Piece(ready, 0, Part.REPLY, False) for ready in self._ready])
            self.held += self._size
            self._ready.clear()
            self._size = 0
        self._waiting.add(token)
        self._queue.append(_Piece(data, token, Part.REPLY, False))
        self.held += len(data)

    def settle(self, token: int) -> None:
        """What stands behind the token may leave."""
        self._waiting.discard(token)
        self._pump()

    def fail(self, token: int, error: Callable[[bool], bytes]) -> bool | None:
        """Drop what stands behind the token and what follows from it (rule 3).

        Where the pipeline's ReadyForQuery is here, `error(committed)` takes the place of what was dropped, and the
        answer is True; where it is yet to come, False. `None`: nothing stood behind that token.
        """
        self._waiting.discard(token)
        pieces = list(self._queue)
        first = next((at for at, piece in enumerate(pieces) if piece.token == token), None)
        if first is None:
            return None
        last = next((at for at in range(first, len(pieces)) if pieces[at].part is Part.READY), len(pieces))
        kept = [piece for piece in pieces[first:last] if piece.part is Part.APART]
        ended = last < len(pieces)
        if ended:
            kept.append(_Piece(error(pieces[last].committed), 0, Part.REPLY, False))
        self._waiting.difference_update(piece.token for piece in pieces[first:last])
        self._queue = deque([*pieces[:first], *kept, *pieces[last:]])
        self.held = sum(len(piece.data) for piece in self._queue)
        self._pump()
        return ended

    def clear(self) -> None:
        """Nothing that is here leaves."""
        self._queue.clear()
        self._ready.clear()
        self._waiting.clear()
        self._size = self.held = 0

    def flush(self) -> list[ToClient]:
        """Take what may leave now; small pieces are joined."""
        ready = self._ready
        if not ready:
            return []
        self._ready = []
        size, self._size = self._size, 0
        if len(ready) == 1:
            return [ToClient(ready[0])] if size else []
        if size <= SMALL_BYTES:
            return [ToClient(b"".join(ready))]
        return [ToClient(data) for data in _joined(ready)]

    def _pump(self) -> None:
        queue, waiting = self._queue, self._waiting
        while queue and queue[0].token not in waiting:
            data = queue.popleft().data
            self.held -= len(data)
            self._ready.append(data)
            self._size += len(data)


def _joined(pieces: list[Bytes]) -> list[Bytes]:
    """The same bytes, each run of small pieces as one."""
    joined: list[Bytes] = []
    run: list[Bytes] = []
    for piece in [*pieces, None]:
        if piece is not None and len(piece) < SMALL_BYTES:
            run.append(piece)
            continue
        if run:
            joined.append(b"".join(run))
            run = []
        if piece is not None:
            joined.append(piece)
    return joined
