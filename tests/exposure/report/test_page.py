"""What sections share: words of the report's own table, counts as they may leave, dashes for what is not told."""

from __future__ import annotations

import pytest

from language.exposures import examined
from muniment.exposure.floor import Count
from muniment.exposure.report.page import Page
from muniment.exposure.shares import Interval, Share


@pytest.fixture(scope="module")
def page() -> Page:
    """A page in English; what it shows does not matter here."""
    return Page(examined(300, deep=False), "en")


def test_a_count_below_the_floor_is_the_same_whatever_it_is(page: Page) -> None:
    assert {page.persons(Count.of(number)) for number in range(1, 10)} == {"fewer than 10"}
    assert page.persons(Count.of(0)) == "0"
    assert page.persons(Count.of(2, floor=3)) == "fewer than 3"
    assert page.persons(Count.of(12_345)) == "12,345"


def test_what_is_not_told_is_a_dash_and_never_none_of_all(page: Page) -> None:
    untold = Share.of_counts(3, 5)
    assert {page.share(None), page.share(untold), page.interval(None), page.number(None), page.columns(())} == {"–"}
    assert page.interval(Interval(0.5, 0.25, 0.75)) == "50.0 % (25.0 % – 75.0 %)"
    assert page.number(0.0) == "0.00"


def test_columns_are_listed_as_the_language_does(page: Page) -> None:
    assert page.columns(("sex", "town")) == "sex, town"
    assert Page(page.exposure, "zh-TW").columns(("sex", "town")) == "sex、town"


def test_tables_and_paragraphs_are_of_the_report_and_escape_cells(page: Page) -> None:
    table = page.table("classes", ("column", "#share"), [("<i>", "5 %")])
    assert '<th scope="col">Column</th><th scope="col" class="n">Share</th>' in table
    assert '<th scope="row">&lt;i&gt;</th><td class="n">5 %</td>' in table
    assert page.paragraph("null_note").startswith('<p class="note">An empty cell')
    assert page.paragraph("kin_meant").startswith("<p>How often")
