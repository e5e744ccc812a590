"""Zip and gzip: members, bombs, tricks with names, encryption."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from language.leak_files import PEOPLE, json_lines, leak_of, rows_of, table_of, workbook_bytes, zipped
from muniment.errors import InputError, LimitError
from muniment.limits import ARCHIVE_DIRECTORY_BYTES, ZIP_MEMBERS

CSV = "id,name\n" + "".join(f"{i},Person {i}\n" for i in range(20))
BOMB = ("0," + "x" * 99_997 + "\n") * 400
"""40 MB that pack into 40 kB."""


def test_each_member_by_its_own_format(tmp_path: Path) -> None:
    leak = leak_of(
        tmp_path,
        zipped({
            "a/people.csv": CSV,
            "b.jsonl": json_lines(PEOPLE),
            "c.xlsx": workbook_bytes({"one": [["id", "name"], [1, "x"]], "two": [["id", "name"], [2, "y"]]}),
            "d.csv.gz": gzip.compress(CSV.encode()),
            "e.zip": zipped({"inner.csv": CSV}),
            "dump.sql": "INSERT INTO t (a) VALUES (1);",
            "__MACOSX/._people.csv": b"\0\1",
            "f/": "",
        }),
    )  # fmt: skip
    assert [table.name for table in leak.tables] == [
        "a/people.csv", "b.jsonl", "c.xlsx/one", "c.xlsx/two", "d.csv.gz/d.csv", "e.zip/inner.csv", "dump.sql/t",
    ]  # fmt: skip
    assert leak.skipped == ()


def test_members_that_give_nothing_are_skipped_with_a_reason(tmp_path: Path) -> None:
    members = {"people.csv": CSV, "photo.png": b"\x89PNG\r\n\x1a\n", "empty": "", "cut.xlsx": b"PK\3\4"}
    leak = leak_of(tmp_path, zipped(members))
    assert len(leak.tables) == 1
    assert [name for name, _ in leak.skipped] == ["photo.png", "empty", "cut.xlsx"]
    assert "an image" in leak.skipped[0][1]
    assert "empty" in leak.skipped[1][1]


def test_three_archives_deep_is_skipped(tmp_path: Path) -> None:
    deep = zipped({"deep.zip": zipped({"deeper.zip": zipped({"a.csv": CSV})}), "b.csv": CSV})
    leak = leak_of(tmp_path, deep)
    assert [table.name for table in leak.tables] == ["b.csv"]
    assert "archive inside 2 archives" in leak.skipped[0][1]


def test_names_are_never_paths(tmp_path: Path) -> None:
    before = set(tmp_path.parent.iterdir())
    names = ["../../escape.csv", "/absolute.csv", "C:\\x.csv", "a\x1b[31m\n.csv", "n" * 5_000 + ".csv"]
    leak = leak_of(tmp_path, zipped(dict.fromkeys(names, CSV)))
    assert len(leak.tables) == len(names)
    assert all(table.name.isprintable() and len(table.name) <= 200 for table in leak.tables)
    assert set(tmp_path.parent.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["leak.bin"]


@pytest.mark.parametrize("nested", [False, True])
def test_a_bomb_is_refused(tmp_path: Path, nested: bool) -> None:
    bomb = zipped({"people.csv": CSV, "bomb.csv": CSV + BOMB})
    with pytest.raises(LimitError, match="a bomb"):
        leak_of(tmp_path, zipped({"inner.zip": bomb}) if nested else bomb)


def test_a_bomb_of_gzip(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="a bomb"):
        leak_of(tmp_path, gzip.compress(BOMB.encode()))


def test_a_bomb_that_declares_a_small_size_gives_only_that(tmp_path: Path) -> None:
    packed = zipped({"bomb.csv": CSV + BOMB})
    size = struct.pack("<I", len(CSV) + len(BOMB))
    assert packed.count(size) == 2
    with pytest.raises(InputError):
        leak_of(tmp_path, packed.replace(size, struct.pack("<I", len(CSV))))


def test_encrypted(tmp_path: Path) -> None:
    packed = bytearray(zipped({"secret.csv": CSV}))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InputError, match=r"secret\.csv is encrypted") as caught:
        leak_of(tmp_path, bytes(packed))
    assert "password" in caught.value.hint


def test_a_damaged_member_is_skipped(tmp_path: Path) -> None:
    packed = zipped({"a.csv": CSV, "b.csv": CSV}, zipfile.ZIP_STORED)
    place = packed.index(b"Person 3")
    leak = leak_of(tmp_path, packed[:place] + b"XXXX" + packed[place + 4 :])
    assert [name for name, _ in leak.skipped] == ["a.csv"]
    assert [table.name for table in leak.tables] == ["b.csv"]


def test_too_many_members(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="members"):
        leak_of(tmp_path, zipped({f"{i}.csv": "" for i in range(ZIP_MEMBERS + 1)}))


def test_a_directory_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    size = ARCHIVE_DIRECTORY_BYTES + 1
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 4, 0)
    with pytest.raises(LimitError, match="zip directory"):
        leak_of(tmp_path, b"PK\3\4" + bytes(size) + end)


def test_methods_that_cannot_be_bounded_are_skipped(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="method that is not read"):
        leak_of(tmp_path, zipped({"a.csv": CSV}, zipfile.ZIP_LZMA))


def test_gzip_of_text_and_cut_short(tmp_path: Path) -> None:
    packed = gzip.compress(CSV.encode())
    found = table_of(tmp_path, packed, "people.csv.gz")
    assert (found.name, found.table.rows) == ("people.csv", 20)
    assert rows_of(found)[0] == ("0", "Person 0")
    for cut in (packed[:-10], packed[:30], packed[:-8] + struct.pack("<L", zlib.crc32(b"")) + packed[-4:]):
        with pytest.raises(InputError, match="not a whole archive"):
            leak_of(tmp_path, cut)


def test_an_empty_archive(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no member holds a table"):
        leak_of(tmp_path, zipped({}))


def test_a_member_without_a_name(tmp_path: Path) -> None:
    packed = zipped({"QQ": CSV}).replace(b"QQ", b"\0Q")  # a name ends at its first NUL
    assert leak_of(tmp_path, packed).tables[0].name == "(no name)"
