"""The values of a run: what they refuse to carry, and counts below k beside the counts that are told anyway."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from language.exposures import QUASI, examined
from muniment.exposure.extract import Classes
from muniment.exposure.floor import FLOOR, Count
from muniment.exposure.likeness import Bounded
from muniment.exposure.result import Measures, Subject, written

SIZES = st.lists(st.integers(1, 40), min_size=10, max_size=60)


@dataclass(frozen=True)
class _Row:
    record: np.ndarray


def test_counts_are_written_as_they_may_leave_and_other_kinds_not_at_all() -> None:
    kept = {"few": Count.of(3), "most": Bounded(0.5, or_more=True), "spent": Decimal("0.1"), "all": (None, "x", 2)}
    assert written(kept) == {"few": "<10", "most": ">=0.5", "spent": 0.1, "all": [None, "x", 2]}
    for kind in (np.arange(3), {1, 2}, b"key", _Row(np.arange(3)), np.int64(7)):
        with pytest.raises(TypeError, match="no kind of value that leaves exposure"):
            written(kind)


def test_the_whole_run_is_json_of_the_same_shape_whatever_was_asked() -> None:
    deep, shallow = examined(300).to_json(), examined(300, quasi=QUASI[:1], deep=False).to_json()
    assert json.loads(json.dumps(deep, allow_nan=False)) == deep
    assert set(deep) == set(shallow)
    assert deep["minimal_uniques"] is not None
    assert shallow["minimal_uniques"] is shallow["cumulative"] is shallow["journalist"] is None


def test_what_is_handed_out_is_what_is_known_and_sensitive_unless_named() -> None:
    assert Subject("t", ("a", "b"), sensitive=("c",)).handed_out == ("a", "b", "c")
    assert Subject("t", ("a", "b"), sensitive=("c",), columns=("a", "d")).handed_out == ("a", "d")


@example([4, 4, 4, 4, 4, 5, 10, 10, 500], 10)
@given(SIZES, st.integers(2, 30))
def test_nobody_can_be_worked_out_from_persons_below_k_and_the_other_cuts(sizes: list[int], k: int) -> None:
    measured = Measures.of(_classes(sizes), k)
    exact = sum(size for size in sizes if size < k)
    assert abs(measured.below_k.most - exact) < FLOOR
    every = [measured.below_k, *(one.persons for one in measured.classes.prosecutor.below)]
    exactly = sorted({one.at_least for one in every if not one.hidden and one.at_least})
    assert all(high - low >= FLOOR for low, high in pairwise(exactly))
    assert math.isclose(measured.share_below_k, measured.below_k.share(sum(sizes)))


@pytest.mark.parametrize("k", [5, 8, 10, 11])
def test_few_persons_below_k_are_not_told_as_none(k: int) -> None:
    small = k - 1 if k < FLOOR else 7
    assert Measures.of(_classes([small, 500]), k).below_k == Count.of(small)


def _classes(sizes: list[int]) -> Classes:
    return Classes(np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes), np.array(sizes, np.int64))
