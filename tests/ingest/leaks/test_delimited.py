"""CSV as dirty as leaks are: dialects, encodings, ragged rows, quotes that never close."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.leak_files import PEOPLE, rows_of, table_of
from muniment import limits
from muniment.errors import InputError
from muniment.ingest.dialect import Dialect
from muniment.ingest.leaks import delimited
from muniment.ingest.leaks.builder import Budget
from muniment.ingest.leaks.delimited import RUNAWAYS

HEADER = "id,name,city\n"
ROWS = "".join(f"{i},Person {i},Town {i % 7}\n" for i in range(30))


def _csv(delimiter: str, rows: list[tuple[str | None, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp950"])
def test_dialects_and_encodings(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [("id", "name", "city"), *((str(i), "王小明", f"臺北市中山區{i}") for i in range(40))]
    found = table_of(tmp_path, _csv(delimiter, rows).encode(encoding))
    assert found.header
    assert found.table.columns == ("id", "name", "city")
    assert rows_of(found) == rows[1:]


def test_cells_stay_as_found(tmp_path: Path) -> None:
    rows = [PEOPLE.columns, *PEOPLE.iter_rows()]
    found = table_of(tmp_path, _csv(",", rows))
    assert rows_of(found) == [tuple(cell or "" for cell in row) for row in PEOPLE.iter_rows()]
    assert (found.mended, found.unreadable, found.left_out) == (0, 0, 0)


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    found = table_of(tmp_path, "".join(f"{i},1970-01-0{i},02-2345-678{i}\n" for i in range(1, 10)))
    assert not found.header
    assert found.table.columns == ("column 1", "column 2", "column 3")
    assert found.table.rows == 9


def test_short_rows_are_padded_and_long_rows_keep_their_surplus(tmp_path: Path) -> None:
    found = table_of(tmp_path, HEADER + ROWS + "31,Short\n32,Long,Town,x,y\n\n33,Plain,Town\n")
    assert found.table.columns == ("id", "name", "city", "column 4")
    assert rows_of(found)[-3:] == [
        ("31", "Short", None, None),
        ("32", "Long", "Town", "x,y"),
        ("33", "Plain", "Town", None),
    ]
    assert found.mended == 2


def test_an_open_quote_costs_one_row(tmp_path: Path) -> None:
    found = table_of(tmp_path, HEADER + ROWS + '31,"Open,Town\n' + ROWS.replace("Person", "Later"))
    assert found.table.rows == 61
    assert rows_of(found)[30] == ("31", "Open", "Town")
    assert rows_of(found)[31] == ("0", "Later 0", "Town 0")
    assert found.mended == 1


def test_an_open_quote_in_the_last_line(tmp_path: Path) -> None:
    found = table_of(tmp_path, HEADER + ROWS + '31,"Open,Town')
    assert rows_of(found)[-1] == ("31", "Open", "Town")


def test_two_stray_quotes_do_not_swallow_what_lies_between(tmp_path: Path) -> None:
    found = table_of(tmp_path, HEADER + ROWS + '31,"A,Town\n' + ROWS + '32,B" x,Town\n' + ROWS)
    assert found.table.rows == 92


def test_honest_line_breaks_stay_in_their_cell(tmp_path: Path) -> None:
    found = table_of(tmp_path, HEADER + ROWS + '31,"two\nlines","a ""b"""\n' + ROWS)
    assert rows_of(found)[30] == ("31", "two\nlines", 'a "b"')
    assert (found.table.rows, found.mended) == (61, 0)


def test_a_record_across_chunks(tmp_path: Path) -> None:
    long = "x" * 3_000
    rows = [("id", "note"), *((str(i), f"{long}\n{long}") for i in range(600))]
    found = table_of(tmp_path, _csv(",", rows))
    assert rows_of(found) == rows[1:]
    assert found.mended == 0


def test_quotes_that_never_close_cost_linear_time(tmp_path: Path) -> None:
    hostile = 'x","y\n' * 200_000
    started = time.perf_counter()
    found = table_of(tmp_path, "a,b\n" + hostile)
    assert time.perf_counter() - started < 15
    assert found.table.rows >= 200_000 / limits.QUOTED_LINES


def test_after_many_runaways_quotes_mean_nothing() -> None:
    splitter = delimited._Splitter(Dialect())
    lines = ['1,"\n', *["2,b\n"] * limits.QUOTED_LINES] * (RUNAWAYS + 1)
    rows = [row for batch, _ in splitter.batches(iter([lines])) for row in batch]
    assert len(rows) == len(lines)
    assert splitter.dialect.quotechar is None


def test_row_names_of_r_have_no_header(tmp_path: Path) -> None:
    rows = "".join(f'"{i}",Person {i},1970-01-{i:02}\n' for i in range(1, 20))
    found = table_of(tmp_path, "name,birth_date\n" + rows)
    assert found.table.columns == ("column 1", "name", "birth_date")
    assert found.table.rows == 19


def test_a_title_above_the_header(tmp_path: Path) -> None:
    found = table_of(tmp_path, "Report of May\n" + HEADER + ROWS)
    assert found.table.columns == ("id", "name", "city")
    assert found.table.rows == 31


def test_doubled_names_get_a_suffix(tmp_path: Path) -> None:
    found = table_of(tmp_path, "name,name,name (2),\n" + "".join(f"P {i},Q {i},R {i},{i}\n" for i in range(20)))
    assert found.table.columns == ("name", "name (2)", "name (2) (2)", "column 4")


def test_rows_beyond_the_bound_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muniment.ingest.leaks.read.Budget", lambda: Budget(rows=10))
    found = table_of(tmp_path, HEADER + ROWS)
    assert (found.table.rows, found.left_out) == (10, 20)


def test_only_blank_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"leak\.bin"):
        table_of(tmp_path, "\n\n  \n")


_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x1e") | st.sampled_from("\"',\n"), min_size=1)


@settings(max_examples=40)
@given(st.lists(st.tuples(_CELL, _CELL, _CELL), min_size=1))
def test_round_trip_of_any_text(rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    splitter = delimited._Splitter(Dialect())
    lines = list(io.StringIO(text.getvalue(), newline=""))
    assert [tuple(row) for batch, _ in splitter.batches(iter([lines])) for row in batch] == rows
