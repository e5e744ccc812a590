"""Measures of a sensitive column against the definitions, value by value, and against pyCANON 1.0.1.post2 on Adult."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exposure.adult import EIGHT, adult
from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded, narrowed
from muniment.exposure.floor import FLOOR
from muniment.exposure.likeness import (
    beta,
    delta,
    distinct_l,
    entropy_l,
    extremes,
    likeness,
    t_equal,
    t_ordered,
)

SPREAD = [0, 1, 2, 5, 90, 299]


def table(rows: list[tuple[int, int]], *, ordered: bool = True) -> tuple[Classes, Coded]:
    """Rows of a class and a value; values up to 300, most of which nobody has."""
    keys = np.array([key for key, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.int64)
    of = classes([Coded("key", narrowed(keys, 8), 8)])
    return of, Coded("value", narrowed(values, 300), 300, ordered=ordered)


def by_definition(rows: list[tuple[int, int]]) -> dict[str, float]:
    values = sorted({value for _, value in rows})
    whole = Counter(value for _, value in rows)
    share = {value: whole[value] / len(rows) for value in values}
    worst = {"distinct": math.inf, "entropy": math.inf, "equal": 0.0, "ordered": 0.0, "beta": 0.0, "delta": 0.0}
    for key in {key for key, _ in rows}:
        here = Counter(value for one, value in rows if one == key)
        own = {value: here[value] / here.total() for value in values}
        cumulated = np.cumsum([own[value] - share[value] for value in values])
        found = [own[value] for value in values if own[value]]
        ratios = [own[value] / share[value] for value in values if own[value]]
        worst = {
            "distinct": min(worst["distinct"], len(here)),
            "entropy": min(worst["entropy"], math.exp(-sum(part * math.log(part) for part in found))),
            "equal": max(worst["equal"], sum(abs(own[value] - share[value]) for value in values) / 2),
            "ordered": max(worst["ordered"], float(np.abs(cumulated).sum()) / max(len(values) - 1, 1)),
            "beta": max(worst["beta"], max(ratios) - 1),
            "delta": max(worst["delta"], *(abs(math.log(ratio)) for ratio in ratios)),
        }
    return worst


ROWS = st.lists(st.tuples(st.integers(0, 7), st.sampled_from(SPREAD)), min_size=1, max_size=60)


@settings(deadline=None)
@given(ROWS)
def test_the_figures_are_those_of_the_definitions(rows: list[tuple[int, int]]):
    of, column = table(rows)
    found = extremes(of, column)
    for name, expected in by_definition(rows).items():
        assert getattr(found, name) == pytest.approx(expected, abs=1e-9), name
    homes = Counter(rows)
    alike = [key for key in {key for key, _ in rows} if len({one for one in homes if one[0] == key}) == 1]
    assert found.certain == sum(key in alike for key, _ in rows)


@settings(deadline=None)
@given(ROWS.filter(lambda rows: len(rows) >= FLOOR), st.booleans())
def test_what_is_told_stays_within_what_a_value_of_ten_persons_gives(rows: list[tuple[int, int]], ordered: bool):
    of, column = table(rows, ordered=ordered)
    told, found = likeness(of, column), extremes(of, column)
    assert (told.t_ordered is None) == (not ordered)
    caps = {"t": 1 - FLOOR / len(rows), "beta": len(rows) / FLOOR - 1, "delta": math.log(len(rows) / FLOOR)}
    exact = {"t": found.equal, "beta": found.beta, "delta": found.delta}
    for name, cap in caps.items():
        one = getattr(told, name)
        assert one.or_more == (exact[name] > cap) or exact[name] == pytest.approx(cap)
        assert one.value == pytest.approx(min(exact[name], cap), rel=6e-3, abs=1e-9)
    assert told.distinct_l == found.distinct and found.entropy - 0.11 < told.entropy_l <= found.entropy + 1e-9
    certain = told.certain
    assert certain.most >= found.certain or certain.at_least >= found.certain
    assert certain.hidden or certain.at_least == 0 or certain.at_least >= FLOOR
    assert not of.uniques >= FLOOR or certain.at_least - of.uniques == 0 or certain.at_least - of.uniques >= FLOOR


def test_each_measure_has_its_name():
    of, column = table([(0, 1), (0, 2), (1, 1), (1, 1)])
    assert distinct_l(of, column) == 1 and entropy_l(of, column) == 1.0
    assert t_equal(of, column) == t_ordered(of, column) == pytest.approx(0.25)
    assert beta(of, column) == pytest.approx(1.0) and delta(of, column) == pytest.approx(math.log(2))


def test_columns_that_do_not_fit():
    of, column = table([(0, 1), (1, 2)], ordered=False)
    with pytest.raises(InputError, match="column 'value' has no order"):
        t_ordered(of, column)
    with pytest.raises(InputError, match="column 'value' has 2 rows: expected the 3"):
        distinct_l(table([(0, 1)] * 3)[0], column)
    with pytest.raises(InputError, match="has no rows"):
        distinct_l(Classes(np.zeros(0, np.uint32), np.zeros(0, np.int64)), Coded("value", np.zeros(0, np.uint8), 0))
    with pytest.raises(InputError, match="fewer than 10 rows"):
        likeness(of, column)


def test_bounded_figures_say_so_in_json():
    of, column = table([(0, 1)] * 50 + [(1, 2)])
    told = likeness(of, column)
    assert told.beta.to_json() == ">=4.1" and told.t.to_json() == ">=0.804"
    assert likeness(*table([(0, 1), (0, 2)] * 20)).beta.to_json() == 0.0


def test_one_value_and_all_null():
    nothing = Coded("value", np.full(30, 2, np.uint8), 3, null=2, ordered=True)
    found = extremes(Classes(np.arange(30, dtype=np.uint32) % 2, np.array([15, 15])), nothing)
    assert (found.distinct, found.entropy, found.equal, found.ordered, found.beta, found.delta) == (1, 1, 0, 0, 0, 0)


THREE = ("sex", "race", "marital-status")
PYCANON = {
    (tuple(EIGHT), "income"): (1, 1, 0.7510775147536636, 3.0173148641449123, 2.7094858563940196),
    (THREE, "income"): (1, 1, 0.7510775147536636, 3.0173148641449123, 3.1311748418348095),
    (THREE, "occupation"): (1, 1, 0.8766328492805519, 36.23703703703704, 3.9912776564959493),
    (THREE, "hours-per-week"): (1, 1, 0.1608198642503718, 353.84705882352944, 5.871686876430314),
    (("sex", "race"), "income"): (2, 1, 0.20294547375208355, 0.38366751560398815, 1.6890000223204622),
    (("sex", "race"), "occupation"): (10, 7, 0.3249624441807344, 17.722532588454378, 3.132721992807618),
    (("sex", "race"), "age"): (33, 27, 0.09193571485872032, 16.61799065420561, 2.868920576218943),
}  # fmt: skip
"""Distinct l, entropy l (whole values), t, basic beta, delta; t is the ordered one where values are numbers."""


@pytest.mark.shared_data
@pytest.mark.parametrize(("quasi", "secret"), PYCANON)
def test_adult_has_the_figures_that_pycanon_gives(quasi: tuple[str, ...], secret: str, shared_data):
    extract = adult(shared_data)
    column = extract.column(secret)
    found = extremes(classes(extract.chosen(quasi)), column)
    t = found.ordered if column.ordered else found.equal
    distinct, entropy, *rest = PYCANON[quasi, secret]
    assert (found.distinct, int(found.entropy + 1e-9)) == (distinct, entropy)
    assert (t, found.beta, found.delta) == pytest.approx(tuple(rest), rel=1e-10)
