"""The tables of a context: what was never given is told apart from what is empty, and nothing is printed or changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from muniment.watch.context.tables import Calendar, Context, Family, Households

ONE = np.array([4_711], np.uint32)
TABLES = [one.name for one in fields(Context) if one.name not in {"calendar", "decoys"}]


def test_a_context_of_nothing_lacks_every_table() -> None:
    assert Context().missing == tuple(TABLES)
    assert len(Context().decoys) == 0 and Context().decoys.dtype == np.uint32
    assert Context().calendar == Calendar()


@pytest.mark.parametrize("name", TABLES)
def test_what_was_given_is_not_missing_even_where_it_is_empty(name: str) -> None:
    empty = Family(ONE[:0], ONE[:0])
    given = replace(Context(), **{name: empty})
    assert given.missing == tuple(one for one in TABLES if one != name)


def test_tables_print_no_ordinals_and_cannot_be_changed() -> None:
    ties, homes = Family(ONE, ONE), Households(ONE, np.array([1]))
    assert not [one for one in (ties, homes, Context(family=ties, decoys=ONE)) if "4711" in repr(one)]
    with pytest.raises(FrozenInstanceError):
        ties.one = ONE[:0]  # type: ignore[misc]


def test_two_contexts_do_not_share_their_decoys() -> None:
    assert Context().decoys is not Context().decoys
    assert Calendar().weekend == {5, 6} and not Calendar().holidays
