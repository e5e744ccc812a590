"""Writing marks: every form is proved before one is written, and a recipient's copy follows from its bits alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.cells import taiwanese_addresses, western_addresses
from language.marking import book, copies, people, plan_of, prepared, records_of
from muniment.disclosure import Harm, Kind
from muniment.errors import IntegrityError
from muniment.marks.carriers import CARRIERS
from muniment.marks.plan import Plan
from muniment.marks.write import normal_form

ALL_ON_ADDRESS = [name for name, carrier in CARRIERS.items() if Kind.ADDRESS in carrier.kinds]
TABLE = people(60)


def test_a_copy_equals_the_register_in_normal_form_and_in_all_other_columns() -> None:
    plan = plan_of()
    for copy in copies(TABLE, plan, range(8)):
        assert copy["id"] is TABLE["id"]
        assert copy["name"] is TABLE["name"]
        assert copy["town"] is TABLE["town"]
        for cell, marked in zip(TABLE["address"], copy["address"], strict=True):
            assert (cell is None) == (marked is None)
            families = plan.on("address")
            assert cell is None or normal_form(families, cell) == normal_form(families, marked or "")
        moved = [abs(int(a) - int(b)) for a, b in zip(TABLE["salary"], copy["salary"], strict=True) if a and b]
        assert max(moved) <= 50
        assert any(moved)


def test_a_cell_without_a_place_stays_as_it_is() -> None:
    cottages = [row for row in range(60) if TABLE["address"][row] in ("Rose Cottage", None)]
    for copy in copies(TABLE, plan_of(), range(4)):
        assert [copy["address"][row] for row in cottages] == [TABLE["address"][row] for row in cottages]


def test_each_cell_shows_the_bits_of_the_codebook() -> None:
    plan, codebook = plan_of(), book()
    ready = prepared(TABLE, plan, codebook)
    recipients = [0, 5, 77]
    for number, copy in zip(recipients, copies(TABLE, plan, recipients, codebook), strict=True):
        for column in ready.columns:
            for slots in column.slots:
                bits = codebook.bits(slots.addresses, slots.thresholds, [number])[0].tolist()
                cells = [copy[column.name][row] or "" for row in slots.rows.tolist()]
                read = plan.cells[slots.family].carrier.read
                assert [read(cell, phase) for cell, phase in zip(cells, slots.phases.tolist(), strict=True)] == bits


def test_the_same_recipient_gets_the_same_copy_whoever_else_is_written_for() -> None:
    alone = copies(TABLE, plan_of(), [6])[0]
    assert copies(TABLE, plan_of(), [3, 6, 9])[1] == alone


def test_a_marked_cell_is_marked_over_not_once_more() -> None:
    """Marking a copy again gives the other recipient's copy: the forms of a form are the forms of the cell."""
    plan = plan_of({"address": ["street-type", "ordinals"]})
    first, second = copies(TABLE, plan, [1, 2])
    assert copies(first, plan, [2])[0] == second


def test_symbols_are_counted_where_there_is_a_place() -> None:
    ready = prepared(TABLE, plan_of({"address": ["street-type"]}))
    placed = sum(cell not in ("Rose Cottage", None) for cell in TABLE["address"])
    assert ready.symbols == placed == len(ready.columns[0].slots[0].rows)


def test_the_plain_form_of_a_cell_is_that_of_all_its_marked_forms() -> None:
    plan = plan_of({"address": ["street-type", "ordinals"]})
    plain = prepared(TABLE, plan).columns[0].plain
    for copy in copies(TABLE, plan, range(4)):
        assert prepared(copy, plan).columns[0].plain == plain


@settings(max_examples=40)
@given(st.lists(western_addresses() | taiwanese_addresses(), min_size=1, max_size=4), st.integers(0, 2**20))
def test_all_carriers_of_an_address_can_stand_on_one_column(cells: list[str], recipient: int) -> None:
    plan, table = plan_of({"address": ALL_ON_ADDRESS}), people(len(cells)).with_cells({"address": list(cells)})
    assert len(plan.cells) > 8, "more families than the bits of a byte"
    codebook = book()
    ready = prepared(table, plan, codebook)
    (copy,) = copies(table, plan, [recipient], codebook)
    for slots in ready.columns[0].slots:
        bits = codebook.bits(slots.addresses, slots.thresholds, [recipient])[0].tolist()
        read = plan.cells[slots.family].carrier.read
        assert [read(copy["address"][row] or "") for row in slots.rows.tolist()] == bits
    for cell, marked in zip(cells, copy["address"], strict=True):
        assert normal_form(plan.cells, cell) == normal_form(plan.cells, marked or "")


# --- carriers that lie ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Liar:
    """A carrier that writes another meaning; `normal` is honest and shows it."""

    pair: tuple[str, str]
    name: str = "liar"
    number: int = 99
    harm: Harm = Harm.EQUIVALENT
    kinds: frozenset[Kind] = field(default=frozenset({Kind.ADDRESS}))

    def forms(self, value: str, phase: int = 0) -> tuple[str, str]:
        return self.pair

    def read(self, value: str, phase: int = 0) -> int:
        return 0

    def normal(self, value: str) -> str:
        return value.replace("Rd", "Road")

    def same(self, first: str, second: str) -> bool:
        return self.normal(first) == self.normal(second)


LIES = [
    ("1 Mill Road", ("1 Mill Road", "1 Hill Rd")),  # the cell is the form for 0, the other one lies
    ("1 Mill Rd", ("1 Hill Road", "1 Mill Rd")),  # the cell is the form for 1
    ("1 Mill Rd", ("1 Hill Road", "1 Hill Rd")),  # the cell is neither, and both lie
    ("1 Mill  Rd", ("1 Mill Road", "1 Hill Rd")),
]


def lying_plan(pair: tuple[str, str], *others: str) -> Plan:
    honest = plan_of({"address": [*others, "street-type"]})
    return replace(honest, cells=(*honest.cells[:-1], replace(honest.cells[-1], carrier=Liar(pair))))


@pytest.mark.parametrize("others", [(), ("ordinals",)], ids=["alone", "beside another"])
@pytest.mark.parametrize(("cell", "pair"), LIES)
def test_a_form_that_means_something_else_stops_the_release(cell: str, pair: tuple[str, str], others: tuple) -> None:
    with pytest.raises(IntegrityError, match="would change what a cell means") as raised:
        prepared(people(1).with_cells({"address": [cell]}), lying_plan(pair, *others))
    assert "Mill" not in str(raised.value), "an error shows no value of a register"


def test_the_same_carrier_is_let_through_where_it_tells_the_truth() -> None:
    plan = lying_plan(("1 Mill Road", "1 Mill Rd"))
    assert prepared(people(1).with_cells({"address": ["1 Mill Rd"]}), plan).symbols == 1


def test_a_step_beyond_the_tolerance_stops_the_release() -> None:
    plan = plan_of({"salary": ["dither"]})
    far = replace(Liar(("100", "900")), harm=Harm.TOLERANCE, kinds=frozenset({Kind.NUMBER}))
    with pytest.raises(IntegrityError):
        prepared(people(3), replace(plan, cells=(replace(plan.cells[0], carrier=far),)))


def test_records_and_rows_stay_together() -> None:
    codebook = book()
    ready = prepared(TABLE, plan_of(), codebook)
    records = records_of(TABLE, codebook)
    for column in ready.columns:
        for slots in column.slots:
            np.testing.assert_array_equal(slots.addresses.record, records[slots.rows])
