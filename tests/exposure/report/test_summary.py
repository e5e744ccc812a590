"""The lines for a terminal: decision first, worst reasons first, nothing that moves the cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from language.exposures import examined
from muniment.exposure.cumulative import Cumulative, Linked
from muniment.exposure.floor import Count
from muniment.exposure.plan import Cause
from muniment.exposure.report.summary import answer, protected_summary, reasons, summary
from muniment.exposure.result import Change, Decision, Exposure, Protected, Reason, Verdict
from muniment.messages import LANGUAGES

CODES = ("columns", "told", "household", "held", "intersection", "differences")


@pytest.fixture(scope="module")
def found() -> Exposure:
    """A run over 600 persons."""
    return examined(600, deep=False)


@pytest.fixture(scope="module")
def done(found: Exposure) -> Protected:
    """A change of that run."""
    changes = (Change("birth\x1b[2J", "numbers", "decade"), Change("sex", "whole", ""))
    after = replace(found.measures, below_k=Count.of(0))
    return Protected(
        found.subject, "full_domain", changes, Count.of(7), 0.915, found.measures, after, Decision("release")
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_verdict_and_reason_has_words_of_its_own(found: Exposure, lang: str) -> None:
    verdicts = [answer(replace(found, decision=Decision(one)), lang) for one in get_args(Verdict)]
    assert len(set(verdicts)) == 3
    said = reasons(Decision("do_not_release", tuple(Reason(code, 0.171, 0.05) for code in CODES)), 5, lang)
    assert len(set(said)) == len(CODES)
    assert all("17.1 %" in one and "5.0 %" in one for one in said[:-1])


def test_the_decision_comes_first_and_the_reasons_keep_their_order(found: Exposure) -> None:
    decision = Decision("do_not_release", (Reason("held", 0.9, 0.05), Reason("columns", 0.2, 0.05)))
    lines = summary(replace(found, decision=decision), "en")
    assert lines[0] == "invented.csv: do not release. It gives away more than is allowed."
    assert lines[1].startswith("  On top of what the recipient holds, 90.0 %")
    assert lines[2].startswith("  By these columns alone, 20.0 %")
    assert lines[3:5] == ["", "  600 rows; taken as known: sex, birth_year, town"]


def test_what_is_held_is_a_line_where_something_is(found: Exposure) -> None:
    alone, both = (Linked(1, Count.of(600), Count.of(one), Count.of(one)) for one in (60, 300))
    held = Cumulative(5, alone, both, (alone,), (alone,))
    line = "  with 1 earlier releases: 10.0 % singled out alone, 50.0 % together"
    assert line in summary(replace(found, cumulative=held), "en")
    assert not any("earlier" in one for one in summary(replace(found, cumulative=replace(held, with_each=())), "en"))


def test_a_change_is_told_with_what_was_left_out(done: Protected) -> None:
    lines = protected_summary(done, "en")
    assert lines[1:4] == [
        "  birth\ufffd[2J: decade (numbers)",
        "  sex: as it is (whole)",
        "  Left out: fewer than 10 rows. Detail kept: 91.5 %.",
    ]
    assert lines[4].endswith(", 0 % after")
    assert len(protected_summary(replace(done, after=None), "en")) == len(lines) - 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_cause_of_drift_has_words_of_its_own(done: Protected, lang: str) -> None:
    drifted = replace(done, drift=tuple(cause.value for cause in Cause))
    added = protected_summary(drifted, lang)[len(protected_summary(done, lang)) :]
    assert len(set(added)) == len(Cause)
