"""Rows on their way to the client: whose they are, whether they may leave, and the record that goes before them.

Rules
1. Rows seen = rows classed, in every path: attributed, digest-matched, unattributed, or withheld (`Counts`). Where the
   classes do not add up, the connection ends.
2. Rows of a guarded result leave behind an `Append` that names whose they are; one for each chunk.
3. What is not guarded passes in whole chunks; a row is only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, overload

import numpy as np

from muniment.disclosure import Channel, Delivery, Outcome, Template
from muniment.errors import IntegrityError, UnreachableError
from muniment.gate.attribution.classify import Classed, Tally
from muniment.gate.policy.budgets import NONE, Charge, Exceeded
from muniment.gate.policy.statements import Refusal
from muniment.gate.protocol.framing import Framer, Piece
from muniment.gate.session import wording
from muniment.gate.session.commands import Entry, Wake
from muniment.gate.session.conversation import Conversation
from muniment.gate.session.marking import RowMarker

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from muniment.gate.attribution.plan import ResultPlan
    from muniment.gate.attribution.text import Facts
    from muniment.gate.protocol.copyscan import CopyRows

ROWS: Final = 1 << 16
"""Rows that are taken at a time."""
NO_ORDINALS: Final = np.zeros(0, np.uint32)


@dataclass(slots=True)
class Counts:
    """Rows of a session: `seen`, and what they were classed as."""

    seen: int = 0
    classed: dict[str, int] = field(default_factory=dict)

    def add(self, seen: int, classed: Mapping[str, int]) -> None:
        """Count. Raises `IntegrityError` where the classes do not add up."""
        if sum(classed.values()) != seen:
            raise IntegrityError(f"{seen:,} rows seen, {sum(classed.values()):,} classed")
        self.seen += seen
        for name, number in classed.items():
            self.classed[name] = self.classed.get(name, 0) + number


class Run(Protocol):
    """The rows of one result."""

    def rows(self, framer: Framer, kind: int) -> bool:
        """Take the whole rows that come next; whether there were any."""
        ...

    def piece(self, piece: Piece) -> None:
        """Take a part of a row that is too long to be read whole."""
        ...


class Passing:
    """Rows that are nobody's: whole chunks, unread."""

    def __init__(self, conversation: Conversation) -> None:
        self._send = conversation.outbox.send

    def rows(self, framer: Framer, kind: int) -> bool:
        """See `Run`."""
        ends: list[int] = []
        data = framer.rows(kind, (), ends, [], ROWS)
        if ends:
            self._send(data)
        return bool(ends)

    def piece(self, piece: Piece) -> None:
        """See `Run`."""
        self._send(piece.data)


class Withheld:
    """Rows that do not leave, because their statement is being broken off."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def rows(self, framer: Framer, kind: int) -> bool:
        """See `Run`."""
        ends: list[int] = []
        framer.rows(kind, (), ends, [], ROWS)
        self._counts.add(len(ends), {"withheld": len(ends)})
        return bool(ends)

    def piece(self, piece: Piece) -> None:
        """See `Run`."""
        if piece.last:
            self._counts.add(1, {"withheld": 1})


class Guarded:
    """Rows of registers. `stop(refusal)` is called when no more of them may leave."""

    def __init__(
        self, conversation: Conversation, counts: Counts, plan: ResultPlan, facts: Facts, tally: Tally, *,
        before: int = 0, copy: CopyRows | None = None, marker: RowMarker | None = None,
        stop: Callable[[Refusal], None],
    ) -> None:  # fmt: skip
        self.plan = plan
        self.facts = facts
        self.released = 0
        self.passed = before
        """Rows of the statement that were allowed, those of earlier portions of its portal included."""
        self._conversation = conversation
        self._counts = counts
        self._tally = tally
        self._copy = copy
        self._marker = marker
        self._stop = stop
        self._warned = False
        self._templates: dict[tuple[str, Outcome], Template] = {}

    # --- taking rows ---

    def rows(self, framer: Framer, kind: int) -> bool:
        """See `Run`."""
        plan = self.plan
        ends: list[int] = []
        cells: list[list[bytes | None]] = [[] for _ in plan.fields]
        if kind != _DATA_ROW:
            return self._copied(framer, kind, ends, cells)
        data = framer.rows(kind, plan.fields, ends, cells, ROWS)
        if not ends:
            return False
        self._classify(data, ends, cells)
        return True

    def _copied(self, framer: Framer, kind: int, ends: list[int], cells: list[list[bytes | None]]) -> bool:
        """Messages of a COPY. Where they are not the rows that were expected, each is charged by its bytes."""
        messages: list[int] = []
        data = framer.rows(kind, (), messages, [], ROWS)
        if not messages:
            return False
        try:
            if self._copy is None:
                raise ValueError("unknown format")
            self._copy.take(bytes(data), 0, len(data), ends, cells, ROWS)
        except ValueError:
            self._copy = None
            self._release(data, messages, self._nameless(_sizes(messages)))
            return True
        if ends:
            ends[-1] = messages[-1]  # a trailer behind the last row leaves with it
            self._classify(data, ends, cells)
        else:
            self._conversation.outbox.send(data)
        return True

    def piece(self, piece: Piece) -> None:
        """See `Run`. The row is charged by the length that its head says, before its first byte leaves."""
        if piece.first:
            length = int.from_bytes(piece.data[1:5], "big")  # the framer gives a head in one piece
            self._release(piece.data, [len(piece.data)], self._nameless([length]), whole=False)
        elif self._conversation.stop is None:
            self._conversation.outbox.send(piece.data)

    def _nameless(self, sizes: list[int]) -> Classed:
        """Rows that cannot be read: each charged as many persons as its bytes may hold, and one at least."""
        registers = self.plan.registers or tuple(self._conversation.catalogue.registers.values())
        mean = min((shape.mean_row_bytes for shape in registers), default=1.0)
        persons = np.maximum(1, np.ceil(np.array(sizes, np.float64) / max(mean, 1.0))).astype(np.int64)
        ordinals = np.zeros((len(sizes), 0), np.uint32)
        return Classed(len(sizes), ordinals, persons, free=False, classes={"unattributed": len(sizes)})

    # --- classing, charging, releasing ---

    def _classify(self, data: bytes | memoryview, ends: list[int], cells: list[list[bytes | None]]) -> None:
        sizes = ends if len(ends) == 1 else Sizes(ends)
        try:
            classed = self._tally.take(cells, sizes)
        except UnreachableError:
            self._counts.add(len(ends), {"withheld": len(ends)})
            self._break_off(wording.ledger_down(self._conversation.setup.lang))
            return
        self._release(data, ends, classed)

    def _release(self, data: bytes | memoryview, ends: list[int], classed: Classed, *, whole: bool = True) -> None:
        conversation = self._conversation
        rows = len(ends)
        if classed.rows != rows:
            raise IntegrityError(f"{rows:,} rows seen, {classed.rows:,} classed")
        self._counts.add(rows, classed.classes)
        standing, now = conversation.standing, conversation.clock()
        grant = standing.grant
        rules = standing.charged_by(grant)
        charge = conversation.setup.budgets.charge(
            rules.recipient, rules, now, classed.ordinals, classed.anonymous, free=classed.free, before=self.passed
        )
        standing.spent(grant, charge.new_persons)
        allowed = charge.allowed
        if allowed:
            if allowed < rows:
                data = memoryview(data)[: ends[allowed - 1]]
            if charge.wait:
                self._wait(charge.wait)
            if self._marker is not None and whole:
                data = self._marker.mark(data, ends[:allowed])
            entries = self._entries(classed, allowed, len(data), charge.undiscounted)
            conversation.outbox.hold(conversation.append(entries, spool=grant is not None), data)
            self.released += allowed
            self.passed += allowed
        if conversation.setup.observe is not None:
            conversation.setup.observe(now, rules.recipient, rows, charge.new_persons)
        if charge.exceeded is not None:
            self._exceeded(charge, charge.exceeded, allowed < rows)

    def _wait(self, seconds: float) -> None:
        token = self._conversation.token()
        self._conversation.emit(Wake(token, seconds))
        self._conversation.outbox.hold(token, b"")

    def _exceeded(self, charge: Charge, exceeded: Exceeded, stopped: bool) -> None:
        conversation = self._conversation
        rules = conversation.standing.rules
        fields = (("window", exceeded.window), ("limit", exceeded.limit), ("used", exceeded.used))
        if stopped:
            conversation.report("stopped", *fields, ("released", self.released), alarm=True)
            self._break_off(wording.stopped(exceeded, rules, conversation.setup.lang))
        elif not self._warned:
            self._warned = True
            conversation.report("exceeded", *fields, ("mode", rules.mode))
            if rules.mode != "observe":
                conversation.notice(wording.warned(exceeded, rules, conversation.setup.lang))

    def _break_off(self, refusal: Refusal) -> None:
        self._conversation.append(self.ended(Outcome.STOPPED))
        self._stop(refusal)

    # --- records ---

    def _entries(self, classed: Classed, allowed: int, size: int, undiscounted: int) -> tuple[Entry, ...]:
        """One entry for each register with the persons in it, and one for those that nobody could name."""
        whole = allowed == classed.rows
        ordinals = classed.ordinals if whole else classed.ordinals[:allowed]
        anonymous = classed.anonymous if whole else classed.anonymous[:allowed]
        entries = []
        for register, found in self._named(ordinals):
            self._conversation.setup.decoys.received(register, found)
            entries.append(self._entry(register, Outcome.GIVEN, found, allowed, size, allowed))
        persons = int(anonymous.sum()) + undiscounted
        if persons or not entries:
            rows = int(np.count_nonzero(anonymous)) if persons else allowed
            entries.append(self._entry(self._register, Outcome.UNATTRIBUTED, NO_ORDINALS, persons, size, rows))
        return tuple(entries)

    def _named(self, ordinals: NDArray[np.uint32]) -> Iterator[tuple[str, NDArray[np.uint32]]]:
        """Registers, and the persons of each."""
        width = ordinals.shape[1]
        for shape in self.plan.registers if width else ():
            columns = self.plan.slots_of(shape.name)
            if columns:
                found = _distinct(ordinals if len(columns) == width else ordinals[:, columns])
                if len(found):
                    yield shape.name, found

    @property
    def _register(self) -> str:
        """The register that is named where there is no telling."""
        return self.plan.registers[0].name if self.plan.registers else ""

    def ended(self, outcome: Outcome, delivery: Delivery = Delivery.COMPLETE) -> tuple[Entry, ...]:
        """How a result ended that did not end well: nobody new in it, only how many rows had left."""
        return (self._entry(self._register, outcome, NO_ORDINALS, 0, 0, self.released, delivery),)

    def _entry(
        self, register: str, outcome: Outcome, ordinals: NDArray[np.uint32], rows: int, size: int, released: int,
        delivery: Delivery = Delivery.COMPLETE,
    ) -> Entry:  # fmt: skip
        standing = self._conversation.standing
        template = self._template(register, outcome, delivery)
        return Entry(
            standing.party, template, ordinals, standing.labels.case, self.facts.fingerprint, rows, size, released
        )

    def _template(self, register: str, outcome: Outcome, delivery: Delivery) -> Template:
        rules = self._conversation.standing.rules
        found = self._templates.get((register, outcome))
        if found is None or found.delivery is not delivery or found.purpose != rules.purpose:
            columns = tuple(number for number in self.plan.columns.get(register, ()) if number)
            shape = self._conversation.catalogue.registers.get(register)
            schema = 0 if shape is None else shape.schema
            key = "" if self._marker is None else self._marker.mark_keys.get(register, "")
            found = Template(
                register, schema, Channel.GATE, columns, rules.purpose, rules.basis, key, outcome, delivery
            )
            self._templates[register, outcome] = found
        return found


_DATA_ROW = ord("D")


class Sizes(Sequence[int]):
    """Bytes of each row, counted when they are asked for: most results are charged without."""

    __slots__ = ("_ends",)

    def __init__(self, ends: list[int]) -> None:
        """`ends`: where each row ends, from the first one's begin on."""
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> list[int]: ...
    def __getitem__(self, at: int | slice) -> int | list[int]:
        if isinstance(at, slice):
            return _sizes(self._ends)[at]
        return self._ends[at] - (self._ends[at - 1] if at > 0 else 0)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.float64]:
        return np.diff(np.array(self._ends, dtype), prepend=0)


def _sizes(ends: list[int]) -> list[int]:
    return [end - start for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _distinct(ordinals: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The persons in some rows, ascending, each once."""
    if ordinals.size == 1:
        return ordinals.reshape(1) if ordinals.flat[0] != NONE else NO_ORDINALS
    found = np.unique(ordinals)
    return found[:-1] if len(found) and found[-1] == NONE else found
