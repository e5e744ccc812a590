"""The optimal levels against every node counted row by row, and the published ones on the made-up register."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language import households
from language.generalised import counted, generalised, goals, least_loss, numbers
from muniment.errors import InputError, LimitError
from muniment.exposure import lattice
from muniment.exposure.extract import Extract
from muniment.exposure.floor import Count
from muniment.exposure.hierarchies import Bands, Hierarchy, Rule, Table, Whole, hierarchies
from muniment.exposure.lattice import Choice, Goal, checked, optimal, table_of, told_granularity

Drawn = tuple[Extract, tuple[Hierarchy, ...]]


def reference_rules() -> dict[str, Rule]:
    """The hierarchies behind the published figures: a lattice of 1,600 nodes over six columns."""
    nation = {str(code): (f"group {min(code, 1) + code // 10}", "foreign" if code else "home") for code in range(61)}
    return {
        "sex": Whole(), "birth_year": Bands((5, 10, 20)), "town": Bands((4, 16, 96)), "marital": Whole(),
        "edu": Bands((2, 4)), "nation": Table(nation, ("group", "home or foreign")),
    }  # fmt: skip


def reference(persons: int) -> tuple[Extract, tuple[Hierarchy, ...]]:
    extract = households.extract(households.register(persons), households.Q6)
    return extract, hierarchies(extract.columns, reference_rules())


@settings(deadline=None)
@given(generalised(), st.data())
def test_a_node_is_counted_as_brute_force_does(drawn: Drawn, data: st.DataObject):
    extract, found = drawn
    levels = tuple(data.draw(st.integers(0, one.height - 1)) for one in found)
    k = data.draw(st.integers(1, 8))
    check = checked(table_of(extract.columns), found, levels, k)
    suppressed, _ = counted(extract, found, levels, k)
    assert check.suppressed == suppressed


@settings(deadline=None)
@given(generalised(), goals)
def test_no_node_that_reaches_the_goal_loses_less(drawn: Drawn, goal: Goal):
    extract, found = drawn
    choice = optimal(table_of(extract.columns), found, goal, floor=2)
    suppressed, loss = counted(extract, found, choice.levels, goal.k)
    assert suppressed <= goal.most(extract.rows)
    assert loss == pytest.approx(least_loss(extract, found, goal), abs=1e-9)
    assert choice.suppressed == Count.of(suppressed, 2)
    if not choice.suppressed.hidden:
        assert choice.granularity == pytest.approx(1 - loss, abs=1e-9)
    assert choice.counted <= choice.nodes


@settings(deadline=None)
@given(generalised(), goals)
def test_what_is_said_of_nodes_that_were_not_counted_is_true(drawn: Drawn, goal: Goal):
    extract, found = drawn
    search = lattice._Search(table_of(extract.columns), found, goal)
    search.best()
    for levels in np.ndindex(search.bounds.shape):
        suppressed, loss = counted(extract, found, levels, goal.k)
        reached = suppressed <= goal.most(extract.rows)
        assert not reached or np.isinf(search.bounds[levels]) or search.bounds[levels] <= loss + 1e-9


def test_hashing_and_folding_change_nothing(monkeypatch: pytest.MonkeyPatch):
    extract, found = reference(3_000)
    table = table_of(extract.columns)
    direct = optimal(table, found, Goal())
    monkeypatch.setattr(lattice, "CELLS", 0)
    assert optimal(table, found, Goal()) == direct


def test_products_beyond_64_bits_are_exact():
    rng = np.random.default_rng(1)
    columns = [numbers(f"c{place}", rng.permutation(500).tolist()) for place in range(8)]
    found = hierarchies(columns, {column.name: Whole() for column in columns})
    check = checked(table_of(columns), found, (0,) * 8, 2)
    assert check.suppressed == 500
    assert optimal(table_of(columns), found, Goal(2, 0.0)).granularity == pytest.approx(0.0)


def test_a_count_below_the_floor_is_hidden_and_granularity_does_not_tell_it():
    values = [1] * 50 + [2] * 50
    tellings = set()
    for rare in ([], [3], [3, 3, 3]):
        columns = [numbers("c", [*values, *rare][-100:])]
        choice = optimal(table_of(columns), hierarchies(columns, {"c": Whole()}), Goal(5, 0.05))
        tellings.add((choice.suppressed, choice.granularity))
    assert tellings == {(Count(0), 1.0), (Count(1, True), 0.9)}


def test_granularity_is_exact_where_the_count_is_told():
    assert told_granularity(10.0, 20, 100) == pytest.approx(0.7)
    assert told_granularity(0.0, 100, 100) == 0.0


@pytest.mark.parametrize("goal", [lambda: Goal(0), lambda: Goal(5, 1.0), lambda: Goal(5, -0.1)])
def test_goals_that_make_no_sense_are_refused(goal: object):
    with pytest.raises(InputError):
        goal()  # type: ignore[operator]


def test_the_share_that_may_be_suppressed_is_exact():
    assert [Goal(5, 0.02).most(100), Goal(5, 0.29).most(100), Goal(5, 0.02).most(99)] == [2, 29, 1]


def test_too_few_rows_are_refused():
    columns = [numbers("c", [1] * 12)]
    found = hierarchies(columns, {})
    with pytest.raises(InputError, match="fewer than 10 rows"):
        optimal(table_of([numbers("c", [1] * 9)]), found, Goal())
    with pytest.raises(InputError, match="k = 13"):
        optimal(table_of(columns), found, Goal(13))


def test_a_lattice_too_large_is_refused_and_one_of_nothing_too(monkeypatch: pytest.MonkeyPatch):
    extract, found = reference(1_000)
    monkeypatch.setattr(lattice, "NODES", 1_599)
    with pytest.raises(LimitError, match="1,600 combinations"):
        optimal(table_of(extract.columns), found, Goal())
    with pytest.raises(InputError, match="nothing to generalise"):
        lattice.check_nodes([], 10)


@pytest.mark.soak
def test_the_published_levels_are_found_and_no_node_is_better():
    extract, found = reference(1_000_000)
    table = table_of(extract.columns)
    choice = optimal(table, found, Goal(5, 0.02))
    assert choice.levels == (0, 2, 2, 0, 0, 2) and choice.suppressed == Count(16_761) and choice.nodes == 1_600
    assert round(choice.granularity, 3) == 0.958
    assert every_node(table, found, Goal(5, 0.02)) == pytest.approx(1 - choice.granularity, abs=1e-9)


def every_node(table: lattice.ClassTable, found: tuple[Hierarchy, ...], goal: Goal) -> float:
    """The least loss, each node counted."""
    losses = lattice.mean_losses(table.codes, table.rows, found)
    checks = {levels: checked(table, found, levels, goal.k) for levels in np.ndindex(losses.shape)}
    most = goal.most(table.total)
    assert sum(check.suppressed <= most for check in checks.values()) == 1_184
    return min(losses[at] + one.penalty / table.total for at, one in checks.items() if one.suppressed <= most)


def test_choices_compare_as_values():
    choice = Choice((0,), 10, Count(0), 1.0, 2, 1)
    assert choice == Choice((0,), 10, Count(0), 1.0, 2, 1) and "levels=(0,)" in repr(choice)
