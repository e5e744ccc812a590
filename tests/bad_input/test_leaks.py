"""Found files that are broken, hostile or no tables at all: a clear error, soon, in bounded memory.

The fuzz tests hold the one promise of `read_leak`: any bytes give a `Leak` or a `MunimentError`.
"""

from __future__ import annotations

import gzip
import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.leak_files import PEOPLE, json_lines, leak_of, workbook_bytes, zipped
from muniment import limits
from muniment.errors import InputError, LimitError, MunimentError, UnreachableError
from muniment.ingest.leaks import Leak, read_leak

CSV = "id,name,city\n" + "".join(f'{i},"Person, {i}",Town {i % 7}\n' for i in range(40))
SQL = "CREATE TABLE t (a int, b text);\nINSERT INTO t VALUES (1,'O''x'),(2,NULL);\nCOPY u (a) FROM stdin;\nx\\ty\n\\.\n"
BOOK = workbook_bytes({"s": [PEOPLE.columns, *PEOPLE.iter_rows()]})
SEEDS = {
    "csv": CSV.encode(),
    "utf-16": CSV.encode("utf-16"),
    "big5": ("姓名,地址\n" + "王小明,臺北市中山區\n" * 20).encode("cp950"),
    "json": json_lines(PEOPLE).encode(),
    "list": ('[{"a": {"b": [1, 2]}, "c": "x\\u00e9"}, {"a": null}]' * 1).encode(),
    "sql": SQL.encode(),
    "mysql": ("-- MySQL dump\n" + SQL.replace("''", "\\'")).encode(),
    "labels": "姓名：王小明\n電話：0912\n\n姓名：李大華\n電話：0922\n".encode(),
    "xlsx": BOOK,
    "zip": zipped({"a.csv": CSV, "b/c.jsonl": json_lines(PEOPLE), "d.xlsx": BOOK}),
    "gzip": gzip.compress(CSV.encode()),
}


def outcome(folder: Path, content: bytes) -> Leak | MunimentError:
    """What reading gives; any exception but ours fails the test, and so does a traceback in its stead."""
    found: Leak | MunimentError
    try:
        found = leak_of(folder, content)
    except MunimentError as error:
        found = error
    if isinstance(found, MunimentError):
        assert "leak.bin" in found.message
        assert found.message.isprintable()
    return found


@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    outcome(tmp_path_factory.getbasetemp(), content)


@settings(max_examples=150)
@given(st.text(st.sampled_from("ab1,;|\t\n\r \"'\\{}[]():：、,\u3000-/*$`INSERTOVALUCPYFM"), max_size=200))
def test_any_text(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    outcome(tmp_path_factory.getbasetemp(), content.encode())


BINARY = [b"PK\3\4", b"PK\5\6" + bytes(18), b"\x1f\x8b\x08", b"PAR1"]
MAGIC = [*BINARY, b'[{"a":', b'{"a":', b"INSERT INTO t VALUES (", b"COPY t FROM stdin;\n"]


@settings(max_examples=100)
@given(st.sampled_from(MAGIC), st.binary(max_size=80))
def test_any_bytes_behind_a_beginning(tmp_path_factory: pytest.TempPathFactory, magic: bytes, content: bytes) -> None:
    outcome(tmp_path_factory.getbasetemp(), magic + content)


TROUBLE = (b'"', b"'", b"\\", b"\0", b"\n", b"[", b"(", b"\xff\xff\xff\xff", b"<!--")


def changed(content: bytes, chance: random.Random) -> bytes:
    """The content with a few bytes changed, cut out, doubled or put in."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        length = chance.choice((1, 1, 2, 8, 40))
        match chance.randrange(4):
            case 0:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = data[place : place + length] * 2
            case _:
                data[place:place] = chance.choice(TROUBLE)
    return bytes(data)


@pytest.mark.parametrize("seed", sorted(SEEDS))
def test_damaged_files(tmp_path: Path, seed: str) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        outcome(tmp_path, changed(SEEDS[seed], chance))


@pytest.mark.soak
@pytest.mark.parametrize("seed", sorted(SEEDS))
def test_many_damaged_files(tmp_path: Path, seed: str) -> None:
    chance = random.Random()
    for _ in range(10_000):
        content = changed(SEEDS[seed], chance)
        started = time.perf_counter()
        outcome(tmp_path, content)
        assert time.perf_counter() - started < 5, content


@pytest.mark.soak
@settings(max_examples=20_000)
@given(st.binary(max_size=3_000) | st.text(max_size=1_000).map(str.encode))
def test_any_bytes_for_long(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    outcome(tmp_path_factory.getbasetemp(), content)


@pytest.mark.parametrize("seed", sorted(SEEDS))
def test_every_seed_is_readable(tmp_path: Path, seed: str) -> None:
    assert isinstance(outcome(tmp_path, SEEDS[seed]), Leak)


# --- one fault each ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n\r\n", "no "),
        (bytes(range(256)) * 4, "binary data"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "an image"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "an image"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"SQLite format 3\0" + bytes(90), "an SQLite database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(90), "old or encrypted Office file"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"PGDMP\1", "custom format"),
        (b"PAR1" + bytes(20) + b"PAR1", ""),
    ],
    ids="empty blank binary png jpeg pdf sqlite xls 7z pgdump parquet".split(),
)
def test_no_table(tmp_path: Path, content: bytes, said: str) -> None:
    found = outcome(tmp_path, content)
    assert isinstance(found, InputError)
    assert said in found.message
    assert found.hint


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a directory") as caught:
        read_leak(tmp_path)
    assert "zip -r" in caught.value.hint


def test_no_such_file(tmp_path: Path) -> None:
    for name in ("absent.csv", "x\0y.csv"):
        with pytest.raises(InputError, match="no such file"):
            read_leak(tmp_path / name)


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="device or pipe"):
        read_leak(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(CSV)
    (tmp_path / "x.csv").chmod(0)
    with pytest.raises(UnreachableError, match="cannot be read"):
        read_leak(tmp_path / "x.csv")


def test_a_file_beyond_the_bound_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(limits.LEAK_BYTES + 1)
    started = time.perf_counter()
    with pytest.raises(LimitError, match=r"huge\.csv: 8,589,934,593 bytes"):
        read_leak(path)
    assert time.perf_counter() - started < 1


def test_a_stream_beyond_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muniment.ingest.leaks.source.LEAK_BYTES", 500)
    with pytest.raises(LimitError, match="more than 500 bytes"):
        leak_of(tmp_path, gzip.compress(CSV.encode()))


def test_a_line_without_end(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="a line has more than"):
        leak_of(tmp_path, b"a,b\n" * 20 + b"x" * (limits.LINE_CHARACTERS + 2**21))


@pytest.mark.parametrize("encoding", ["no-such", "base64", "rot13", "x" * 500, "utf-8\0"])
def test_an_encoding_that_is_none(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(InputError, match="no text encoding") as caught:
        leak_of(tmp_path, CSV.encode(), encoding=encoding)
    assert "--encoding" in caught.value.hint


def test_the_wrong_encoding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not fit the encoding utf-8"):
        leak_of(tmp_path, SEEDS["big5"], encoding="utf-8")


def test_stray_bytes_are_replaced(tmp_path: Path) -> None:
    rows = "".join(f"{i},王小明,臺北市\n" for i in range(200)).encode()
    leak = leak_of(tmp_path, b"id,name,city\n" + rows + b"x,\xff\xfe,y\n", encoding="utf-8")
    assert leak.tables[0].table["name"][-1] == "\ufffd\ufffd"


def test_no_cell_in_an_error_or_a_repr(tmp_path: Path) -> None:
    secret = "S3CRET-NAME"
    contents = [f'[{{"a": "{secret}"', f"id,name\n1,{secret}\n", f"INSERT INTO t VALUES ('{secret}"]
    for content in contents:
        found = outcome(tmp_path, content.encode())
        assert secret not in (found.message + found.hint if isinstance(found, MunimentError) else repr(found))


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "leak.csv"
    path.write_text(CSV)

    def change(_: int) -> None:
        path.write_text(CSV + "41,x,y\n")

    with pytest.raises(InputError, match="changed while it was read"):
        read_leak(path, progress=change)
