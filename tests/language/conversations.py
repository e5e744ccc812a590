"""Both ends of a conversation through a guarded relay: a client's bytes, the fake PostgreSQL, a ledger that answers.

`Exchange` plays one out in any order that a schedule draws: how the bytes are cut, who moves next, when the ledger
answers. It watches the one thing that must hold: what a client received of guarded rows was answered for before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from language.fake_postgres import OIDS, PLAIN, FakePostgres
from muniment.gate.attribution.catalogue import Attribute, Catalogue, RegisterShape, Relation
from muniment.gate.identity.login import LoginSettings
from muniment.gate.policy.budgets import LocalBudgets
from muniment.gate.protocol.backend import DataRow
from muniment.gate.session import events
from muniment.gate.session.commands import (
    Append,
    CancelUpstream,
    CloseClient,
    CloseUpstream,
    Command,
    RefreshCatalogue,
    Report,
    ToClient,
    ToUpstream,
    Wake,
)
from muniment.gate.session.opening import OpeningSetup
from muniment.gate.session.relay import Relay
from muniment.gate.session.setup import Setup
from muniment.gate.session.standing import Standing
from muniment.gate.session.tracker import Ask, Portal, Statement, Tracker

KEY = (4_242, b"\0\0\0c")
PARAMETERS = {"client_encoding": "UTF8", "standard_conforming_strings": "on"}
NOW = 1_700_000_000_000


def catalogue(version: int = 1) -> Catalogue:
    """The two tables of the fake: `person` is a register, `plain` is not."""
    attributes = {
        "person": {1: Attribute("id", 23, "person", 1, 0), 2: Attribute("surname", 25, "person", 2)},
        "plain": {1: Attribute("id", 23), 2: Attribute("surname", 25)},
    }
    relations = {
        oid: Relation(oid, "public", name, "r", name == "person", False, attributes[name]) for name, oid in OIDS.items()
    }
    shape = RegisterShape("person", 1, ("id",), 20.0)
    scalar = frozenset({"lower", "upper"})
    return Catalogue(version, relations, {"person": shape}, frozenset({"person"}), scalar, False)


class Numbers:
    """Persons by their key: person n has ordinal n. `down`: the ledger cannot be asked."""

    def __init__(self) -> None:
        self.down = False

    def ordinals(self, register: str, columns: Sequence[Sequence[str]]) -> NDArray[np.uint32]:
        if self.down:
            from muniment.errors import UnreachableError

            raise UnreachableError("the ledger cannot be asked")
        assert register == "person"
        return np.array([int(key) for key in columns[0]], np.uint32)


@dataclass
class Policy:
    """The layers of a policy, as `policy.rules.Policies`."""

    defaults: dict[str, object] = field(default_factory=dict)
    roles: dict[str, dict[str, object]] = field(default_factory=dict)
    accounts: dict[str, dict[str, object]] = field(default_factory=dict)
    purposes: dict[str, dict[str, object]] = field(default_factory=dict)


def setup(**rules: object) -> Setup:
    """Surroundings with these rules for everybody."""
    budgets = LocalBudgets()
    budgets.restore("clerk", [])
    opening = OpeningSetup(LoginSettings(server_key=b"k" * 32), (1, b"s" * 32))
    defaults = {"redact": False, "copy": True, "code": True, "contact": "the keeper", **rules}
    return Setup(opening, Policy(defaults), catalogue(), budgets, Numbers(), b"d" * 32, device="192.0.2.1")


def relay(surroundings: Setup, clock: Callable[[], int] = lambda: NOW) -> Relay:
    """A conversation of the account `clerk` after its login."""
    standing = Standing(surroundings, "clerk", ("clerk",), {}, clock)
    return Relay(surroundings, standing, PARAMETERS, KEY, clock, bytes)


def direct(chunks: Sequence[bytes]) -> bytes:
    """What a client gets without a gate."""
    fake = FakePostgres()
    out = b""
    for chunk in chunks:
        fake.feed(chunk)
        out += fake.run()
    return out


class Exchange:
    """One conversation, played out."""

    def __init__(self, machine: Relay, chunks: Sequence[bytes], choose: Callable[[int], int]) -> None:
        """`choose(n)` draws from 0 to n - 1."""
        self.machine = machine
        self.fake = FakePostgres()
        self.client = bytearray()
        self.reports: list[Report] = []
        self.appends: dict[int, Append] = {}
        self.answered: set[int] = set()
        self.refuse: Callable[[int], bool] = lambda token: False
        self.closed = False
        self._choose = choose
        self._chunks = deque(chunks)
        self._down = bytearray()
        self._pending: list[events.Event] = []
        self._version = 1
        self._lost = False

    def play(self) -> bytes:
        """To the end; what the client got."""
        for _ in range(100_000):
            moves = self._moves()
            if not moves:
                return bytes(self.client)
            moves[self._choose(len(moves))]()
        raise AssertionError("the conversation does not end")

    def _moves(self) -> list[Callable[[], None]]:
        moves: list[Callable[[], None]] = []
        if self.closed:
            return moves
        if self._chunks and not self.machine.hold:
            moves.append(self._client_speaks)
        if not self.fake.dead and (not self.fake.asleep or self.fake._in.pending):
            moves.append(self._server_works)
        if self.fake.dead and not self._down and not self._lost:
            moves.append(self._server_closes)
        if self._down and not self.machine.congested:
            moves.append(self._server_speaks)
        if self._pending:
            moves.append(self._answer)
        return moves

    def _client_speaks(self) -> None:
        self._tell(events.FromClient(self._chunks.popleft()))

    def _server_works(self) -> None:
        self._down += self.fake.run(1 + self._choose(5))

    def _server_speaks(self) -> None:
        size = 1 + self._choose(len(self._down))
        data = bytes(self._down[:size])
        del self._down[:size]
        self._tell(events.FromUpstream(data))

    def _server_closes(self) -> None:
        self._lost = True
        self._tell(events.UpstreamClosed("it closed"))

    def _answer(self) -> None:
        event = self._pending.pop(self._choose(len(self._pending)))
        if isinstance(event, events.Appended):
            if self.refuse(event.token):
                event = events.AppendFailed(event.token, "disk full")
            else:
                self.answered.add(event.token)
        self._tell(event)

    def _tell(self, event: events.Event) -> None:
        for command in self.machine.receive(event):
            self._do(command)

    def _do(self, command: Command) -> None:
        match command:
            case ToClient(data):
                self.client += data
                self._check()
            case ToUpstream(data):
                self.fake.feed(bytes(data))
            case Append(token):
                self.appends[token] = command
                self._pending.append(events.Appended(token))
            case CancelUpstream():
                self.fake.cancel()
                self._pending.append(events.Cancelled())
            case Wake(token):
                self._pending.append(events.Woken(token))
            case RefreshCatalogue():
                self._version += 1
                self._pending.append(events.CatalogueChanged(catalogue(self._version)))
            case Report():
                self.reports.append(command)
            case CloseClient():
                self.closed = True
            case CloseUpstream():
                pass

    # --- what must hold ---

    @property
    def recorded(self) -> tuple[set[int], int]:
        """Persons in answered appends, and how many nameless ones."""
        entries = [entry for token in self.answered for entry in self.appends[token].entries]
        named = {int(one) for entry in entries for one in entry.ordinals}
        nameless = sum(entry.rows for entry in entries if not len(entry.ordinals))
        return named, nameless

    def received(self) -> tuple[set[int], int]:
        """Persons whose rows the client has, and how many rows without a key; whole messages only."""
        return rows_of(bytes(self.client))

    def _check(self) -> None:
        named, nameless = self.recorded
        persons, keyless = self.received()
        assert len(persons - named) + keyless <= nameless, f"{persons - named} and {keyless} more, {nameless} recorded"


def rows_of(data: bytes) -> tuple[set[int], int]:
    """Persons in a stream of PostgreSQL's messages: by key, and rows that have none; the cells say whose they are."""
    persons: set[int] = set()
    keyless = 0
    for kind, body in messages(data):
        if kind not in b"Dd":
            continue
        row = body.split() if kind == ord("d") else [cell or b"" for cell in DataRow.parse(body).cells]
        keys = [int(cell) for cell in row if cell.isdigit()]
        persons.update(key for key in keys if key < PLAIN)
        keyless += not keys and any(cell.startswith(b"s") for cell in row)
    return persons, keyless


def messages(data: bytes) -> list[tuple[int, bytes]]:
    """Whole messages of a stream."""
    found = []
    at = 0
    while at + 5 <= len(data):
        end = at + 1 + int.from_bytes(data[at + 1 : at + 5], "big")
        if end > len(data):
            break
        found.append((data[at], data[at + 5 : end]))
        at = end
    return found


def follow(chunks: Sequence[bytes], came: bytes) -> Tracker:
    """Whether a client that sent these bytes can make sense of what came: every answer belongs to a message."""
    tracker = Tracker()
    for kind, body in messages(b"".join(chunks)):
        name = body[1:].split(b"\0")[0].decode() if kind in b"DC" else body.split(b"\0")[0].decode()
        target = body[0] if kind in b"DC" else 0
        if kind in b"cf":
            tracker.copy_ended()
        elif kind in b"QPBDECS":
            tracker.ask(Ask(kind, name, target, statement=Statement(None), portal=Portal()))
    for kind, body in messages(came):
        if kind == ord("Z"):
            tracker.ready(body.decode())
        elif kind == ord("E"):
            tracker.failed_ask()
        elif kind not in b"NAS":
            ask = tracker.answer(kind)
            if kind == ord("G"):
                tracker.copy_in(ask)
    return tracker
