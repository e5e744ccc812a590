"""Mapping: renamed and shuffled columns, foreign ones, competing ones, merged and split names, fixed ones."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from language.persons import changed, register_of, right_and_wrong, scan_of, specs_of
from muniment.disclosure import Kind
from muniment.errors import InputError
from muniment.table import Table
from muniment.trace.align import align
from muniment.trace.columns import ColumnSpec
from muniment.trace.mapping import propose_mapping

REGISTER = register_of(2_000)
SPECS = specs_of()
SCAN = scan_of(REGISTER)
ROWS = random.Random(5).sample(range(2_000), 500)
LEAK = REGISTER.take(ROWS)


def renamed(table: Table, columns: str) -> Table:
    """The columns in this order, under the names c0, c1, ..."""
    wanted = columns.split()
    return Table(tuple(f"c{n}" for n in range(len(wanted))), table.select(wanted).cells)


def found(leak: Table, **options: object) -> list[str | None]:
    return [match.column for match in propose_mapping(leak, SPECS, SCAN, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize("columns", ["phone address given born sex town surname", "surname given", "town born surname"])
@pytest.mark.parametrize("header", [True, False])
def test_values_find_their_column(columns: str, header: bool) -> None:
    assert found(renamed(LEAK, columns), header=header) == columns.split()


def test_foreign_columns_match_nothing() -> None:
    note = [f"note {row}" for row in range(LEAK.rows)]
    number = [str(row) for row in range(LEAK.rows)]
    leak = Table(("nr", "x", "y", "note"), (number, LEAK["address"], LEAK["born"], note))
    assert found(leak) == [None, "address", "born", None]


def test_dirty_columns_still_match() -> None:
    draw = random.Random(8)
    leak = renamed(LEAK, "surname given address born phone")
    for column in leak.columns:
        leak = changed(leak, column, lambda v: v if draw.random() < 0.3 else v[:2] + v[3] + v[2] + v[4:] + "x")
    assert found(leak) == ["surname", "given", "address", "born", "phone"]


def test_two_date_columns_are_told_apart_by_the_rows() -> None:
    moved = random.Random(9)
    second = [f"{moved.randint(1930, 2010)}-{moved.randint(1, 12):02d}-{moved.randint(1, 28):02d}"
              for _ in range(2_000)]
    register = Table((*REGISTER.columns, "moved"), (*REGISTER.cells, second))
    specs = [*SPECS, ColumnSpec("moved", Kind.DATE, str, None)]
    some = register.take(ROWS)
    leak = Table(("a", "b", "c", "d"), (some["moved"], some["born"], some["surname"], some["phone"]))
    matches = propose_mapping(leak, specs, scan_of(register), header=False)
    assert [match.column for match in matches] == ["moved", "born", "surname", "phone"]


def test_numbers_with_a_tolerance_match_by_nearness() -> None:
    draw = random.Random(10)
    rows = [(str(draw.randint(20, 80)), str(draw.randint(10_000, 900_000)), f"{row * 7919 % 100_000:05d}")
            for row in range(1_500)]
    register = Table.from_rows(("age", "income", "code"), rows)
    specs = [ColumnSpec("age", Kind.NUMBER, str, Decimal(1)), ColumnSpec("income", Kind.NUMBER, str, Decimal(50)),
             ColumnSpec("code", Kind.CODE, str, None)]
    leak = changed(register.take(range(0, 1_500, 3)), "income", lambda v: str(int(v) + draw.randint(-50, 50)))
    leak = Table(("x", "y", "z"), (leak["code"], leak["income"], leak["age"]))
    assert [m.column for m in propose_mapping(leak, specs, scan_of(register))] == ["code", "income", "age"]


@pytest.mark.parametrize("join", ["{surname}, {given}", "{given} {surname}"])
def test_a_full_name_is_two_columns(join: str) -> None:
    names = [join.format(given=g, surname=s) for g, s in zip(LEAK["given"], LEAK["surname"], strict=True)]
    leak = Table(("who", "born"), (names, LEAK["born"]))
    matches = propose_mapping(leak, SPECS, SCAN)
    assert [(m.leak_column, m.column) for m in matches] == [("who", "given"), ("who", "surname"), ("born", "born")]
    right, wrong = right_and_wrong(align(leak, matches, SPECS, SCAN), ROWS)
    assert (right >= 490, wrong) == (True, 0)


def test_two_columns_are_a_full_name() -> None:
    full = [f"{g} {s}" for g, s in zip(REGISTER["given"], REGISTER["surname"], strict=True)]
    register = Table(("name", "born"), (full, REGISTER["born"]))
    specs = [ColumnSpec("name", Kind.NAME, str, None), ColumnSpec("born", Kind.DATE, str, None)]
    matches = propose_mapping(renamed(LEAK, "surname given born"), specs, scan_of(register))
    assert [m.column for m in matches] == ["name", "name", "born"]


def test_what_is_fixed_wins() -> None:
    leak = renamed(LEAK, "surname given born")
    matches = propose_mapping(leak, SPECS, SCAN, fixed={"c0": "given", "c2": ""})
    assert (matches[0].column, matches[0].fixed) == ("given", True)
    assert (matches[2].column, matches[2].fixed) == (None, True)
    assert matches[1].column != "given"


@pytest.mark.parametrize(("fixed", "names"), [({"nope": "given"}, "c0, c1"), ({"c0": "nope"}, "given, surname")])
def test_an_unknown_name_is_refused_with_the_names_there_are(fixed: dict[str, str], names: str) -> None:
    with pytest.raises(InputError, match=names):
        propose_mapping(renamed(LEAK, "surname given"), SPECS, SCAN, fixed=fixed)


def test_examples_are_few_and_in_normal_form() -> None:
    specs = [ColumnSpec(s.name, s.kind, str.upper, None) for s in SPECS]
    match = propose_mapping(renamed(LEAK, "address surname"), specs, SCAN)[0]
    assert 1 <= len(match.examples) <= 3
    assert all(normal == leaked.upper() for leaked, normal in match.examples)
    assert 0.9 < match.overlap <= 1


def test_an_empty_leak_maps_nothing() -> None:
    assert found(renamed(REGISTER.take([]), "surname given")) == [None, None]
