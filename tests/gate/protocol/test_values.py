"""The text of a key, whatever format it came in."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.protocol import values
from muniment.gate.protocol.values import CODECS, canonical, canonical_many

TEXT_FORMAT, BINARY = 0, 1


@pytest.mark.parametrize(
    ("type_oid", "cell", "text"),
    [
        (values.INT4, b"-7", "-7"),
        (values.TEXT, "é漢".encode(), "é漢"),
        (values.TEXT, b" x ", " x "),
        (values.BPCHAR, b"ab  ", "ab"),
        (values.BOOL, b"t", "true"),
        (values.BOOL, b"yes", None),
        (values.NUMERIC, b"1.50", "1.50"),
        (values.INET, b"10.0.0.1", "10.0.0.1/32"),
        (values.INET, b"10.0.0.0/8", "10.0.0.0/8"),
        (values.INET, b"::1", "::1/128"),
        (values.DATE, b"2024-02-29", "2024-02-29"),
        (values.DATE, b"0044-03-15 BC", "0044-03-15 BC"),
        (values.DATE, b"infinity", "infinity"),
        (values.DATE, b"29.02.2024", None),
        (values.DATE, b"02-29-2024", None),
        (values.TIMESTAMP, b"2024-02-29 12:00:00.5", "2024-02-29 12:00:00.5"),
        (values.TIMESTAMP, b"Thu Feb 29 12:00:00 2024", None),
        (values.TIMESTAMPTZ, b"2024-02-29 12:00:00+00", None),
        (values.FLOAT8, b"1.5", None),
        (values.BYTEA, b"\\x00ff", "\\x00ff"),
        (values.BYTEA, b"\\000", None),
        (600_000, b"some enum", "some enum"),
        (values.TEXT, b"\xff", None),
        (values.TEXT, b"a\0b", None),
    ],
)
def test_the_text_format(type_oid: int, cell: bytes, text: str | None) -> None:
    assert canonical(type_oid, TEXT_FORMAT, cell) == text
    assert canonical_many(type_oid, TEXT_FORMAT, [cell, None, cell]) == [text, None, text]
    assert canonical_many(type_oid, TEXT_FORMAT, [cell, cell]) == [text, text]


@pytest.mark.parametrize(
    ("type_oid", "cell", "text"),
    [
        (values.INT2, b"\xff\xff", "-1"),
        (values.INT4, b"\0\0\0\7", "7"),
        (values.INT8, b"\x80" + bytes(7), str(-(2**63))),
        (values.OID, b"\xff\xff\xff\xff", "4294967295"),
        (values.INT4, b"\0\7", None),
        (values.INT4, b"", None),
        (values.TEXT, "é".encode(), "é"),
        (values.VARCHAR, b"\xc3", None),
        (values.BPCHAR, b"ab  ", "ab"),
        (values.BOOL, b"\1", "true"),
        (values.BOOL, b"\2", None),
        (values.UUID_OID, bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (values.UUID_OID, bytes(15), None),
        (values.DATE, b"\0\0\0\0", "2000-01-01"),
        (values.DATE, b"\x7f\xff\xff\xff", None),
        (values.TIMESTAMP, struct.pack(">q", 1_500_000), "2000-01-01 00:00:01.5"),
        (values.TIMESTAMP, struct.pack(">q", 10_000_000), "2000-01-01 00:00:10"),
        (values.NUMERIC, struct.pack(">HhHH", 0, 0, 0xC000, 0), "NaN"),
        (values.NUMERIC, struct.pack(">HhHHH", 1, 0, 0, 0, 10_000), None),
        (values.NUMERIC, struct.pack(">HhHHH", 2, 0, 0, 0, 1), None),
        (values.NUMERIC, b"", None),
        (600_000, b"some enum", None),
        (values.FLOAT8, bytes(8), None),
    ],
)
def test_the_binary_format(type_oid: int, cell: bytes, text: str | None) -> None:
    assert canonical(type_oid, BINARY, cell) == text
    assert canonical_many(type_oid, BINARY, [cell, None]) == [text, None]
    assert canonical_many(type_oid, BINARY, [cell, cell]) == [text, text]


def test_cells_whose_lengths_only_add_up_together_are_no_integers() -> None:
    assert canonical_many(values.INT4, BINARY, [b"\0\0\7", b"\0\0\0\0\7"]) == [None, None]


def test_an_unknown_format_tells_nothing() -> None:
    assert canonical(values.TEXT, 2, b"a") is None and canonical_many(values.TEXT, 2, [b"a"]) == [None]


def test_the_encoding_of_the_client() -> None:
    assert canonical(values.TEXT, TEXT_FORMAT, b"\xe9", "iso8859-1") == "é"
    assert canonical_many(values.TEXT, BINARY, [b"\xe9"] * 2, "iso8859-1") == ["é", "é"]


CELLS = st.lists(st.one_of(st.none(), st.binary(max_size=9), st.text(max_size=5).map(str.encode)), max_size=6)
TYPES = st.sampled_from([16, 20, 21, 23, 25, 26, 1042, 1043, 1082, 1114, 1700, 2950, 869, 99_999])


@given(TYPES, st.sampled_from([0, 1]), CELLS)
def test_a_column_is_what_its_cells_are(type_oid: int, format: int, cells: list[bytes | None]) -> None:
    one_by_one = [None if cell is None else canonical(type_oid, format, cell) for cell in cells]
    assert canonical_many(type_oid, format, cells) == one_by_one


# --- as a server sends it --------------------------------------------------------------------------------------------

LITERALS = {
    "int2": ["-32768", "7"],
    "int4": ["-2147483648", "0", "42"],
    "int8": ["9223372036854775807"],
    "oid": ["4294967295"],
    "text": ["", " a ", "é漢"],
    "varchar": ["x"],
    "char(5)": ["ab", ""],
    "name": ["ann"],
    "uuid": ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"],
    "bool": ["t", "f"],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31"],
    "timestamp": ["2024-02-29 12:30:00", "1999-12-31 23:59:59.123456", "2000-01-01 00:00:00.1"],
    "bytea": ["\\x00ff", ""],
    "numeric": ["0", "0.00", "-1.50", "10000", "100000000", "0.0001", "0.00001", "123456789.987654321", "1e20", "-1e-9",
                "9999.9999", "NaN"],
}  # fmt: skip


@pytest.fixture(scope="module")
def connection(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.mark.live
@pytest.mark.parametrize(("type_name", "literal"), [(name, text) for name, texts in LITERALS.items() for text in texts])
def test_both_formats_give_what_a_cast_to_text_gives(
    connection: psycopg.Connection[Any], type_name: str, literal: str
) -> None:
    quoted = "'" + literal.replace("'", "''") + "'"
    found = []
    for binary in (False, True):
        with connection.cursor(binary=binary) as cursor:
            cursor.execute(f"SELECT {quoted}::{type_name}, {quoted}::{type_name}::text")
            result = cursor.pgresult
            assert result is not None
            cell, text = result.get_value(0, 0), result.get_value(0, 1)
            assert cell is not None and text is not None
            found.append((canonical(result.ftype(0), result.fformat(0), cell), text.decode()))
    assert found[0][0] == found[0][1] == found[1][0] == found[1][1]


@pytest.mark.live
@pytest.mark.parametrize("name", sorted(CODECS))
def test_the_codecs_are_the_servers_own(connection: psycopg.Connection[Any], name: str) -> None:
    for byte in range(0x80, 0x100) if name != "UTF8" else ():
        try:
            ours = bytes((byte,)).decode(CODECS[name])
        except UnicodeDecodeError:
            continue  # told to nobody
        row = connection.execute("SELECT convert_from(%b, %s)", (bytes((byte,)), name)).fetchone()
        assert row is not None and row[0] == ours
