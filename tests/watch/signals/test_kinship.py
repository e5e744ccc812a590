"""Kinship: an index of family and household alone, made again only where these tables are others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from language.contexts import Case, World
from muniment.watch.context.tables import Calendar, Context
from muniment.watch.signals.kinship import Kinship

ONE, OTHER = np.array([1, 3, 2, 1], np.uint32), np.array([2, 4, 4, 1], np.uint32)


def context() -> Context:
    return World([Case(7, persons=(1,))], homes=[(3, 10), (4, 10)], family=[(1, 2)]).context()


def test_ties_are_those_of_family_and_household() -> None:
    assert Kinship().of(context()).kin(ONE, OTHER).tolist() == [True, True, False, False]
    assert not Kinship().of(Context()).kin(ONE, OTHER).any()


def test_what_else_a_context_says_is_left_out_and_makes_no_other_index() -> None:
    kinship, first = Kinship(), context()
    index = kinship.of(first)
    assert kinship.of(first) is index
    assert kinship.of(replace(first, cases=None, calendar=Calendar("Asia/Taipei"))) is index
    assert set(index.context.missing) == {"staff", "cases", "assignments", "jobs", "orders"}


def test_another_family_or_household_makes_another_index() -> None:
    kinship, first = Kinship(), context()
    index = kinship.of(first)
    moved = kinship.of(replace(first, households=None))
    assert moved is not index and moved.kin(ONE, OTHER).tolist() == [True, False, False, False]
    back = kinship.of(replace(first, family=None))
    assert back.kin(ONE, OTHER).tolist() == [False, True, False, False]


def test_it_prints_what_is_missing_and_no_record() -> None:
    kinship = Kinship()
    kinship.of(context())
    assert repr(kinship).startswith("Kinship(ContextIndex(without staff")
