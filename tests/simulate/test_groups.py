"""Groups laid end to end hold what a dictionary of lists would, and a draw is always of the group that was asked."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from muniment.simulate.groups import Groups, first_of_each

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), max_size=30)


def grouped(pairs: list[tuple[int, int]]) -> tuple[Groups, list[list[int]]]:
    """Six groups, and the same as lists."""
    columns = np.array(pairs, np.int64).reshape(-1, 2).T
    plain: list[list[int]] = [[] for _ in range(6)]
    for group, member in pairs:
        plain[group].append(member)
    return Groups.of(columns[0], columns[1], 6), plain


@given(PAIRS, st.lists(st.integers(0, 5), max_size=12))
def test_all_members_in_the_order_in_which_they_were_given(pairs: list[tuple[int, int]], asked: list[int]) -> None:
    groups, plain = grouped(pairs)
    owner, member = groups.all(np.array(asked, np.int64))
    expected = [(row, one) for row, group in enumerate(asked) for one in plain[group]]
    assert list(zip(owner.tolist(), member.tolist(), strict=True)) == expected
    assert groups.sizes(np.array(asked, np.int64)).tolist() == [len(plain[group]) for group in asked]


@given(PAIRS, st.integers(0, 2**32))
def test_a_draw_is_a_member_of_the_group_or_missing(pairs: list[tuple[int, int]], seed: int) -> None:
    groups, plain = grouped(pairs)
    for group, one in enumerate(groups.draw(np.arange(6), np.random.default_rng(seed), -7).tolist()):
        assert one in plain[group] if plain[group] else one == -7


def test_a_draw_comes_upon_each_member_equally_often() -> None:
    groups, _ = grouped([(2, member) for member in (10, 11, 12, 13)] + [(3, 14)])
    drawn = groups.draw(np.full(40_000, 2), np.random.default_rng(1))
    assert np.unique(drawn).tolist() == [10, 11, 12, 13]
    assert np.bincount(drawn - 10).min() > 9_600


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 3)), max_size=20))
def test_the_first_of_each_key_is_its_least_by_rank(rows: list[tuple[int, int]]) -> None:
    key, rank = np.array(rows, np.int64).reshape(-1, 2).T
    found = first_of_each(key, rank.astype(np.float64)).tolist()
    assert found == sorted(found)
    assert sorted(rows[row] for row in found) == sorted(
        (one, min(rank for key, rank in rows if key == one)) for one in {key for key, _ in rows}
    )
