"""Marks in flight: rows of a result with the spelling that belongs to the account which receives them.

Rules
1. A cell is written by `marks.write` as in a release: the same codebook, the same families, the same proof that every
   form means what the register says. So a list that was typed off a screen is traced like any copy.
2. A cell is marked where it is sure whose it is: a plain column of type text or varchar beside the whole record key of
   the same row (`single`: what the text of the statement proved). Everything else passes as it is.
3. What an account receives marked it must not write back: the policy keeps such accounts read-only.
4. Cells that are not valid in the client's encoding, or whose other form is not, pass as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from muniment.disclosure import canonical_keys
from muniment.gate.attribution.catalogue import Attribute, Catalogue
from muniment.gate.protocol.backend import Field
from muniment.gate.protocol.values import TEXT, VARCHAR, canonical_many
from muniment.gate.protocol.wire import cell_list, message
from muniment.marks.codebook import Codebook
from muniment.marks.plan import Plan
from muniment.marks.write import CellMarker
from muniment.table import Table

DATA_ROW: Final = ord("D")
_TYPES: Final = frozenset((TEXT, VARCHAR))
"""Types whose bytes are the text itself in both formats, and are not padded."""
_ROW_HEAD: Final = 7
"""Bytes before the first cell of a DataRow: type byte, length, count."""
_NULL: Final = 0xFFFFFFFF
Cells = list[bytes | None]


class RowMarker(Protocol):
    """Writes marks into the rows of one result while they pass."""

    @property
    def mark_keys(self) -> Mapping[str, str]:
        """Register -> id of the key that its cells are marked under, for the template of the disclosure."""
        ...

    def mark(self, rows: bytes | memoryview, ends: Sequence[int]) -> bytes | memoryview:
        """Whole DataRow messages with marks; `ends` are the offsets after each, before marking."""
        ...


class Numbers(Protocol):
    """Who a recipient is in the codebook."""

    def number(self, recipient: str, register: str) -> int:
        """The number of a recipient, on record as a candidate for this register before this returns.

        Raises `UnreachableError` where that cannot be recorded: then nothing marked may leave.
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class MarkedRegister:
    """One register's marks: `columns` names its columns by number, `mark_key` is the id of the codebook's key."""

    name: str
    mark_key: str
    columns: Mapping[int, str]
    plan: Plan
    codebook: Codebook = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One register's row in a result: places of its key, and places of each marked column."""

    register: str
    key: tuple[int, ...]
    columns: Mapping[str, tuple[int, ...]]


class ResultMarker:
    """Makes the marker of a result. One object serves all sessions of a process."""

    def __init__(self, registers: Sequence[MarkedRegister], numbers: Numbers) -> None:
        self._registers = {register.name: register for register in registers}
        self._cells = {register.name: CellMarker(register.codebook, register.plan) for register in registers}
        self._numbers = numbers

    def __repr__(self) -> str:
        return f"ResultMarker({len(self._registers)} registers)"

    def of(
        self, fields: Sequence[Field], catalogue: Catalogue, recipient: str, *, single: bool, encoding: str
    ) -> RowMarker | None:
        """The marker of a result, `None` where none of its cells is marked.

        `fields` with the formats in which rows will come; `encoding` is Python's name of the client's encoding. Raises
        as `Numbers.number`.
        """
        slots = self._slots(fields, catalogue) if single else []
        if not slots:
            return None
        numbers = {slot.register: self._numbers.number(recipient, slot.register) for slot in slots}
        return _Marker(slots, tuple(fields), self._registers, self._cells, numbers, encoding)

    def _slots(self, fields: Sequence[Field], catalogue: Catalogue) -> list[_Slot]:
        found: dict[tuple[int, int], list[tuple[int, Attribute]]] = {}
        for place, one in enumerate(fields):
            relation = catalogue.relations.get(one.table_oid)
            attribute = relation.attributes.get(one.attnum) if relation is not None else None
            if attribute is not None and attribute.register in self._registers:
                found.setdefault((one.table_oid, attribute.source), []).append((place, attribute))
        slots = (self._slot(fields, catalogue, columns) for columns in found.values())
        return [slot for slot in slots if slot is not None]

    def _slot(
        self, fields: Sequence[Field], catalogue: Catalogue, columns: Sequence[tuple[int, Attribute]]
    ) -> _Slot | None:
        register = self._registers[columns[0][1].register]
        shape = catalogue.registers.get(register.name)
        keys = {attribute.key: place for place, attribute in reversed(columns) if attribute.key >= 0}
        if shape is None or any(part not in keys for part in range(len(shape.key))):
            return None
        marked: dict[str, list[int]] = {}
        for place, attribute in columns:
            name = register.columns.get(attribute.number, "")
            if name in register.plan.columns and fields[place].type_oid in _TYPES:
                marked.setdefault(name, []).append(place)
        if not marked:
            return None
        places = {name: tuple(some) for name, some in marked.items()}
        return _Slot(register.name, tuple(keys[part] for part in range(len(shape.key))), places)


class _Marker:
    """Implements `RowMarker`."""

    def __init__(
        self, slots: Sequence[_Slot], fields: tuple[Field, ...], registers: Mapping[str, MarkedRegister],
        cells: Mapping[str, CellMarker], numbers: Mapping[str, int], encoding: str,
    ) -> None:  # fmt: skip
        self._slots = tuple(slots)
        self._fields = fields
        self._registers = registers
        self._cells = cells
        self._numbers = numbers
        self._encoding = encoding

    @property
    def mark_keys(self) -> Mapping[str, str]:
        """See `RowMarker`."""
        return {slot.register: self._registers[slot.register].mark_key for slot in self._slots}

    def mark(self, rows: bytes | memoryview, ends: Sequence[int]) -> bytes | memoryview:
        """See `RowMarker`."""
        if not ends:
            return rows
        data = bytes(rows)
        starts = [0, *ends[:-1]]
        table = [_cells(data, start) for start in starts]
        changed: set[int] = set()
        for slot in self._slots:
            self._mark(slot, table, changed)
        if not changed:
            return rows
        return b"".join(
            message(DATA_ROW, cell_list(table[row])) if row in changed else data[start:end]
            for row, (start, end) in enumerate(zip(starts, ends, strict=True))
        )

    def _mark(self, slot: _Slot, table: list[Cells], changed: set[int]) -> None:
        """Write the forms of one slot into the rows that have a key."""
        keys = [self._texts(table, place) for place in slot.key]
        rows = [row for row, parts in enumerate(zip(*keys, strict=True)) if all(parts)]
        if not rows:
            return
        register = self._registers[slot.register]
        records = register.codebook.records(canonical_keys([[column[row] or "" for row in rows] for column in keys]))
        names = tuple(slot.columns)
        texts = [self._texts([table[row] for row in rows], slot.columns[name][0]) for name in names]
        marker = self._cells[slot.register]
        before = Table(names, tuple(texts))
        (after,) = marker.write(marker.prepare(before, records), [self._numbers[slot.register]])
        for name in names:
            for row, old, new in zip(rows, before[name], after[name], strict=True):
                if new is not old and new != old and new is not None:
                    self._put(table[row], slot.columns[name], old, new, changed, row)

    def _put(
        self, cells: Cells, places: tuple[int, ...], old: str | None, new: str, changed: set[int], row: int
    ) -> None:
        try:
            form, plain = new.encode(self._encoding), (old or "").encode(self._encoding)
        except UnicodeEncodeError:
            return
        for place in places:
            if cells[place] == plain:
                cells[place] = form
                changed.add(row)

    def _texts(self, table: Sequence[Cells], place: int) -> list[str | None]:
        one = self._fields[place]
        return canonical_many(one.type_oid, one.format, [cells[place] for cells in table], self._encoding)


def _cells(data: bytes, start: int) -> Cells:
    """The cells of the DataRow at an offset; `scan` has checked its lengths before."""
    count = int.from_bytes(data[start + 5 : start + _ROW_HEAD], "big")
    at = start + _ROW_HEAD
    found: Cells = []
    for _ in range(count):
        length = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if length == _NULL:
            found.append(None)
            continue
        found.append(data[at : at + length])
        at += length
    return found
