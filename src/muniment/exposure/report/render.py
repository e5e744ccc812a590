"""The report as one self-contained HTML page, made from the values alone.

Rules
1. One file, no script, no outside request: the content security policy allows nothing but the page's own style.
2. The decision in one sentence comes first; then the attackers, with persons at risk first.
3. The same values give the same bytes: no clock, no chance.
4. What is not in the values cannot be on the page: no row, no key, no count below the floor (`result.py`, rule 1).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from muniment.exposure.report import around, sections
from muniment.exposure.report.page import Page
from muniment.exposure.report.summary import answer, reasons
from muniment.exposure.result import Exposure, Protected
from muniment.messages import text
from muniment.messages.markup import Html, element, join

SECTIONS: Final[tuple[tuple[str, Callable[[Page], list[Html]]], ...]] = (
    ("attackers", sections.attackers),
    ("held", around.held),
    ("counts_held", around.counts_held),
    ("household", around.household),
    ("kin", around.kin),
    ("worst_sets", sections.worst_sets),
    ("blame", sections.blame),
    ("minimal", sections.minimal),
    ("fixes", sections.fixes),
    ("change", sections.change),
    ("classes", sections.classes),
    ("sensitive", sections.sensitive),
    ("attacks", around.attacks),
    ("unicity", around.unicity),
    ("population", around.population),
    ("frames", sections.frames),
    ("assumptions", sections.assumptions),
    ("limits", sections.limits),
)
"""The sections after the answer, in order; one that returns nothing is left out."""


def render(exposure: Exposure, lang: str, protected: Protected | None = None) -> str:
    """Return the report as one HTML file (text, to be written as UTF-8); `InputError` for an unknown language."""
    page = Page(exposure, lang, protected)
    shown = [(key, parts) for key, build in SECTIONS if (parts := build(page))]
    body = element(
        "body",
        element("a", page.say("skip"), href="#answer", class_="skip"),
        element("header", element("h1", page.say("title"))),
        element(
            "main", _answer(page), _contents(page, [key for key, _ in shown]), *(_section(page, *one) for one in shown)
        ),
        element("footer", element("p", page.say("footer", software=exposure.software or "muniment"))),
    )
    return f"<!DOCTYPE html>\n{element('html', _head(page), body, lang=text('common.html_lang', lang))}\n"


def _head(page: Page) -> Html:
    style = Html(files("muniment.exposure.report").joinpath("page.css").read_text(encoding="utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{page.say('title')}: {page.say('decision_' + page.exposure.decision.verdict)}"),
        element("style", style),
    )


def _answer(page: Page) -> Html:
    exposure = page.exposure
    why = [element("li", one) for one in reasons(exposure.decision, exposure.subject.k, page.lang)]
    lines = [element("p", answer(exposure, page.lang), class_="sentence")]
    lines += [element("ul", join(why))] if why else [page.paragraph("no_reason")]
    heading = element("h2", page.say("answer"), id="answer")
    return element("div", heading, *lines, class_="answer", role="region", aria_labelledby="answer")


def _contents(page: Page, keys: list[str]) -> Html:
    links = [element("li", element("a", page.say(key), href=f"#{key}")) for key in keys]
    return element("nav", element("ul", join(links)), aria_label=page.say("contents"), class_="contents")


def _section(page: Page, key: str, parts: list[Html]) -> Html:
    return element("section", element("h2", page.say(key), id=key), *parts, aria_labelledby=key)
