"""The columns that are compared, as arrays: one hash for each cell, so that no text of the register is held.

A *field* is what a leak column and a register column share. Where one side spread it over two columns (given name and
surname against full name) a field has several columns, and its forms ignore their order and what stands between them.

Rules
1. Hash 0 is "nothing said". Other hashes are those of this process (`hash`): they are never stored or returned.
2. A field with a tolerance has no strict form. Its two forms are the cells of two grids, each four tolerances wide and
   shifted by half: numbers that differ by at most two tolerances share a cell in at least one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from muniment.disclosure import Kind
from muniment.table import Cells, Table
from muniment.trace.columns import ColumnSpec, Scan
from muniment.trace.fold import anagram, fold, is_text, loose_form, number_form, sounds_like, strict_form
from muniment.trace.verdict import ColumnMatch

Hashes: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[np.float64]

CACHED_VALUES: Final = 200_000
"""Distinct cells of one column whose forms are remembered: some 30 MB; then the memory starts afresh."""
FIELDS: Final = 24
"""Fields that are compared: more tell no persons apart, and each costs 16 bytes a record."""
REACH: Final = 2.0
"""Numbers agree up to this many tolerances: either side may have been moved by one."""


@dataclass(frozen=True, slots=True)
class Field:
    """Leak columns and the register columns they show; more than one name on a side where they were merged."""

    leak: tuple[str, ...]
    columns: tuple[str, ...]
    kind: Kind
    normal: Callable[[str], str]
    tolerance: float | None

    @property
    def merged(self) -> bool:
        """Whether the field is spread over several columns on one side."""
        return len(self.leak) > 1 or len(self.columns) > 1

    def strict(self, text: str) -> str:
        """The form in which equal texts mean the same."""
        return anagram(self.normal(text)) if self.merged else strict_form(self.kind)(self.normal(text))

    def loose(self, text: str) -> str:
        """The key that survives the usual errors."""
        if self.merged:
            return " ".join(sorted({sounds_like(word) for word in fold(self.normal(text)).split()}))
        strict = self.strict(text)
        return loose_form(self.kind)(strict) if strict else ""

    def words(self, text: str) -> str:
        """The text that similarity is measured on: words (in one order where the field is merged), or signs."""
        if self.merged:
            return " ".join(sorted(fold(self.normal(text)).split()))
        return fold(self.normal(text)) if is_text(self.kind) else self.strict(text)


def fields_of(matches: Sequence[ColumnMatch], specs: Sequence[ColumnSpec]) -> tuple[Field, ...]:
    """Return the fields of a mapping: matches that share a leak column or a register column become one field."""
    known = {spec.name: spec for spec in specs}
    groups: list[tuple[dict[str, None], dict[str, None]]] = []
    for match in matches:
        if match.column is None:
            continue
        leak, columns = {match.leak_column: None}, {match.column: None}
        for group in [group for group in groups if match.leak_column in group[0] or match.column in group[1]]:
            groups.remove(group)
            leak, columns = group[0] | leak, group[1] | columns
        groups.append((leak, columns))
    return tuple(_field(tuple(leak), [known[name] for name in columns]) for leak, columns in groups)


def _field(leak: tuple[str, ...], specs: Sequence[ColumnSpec]) -> Field:
    names = tuple(spec.name for spec in specs)
    first = specs[0]
    if len(leak) > 1 or len(names) > 1:
        return Field(leak, names, first.kind, _normals([spec.normal for spec in specs]), None)
    tolerance = float(first.tolerance) if first.tolerance else None
    return Field(leak, names, first.kind, first.normal, tolerance)


def _normals(normals: Sequence[Callable[[str], str]]) -> Callable[[str], str]:
    def normal(text: str) -> str:
        for each in normals:
            text = each(text)
        return text

    return normal


def texts(table: Table, names: Sequence[str]) -> Cells:
    """Return the cells of a field: its column, or its columns joined by a blank (None where all are missing)."""
    if len(names) == 1:
        return table[names[0]]
    rows = zip(*(table[name] for name in names), strict=True)
    return [" ".join(filter(None, row)) or None for row in rows]


class Encoder:
    """Turns the cells of one column into hashes of a form. Owns a bounded memory of the forms it has made."""

    __slots__ = ("_form", "_seen")

    def __init__(self, form: Callable[[str], str]) -> None:
        self._form = form
        self._seen: dict[str | None, int] = {None: 0}

    def __call__(self, cells: Cells) -> Hashes:
        """Return one hash for each cell: 0 where the form is empty."""
        seen = self._seen
        if len(seen) > CACHED_VALUES:
            seen.clear()
            seen[None] = 0
        form = self._form
        for cell in set(cells).difference(seen):
            text = form(cell) if cell else ""
            seen[cell] = (hash(text) or 1) if text else 0
        return np.fromiter(map(seen.__getitem__, cells), np.int64, len(cells))


def numbers_of(cells: Iterable[str | None]) -> Numbers:
    """Return cells as floats; NaN where there is no number."""
    return np.array([_number(cell) for cell in cells], np.float64)


def _number(cell: str | None) -> float:
    try:
        return float(cell) if cell else np.nan
    except ValueError:
        try:
            return float(number_form(cell or ""))
        except ValueError:
            return float("nan")


def grid(numbers: Numbers, tolerance: float, offset: bool) -> Hashes:
    """Return the grid cell of each number (rule 2), 0 where there is none."""
    width = 2 * REACH * tolerance
    with np.errstate(invalid="ignore"):
        cells = np.floor(numbers / width + (0.5 if offset else 0.0))
        whole = np.where(np.abs(cells) < 2.0**60, cells, np.nan)
    filled = np.where(np.isnan(whole), 0.0, whole).astype(np.int64)
    return np.where(np.isnan(whole), 0, (filled << 1) | 1)


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """One side of the comparison: for each field an array over the rows. `loose` is empty until it is needed."""

    rows: int
    strict: tuple[Hashes, ...]
    loose: tuple[Hashes, ...]
    numbers: tuple[Numbers | None, ...]


def leak_keys(fields: Sequence[Field], cells_of: Sequence[Cells], *, loose: bool) -> Keys:
    """Return the forms of the leak's cells, which are given by field; the loose ones only where asked for."""
    strict, relaxed, numbers = [], [], []
    for field, cells in zip(fields, cells_of, strict=True):
        values = None if field.tolerance is None else numbers_of(cells)
        numbers.append(values)
        strict.append(_encode(field, cells, values, Encoder(field.strict), offset=False))
        if loose:
            relaxed.append(_encode(field, cells, values, Encoder(field.loose), offset=True))
    return Keys(len(cells_of[0]), tuple(strict), tuple(relaxed), tuple(numbers))


def _encode(field: Field, cells: Cells, values: Numbers | None, encoder: Encoder, *, offset: bool) -> Hashes:
    if values is None or field.tolerance is None:
        return encoder(cells)
    return grid(values, field.tolerance, offset)


def register_keys(fields: Sequence[Field], scan: Scan) -> Keys:
    """Return the strict forms of the register (and the numbers of fields with a tolerance), in one pass."""
    encoders = [Encoder(field.strict) for field in fields]
    hashes: list[list[Hashes]] = [[np.zeros(0, np.int64)] for _ in fields]
    numbers: list[list[Numbers | None]] = [[] for _ in fields]
    rows = 0
    for batch in scan(columns_of(fields)):
        rows += batch.rows
        for number, field in enumerate(fields):
            cells = texts(batch, field.columns)
            values = None if field.tolerance is None else numbers_of(cells)
            numbers[number].append(values)
            hashes[number].append(_encode(field, cells, values, encoders[number], offset=False))
    return Keys(rows, tuple(np.concatenate(parts) for parts in hashes), (), tuple(map(_joined, fields, numbers)))


def _joined(field: Field, parts: Sequence[Numbers | None]) -> Numbers | None:
    """Return the batches' numbers as one array; None where the field has no tolerance."""
    if field.tolerance is None:
        return None
    return np.concatenate([np.zeros(0), *(part for part in parts if part is not None)])


def with_loose(fields: Sequence[Field], scan: Scan, strict: Keys, sample: Hashes) -> tuple[Keys, list[Cells]]:
    """Return the register with its loose forms, and the texts of the records `sample` (sorted), by field; one pass."""
    encoders = [Encoder(field.loose) for field in fields]
    hashes: list[list[Hashes]] = [[np.zeros(0, np.int64)] for _ in fields]
    kept: list[Cells] = [[] for _ in fields]
    start = 0
    for batch in scan(columns_of(fields)):
        low, high = np.searchsorted(sample, [start, start + batch.rows])
        places = (sample[low:high] - start).tolist()
        for number, field in enumerate(fields):
            cells = texts(batch, field.columns)
            values = strict.numbers[number]
            part = None if values is None else values[start:start + batch.rows]
            hashes[number].append(_encode(field, cells, part, encoders[number], offset=True))
            kept[number].extend(cells[place] for place in places)
        start += batch.rows
    return Keys(strict.rows, strict.strict, tuple(np.concatenate(parts) for parts in hashes), strict.numbers), kept


def most_telling(fields: Sequence[Field], leak: Table) -> tuple[Field, ...]:
    """Return the fields whose cells differ most in the leak, `FIELDS` at most, in their order."""
    def values(field: Field) -> int:
        return sum(len(set(leak[name])) for name in field.leak)

    kept = set(sorted(fields, key=values, reverse=True)[:FIELDS])
    return tuple(field for field in fields if field in kept)


def columns_of(fields: Sequence[Field]) -> tuple[str, ...]:
    """Return the register columns that the fields need, each once."""
    return tuple(dict.fromkeys(name for field in fields for name in field.columns))
