"""Registers that are broken, gone or changed: a clear error, and the workspace as it was."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from language.leak_files import workbook_bytes
from language.places import REGISTER, Place, demo_table, digests, write_csv
from muniment.engine.writers import open_writer
from muniment.errors import InputError, LimitError, MunimentError, UnreachableError
from muniment.table import Table

FIVE_GB = 5 * 1000**3
CSV = "id,name,city\r\n" + "".join(f"{i},Person {i},Town {i % 7}\r\n" for i in range(50))
BOOK = workbook_bytes({"s": [["id"], ["1"]]})
BIG5 = "編號,姓名,地址\r\n" + "".join(f"{i},王小明,臺北市中山區\r\n" for i in range(50))


def parquet(folder: Path) -> bytes:
    table = demo_table(50)
    path = folder / "whole.parquet"
    with open_writer(path, table.columns, dict.fromkeys(table.columns, "VARCHAR"), "parquet") as writer:
        writer.write(table)
    data = path.read_bytes()
    path.unlink()
    return data


def sparse(path: Path, head: bytes) -> None:
    """A file of 5 GB that takes no disk: a head, and a hole behind it."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(FIVE_GB)


FAULTS: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "empty": ("x.csv", lambda folder: b"", "the file is empty"),
    "blank": ("x.csv", lambda folder: b"\r\n \r\n", "the file is empty"),
    "header only": ("x.csv", lambda folder: b"id,name\r\n", "no rows"),
    "binary": ("x.csv", lambda folder: bytes(range(256)) * 20, "x.csv"),
    "ragged": ("x.csv", lambda folder: CSV.encode() + b"51,too,many,cells\r\n", "line 52: expected 3 fields, found 4"),
    "open quote": (
        "x.csv",
        lambda folder: CSV.replace("Person 3,", '"Person, 3",').encode() + b'51,"open,x\r\n',
        "line 52: a quote is opened and never closed",
    ),
    "truncated Parquet": ("x.parquet", lambda folder: parquet(folder)[:-100], "cut short"),
    "no Parquet": ("x.parquet", lambda folder: b"id,name\r\n1,x\r\n", "not a Parquet file"),
    "hollow Parquet": ("x.parquet", lambda folder: parquet(folder)[:200] + b"PAR1", "x.parquet"),
    "workbook": ("x.xlsx", lambda folder: BOOK, "save the sheet as CSV"),
    "truncated workbook": ("x.xlsx", lambda folder: BOOK[:300], "save the sheet as CSV"),
    "truncated SQLite": ("x.sqlite", lambda folder: b"SQLite format 3\0" + bytes(40), "x.sqlite"),
    "truncated DuckDB": ("x.duckdb", lambda folder: bytes(8) + b"DUCK" + bytes(90), "x.duckdb"),
    "same keys": ("x.csv", lambda folder: CSV.encode() + b"7,Twin,Town\r\n", "repeats in row 51"),
    "NULL key": ("x.csv", lambda folder: CSV.encode() + b",Nobody,Town\r\n", "NULL or empty in row 51"),
    "no key column": ("x.csv", lambda folder: CSV.replace("id,", "number,").encode(), "no key column 'id'"),
    "same columns": ("x.csv", lambda folder: CSV.replace("name,", "id,").encode(), "both named 'id'"),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_register_that_cannot_be_added(place: Place, fault: str, request: pytest.FixtureRequest) -> None:
    name, content, said = FAULTS[fault]
    path = place.folder / name
    path.write_bytes(content(place.folder))
    with place.unchanged(), pytest.raises(InputError) as caught:
        place.open().register("other", path, key="id")
    assert said in caught.value.message + caught.value.hint
    assert "muniment" not in caught.value.message
    for cell in ("Twin", "Nobody", "too,many", "Town"):
        assert cell not in caught.value.message + caught.value.hint


def test_the_wrong_encoding(place: Place) -> None:
    path = place.folder / "x.csv"
    path.write_bytes(BIG5.encode("cp950"))
    with place.unchanged(), pytest.raises(InputError, match="utf-8") as caught:
        place.open().register("other", path, key="編號", encoding="utf-8")
    assert "--encoding" in caught.value.hint
    with place.unchanged(), pytest.raises(InputError, match="unknown encoding"):
        place.open().register("other", path, key="編號", encoding="utf-ate")


@pytest.mark.parametrize("head", [b"", CSV.encode()], ids=["all zeros", "a table, then zeros"])
def test_five_gigabytes_of_nothing(place: Place, head: bytes) -> None:
    path = place.folder / "x.csv"
    sparse(path, head)
    with place.unchanged(), pytest.raises(InputError, match=r"x\.csv"):
        place.open().register("other", path, key="id")


def test_a_zip_bomb(place: Place) -> None:
    path = place.folder / "x.csv"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", bytes(20_000_000))
    with place.unchanged(), pytest.raises(InputError, match="a zip or spreadsheet"):
        place.open().register("other", path, key="id")


def test_a_name_of_a_register(place: Place) -> None:
    refused = {"x" * 10_000: "10,000 characters", "a\nb": "control character", "": "empty", REGISTER: "already"}
    for name, said in refused.items():
        with place.unchanged(), pytest.raises(InputError, match=said):
            place.open().register(name, place.source, key="person_id")


# --- a register that was fine when it was added ----------------------------------------------------------------------


def vanish(place: Place) -> None:
    place.source.unlink()


def empty(place: Place) -> None:
    place.source.write_bytes(b"")


def without(column: str) -> Callable[[Place], None]:
    def change(place: Place) -> None:
        table = demo_table()
        place.register_from(table.select([name for name in table.columns if name != column]))

    return change


def renamed(place: Place) -> None:
    table = demo_table()
    names = tuple("adresse" if name == "address_zh" else name for name in table.columns)
    place.register_from(Table(names, table.cells))


def twins(place: Place) -> None:
    table = demo_table()
    place.register_from(table.take([*range(table.rows), 5]))


def keyless(place: Place) -> None:
    table = demo_table()
    keys = ["", *table["person_id"][1:]]
    place.register_from(table.with_cells({"person_id": [*keys]}))


CHANGES: dict[str, tuple[Callable[[Place], None], str]] = {
    "vanished": (vanish, "no such file"),
    "emptied": (empty, "the file is empty"),
    "key column gone": (without("person_id"), "no column 'person_id'"),
    "marked column gone": (without("address_zh"), "no column 'address_zh'"),
    "other column gone": (without("points"), "no column 'points'"),
    "column renamed": (renamed, "no column 'address_zh'"),
    "same keys": (twins, "share their key"),
    "keys missing": (keyless, "person_id"),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_release_from_a_register_that_changed(place: Place, change: str) -> None:
    spoil, said = CHANGES[change]
    spoil(place)
    with place.unchanged(), pytest.raises(InputError, match=said) as caught:
        place.release("again.csv")
    assert caught.value.hint or "columns are" in caught.value.message
    # A fault that shows when the source is opened numbers nobody; later ones leave a number that nobody received.
    late = change in {"same keys", "keys missing"}
    before = digests(place.office)
    with pytest.raises(InputError, match=said):
        place.release("new.csv", to="A recipient that has no number yet")
    changed = {name for name, digest in digests(place.office).items() if before.get(name) != digest}
    assert changed == ({"ledger/journal.bin", "ledger/head"} if late else set())
    assert len(place.open().copies()) == 1


@pytest.mark.parametrize("change", ["vanished", "emptied", "key column gone", "marked column gone", "column renamed"])
def test_a_trace_against_a_register_that_changed(place: Place, change: str) -> None:
    spoil, said = CHANGES[change]
    spoil(place)
    with place.unchanged(), pytest.raises(InputError, match=said):
        place.open().trace(place.copy)


def test_a_trace_without_a_column_that_bears_no_mark(place: Place) -> None:
    without("points")(place)
    assert place.open().trace(place.copy).verdict == "named"


def test_a_server_that_is_down(place: Place) -> None:
    location = "postgresql://keeper@127.0.0.1:9/town/people?connect_timeout=2"
    with place.unchanged(), pytest.raises(UnreachableError, match="keeper@127") as caught:
        place.open().register("other", location, key="id")
    assert caught.value.exit_code == 4
    assert caught.value.hint
    settings = place.office / "muniment.toml"
    settings.write_text(settings.read_text().replace(str(place.source), location))
    with place.unchanged(), pytest.raises(UnreachableError):
        place.release("again.csv")
    with place.unchanged(), pytest.raises(UnreachableError):
        place.open().trace(place.copy)


def test_a_password_in_a_location_is_neither_kept_nor_shown(place: Place) -> None:
    with place.unchanged(), pytest.raises(InputError, match="a password in the location") as caught:
        place.open().register("other", "postgresql://keeper:hunter2@127.0.0.1:9/town/people", key="id")
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "where",
    [
        "nonsense = 1",
        "sex = 'F') OR (1=1); DROP TABLE batch; --",
        "1=1); ATTACH '/etc/passwd' AS x; SELECT (1",
        "name_zh IN (SELECT content FROM read_text('/etc/passwd'))",
        "CAST(name_zh AS INTEGER) > 3",
        "sex = 'no such sex'",
        "",
        "getenv('HOME') IS NOT NULL OR 1",
    ],
)
def test_a_condition_that_is_none(place: Place, where: str) -> None:
    with place.unchanged(), pytest.raises(InputError) as caught:
        place.release("again.csv", where=where)
    assert "root:" not in caught.value.message
    assert not any(name in caught.value.message for name in demo_table()["name_zh"] if name)


def test_a_condition_in_sqlite_cannot_leave_its_file(place: Place) -> None:
    import sqlite3

    path = place.folder / "x.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (id TEXT, birth_date TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, '1980-02-03')", [(str(i),) for i in range(30)])
    connection.close()
    place.open().register("other", path, key="id", accept="equivalent")
    attacks = [
        "1=1); DELETE FROM people; --",
        "id IN (SELECT load_extension('x'))",
        "readfile('/etc/passwd') IS NULL",
        "1=1) --",
    ]
    for where in attacks:
        with place.unchanged(), pytest.raises(MunimentError):
            place.open().release("other", to="X", purpose="test", out=place.folder / "o.csv", where=where)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (30,)
    connection.close()


def test_a_source_that_may_not_be_read(place: Place) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    place.source.chmod(0)
    with place.unchanged(), pytest.raises(UnreachableError):
        place.release("again.csv")


def test_a_line_without_end(place: Place) -> None:
    path = place.folder / "x.csv"
    path.write_bytes(CSV.encode() + b"51," + b"x" * 2_000_000 + b",y\r\n")
    with place.unchanged(), pytest.raises(LimitError, match="a cell has more than"):
        place.open().register("other", path, key="id")


def test_a_copy_of_the_file_is_as_good(place: Place) -> None:
    """The other tests would pass if every release failed."""
    write_csv(place.source, demo_table())
    place.release("again.csv")
    assert (place.folder / "again.csv").exists()
