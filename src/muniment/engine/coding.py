"""Columns as narrow integer codes: equal value, equal code. The text of a file that DuckDB reads never enters Python.

    integers, dates, booleans    the value itself, shifted; compacted to the values that are there
    all else, few values         the place in a dictionary (an ENUM of DuckDB) of the texts, in the order of values
    all else, many values        a hash of the text, which is proved to have no collision, or refused
    other sources                the place in a dictionary of texts, batch by batch

Rules
1. The text of a value decides, as DuckDB writes it: 1 and 1.0 of a text column differ, so do 0.0 and -0.0 of a column
   of floats, while NaN equals NaN. Codes follow values where `ordered`: numbers, dates, and text that is whole numbers.
2. NULL has a code of its own, the last, and equals NULL. An empty text is not NULL.
3. Every row is coded, in the order of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

from muniment.engine.duck import DuckRelation, check_one_expression, connect, duck_errors
from muniment.engine.tables import quoted
from muniment.errors import InputError, LimitError, UnreachableError

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from muniment.table import Table

DICTIONARY: Final = 100_000
"""Values of one column that become a dictionary inside DuckDB: beyond, a dictionary costs ten times a hash."""
LABELS: Final = 1_000_000
"""Values of one column whose texts are handed out: some 100 MB of Python strings."""
SPREAD: Final = 4
"""Width of a range of integers, in rows, up to which values are shifted and looked up rather than sorted."""
_WHOLE: Final = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_INTEGERS: Final = dict.fromkeys(_WHOLE, "CAST({} AS BIGINT)") | {
    "BOOLEAN": "CAST({} AS BIGINT)",
    "DATE": "CASE WHEN isfinite({0}) THEN {0} - DATE '1970-01-01' WHEN {0} > DATE '1970-01-01' THEN {1}"
    " WHEN {0} IS NOT NULL THEN -{1} END",
}
"""Types whose values are whole numbers of 64 bits, and how; days that never end lie beyond all others."""
_TEXT_OF: Final = dict.fromkeys(("DOUBLE", "FLOAT"), "CASE WHEN isnan({0}) THEN 'nan' ELSE CAST({0} AS VARCHAR) END")
"""Types whose text is not quite DuckDB's: a NaN has a sign that says nothing."""
_ENDLESS: Final = 10**10
_SORTED: Final = {"UBIGINT", "HUGEINT", "UHUGEINT", "DOUBLE", "FLOAT", "TIME", "INTERVAL"}
"""Other types whose order is one of values; ENUM, DECIMAL and the kinds of TIMESTAMP besides."""
_FOUND: Final = '"muniment found"'
_DICTIONARY: Final = '"muniment dictionary"'
"""Names that shadow no table of a register."""
_UTF8: Final = {"utf-8", "utf8", "ascii", "us-ascii"}


class CodedColumn(NamedTuple):
    """One column, in the order of the fields of `exposure.extract.Coded`: `Coded(*column)` is that column.

    codes: uint8, uint16 or uint32, (rows,), each below `size`; null: the code of NULL, or -1; labels: the text of each
    code, where asked for (`None` for NULL).
    """

    name: str
    codes: NDArray[Any]
    size: int
    null: int = -1
    ordered: bool = False
    labels: tuple[str | None, ...] = ()


class Batches(Protocol):
    """Any source of batches of text, such as `ingest.sources.Source`."""

    @property
    def location(self) -> str:
        """Where it is read from."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""

    def batches(self, columns: Sequence[str] | None = None, where: str | None = None) -> Iterator[Table]:
        """The rows as tables."""


def read_codes(
    source: Batches,
    columns: Sequence[str] | None = None,
    *,
    where: str | None = None,
    labels: bool = False,
    memory_limit: str | None = None,
) -> tuple[CodedColumn, ...]:
    """Code the columns (all, in their order, if `None`) of the rows that meet `where`; `labels`: with their texts.

    Parquet and DuckDB files, and plain UTF-8 text, are coded by DuckDB within `memory_limit` (such as "2GB"); all other
    sources batch by batch, in memory for the codes and one copy of each text. Raises `InputError` (no such column, a
    name twice, a bad condition, a damaged file), `LimitError` (texts asked for of more than 1,000,000 values) and
    `UnreachableError` (disk, server, out of memory).
    """
    names = source.columns if columns is None else tuple(columns)
    _check_names(source, names)
    if isinstance(source, DuckRelation):
        return _by_duckdb(source, names, where, labels, memory_limit)
    if where is None and _plain_text(source):
        try:
            return _delimited(source, names, labels, memory_limit)
        except InputError as error:
            if isinstance(error, LimitError):
                raise
            # The reader of batches names the line and says what is wrong with it, or reads what DuckDB would not.
    return codes_of(source.batches(names, where), names, labels=labels)


def _check_names(source: Batches, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        if name not in source.columns:
            raise InputError(f"{source.location}: no column {name!r}; the columns are {', '.join(source.columns)}")
        if name in names[:number]:
            raise InputError(f"{source.location}: column {name!r} is asked for twice", hint="name each column once")
    if not names:
        raise InputError(f"{source.location}: no column is asked for; the columns are {', '.join(source.columns)}")


# --- by DuckDB ---------------------------------------------------------------------------------------------------


class _Coder:
    """Codes the columns of one relation on one connection; all queries see the rows in one order."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, relation: str, what: str, labels: bool) -> None:
        self._connection = connection
        self._relation = relation
        self._what = what
        self._labels = labels

    def columns(self, names: Sequence[str]) -> tuple[CodedColumn, ...]:
        described = self._connection.execute(f"DESCRIBE SELECT {_listed(names)} FROM {self._relation}").fetchall()
        types = {str(row[0]): str(row[1]) for row in described}
        rows = int(self._one("SELECT count(*) FROM " + self._relation)[0])
        return tuple(
            self._integers(name, types[name], rows) if types[name] in _INTEGERS else self._texts(name, types[name])
            for name in names
        )

    def _one(self, sql: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] | None = self._connection.execute(sql).fetchone()
        assert found is not None  # aggregates have a row, also over none
        return found

    def _array(self, sql: str) -> NDArray[Any]:
        """The one column, without NULLs, of a query."""
        return np.asarray(self._connection.execute(sql).fetchnumpy()["code"])

    def _integers(self, name: str, kind: str, rows: int) -> CodedColumn:
        value = _INTEGERS[kind].format(quoted(name), _ENDLESS)
        bounds = f"SELECT min(v), max(v), count(v) FROM (SELECT {value} AS v FROM {self._relation})"
        low, high, known = self._one(bounds)
        if low is None:
            return self._finished(name, np.zeros(rows, np.uint8), 0, rows > 0, ordered=True)
        nulls = known < rows
        if high - low < SPREAD * rows + 2**16:
            width = high - low + 1
            code = f"CAST(coalesce({value} - ({low}), {width}) AS {'UINTEGER' if width >= 2**16 else 'USMALLINT'})"
            shifted = self._array(f"SELECT {code} AS code FROM {self._relation}")
            there = np.zeros(width + 1, bool)
            there[shifted] = True
            there[width] = False
            places = np.cumsum(there, dtype=np.int64) - 1
            size = int(places[-1]) + 1
            places[width] = size
            return self._finished(name, _narrow(places, size + nulls)[shifted], size, nulls, ordered=True)
        # A value that is not there stands for NULL until the others are numbered.
        wide = self._array(f"SELECT coalesce({value}, {low}) AS code FROM {self._relation}")
        values, codes = np.unique(wide, return_inverse=True)
        codes = _narrow(codes.reshape(-1), len(values) + nulls)
        if nulls:
            codes[self._array(f"SELECT {quoted(name)} IS NULL AS code FROM {self._relation}")] = len(values)
        return self._finished(name, codes, len(values), nulls, ordered=True)

    def _texts(self, name: str, kind: str) -> CodedColumn:
        text = _TEXT_OF.get(kind, "CAST({0} AS VARCHAR)").format(quoted(name))
        about = int(self._one(f"SELECT approx_count_distinct({text}) FROM {self._relation}")[0])
        return (self._by_dictionary if about <= DICTIONARY else self._by_hash)(name, kind, text)

    def _by_dictionary(self, name: str, kind: str, text: str) -> CodedColumn:
        run = self._connection.execute
        value = quoted(name)
        run(f"CREATE TEMP TABLE {_FOUND} AS SELECT {text} AS t, min({value}) AS o FROM {self._relation} GROUP BY 1")
        size, nulls, other = self._one(
            "SELECT count(t), count(*) - count(t),"
            f" count(t) FILTER (CAST(TRY_CAST(t AS BIGINT) AS VARCHAR) IS DISTINCT FROM t) FROM {_FOUND}"
        )
        whole, typed = kind == "VARCHAR" and not other, _sorts(kind)
        order = "CAST(t AS BIGINT)" if whole else "o, t" if typed else "t"
        listed = f"SELECT t FROM {_FOUND} WHERE t IS NOT NULL ORDER BY {order}"
        codes = self._places(text, listed, size, size + nulls)
        labels = self._fetched(listed, name, size)
        run(f"DROP TABLE {_FOUND}")
        return self._finished(name, codes, size, bool(nulls), ordered=whole or typed, labels=labels)

    def _places(self, text: str, listed: str, size: int, codes: int) -> NDArray[Any]:
        """The place of each text in the list of texts, and `size` for NULL."""
        wide = "UTINYINT" if codes <= 2**8 else "USMALLINT" if codes <= 2**16 else "UINTEGER"
        if not size:
            return self._array(f"SELECT CAST(0 AS UTINYINT) AS code FROM {self._relation}")
        self._connection.execute(f"CREATE TEMP TYPE {_DICTIONARY} AS ENUM ({listed})")
        place = f"CAST(enum_code(CAST({text} AS {_DICTIONARY})) AS {wide})"
        found = self._array(f"SELECT coalesce({place}, CAST({size % 2**32} AS {wide})) AS code FROM {self._relation}"
                            if codes > size else f"SELECT {place} AS code FROM {self._relation}")  # fmt: skip
        self._connection.execute(f"DROP TYPE {_DICTIONARY}")
        return found

    def _by_hash(self, name: str, kind: str, text: str) -> CodedColumn:
        size, known, rows = self._one(f"SELECT count(DISTINCT {text}), count({text}), count(*) FROM {self._relation}")
        hashes = self._array(f"SELECT coalesce(hash({text}), 0) AS code FROM {self._relation}")
        values, codes = np.unique(hashes, return_inverse=True)
        del hashes
        codes = _narrow(codes.reshape(-1), len(values) + 1)
        nulls = known < rows
        if nulls:
            codes, values = self._without_nulls(codes, values, name)
        if len(values) != size:
            raise InputError(f"{self._what}: column {name!r}: two of its {size:,} values have one hash of 64 bits",
                             hint="leave the column out, or coarsen it")  # fmt: skip
        labels = self._fetched(f"SELECT t FROM (SELECT DISTINCT {text} AS t FROM {self._relation}) "
                               "WHERE t IS NOT NULL ORDER BY hash(t)", name, size)  # fmt: skip
        return self._finished(name, codes, size, nulls, labels=labels)

    def _without_nulls(self, codes: NDArray[Any], values: NDArray[Any], name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give NULL the last code; its stand-in goes, unless a text has it as its hash."""
        null = self._array(f"SELECT {quoted(name)} IS NULL AS code FROM {self._relation}")
        stand_in = codes[np.argmax(null)]
        gone = bool((codes[~null] != stand_in).all())
        if gone:
            codes[codes > stand_in] -= codes.dtype.type(1)
            values = np.delete(values, stand_in)
        codes[null] = len(values)
        return codes, values

    def _finished(
        self, name: str, codes: NDArray[Any], size: int, nulls: bool, *,
        ordered: bool = False, labels: tuple[str, ...] | None = None,
    ) -> CodedColumn:  # fmt: skip
        if labels is None:
            sql = (f"SELECT CAST(v AS VARCHAR) FROM (SELECT DISTINCT {quoted(name)} AS v FROM {self._relation}) "
                   "WHERE v IS NOT NULL ORDER BY v")  # fmt: skip
            labels = self._fetched(sql, name, size)
        return _column(name, codes, size, nulls, ordered, labels if self._labels else None)

    def _fetched(self, sql: str, name: str, size: int) -> tuple[str, ...]:
        if not self._labels:
            return ()
        _check_labels(name, size)
        return tuple(str(row[0]) for row in self._connection.execute(sql).fetchall())


def _by_duckdb(
    source: DuckRelation, names: Sequence[str], where: str | None, labels: bool, memory_limit: str | None
) -> tuple[CodedColumn, ...]:
    what = source.location if where is None else f"{source.location}: the condition"
    with duck_errors(what, () if where is None else source.columns), source.connection(memory_limit) as connection:
        relation = source.sql
        if where is not None or source.is_view:
            # Rows of a view may come in another order each time, and a condition is asked once.
            _hold(connection, f"SELECT {_listed(names)} FROM {relation}", where)
            relation = "held.rows"
        return _Coder(connection, relation, source.location, labels).columns(names)


def _hold(connection: duckdb.DuckDBPyConnection, sql: str, where: str | None = None) -> None:
    """Keep the rows of a query, compressed, in memory."""
    connection.execute("ATTACH ':memory:' AS held (COMPRESS, READ_WRITE)")
    if where is not None:
        check_one_expression(connection, where)
        sql += f" WHERE ({where}\n)"
    connection.execute(f"CREATE TABLE held.rows AS {sql}")


# --- delimited text, by DuckDB where it is plain -------------------------------------------------------------------


def _plain_text(source: Batches) -> bool:
    """Whether DuckDB reads a delimited file as the csv module does: UTF-8, quotes doubled, several columns."""
    dialect = getattr(source, "dialect", None)
    if dialect is None or str(getattr(source, "encoding", "")).lower() not in _UTF8 or len(source.columns) < 2:
        return False
    return (
        dialect.quotechar == '"'
        and dialect.doublequote
        and dialect.escapechar is None
        and not dialect.skip_initial_space
        and not set("*?[") & set(source.location)
    )


def _delimited(
    source: Batches, names: Sequence[str], labels: bool, memory_limit: str | None
) -> tuple[CodedColumn, ...]:
    path = Path(source.location)
    dialect = getattr(source, "dialect")  # noqa: B009 (only some sources have one)
    told = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in source.columns)
    kept = ", ".join(map(_literal, source.columns))
    relation = (
        f"read_csv({_literal(str(path))}, auto_detect = false, header = false, delim = {_literal(dialect.delimiter)},"
        f" quote = '\"', escape = '\"', columns = {{{told}}}, force_not_null = [{kept}], strict_mode = true)"
    )
    with duck_errors(source.location), connect(files=[path], memory_limit=memory_limit) as connection:
        # Which line is the header is seen, not trusted: blank lines may stand before it.
        header = connection.execute(f"SELECT * FROM {relation} LIMIT 1").fetchone() or ()
        if [str(cell).strip().removeprefix("\ufeff") for cell in header] != list(source.columns):
            raise InputError(f"{source.location}: DuckDB finds another header")
        _hold(connection, f"SELECT {_listed(names)} FROM {relation} OFFSET 1")
        return _Coder(connection, "held.rows", source.location, labels).columns(names)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))


def _sorts(kind: str) -> bool:
    """Whether values of a type have an order that says more than that of their texts."""
    return kind in _SORTED or kind.startswith(("DECIMAL(", "TIMESTAMP", "ENUM("))


# --- batch by batch ------------------------------------------------------------------------------------------------


def codes_of(batches: Iterable[Table], names: Sequence[str], *, labels: bool = False) -> tuple[CodedColumn, ...]:
    """Code the columns `names` of tables of text, as `read_codes`; a missing column is an `InputError`."""
    known: list[dict[str | None, int]] = [{} for _ in names]
    parts: list[list[NDArray[Any]]] = [[] for _ in names]
    for table in batches:
        for name, places, codes in zip(names, known, parts, strict=True):
            cells = table[name]
            for value in dict.fromkeys(cells):
                places.setdefault(value, len(places))
            codes.append(_narrow(np.fromiter(map(places.__getitem__, cells), np.int64, len(cells)), len(places)))
    return tuple(_in_order(*column, labels) for column in zip(names, known, parts, strict=True))


def _in_order(name: str, places: dict[str | None, int], parts: list[NDArray[Any]], labels: bool) -> CodedColumn:
    """The column with its codes in the order of values, and NULL the last."""
    nulls = None in places
    texts = [text for text in places if text is not None]
    whole = all(_is_whole(text) for text in texts)
    texts.sort(key=int if whole else None)
    turned = np.empty(len(places), np.int64)
    for code, text in enumerate(texts):
        turned[places[text]] = code
    if nulls:
        turned[places[None]] = len(texts)
    rows = sum(map(len, parts))
    codes = _narrow(np.empty(rows, np.uint8), len(places)) if not parts else np.concatenate(
        [_narrow(turned, len(places))[part] for part in parts]
    )
    if labels:
        _check_labels(name, len(texts))
    return _column(name, codes, len(texts), nulls, whole, tuple(texts) if labels else None)


def _is_whole(text: str) -> bool:
    """Whether a text is a whole number of 64 bits as it would be written."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return False
    return str(int(text)) == text and -(2**63) <= int(text) < 2**63


# --- common to both --------------------------------------------------------------------------------------------------


def _column(
    name: str, codes: NDArray[Any], size: int, nulls: bool, ordered: bool, labels: tuple[str, ...] | None
) -> CodedColumn:
    told: tuple[str | None, ...] = () if labels is None else (*labels, None) if nulls else labels
    return CodedColumn(name, codes, size + nulls, size if nulls else -1, ordered, told)


def _check_labels(name: str, size: int) -> None:
    if size > LABELS:
        raise LimitError(
            f"column {name!r} has {size:,} values: their texts are told for at most {LABELS:,}",
            hint="coarsen the column first, or leave it out",
        )


def _narrow(codes: NDArray[Any], size: int) -> NDArray[Any]:
    """Codes in the narrowest type that holds `size` of them."""
    if size > 2**32:
        raise UnreachableError("more than 2**32 values in one column")
    return codes.astype(np.uint8 if size <= 2**8 else np.uint16 if size <= 2**16 else np.uint32)
