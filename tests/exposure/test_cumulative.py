"""What releases give away together: known answers of the reference model, and brute force on small ones."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language import households
from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.cumulative import Cumulative, accumulate
from muniment.exposure.extract import Extract
from muniment.exposure.floor import Count
from muniment.exposure.kept import Kept, keep

KEY = b"k" * 32


def _releases(persons: int) -> list[Kept]:
    """The three releases of the accumulation figures, each suppressed to classes of at least 5."""
    of = households.register(persons)
    county, decade, half, band = of["town"] // 16, of["birth_year"] // 10, of["edu"] // 2, of["birth_year"] // 5
    return [
        _safe({"sex": of["sex"], "birth_year": of["birth_year"], "county": county, "marital": of["marital"]}, of),
        _safe({"sex": of["sex"], "decade": decade, "town": of["town"], "half": half}, of),
        _safe({"band": band, "village": of["village"], "sex": of["sex"]}, of),
    ]


def _safe(columns: households.Columns, of: households.Columns) -> Kept:
    found = classes(households.extract(columns).columns)
    rows = np.flatnonzero(found.sizes[found.ids] >= 5)
    taken = households.extract({name: values[rows] for name, values in {**columns, "diag": of["diag"]}.items()})
    return keep(Extract(taken.columns, len(rows), rows.astype(np.uint32)), tuple(columns), KEY, sensitive="diag")


def test_three_releases_each_safe_alone_single_out_two_thirds_together() -> None:
    first, second, third = _releases(1_000_000)
    found = accumulate(third, [first, second])
    persons = [step.persons.at_least for step in found.steps]
    assert persons == [994_996, 982_064, 658_326]
    assert [f"{100 * step.share_alone:.1f}" for step in found.steps] == ["0.0", "17.8", "64.7"]
    assert [step.one.at_least for step in found.one_by_one] == [15, 75, 880]
    assert [f"{100 * step.share:.1f}" for step in found.surviving] == ["0.0", "0.2", "1.6"]
    assert found.itself.below == Count(0)


# --- against brute force -------------------------------------------------------------------------------------------

small = st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3)), min_size=12, max_size=30)


@settings(max_examples=60, deadline=None)
@given(tables=st.lists(small, min_size=1, max_size=4))
def test_equals_brute_force(tables: list[list[tuple[bool, int, int]]]) -> None:
    tables[-1] = [(True, quasi, value) for _, quasi, value in tables[-1]]
    releases = [_small(table) for table in tables]
    found = accumulate(releases[-1], releases[:-1], k=3, floor=1)
    rows = [{p: (q, v) for p, (there, q, v) in enumerate(table) if there} for table in tables]
    assert found.together == found.together.__class__(len(rows), *_joint(rows, rows[-1]))
    for number, step in enumerate(found.steps, 1):
        common = set.intersection(*(set(one) for one in rows[:number]))
        assert (step.persons, step.alone, step.below) == _joint(rows[:number], common)
        assert found.surviving[number - 1].one == _survivors(rows[:number], common)


def _small(table: list[tuple[bool, int, int]]) -> Kept:
    records = np.array([p for p, row in enumerate(table) if row[0]], np.uint32)
    columns = {name: np.array([table[p][at] for p in records], np.int64) for name, at in (("q", 1), ("v", 2))}
    taken = households.extract(columns)
    return keep(Extract(taken.columns, len(records), records), ("q",), KEY, sensitive="v")


def _joint(rows: list[dict[int, tuple[int, int]]], persons: set[int] | dict[int, object]) -> tuple[Count, Count, Count]:
    keys = {p: tuple(one[p][0] if p in one else None for one in rows) for p in persons}
    sizes = Counter(keys.values())
    alone = sum(size == 1 for size in sizes.values())
    return Count(len(keys), floor=1), Count(alone, floor=1), Count(sum(s for s in sizes.values() if s < 3), floor=1)


def _survivors(rows: list[dict[int, tuple[int, int]]], persons: set[int]) -> Count:
    told = 0
    values: list[dict[int, set[int]]] = []
    for one in rows:
        held: dict[int, set[int]] = defaultdict(set)
        for quasi, value in one.values():
            held[quasi].add(value)
        values.append(held)
    for p in persons:
        told += len(set.intersection(*(held[one[p][0]] for held, one in zip(values, rows, strict=True)))) == 1
    return Count(told, floor=1)


# --- hostile ---------------------------------------------------------------------------------------------------------


def test_a_recipient_who_holds_nothing_adds_nothing() -> None:
    kept = keep(households.extract(households.register(200)), ("sex",), KEY)
    found = accumulate(kept, [])
    assert (found.held, found.itself, found.with_each, found.surviving) == (0, found.together, (), ())


def test_the_same_release_twice_adds_nothing() -> None:
    kept = keep(households.extract(households.register(200)), ("sex", "edu"), KEY)
    found = accumulate(kept, [kept, kept])
    assert found.together.alone == found.itself.alone
    assert found.with_each[0].below == found.itself.below


def test_earlier_releases_of_others_or_of_nobody_tell_them_apart_only_by_missing() -> None:
    extract = households.extract(households.register(200))
    new = keep(extract, ("sex",), KEY)
    empty = Kept(("sex",), np.zeros(0, np.uint32), np.zeros(0, np.uint32))
    elsewhere = Kept(("sex",), new.records + np.uint32(1_000), new.ids)
    found = accumulate(new, [empty, elsewhere])
    assert found.together.below == found.itself.below
    assert found.steps[-1].persons == Count(0)


def test_one_person_missing_from_the_earlier_release_is_singled_out() -> None:
    extract = households.extract(households.register(200))
    new = keep(extract, ("sex",), KEY)
    earlier = Kept(("sex",), new.records[1:], new.ids[1:])
    found = accumulate(new, [earlier])
    assert found.itself.alone == Count(0)
    assert found.together.alone == Count(1, hidden=True)
    assert "1" not in str(found.together.alone)[:5]


def test_fewer_than_the_floor_and_a_k_of_one_are_refused() -> None:
    kept = keep(households.extract(households.register(9)), ("sex",), KEY)
    with pytest.raises(InputError, match="fewer than 10 rows"):
        accumulate(kept, [])
    with pytest.raises(InputError, match="k is 1"):
        accumulate(keep(households.extract(households.register(20)), ("sex",), KEY), [], k=1)


def test_json_hides_small_counts() -> None:
    new = keep(households.extract(households.register(300)), ("sex", "edu"), KEY, sensitive="diag")
    found: Cumulative = accumulate(new, [new])
    told = found.to_json()
    for step in (told["itself"], told["together"], *told["steps"], *told["surviving"]):  # type: ignore[misc]
        for name, value in step.items():
            if name in ("persons", "alone", "below_k", "one_value") and isinstance(value, int):
                assert value == 0 or value >= 10
