"""The sweep against brute force, and what may be told of it."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language import households
from muniment.errors import InputError, LimitError
from muniment.exposure import sweep as module
from muniment.exposure.classes import count_only
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.floor import FLOOR, Count
from muniment.exposure.sweep import ColumnSet, Sweep, Tally, sweep, tally, weight


def coded(name: str, values: list[int]) -> Coded:
    return households.coded(name, np.array(values, np.int64))


def brute(columns: list[Coded], size: int) -> dict[tuple[int, ...], Tally]:
    found = {}
    for count in range(1, size + 1):
        for places in combinations(range(len(columns)), count):
            rows = list(zip(*(columns[place].codes.tolist() for place in places), strict=True))
            sizes = [rows.count(row) for row in set(rows)]
            found[places] = Tally(len(sizes), sizes.count(1))
    return found


@st.composite
def tables(draw: st.DrawFn, least: int = 1, most: int = 40) -> list[Coded]:
    """Columns of few and of many values, constant ones, copies and such as follow from another."""
    rows = draw(st.integers(least, most))
    columns: list[list[int]] = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["few", "many", "constant", "key", "follows"]))
        top = {"few": 2, "many": 30, "constant": 0, "key": 0, "follows": 0}[kind]
        if kind == "key":
            columns.append(draw(st.permutations(range(rows))))
        elif kind == "follows" and columns:
            columns.append([value // 2 for value in draw(st.sampled_from(columns))])
        else:
            columns.append(draw(st.lists(st.integers(0, top), min_size=rows, max_size=rows)))
    return [coded(f"c{number}", list(values)) for number, values in enumerate(columns)]


@settings(deadline=None)
@given(tables(), st.integers(1, 5), st.sampled_from([1, 4, 50, 2**19]))
def test_every_set_is_counted_as_by_brute_force(columns: list[Coded], size: int, cells: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CELLS", cells)
        found, counted = tally(columns, size)
    assert found == brute(columns, min(size, len(columns)))
    assert counted <= len(found)


def test_a_register_is_counted_as_set_by_set_whatever_the_cells(monkeypatch: pytest.MonkeyPatch):
    columns = households.extract(households.register(6_000), households.SWEPT).columns
    usual, counted = tally(columns)
    assert len(usual) == 377 and counted < 377  # town follows from village
    monkeypatch.setattr(module, "CELLS", 64)
    assert tally(columns)[0] == usual
    for places, found in usual.items():
        counts = count_only([columns[place] for place in places], histogram=False)
        assert found == Tally(counts.classes, counts.uniques)


def test_deep_sets_are_concluded_where_everybody_is_alone():
    key = coded("key", list(range(500)))
    columns = [key, *(coded(f"c{number}", [row % (number + 2) for row in range(500)]) for number in range(7))]
    found, counted = tally(columns, 8)
    assert len(found) == 255 and counted <= 128
    assert all(one == Tally(500, 500) for places, one in found.items() if 0 in places)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_all_widths_of_codes_are_told_alike(kind: type):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 12, (4, 400))
    columns = [Coded(f"c{number}", row.astype(kind), 12) for number, row in enumerate(values)]
    assert tally(columns, 4)[0] == brute(columns, 4)


def test_many_small_blocks_and_few_rows_for_many_counters():
    # Marks run out after some hundred blocks: then all counters are cleared, or those touched.
    for values in (3, 90_000):
        rng = np.random.default_rng(2)
        first = np.repeat(np.arange(2_000), 3)
        columns = [
            Coded("first", first.astype(np.uint32), 200_000),
            Coded("second", rng.choice(np.arange(values), 6_000).astype(np.uint32), values),
            Coded("third", rng.integers(0, 2, 6_000).astype(np.uint8), 2),
        ]
        for places, found in tally(columns)[0].items():
            counts = count_only([columns[place] for place in places], histogram=False)
            assert found == Tally(counts.classes, counts.uniques)


# --- what is told ----------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(tables(FLOOR, 60), st.integers(1, 4), st.integers(2, 12))
def test_no_told_count_and_no_difference_is_small(columns: list[Coded], size: int, floor: int):
    rows = len(columns[0])
    if rows < floor:
        return
    swept = sweep(Extract(tuple(columns), rows), size=size, floor=floor)
    exact, _ = tally(columns, size)
    names = [column.name for column in columns]
    told = {frozenset(one.names): one.uniques for one in swept.sets}
    for places, found in exact.items():
        chosen = frozenset(names[place] for place in places)
        count = told[chosen]
        assert count.at_least == 0 or count.hidden or count.at_least >= floor
        assert (count.most == 0) == (found.uniques == 0 and all(not told[chosen - {one}].most for one in chosen
                                                                 if len(chosen) > 1))  # fmt: skip
        assert found.uniques <= count.most <= found.uniques + floor * len(places)
        assert count.hidden or count.at_least == rows or rows - count.at_least >= floor
        for less in (chosen - {one} for one in chosen if len(chosen) > 1):
            step = weight(count) - weight(told[less])
            assert step == 0 or step >= floor or count.at_least == rows


def test_what_is_told_of_a_register_is_what_was_counted():
    extract = households.extract(households.register(20_000), households.SWEPT)
    swept = sweep(extract)
    told = {one.names: one.uniques for one in swept.sets}
    exact = {tuple(swept.names[place] for place in places): one for places, one in tally(extract.columns)[0].items()}
    same = [told[names] == Count.of(found.uniques) for names, found in exact.items()]
    assert sum(same) > 0.9 * len(same)


@settings(deadline=None)
@given(tables(FLOOR, 60))
def test_no_difference_to_all_columns_is_small(columns: list[Coded]):
    rows = len(columns[0])
    alone = tally(columns, len(columns))[0][tuple(range(len(columns)))].uniques
    whole = Count.of(alone if rows - alone >= FLOOR else rows)
    for one in sweep(Extract(tuple(columns), rows), size=3, whole=whole).sets:
        assert one.uniques.most <= whole.most or one.uniques.hidden
        assert one.uniques in (whole, Count.of(0)) or one.uniques.hidden or one.uniques.most <= whole.most - FLOOR


def test_values_hold_counts_and_names_only():
    swept = sweep(households.extract(households.register(3_000), households.Q6), size=2)
    assert {one.name for one in dataclasses.fields(ColumnSet)} == {"names", "rows", "uniques"}
    assert {one.name for one in dataclasses.fields(Sweep)} == {"names", "rows", "size", "counted", "sets"}
    assert all(isinstance(one.uniques, Count) for one in swept.sets)
    assert "sets" not in repr(swept)


def test_worst_sets_are_not_repeated_with_columns_that_add_nothing():
    rng = np.random.default_rng(3)
    village = rng.integers(0, 40, 400)
    columns = {"village": village, "town": village // 4, "day": rng.integers(0, 300, 400), "same": np.zeros(400)}
    swept = sweep(households.extract({name: values.astype(np.int32) for name, values in columns.items()}))
    worst = swept.worst()
    assert set(worst[0].names) == {"village", "day"} and worst[0].uniques.at_least > 300
    assert not any("same" in one.names or {"village", "town"} <= set(one.names) for one in worst)
    assert [weight(one.uniques) for one in worst] == sorted((weight(one.uniques) for one in worst), reverse=True)
    assert swept.worst(1) == worst[:1]


def test_nobody_singled_out_is_no_worst_set():
    swept = sweep(Extract((coded("a", [0, 1] * 20), coded("b", [0] * 40)), 40))
    assert swept.worst() == () and swept.of(["b", "a"]).share == 0.0


def test_the_same_extract_is_told_the_same():
    extract = households.extract(households.register(2_000), households.Q6)
    assert sweep(extract) == sweep(extract)


# --- refused ---------------------------------------------------------------------------------------------------


def test_refused_inputs():
    rows = [0, 1] * 20
    extract = Extract((coded("a", rows), coded("b", rows)), 40)
    for asked, message in (([], "at least one column"), (["a", "a"], "named twice"), (["x"], "no column 'x'")):
        with pytest.raises(InputError, match=message):
            sweep(extract, asked)
    with pytest.raises(InputError, match="at most 0"):
        sweep(extract, size=0)
    with pytest.raises(InputError, match="fewer than 10 rows"):
        sweep(Extract((coded("a", [1, 2]),), 2))
    with pytest.raises(InputError, match="no set a, b: the sweep has sets of 1 to 1"):
        sweep(extract, size=1).of(["a", "b"])


def test_too_many_sets_are_refused_and_never_sampled():
    wide = Extract(tuple(coded(f"c{number}", [0, 1] * 6) for number in range(400)), 12)
    with pytest.raises(LimitError, match="10,667,000 sets of at most 3 of 400 columns"):
        sweep(wide)
    assert len(sweep(wide, size=1).sets) == 400


@pytest.mark.soak
def test_the_published_set_of_a_million_persons():
    extract = households.extract(households.register(1_000_000), households.SWEPT)
    worst = sweep(extract).worst(1)[0]
    assert worst.names == ("birth_year", "birth_day", "village") and worst.uniques == Count.of(980_825)
