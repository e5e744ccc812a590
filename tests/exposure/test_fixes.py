"""Fixes against the same change made on the rows; ranking, weights and what is told."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language import households
from muniment.errors import InputError
from muniment.exposure.extract import Coded
from muniment.exposure.fixes import Fix, fixes
from muniment.exposure.floor import FLOOR, Count
from muniment.exposure.hierarchies import Bands, Hierarchy, Table, Whole, hierarchy
from muniment.exposure.sweep import weight

Rows = list[tuple[object, ...]]


def coded(name: str, values: list[int]) -> Coded:
    return households.coded(name, np.array(values, np.int64))


def at_risk(rows: Rows, k: int) -> int:
    return sum(rows.count(row) < k for row in rows)


def changed(columns: list[Coded], rules: dict[str, Hierarchy], fix: Fix, k: int) -> int:
    """Persons at risk after a change that is made on the rows."""
    values = [[column.labels[code] for code in column.codes.tolist()] for column in columns]
    rows: Rows = list(zip(*values, strict=True))
    risky = [size < k for size in map(rows.count, rows)]
    if fix.kind == "suppress":
        return at_risk([row for row, out in zip(rows, risky, strict=True) if not out], k)
    place = [column.name for column in columns].index(fix.columns[0])
    if fix.kind == "drop":
        values[place] = [None] * len(rows)
    elif fix.kind == "blank":
        values[place] = [None if out else value for value, out in zip(values[place], risky, strict=True)]
    else:
        one = rules[fix.columns[0]]
        level = one.level(fix.level)
        values[place] = [str(one.maps[level][code]) for code in columns[place].codes.tolist()]
    return at_risk(list(zip(*values, strict=True)), k)


@settings(deadline=None)
@given(
    st.integers(FLOOR, 40).flatmap(
        lambda rows: st.lists(st.lists(st.integers(0, 30), min_size=rows, max_size=rows), min_size=1, max_size=3)
    ),
    st.integers(2, 4),
)
def test_each_fix_is_what_the_same_change_does_to_the_rows(values: list[list[int]], k: int):
    columns = [coded(f"c{number}", column) for number, column in enumerate(values)]
    rules = {column.name: hierarchy(column, Bands((2, 4, 16))) for column in columns}
    told = fixes(columns, rules, k=k)
    for fix in told:
        exact = changed(columns, rules, fix, k)
        assert exact <= fix.after.most and weight(fix.after) - exact <= 4 * FLOOR
        assert fix.protected >= FLOOR or fix.after.at_least < FLOOR
        assert 0 <= fix.lost <= 1
    assert [one.protected_per_loss for one in told] == sorted((one.protected_per_loss for one in told), reverse=True)


def test_counts_are_exact_where_they_are_large():
    columns = list(households.extract(households.register(2_000), ("sex", "birth_year", "town")).columns)
    rules = {"birth_year": hierarchy(columns[1], Bands((5, 10, 20)))}
    told = fixes(columns, rules)
    assert {(one.kind, one.columns, one.level) for one in told} >= {
        ("coarsen", ("birth_year",), "bands of 5"),
        ("coarsen", ("birth_year",), "bands of 20"),
        ("drop", ("town",), ""),
        ("blank", ("town",), ""),
        ("suppress", ("sex", "birth_year", "town"), ""),
    }
    for fix in told:
        exact = changed(columns, rules, fix, 2)
        assert fix.after == Count.of(exact) or (fix.kind == "blank" and 0 < fix.after.at_least - exact < FLOOR)
        assert fix.before == told[0].before


def test_losses_are_those_of_the_cells():
    values = [0] * 10 + list(range(20)) * 2 + list(range(20, 40))
    columns = [coded("year", values), coded("sex", [number % 2 for number in range(len(values))])]
    rule = hierarchy(columns[0], Bands((20,)))
    by_kind = {one.kind: one for one in fixes([columns[0]], {"year": rule})}
    assert by_kind["drop"].lost == 1.0 and by_kind["coarsen"].lost == pytest.approx(19 / 39)
    assert by_kind["suppress"].lost == by_kind["blank"].lost == pytest.approx(20 / len(values))
    assert by_kind["drop"].after == Count.of(0) and by_kind["coarsen"].protected_per_loss == pytest.approx(
        20 / (100 * 19 / 39)
    )
    half = {one.kind: one for one in fixes(columns, {"year": rule}) if one.columns[0] == "year"}
    assert half["drop"].lost == 0.5


def test_weights_say_what_a_column_is_worth():
    columns = list(households.extract(households.register(2_000), ("birth_year", "town")).columns)
    dear = {one.columns: one.lost for one in fixes(columns, weights={"town": 3}) if one.kind == "drop"}
    assert dear == {("birth_year",): 0.25, ("town",): 0.75}
    free = fixes(columns, weights={"town": 0})[0]
    assert free.columns == ("town",) and free.protected_per_loss == math.inf


def test_a_column_of_its_own_key_is_dropped_first():
    columns = [coded("key", list(range(60))), coded("sex", [0, 1] * 30)]
    told = fixes(columns)
    assert told[0] == Fix("drop", ("key",), "", Count.of(60), Count.of(0), 0.5)
    assert all(one.columns != ("sex",) for one in told)


def test_nobody_at_risk_needs_no_fix():
    assert fixes([coded("sex", [0, 1] * 20)]) == ()


def test_few_at_risk_are_told_as_few():
    columns = [coded("year", [1] * 30 + [2, 3, 4])]
    told = fixes(columns)
    assert {one.kind for one in told} == {"drop", "blank", "suppress"}
    assert all(one.before == Count.of(3) for one in told)
    blank = next(one for one in told if one.kind == "blank")
    assert blank.lost == pytest.approx(FLOOR / 33)


def test_what_was_told_already_is_told_alike():
    columns = [coded("a", [*range(15), *[20] * 20]), coded("b", [*range(15), *[20] * 20])]
    told = fixes(columns, before=Count.of(18))
    assert {(one.kind, one.before, one.after) for one in told} == {("suppress", Count.of(18), Count.of(0))}
    hidden = fixes([coded("a", [1] * 30 + [2, 3])], before=Count.of(5))
    assert {one.before for one in hidden} == {Count.of(5)} and len(hidden) == 3


def test_null_takes_what_is_blanked():
    codes = np.array([0] * 20 + [1, 2] + [3] * 5, np.uint8)
    alone = Coded("a", codes, 4, null=3, labels=("x", "y", "z", None))
    blank = next(one for one in fixes([alone]) if one.kind == "blank")
    assert blank.after == Count.of(0)


def test_refused_inputs():
    columns = [coded("a", [0, 1] * 20)]
    other = hierarchy(coded("a", [0, 1, 2] * 20), Whole())
    for settings_of, message in (
        ({"k": 1}, "k = 1"),
        ({"weights": {"x": 1}}, "a weight of column 'x'"),
        ({"weights": {"a": -1}}, "expected numbers from 0"),
        ({"weights": {"a": math.nan}}, "expected numbers from 0"),
        ({"hierarchies": {"x": other}}, "a hierarchy of column 'x'"),
        ({"hierarchies": {"a": other}}, "is of 3 values: expected the 2"),
    ):
        with pytest.raises(InputError, match=message):
            fixes(columns, **settings_of)
    with pytest.raises(InputError, match="fewer than 10 rows"):
        fixes([coded("a", [1, 2])])
    with pytest.raises(InputError, match="no column"):
        fixes([])


@pytest.mark.soak
def test_the_published_fixes_of_a_million_persons():
    extract = households.extract(households.register(1_000_000), ("birth_year", "birth_day", "village"))
    villages = extract.column("village")
    towns = {str(label): (str(int(str(label)) // households.VILLAGES),) for label in villages.labels}
    rules = {"village": hierarchy(villages, Table(towns, ("town",)))}
    told = {(one.kind, one.columns, one.level): one for one in fixes(extract.columns, rules)}

    def left(*key: object) -> str:
        return f"{told[key].after.share(extract.rows):.1%}"  # type: ignore[index]

    assert left("drop", ("birth_day",), "") == "18.1%"
    assert left("coarsen", ("village",), "town") == "75.8%"
    assert left("drop", ("village",), "") == "0.2%"
    assert f"{told['suppress', extract.names, ''].before.share(extract.rows):.1%}" == "98.1%"
