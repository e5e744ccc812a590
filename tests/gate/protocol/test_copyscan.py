"""Rows of COPY TO STDOUT in its three formats, by hand and as a real server sends them."""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.messages import CONTENT, Cell, raw
from muniment.gate.protocol.copyscan import CopyRows, Format

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)


def taken(reader: CopyRows, *bodies: bytes, columns: int, limit: int = 99) -> tuple[list[int], list[list[Cell]], int]:
    """Which bodies each row ended with (1 first), the cells by column, and how many bodies were taken."""
    data = b"".join(raw(b"d", body) for body in bodies)
    ends: list[int] = []
    cells: list[list[Cell]] = [[] for _ in range(columns)]
    stop = reader.take(data, 0, len(data), ends, cells, limit)
    places = [0]
    for body in bodies:
        places.append(places[-1] + len(body) + 5)
    return [places.index(end) for end in ends], cells, places.index(stop)


def read(format: Format, *bodies: bytes, width: int, **options: Any) -> list[tuple[Cell, ...]]:
    """All columns of all rows."""
    reader = CopyRows(format, width=width, fields=tuple(range(width)), **options)
    ends, cells, stop = taken(reader, *bodies, columns=width)
    assert stop == len(bodies)
    return list(zip(*cells, strict=True)) if width else [()] * len(ends)


def binary(*cells: Cell) -> bytes:
    parts = [b"\xff\xff\xff\xff" if cell is None else struct.pack(">i", len(cell)) + cell for cell in cells]
    return struct.pack(">h", len(cells)) + b"".join(parts)


# --- text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (b"1\tAnn\n", (b"1", b"Ann")),
        (b"\\N\t\n", (None, b"")),
        (b"\\\\N\t\\N\n", (b"\\N", None)),
        (b"a\\tb\tc\\nd\\r\\b\\f\\v\n", (b"a\tb", b"c\nd\r\b\f\v")),
        (b"\\\t\tx\n", (b"\t", b"x")),
        (b"\\\\\t\\\\\\\\\n", (b"\\", b"\\\\")),
        (b"\\101\\x42\t\\x4\\q\n", (b"AB", b"\x04q")),
        (b"\\x\t\\9\n", (b"x", b"9")),
        (b"\\777\t\\0\n", (b"\xff", b"\0")),
    ],
)
def test_text_rows(line: bytes, cells: tuple[Cell, ...]) -> None:
    assert read("text", line, width=2) == [cells]


def test_text_with_other_delimiter_and_null() -> None:
    lines = (b"a\\|b|c\n", b"-|\\\\|x\n")
    with pytest.raises(ValueError, match="has 3 columns; expected 2"):
        read("text", *lines, width=2, delimiter=b"|", null=b"-")
    assert read("text", lines[0], b"-|\\-\n", width=2, delimiter=b"|", null=b"-") == [(b"a|b", b"c"), (None, b"-")]


@pytest.mark.parametrize(
    "line", [b"1\t2", b"", b"1\n", b"1\t2\t3\n", b"1\t2\n3\t4\n", b"1\t2\\\n", b"1\t\\\n2\n", b"\n"]
)
def test_text_that_is_not_one_row_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="COPY"):
        read("text", line, width=2)


@given(st.lists(CONTENT, min_size=3, max_size=3))
def test_text_rows_are_read_as_a_server_writes_them(cells: list[bytes]) -> None:
    escapes = {0x5C: b"\\\\", 0x09: b"\\t", 0x0A: b"\\n", 0x0D: b"\\r", 0x08: b"\\b", 0x0C: b"\\f", 0x0B: b"\\v"}
    line = b"\t".join(b"".join(escapes.get(byte, bytes((byte,))) for byte in cell) for cell in cells) + b"\n"
    assert read("text", line, width=3) == [tuple(cells)]


# --- CSV -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (b"1,Ann\n", (b"1", b"Ann")),
        (b',""\n', (None, b"")),
        (b'"a,b","c""d"\n', (b"a,b", b'c"d')),
        (b'"a\nb","\r\n"\n', (b"a\nb", b"\r\n")),
        (b'x"y,z"w,v\n', (b"xy,zw", b"v")),
        (b'"""",""""""\n', (b'"', b'""')),
        (b"a\\b,\\N\n", (b"a\\b", b"\\N")),
    ],
)
def test_csv_rows(line: bytes, cells: tuple[Cell, ...]) -> None:
    assert read("csv", line, width=2) == [cells]


def test_csv_with_other_signs() -> None:
    options = {"delimiter": b";", "quote": b"'", "escape": b"\\", "null": b"NULL"}
    lines = (b"NULL;'NULL'\n", b"'it\\'s';'a\\\\b'\n", b"'a\\b;';\"x\"\n")
    expected = [(None, b"NULL"), (b"it's", b"a\\b"), (b"a\\b;", b'"x"')]
    assert read("csv", *lines, width=2, **options) == expected


@pytest.mark.parametrize(
    "line", [b'"a,b\n', b"a,b\nc,d\n", b'a,"b"\nc,d\n', b"a,b", b"a\n", b"a,b,c\n", b'a,"b""\n', b"\n"]
)
def test_csv_that_is_not_one_row_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="COPY"):
        read("csv", line, width=2)


@given(st.lists(st.text(st.sampled_from("a,\"\n\r '\\é"), max_size=8), min_size=2, max_size=4), st.booleans())
def test_csv_rows_are_read_as_pythons_own_writer_writes_them(cells: list[str], everything: bool) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL).writerow(cells)
    expected = tuple(cell.encode() if cell or everything else None for cell in cells)
    assert read("csv", out.getvalue().encode(), width=len(cells)) == [expected]


# --- binary --------------------------------------------------------------------------------------------------------


def test_binary_rows_with_header_and_trailer() -> None:
    row = binary(b"\0\0\0\1", None, b"")
    for bodies, rows in (((HEADER + row, row), [1, 2]), ((HEADER, row, row), [2, 3]), ((HEADER,), [])):
        reader = CopyRows("binary", width=3, fields=(0, 1, 2))
        ends, cells, stop = taken(reader, *bodies, b"\xff\xff", columns=3)
        assert (ends, stop) == (rows, len(bodies) + 1)
        assert cells == [[b"\0\0\0\1"] * len(rows), [None] * len(rows), [b""] * len(rows)]


def test_a_binary_copy_without_rows_in_one_message() -> None:
    assert read("binary", HEADER + b"\xff\xff", width=3) == []


@pytest.mark.parametrize(
    "bodies",
    [
        (binary(b"a"),),
        (HEADER[:-1],),
        (HEADER[:11] + b"\0\1\0\0" + bytes(4) + binary(b"a"),),
        (HEADER[:15] + struct.pack(">i", 100) + binary(b"a"),),
        (HEADER[:15] + struct.pack(">i", -1) + binary(b"a"),),
        (HEADER, binary(b"a") + binary(b"b")),
        (HEADER, binary(b"a")[:-1]),
        (HEADER, binary(b"a", b"b")),
        (HEADER, b"\0\1\xff\xff\xff\xfe"),
        (HEADER, b"\0\1\0\0\0"),
        (HEADER, b"\xff\xfe"),
        (HEADER, b"\xff\xff\0"),
        (HEADER, b"\xff\xff", binary(b"a")),
    ],
)
def test_binary_that_is_not_one_row_is_refused(bodies: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="COPY"):
        read("binary", *bodies, width=1)


# --- all formats ---------------------------------------------------------------------------------------------------


def test_a_header_belongs_to_the_row_behind_it() -> None:
    reader = CopyRows("csv", width=1, fields=(0,), header=True)
    assert taken(reader, b"id\n", columns=1) == ([], [[]], 1)
    assert taken(reader, b"1\n", b"2\n", columns=1, limit=1) == ([1], [[b"1"]], 1)


def test_a_copy_of_no_columns() -> None:
    assert read("text", b"\n", b"\n", width=0) == [(), ()]
    assert read("csv", b"\n", width=0) == [()]
    assert read("binary", HEADER + b"\0\0", b"\0\0", width=0) == [(), ()]


def test_only_what_is_asked_for_is_given() -> None:
    reader = CopyRows("text", width=3, fields=(0, 2))
    assert taken(reader, b"1\t2\t3\n", columns=2) == ([1], [[b"1"], [b"3"]], 1)
    with pytest.raises(ValueError, match="column 3 of a COPY of 3 columns"):
        CopyRows("text", width=3, fields=(3,))


def test_another_message_or_half_a_message_ends_the_run() -> None:
    first = raw(b"d", b"1\n")
    for data in (first + raw(b"c", b""), first + first[:-1], first + b"d\0\0"):
        ends: list[int] = []
        reader = CopyRows("text", width=1, fields=())
        assert reader.take(data, 0, len(data), ends, [], 99) == len(first)
        assert ends == [len(first)]


@pytest.mark.parametrize("length", [0, 3, 2**30, 2**32 - 1])
def test_lengths_out_of_range_are_refused(length: int) -> None:
    data = raw(b"d", b"1\n", length=length)
    with pytest.raises(ValueError, match="out of range"):
        CopyRows("text", width=1, fields=()).take(data, 0, len(data), [], [], 99)


@given(st.sampled_from(["text", "csv", "binary"]), st.lists(st.binary(max_size=20), max_size=3), st.integers(0, 2))
def test_any_bytes_are_rows_or_an_error(format: Format, bodies: list[bytes], width: int) -> None:
    reader = CopyRows(format, width=width, fields=tuple(range(width)))
    try:
        ends, cells, stop = taken(reader, *bodies, columns=width)
    except ValueError:
        return
    assert stop == len(bodies) and all(len(column) == len(ends) for column in cells)


# --- as a server sends it ------------------------------------------------------------------------------------------

TEXTS = [
    None, "", "\\N", "\\", "a\tb", "a\nb", "a\rb", "a,b", 'say "x"', "|", "a|b\\|c", "'", "\\.", "é漢", "NULL", " x ",
    "\b\f\v",
]  # fmt: skip


@pytest.fixture(scope="module")
def table(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA copyscan")
        connection.execute("CREATE TABLE copyscan.rows (id int, value text, \"odd\nname\" text)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO copyscan.rows VALUES (%s, %s, %s)",
                               [(i, text, TEXTS[-i]) for i, text in enumerate(TEXTS)])  # fmt: skip
        yield connection
        connection.execute("DROP SCHEMA copyscan CASCADE")


@pytest.mark.live
@pytest.mark.parametrize("rows", [len(TEXTS), 0])
@pytest.mark.parametrize(
    ("sql", "format", "options"),
    [
        ("", "text", {}),
        ("DELIMITER '|', NULL 'NULL'", "text", {"delimiter": b"|", "null": b"NULL"}),
        ("FORMAT csv", "csv", {}),
        ("FORMAT csv, HEADER", "csv", {"header": True}),
        ("FORMAT csv, FORCE_QUOTE *", "csv", {}),
        ("FORMAT csv, DELIMITER '|', QUOTE '''', ESCAPE '\\', NULL 'NULL'", "csv",
         {"delimiter": b"|", "quote": b"'", "escape": b"\\", "null": b"NULL"}),
        ("FORMAT binary", "binary", {}),
    ],
)  # fmt: skip
def test_what_a_server_sends_is_read_back(
    table: psycopg.Connection[Any], rows: int, sql: str, format: Format, options: dict[str, Any]
) -> None:
    statement = f"COPY (SELECT * FROM copyscan.rows ORDER BY id LIMIT {rows}) TO STDOUT ({sql})".removesuffix(" ()")
    with table.cursor() as cursor, cursor.copy(statement) as copy:
        bodies = [bytes(body) for body in copy]
    null = options.get("null", b"").decode() or None  # in text format a server tells this text and NULL not apart
    number = (lambda i: struct.pack(">i", i)) if format == "binary" else (lambda i: str(i).encode())
    shown = [None if text is None or (format == "text" and text == null) else text.encode() for text in TEXTS]
    expected = [(number(i), shown[i], shown[-i]) for i in range(rows)]
    assert read(format, *bodies, width=3, **options) == expected
