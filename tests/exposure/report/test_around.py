"""Sections on what is around the columns: holdings, counts, households, kin, attacks, events, models."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from language.exposures import examined
from muniment.exposure.budgeting import Budget
from muniment.exposure.cumulative import Cumulative, Linked, Surviving
from muniment.exposure.differences import Differences
from muniment.exposure.floor import Count
from muniment.exposure.report import around
from muniment.exposure.report.page import Page
from muniment.exposure.result import Exposure
from muniment.exposure.shares import Share
from muniment.exposure.unicity import Unicity
from muniment.messages import percent


@pytest.fixture(scope="module")
def found() -> Exposure:
    """A run over 600 persons in households."""
    return examined(600, deep=False)


def test_what_was_not_looked_at_has_no_section(found: Exposure) -> None:
    bare = Page(replace(found, household=(), revealing=(), implied=(), kin=(), attacks=()), "en")
    names = ("held", "counts_held", "household", "kin", "attacks", "unicity", "population")
    assert [name for name in names if getattr(around, name)(bare)] == []
    whole = Page(found, "en")
    assert [name for name in names if getattr(around, name)(whole)] == ["household", "kin", "attacks"]


def test_holdings_go_from_the_extract_alone_to_all_together(found: Exposure) -> None:
    first, itself = _linked(1, 0), _linked(1, 20)
    together = _linked(2, 178)
    held = Cumulative(5, itself, together, (first,), (first,), (), (Surviving(2, Count.of(900), Count.of(4)),))
    shown = "".join(around.held(Page(replace(found, cumulative=held), "en")))
    places = [shown.index(f'<th scope="row">{said}') for said in ("this one alone", "the first 1", "this one with all")]
    assert places == sorted(places)
    assert '<td class="n">178</td><td class="n">17.8 %</td>' in shown
    assert "Rows that cannot be linked" in shown
    nothing = Cumulative(5, itself, itself, (), ())
    (only,) = around.held(Page(replace(found, cumulative=nothing), "en"))
    assert "no earlier release" in only


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (Differences(3, 0, 0, Count.of(0)), ["3 counts were handed out"]),
        (Differences(3, 0, 1, Count.of(4)), ["(1 pairs too close), the values of fewer than 10 persons"]),
        (Differences(3, 0, 0, Count.of(0), settled=False), ["From 3 counts", "more may follow"]),
        (Differences(0, 0, 0, Count.of(0)), []),
    ],
)
def test_counts_are_safe_or_they_tell_something(found: Exposure, told: Differences, said: list[str]) -> None:
    shown = around.counts_held(Page(replace(found, differences=told), "en"))
    assert len(shown) == len(said)
    assert all(words in part for words, part in zip(said, shown, strict=True))


def test_spent_budgets_are_told_as_decimals(found: Exposure) -> None:
    budget = Budget(Decimal("0.30"), Decimal("1E-9"), 3)
    (shown,) = around.counts_held(Page(replace(found, budget=budget), "en"))
    assert "epsilon 0.30, delta 0.000000001, in 3 answers" in shown
    assert around.counts_held(Page(replace(found, budget=Budget()), "en")) == []


def test_households_and_events_show_the_figures_of_the_values(found: Exposure) -> None:
    one = found.household[0]
    shown = "".join(around.household(Page(found, "en")))
    assert f">{percent(one.joint_share)}</text>" in shown
    assert f'<td class="n">{percent(one.alone_share)}</td>' in shown
    told = (Share.of_counts(60, 100), Share.of_counts(4, 5))
    page = Page(replace(found, unicity=(Unicity(("where", "when"), Count.of(100), Count.of(100), told),)), "en")
    shown = "".join(around.unicity(page))
    assert '<td class="n">1</td><td class="n">60.0 % (' in shown
    assert '<td class="n">2</td><td class="n">–</td>' in shown


def _linked(releases: int, alone: int) -> Linked:
    return Linked(releases, Count.of(1_000), Count.of(alone), Count.of(300))
