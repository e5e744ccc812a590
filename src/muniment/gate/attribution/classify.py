"""Rows of a result into persons: who is in each, and how many more it is charged as.

Rules
1. A slot that is certain names one person a row. Without a readable key the row is charged one person more; one whose
   values are all NULL beside a NULL key is no row (an outer join).
2. A slot that is not certain may show `sources` persons in each row that differs from those before: the ones whose keys
   it shows are named, the rest is charged besides. Once `DIGESTS` rows are remembered, every row differs.
3. A row without key whose values this session received before, with a key, is charged as that person - once a
   statement, and without the discount of the case-load, since another person may have the same values.
4. Every row is of one class: attributed, digest_matched or unattributed. They always add up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from muniment.gate.attribution.weights import weights
from muniment.gate.attribution.wholerow import values_of
from muniment.gate.protocol.values import canonical, canonical_many

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.gate.attribution.slots import Cell, ResultPlan, Slot, WholeRow

NONE: Final = 2**32 - 1
"""No person in this slot."""
DIGESTS: Final = 65_536
"""Rows of one statement that are remembered."""
LEARNED: Final = 4_096
"""Rows of one session that are remembered for later statements."""
SMALL: Final = 256
"""Rows of a statement up to which they are learned."""
_Cells = Sequence[Sequence[bytes | None]]
_DIGEST_BYTES: Final = 16


class Persons(Protocol):
    """Where the ordinals of persons come from."""

    def ordinals(self, register: str, columns: Sequence[Sequence[str]]) -> NDArray[np.uint32]:
        """The ordinal of each person, shape (n,). `columns`: the key, column by column, n texts each.

        Raises `UnreachableError` where the ledger cannot be asked.
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Classed:
    """Rows as they are charged.

    `ordinals`: the persons of each row, shape (rows, slots), `NONE` for nobody. `anonymous`: further persons of each
    row, shape (rows,). `free`: whether the case-load costs nothing. `classes`: rows of each class; they add up.
    """

    rows: int
    ordinals: NDArray[np.uint32]
    anonymous: NDArray[np.int64]
    free: bool = field(kw_only=True)
    classes: Mapping[str, int] = field(kw_only=True)


class SessionMemory:
    """Digests of rows that were attributed in this session, and whose they were. Bounded: the oldest go first."""

    def __init__(self) -> None:
        self._persons: OrderedDict[bytes, int] = OrderedDict()

    def learn(self, digest: bytes, ordinal: int) -> None:
        """A row was a person's; one that was two persons' is nobody's."""
        known = self._persons.setdefault(digest, ordinal)
        if known != ordinal:
            self._persons[digest] = NONE
        if len(self._persons) > LEARNED:
            self._persons.popitem(last=False)

    def find(self, digest: bytes) -> int:
        """Whose a row is, or `NONE`."""
        return self._persons.get(digest, NONE)


@dataclass(slots=True, repr=False)
class _Rows:
    """Rows in the making."""

    cells: _Cells
    sizes: Sequence[int]
    ordinals: NDArray[np.uint32]
    anonymous: NDArray[np.int64]
    nameless: NDArray[np.bool_]
    """Rows that show somebody who is not named."""
    matched: NDArray[np.bool_]


class Tally:
    """Classes the rows of one result, portion by portion.

    `digest_key`: 16 bytes or more. `encoding`: Python's name of the client's encoding, in which texts come.
    """

    def __init__(
        self, plan: ResultPlan, persons: Persons, digest_key: bytes, memory: SessionMemory, encoding: str = "utf-8"
    ) -> None:
        self._plan = plan
        self._persons = persons
        self._memory = memory
        self._encoding = encoding
        self._digest_key = digest_key[:64]
        self._seen: set[bytes] = set()
        self._shown: dict[tuple[int, int], bytes] = {}
        """By slot and person, the first row that she was seen in."""
        self._torn: set[tuple[int, int]] = set()
        """Slot and person where she was seen in two rows that differ."""
        self._used: set[bytes] = set()
        self._learned = 0
        self._simple = self._is_simple()

    def take(self, cells: _Cells, sizes: Sequence[int]) -> Classed:
        """Class rows: `cells` by `plan.fields`, each of one value a row; `sizes`: bytes of each row's message.

        Raises `UnreachableError` where the ledger cannot be asked; the rows are then not classed.
        """
        if self._simple:
            found = self._all_named(cells)
            if found is not None:
                return found
        plan, rows = self._plan, len(sizes)
        bulk = bool(plan.bulk)
        taken = _Rows(
            cells,
            sizes,
            np.full((rows, plan.width), NONE, np.uint32),
            np.full(rows, plan.extra, np.int64),
            np.full(rows, bulk or plan.extra > 0, bool),
            np.zeros(rows, bool),
        )
        if not rows or not (plan.slots or bulk or plan.extra):
            return self._unread(taken)
        for slot in plan.slots:
            self._slot(slot, taken)
        if bulk:
            columns = [(cell.type_oid, cell.format, cells[cell.index]) for cell in plan.bulk]
            taken.anonymous += weights(columns, rows, plan.unit)
        return self._classed(taken)

    # --- one certain slot, one column, every key there: nearly all of the rows there are ---

    def _is_simple(self) -> bool:
        plan = self._plan
        if len(plan.slots) != 1 or plan.bulk or plan.extra or plan.learn:
            return False
        slot = plan.slots[0]
        return slot.sources == 1 and len(slot.keys) == 1 and len(slot.keys[0]) == 1

    def _all_named(self, cells: _Cells) -> Classed | None:
        slot = self._plan.slots[0]
        key = slot.keys[0][0]
        texts = canonical_many(key.type_oid, key.format, cells[key.index], self._encoding)
        if None in texts or not texts:
            return None
        whole: Sequence[str] = texts  # type: ignore[assignment]  # none of them is None
        ordinals = self._persons.ordinals(slot.register, (whole,))
        rows = len(whole)
        return Classed(
            rows, ordinals.reshape(rows, 1), np.zeros(rows, np.int64), free=True, classes={"attributed": rows}
        )

    # --- certain slots (rule 1) ---

    def _slot(self, slot: Slot, taken: _Rows) -> None:
        if slot.sources > 1:
            self._uncertain(slot, taken)
            return
        if slot.pinned:
            named = self._persons.ordinals(slot.register, [[text] for text in slot.pinned])
            ordinals = np.repeat(named, len(taken.sizes))
        elif slot.whole is not None:
            ordinals = self._whole(slot.register, slot.whole, taken)
        elif slot.keys:
            ordinals = self._keyed(slot, slot.keys[0], taken)
        else:
            ordinals = self._matched(slot, taken)
        if slot.width:
            taken.ordinals[:, slot.first] = ordinals
        if self._plan.learn and slot.named and slot.whole is None:
            self._learn(slot, ordinals, taken)

    def _keyed(self, slot: Slot, key: tuple[Cell, ...], taken: _Rows) -> NDArray[np.uint32]:
        ordinals, without = self._ordinals(slot.register, self._texts(key, taken.cells))
        for row in without.tolist():
            if not self._no_row(slot, key, taken, row):
                _charge(taken, row)
        return ordinals

    def _no_row(self, slot: Slot, key: tuple[Cell, ...], taken: _Rows, row: int) -> bool:
        """Whether the slot shows nothing at all in a row."""
        if any(taken.cells[cell.index][row] is not None for cell in key):
            return False
        if slot.outer:
            return all(taken.cells[index][row] is None for index in slot.cells)
        return taken.sizes[row] <= self._plan.empty

    def _texts(self, key: tuple[Cell, ...], cells: _Cells) -> list[list[str | None]]:
        return [canonical_many(one.type_oid, one.format, cells[one.index], self._encoding) for one in key]

    def _ordinals(
        self, register: str, columns: Sequence[Sequence[str | None]]
    ) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
        """The persons of rows, `NONE` where the key is not whole, and the rows where it is not."""
        if not any(None in column for column in columns):
            whole: Sequence[Sequence[str]] = columns  # type: ignore[assignment]  # no None in it
            return self._persons.ordinals(register, whole), np.zeros(0, np.intp)
        keys = [row for row in zip(*columns, strict=True) if None not in row]
        has = np.array([None not in row for row in zip(*columns, strict=True)], bool)
        found = np.full(len(has), NONE, np.uint32)
        if keys:
            named: list[tuple[str, ...]] = list(zip(*keys, strict=True))
            found[has] = self._persons.ordinals(register, named)
        return found, np.flatnonzero(~has)

    # --- whole rows ---

    def _whole(self, register: str, whole: WholeRow, taken: _Rows) -> NDArray[np.uint32]:
        columns: list[list[str | None]] = [[] for _ in whole.keys]
        for row, cell in enumerate(taken.cells[whole.cell.index]):
            values = None if cell is None else values_of(cell, whole.cell.format, whole.width)
            texts = self._key_in(whole, values)
            for column, text in zip(columns, texts, strict=True):
                column.append(text)
            shows = cell is not None and (values is None or any(value is not None for value in values))
            if None in texts and shows:
                _charge(taken, row)
        return self._ordinals(register, columns)[0]

    def _key_in(self, whole: WholeRow, values: Sequence[bytes | None] | None) -> list[str | None]:
        if values is None:
            return [None] * len(whole.keys)
        format, found = whole.cell.format, [(type_oid, values[place]) for place, type_oid in whole.keys]
        return [None if one is None else canonical(type_oid, format, one, self._encoding) for type_oid, one in found]

    # --- rows that were seen before (rule 3) ---

    def _learn(self, slot: Slot, ordinals: NDArray[np.uint32], taken: _Rows) -> None:
        self._learned += len(ordinals)
        if not slot.numbers or self._learned > SMALL:
            return
        head = self._head(slot)
        for row, ordinal in enumerate(ordinals.tolist()):
            if ordinal != NONE:
                self._memory.learn(self._digest(head, slot.cells, taken.cells, row), ordinal)

    def _matched(self, slot: Slot, taken: _Rows) -> NDArray[np.uint32]:
        """Rows without key: those that are known by their values, the rest is charged."""
        found = np.full(len(taken.sizes), NONE, np.uint32)
        head = self._head(slot)
        for row in range(len(found)):
            digest = self._digest(head, slot.cells, taken.cells, row) if slot.cells else b""
            ordinal = NONE if digest in self._used else self._memory.find(digest)
            if ordinal == NONE:
                _charge(taken, row)
                continue
            self._used.add(digest)
            found[row] = ordinal
            taken.matched[row] = True
        return found

    # --- slots that are not certain (rule 2) ---

    def _uncertain(self, slot: Slot, taken: _Rows) -> None:
        named = self._named(slot, taken)
        taken.ordinals[:, slot.first : slot.first + slot.width] = named
        head = self._head(slot)
        for row, ordinals in enumerate(named.tolist()):
            if all(taken.cells[index][row] is None for index in slot.cells):
                continue
            persons = {one for one in ordinals if one != NONE}
            missing = max(slot.sources - len(persons), 0)
            digest = self._digest(head, slot.cells, taken.cells, row)
            if self._differs(digest) or not persons:
                taken.anonymous[row] += missing
            if not persons or (missing and self._is_torn(slot, persons, digest)):
                taken.nameless[row] = True

    def _named(self, slot: Slot, taken: _Rows) -> NDArray[np.uint32]:
        named = np.full((len(taken.sizes), slot.width), NONE, np.uint32)
        for column, key in enumerate(slot.keys):
            named[:, column] = self._ordinals(slot.register, self._texts(key, taken.cells))[0]
        return named

    def _differs(self, digest: bytes) -> bool:
        """Whether a row is charged as one that did not come before."""
        if self._plan.always or len(self._seen) >= DIGESTS:
            return True
        before = len(self._seen)
        self._seen.add(digest)
        return len(self._seen) > before

    def _is_torn(self, slot: Slot, persons: set[int], digest: bytes) -> bool:
        """Whether one of the persons was seen in another row before."""
        for person in persons:
            name = (slot.first, person)
            if name not in self._shown:
                if len(self._shown) >= DIGESTS:
                    return True
                self._shown[name] = digest
            elif self._shown[name] != digest:
                self._torn.add(name)
        return any((slot.first, person) in self._torn for person in persons)

    # --- digests ---

    def _head(self, slot: Slot) -> bytes:
        return repr((slot.register, slot.origin, slot.numbers)).encode()

    def _digest(self, head: bytes, columns: Sequence[int], cells: _Cells, row: int) -> bytes:
        made = blake2b(head, digest_size=_DIGEST_BYTES, key=self._digest_key)
        for index in columns:
            cell = cells[index][row]
            made.update(b"-" if cell is None else b"%d:%b" % (len(cell), cell))
        return made.digest()

    # --- the classes (rule 4) ---

    def _classed(self, taken: _Rows) -> Classed:
        rows = len(taken.sizes)
        nameless = int(np.count_nonzero(taken.nameless))
        matched = int(np.count_nonzero(taken.matched & ~taken.nameless))
        counts = {"attributed": rows - nameless - matched, "digest_matched": matched, "unattributed": nameless}
        return Classed(
            rows,
            taken.ordinals,
            taken.anonymous,
            free=self._plan.free and not taken.matched.any(),
            classes={name: number for name, number in counts.items() if number},
        )

    def _unread(self, taken: _Rows) -> Classed:
        """Rows of which the plan reads nothing: what is not known is charged by the bytes of its messages."""
        if self._plan.guarded:
            whole = np.array(taken.sizes, np.float64) / self._plan.unit
            taken.anonymous += np.maximum(1, np.ceil(whole)).astype(np.int64)
            taken.nameless[:] = True
        return self._classed(taken)


def _charge(taken: _Rows, row: int) -> None:
    """A row shows one person more, who is not named."""
    taken.anonymous[row] += 1
    taken.nameless[row] = True
