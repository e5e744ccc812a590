"""Text of a keeper -> columns of numbers, with what was wrong; pure but for the question which ordinal a record has.

Rules
1. A row that says nothing sensible is left out and counted; only a table without the columns it needs is refused.
2. No cell is kept or repeated in a message: faults name tables, rows and columns.
3. Records are asked for batch by batch, those of sound rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias
from unicodedata import normalize

import numpy as np

from muniment.disclosure import canonical_keys
from muniment.errors import InputError
from muniment.limits import NAME_CHARACTERS
from muniment.watch.context.calendar import zone_of
from muniment.watch.context.checks import checked
from muniment.watch.context.faults import Fault, Wrong
from muniment.watch.context.schema import SHAPES, Form, Given, Shape
from muniment.watch.context.tables import DAY_MS, NO_END
from muniment.watch.reads import NOBODY, Names, Spaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.table import Cells, Table

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE_CHARACTERS: Final = 10
_MOST_DIGITS: Final = 18
_YES: Final = frozenset({"yes", "y", "true", "t", "1", "是"})
_NO: Final = frozenset({"no", "n", "false", "f", "0", "", "否"})
DAY_KINDS: Final[Mapping[str, int]] = {"holiday": 0, "busy": 1, "workday": 2}
"""The kinds of days in the table `calendar`, as they are kept."""
_Read: TypeAlias = "tuple[int, Wrong | None]"


class Persons(Protocol):
    """Who knows which ordinal a record has."""

    def ordinals(self, keys: Sequence[bytes]) -> NDArray[np.uint32]:
        """The ordinal of each canonical record key, shape (n,); who has none is given one."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Ground:
    """What a table is read against: where its clocks stand (an IANA name), and the register that its keys are of."""

    zone: str = "UTC"
    key: tuple[str, ...] = ()
    persons: Persons | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parsed:
    """One table, read. `columns`: numbers by name, of one length; `names`: what their codes stand for.

    `read`: rows that came. `orders`: names of the columns of `rank`, where there is one.
    """

    table: str
    columns: Mapping[str, NDArray[Any]]
    names: Spaces = field(default_factory=Spaces)
    read: int = 0
    faults: tuple[Fault, ...] = ()
    orders: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def parse(table: str, batches: Iterable[Table], source: str, ground: Ground) -> Parsed:
    """Read one table, `table` being its name in `SHAPES`; `source` names it in faults.

    Raises `InputError` where there is no such table or a column that it needs is missing; what `ground.persons` raises.
    """
    shape = SHAPES.get(table)
    if shape is None:
        raise InputError(f"there is no table {table!r} of a context; the tables are {', '.join(SHAPES)}")
    reader = _Reader(shape, source, ground)
    for batch in batches:
        reader.take(batch)
    return reader.parsed()


class _Reader:
    """The rows of one table, batch by batch."""

    def __init__(self, shape: Shape, source: str, ground: Ground) -> None:
        self._shape, self._source, self._ground = shape, source, ground
        self._names = Spaces()
        self._read = 0
        self._faults: list[Fault] = []
        self._rows: list[NDArray[np.int64]] = []
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._orders: dict[str, list[str]] = {}
        self._cells = _cells(self._names, zone_of(ground.zone))

    def take(self, batch: Table) -> None:
        found = located(self._shape, batch.columns, self._ground.key, self._source)
        sound = np.ones(batch.rows, np.bool_)
        columns: dict[str, NDArray[Any]] = {}
        for given in self._shape.columns:
            if given.form in self._cells:
                cells: Cells = batch[found[given.name][0]] if given.name in found else [None] * batch.rows
                columns[given.name] = self._column(given, cells, sound)
        keys = {name: self._keys(batch, found[name], name, sound) for name in ("KEY", "other_KEY") if name in found}
        rows = np.flatnonzero(sound)
        for name, column in columns.items():
            self._parts.setdefault(name, []).append(column[rows])
        for name, key in keys.items():
            self._parts.setdefault(_RECORD[name], []).append(self._ordinals(key, rows))
        for name in found.get("...", ()):
            cells = batch[name]
            self._orders.setdefault(name, []).extend(cells[row] or "" for row in rows.tolist())
        self._rows.append(rows + self._read + 1)
        self._read += batch.rows

    def parsed(self) -> Parsed:
        """What came, checked as a whole."""
        empty = {name: [np.zeros(0, kind)] for name, kind in _kinds(self._shape).items()}
        columns: dict[str, NDArray[Any]] = {n: np.concatenate(self._parts.get(n, e)) for n, e in empty.items()}
        if self._shape.more:
            ranks = [_ranks(texts) for texts in self._orders.values()]
            columns["rank"] = np.stack(ranks, axis=1) if ranks else np.zeros((len(columns["record"]), 0), np.int64)
        rows = np.concatenate([np.zeros(0, np.int64), *self._rows])
        columns, faults = checked(self._shape.name, columns, rows, self._source)
        found = (*self._faults, *faults)
        return Parsed(self._shape.name, columns, self._names, self._read, found, tuple(self._orders))

    def _column(self, given: Given, cells: Cells, sound: NDArray[np.bool_]) -> NDArray[Any]:
        known: dict[str, _Read] = {}
        read = self._cells[given.form]
        values = np.zeros(len(cells), np.int64)
        wrong: dict[Wrong, list[int]] = {}
        for row, cell in enumerate(cells):
            text = (cell or "").strip()
            one = known.get(text)
            if one is None:
                one = known[text] = (0, Wrong.EMPTY) if given.required and not text else read(given, text)
            values[row] = one[0]
            if one[1] is not None:
                wrong.setdefault(one[1], []).append(row)
        for kind, bad in wrong.items():
            self._say(kind, bad, given.name, sound)
        return values.astype(_TYPES[given.form])

    def _keys(self, batch: Table, names: Sequence[str], column: str, sound: NDArray[np.bool_]) -> list[Cells]:
        parts = [batch[name] for name in names]
        empty = [row for row, key in enumerate(zip(*parts, strict=True)) if not all(key)]
        if empty:
            self._say(Wrong.EMPTY, empty, column, sound)
        return parts

    def _ordinals(self, key: Sequence[Cells], rows: NDArray[np.int64]) -> NDArray[np.uint32]:
        if self._ground.persons is None or not len(rows):
            return np.zeros(len(rows), np.uint32)
        chosen = rows.tolist()
        return self._ground.persons.ordinals(canonical_keys([[part[row] or "" for row in chosen] for part in key]))

    def _say(self, kind: Wrong, bad: Sequence[int], column: str, sound: NDArray[np.bool_]) -> None:
        new = [row for row in bad if sound[row]]
        sound[new] = False
        if new:
            row = self._read + new[0] + 1
            self._faults.append(Fault(kind, self._shape.name, self._source, len(new), row, column))


# --- cells -----------------------------------------------------------------------------------------------------------


def moment(text: str, zone: Any, *, end: bool = False) -> int:
    """A date or time in ISO form as ms UTC; a date is its first moment, or as an `end` the first one after it.

    A time without an offset is local. Raises `ValueError` where it is neither.
    """
    text = text.replace("/", "-")
    given = datetime.fromisoformat(text)
    day = len(text) <= _DATE_CHARACTERS
    if day and end and given.year < _LAST_YEAR:
        given += timedelta(days=1)
    local = given if given.tzinfo else given.replace(tzinfo=zone)
    return (local - _EPOCH) // timedelta(milliseconds=1)


_LAST_YEAR: Final = 9999


def _cells(names: Spaces, zone: Any) -> Mapping[Form, Callable[[Given, str], _Read]]:
    """How a cell of each form becomes a number."""
    groups = Names()

    def name(given: Given, text: str) -> _Read:
        if len(text) > NAME_CHARACTERS or not (text.isprintable() or not text):
            return NOBODY, Wrong.BAD_NAME
        space: Names = getattr(names, given.space or "case")
        return space.code(text), None

    def since(given: Given, text: str) -> _Read:
        return _time(text, -NO_END, zone, end=False)

    def until(given: Given, text: str) -> _Read:
        return _time(text, NO_END, zone, end=True)

    def day(given: Given, text: str) -> _Read:
        at, wrong = _time(text[:_DATE_CHARACTERS], 0, UTC, end=False)
        return at // DAY_MS, wrong

    def group(given: Given, text: str) -> _Read:
        return groups.code(text), None

    return {
        Form.NAME: name, Form.SINCE: since, Form.UNTIL: until, Form.DATE: day, Form.COUNT: _count, Form.YES: _yes,
        Form.DAY_KIND: _day_kind, Form.GROUP: group,
    }  # fmt: skip


def _time(text: str, empty: int, zone: Any, *, end: bool) -> _Read:
    if not text:
        return empty, None
    try:
        return moment(text, zone, end=end), None
    except (ValueError, OverflowError):
        return empty, Wrong.BAD_DATE


def _count(given: Given, text: str) -> _Read:
    plain = text.replace(",", "")
    if not plain.isdecimal() or len(plain) > _MOST_DIGITS or int(plain) < 1:
        return 0, Wrong.BAD_COUNT
    return int(plain), None


def _yes(given: Given, text: str) -> _Read:
    word = text.casefold()
    return (1, None) if word in _YES else (0, None if word in _NO else Wrong.BAD_CHOICE)


def _day_kind(given: Given, text: str) -> _Read:
    kind = DAY_KINDS.get(text.casefold())
    return (0, Wrong.BAD_CHOICE) if kind is None else (kind, None)


def _ranks(texts: Sequence[str]) -> NDArray[np.int64]:
    """Where each text stands when all are sorted, equal ones at the place of their first; -1 for an empty one."""
    filled = [row for row, text in enumerate(texts) if text.strip()]
    numbers = all((texts[row].isdecimal() and len(texts[row]) <= _MOST_DIGITS) for row in filled)
    values: list[Any] = [int(texts[row]) if numbers else _folded(texts[row]) for row in filled]
    ranks = np.full(len(texts), -1, np.int64)
    place, before = 0, None
    for position, at in enumerate(sorted(range(len(filled)), key=values.__getitem__)):
        if values[at] != before:
            place, before = position, values[at]
        ranks[filled[at]] = place
    return ranks


def _folded(text: str) -> str:
    return normalize("NFKC", text).casefold().strip()


# --- columns ---------------------------------------------------------------------------------------------------------

_RECORD: Final[Mapping[str, str]] = {"KEY": "record", "other_KEY": "other"}
_TYPES: Final[Mapping[Form, type[np.generic]]] = {
    Form.NAME: np.int32, Form.SINCE: np.int64, Form.UNTIL: np.int64, Form.DATE: np.int64, Form.COUNT: np.int64,
    Form.YES: np.bool_, Form.DAY_KIND: np.uint8, Form.GROUP: np.int64, Form.KEY: np.uint32, Form.OTHER_KEY: np.uint32,
}  # fmt: skip


def _kinds(shape: Shape) -> dict[str, type[np.generic]]:
    """The columns that a table becomes, and their types."""
    return {_RECORD.get(g.name, g.name): _TYPES[g.form] for g in shape.columns if g.form in _TYPES}


def located(shape: Shape, columns: Sequence[str], key: Sequence[str], source: str) -> dict[str, tuple[str, ...]]:
    """Which columns of the source stand for which of the table; a key of one column may also be called KEY.

    Raises `InputError` where one that is needed is missing.
    """
    known = {name.strip().casefold(): name for name in reversed(columns)}
    found: dict[str, tuple[str, ...]] = {}
    for given in shape.columns:
        if given.form is Form.ORDER:
            continue
        names = _asked(given, key, known)
        if all(name.casefold() in known for name in names):
            found[given.name] = tuple(known[name.casefold()] for name in names)
        elif given.required:
            missing = ", ".join(name for name in names if name.casefold() not in known)
            raise InputError(
                f"{source}: no column {missing}, which the table {shape.name!r} of a context needs; "
                f"its columns are {', '.join(columns)}",
                hint=f"muniment watch import {shape.name} --help names the columns of this table",
            )
    if shape.more:
        used = {name for names in found.values() for name in names}
        found["..."] = tuple(name for name in columns if name not in used)
    return found


def _asked(given: Given, key: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    if given.form not in (Form.KEY, Form.OTHER_KEY):
        return (given.name,)
    before = "other_" if given.form is Form.OTHER_KEY else ""
    names = tuple(before + name for name in key)
    literal = len(key) == 1 and names[0].casefold() not in known and given.name.casefold() in known
    return (given.name,) if literal or not key else names
