"""The demo's found files: what a leaker lost, and what it kept."""

import pytest

from muniment.demo import leaks, people
from muniment.table import Table


@pytest.fixture(scope="module")
def copy() -> Table:
    return people.register(400, 3)


def test_a_retyped_leak_has_half_the_rows_and_neither_key_nor_old_names(copy: Table) -> None:
    leak = leaks.retyped(copy, 1)
    assert 120 < leak.rows < 280
    assert set(leak.columns) == set(leaks.RENAMED.values())


def test_a_mixture_takes_each_row_from_one_of_the_two_copies(copy: Table) -> None:
    other = copy.with_cells({"phone": ["other"] * copy.rows})
    leak = leaks.mixed(copy, other, 1)
    from_second = sum(cell == "other" for cell in leak["phone"])
    assert leak.rows == copy.rows
    assert 0.3 < from_second / leak.rows < 0.7
    assert people.KEY not in leak.columns


def test_an_unmarked_file_is_the_register_itself_in_another_order(copy: Table) -> None:
    leak = leaks.unmarked(copy, list(range(100)), 1)
    assert sorted(map(str, leak.iter_rows())) == sorted(
        map(str, copy.take(range(100)).select(leak.columns).iter_rows())
    )


def test_the_same_seed_gives_the_same_leaks(copy: Table) -> None:
    assert leaks.retyped(copy, 5) == leaks.retyped(copy, 5)
    assert leaks.retyped(copy, 5) != leaks.retyped(copy, 6)
