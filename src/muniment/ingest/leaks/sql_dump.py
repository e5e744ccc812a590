"""SQL dumps of PostgreSQL, MySQL, MariaDB and SQLite: the rows of `INSERT` and `COPY`, each table apart.

Rules
1. The dump is read as a stream of tokens; nothing is executed, no statement is held whole.
2. `CREATE TABLE` gives the names of columns where an `INSERT` names none. All other statements are stepped over.
3. A statement that breaks off or cannot be read is counted in `unreadable`; the rows before it stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from muniment.errors import InputError
from muniment.ingest.leaks.builder import Budget
from muniment.ingest.leaks.leak import LeakTable
from muniment.ingest.leaks.source import Reading
from muniment.ingest.leaks.sql_rows import DumpTables
from muniment.ingest.leaks.sql_text import NAME, Cursor, Lexis, copy_cell, plain_name
from muniment.ingest.leaks.text import Text
from muniment.limits import COLUMNS
from muniment.table import Cells

_I: Final = re.I | re.S
_TABLE: Final = rf"({NAME}(?:\s*+\.\s*+{NAME}){{0,3}}+)"
_COLUMNS: Final = rf"\(\s*+({NAME}(?:\s*+,\s*+{NAME})*+)\s*+\)"

_INSERT: Final = re.compile(
    rf"(?:INSERT|REPLACE)\s++(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE|OR\s++\w++)\s++)*+(?:INTO\s++)?+(?:ONLY\s++)?+{_TABLE}"
    rf"\s*+(?:{_COLUMNS}\s*+)?+(?:OVERRIDING\s++\w++\s++VALUE\s++)?+(?:VALUES|VALUE)\s*+(?=\()",
    _I,
)
_COPY: Final = re.compile(rf"COPY\s++{_TABLE}\s*+(?:{_COLUMNS}\s*+)?+FROM\s++STDIN([^;]*+);[^\n]*+\n", _I)
_CREATE: Final = re.compile(
    rf"CREATE\s++(?:(?:GLOBAL|LOCAL|TEMPORARY|TEMP|UNLOGGED|FOREIGN)\s++)*+TABLE\s++(?:IF\s++NOT\s++EXISTS\s++)?+"
    rf"{_TABLE}\s*+\(",
    _I,
)
_META: Final = re.compile(r"(?:\\[^\n]*+|DELIMITER\b[^\n]*+)(?:\n|\Z)", re.I)
"""A command of a client program: psql's backslash lines, MySQL's DELIMITER."""
_NEXT_ROW: Final = re.compile(r"\s*+,\s*+\(")
_OPEN: Final = re.compile(r"\(")
_NAMES: Final = re.compile(NAME)
_NO_COLUMN: Final = frozenset(
    "CONSTRAINT PRIMARY UNIQUE KEY INDEX CHECK FOREIGN EXCLUDE LIKE FULLTEXT SPATIAL PERIOD".split()
)
"""Words that begin a clause of CREATE TABLE which is no column."""

_LOOKS: Final = re.compile(
    r"^[ \t]*+(?:(?:INSERT|REPLACE)\s++(?:IGNORE\s++)?+INTO\s++[`\"\[\w.]++"
    r"|COPY\s++[\w.\"]++[^\n;]*\bFROM\s++stdin|CREATE\s++TABLE\s)"
    r"|^-- (?:PostgreSQL|MySQL|MariaDB)[^\n]*dump|^/\*!\d{5}",
    re.I | re.M,
)
_BACKSLASH: Final = re.compile(r"MySQL|MariaDB|ENGINE\s*=|`|^/\*!\d{5}", re.I | re.M)
_STANDARD: Final = re.compile(
    r"PostgreSQL database dump|standard_conforming_strings\s*=\s*on|PRAGMA foreign_keys", re.I
)


def looks_like_sql(sample: str) -> bool:
    """Whether a text begins like a dump."""
    return bool(_LOOKS.search(sample))


class _Dump:
    """One pass over a dump."""

    def __init__(self, cursor: Cursor, lexis: Lexis, budget: Budget) -> None:
        self.cursor = cursor
        self.lexis = lexis
        self.tables = DumpTables(cursor.file, budget)
        self.unreadable = 0

    def read(self) -> None:
        """Read all statements."""
        cursor = self.cursor
        while True:
            cursor.skip_space()
            if cursor.at_end:
                break
            if found := cursor.match(_INSERT):
                self._insert(found)
            elif found := cursor.match(_COPY):
                self._copy(found)
            elif found := cursor.match(_CREATE):
                self._create(found)
            elif not cursor.match(_META):
                self._skip()

    def _insert(self, found: re.Match[str]) -> None:
        """`INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y');`"""
        cursor = self.cursor
        rows = self.tables.rows(_table_name(found[1]), _column_list(found[2]))
        cursor.match(_OPEN)
        while True:
            row = self._values()
            if row is None:
                self.unreadable += 1
                break
            rows.put(row)
            if not cursor.match(_NEXT_ROW):
                break
        self._skip()

    def _values(self) -> Cells | None:
        """The values behind an opening parenthesis, up to its end; `None` where they cannot be read."""
        cursor, lexis = self.cursor, self.lexis
        match = lexis.cell.match
        row: Cells = []
        while len(row) <= COLUMNS:
            # The quick way looks at the buffer as it is; only where that does not do, the cursor reads on.
            found = match(cursor.buffer, cursor.place)
            if found is not None and found.end() < len(cursor.buffer):
                cursor.place = found.end()
            else:
                found = cursor.match(lexis.cell)
            if found is not None:
                escaped, prefix, string, word, end = found.groups()
                value = lexis.value(escaped, prefix, string, word)
            else:
                value, end = self._expression()
                if end not in {",", ")"}:
                    return None
            row.append(value)
            if end == ")":
                return row
        return None

    def _expression(self) -> tuple[str | None, str]:
        """A value that is no plain literal: its only literal (a CAST), else its text; and what ends it."""
        texts: list[str] = []
        literals: list[str | None] = []
        depth = 0
        for token, literal in self._tokens():
            if depth == 0 and token in {",", ")", ";"}:
                self.cursor.place -= token == ";"  # it ends the statement, which is stepped over elsewhere
                text = "".join(texts).strip()
                return (literals[0] if len(literals) == 1 else text or None), token
            depth += (token == "(") - (token == ")")
            if literal:
                literals.append(self._literal(token))
            texts.append(token)
            if len(texts) > COLUMNS:
                break
        return None, ""

    def _literal(self, token: str) -> str | None:
        if token[0] == '"':
            return plain_name(token)
        found = self.lexis.cell.match(token + ")")
        if found is None:
            return token
        return self.lexis.value(found[1], found[2], found[3], found[4])

    def _tokens(self) -> Iterator[tuple[str, bool]]:
        """Tokens without comments, and whether each is a text literal; a dollar-quoted text is stepped over."""
        while found := self.cursor.token(self.lexis):
            token = found[0]
            if token.startswith(("--", "#", "/*")):
                continue
            if dollar := found[found.re.groups]:
                self.cursor.find(dollar)
                continue
            yield token, len(token) > 1 and token[-1] in "'\"" and token[0] not in "`["

    def _skip(self) -> None:
        """Step over the rest of a statement."""
        for token, _ in self._tokens():
            if token == ";":
                return

    def _create(self, found: re.Match[str]) -> None:
        """`CREATE TABLE t (a integer, b text, PRIMARY KEY (a));`"""
        columns: list[str] = []
        depth, fresh, token = 0, True, ""
        for token, _ in self._tokens():
            if token.isspace():
                continue
            if fresh and _is_column(token) and len(columns) < COLUMNS:
                columns.append(plain_name(token))
            fresh = depth == 0 and token == ","
            depth += (token == "(") - (token == ")")
            if depth < 0 or token == ";":
                break
        self.tables.create(_table_name(found[1]), columns)
        if token != ";":
            self._skip()

    def _copy(self, found: re.Match[str]) -> None:
        r"""`COPY t (a, b) FROM stdin;`, then a row a line, up to `\."""
        other_format = re.search(r"\b(?:CSV|BINARY|DELIMITER|NULL)\b", found[3], re.I)
        rows = self.tables.rows(_table_name(found[1]), _column_list(found[2]))
        for lines in self.cursor.lines_before("\\."):
            if not other_format:
                rows.put_all([[copy_cell(cell) for cell in line.split("\t")] for line in lines])
        self.unreadable += bool(other_format) + self.cursor.cut


def _is_column(token: str) -> bool:
    """Whether a token that begins a clause of CREATE TABLE is the name of a column."""
    return token[0] not in ",)(" and token.upper() not in _NO_COLUMN


def _table_name(found: str) -> str:
    """`"public"."persons"` -> `public.persons`."""
    return ".".join(map(plain_name, _NAMES.findall(found)))


def _column_list(found: str | None) -> list[str] | None:
    return [plain_name(name) for name in _NAMES.findall(found)] if found else None


def read_sql_dump(text: Text, reading: Reading) -> tuple[LeakTable, ...]:
    """Read the rows of a dump; one `LeakTable` for each table that has any.

    Raises `InputError` where the dump holds no row, `LimitError` for a literal or line beyond the bounds.
    """
    sample = text.sample
    backslash = not _STANDARD.search(sample) and (bool(_BACKSLASH.search(sample)) or "\\'" in sample)
    with text.stream() as stream:
        dump = _Dump(Cursor(stream, text.source.name), Lexis(backslash=backslash), reading.budget)
        dump.read()
    tables = dump.tables.finish()
    if not tables:
        schema_only = not dump.unreadable
        hint = "dump the rows too, not the schema alone" if schema_only else "dump again with INSERT, or COPY as text"
        raise InputError(f"{text.source.name}: an SQL dump without rows that can be read", hint=hint)
    if dump.unreadable:
        tables[0] = replace(tables[0], unreadable=tables[0].unreadable + dump.unreadable)
    return tuple(tables)
