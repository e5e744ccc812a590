"""Tables of a keeper, good and bad, as columns and faults."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.table import Table
from muniment.watch.context.calendar import day_of
from muniment.watch.context.faults import KEPT, TEXTS, Fault, Wrong, joined
from muniment.watch.context.parse import Ground, Parsed, moment, parse
from muniment.watch.context.schema import SHAPES, Form
from muniment.watch.context.tables import DAY_MS, NO_END


class Numbered:
    """Persons by the number in their key."""

    def __init__(self) -> None:
        self.asked = 0

    def ordinals(self, keys: Sequence[bytes]) -> np.ndarray:
        self.asked += len(keys)
        return np.array([int(key.split(b"P")[-1]) for key in keys], np.uint32)


def read(table: str, header: str, *rows: str, zone: str = "UTC", at_once: int = 2) -> Parsed:
    """A table of cells between bars, in batches of two rows."""
    names = header.split("|")
    cells = [[cell or None for cell in row.split("|")] for row in rows]
    batches = [Table.from_rows(names, cells[start : start + at_once]) for start in range(0, max(len(rows), 1), at_once)]
    return parse(table, batches, "here.csv", Ground(zone, ("person_id",), Numbered()))


def said(parsed: Parsed) -> list[tuple[Wrong, int, int, str]]:
    return [(one.kind, one.count, one.row, one.column) for one in joined(parsed.faults)]


def names(parsed: Parsed, column: str) -> list[str]:
    return [getattr(parsed.names, column).text(code) for code in parsed.columns[column].tolist()]


# --- tables ----------------------------------------------------------------------------------------------------------


def test_staff_with_open_ends_and_without_office() -> None:
    found = read("staff", "Account|OFFICE|role|since|until|note", "lin|Tax|clerk|2025-01-01|2025-01-31|x", "wu|||||")
    assert names(found, "account") == ["lin", "wu"]
    assert found.columns["office"].tolist() == [0, -1]
    start = day_of("2025-01-01") * DAY_MS
    assert found.columns["since"].tolist() == [start, -NO_END]
    assert found.columns["until"].tolist() == [start + 31 * DAY_MS, NO_END]
    assert said(found) == [(Wrong.NO_OFFICE, 1, 2, "office")]
    assert found.read == len(found) == 2


def test_staff_may_leave_out_what_it_does_not_know() -> None:
    found = read("staff", "account", "lin")
    assert [found.columns[n].tolist() for n in ("office", "role", "since", "until")] == [
        [-1],
        [-1],
        [-NO_END],
        [NO_END],
    ]


def test_cases_that_end_before_they_begin_are_left_out_and_said() -> None:
    found = read("cases", "case|opened|closed", "1|2025-01-02|2025-01-01", "2|2025-01-02|2025-01-02", "3|2025-01-02|")
    assert names(found, "case") == ["2", "3"]
    assert said(found) == [(Wrong.ENDS_FIRST, 1, 1, "closed")]


def test_a_case_opened_again_is_kept_twice_and_a_repeated_row_once() -> None:
    rows = ("1|2025-01-01|2025-01-09", "1|2025-02-01|", "2|2025-01-01|", "1|2025-02-01|")
    found = read("cases", "case|opened|closed", *rows)
    assert names(found, "case") == ["1", "1", "2"]
    assert said(found) == [(Wrong.TWICE, 1, 4, ""), (Wrong.REOPENED, 1, 2, "case")]


def test_bad_cells_cost_their_row_and_show_nowhere() -> None:
    long = "x" * 201
    rows = (
        "1|soon|",
        "|2025-01-01|",
        f"{long}|2025-01-01|",
        "2|2025-13-01|",
        "3||",
        "4|2025-01-01|31.12.2025",
        "a\tb|2025-01-01|",
    )
    found = read("cases", "case|opened|closed", *rows)
    assert not len(found)
    assert said(found) == [
        (Wrong.EMPTY, 2, 2, "case"), (Wrong.BAD_DATE, 3, 1, "opened"), (Wrong.BAD_NAME, 2, 3, "case"),
    ]  # fmt: skip
    assert not any(word in str(fault) + repr(fault) for fault in found.faults for word in ("soon", "31.12", long))
    assert repr(found).count("2025") == 0


def test_whether_a_case_covers_households() -> None:
    words = ("yes", "TRUE", "1", "是", "no", "", "perhaps")
    found = read("cases", "case|opened|household", *(f"{n}|2025-01-01|{word}" for n, word in enumerate(words)))
    assert found.columns["household"].tolist() == [True] * 4 + [False] * 2
    assert said(found) == [(Wrong.BAD_CHOICE, 1, 7, "household")]


def test_covers_ask_for_the_ordinals_of_sound_rows_alone() -> None:
    persons = Numbered()
    rows = [["1", "P7"], ["", "P8"], ["2", None], ["2", "P9"], ["1", "P7"]]
    batch = Table.from_rows(["case", "person_id"], rows)
    found = parse("covers", [batch], "here", Ground("UTC", ("person_id",), persons))
    assert persons.asked == 3
    assert found.columns["record"].tolist() == [7, 9]
    assert said(found) == [(Wrong.EMPTY, 2, 2, "case"), (Wrong.TWICE, 1, 5, "")]


def test_an_assignment_names_an_account_or_an_office() -> None:
    found = read(
        "assignments", "case|account|office|since|until", "1|lin|||", "1||Tax||", "1||||", "1|wu||2025-02-01|2025-01-01"
    )
    assert len(found) == 2
    assert said(found) == [(Wrong.ENDS_FIRST, 1, 4, "until"), (Wrong.NOBODY, 1, 3, "account")]


def test_relatives_in_circles_to_themselves_and_twice() -> None:
    rows = ("P1|P2", "P2|P3", "P3|P1", "P2|P1", "P4|P4", "P1|P2")
    found = read("family", "person_id|other_person_id", *rows)
    assert list(zip(found.columns["record"].tolist(), found.columns["other"].tolist(), strict=True)) == [
        (1, 2),
        (2, 3),
        (3, 1),
    ]
    assert said(found) == [(Wrong.SELF, 1, 5, "other_KEY"), (Wrong.TWICE, 2, 4, "")]


def test_a_household_that_is_too_large_is_none() -> None:
    rows = [f"P{n}|home" for n in range(201)] + ["P500|A", "P501|A", "P500|A"]
    found = read("households", "person_id|household", *rows, at_once=64)
    assert found.columns["record"].tolist() == [500, 501]
    assert len(set(found.columns["household"].tolist())) == 1
    assert said(found) == [(Wrong.TWICE, 1, 204, ""), (Wrong.TOO_LARGE, 201, 1, "household")]


def test_a_day_of_two_kinds_and_a_day_said_twice() -> None:
    rows = (
        "2025-10-10|holiday|",
        "2025/10/10|Holiday|",
        "2025-10-10|busy|",
        "2025-10-10|busy|Tax",
        "2025-10-11|feast|",
    )
    found = read("calendar", "date|kind|office", *rows)
    assert found.columns["date"].tolist() == [day_of("2025-10-10")] * 3
    assert [(one[0], one[1]) for one in said(found)] == [
        (Wrong.BAD_CHOICE, 1),
        (Wrong.TWICE, 1),
        (Wrong.SEVERAL_KINDS, 1),
    ]


def test_jobs_have_a_time_and_a_number() -> None:
    rows = (
        "lin||2025-01-01|2025-01-02|5,000",
        "lin||2025-01-01||5",
        "lin||2025-01-01|2025-01-02|many",
        "lin||2025-01-01|2025-01-02|0",
    )
    found = read("jobs", "account|case|since|until|most", *rows)
    assert found.columns["most"].tolist() == [5000]
    assert said(found) == [(Wrong.EMPTY, 1, 2, "until"), (Wrong.BAD_COUNT, 2, 3, "most")]


def test_shifts() -> None:
    assert names(read("shifts", "office", "Night desk", "Night desk", "Ward"), "office") == ["Night desk", "Ward"]


def test_orders_rank_numbers_as_numbers_and_texts_without_case() -> None:
    rows = ("P4|2025-03-04|10|beta", "P2||9|Alpha", "P3||10|", "P9||100|alpha")
    found = read("orders", "person_id|born|number|surname", *rows)
    assert found.orders == ("number", "surname")
    assert found.columns["rank"].tolist() == [[1, 2], [0, 0], [1, -1], [3, 0]]
    assert found.columns["born"].tolist()[0] == day_of("2025-03-04") * DAY_MS


def test_a_record_has_one_place_in_the_orders() -> None:
    found = read("orders", "person_id|number", "P4|1", "P4|2")
    assert found.columns["rank"].tolist() == [[0]]
    assert said(found) == [(Wrong.TWICE, 1, 2, "KEY")]


# --- columns ---------------------------------------------------------------------------------------------------------


def test_a_key_of_one_column_may_be_called_key() -> None:
    assert read("covers", "case|key", "1|P5").columns["record"].tolist() == [5]
    assert read("family", "KEY|other_key", "P5|P6").columns["other"].tolist() == [6]


@pytest.mark.parametrize(("table", "header", "missing"), [
    ("staff", "login|office", "account"), ("covers", "case|number", "person_id"),
    ("family", "person_id", "other_person_id"), ("jobs", "account|since|until", "most"),
])  # fmt: skip
def test_a_table_without_a_column_that_it_needs_is_refused(table: str, header: str, missing: str) -> None:
    with pytest.raises(InputError, match=f"here.csv: no column {missing}"):
        read(table, header, "|".join("x" for _ in header.split("|")))


def test_a_table_that_there_is_not() -> None:
    with pytest.raises(InputError, match="the tables are staff, cases"):
        parse("people", [], "here", Ground())


@pytest.mark.parametrize("table", list(SHAPES))
def test_no_rows_are_a_table_without_rows(table: str) -> None:
    found = parse(table, [], "here", Ground())
    assert len(found) == found.read == 0
    assert found.faults == ()


# --- cells -----------------------------------------------------------------------------------------------------------


def test_times_are_local_unless_they_say_otherwise() -> None:
    found = read(
        "cases", "case|opened", "1|2025-01-02", "2|2025-01-02T00:00+08:00", "3|2025-01-01 16:00:00Z", zone="Asia/Taipei"
    )
    assert len(set(found.columns["opened"].tolist())) == 1


def test_the_end_of_a_day_is_its_end_where_clocks_change() -> None:
    found = read("cases", "case|opened|closed", "1|2025-03-30|2025-03-30", zone="Europe/Berlin")
    assert (found.columns["closed"] - found.columns["opened"]).tolist() == [23 * 3_600_000]


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12-31T23:59:59", "0001-01-01"])
def test_the_edges_of_the_calendar(text: str) -> None:
    assert abs(moment(text, UTC, end=True)) < NO_END


@given(
    st.sampled_from(list(SHAPES)),
    st.lists(st.lists(st.text(max_size=12) | st.none(), min_size=8, max_size=8), max_size=6),
)
def test_no_cell_makes_it_fall(table: str, rows: list[list[str | None]]) -> None:
    given_names = [g.name for g in SHAPES[table].columns if g.form is not Form.ORDER]
    header = [*given_names, *(f"more {n}" for n in range(8 - len(given_names)))]
    ground = Ground("Europe/Berlin", (), None)
    found = parse(table, [Table.from_rows(header, rows)], "here", ground)
    lost = sum(one.count for one in found.faults if not one.kept)
    assert len(found) + lost == found.read == len(rows)
    assert {len(column) for column in found.columns.values()} == {len(found)}


# --- faults ----------------------------------------------------------------------------------------------------------


def test_every_fault_has_its_words_in_both_languages() -> None:
    assert set(TEXTS) == set(Wrong)
    assert all(english.isascii() and not chinese.isascii() for english, chinese in TEXTS.values())
    assert all(("left out" in TEXTS[kind][0]) != (kind in KEPT | {Wrong.UNKNOWN_CASE}) for kind in Wrong)


def test_faults_of_one_kind_are_one_and_keep_the_first_place() -> None:
    one, other = Fault(Wrong.TWICE, "staff", "a", 2, 5, ""), Fault(Wrong.TWICE, "staff", "a", 3, 9, "")
    assert [str(fault) for fault in joined([one, other])] == [
        "a: 5 x says again what a row before it says: left out, first in row 5"
    ]
