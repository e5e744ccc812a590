"""Formats are told by content; names lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.leak_files import workbook_bytes, zipped
from muniment.errors import InputError
from muniment.ingest.leaks.detect import Container, Form, container, form
from muniment.ingest.leaks.source import Meter, Source
from muniment.ingest.leaks.text import Text


def source(folder: Path, content: bytes, name: str = "photo.png") -> Source:
    (folder / name).write_bytes(content)
    return Source.of_file(folder / name, Meter(name))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"id,name\n1,x\n", Container.TEXT),
        (zipped({"a.csv": "x"}), Container.ZIP),
        (zipped({}), Container.ZIP),
        (workbook_bytes({"s": [[1]]}), Container.WORKBOOK),
        (b"\x1f\x8b\x08\0", Container.GZIP),
        (b"PAR1...", Container.PARQUET),
    ],
)
def test_container(tmp_path: Path, content: bytes, expected: Container) -> None:
    assert container(source(tmp_path, content)) is expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id,name\n1,x\n2,y\n", Form.DELIMITED),
        ('[{"a": 1}]', Form.JSON),
        ('\ufeff  {"a":\n 1}', Form.JSON),
        ("[a],[b]\nx,y\nz,w\n", Form.DELIMITED),
        ("-- MySQL dump 10\n", Form.SQL),
        ("\n\nINSERT INTO t VALUES (1);", Form.SQL),
        ("/*!40101 SET NAMES utf8 */;\n", Form.SQL),
        ("Name: A\nAge: 1\n\nName: B\nAge: 2\n", Form.PASTED),
        ("one line of text", Form.PASTED),
        ("a | b\n--+--\n1 | 2\n", Form.PASTED),
    ],
)
def test_form(tmp_path: Path, content: str, expected: Form) -> None:
    assert form(Text.of(source(tmp_path, content.encode()), None))[0] is expected


def test_the_suffix_breaks_a_tie(tmp_path: Path) -> None:
    assert form(Text.of(source(tmp_path, b"SET a = 1;\nSELECT 1;\n", "dump.sql"), None))[0] is Form.SQL


def test_a_tar_archive_and_a_duckdb_database_are_named(tmp_path: Path) -> None:
    for content, what in ((b"a" * 257 + b"ustar\0", "tar"), (bytes(8) + b"DUCK" + bytes(99), "DuckDB")):
        with pytest.raises(InputError, match=what) as caught:
            container(source(tmp_path, content))
        assert caught.value.hint
