"""Dumps of PostgreSQL, MySQL and SQLite, as their programs write them, and as they break."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.leak_files import PEOPLE, leak_of, rows_of, table_of
from muniment.errors import InputError, LimitError

PG_COPY = r"""--
-- PostgreSQL database dump
--
\restrict abc
SET standard_conforming_strings = on;
CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $_$ SELECT 'INSERT INTO x VALUES (1);' $_$;
CREATE TABLE public.person (
    id integer NOT NULL,
    name text
);
COPY public.person (id, name, note) FROM stdin;
1	王小明	a\tb
2	\N	C:\\dir
3	x\x41\101	END
\.

COPY public."Odd Name" (a) FROM stdin;
\\.
\.
ALTER TABLE ONLY public.person ADD CONSTRAINT person_pkey PRIMARY KEY (id);
"""


def test_copy_of_postgresql(tmp_path: Path) -> None:
    leak = leak_of(tmp_path, PG_COPY)
    person, odd = leak.tables
    assert (person.name, person.table.columns) == ("public.person", ("id", "name", "note"))
    assert rows_of(person) == [("1", "王小明", "a\tb"), ("2", None, "C:\\dir"), ("3", "xAA", "END")]
    assert (odd.name, rows_of(odd)) == ("public.Odd Name", [("\\.",)])


def test_insert_of_postgresql(tmp_path: Path) -> None:
    text = (
        "-- PostgreSQL database dump\n"
        "INSERT INTO public.t (id, name) VALUES (1, 'O''Brien'), (-2.5, 'C:\\dir');\n"
        "INSERT INTO public.t VALUES (3, E'a\\n\\'b\\u0041'::text) ON CONFLICT DO NOTHING;\n"
        "INSERT INTO public.t (name, id) VALUES (NULL, '2020-01-02'::date);\n"
    )
    found = table_of(tmp_path, text)
    assert rows_of(found) == [("1", "O'Brien"), ("-2.5", "C:\\dir"), ("3", "a\n'bA"), ("2020-01-02", None)]


MYSQL = r"""-- MySQL dump 10.13
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `per``son`;
CREATE TABLE `per``son` (
  `id` int NOT NULL COMMENT 'a, b)',
  `name` varchar(50) DEFAULT 'x',
  `photo` blob,
  `amount` decimal(10,2),
  PRIMARY KEY (`id`),
  KEY `k` (`name`)
) ENGINE=InnoDB;
LOCK TABLES `per``son` WRITE;
INSERT INTO `per``son` VALUES (1,'O\'Brien; -- no \"comment\"',0x4142,1.50),
(2,'',_binary 'a\0b',NULL),(3,'x''y',X'FF',-3);
INSERT IGNORE INTO `per``son` (`name`,`id`) VALUES ('(a),(b)',4);
UNLOCK TABLES;
DELIMITER ;;
"""


def test_extended_inserts_of_mysql(tmp_path: Path) -> None:
    found = table_of(tmp_path, MYSQL)
    assert (found.name, found.header, found.table.columns) == ("per`son", True, ("id", "name", "photo", "amount"))
    assert rows_of(found) == [
        ("1", 'O\'Brien; -- no "comment"', "AB", "1.50"),
        ("2", "", "a\0b", None),
        ("3", "x'y", "0xFF", "-3"),
        ("4", "(a),(b)", None, None),
    ]
    assert found.unreadable == 0


def test_a_dump_of_sqlite(tmp_path: Path) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE people (id, name, city, note)")
    database.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", list(PEOPLE.iter_rows()))
    text = "\n".join(database.iterdump())
    database.close()
    found = table_of(tmp_path, text)
    assert found.name == "people"
    assert [row[:3] for row in rows_of(found)] == [row[:3] for row in PEOPLE.iter_rows()]


def test_without_create_table_columns_are_numbered(tmp_path: Path) -> None:
    found = table_of(tmp_path, "INSERT INTO t VALUES (1, 'a', TRUE);")
    assert (found.header, found.table.columns, rows_of(found)) == (
        False,
        ("column 1", "column 2", "column 3"),
        [("1", "a", "TRUE")],
    )


def test_expressions(tmp_path: Path) -> None:
    values = "N'王', CAST(N'2020-01-02' AS Date), now(), 'a' /* no */ || 'b'"
    found = table_of(tmp_path, f"INSERT [dbo].[t] ([a], [b], [c], [d]) VALUES ({values})\n;", "x.sql")
    assert rows_of(found) == [("王", "2020-01-02", "now()", "'a'  || 'b'")]


def test_each_table_apart_and_columns_by_name(tmp_path: Path) -> None:
    text = "INSERT INTO a (x, y) VALUES (1, 2);INSERT INTO b (x) VALUES (3);INSERT INTO a (y, z) VALUES (4, 5);"
    leak = leak_of(tmp_path, text)
    assert [table.name for table in leak.tables] == ["a", "b"]
    assert leak.tables[0].table.columns == ("x", "y", "z")
    assert rows_of(leak.tables[0]) == [("1", "2", None), (None, "4", "5")]


@pytest.mark.parametrize("cut", ["INSERT INTO t (a) VALUES ('x'), ('y", "COPY t (a) FROM stdin;\nx\ny\n"])
def test_a_dump_that_breaks_off_keeps_its_rows_and_says_so(tmp_path: Path, cut: str) -> None:
    found = table_of(tmp_path, cut)
    assert rows_of(found)[0] == ("x",)
    assert found.unreadable == 1


def test_a_broken_statement_is_stepped_over(tmp_path: Path) -> None:
    good = "INSERT INTO t (a) VALUES ('x');"
    found = table_of(tmp_path, good + "INSERT INTO t (a) VALUES (;\n" + good.replace("x", "z"))
    assert rows_of(found) == [("x",), ("z",)]
    assert found.unreadable == 1


def test_schema_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without rows") as caught:
        table_of(tmp_path, "CREATE TABLE t (a int);\nSELECT 1;")
    assert "rows too" in caught.value.hint


def test_a_statement_longer_than_any_buffer(tmp_path: Path) -> None:
    values = ",".join(f"({i},'{'x' * 50}')" for i in range(40_000))
    found = table_of(tmp_path, f"INSERT INTO t (id, note) VALUES {values};")
    assert found.table.rows == 40_000
    assert found.table["id"][-1] == "39999"


def test_a_quote_that_never_closes_is_refused_in_bounded_time(tmp_path: Path) -> None:
    started = time.perf_counter()
    with pytest.raises(LimitError, match="line 2"):
        table_of(tmp_path, "INSERT INTO t (a) VALUES ('x');\nINSERT INTO t (a) VALUES ('" + "y" * 8_000_000)
    assert time.perf_counter() - started < 10


HOSTILE = ["(" * 300_000, "INSERT INTO " * 30_000, "/*" * 200_000, "'a' ''" * 100_000, "$a$" * 99_999]


@pytest.mark.parametrize("hostile", HOSTILE, ids="brackets keywords comments quotes dollars".split())
def test_hostile_text_ends_soon(tmp_path: Path, hostile: str) -> None:
    started = time.perf_counter()
    found = table_of(tmp_path, "INSERT INTO t (a) VALUES ('x');\nSELECT " + hostile)
    assert found.table.rows == 1
    assert time.perf_counter() - started < 10


# Control characters beyond line ends and tabs make so short a text look like binary data.
_CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\t\n\r'\"\\`;,()")
_CELL = st.none() | st.text(_CHARACTERS, max_size=10)
_ROWS = st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=6)


def _standard(cell: str | None) -> str:
    return "NULL" if cell is None else "'" + cell.replace("'", "''") + "'"


def _mysql(cell: str | None) -> str:
    return "NULL" if cell is None else "'" + cell.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _copied(cell: str | None) -> str:
    if cell is None:
        return "\\N"
    for char, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        cell = cell.replace(char, escape)
    return cell


@given(_ROWS)
def test_round_trips(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, ...]]) -> None:
    folder = tmp_path_factory.getbasetemp()
    for head, cell in (("-- PostgreSQL database dump\n", _standard), ("-- MySQL dump 1\n", _mysql)):
        values = ", ".join(f"({', '.join(map(cell, row))})" for row in rows)
        assert rows_of(table_of(folder, f"{head}INSERT INTO t (a, b) VALUES {values};")) == rows
    lines = "".join("\t".join(map(_copied, row)) + "\n" for row in rows)
    assert rows_of(table_of(folder, f"COPY t (a, b) FROM stdin;\n{lines}\\.\n")) == rows
