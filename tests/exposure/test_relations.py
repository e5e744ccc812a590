"""Who belongs together: keys, references, ties and row order, and what points nowhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.households import coded, extract
from muniment.errors import InputError
from muniment.exposure.extract import Classes, Extract
from muniment.exposure.relations import by_heads, in_runs, referred, shared, tied


def sets(groups: Classes) -> list[list[int]]:
    """The rows of each group, by their first."""
    held: dict[int, list[int]] = {}
    for row, group in enumerate(groups.ids.tolist()):
        held.setdefault(group, []).append(row)
    assert sorted(len(rows) for rows in held.values()) == sorted(groups.sizes.tolist())
    return sorted(held.values())


def test_rows_without_the_key_belong_to_nobody() -> None:
    key = replace(coded("key", np.array([1, 2, 1, 2, 3])), null=1)
    assert sets(shared(Extract((key,), 5), ("key",)).groups) == [[0, 2], [1], [3], [4]]


def test_a_reference_joins_across_steps() -> None:
    table = extract({"id": np.array([10, 20, 30, 40]), "parent": np.array([0, 10, 20, 0])})
    ties = referred(table, "parent", "id")
    assert sets(ties.groups) == [[0, 1, 2], [3]]
    assert str(ties.dangling) == "fewer than 10"


def test_a_relation_that_points_nowhere_is_refused() -> None:
    table = extract({"id": np.array([1, 2]), "parent": np.array([8, 9]), "twice": np.array([8, 8])})
    with pytest.raises(InputError, match="points nowhere"):
        referred(table, "parent", "id")
    with pytest.raises(InputError, match="several rows"):
        referred(table, "parent", "twice")
    with pytest.raises(InputError, match="has no labels"):
        referred(Extract(tuple(replace(one, labels=()) for one in table.columns), 2), "parent", "id")
    with pytest.raises(InputError, match="points to no row"):
        tied(2, np.array([0]), np.array([2]))
    with pytest.raises(InputError, match="pairs of rows"):
        tied(2, np.array([0]), np.array([1, 1]))


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30))
def test_ties_join_what_can_be_reached(pairs: list[tuple[int, int]]) -> None:
    reached = {row: {row} for row in range(20)}
    for one, other in pairs:
        both = reached[one] | reached[other]
        for row in both:
            reached[row] = both
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    wanted = sorted({tuple(sorted(one)) for one in reached.values()})
    assert sets(tied(20, first, second).groups) == [list(one) for one in wanted]


def test_row_order_by_heads_and_by_runs() -> None:
    table = extract({"role": np.array([0, 1, 2, 0, 0, 1]), "town": np.array([5, 5, 5, 7, 5, 5])})
    assert sets(by_heads(table, "role").groups) == [[0, 1, 2], [3], [4, 5]]
    assert sets(in_runs(table, ("town",)).groups) == [[0, 1, 2], [3], [4, 5]]


def test_no_rows_have_no_groups() -> None:
    table = extract({"role": np.empty(0, int)})
    for ties in (by_heads(table, "role"), in_runs(table, ("role",)), shared(table, ("role",))):
        assert ties.rows == 0 and not len(ties.groups.sizes)


def test_groups_are_not_shown() -> None:
    table = extract({"role": np.array([123, 456])})
    assert "groups" not in repr(shared(table, ("role",)))
