"""A guarded account's conversation after its login: both directions, the ledger's answers, and every way it may end.

Rules
1. Whatever happens, bytes of guarded rows leave only through the outbox, behind the record of them.
2. What cannot be followed ends both connections, with a gap that is reported and recorded.
3. Whoever goes first - client, PostgreSQL, the gate itself - what was released is in the ledger already; a statement
   that was under way leaves one more entry, which says how far it got.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from muniment.disclosure import Delivery, Outcome
from muniment.errors import IntegrityError
from muniment.gate.policy.statements import Refusal
from muniment.gate.protocol.frontend import Terminate
from muniment.gate.protocol.wire import ProtocolError
from muniment.gate.session import events, wording
from muniment.gate.session.commands import CancelUpstream, CloseClient, CloseUpstream, Command, ToUpstream
from muniment.gate.session.conversation import Conversation
from muniment.gate.session.outbox import Part
from muniment.gate.session.planning import Planning
from muniment.gate.session.refusal import error
from muniment.gate.session.replies import Replies
from muniment.gate.session.requests import Requests
from muniment.gate.session.setup import Setup
from muniment.gate.session.standing import Standing
from muniment.gate.session.stopping import Stopping


class Relay:
    """One conversation: `receive` for every event until `closed`."""

    def __init__(
        self, setup: Setup, standing: Standing, parameters: Mapping[str, str], key: tuple[int, bytes] | None,
        clock: Callable[[], int], random_bytes: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        """`parameters`: settings that PostgreSQL reported so far. `key`: its cancel key, `None` where it gave none."""
        self._conversation = Conversation(setup, standing, parameters, clock, random_bytes)
        self._stopping = Stopping(self._conversation, key)
        self._planning = Planning(self._conversation, self._stopping)
        self._requests = Requests(self._conversation)
        self._replies = Replies(self._conversation, self._planning, self._stopping)
        self._key = key
        self._draining = False
        self._lost = False
        """PostgreSQL is gone; the client is told once everything before has left."""
        self.closed = False
        self._handlers: Mapping[type, Callable[[events.Event], None]] = {
            events.FromClient: self._from_client, events.FromUpstream: self._from_upstream,
            events.Appended: self._appended, events.AppendFailed: self._append_failed,
            events.Cancelled: self._cancelled, events.CatalogueChanged: self._catalogue_changed,
            events.Woken: self._woken, events.Draining: self._drain, events.ClientClosed: self._client_closed,
            events.UpstreamClosed: self._upstream_closed, events.CancelAsked: self._cancel_asked,
        }  # fmt: skip

    @property
    def congested(self) -> bool:
        """Whether nothing more is to be read from PostgreSQL."""
        return self._conversation.outbox.congested

    @property
    def hold(self) -> bool:
        """Whether nothing more is to be read from the client."""
        return self._conversation.hold

    @property
    def idle(self) -> bool:
        """Whether neither a statement nor a transaction is under way."""
        conversation = self._conversation
        return conversation.tracker.idle and conversation.outbox.empty and not conversation.hold

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows seen, by what they were classed as."""
        return self._planning.counts.classed

    def receive(self, event: events.Event) -> list[Command]:
        """Take an event."""
        if self.closed:
            return []
        handler = self._handlers.get(type(event))
        if handler is not None:
            try:
                handler(event)
                self._stopping.push()
            except (ProtocolError, IntegrityError) as fault:
                self._gap(fault)
        commands = self._conversation.take()
        if self._lost or self._draining:
            self._end_if_over(commands)
        return commands

    # --- bytes ---

    def _from_client(self, event: events.Event) -> None:
        assert isinstance(event, events.FromClient)
        self._conversation.client.feed(event.data)
        self._requests.run()

    def _from_upstream(self, event: events.Event) -> None:
        assert isinstance(event, events.FromUpstream)
        self._conversation.upstream.feed(event.data)
        self._replies.run()
        if self._conversation.client.pending:
            self._requests.run()

    # --- answers of the ledger, of the cancel request, of the clock ---

    def _appended(self, event: events.Event) -> None:
        assert isinstance(event, events.Appended)
        self._conversation.outbox.settle(event.token)

    def _append_failed(self, event: events.Event) -> None:
        assert isinstance(event, events.AppendFailed)
        self._stopping.failed(event.token, event.reason)

    def _cancel_asked(self, _: events.Event) -> None:
        """The client wants what runs to end; nothing new goes to PostgreSQL until the request is done with."""
        if self._key is not None and self._conversation.tracker.asked and not self._lost:
            self._conversation.cancelling += 1
            self._conversation.emit(CancelUpstream(*self._key))

    def _cancelled(self, _: events.Event) -> None:
        self._conversation.cancelling = max(0, self._conversation.cancelling - 1)
        self._requests.run()

    def _catalogue_changed(self, event: events.Event) -> None:
        assert isinstance(event, events.CatalogueChanged)
        self._planning.know(event.catalogue)
        self._requests.run()

    def _woken(self, event: events.Event) -> None:
        assert isinstance(event, events.Woken)
        self._conversation.outbox.settle(event.token)

    # --- ends ---

    def _drain(self, _: events.Event) -> None:
        self._draining = True

    def _client_closed(self, _: events.Event) -> None:
        """What runs is cancelled: nobody is left to read it, and it may hold locks."""
        conversation = self._conversation
        tracker = conversation.tracker
        if tracker.asked:
            if (run := self._planning.running()) is not None:
                conversation.append(run.ended(Outcome.STOPPED, Delivery.PARTIAL), spool=True)
                conversation.report("client-vanished", ("released", run.released))
            if self._key is not None and not self._lost:
                conversation.emit(CancelUpstream(*self._key))
        self._shut(CloseUpstream(), CloseClient())

    def _upstream_closed(self, event: events.Event) -> None:
        """What was allowed still leaves; then the client is told, unless PostgreSQL did so or the client left."""
        conversation = self._conversation
        assert isinstance(event, events.UpstreamClosed)
        self._lost = True
        if (run := self._planning.running()) is not None:
            conversation.append(run.ended(Outcome.STOPPED), spool=True)
        if not self._replies.fatal and not self._requests.terminated:
            conversation.report("upstream-lost", ("reason", event.reason), alarm=True)
            refusal = Refusal("57P01", wording.text("lost", conversation.setup.lang))
            conversation.outbox.send(error(refusal, "FATAL"), Part.APART)

    def _gap(self, fault: ProtocolError | IntegrityError) -> None:
        """The conversation cannot be followed any more: nothing that is held leaves."""
        conversation = self._conversation
        run = self._planning.running()
        conversation.report("gap", ("rows", 0 if run is None else run.released), ("fault", fault.message), alarm=True)
        if run is not None:
            conversation.append(run.ended(Outcome.UNATTRIBUTED, Delivery.UNKNOWN), spool=True)
        conversation.outbox.clear()
        refusal = Refusal("08P01", wording.text("desync", conversation.setup.lang))
        conversation.outbox.send(error(refusal, "FATAL"), Part.APART)
        self._shut(CloseUpstream(), CloseClient())

    def _end_if_over(self, commands: list[Command]) -> None:
        """Close where nothing is left to wait for."""
        conversation = self._conversation
        if self.closed:
            return
        if self._lost:
            if conversation.outbox.empty:
                self._shut(CloseClient())
        elif self._draining and self.idle and not conversation.client.pending:
            refusal = Refusal("57P01", wording.text("draining", conversation.setup.lang))
            conversation.outbox.send(error(refusal, "FATAL"), Part.APART)
            commands.append(ToUpstream(Terminate().build()))
            self._shut(CloseUpstream(), CloseClient())
        commands.extend(conversation.take())

    def _shut(self, *commands: Command) -> None:
        self.closed = True
        conversation = self._conversation
        if conversation.tracker.doubt:
            conversation.refresh()
            conversation.believe()
        conversation.finish(*commands)
