"""Measures of classes against brute force; what is told of them, and what cannot be worked out from it."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exposure.adult import EIGHT, adult
from muniment.errors import InputError
from muniment.exposure import measures
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded, narrowed
from muniment.exposure.floor import FLOOR

SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=40)


def grouped(sizes: list[int]) -> Classes:
    ids = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    return Classes(ids, np.array(sizes, np.int64))


def labelled(name: str, values: list[str | None]) -> Coded:
    labels = tuple(dict.fromkeys(values))
    codes = np.array([labels.index(value) for value in values], np.int64)
    return Coded(name, narrowed(codes, len(labels)), len(labels), labels=labels)


@given(SIZES, st.data())
def test_exact_measures_are_those_of_brute_force(sizes: list[int], data: st.DataObject):
    of = grouped(sizes)
    there = [size + data.draw(st.integers(0, 9)) for size in sizes]
    in_register = np.array(there, np.int64)
    rows = sum(sizes)
    assert measures.k(of) == min(sizes) and measures.uniques(of) == sizes.count(1)
    assert measures.k_map(in_register) == min(there)
    assert measures.prosecutor_average(of) == pytest.approx(sum(size * (1 / size) for size in sizes) / rows)
    expected = sum(size / more for size, more in zip(sizes, there, strict=True)) / rows
    assert measures.journalist_average(of, in_register) == pytest.approx(expected)
    assert measures.marketer(of, in_register) == pytest.approx(expected)
    assert measures.marketer(of) == measures.prosecutor_average(of)


@given(SIZES.filter(lambda sizes: sum(sizes) >= FLOOR), st.integers(0, 12))
def test_no_count_of_fewer_than_the_floor_can_be_worked_out(sizes: list[int], more: int):
    of = grouped(sizes)
    told = measures.class_measures(of, of.sizes + more)
    assert told.journalist is not None
    for risk in (told.prosecutor, told.journalist):
        counts = [told.rows, *(one.persons.at_least for one in risk.below if not one.persons.hidden)]
        assert all(first - second == 0 or first - second >= FLOOR or second == 0 for first, second in pairwise(counts))
        told_of = [one.persons for one in risk.below]
        assert all(one.hidden or one.at_least == 0 or one.at_least >= FLOOR for one in told_of)
    assert told.rows - told.classes == 0 or told.rows - told.classes >= FLOOR
    assert told.k.hidden == (min(sizes) < FLOOR)


@given(SIZES.filter(lambda sizes: sum(sizes) >= FLOOR))
def test_what_is_told_never_understates(sizes: list[int]):
    told = measures.class_measures(grouped(sizes)).prosecutor
    assert told.most >= 1 / min(sizes)
    assert told.average >= round(len(sizes) / sum(sizes), 4) - 1e-4
    for one in told.below:
        persons = sum(size for size in sizes if size < one.size)
        assert one.persons.most >= persons and (one.persons.at_least > 0) == (persons > 0)


@pytest.mark.parametrize(("smallest", "most"), [(1, 1), (2, 1 / 2), (3, 1 / 3), (4, 1 / 3), (5, 1 / 5), (9, 1 / 5),
                                                (10, 1 / 10), (25, 1 / 25)])  # fmt: skip
def test_the_largest_risk_is_exact_from_the_floor_on_and_a_cut_below(smallest: int, most: float):
    assert measures.prosecutor(grouped([smallest, 40])).most == most


def test_an_extract_that_is_rows_of_a_register():
    register = grouped([3, 1, 5])
    of, sizes = measures.chosen_from(register, np.array([0, 4, 5]))
    assert (of.ids.tolist(), of.sizes.tolist(), sizes.tolist()) == ([0, 1, 1], [1, 2], [3, 5])
    mask = np.isin(np.arange(9), [0, 4, 5])
    assert measures.chosen_from(register, mask)[1].tolist() == [3, 5]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "", None])), min_size=1), st.data())
def test_sizes_in_a_register_that_was_coded_apart(register: list[tuple[str, str | None]], data: st.DataObject):
    extract = data.draw(st.lists(st.sampled_from(register), min_size=1, max_size=8, unique=True))
    sides = [
        [labelled(name, [row[place] for row in rows]) for place, name in enumerate("ab")]
        for rows in (extract, register)
    ]
    of, sizes = measures.held_against(*sides)
    there, here = Counter(register), Counter(extract)
    assert [sizes[number] for number in of.ids] == [there[row] for row in extract]
    assert [of.sizes[number] for number in of.ids] == [here[row] for row in extract]


def test_registers_that_cannot_be_the_one():
    one, two = labelled("a", ["x", "y"]), labelled("a", ["x", "x"])
    with pytest.raises(InputError, match="rows that the register does not have"):
        measures.held_against([one], [two])
    with pytest.raises(InputError, match="rows that the register does not have"):
        measures.class_measures(grouped([20]), np.array([19]))
    with pytest.raises(InputError, match="column 'a' of the register has codes without labels"):
        measures.held_against([one], [Coded("a", one.codes, 2)])
    with pytest.raises(InputError, match="1 columns of the extract against 0"):
        measures.held_against([one], [])
    with pytest.raises(InputError, match="of 1 classes: expected 2"):
        measures.journalist_average(grouped([1, 2]), np.array([5]))


def test_inputs_of_no_or_few_rows():
    nobody = grouped([])
    assert measures.k(nobody) == measures.k_map(nobody.sizes) == 0 and measures.marketer(nobody) == 0.0
    for sizes in ([], [1], [9]):
        with pytest.raises(InputError, match="fewer than 10 rows"):
            measures.class_measures(grouped(sizes))


@pytest.mark.shared_data
def test_adult_has_the_k_that_pycanon_gives(shared_data):
    table = adult(shared_data)
    assert table.rows == 30_162
    assert measures.k(classes(table.chosen(EIGHT))) == 1
    assert measures.k(classes(table.chosen(["sex", "race"]))) == 87
