"""Release, change first, or do not release."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from language.exposures import labelled
from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.cumulative import Cumulative, Linked
from muniment.exposure.deciding import Policy, decide
from muniment.exposure.differences import Differences
from muniment.exposure.extract import Coded
from muniment.exposure.fixes import Fix
from muniment.exposure.floor import Count
from muniment.exposure.result import Measures


def _measures(alone: int, rows: int = 1_000) -> Measures:
    """A table in which so many rows are alone, and the others all alike."""
    codes = np.zeros(rows, np.uint16)
    codes[:alone] = np.arange(1, alone + 1)
    return Measures.of(classes([Coded("a", codes, alone + 1)]), 5)


def _fix(after: int) -> Fix:
    return Fix("drop", ("a",), "", Count.of(100), Count.of(after), 0.1)


def _held(below: int) -> Cumulative:
    one = Linked(2, Count.of(1_000), Count.of(0), Count.of(below))
    return Cumulative(5, one, one, (one,), (one,))


def test_nothing_above_what_is_allowed_is_released() -> None:
    assert decide(Policy(), _measures(20)).verdict == "release"


def test_columns_that_single_out_are_changed_first_where_a_fix_is_enough() -> None:
    assert decide(Policy(), _measures(100), [_fix(20)]).verdict == "change_first"
    assert decide(Policy(), _measures(100), [_fix(90)]).verdict == "do_not_release"
    assert decide(Policy(), _measures(100)).verdict == "do_not_release"


def test_what_is_held_already_is_not_mended_by_a_fix_of_the_columns() -> None:
    found = decide(Policy(), _measures(20), [_fix(0)], cumulative=_held(300))
    assert found.verdict == "do_not_release"
    assert [one.code for one in found.reasons] == ["held"]


def test_counts_from_which_a_small_one_follows_are_a_reason() -> None:
    told = Differences(counts=2, below=0, pairs=1, exposed=Count.of(3))
    assert [one.code for one in decide(Policy(), _measures(0), differences=told).reasons] == ["differences"]


def test_reasons_stand_worst_first_and_each_once() -> None:
    measures = _measures(100)
    found = decide(Policy(), measures, cumulative=_held(300))
    assert [one.code for one in found.reasons] == ["held", "columns"]


def test_the_share_is_an_upper_bound_inclusive() -> None:
    assert decide(Policy(share=0.1), _measures(100)).verdict == "release"
    assert decide(Policy(share=0.0999), _measures(100)).verdict == "do_not_release"


@pytest.mark.parametrize(("k", "share"), [(1, 0.1), (5, -0.1), (5, 1.1), (5, float("nan"))])
def test_a_policy_that_says_nothing_is_refused(k: int, share: float) -> None:
    with pytest.raises(InputError):
        Policy(k, share)


@pytest.mark.parametrize("k", [2, 4, 5, 7, 11, 25])
def test_persons_below_k_are_those_of_small_classes(k: int) -> None:
    found = classes(labelled(3_000).chosen(("sex", "birth_year", "town")))
    exact = int(found.sizes[found.sizes < k].sum())
    told = Measures.of(found, k).below_k
    assert abs(told.at_least - exact) < 10
    assert replace(told, at_least=exact) if exact >= 10 else told.hidden
