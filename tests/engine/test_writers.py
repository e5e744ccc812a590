"""`open_writer`, and CSV."""

import csv
from pathlib import Path

import pytest

from muniment.engine.writers import CsvWriter, open_writer
from muniment.errors import InputError, UnreachableError
from muniment.table import Table

TABLE = Table(("姓名", "note"), (["陳小明", "Li, \"Bo\""], [None, "a\nb"]))
FORMS = ("csv", "parquet", "xlsx")


def test_csv_as_rfc_4180_has_it(tmp_path):
    path = tmp_path / "out"
    with open_writer(path, TABLE.columns, {}, "csv") as writer:
        writer.write(TABLE)
    assert path.read_bytes().decode() == '姓名,note\r\n陳小明,\r\n"Li, ""Bo""","a\nb"\r\n'


def test_csv_reads_back(tmp_path):
    path = tmp_path / "out"
    cells = ["", "=1+1", "a\rb", " x ", '"', "'", ";", "\t", "é"]
    table = Table(("a", "b"), (cells, [*reversed(cells)]))
    with open_writer(path, table.columns, {}, "csv") as writer:
        writer.write(table)
        writer.write(table)
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["a", "b"], *[list(row) for row in table.iter_rows()] * 2]


def test_a_byte_order_mark_for_excel(tmp_path):
    path = tmp_path / "out"
    with CsvWriter(path, ("a",), bom=True):
        pass
    assert path.read_bytes() == b"\xef\xbb\xbfa\r\n"


def test_half_a_surrogate_pair_is_named_and_nothing_is_left(tmp_path):
    path = tmp_path / "out"
    with pytest.raises(InputError, match="row 2, column 'a'"), open_writer(path, ("a",), {}, "csv") as writer:
        writer.write(Table(("a",), (["x", "\udc00"],)))
    assert list(tmp_path.iterdir()) == []


def test_unknown_form(tmp_path):
    with pytest.raises(InputError, match="unknown form 'doc'"):
        open_writer(tmp_path / "out", ("a",), {}, "doc")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
def test_no_such_folder(tmp_path, form):
    path = tmp_path / "none" / "out"
    with pytest.raises(UnreachableError, match="out: cannot be written"):
        open_writer(path, ("a",), {}, form)


@pytest.mark.parametrize("form", FORMS)
def test_an_error_in_the_block_leaves_nothing_behind(tmp_path, form):
    writer = open_writer(tmp_path / "out", TABLE.columns, {}, form)
    writer.write(TABLE)
    with pytest.raises(RuntimeError), writer:
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_finished_file_stands_alone(tmp_path, form):
    with open_writer(tmp_path / "out", TABLE.columns, {}, form) as writer:
        writer.write(TABLE)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("form", FORMS)
def test_no_rows_at_all(tmp_path, form):
    with open_writer(tmp_path / "out", ("a", "b"), {"a": "INTEGER"}, form):
        pass
    assert (tmp_path / "out").stat().st_size > 0


@pytest.mark.parametrize("form", FORMS)
def test_other_columns_are_refused(tmp_path, form):
    with pytest.raises(InputError, match="expected the columns"), \
            open_writer(tmp_path / "out", ("a",), {}, form) as writer:
        writer.write(TABLE)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_full_disk(form):
    table = Table(("a",), (["x" * 1000] * 2000,))
    with pytest.raises(UnreachableError, match="/dev/full: cannot be written"), \
            open_writer(Path("/dev/full"), ("a",), {}, form) as writer:
        writer.write(table)
    assert Path("/dev/full").exists()
