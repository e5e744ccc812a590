"""What COPY says of its rows, and what of it is not taken for certain."""

from __future__ import annotations

import pytest

from muniment.gate.attribution.copytext import CopyTarget, copy_target
from muniment.gate.attribution.tokens import tokens


def read(sql: str) -> CopyTarget | None:
    return copy_target(sql, tokens(sql))


def test_a_table_with_its_columns() -> None:
    found = read('copy public."Person" (id, surname) to stdout')
    assert found is not None
    assert (found.schema, found.name, found.columns, found.query) == ("public", "Person", ("id", "surname"), None)
    assert (found.format, found.delimiter, found.null, found.header) == ("text", "\t", "\\N", False)


def test_a_query_is_cut_out_of_the_text() -> None:
    found = read("copy (select ')' from (select 1) x) to stdout with (format csv, header)")
    assert found is not None
    assert found.query == "select ')' from (select 1) x"
    assert (found.format, found.delimiter, found.null, found.header) == ("csv", ",", "", True)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("(format binary)", ("binary", "\t", "\\N", '"', '"', False)),
        ("with (format 'csv', delimiter ';', null 'x', quote '|', escape '!')", ("csv", ";", "x", "|", "!", False)),
        ("(format csv, header false)", ("csv", ",", "", '"', '"', False)),
        ("(format csv, quote '|')", ("csv", ",", "", "|", "|", False)),
        ("(format csv, force_quote *, force_quote (id, surname))", ("csv", ",", "", '"', '"', False)),
        ("csv header", ("csv", ",", "", '"', '"', True)),
        ("with delimiter as '|' null as ''", ("text", "|", "", '"', '"', False)),
        (r"(delimiter E'\t')", ("text", "\t", "\\N", '"', '"', False)),
    ],
)
def test_forms(options: str, expected: tuple[object, ...]) -> None:
    found = read(f"copy person to stdout {options}")
    assert found is not None
    assert (found.format, found.delimiter, found.null, found.quote, found.escape, found.header) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "copy person to stdout (encoding 'latin1')", "copy person to stdout (format parquet)",
        r"copy person to stdout (delimiter E'\x09')", "copy person to stdout csv force quote id", "copy person",
        "copy person to stdout (format csv, force_quote id)", "copy person to stdout (force_quote (id)",
        "copy person to '/tmp/x'", "copy person (id to stdout", "copy binary person to stdout",
        "copy person from stdin",
        "copy (select 1 to stdout", "copy person to stdout (format csv) x",
    ],
)  # fmt: skip
def test_what_is_not_certain_is_not_told(sql: str) -> None:
    assert read(sql) is None
