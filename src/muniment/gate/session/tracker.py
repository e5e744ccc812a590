"""What was asked of PostgreSQL and is not answered yet, and what its names stand for.

Rules (PostgreSQL documentation, "Frontend/Backend Protocol", "Message Flow"; `SocketBackend` in its sources)
1. Answers come in the order of the messages. Notices, notifications and settings may come at any time.
2. After an error in an extended-protocol message everything is skipped up to the next Sync, a Query too; after an error
   in Query or FunctionCall nothing is, ReadyForQuery follows at once.
3. While a COPY FROM STDIN runs, Sync and Flush mean nothing. CopyDone and CopyFail outside of one mean nothing.
4. What a name stands for is known twice: as *asked*, for what the client sends next, and as *answered*, for what comes
   back. Whom rows are charged to is decided by the second alone.
5. A named statement or portal can be replaced behind the gate's back by SQL that runs SQL (DO, a function). Whoever
   sent such a statement is `opaque` from then on to the names made before it: they are described anew, and nothing is
   taken from their text.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from muniment.gate.protocol.wire import ProtocolError, shown

if TYPE_CHECKING:
    from muniment.gate.attribution.text import Facts
    from muniment.gate.policy.statements import Refusal
    from muniment.gate.protocol.backend import Field
    from muniment.gate.session.results import Run

QUERY, PARSE, BIND, DESCRIBE, EXECUTE, CLOSE, SYNC, CALL = b"QPBDECSF"
COPY_DONE, COPY_FAIL = b"cf"
ERROR, READY = b"EZ"
PORTAL, STATEMENT = b"PS"
EXTENDED: Final = frozenset(b"PBDECH")
"""Messages after whose error everything is skipped up to Sync."""
CURSORS: Final = 256
"""SQL cursors whose declaration is remembered; the text of others proves nothing."""

ANSWERS: Final[dict[int, tuple[frozenset[int], frozenset[int]]]] = {
    QUERY: (frozenset(b"TDCIGHdcE"), frozenset(b"Z")),
    PARSE: (frozenset(), frozenset(b"1")),
    BIND: (frozenset(), frozenset(b"2")),
    DESCRIBE: (frozenset(b"t"), frozenset(b"Tn")),
    EXECUTE: (frozenset(b"DGHdc"), frozenset(b"CIs")),
    CLOSE: (frozenset(), frozenset(b"3")),
    SYNC: (frozenset(b"E"), frozenset(b"Z")),
    CALL: (frozenset(b"VE"), frozenset(b"Z")),
}
"""What may answer a message: types after which more comes, and types that end its answer (besides an error)."""


@dataclass(slots=True, eq=False)
class Statement:
    """A prepared statement: what its text proves (`None`: nothing), and the count of opaque ones before it.

    `text` is empty where it was too long to keep; `readable`, whether the text was read as PostgreSQL read it.
    """

    facts: Facts | None
    opaque: int = 0
    text: bytes = field(default=b"", repr=False)
    types: tuple[int, ...] = ()
    """Types of its parameters as the client declared them, 0 where it did not."""
    readable: bool = False


@dataclass(slots=True, eq=False)
class Portal:
    """A portal or SQL cursor. `body` is its RowDescription once PostgreSQL gave one after its making; empty: no rows.

    `values` are the parameters as they were sent: the rest of the Bind behind the names, empty where it was too long.
    """

    facts: Facts | None = None
    text: bytes = field(default=b"", repr=False)
    types: tuple[int, ...] = ()
    values: bytes = field(default=b"", repr=False)
    opaque: int = 0
    """Count of opaque statements before it was made."""
    described: int = -1
    """Count of opaque statements when its description was asked for last; -1 for never."""
    body: bytes | None = field(default=None, repr=False)
    run: Run | None = None


@dataclass(slots=True, eq=False)
class Ask:
    """One message that waits for its answer."""

    kind: int
    name: str = ""
    target: int = 0
    facts: Facts | None = None
    opaque: int = 0
    doubted: bool = False
    """Tables may have changed before it, and the map of them is old."""
    own: bool = False
    """The gate's own: the answer goes to nobody."""
    refusal: Refusal | None = None
    """Set where the message was replaced by one that fails."""
    source: str = ""
    """Of a Bind: the statement's name."""
    text: bytes = field(default=b"", repr=False)
    statement: Statement | None = None
    portal: Portal | None = None
    run: Run | None = None
    copying: bool = False
    beneficiary: Ask | None = None
    """For whom the gate asks, where this is one of its own."""
    fields: tuple[Field, ...] | None = None
    """Columns of the query inside a COPY, where the gate asked for them."""
    error: bytes = field(default=b"", repr=False)
    """What the gate's own question before this one ended in."""
    completed: int = 0
    """Statements of a Query that ended well so far."""
    writes: bool = False


@dataclass(slots=True)
class Tracker:
    """The state of one conversation as far as names and order go."""

    asked: deque[Ask] = field(default_factory=deque)
    statements: dict[str, Statement] = field(default_factory=dict)
    portals: dict[str, Portal] = field(default_factory=dict)
    cursors: OrderedDict[str, Portal] = field(default_factory=OrderedDict)
    status: str = "I"
    opaque: int = 0
    opaque_ask: Ask | None = None
    """The last opaque statement that is not answered to its ReadyForQuery."""
    skipping: bool = False
    """An error was answered, and the client has not sent the Sync that ends the skipping."""
    copying: bool = False
    """A COPY FROM STDIN runs, and its end was not sent."""
    inside: bool = False
    """A pipeline has no Sync yet: if something in it fails, what is sent now is skipped."""
    wrote: bool = False
    """Something that may write ended well since the last time that no transaction was open."""
    doubt: bool = False
    """A statement was sent that may change tables, and the map of them was not read since."""
    failed: bool = False
    """An error was answered since the last ReadyForQuery."""
    _new_statements: dict[str, Ask] = field(default_factory=dict)
    _new_portals: dict[str, Ask] = field(default_factory=dict)
    _doubtful: int = 0
    """Syncs that a COPY swallowed, or not: where it failed before it came to them."""

    @property
    def idle(self) -> bool:
        """Whether everything is answered, and no transaction is open."""
        return not self.asked and self.status == "I" and not self.skipping

    # --- what is sent ---

    def ask(self, ask: Ask) -> None:
        """A message goes to PostgreSQL."""
        ask.opaque, ask.doubted = self.opaque, self.doubt
        self.inside = ask.kind in EXTENDED or (self.inside and ask.kind != SYNC and bool(self.asked))
        self.asked.append(ask)
        if ask.kind == PARSE or (ask.kind == CLOSE and ask.target == STATEMENT):
            self._new_statements[ask.name] = ask
        elif ask.kind == BIND or (ask.kind == CLOSE and ask.target == PORTAL):
            self._new_portals[ask.name] = ask

    def statement(self, name: str) -> Statement | None:
        """The statement as asked."""
        new = self._new_statements.get(name)
        return new.statement if new is not None else self.statements.get(name)

    def portal(self, name: str) -> Portal | None:
        """The portal as asked; SQL cursors are not among them."""
        new = self._new_portals.get(name)
        return new.portal if new is not None else self.portals.get(name)

    def sent_opaque(self, ask: Ask) -> None:
        """The statement just asked may run SQL that nobody sees, or change how texts are read."""
        self.opaque += 1
        self.opaque_ask = ask

    def copy_ended(self) -> None:
        """CopyDone or CopyFail is sent."""
        if self.copying:
            self.copying = False
        elif self.asked:
            self.asked.append(Ask(COPY_DONE))

    def sync_pending(self) -> bool:
        """Whether a Sync, Query or FunctionCall under way will bring a ReadyForQuery."""
        if self.asked and self.asked[0].kind in {QUERY, CALL, SYNC}:
            return True
        return any(ask.kind == SYNC for ask in self.asked)

    # --- what comes back ---

    def answer(self, kind: int) -> Ask:
        """Whom an answer belongs to. Raises `ProtocolError` where nobody asked for one of that type."""
        if not self.asked:
            raise ProtocolError(f"PostgreSQL sent a message of type {shown(kind)}; expected none")
        ask = self.asked[0]
        more, last = ANSWERS[ask.kind]
        if kind in last:
            self.asked.popleft()
            while self.asked and self.asked[0].kind == COPY_DONE:
                self.asked.popleft()  # it ended no COPY, and nothing answers it
            self._done(ask)
        elif kind not in more:
            expected = ", ".join(shown(one) for one in sorted(more | last))
            raise ProtocolError(f"PostgreSQL sent a message of type {shown(kind)}; expected one of {expected}")
        return ask

    def failed_ask(self) -> Ask | None:
        """An error came: whom it belongs to, `None` for no message. What is skipped after it is forgotten."""
        self.copying = False
        if not self.asked:
            return None
        self.failed = True
        ask = self.asked[0]
        ask.copying = False
        if ask.kind in EXTENDED:
            while self.asked and self.asked[0].kind != SYNC:
                self._forget(self.asked.popleft())
            self.skipping = not self.asked
        return ask

    def copy_in(self, ask: Ask) -> None:
        """COPY FROM STDIN begins: what was sent behind it belongs to it, up to the first CopyDone or CopyFail."""
        self.copying = ask.copying = True
        asked = self.asked
        first = asked.popleft()
        while asked and asked[0].kind in {SYNC, COPY_DONE}:
            if asked.popleft().kind == COPY_DONE:
                self.copying = False
                break
            self._doubtful += 1
        asked.appendleft(first)

    def ready(self, status: str) -> Ask | None:
        """ReadyForQuery came; whom it belongs to. `None`: it answers a Sync that was thought lost in a COPY."""
        self.status = status
        if self._doubtful and (not self.asked or READY not in ANSWERS[self.asked[0].kind][1]):
            self._doubtful -= 1
            return None
        ask = self.answer(READY)
        if self.opaque_ask is not None and self.opaque_ask not in self.asked:
            self.opaque_ask = None
        self.copying = False
        if ask.kind == QUERY:
            self.statements.pop("", None)
            self.portals.pop("", None)
        if status == "I":
            self.portals.clear()
        return ask

    def close_batch(self) -> bool:
        """The ReadyForQuery is dealt with. Whether something that may write was committed by it."""
        committed = self.wrote and self.status == "I" and not self.failed
        if self.status == "I":
            self.wrote = False
        self.failed = False
        return committed

    def declared(self, name: str, portal: Portal) -> None:
        """An SQL cursor stands."""
        self.cursors[name] = portal
        self.cursors.move_to_end(name)
        if len(self.cursors) > CURSORS:
            self.cursors.popitem(last=False)

    def open_portal(self, name: str) -> Portal:
        """The portal or cursor as answered; of one that nobody saw made, nothing is known."""
        found = self.portals.get(name) or self.cursors.get(name)
        if found is None:
            found = self.portals[name] = Portal()
        return found

    def _done(self, ask: Ask) -> None:
        """Take over what the name stands for now."""
        if ask.kind == PARSE and ask.statement is not None:
            self.statements[ask.name] = ask.statement
        elif ask.kind == BIND and ask.portal is not None:
            statement = self.statements.get(ask.source)
            self.portals[ask.name] = self.bind(ask.portal, statement, ask.source, ask.opaque)
        elif ask.kind == CLOSE:
            names: dict[str, Statement] | dict[str, Portal]
            names = self.statements if ask.target == STATEMENT else self.portals
            names.pop(ask.name, None)
        self._forget(ask)

    def bind(self, portal: Portal, statement: Statement | None, name: str, opaque: int) -> Portal:
        """What a portal takes over from its statement; nothing of a named one that was made before an opaque one."""
        trusted = statement is not None and (not name or statement.opaque == opaque)
        portal.facts = statement.facts if statement is not None and trusted else None
        portal.text, portal.types = (b"", ()) if statement is None else (statement.text, statement.types)
        portal.opaque = opaque
        return portal

    def _forget(self, ask: Ask) -> None:
        if ask.kind in {PARSE, BIND, CLOSE}:
            if self._new_statements.get(ask.name) is ask:
                del self._new_statements[ask.name]
            if self._new_portals.get(ask.name) is ask:
                del self._new_portals[ask.name]
