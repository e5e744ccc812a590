"""The report as a whole: self-contained, safe, accessible, the same every time."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from language import verdicts
from muniment.errors import InputError
from muniment.messages.markup import VOID
from muniment.trace.report import render

ALLOWED = frozenset(
    "html head meta title style body a header h1 h2 h3 main nav div section p ul li footer table caption thead tbody"
    " tfoot tr th td code pre span figure svg desc defs pattern rect path line text".split()
)
ATTRIBUTES = frozenset(
    "lang charset http-equiv content name href class id scope role aria-label aria-labelledby viewbox x y x1 y1 x2 y2 d"
    " width height patternunits text-anchor fill".split()
)


class _Reader(HTMLParser):
    """Collects what an auditor of the page looks at, and checks that tags nest."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


CASES = [(name, lang) for name in verdicts.ALL for lang in ("en", "zh-TW")]


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_nothing_but_known_elements_and_attributes(name: str, lang: str) -> None:
    reader = _read(render(verdicts.ALL[name](), lang, examples=True))
    assert set(reader.tags) <= ALLOWED
    assert {attribute for _, attribute, _ in reader.attributes} <= ATTRIBUTES


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_no_outside_request_and_a_policy_that_forbids_it(name: str, lang: str) -> None:
    page = render(verdicts.ALL[name](), lang, examples=True)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", page)
    links = [value for tag, attribute, value in _read(page).attributes if attribute == "href"]
    assert all(link.startswith("#") for link in links)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#x27;none&#x27;; style-src &#x27;sha256-{digest}&#x27;" in page


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_accessible_in_structure(name: str, lang: str) -> None:
    page = render(verdicts.ALL[name](), lang, examples=True)
    reader = _read(page)
    assert f'<html lang="{"en" if lang == "en" else "zh-Hant-TW"}">' in page
    levels = [int(tag[1]) for tag in reader.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert reader.tags.count("table") == reader.tags.count("caption")
    assert reader.tags.count("svg") == reader.tags.count("desc")
    ids = [value for _, attribute, value in reader.attributes if attribute == "id"]
    assert len(ids) == len(set(ids))
    for _, attribute, value in reader.attributes:
        if attribute == "aria-labelledby":
            assert set(value.split()) <= set(ids)
        if attribute == "href":
            assert value[1:] in ids


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    bright, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_wcag_aa() -> None:
    css = files("muniment.trace").joinpath("page.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))
    for text in ("ink", "soft", "blue", "red"):
        for ground in ("ground", "pale"):
            assert _contrast(colours[text], colours[ground]) >= 4.5
    bars = re.search(r"\.rest \{ fill: (#[0-9a-f]{6})", css).group(1)
    assert _contrast(bars, colours["ground"]) >= 3.0


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_hostile_names_stay_text(lang: str) -> None:
    page = render(verdicts.hostile(), lang, examples=True)
    assert "<script" not in page
    assert "onload=x>" not in page.replace("onload=x&gt;", "")
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert page.count("</style>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_the_same_verdict_gives_the_same_bytes(name: str, lang: str) -> None:
    verdict = verdicts.ALL[name]()
    again = replace(verdict, key_commitments=dict(reversed(verdict.key_commitments.items())))
    assert render(verdict, lang, examples=True).encode() == render(again, lang, examples=True).encode()


def test_the_answer_comes_before_everything_and_the_bound_is_beside_it() -> None:
    page = render(verdicts.one_named(), "en", examples=True)
    body = page[page.index("<main>") :]
    places = [body.index(part) for part in ("A copy made for Eastern", "at most 1 in 1,000,000", "<nav")]
    assert places == sorted(places)


def test_no_value_of_the_leak_without_examples() -> None:
    page = render(verdicts.one_named(), "en", examples=False)
    assert "High St" not in page
    assert "113年" not in page


def test_leads_are_the_last_section_and_only_there_when_asked_for() -> None:
    assert "Leads" not in render(verdicts.one_named(), "en", examples=True)
    page = render(verdicts.mixture(), "en", examples=True)
    headings = re.findall(r'<h2 id="(\w+)">', page)
    assert headings[-1] == "leads"
    assert "<h2 id=\"leads\">Leads: not evidence</h2>" in page


def test_a_run_that_is_not_evidential_carries_its_warning_in_the_answer() -> None:
    page = render(verdicts.unreadable(), "en", examples=True)
    assert page.index('class="warning"') < page.index("<nav")


def test_both_languages_hold_the_same_numbers() -> None:
    def numbers(lang: str) -> list[str]:
        page = render(verdicts.mixture(), lang, examples=True)
        return re.findall(r'<td class="n">([^<]*)</td>', page)

    assert numbers("en") == numbers("zh-TW")


def test_words_that_no_report_says() -> None:
    page = render(verdicts.mixture(), "en", examples=True).lower()
    assert not re.search(r"guilty|culprit|proves|beyond doubt|probability that (?!h1|anyone)", page)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError):
        render(verdicts.one_named(), "fr", examples=True)
