"""Breaking a statement off while it runs: cancel, drain, tell the client, and leave the session usable.

Rules
1. What was allowed leaves; of what comes after, nothing does. PostgreSQL's answers are followed to the ReadyForQuery of
   the pipeline, and kept from the client.
2. Nothing new goes to PostgreSQL until that ReadyForQuery came *and* the cancel request is done with: a late one would
   hit the next statement. Where the client has sent no Sync, the gate sends one, and does not pass on the client's.
3. The client is told at the end, when it is known what became of the statement: 57014 (or MU001), or MU002 where
   something that may write took effect. The state of the transaction is the true one.
"""

from __future__ import annotations

from collections.abc import Callable

from muniment.gate.policy.statements import Refusal
from muniment.gate.protocol.frontend import CopyFail, Sync
from muniment.gate.session import wording
from muniment.gate.session.commands import CancelUpstream
from muniment.gate.session.conversation import Conversation, Stop
from muniment.gate.session.outbox import Part
from muniment.gate.session.refusal import REFUSED, error
from muniment.gate.session.tracker import SYNC, Ask


class Stopping:
    """The one that breaks off; it owns `conversation.stop`, `cancelling` and `owed`."""

    def __init__(self, conversation: Conversation, key: tuple[int, bytes] | None) -> None:
        """`key`: PostgreSQL's cancel key; without one a statement is drained to its end."""
        self._conversation = conversation
        self._key = key

    def begin(self, refusal: Refusal) -> None:
        """Let nothing more out of the statement under way."""
        conversation = self._conversation
        committed = wording.committed(refusal, conversation.setup.lang)
        if conversation.stop is None:
            conversation.stop = Stop(refusal, committed)
        elif refusal.sqlstate == wording.LEDGER:
            conversation.stop.refusal, conversation.stop.committed = refusal, committed

    def push(self) -> None:
        """At the end of an event: where the statement still runs, have it cancelled."""
        conversation = self._conversation
        stop = conversation.stop
        if stop is None or stop.sent:
            return
        stop.sent = True
        if self._key is not None and conversation.tracker.asked:
            conversation.cancelling += 1
            conversation.emit(CancelUpstream(*self._key))
        if not conversation.tracker.sync_pending():
            if conversation.tracker.copying:
                conversation.forward(CopyFail(REFUSED).build())
            stop.own_sync = True
            conversation.tracker.skipping = False
            conversation.tracker.ask(Ask(SYNC, own=True))
            conversation.forward(Sync().build())

    def ready(self, data: bytes, *, committed: bool) -> None:
        """The pipeline's ReadyForQuery came."""
        conversation = self._conversation
        stop, conversation.stop = conversation.stop, None
        assert stop is not None
        committed = committed or conversation.owed_committed
        conversation.outbox.send(error(stop.committed if committed else stop.refusal))
        if stop.own_sync:
            conversation.owed, conversation.owed_committed = data, committed
        else:
            conversation.outbox.send(data, Part.READY, committed=committed)

    def failed(self, token: int, reason: str) -> None:
        """What stands behind a token cannot be recorded: it does not leave."""
        conversation = self._conversation
        refusal = wording.ledger_down(conversation.setup.lang)
        committed = wording.committed(refusal, conversation.setup.lang)
        told: Callable[[bool], bytes] = lambda done: error(committed if done else refusal)  # noqa: E731
        ended = conversation.outbox.fail(token, told)
        conversation.report("ledger-down", ("reason", reason), alarm=True)
        if ended is False:
            self.begin(refusal)
