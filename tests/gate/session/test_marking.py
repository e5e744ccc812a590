"""Marks in flight: the rows of a result carry what a release would, and are named like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.marking import REGISTER, book, copies, people, plan_of, prepared
from muniment.disclosure import Recipient
from muniment.gate.attribution.catalogue import Attribute, Catalogue, RegisterShape, Relation
from muniment.gate.protocol.backend import Field
from muniment.gate.protocol.wire import cell_list, message
from muniment.gate.session.marking import MarkedRegister, ResultMarker, RowMarker
from muniment.marks.read import merge, read_cells
from muniment.table import Table
from muniment.trace.examine import Group, examine
from muniment.trace.score import MIXTURES

TEXT, VARCHAR, INT4, BPCHAR = 25, 1043, 23, 1042
OID = 20_000
COLUMNS = ("id", "name", "address", "salary", "town")
PLAN = plan_of({"address": ["street-type", "ordinals"]})
ATTRIBUTES = {
    number: Attribute(name, TEXT, REGISTER.name, number, 0 if name == "id" else -1)
    for number, name in enumerate(COLUMNS, 1)
}
CATALOGUE = Catalogue(
    1,
    {OID: Relation(OID, "public", "persons", "r", True, False, ATTRIBUTES)},
    {REGISTER.name: RegisterShape(REGISTER.name, 1, ("id",), 10.0)},
    frozenset(("persons",)), frozenset(), False,
)  # fmt: skip


class Counted:
    """Numbers of recipients, and who was asked for."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.numbers = numbers
        self.asked: list[tuple[str, str]] = []

    def number(self, recipient: str, register: str) -> int:
        self.asked.append((recipient, register))
        return self.numbers[recipient]


def marker(numbers: Mapping[str, int] | None = None) -> ResultMarker:
    names = {column.number: column.name for column in REGISTER.columns}
    register = MarkedRegister(REGISTER.name, "mark-1", names, PLAN, book())
    return ResultMarker([register], Counted(numbers or {"clerk": 3, "other": 4}))


def fields(*names: str, type_oid: int = TEXT, format: int = 0) -> tuple[Field, ...]:
    return tuple(Field(name, OID, COLUMNS.index(name) + 1, type_oid, format=format) for name in names)


def rows(table: Table) -> tuple[bytes, list[int]]:
    """DataRow messages of a table, and where each ends."""
    messages = [
        message(ord("D"), cell_list(None if cell is None else cell.encode() for cell in row))
        for row in table.iter_rows()
    ]
    return b"".join(messages), np.cumsum([len(one) for one in messages]).tolist()


def made(names: Sequence[str] = COLUMNS, recipient: str = "clerk", *, single: bool = True) -> RowMarker | None:
    return marker().of(fields(*names), CATALOGUE, recipient, single=single, encoding="utf-8")


def marked(table: Table, recipient: str = "clerk", names: Sequence[str] = COLUMNS) -> bytes:
    one = made(names, recipient)
    assert one is not None
    return bytes(one.mark(*rows(table.select(names))))


def test_a_result_is_written_as_the_copy_of_a_release() -> None:
    table = people(300)
    (copy,) = copies(table, PLAN, [3])
    assert copy["address"] != table["address"]
    assert marked(table) == rows(copy)[0]
    assert marked(table, "other") == rows(copies(table, PLAN, [4])[0])[0]


def test_the_order_of_columns_does_not_matter() -> None:
    table = people(50)
    names = ("address", "town", "id")
    assert marked(table, names=names) == rows(copies(table, PLAN, [3])[0].select(names))[0]


def test_what_was_received_is_named_by_trace_and_nobody_else_is() -> None:
    table = people(900)
    got = marked(table, "clerk", ("id", "address"))
    leaked = _second_cells(got)
    before = prepared(table, PLAN)
    nothing = {"address": np.zeros(table.rows, bool)}
    shown = Table(("address",), (leaked,))
    readings = read_cells(before, shown, PLAN.cells, np.ones(table.rows), nothing)
    own = read_cells(before, table.select(("address",)), PLAN.cells, np.ones(table.rows), nothing)
    everyone = tuple(Recipient(number, f"account {number}") for number in range(40))
    group = Group(
        REGISTER.name, "mark-1", book(), candidates=everyone, symbols=merge(readings), on_register=merge(own),
        mixture=MIXTURES[10],
    )  # fmt: skip
    assert [one.recipient.number for one in examine([group], 1e-6, 1).findings] == [3]


def _second_cells(data: bytes) -> list[str | None]:
    found: list[str | None] = []
    at = 0
    while at < len(data):
        end = at + 1 + int.from_bytes(data[at + 1 : at + 5], "big")
        first = int.from_bytes(data[at + 7 : at + 11], "big")
        place = at + 11 + first
        length = int.from_bytes(data[place : place + 4], "big", signed=True)
        found.append(None if length < 0 else data[place + 4 : place + 4 + length].decode())
        at = end
    return found


# --- what passes as it is ----------------------------------------------------------------------------------------


def test_rows_without_a_place_pass_untouched() -> None:
    table = Table(("id", "address"), (["P1", "P2"], [None, "Rose Cottage"]))
    data, ends = rows(table)
    one = made(("id", "address"))
    assert one is not None and one.mark(data, ends) is data


def test_a_row_without_a_key_passes_and_the_others_do_not() -> None:
    table = people(60)
    some = Table(table.columns, ([None, *table["id"][1:]], *table.cells[1:]))
    copy = copies(table, PLAN, [3])[0]
    expected = Table(copy.columns, ([None, *copy["id"][1:]], *copy.cells[1:])).with_cells(
        {"address": [table["address"][0], *copy["address"][1:]]}
    )
    assert marked(some) == rows(expected)[0]


@pytest.mark.parametrize(
    ("names", "single"), [(("address",), True), (("id", "town"), True), (COLUMNS, False)]
)
def test_results_without_sure_places_have_no_marker(names: Sequence[str], single: bool) -> None:
    assert made(names, single=single) is None


@pytest.mark.parametrize("type_oid", [INT4, BPCHAR])
def test_only_plain_text_columns_are_marked(type_oid: int) -> None:
    some = (*fields("id"), *fields("address", type_oid=type_oid))
    assert marker().of(some, CATALOGUE, "clerk", single=True, encoding="utf-8") is None


def test_nobody_is_numbered_for_a_result_that_is_not_marked() -> None:
    numbers = Counted({"clerk": 3})
    names = {column.number: column.name for column in REGISTER.columns}
    marking = ResultMarker([MarkedRegister(REGISTER.name, "mark-1", names, PLAN, book())], numbers)
    assert marking.of(fields("town"), CATALOGUE, "clerk", single=True, encoding="utf-8") is None
    assert numbers.asked == []
    assert marking.of(fields("id", "address"), CATALOGUE, "clerk", single=True, encoding="utf-8") is not None
    assert numbers.asked == [("clerk", REGISTER.name)]


def test_bytes_that_are_no_text_of_the_encoding_pass() -> None:
    cells = [b"P00000", b"\xff12 Mill Road"]
    data = message(ord("D"), cell_list(cells))
    one = made(("id", "address"))
    assert one is not None and one.mark(data, [len(data)]) is data


def test_the_binary_format_of_text_is_marked_too_and_a_doubled_column_twice() -> None:
    table = people(40).select(("id", "address"))
    twice = Table(("id", "a", "b"), (table["id"], table["address"], table["address"]))
    some = fields("id", "address", "address", format=1)
    one = marker().of(some, CATALOGUE, "clerk", single=True, encoding="utf-8")
    copy = copies(people(40), PLAN, [3])[0]
    expected = Table(("id", "a", "b"), (copy["id"], copy["address"], copy["address"]))
    assert one is not None
    assert one.mark(*rows(twice)) == rows(expected)[0]
    assert one.mark_keys == {REGISTER.name: "mark-1"}


@given(st.lists(st.tuples(st.text(max_size=9), st.none() | st.text(max_size=30)), max_size=20))
def test_any_rows_keep_their_number_key_and_meaning(some: list[tuple[str, str | None]]) -> None:
    table = Table(("id", "address"), ([key for key, _ in some], [cell for _, cell in some]))
    data, ends = rows(table)
    one = made(("id", "address"))
    assert one is not None
    after = _second_cells(bytes(one.mark(data, ends)))
    assert len(after) == len(some)
    carriers = [family.carrier for family in PLAN.cells]
    for (_, before), now in zip(some, after, strict=True):
        for carrier in carriers:
            before = None if before is None else carrier.normal(before)
            now = None if now is None else carrier.normal(now)
        assert before == now
