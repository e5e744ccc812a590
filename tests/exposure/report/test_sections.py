"""Sections on the columns: their figures are those of the values, and nothing is said where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from language.exposures import QUASI, examined
from muniment.exposure.fixes import Fix
from muniment.exposure.floor import Count
from muniment.exposure.likeness import Bounded
from muniment.exposure.report import sections
from muniment.exposure.report.page import Page
from muniment.exposure.result import Change, Exposure, Protected
from muniment.messages import percent


@pytest.fixture(scope="module")
def found() -> Exposure:
    """A run over 600 persons."""
    return examined(600)


def test_what_was_not_found_has_no_section(found: Exposure) -> None:
    bare = replace(
        found, worst_sets=(), blame=(), fixes=(), minimal=None, measures=replace(found.measures, sensitive=())
    )
    for section in (sections.sensitive, sections.worst_sets, sections.blame, sections.minimal, sections.fixes):
        assert section(Page(bare, "en")) == []
        assert section(Page(found, "en")) != []
    assert sections.change(Page(found, "en")) == []


def test_attackers_are_those_that_were_measured(found: Exposure) -> None:
    alone = "".join(sections.attackers(Page(found, "en")))
    assert "Journalist" not in alone
    both = replace(found.measures.classes, journalist=found.measures.classes.prosecutor)
    page = Page(replace(found, measures=replace(found.measures, classes=both)), "en")
    assert "".join(sections.attackers(page)).count("Journalist") > 1
    assert found.measures.classes.k.hidden
    assert f"≤ {percent(found.measures.classes.prosecutor.most)}" in alone


def test_rankings_show_the_first_and_leave_the_rest_to_the_json(found: Exposure) -> None:
    many = tuple(Fix("drop", (f"c{number}",), "", Count.of(90), Count.of(4), 0.25) for number in range(30))
    drawn = "".join(sections.fixes(Page(replace(found, fixes=many), "en")))
    assert drawn.count("<tr>") == sections.SHOWN + 1
    assert "leave out c0<" in drawn
    assert f"leave out c{sections.SHOWN}<" not in drawn
    assert "90 → fewer than 10" in drawn


def test_a_change_is_shown_with_what_stays_as_it_is(found: Exposure) -> None:
    before, floor = found.measures, Count.of(3)
    changes = (Change("birth_year", "numbers", "decade"), Change("sex", "whole", ""))
    after = replace(before, below_k=Count.of(0))
    done = Protected(found.subject, "full_domain", changes, floor, 0.5, before, after, found.decision)
    shown = "".join(sections.change(Page(found, "en", done)))
    assert "Left out: fewer than 10 rows. Detail kept: 50.0 %." in shown
    assert "<td>whole</td><td>as it is</td>" in shown
    counts = "".join(sections.change(Page(found, "en", replace(done, way="perturbed", changes=(), after=None))))
    assert "keyed noise" in counts
    assert "<svg" not in counts


def test_bounds_assumptions_and_frames_say_what_was_asked(found: Exposure) -> None:
    (one,) = found.measures.sensitive
    bounded = replace(one, t=Bounded(0.25, or_more=True), t_ordered=None)
    page = Page(replace(found, measures=replace(found.measures, sensitive=(bounded,)), notes=("no_register",)), "en")
    assert '<td class="n">≥ 0.25</td><td class="n">–</td>' in "".join(sections.sensitive(page))
    assumed = "".join(sections.assumptions(page))
    assert f"may know these columns: {', '.join(QUASI)}." in assumed
    assert "not one of a register" in assumed
    assert "Office 1" in "".join(sections.frames(page))
    nobody = replace(found, subject=replace(found.subject, recipient=""), attacks=())
    assert "".join(sections.frames(Page(nobody, "en"))).count("not examined") == 2
