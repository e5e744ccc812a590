"""What the client sends: whether it may go to PostgreSQL, and what the gate has to ask besides.

Rules
1. Policy is asked when something is to run: at Query and Execute. Preparing discloses nothing, but what is prepared
   under a name can be run by SQL that does not show it: what must never run is refused at Parse.
2. What may not run is replaced by what fails (`refusal`); a FunctionCall always is.
3. A portal is described by PostgreSQL after it was bound and before it runs, by the gate if the client does not ask:
   the description of its statement may be of other tables by then.
4. COPY describes no columns. Of a query inside one the gate has them described under a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.disclosure import Channel, Outcome, Template
from muniment.gate.policy.statements import Refusal
from muniment.gate.protocol.framing import Frame, Piece
from muniment.gate.protocol.frontend import Close, Describe, Execute, Parse, Sync, Terminate
from muniment.gate.protocol.wire import ProtocolError, decoded, shown
from muniment.gate.session import wording
from muniment.gate.session.commands import CloseUpstream, Entry
from muniment.gate.session.conversation import CLIENT_BYTES, Conversation
from muniment.gate.session.outbox import Part
from muniment.gate.session.texts import KEPT_TEXT_BYTES
from muniment.gate.session.tracker import (
    BIND,
    CALL,
    CLOSE,
    DESCRIBE,
    EXECUTE,
    PARSE,
    PORTAL,
    QUERY,
    STATEMENT,
    SYNC,
    Ask,
    Portal,
    Statement,
)

if TYPE_CHECKING:
    from muniment.gate.attribution.text import Facts

COPY_DATA: Final = ord("d")
ROWS: Final = 1 << 16
NAMES_BYTES: Final = 4_096
"""Bytes at the head of a long Bind within which its two names have to end."""


class Requests:
    """The client's side of a conversation of a guarded account."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._tracker = conversation.tracker
        self.terminated = False
        """The client said goodbye."""
        self._head: bytearray | None = None
        """The begin of a long Bind, until its names are known."""
        self._dropping = False
        """The rest of a long message goes nowhere."""
        self._handlers: dict[int, Callable[[Frame], None]] = {
            QUERY: self._query, PARSE: self._parse, BIND: self._bind, DESCRIBE: self._describe, EXECUTE: self._execute,
            CLOSE: self._close, SYNC: self._sync, CALL: self._call, ord("H"): self._flush, ord("c"): self._copy_end,
            ord("f"): self._copy_end, COPY_DATA: self._pass, ord("X"): self._terminate,
        }  # fmt: skip

    def run(self) -> None:
        """Deal with what came, until something has to be waited for. Raises `ProtocolError`."""
        conversation = self._conversation
        client = conversation.client
        while not conversation.hold and not self.terminated:
            if client.peek() == COPY_DATA and self._copy_data():
                continue
            frame = client.next()
            if frame is None:
                return
            if isinstance(frame, Piece):
                self._piece(frame)
                continue
            handler = self._handlers.get(frame.kind)
            if handler is None:
                raise ProtocolError(f"a client sent a message of type {shown(frame.kind)}; expected one of protocol 3")
            if self._passed_over(frame.kind):
                continue
            handler(frame)

    # --- after an error, up to Sync ---

    def _passed_over(self, kind: int) -> bool:
        """Whether a message means nothing, because an error came before it; a Sync that ends this is dealt with."""
        conversation, tracker = self._conversation, self._tracker
        if kind == ord("X"):
            return False
        if conversation.owed is not None:
            if kind == SYNC:
                owed, conversation.owed = conversation.owed, None
                conversation.outbox.send(owed, Part.READY, committed=conversation.owed_committed)
                conversation.owed_committed = False
            return True
        if tracker.skipping and kind == SYNC:
            tracker.skipping = False
        return tracker.skipping

    # --- simple ---

    def _query(self, frame: Frame) -> None:
        conversation = self._conversation
        text = _only_text(frame.body)
        facts = conversation.facts(text)
        ask = Ask(QUERY, facts=facts, text=text, writes=conversation.writes(facts))
        refusal = conversation.standing.permit(facts, None, conversation.columns)
        if refusal is not None:
            self._refuse(ask, refusal)
            return
        self._describe_inner(ask, facts, sync=True)
        self._tracker.ask(ask)
        conversation.forward(frame.build())
        self._sent(ask, facts)

    def _call(self, _: Frame) -> None:
        message = wording.text("call", self._conversation.setup.lang)
        self._refuse(Ask(CALL), Refusal("42501", message))

    # --- extended ---

    def _parse(self, frame: Frame) -> None:
        name, text = _two_texts(frame.body)
        conversation, tracker = self._conversation, self._tracker
        facts = conversation.facts(text)
        refusal = conversation.standing.prepare(facts) if name else None
        if refusal is not None:
            self._refuse(Ask(PARSE, decoded(name), facts=facts, text=text), refusal)
            return
        kept = text if len(text) <= KEPT_TEXT_BYTES else b""
        types = Parse.parse(frame.body).types if kept else ()
        statement = Statement(facts, tracker.opaque, kept, types, conversation.readable)
        tracker.ask(Ask(PARSE, decoded(name), facts=facts, text=text, statement=statement))
        conversation.forward(frame.build())

    def _bind(self, frame: Frame) -> None:
        portal, source = _two_texts(frame.body)
        values = frame.body[len(portal) + len(source) + 2 :]
        self._bound(portal, source, values if len(values) <= KEPT_TEXT_BYTES else b"")
        self._conversation.forward(frame.build())

    def _bound(self, name: bytes, source: bytes, values: bytes) -> None:
        tracker = self._tracker
        statement = tracker.statement(decoded(source))
        portal = tracker.bind(Portal(values=values), statement, decoded(source), tracker.opaque)
        tracker.ask(Ask(BIND, decoded(name), source=decoded(source), text=portal.text, portal=portal))

    def _describe(self, frame: Frame) -> None:
        target, name = _target(frame.body)
        tracker = self._tracker
        portal = tracker.portal(name) if target == PORTAL else None
        if portal is not None:
            portal.described = tracker.opaque
        tracker.ask(Ask(DESCRIBE, name, target))
        self._conversation.forward(frame.build())

    def _execute(self, frame: Frame) -> None:
        conversation, tracker = self._conversation, self._tracker
        name = Execute.parse(frame.body).portal
        known = tracker.portal(name) or tracker.cursors.get(name) or Portal()
        facts = known.facts or conversation.unseen
        ask = Ask(EXECUTE, name, facts=facts, text=known.text, writes=conversation.writes(facts))
        refusal = conversation.standing.permit(facts, None, conversation.columns)
        if refusal is not None:
            self._refuse(ask, refusal)
            return
        self._describe_portal(ask)
        self._describe_inner(ask, facts, sync=False)
        tracker.ask(ask)
        conversation.forward(frame.build())
        self._sent(ask, facts)

    def _close(self, frame: Frame) -> None:
        target, name = _target(frame.body)
        self._tracker.ask(Ask(CLOSE, name, target))
        self._conversation.forward(frame.build())

    def _sync(self, frame: Frame) -> None:
        if self._tracker.copying:
            return  # PostgreSQL passes over it as long as the COPY runs
        self._tracker.ask(Ask(SYNC))
        self._conversation.forward(frame.build())

    def _flush(self, frame: Frame) -> None:
        if not self._tracker.copying:
            self._conversation.forward(frame.build())

    # --- COPY FROM STDIN, goodbye ---

    def _copy_data(self) -> bool:
        """Whole chunks of data, unread."""
        ends: list[int] = []
        data = self._conversation.client.rows(COPY_DATA, (), ends, [], ROWS)
        if ends and not self._passed_over(COPY_DATA):
            self._conversation.forward(data)
        return bool(ends)

    def _copy_end(self, frame: Frame) -> None:
        self._tracker.copy_ended()
        self._conversation.forward(frame.build())

    def _pass(self, frame: Frame) -> None:
        self._conversation.forward(frame.build())

    def _terminate(self, _: Frame) -> None:
        self.terminated = True
        self._conversation.forward(Terminate().build())
        if not self._tracker.asked:
            self._conversation.finish(CloseUpstream())

    # --- messages too long to be read whole ---

    def _piece(self, piece: Piece) -> None:
        if piece.first:
            self._dropping = self._passed_over(piece.kind)
        if self._dropping:
            return
        if piece.kind == COPY_DATA:
            self._conversation.forward(piece.data)
        elif piece.kind == BIND:
            self._bind_piece(piece)
        elif piece.kind in {QUERY, PARSE}:
            self._dropping = True
            message = wording.text("long", self._conversation.setup.lang, limit=CLIENT_BYTES)
            self._refuse(Ask(piece.kind), Refusal("54000", message))
        else:
            raise ProtocolError(f"a client sent a message of type {shown(piece.kind)} that is too long")

    def _bind_piece(self, piece: Piece) -> None:
        """The names stand at the head; where they are known, the rest passes unread."""
        if piece.first:
            self._head = bytearray()
        if self._head is None:
            self._conversation.forward(piece.data)
            return
        self._head += piece.data
        names = bytes(self._head[5 : 5 + NAMES_BYTES]).split(b"\0", 2)
        if len(names) < 3:
            if piece.last or len(self._head) > NAMES_BYTES:
                raise ProtocolError("a Bind message has no names at its head")
            return
        self._bound(names[0], names[1], b"")
        self._conversation.forward(bytes(self._head))
        self._head = None

    # --- what the gate adds ---

    def _describe_portal(self, ask: Ask) -> None:
        """Have a portal described before it runs, unless the client did since it was bound (rule 3)."""
        tracker = self._tracker
        portal = tracker.portal(ask.name)
        if portal is not None:
            if portal.described == tracker.opaque or (not ask.name and portal.described >= 0):
                return
            portal.described = tracker.opaque
        tracker.ask(Ask(DESCRIBE, ask.name, PORTAL, own=True, beneficiary=ask))
        self._conversation.forward(Describe(PORTAL, ask.name).build())

    def _describe_inner(self, ask: Ask, facts: Facts, *, sync: bool) -> None:
        """Have the query inside a COPY described, ahead of it (rule 4).

        A Query in the midst of a pipeline is left as it is: a Sync of the gate's would end the client's pipeline.
        """
        tracker, conversation = self._tracker, self._conversation
        query = facts.copy.query if facts.copy is not None else None
        if not query or (sync and tracker.inside):
            return
        name = conversation.substitutes.name
        tracker.ask(Ask(PARSE, name, own=True, beneficiary=ask, statement=Statement(None)))
        tracker.ask(Ask(DESCRIBE, name, STATEMENT, own=True, beneficiary=ask))
        tracker.ask(Ask(CLOSE, name, STATEMENT, own=True, beneficiary=ask))
        conversation.forward(
            Parse(name, query).build() + Describe(STATEMENT, name).build() + Close(STATEMENT, name).build()
        )
        if sync:
            tracker.ask(Ask(SYNC, own=True, beneficiary=ask))
            conversation.forward(Sync().build())

    def _refuse(self, ask: Ask, refusal: Refusal) -> None:
        """Send what fails in place of what may not run, and record that it was asked for."""
        conversation = self._conversation
        ask.refusal = refusal
        ask.writes = False
        self._tracker.ask(ask)
        conversation.forward(conversation.substitutes.of(ask.kind))
        conversation.report("refused", ("sqlstate", refusal.sqlstate))
        rules = conversation.standing.rules
        template = Template("", 0, Channel.GATE, (), rules.purpose, rules.basis, "", Outcome.REFUSED)
        fingerprint = "" if ask.facts is None else ask.facts.fingerprint
        none = np.zeros(0, np.uint32)
        standing = conversation.standing
        conversation.append([Entry(standing.party, template, none, standing.labels.case, fingerprint, 0, 0, 0)])

    def _sent(self, ask: Ask, facts: Facts) -> None:
        """A statement is on its way: what may be different behind it."""
        conversation = self._conversation
        if conversation.opaque(facts):
            self._tracker.sent_opaque(ask)
            conversation.disbelieve()
            ask.doubted |= facts.kind == "many"


def _only_text(body: bytes) -> bytes:
    """The one text of a message, without its zero. Raises `ProtocolError`."""
    if body.find(b"\0") != len(body) - 1:
        raise ProtocolError("a Query message does not end with its text")
    return body[:-1]


def _two_texts(body: bytes) -> tuple[bytes, bytes]:
    """The two texts at the head of Parse and Bind. Raises `ProtocolError`."""
    parts = body.split(b"\0", 2)
    if len(parts) < 3:
        raise ProtocolError("a message ends within its names")
    return parts[0], parts[1]


def _target(body: bytes) -> tuple[int, str]:
    """What a Describe or Close is about. Raises `ProtocolError`."""
    if len(body) < 2 or body[0] not in (PORTAL, STATEMENT) or body.find(b"\0") != len(body) - 1:
        raise ProtocolError("a Describe or Close message names neither a statement nor a portal")
    return body[0], decoded(body[1:-1])
