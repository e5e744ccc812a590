"""Whose rows a result brings, column by column: by PostgreSQL's own description, and no further than a text proves.

Rules
1. A column of a guarded relation belongs to a *slot*: the columns of one relation (of a view, of one source) that may
   show one row. What is nobody's (other tables, harmless columns, `tableoid`) is left out.
2. A slot whose columns are proved to be of one row is *certain*: a key in it says whose it is. Else its columns may be
   of as many rows as there are columns, or as the text names the relation (`Slot.sources`).
3. A whole row in one cell (attribute 0) brings its own key: a slot of its own, and certain.
4. Columns of no table (OID 0) are made of the rows that the statement joins where the text proves that; else, and for
   tables that are not known, they cost what their bytes may hold (`ResultPlan.bulk`).
5. Where text and description contradict each other, the text proves nothing.
Source: PostgreSQL documentation, "Message Formats", RowDescription; src/backend/parser/parse_target.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final
from uuid import UUID

from muniment.gate.attribution.catalogue import Catalogue, RegisterShape, Relation
from muniment.gate.attribution.origins import key_of, meant_by, opaque, shape_of, source_of, sources
from muniment.gate.attribution.slots import (
    EXPRESSION,
    HARMLESS,
    LEAST_UNIT,
    REGISTER,
    UNKNOWN,
    Cell,
    Class,
    Mode,
    ResultPlan,
    Slot,
    WholeRow,
)
from muniment.gate.protocol.backend import CopyOutResponse, Field
from muniment.gate.protocol.values import BPCHAR, INT2, INT4, INT8, TEXT, UUID_OID, VARCHAR

if TYPE_CHECKING:
    from muniment.gate.attribution.copytext import CopyTarget
    from muniment.gate.attribution.text import Facts

__all__ = ["FIRST_USER_OID", "ResultPlan", "plan_copy", "plan_result"]

FIRST_USER_OID: Final = 16_384
"""Below it all tables are PostgreSQL's own (`FirstNormalObjectId`)."""
STATISTICS: Final = frozenset((2619, 3429))
"""pg_statistic and pg_statistic_ext_data: values of any table are in them."""
ANYARRAY: Final = 2277
"""Type of the columns of `pg_stats` in which values of any table are."""
TABLEOID: Final = -6
WHOLE_ROW: Final = 0
ROWS: Final = frozenset(("select", "insert", "update", "delete", "merge", "declare", "copy-query"))
"""Kinds of statements whose own text is what brings the rows."""
_HEAD_BYTES: Final = 7
"""Of a DataRow: its type, its length, its number of columns."""
_LENGTH_BYTES: Final = 4


def plan_result(fields: Sequence[Field], formats: Sequence[int], facts: Facts, catalogue: Catalogue) -> ResultPlan:
    """The plan for rows of these columns. `formats`: 0 or 1 for each. `facts`: of the text that they come from."""
    return _Draft(fields, formats, facts, catalogue).plan()


def plan_copy(
    facts: Facts, response: CopyOutResponse, catalogue: Catalogue, fields: Sequence[Field] | None
) -> ResultPlan:
    """The plan for COPY TO STDOUT. `fields`: the columns of the query inside it, where there is one."""
    target, formats = facts.copy, response.formats
    unreadable = ResultPlan(True, _all(UNKNOWN, formats), mode="charge", free=False, unit=_unit(catalogue))
    if target is None or response.overall != (target.format == "binary"):
        return unreadable
    if target.query is not None:
        return _copy_plan(fields, formats, facts, catalogue, certain=False) or unreadable
    meant = _meant(target, catalogue)
    if meant is None:
        return unreadable
    if not meant.guarded:
        return ResultPlan(False, _all(HARMLESS, formats))
    return _copy_plan(_columns(target, meant), formats, facts, catalogue, certain=True) or unreadable


def _all(kind: Class, formats: Sequence[int]) -> tuple[Class, ...]:
    return (kind,) * len(formats)


def _copy_plan(
    fields: Sequence[Field] | None, formats: Sequence[int], facts: Facts, catalogue: Catalogue, *, certain: bool
) -> ResultPlan | None:
    if fields is None or len(fields) != len(formats):
        return None
    return _Draft(fields, formats, facts, catalogue, copy=facts.copy, certain=certain).plan()


def _meant(target: CopyTarget, catalogue: Catalogue) -> Relation | None:
    """The table that is copied, or one that stands for several of no register; `None` where it is not certain."""
    found = [
        relation
        for relation in catalogue.relations.values()
        if relation.name == target.name and target.schema in ("", relation.schema)
    ]
    certain = len(found) == 1 or not any(one.guarded for one in found)
    return found[0] if found and certain and not any(one.temporary for one in found) else None


def _columns(target: CopyTarget, relation: Relation) -> list[Field] | None:
    """The columns of a table that is copied; `None` where one of them is not known."""
    attributes = sorted(relation.attributes.items())
    known = {attribute.name: (number, attribute.type_oid) for number, attribute in attributes}
    chosen = tuple(known) if target.columns is None else target.columns
    if not known.keys() >= set(chosen):
        return None
    return [Field(name, relation.oid, *known[name]) for name in chosen]


class _Draft:
    """One plan in the making."""

    def __init__(
        self, fields: Sequence[Field], formats: Sequence[int], facts: Facts, catalogue: Catalogue, *,
        copy: CopyTarget | None = None, certain: bool = False,
    ) -> None:  # fmt: skip
        """`certain`: all columns of a relation are of one row, whatever the text says."""
        self._fields = fields
        self._formats = formats
        self._facts = facts
        self._catalogue = catalogue
        self._copy = copy
        self._columns: dict[tuple[int, int], list[int]] = {}
        self._wholes: list[int] = []
        self._bulk: list[int] = []
        self._expressions: list[int] = []
        self._classes: list[Class] = [self._sort(at, one) for at, one in enumerate(fields)]
        self._guarded = {fields[at].table_oid for at in chain(self._wholes, *self._columns.values())}
        names = {catalogue.relations[oid].name for oid in self._guarded}
        self._agrees = names <= facts.mentions.keys()
        self._single = certain or (facts.single and self._agrees)

    def plan(self) -> ResultPlan:
        """The whole of it."""
        slots = [self._slot(origin, positions) for origin, positions in self._columns.items()]
        keyed = {slot.origin for slot in slots if self._single and slot.named}
        slots += [slot for at in self._wholes for slot in self._whole(at) if slot.origin not in keyed]
        extra, local = self._computed(slots)
        if not (slots or extra or self._bulk):
            return ResultPlan(False, tuple(self._classes))
        fields, placed, bulk = self._read(slots)
        return ResultPlan(
            guarded=True,
            classes=tuple(self._classes),
            fields=fields,
            mode=self._mode(slots, extra),
            slots=placed,
            registers=self._registers(slots),
            columns=self._numbers(),
            free=all(slot.sources == 1 for slot in slots),
            extra=extra,
            bulk=bulk,
            unit=_unit(self._catalogue),
            always=local and any(slot.sources > 1 for slot in slots),
            empty=-1 if self._copy else _HEAD_BYTES + _LENGTH_BYTES * len(self._fields),
            learn=self._learns(),
            copy=self._copy,
        )

    # --- what each column is (rule 1) ---

    def _sort(self, at: int, one: Field) -> Class:
        """Put a column where it belongs."""
        if one.table_oid == 0:
            self._expressions.append(at)
            return EXPRESSION
        relation = self._catalogue.relations.get(one.table_oid)
        if relation is None or relation.temporary:
            own = relation is None and one.table_oid < FIRST_USER_OID and one.table_oid not in STATISTICS
            return HARMLESS if own and one.type_oid != ANYARRAY else self._unknown(at)
        return self._sort_guarded(at, one, relation) if relation.guarded else HARMLESS

    def _sort_guarded(self, at: int, one: Field, relation: Relation) -> Class:
        attribute = relation.attributes.get(one.attnum)
        if one.attnum == TABLEOID or (attribute is not None and attribute.harmless):
            return HARMLESS
        if one.attnum == WHOLE_ROW:
            return self._sort_whole(at, relation)
        source = source_of(relation, attribute)
        if source is None or shape_of(self._catalogue, relation, source) is None:
            return self._unknown(at)
        self._columns.setdefault((relation.oid, source), []).append(at)
        return REGISTER

    def _unknown(self, at: int) -> Class:
        self._bulk.append(at)
        return UNKNOWN

    def _sort_whole(self, at: int, relation: Relation) -> Class:
        """A whole row is known if all that is in it is."""
        keys = [key_of(self._catalogue, relation, source) for source in sources(relation)]
        if not all(keys) or not keys:
            return self._unknown(at)
        self._wholes.append(at)
        if opaque(relation):
            return self._unknown(at)
        return REGISTER

    # --- slots (rules 2 and 3); cells are positions in the result until `_read` ---

    def _slot(self, origin: tuple[int, int], positions: list[int]) -> Slot:
        relation = self._catalogue.relations[origin[0]]
        shape = shape_of(self._catalogue, relation, origin[1])
        assert shape is not None, "columns without a register are no slot"
        rows = self._may_be_of(relation, len(positions))
        by_number = self._by_number(positions)
        key = [by_number.pop(number, []) for number, _ in key_of(self._catalogue, relation, origin[1])]
        keys = tuple(tuple(map(self._cell, places)) for places in zip(*key, strict=False))
        slot = Slot(shape.name, origin, rows)
        if rows > 1:
            # Of several rows, the parts of a longer key might be put together that do not belong together.
            return replace(slot, keys=keys if len(key) == 1 else (), cells=tuple(positions))
        slot = replace(slot, keys=keys[:1], pinned=() if keys else self._pinned(relation, origin[1]))
        beside = {number: places[0] for number, places in by_number.items()}
        if not slot.named:
            beside = {number: places[0] for number, places in self._by_number(positions).items()}
        outer = bool(keys) and self._beside_others(relation, positions)
        read = outer or self._learns() or not slot.named
        return replace(slot, outer=outer, numbers=tuple(beside), cells=tuple(beside.values()) if read else ())

    def _beside_others(self, relation: Relation, positions: list[int]) -> bool:
        """Whether there are columns of other rows, to which an outer join may add none of this slot."""
        others = {one.table_oid for one in self._fields} - {0, relation.oid}
        return bool(others) or (len(sources(relation)) > 1 and len(positions) < len(self._fields))

    def _by_number(self, positions: list[int]) -> dict[int, list[int]]:
        """Attribute number -> columns that show it, both ascending."""
        found: dict[int, list[int]] = {}
        for at in sorted(positions, key=lambda at: (self._fields[at].attnum, at)):
            found.setdefault(self._fields[at].attnum, []).append(at)
        return found

    def _may_be_of(self, relation: Relation, columns: int) -> int:
        """Of how many rows that many columns of a relation may be."""
        facts = self._facts
        if self._single:
            return 1
        named = facts.mentions.get(relation.name, 0) if self._proves() else 0
        return min(columns, named) if named else columns

    def _proves(self) -> bool:
        """Whether the text names all tables that the rows are of, and each as often as it is used."""
        facts = self._facts
        return facts.provable and facts.kind in ROWS and not facts.with_ and self._agrees

    def _whole(self, at: int) -> list[Slot]:
        """One slot for each source of the rows in one column."""
        relation = self._catalogue.relations[self._fields[at].table_oid]
        places = {number: place for place, number in enumerate(sorted(relation.attributes))}
        found = []
        for source in sources(relation):
            shape = shape_of(self._catalogue, relation, source)
            keys = tuple((places[number], one.type_oid) for number, one in key_of(self._catalogue, relation, source))
            if shape is not None:
                whole = WholeRow(self._cell(at), len(places), keys)
                found.append(Slot(shape.name, (relation.oid, source), 1, whole=whole))
        return found

    def _cell(self, at: int) -> Cell:
        return Cell(at, self._fields[at].type_oid, self._formats[at])

    # --- what the condition fixes ---

    def _learns(self) -> bool:
        return self._single and bool(self._facts.pins)

    def _pinned(self, relation: Relation, source: int) -> tuple[str, ...]:
        """The key that the condition fixes, as its texts; empty where it fixes none."""
        facts = self._facts
        if not (self._single and facts.one_select and dict(facts.mentions) == {relation.name: 1}):
            return ()
        texts = [
            _literal(one.type_oid, facts.pins.get(one.name)) if one.deterministic else None
            for _, one in key_of(self._catalogue, relation, source)
        ]
        return () if None in texts else tuple(one for one in texts if one is not None)

    # --- expressions (rule 4) ---

    def _computed(self, slots: list[Slot]) -> tuple[int, bool]:
        """Persons in each row that the slots do not cover, and whether expressions are made of the row's own tables.

        Adds the slot of a table that only expressions show, where the condition says whose row it is.
        """
        if not self._expressions:
            return 0, False
        if self._facts.register_free and not (self._guarded or self._bulk):
            return 0, False
        rows = self._rows_joined()
        if rows is None:
            self._bulk = sorted(self._bulk + self._expressions)
            return 0, False
        if not slots and self._facts.pins:
            slots += self._shown_by_expressions()
        covered: dict[tuple[int, int], int] = {}
        for slot in slots:  # two slots of one origin may show the same row
            covered[slot.origin] = max(covered.get(slot.origin, 0), slot.sources)
        return max(0, rows - sum(covered.values())), True

    def _rows_joined(self) -> int | None:
        """How many rows of guarded tables one row of the result is made of; `None` where that is not proved."""
        facts, catalogue = self._facts, self._catalogue
        if not (self._proves() and facts.one_select and facts.mentions):
            return None
        if catalogue.user_operators or not facts.functions <= catalogue.scalar_functions:
            return None
        rows = 0
        for name, times in facts.mentions.items():
            meant = meant_by(catalogue, name)
            if not meant or any(opaque(one) or not sources(one) for one in meant):
                return None
            rows += times * max(len(sources(one)) for one in meant)
        return rows

    def _shown_by_expressions(self) -> list[Slot]:
        meant = [one for name in self._facts.mentions for one in meant_by(self._catalogue, name)]
        if len(meant) != 1 or len(sources(meant[0])) != 1:
            return []
        relation, source = meant[0], sources(meant[0])[0]
        shape = shape_of(self._catalogue, relation, source)
        pinned = self._pinned(relation, source)
        return [Slot(shape.name, (relation.oid, source), 1, pinned=pinned)] if shape and pinned else []

    # --- putting it together ---

    def _read(self, slots: list[Slot]) -> tuple[tuple[int, ...], tuple[Slot, ...], tuple[Cell, ...]]:
        """The columns that are read, ascending; slots and bulk with places among these instead of in the result."""
        wanted = set(self._bulk)
        for slot in slots:
            wanted.update(slot.cells, (cell.index for key in slot.keys for cell in key))
            if slot.whole:
                wanted.add(slot.whole.cell.index)
        fields = tuple(sorted(wanted))
        place = {at: index for index, at in enumerate(fields)}

        def placed(cell: Cell) -> Cell:
            return Cell(place[cell.index], cell.type_oid, cell.format)

        found: list[Slot] = []
        for slot in slots:
            whole = slot.whole and WholeRow(placed(slot.whole.cell), slot.whole.width, slot.whole.keys)
            keys = tuple(tuple(map(placed, key)) for key in slot.keys)
            cells = tuple(place[at] for at in slot.cells)
            first = sum(one.width for one in found)
            found.append(replace(slot, first=first, keys=keys, whole=whole, cells=cells))
        return fields, tuple(found), tuple(placed(self._cell(at)) for at in self._bulk)

    def _mode(self, slots: Sequence[Slot], extra: int) -> Mode:
        if self._bulk or extra or not all(slot.named for slot in slots):
            return "charge"
        return "keys" if all(slot.sources == 1 for slot in slots) else "digests"

    def _registers(self, slots: Sequence[Slot]) -> tuple[RegisterShape, ...]:
        """Registers of the slots, then those that the text names besides."""
        names = dict.fromkeys(slot.register for slot in slots)
        for relation in self._catalogue.relations.values():
            if relation.guarded and relation.name in self._facts.mentions:
                names |= dict.fromkeys(one.register for one in relation.attributes.values() if one.register)
        return tuple(self._catalogue.registers[name] for name in names if name in self._catalogue.registers)

    def _numbers(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, set[int]] = {}
        shown = [(oid, self._fields[at].attnum) for (oid, _), places in self._columns.items() for at in places]
        for at in self._wholes:
            oid = self._fields[at].table_oid
            shown += [(oid, number) for number in self._catalogue.relations[oid].attributes]
        for oid, number in shown:
            relation = self._catalogue.relations[oid]
            attribute = relation.attributes.get(number)
            source = source_of(relation, attribute)
            shape = None if source is None else shape_of(self._catalogue, relation, source)
            if shape is not None and number > 0:
                found.setdefault(shape.name, set()).add(attribute.number if attribute else 0)
        return {register: tuple(sorted(numbers)) for register, numbers in found.items()}


def _unit(catalogue: Catalogue) -> float:
    """Half of what a person takes in a table: a number takes fewer bytes as a short text than it does there."""
    shapes = catalogue.registers.values()
    return max(LEAST_UNIT, min((shape.mean_row_bytes for shape in shapes), default=LEAST_UNIT) / 2)


def _literal(type_oid: int, pin: str | int | None) -> str | None:
    """The text of the only key that equals a literal; `None` where that is not certain."""
    if not isinstance(pin, str):
        return None
    try:
        if type_oid in (INT2, INT4, INT8):
            return str(int(pin)) if "_" not in pin else None
        if type_oid == UUID_OID:
            return str(UUID(pin))
    except ValueError:
        return None
    if type_oid in (TEXT, VARCHAR):
        return pin
    return pin.rstrip(" ") if type_oid == BPCHAR else None
