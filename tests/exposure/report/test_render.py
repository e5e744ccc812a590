"""The page: self-contained, the same each time, safe against foreign text, in both languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from language.exposures import examined, labelled
from muniment.errors import InputError
from muniment.exposure.cumulative import accumulate
from muniment.exposure.differences import Differences
from muniment.exposure.examining import Beside, examine
from muniment.exposure.floor import Count
from muniment.exposure.kept import keep
from muniment.exposure.report.render import SECTIONS, render
from muniment.exposure.report.summary import summary
from muniment.exposure.result import Exposure, Subject
from muniment.messages import LANGUAGES, catalogue

KEY = b"k" * 32


@pytest.fixture(scope="module")
def whole() -> Exposure:
    """A run with something to say under nearly every heading."""
    extract = labelled(2_000)
    first = keep(extract, ["sex", "birth_year"], KEY, sensitive="diag")
    held = accumulate(keep(extract, ["sex", "town"], KEY, sensitive="diag"), [first])
    beside = Beside(
        in_register=None, cumulative=held, differences=Differences(counts=3, below=0, pairs=1, exposed=Count.of(4))
    )
    subject = Subject("copy.csv", ("sex", "town"), sensitive=("diag",), recipient="Office 1", purpose="study")
    return examine(extract, subject, beside=beside, deep=True, software="muniment test")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_asks_for_nothing_and_runs_nothing(whole: Exposure, lang: str) -> None:
    page = render(whole, lang)
    assert "default-src &#x27;none&#x27;" in page
    assert not re.search(r"<script|<img|<link|<iframe|https?://|@import|url\((?!#)| style=", page)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_is_well_formed_and_has_its_headings(whole: Exposure, lang: str) -> None:
    page = render(whole, lang)
    _Balanced().feed(page)
    named = [key for key, _ in SECTIONS if f'id="{key}"' in page]
    assert {"attackers", "held", "counts_held", "worst_sets", "fixes", "frames", "assumptions"} <= set(named)
    assert page.index('id="answer"') < page.index('id="attackers"')
    assert catalogue(lang)["exposure.answer_do_not_release"].format(source="copy.csv") in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_same_values_give_the_same_bytes(whole: Exposure) -> None:
    assert render(whole, "en") == render(whole, "en")
    assert examined(1_000).to_json() == examined(1_000).to_json()


def test_foreign_text_cannot_break_out(whole: Exposure) -> None:
    nasty = '<script>alert("x")</script>\u202e\x1b[2J'
    found = examined(500, source=nasty)
    page = render(found, "en")
    assert "<script" not in page
    assert "\u202e" not in page
    assert not any("\x1b" in line or "\u202e" in line for line in summary(found, "en"))


def test_an_unknown_language_is_the_readers() -> None:
    with pytest.raises(InputError, match="unknown language"):
        render(examined(500), "zh-CN")


def test_every_picture_has_a_title_and_a_table_beside_it(whole: Exposure) -> None:
    page = render(whole, "en")
    pictures = page.count("<svg")
    assert pictures >= 4
    assert page.count("<title") == pictures + 1
    assert page.count("<table") > pictures
    for width in re.findall(r'<rect x="240" y="[^"]+" width="([^"]+)"', page):
        assert 0 <= float(width) <= 350


def test_a_population_of_one_class_has_nothing_against_it() -> None:
    extract = labelled(500)
    found = examine(extract, Subject("t", ("sex",)), beside=Beside(in_register=np.array([300, 300])))
    assert found.decision.verdict == "release"
    assert found.worst_sets == ()
    assert "release. Nothing" in render(found, "en")


class _Balanced(HTMLParser):
    """Every element that is opened is closed, in order."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
