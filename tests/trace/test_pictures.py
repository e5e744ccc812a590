"""Sections with a picture: the table twin says what the picture shows."""

from __future__ import annotations

from dataclasses import replace

from language import verdicts
from muniment.messages.markup import join
from muniment.trace import pictures
from muniment.trace.page import Page
from muniment.trace.verdict import Histogram, Verdict


def _made(section: object, verdict: Verdict, lang: str = "en") -> str:
    return join(section(Page(verdict, lang, examples=True)))


def test_strength_shows_named_threshold_and_a_nameless_rest() -> None:
    made = _made(pictures.strength, verdicts.mixture())
    assert made.index("Eastern District Office") < made.index("臺北市戶政資訊中心")
    assert "threshold 9.78" in made
    assert "log10 E below −100</th>" in made
    assert ">231</td>" in made


def test_every_count_of_the_histogram_is_drawn_and_listed() -> None:
    page = Page(verdicts.one_named(), "en", examples=True)
    bars = pictures._bars(page, verdicts.HISTOGRAM)
    assert sum(number for _, _, number in bars.intervals) == sum(verdicts.HISTOGRAM.counts)
    assert all(low < high for low, high, _ in bars.intervals)
    lows = [low for low, _, _ in bars.intervals]
    assert lows == sorted(lows)
    assert lows[0] >= pictures.DRAWN_FROM - 2


def test_somebody_far_above_who_is_not_named_is_still_drawn() -> None:
    counts = (0,) * 15 + (30,)
    page = Page(verdicts.none(), "en", examples=True)
    (low, high, number), = pictures._bars(page, Histogram(verdicts.EDGES, counts)).intervals
    assert (low, number) == (100.0, 30)
    assert high > low


def test_the_screened_out_are_counted() -> None:
    made = _made(pictures.strength, replace(verdicts.one_named(), candidates=5_000))
    assert "4,000 further candidates" in made


def test_no_picture_of_the_unnamed_where_they_are_few() -> None:
    made = _made(pictures.strength, replace(verdicts.none(), histogram=None))
    assert "<svg" not in made
    assert "No histogram is shown" in made


def test_the_waterfall_ends_with_the_averaging_and_the_sum() -> None:
    made = _made(pictures.evidence, verdicts.one_named())
    assert made.index(">19.62<") < made.index(">3.05<") < made.index(">0.31<") < made.index(">−1.64<")
    assert "averaging over noise" in made
    assert "<tfoot>" in made
    assert not pictures.evidence(Page(verdicts.none(), "en", examples=True))


def test_reading_tells_what_became_of_each_family() -> None:
    made = _made(pictures.reading, verdicts.one_named())
    assert "506 of 531 rows" in made
    assert "one form only" in made
    assert "normalised away" in made
    assert _made(pictures.reading, verdicts.unreadable()).count("<svg") == 1
