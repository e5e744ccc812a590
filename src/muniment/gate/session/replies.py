"""What PostgreSQL answers: whom it belongs to, what it changes, and how it goes on to the client.

Rules
1. An answer that nobody asked for, or of a type that is not known, ends both connections (`ProtocolError`): whatever
   follows it could be anything.
2. While a statement is broken off (`conversation.stop`), answers are followed and kept from the client.
3. Answers to what the gate asked by itself go to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from muniment.gate.protocol.backend import (
    CopyOutResponse,
    ErrorResponse,
    NoticeResponse,
    NotificationResponse,
    ParameterStatus,
    ReadyForQuery,
    RowDescription,
)
from muniment.gate.protocol.framing import Frame, Piece
from muniment.gate.protocol.frontend import CopyFail
from muniment.gate.protocol.wire import ProtocolError, decoded, message, shown
from muniment.gate.session import wording
from muniment.gate.session.conversation import Conversation
from muniment.gate.session.outbox import Part
from muniment.gate.session.planning import Planning
from muniment.gate.session.refusal import REFUSED, error
from muniment.gate.session.results import Run
from muniment.gate.session.settled import Settled
from muniment.gate.session.stopping import Stopping
from muniment.gate.session.tracker import DESCRIBE, EXECUTE, PORTAL, QUERY, Ask

DATA_ROW: Final = ord("D")
COPY_DATA: Final = ord("d")
IN_FAILED_TRANSACTION: Final = "25P02"
ROWS_OF: Final = frozenset((DATA_ROW, COPY_DATA))


class Replies:
    """PostgreSQL's side of a conversation of a guarded account."""

    def __init__(self, conversation: Conversation, planning: Planning, stopping: Stopping) -> None:
        self._conversation = conversation
        self._tracker = conversation.tracker
        self._planning = planning
        self._stopping = stopping
        self._settled = Settled(conversation)
        self._settled.declared()  # what the startup packet declares
        self.fatal = False
        """PostgreSQL said why it closes."""
        self._long: Run | None = None
        """The result that a row in pieces belongs to."""
        plain = self._plain
        self._handlers: Mapping[int, Callable[[Frame], None]] = {
            ord("1"): plain, ord("2"): plain, ord("3"): plain, ord("t"): plain, ord("c"): plain,
            ord("T"): self._described, ord("n"): self._described, ord("C"): self._complete, ord("I"): self._complete,
            ord("s"): plain, ord("G"): self._copy_in, ord("H"): self._copy_out, ord("E"): self._error,
            ord("Z"): self._ready, ord("N"): self._notice, ord("A"): self._notification, ord("S"): self._parameter,
        }  # fmt: skip

    def run(self) -> None:
        """Deal with what came. Raises `ProtocolError`, and `IntegrityError` where rows are not all classed."""
        upstream = self._conversation.upstream
        while True:
            kind = upstream.peek()
            if kind in ROWS_OF and self._run(kind).rows(upstream, kind):
                continue
            frame = upstream.next()
            if frame is None:
                return
            if isinstance(frame, Piece):
                self._piece(frame)
                continue
            handler = self._handlers.get(frame.kind)
            if handler is None:
                raise ProtocolError(f"PostgreSQL sent a message of type {shown(frame.kind)}; expected no such type")
            handler(frame)

    # --- rows ---

    def _run(self, kind: int) -> Run:
        """The result that the next row belongs to."""
        ask = self._tracker.answer(kind)
        if self._conversation.stop is not None:
            return self._planning.withheld
        if ask.run is None:
            ask.run = self._planning.of_portal(ask) if ask.kind == EXECUTE and kind == DATA_ROW else None
        if ask.run is None:
            self._stopping.begin(wording.undescribed(self._conversation.setup.lang))
            return self._planning.withheld
        return ask.run

    def _piece(self, piece: Piece) -> None:
        if piece.kind not in ROWS_OF:
            raise ProtocolError(f"PostgreSQL sent a message of type {shown(piece.kind)} that is too long")
        if piece.first or self._long is None:
            self._long = self._run(piece.kind)
        self._long.piece(piece)

    # --- what comes once ---

    def _plain(self, frame: Frame) -> None:
        ask = self._tracker.answer(frame.kind)
        if frame.kind == ord("s"):
            portal = self._tracker.open_portal(ask.name)
            portal.run = ask.run
        self._send(ask, frame)

    def _send(self, ask: Ask, frame: Frame) -> None:
        if not ask.own and self._conversation.stop is None:
            self._conversation.outbox.send(message(frame.kind, frame.body))

    def _described(self, frame: Frame) -> None:
        ask = self._tracker.answer(frame.kind)
        self._send(ask, frame)
        if ask.kind == QUERY:
            _check_first(ask, frame)
            if self._conversation.stop is None:
                ask.run = self._planning.of_query(ask, frame.body)
        elif ask.kind == DESCRIBE and ask.target == PORTAL:
            self._tracker.open_portal(ask.name).body = frame.body
        elif ask.beneficiary is not None and frame.kind == ord("T"):
            ask.beneficiary.fields = RowDescription.parse(frame.body).fields

    def _copy_in(self, frame: Frame) -> None:
        ask = self._tracker.answer(frame.kind)
        self._tracker.copy_in(ask)
        if self._conversation.stop is not None:
            self._tracker.copying = False
            self._conversation.forward(CopyFail(REFUSED).build())
        self._send(ask, frame)

    def _copy_out(self, frame: Frame) -> None:
        ask = self._tracker.answer(frame.kind)
        _check_first(ask, frame)
        if ask.facts is not None and ask.facts.provable and not ask.facts.kind.startswith("copy"):
            raise ProtocolError("PostgreSQL begins a COPY that the statement does not ask for")
        self._send(ask, frame)
        if self._conversation.stop is None:
            ask.run = self._planning.of_copy(ask, CopyOutResponse.parse(frame.body))

    def _complete(self, frame: Frame) -> None:
        ask = self._tracker.answer(frame.kind)
        self._send(ask, frame)
        ask.run = None
        if ask.kind == EXECUTE:
            self._tracker.open_portal(ask.name).run = None
        self._tracker.wrote |= ask.writes
        if frame.kind == ord("C"):
            self._settled.completed(ask, decoded(frame.body[:-1]))

    def _ready(self, frame: Frame) -> None:
        conversation, tracker = self._conversation, self._tracker
        status = ReadyForQuery.parse(frame.body).status
        ask = tracker.ready(status)
        committed = tracker.close_batch()
        self._settled.ready(status)
        data = message(frame.kind, frame.body)
        if conversation.stop is not None and ask is not None:
            self._stopping.ready(data, committed=committed)
        elif ask is None or not ask.own:
            conversation.outbox.send(data, Part.READY, committed=committed)

    # --- errors, and what may come at any time ---

    def _error(self, frame: Frame) -> None:
        conversation = self._conversation
        reported = ErrorResponse.parse(frame.body)
        if reported.severity in {"FATAL", "PANIC"}:
            self.fatal = True
        ask = self._tracker.failed_ask()
        self._settled.failed()
        if ask is None:
            conversation.outbox.send(self._redacted(reported, None), Part.APART)
            return
        ask.run = None
        if conversation.stop is None or self.fatal:
            self._failed(ask, reported)

    def _failed(self, ask: Ask, reported: ErrorResponse) -> None:
        """Tell the client of an error, in the words that are due to it."""
        outbox = self._conversation.outbox
        if ask.refusal is not None:
            outbox.send(error(ask.refusal))
        elif ask.error and reported.sqlstate == IN_FAILED_TRANSACTION:
            outbox.send(ask.error)
        elif ask.beneficiary is None:
            outbox.send(self._redacted(reported, ask))
        elif ask.beneficiary.kind == QUERY:
            ask.beneficiary.error = self._redacted(reported, ask.beneficiary)
        else:
            outbox.send(self._redacted(reported, ask.beneficiary))

    def _redacted(self, reported: ErrorResponse, ask: Ask | None) -> bytes:
        redaction = self._conversation.redaction
        if redaction is None:
            return reported.build()
        own = () if ask is None else self._planning.own_texts(ask)
        harmless = ask is not None and ask.facts is not None and ask.facts.register_free
        return ErrorResponse(redaction.error(reported.fields, own, harmless)).build()

    def _notice(self, frame: Frame) -> None:
        conversation, redaction = self._conversation, self._conversation.redaction
        if redaction is None:
            conversation.outbox.send(message(frame.kind, frame.body), Part.APART)
            return
        ask = self._tracker.asked[0] if self._tracker.asked else None
        own = () if ask is None else self._planning.own_texts(ask)
        harmless = ask is not None and ask.facts is not None and ask.facts.register_free
        fields = redaction.notice(NoticeResponse.parse(frame.body).fields, conversation.clock(), own, harmless)
        if fields is not None:
            conversation.outbox.send(NoticeResponse(fields).build(), Part.APART)

    def _notification(self, frame: Frame) -> None:
        conversation, redaction = self._conversation, self._conversation.redaction
        told = NotificationResponse.parse(frame.body)
        if redaction is not None:
            shown_now = redaction.notification(told.channel, told.payload, conversation.clock())
            if shown_now is None:
                return
            told = NotificationResponse(told.process, *shown_now)
        conversation.outbox.send(told.build(), Part.APART)

    def _parameter(self, frame: Frame) -> None:
        conversation, redaction = self._conversation, self._conversation.redaction
        told = ParameterStatus.parse(frame.body)
        conversation.parameter(told.name, told.value)
        if redaction is not None:
            ask = self._tracker.asked[0] if self._tracker.asked else None
            own = () if ask is None else self._planning.own_texts(ask)
            told = ParameterStatus(told.name, redaction.parameter(told.name, told.value, own))
        conversation.outbox.send(told.build(), Part.APART)


def _check_first(ask: Ask, frame: Frame) -> None:
    """One description for one result: a second one would pass rows under another name. Raises `ProtocolError`."""
    if ask.run is not None:
        raise ProtocolError(f"PostgreSQL sent a message of type {shown(frame.kind)} within a result")
