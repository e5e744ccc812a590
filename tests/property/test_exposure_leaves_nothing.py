"""What leaves an exposure run: no row, no key, no value of a cell, no count of persons under the floor (T11).

The tables are small and odd on purpose: nearly every count in them is one that must not be told. Every text of a cell
has a mark in it, and no field of the Python value, the JSON or the page may hold that mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.exposures import examined
from muniment.errors import InputError
from muniment.exposure.examining import Beside, examine
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.floor import FLOOR, Count
from muniment.exposure.likeness import Bounded
from muniment.exposure.relations import shared
from muniment.exposure.report.render import render
from muniment.exposure.report.summary import summary
from muniment.exposure.result import Exposure, Subject, written

MARK: Final = "zq"
"""Stands in the text of every cell of these tables, and in no word of the report."""
NO_PERSONS: Final = frozenset({
    "floor", "k", "size", "largest", "distinct_l", "points", "classes", "releases", "held", "pairs", "counts",
    "below.0", "households.at_least", "unique_households.at_least",
})  # fmt: skip
"""Fields that are numbers of columns, values, classes or releases, and none of persons."""


def _coded(name: str, codes: list[int], size: int) -> Coded:
    labels = tuple(f"{MARK}{name}{code}" for code in range(size))
    return Coded(name, np.array(codes, np.uint8), size, labels=labels)


@st.composite
def extracts(draw: st.DrawFn) -> Extract:
    """Tables of 10 to 40 rows: three columns that may be known, a secret, a household."""
    rows = draw(st.integers(FLOOR, 40))
    columns = []
    for name, most in (("one", 3), ("two", 6), ("three", 12), ("secret", 3), ("home", 20)):
        size = draw(st.integers(1, most))
        codes = draw(st.lists(st.integers(0, size - 1), min_size=rows, max_size=rows))
        columns.append(_coded(name, codes, size))
    return Extract(tuple(columns), rows, np.arange(rows, dtype=np.uint32))


def _run(extract: Extract) -> Exposure:
    subject = Subject(
        "table", ("one", "two", "three"), sensitive=("secret",), recipient="Office", relations=("home",), purpose="test"
    )
    ties = shared(extract, ["home"])
    return examine(extract, subject, ties=[ties] if ties.groups.sizes.max() > 1 else [], deep=True)


_odd = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_odd
@given(extracts())
def test_no_python_value_holds_a_row_a_key_or_a_small_count(extract: Extract) -> None:
    found = _run(extract)
    for path, value in _walk(found, ()):
        assert isinstance(value, None | bool | int | float | str | Count | Bounded), path
        _check(path, value, extract.rows)


@_odd
@given(extracts())
def test_no_field_of_the_json_does(extract: Extract) -> None:
    for path, value in _leaves(_run(extract).to_json(), ()):
        _check(path, value, extract.rows)


@_odd
@given(extracts())
def test_no_text_of_the_page_or_of_the_terminal_does(extract: Extract) -> None:
    found = _run(extract)
    for lang in ("en", "zh-TW"):
        page = render(found, lang)
        assert MARK not in page
        assert MARK not in "".join(summary(found, lang))
        for heading, cell in _cells(page):
            if heading not in _NUMBERS_OF_OTHERS and re.fullmatch(r"\d+", cell):
                assert int(cell) == 0 or int(cell) >= FLOOR, heading


@_odd
@given(extracts())
def test_counts_that_hold_one_another_do_not_differ_by_a_small_one(extract: Extract) -> None:
    found = _run(extract)
    measured = found.measures.classes
    chains = [(extract.rows, *(one.persons for one in measured.prosecutor.below))]
    if found.minimal:
        chains.append((extract.rows, *reversed(found.minimal.within)))
    chains += [(one.rows, *(count for _, count in one.below), one.joint) for one in found.household]
    for chain in chains:
        told = [
            one if isinstance(one, int) else one.at_least for one in chain if isinstance(one, int) or not one.hidden
        ]
        for larger, smaller in pairwise(told):
            assert larger >= smaller
            assert not smaller or not 0 < larger - smaller < FLOOR


@pytest.mark.parametrize("rows", [0, 1, FLOOR - 1])
def test_a_table_under_the_floor_is_refused(rows: int) -> None:
    column = _coded("one", [0] * rows, 1)
    with pytest.raises(InputError, match="fewer than 10 rows"):
        examine(Extract((column,), rows), Subject("table", ("one",)))


@pytest.mark.parametrize("value", [np.int64(3), np.arange(3), b"key", object(), {"a": np.uint32(1)}, [b"x"]])
def test_another_kind_of_value_does_not_leave(value: object) -> None:
    with pytest.raises(TypeError):
        written(value)


def test_what_stands_beside_may_not_hide_a_row() -> None:
    """The journalist's measures, from the register, are told by the same rules."""
    extract = Extract((_coded("one", [0] * 15 + [1] * 3, 2),), 18)
    found = examine(extract, Subject("t", ("one",)), beside=Beside(in_register=np.array([30, 4])))
    told = found.to_json()["journalist"]
    assert told["smallest"] == "<10"
    assert {one["persons"] for one in told["below"]} <= {"<10", 0}


def test_the_whole_of_a_larger_register_is_told() -> None:
    found = examined(3_000)
    for path, value in _leaves(found.to_json(), ()):
        _check(path, value, 3_000)


def _check(path: tuple[str, ...], value: object, rows: int) -> None:
    name = _name(path)
    if isinstance(value, str):
        assert MARK not in value, path
        assert re.fullmatch(r"[^0-9]*|<10|>=[0-9.e+-]+|.*[a-zA-Z].*", value), path
    elif isinstance(value, Count):
        assert value.hidden or value.at_least == 0 or value.at_least >= FLOOR, path
    elif isinstance(value, int) and not isinstance(value, bool) and name not in NO_PERSONS:
        assert value == 0 or value >= FLOOR, (path, value)
    elif isinstance(value, float) and ("share" in name or (name == "value" and "recall" in path)):
        if "contributions" in path:
            return  # of a score, not of persons
        assert value == 0 or value * rows >= FLOOR - 1e-6, (path, value)


def _name(path: tuple[str, ...]) -> str:
    if len(path) > 1 and path[-1].isdigit():
        return f"{next(step for step in reversed(path) if not step.isdigit())}.{path[-1]}"
    return path[-1]


def _walk(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value in a tree of frozen values, with properties; counts are leaves."""
    if isinstance(value, Count | Bounded) or not (is_dataclass(value) or isinstance(value, tuple)):
        yield path, value
    elif isinstance(value, tuple):
        for place, one in enumerate(value):
            yield from _walk(one, (*path, str(place)))
    else:
        assert value.__dataclass_params__.frozen  # type: ignore[union-attr]
        for one in fields(value):  # type: ignore[arg-type]
            yield from _walk(getattr(value, one.name), (*path, one.name))


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, (*path, name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _leaves(one, (*path, str(place)))
    else:
        yield path, value


_NUMBERS_OF_OTHERS: Final = frozenset({
    "Distinct l", "相異 l", "Columns, at most", "至多幾個欄位", "Points", "點數", "Equivalence classes", "等價類數",
})  # fmt: skip
"""Headings over numbers of values, columns, points and classes."""


def _cells(page: str) -> Iterator[tuple[str, str]]:
    """Every cell of every table, with the heading of its column, or that of its row where there is none."""
    for table in re.findall(r"<table.*?</table>", page, re.S):
        headings = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)
        for line in re.findall(r"<tr>(.*?)</tr>", table, re.S):
            cells = re.findall(r"<(?:th|td)[^>]*>(.*?)</(?:th|td)>", line, re.S)
            for place, cell in enumerate(cells):
                yield (headings[place] if headings else cells[0]), cell
