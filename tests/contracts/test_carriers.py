"""What every carrier keeps, whatever its kind. They are found in the table: a new one is tested by being in it."""

from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal
from itertools import permutations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.cells import CELLS, anything
from muniment.disclosure import Harm, Kind
from muniment.errors import InputError
from muniment.marks.carriers import CARRIERS, CLASHES, TOLERANCE_CARRIERS, carrier, clash
from muniment.marks.carriers.protocol import Carrier

TOLERANCES = {"dither": ("1", "2", "7", "0.5", "0.25", "10"), "time-jitter": ("1", "30", "900")}
ALL: tuple[Carrier, ...] = (
    *CARRIERS.values(),
    *(carrier(name, Decimal(t)) for name, tolerances in TOLERANCES.items() for t in tolerances),
)
PHASES = st.integers(0, 2**32 - 1)


def title(mark: Carrier) -> str:
    """The name of a carrier in messages, with its tolerance."""
    tolerance = getattr(mark, "tolerance", None)
    return mark.name if tolerance is None else f"{mark.name}-{tolerance}"


every = pytest.mark.parametrize("mark", ALL, ids=title)
each_kind = pytest.mark.parametrize("kind", sorted(CELLS))
many = settings(max_examples=150, suppress_health_check=list(HealthCheck))


def on(kind: Kind) -> list[Carrier]:
    """The carriers that a column of this kind may bear."""
    return [mark for mark in ALL if kind in mark.kinds]


def cells_of(kind: Kind) -> st.SearchStrategy[str]:
    """Cells of a kind, with any text between them."""
    return st.one_of(CELLS[kind], CELLS[kind], CELLS[kind], anything)


@every
def test_number_and_domain(mark: Carrier) -> None:
    assert 1 <= mark.number <= 255
    assert mark.kinds
    assert not mark.kinds & {Kind.NAME, Kind.PLACE, Kind.CATEGORY}
    assert mark.harm in (Harm.EQUIVALENT, Harm.TOLERANCE)


def test_numbers_are_given_once_for_ever() -> None:
    """A number in an address may never move to another carrier: copies made with the old one could not be traced."""
    assert {c.name: c.number for c in ALL} == {
        "street-type": 1, "address-words": 2, "unit-layout": 3, "ordinals": 4, "honorifics": 5, "and-sign": 6,
        "hanzi-variants": 10, "address-dash": 11, "floor-form": 12, "digit-width": 13, "address-numerals": 14,
        "phone-layout": 20, "date-layout": 21, "letter-case": 22, "code-spacing": 23, "trailing-zeros": 24,
        "dither": 30, "time-jitter": 31,
    }  # fmt: skip
    assert set(TOLERANCES) == set(TOLERANCE_CARRIERS)


@each_kind
def test_strategies_reach_every_carrier(kind: Kind) -> None:
    """Each carrier finds places in the drawn cells, so that the tests below can fail."""
    found: Counter[str] = Counter()

    @settings(max_examples=350, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(CELLS[kind])
    def look(cell: str) -> None:
        found.update(title(mark) for mark in on(kind) if mark.forms(cell, 7) is not None)

    look()
    assert {title(mark): found[title(mark)] >= 3 for mark in on(kind)} == {title(mark): True for mark in on(kind)}


@each_kind
@many
@given(data=st.data(), phase=PHASES)
def test_round_trip(kind: Kind, data: st.DataObject, phase: int) -> None:
    cell = data.draw(cells_of(kind))
    for mark in on(kind):
        forms = mark.forms(cell, phase)
        if forms is None:
            continue
        assert forms[0] != forms[1], title(mark)
        assert mark.same(*forms), title(mark)
        for bit, form in enumerate(forms):
            assert mark.read(form, phase) == bit, title(mark)
            assert mark.forms(form, phase) == forms, f"{title(mark)}: writing twice is writing once"
            assert mark.same(cell, form), title(mark)
            assert mark.same(form, cell), title(mark)


@each_kind
@many
@given(data=st.data(), phase=PHASES)
def test_normal_form(kind: Kind, data: st.DataObject, phase: int) -> None:
    cell = data.draw(cells_of(kind))
    for mark in on(kind):
        normal, forms = mark.normal(cell), mark.forms(cell, phase)
        assert mark.normal(normal) == normal, title(mark)
        assert mark.same(cell, normal), title(mark)
        if forms is None:
            assert normal == cell, f"{title(mark)}: nothing is folded where there is no place"
        elif mark.harm is Harm.EQUIVALENT:
            assert {mark.normal(form) for form in forms} == {normal}, title(mark)


@settings(max_examples=200)
@given(cell=anything, other=anything, phase=PHASES)
def test_any_text_is_safe(cell: str, other: str, phase: int) -> None:
    for mark in ALL:
        mark.forms(cell, phase)
        assert mark.read(cell, phase) in (None, 0, 1), title(mark)
        assert mark.same(cell, cell), title(mark)
        assert mark.same(cell, other) == mark.same(other, cell), title(mark)


NO_VALUES = ("", " ", "?", "NULL", "None", "nan", "N/A", "n/a", "-", "\ud800", "號" * 5000)
LONG = ("9" * 5000, "0" * 5000, "1-1" * 5000, "3樓" * 5000 + "號", "st " * 5000, "-" * 50_000, "+1" + " 1" * 9000)


@every
def test_what_is_no_value_is_erased(mark: Carrier) -> None:
    for cell in NO_VALUES:
        assert mark.read(cell) is None, cell
        assert mark.forms(cell) is None, cell


@every
def test_long_cells_take_no_time(mark: Carrier) -> None:
    """Linear, not quadratic: a hostile leak must not stop a trace (and no digit limit of Python is hit)."""
    start = time.process_time()
    for cell in LONG:
        mark.read(cell)
        mark.forms(cell)
        mark.same(cell, cell + "1")
    assert time.process_time() - start < 2


@each_kind
@many
@given(data=st.data())
def test_a_changed_digit_is_another_value(kind: Kind, data: st.DataObject) -> None:
    cell = data.draw(CELLS[kind])
    places = [i for i, character in enumerate(cell) if character in "0123456789"]
    if not places:
        return
    at = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != cell[at]]))
    changed = cell[:at] + digit + cell[at + 1 :]
    for mark in on(kind):
        zeros = mark.name == "trailing-zeros" and "0" in (digit, cell[at])  # 12.50 is 12.5
        if mark.harm is Harm.EQUIVALENT and not zeros:
            assert not mark.same(cell, changed), title(mark)


@each_kind
@many
@given(data=st.data(), phase=PHASES)
def test_two_on_one_column(kind: Kind, data: st.DataObject, phase: int) -> None:
    """Any two carriers of a kind can stand on one column: neither changes what the other reads, in any order."""
    cell = data.draw(cells_of(kind))
    spelled = [mark for mark in on(kind) if mark.harm is Harm.EQUIVALENT]
    for first, second in permutations(spelled, 2):
        if frozenset({first.name, second.name}) in CLASHES:
            continue
        names = f"{first.name} before {second.name}"
        assert second.normal(first.normal(cell)) == first.normal(second.normal(cell)), names
        ones, twos = first.forms(cell, phase), second.forms(cell, phase)
        for form in ones or ():
            assert second.read(form, phase) == second.read(cell, phase), names
            assert (second.forms(form, phase) is None) == (twos is None), names
        if ones is None or twos is None:
            continue
        for i, j in product((0, 1), repeat=2):
            both = second.forms(ones[i], phase)
            other = first.forms(twos[j], phase)
            assert both is not None, names
            assert other is not None, names
            assert both[j] == other[i], f"{names}: the order of writing does not matter"
            assert (first.read(both[j], phase), second.read(both[j], phase)) == (i, j), names


@pytest.mark.parametrize("kind", sorted({Kind.NUMBER, Kind.TIMESTAMP}))
@many
@given(data=st.data(), phase=PHASES)
def test_tolerance_and_sign(kind: Kind, data: st.DataObject, phase: int) -> None:
    cell = data.draw(CELLS[kind])
    for mark in on(kind):
        forms = mark.forms(cell, phase) if mark.harm is Harm.TOLERANCE else None
        if forms is None or kind is Kind.TIMESTAMP:
            continue
        value = Decimal(cell)
        for form in forms:
            assert abs(Decimal(form) - value) <= mark.tolerance  # type: ignore[attr-defined]
            assert (Decimal(form) > 0) == (value > 0)
            assert Decimal(form) != 0
            assert len(form.partition(".")[2]) == len(cell.partition(".")[2]), "the number of places stays"


@pytest.mark.parametrize("name", sorted(TOLERANCE_CARRIERS))
@pytest.mark.parametrize("tolerance", ["0", "-1", "NaN", "Infinity", "1E+40", "1E-40"])
def test_a_tolerance_must_be_one(name: str, tolerance: str) -> None:
    with pytest.raises(InputError):
        carrier(name, Decimal(tolerance))


def test_table_refuses_what_it_does_not_know() -> None:
    with pytest.raises(InputError, match="no carrier 'colour'"):
        carrier("colour")
    with pytest.raises(InputError, match="needs a tolerance"):
        carrier("dither")
    assert clash(["dither", "trailing-zeros"]) == ("dither", "trailing-zeros")
    assert clash(CARRIERS) is None
