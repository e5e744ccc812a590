"""What is suggested for made-up registers, and for the reference data sets."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from muniment.disclosure import Column, Kind, Register
from muniment.marks.suggest import REASONS, Suggestion, acceptable, suggest
from muniment.table import Table


def register(kinds: dict[str, Kind], key: str = "id") -> Register:
    columns = tuple(Column(name, kind, number) for number, (name, kind) in enumerate(kinds.items(), 1))
    return Register("people", "people.csv", (key,), columns, 10)


KINDS = {
    "id": Kind.CODE, "name": Kind.NAME, "address": Kind.ADDRESS, "town": Kind.PLACE, "born": Kind.DATE,
    "office": Kind.ADDRESS, "card": Kind.CODE, "income": Kind.NUMBER, "note": Kind.TEXT, "mail": Kind.EMAIL,
}  # fmt: skip
PEOPLE = register(KINDS)


def people(rows: int = 400) -> Table:
    return Table.from_rows(
        tuple(KINDS),
        [
            (
                str(row), f"name {row % 90}", f"{row} Stanley Street", "Taipei",
                f"19{10 + row % 90}-01-{1 + row % 28:02}", f"{row % 4 + 1} Market Square", f"{5304218 + row}",
                str(100 * (row % 7)), None, f"a{row}@example.org",
            )
            for row in range(rows)
        ],
    )  # fmt: skip


def found(suggestions: tuple[Suggestion, ...]) -> dict[tuple[str, str | None], Suggestion]:
    return {(suggestion.column, suggestion.carrier): suggestion for suggestion in suggestions}


def test_slots_symbols_groups_and_examples() -> None:
    street = found(suggest(PEOPLE, people(), rows=40_000))["address", "street-type"]
    assert (street.slots, street.symbols, street.cells) == (1.0, 40_000, 400)
    assert len(street.examples) == 5
    assert street.examples[0].one == "0 Stanley St"
    square = found(suggest(PEOPLE, people()))["office", "street-type"]
    assert (square.groups_before, square.groups_after) == (4, 8)


def test_every_column_is_accounted_for() -> None:
    suggestions = suggest(PEOPLE, people())
    assert list(dict.fromkeys(s.column for s in suggestions)) == list(KINDS)
    reasons = {s.column: s.reason_code for s in suggestions if s.carrier is None}
    assert reasons == {"id": "key", "name": "name", "town": "place", "mail": "email", "note": "no-place"}
    assert all(s.reason_code in {"", *REASONS} for s in suggestions)


def test_what_is_taken_by_default() -> None:
    suggestions = suggest(PEOPLE, people())
    assert acceptable(PEOPLE, suggestions) == {"address": ["street-type"], "born": ["date-layout"]}
    held = {key: s.reason_code for key, s in found(suggestions).items() if s.carrier and s.reason_code}
    assert held["office", "street-type"] == "few-values"
    assert held["card", "code-spacing"] == "identifier"
    assert held["income", "dither"] == "tolerance"


def test_join_columns_are_left_out() -> None:
    suggestions = suggest(PEOPLE, people(), joins={"born"})
    assert found(suggestions)["born", "date-layout"].reason_code == "join"
    assert "born" not in acceptable(PEOPLE, suggestions)


def test_empty_and_missing_columns() -> None:
    assert suggest(PEOPLE, Table(("address",), ([],)))[0].reason_code == "no-place"
    assert acceptable(PEOPLE, suggest(PEOPLE, Table(("address",), ([None, ""],)))) == {}
    assert suggest(PEOPLE, Table((), ())) == ()


def test_a_tolerance_is_tried_in_the_last_place() -> None:
    amounts = register({"id": Kind.CODE, "paid": Kind.NUMBER})
    table = Table(("id", "paid"), (["1", "2", "3"], ["12.50", "3.25", "0.00"]))
    assert found(suggest(amounts, table))["paid", "dither"].tolerance == "0.01"


def test_json_is_plain() -> None:
    for suggestion in suggest(PEOPLE, people(50)):
        assert json.loads(json.dumps(suggestion.to_json()))["column"] == suggestion.column


@pytest.mark.shared_data
def test_febrl(shared_data: Path) -> None:
    with gzip.open(shared_data / "febrl_dataset4a.csv.gz", "rt", encoding="utf-8") as file:
        head, *rows = csv.reader(file, skipinitialspace=True)
    kinds = dict.fromkeys(head, Kind.CODE) | {
        "given_name": Kind.NAME, "surname": Kind.NAME, "address_1": Kind.ADDRESS, "address_2": Kind.ADDRESS,
        "suburb": Kind.PLACE, "state": Kind.CATEGORY, "date_of_birth": Kind.DATE,
    }  # fmt: skip
    febrl = register(kinds, "rec_id")
    suggestions = suggest(febrl, Table.from_rows(head, rows))
    assert found(suggestions)["address_1", "street-type"].slots > 0.96
    assert found(suggestions)["date_of_birth", "date-layout"].slots > 0.98
    assert acceptable(febrl, suggestions) == {"address_1": ["street-type"], "date_of_birth": ["date-layout"]}


@pytest.mark.shared_data
def test_adult_has_nothing_equivalent(shared_data: Path) -> None:
    """Coded data: no category is ever touched, and numbers only with a tolerance."""
    with gzip.open(shared_data / "adult_train.csv.gz", "rt", encoding="utf-8") as file:
        head, *rows = [row for row in csv.reader(file) if row][:4000]
    numbers = {"age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"}
    adult = register({name: Kind.NUMBER if name in numbers else Kind.CATEGORY for name in head}, "")
    suggestions = suggest(adult, Table.from_rows(head, rows))
    assert acceptable(adult, suggestions) == {}
    assert {s.carrier for s in suggestions if s.column in numbers} == {"dither"}
    assert {s.carrier for s in suggestions if s.column not in numbers} == {None}
