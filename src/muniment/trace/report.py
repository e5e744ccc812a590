"""The report of a trace: one self-contained HTML page, made from a verdict alone.

Rules
1. One file, no script, no outside request: the content security policy allows nothing but the page's own style.
2. The answer in one sentence comes first; the bound is never shown without its assumptions.
3. The same verdict gives the same bytes: no clock, no chance, no order of a dictionary.
4. Of the leak the page shows the examples of the column mapping at most, and those can be switched off.
5. Leads stand apart, last, only where they were asked for, under a heading that says they are not evidence.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from muniment.messages import text
from muniment.messages.markup import Html, element, join
from muniment.trace import pictures, sections
from muniment.trace.page import Page
from muniment.trace.summary import answer, bound
from muniment.trace.verdict import Verdict

SECTIONS: Final[tuple[tuple[str, Callable[[Page], list[Html]]], ...]] = (
    ("facts", sections.facts),
    ("propositions", sections.propositions),
    ("strength", pictures.strength),
    ("waterfall", pictures.evidence),
    ("reading", pictures.reading),
    ("mapping", sections.mapping),
    ("assumptions", sections.assumed),
    ("change", sections.change),
    ("scale", sections.scale),
    ("recompute", sections.recompute),
    ("digests", sections.digests),
    ("limits", sections.limits),
    ("leads", sections.leads),
)
"""The sections after the answer, in order; one that has nothing to say returns an empty list and is left out."""


def render(verdict: Verdict, lang: str, *, examples: bool) -> str:
    """Return the report as one HTML file (text, to be written as UTF-8).

    Without `examples` no value of the leak stands in it. Raises `InputError` for an unknown language.
    """
    page = Page(verdict, lang, examples)
    shown = [(key, parts) for key, build in SECTIONS if (parts := build(page))]
    body = element(
        "body",
        element("a", page.say("report.skip"), href="#answer", class_="skip"),
        element("header", element("h1", page.say("report.title"))),
        element(
            "main",
            _answer(page),
            _contents(page, [key for key, _ in shown]),
            *(_section(page, key, parts) for key, parts in shown),
        ),
        element("footer", element("p", page.say("report.footer", software=verdict.software))),
    )
    whole = element("html", _head(page, _style(verdict)), body, lang=text("common.html_lang", lang))
    return f"<!DOCTYPE html>\n{whole}\n"


def _section(page: Page, key: str, parts: list[Html]) -> Html:
    """One section under its heading."""
    heading = element("h2", page.say(f"report.{key}"), id=key)
    return element("section", heading, *parts, aria_labelledby=key)


def _head(page: Page, style: Html) -> Html:
    """The head, with a policy that allows this very style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = page.say(f"report.title_{page.verdict.verdict}")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{title}: {page.verdict.file}"),
        element("style", style),
    )


def _style(verdict: Verdict) -> Html:
    """The style sheet with the digest of the file for the foot of each printed page."""
    source = files("muniment.trace").joinpath("page.css").read_text(encoding="utf-8")
    digest = re.sub(r"[^0-9A-Za-z:]", "", verdict.file_digest)[:80]
    return Html(source.replace("{{DIGEST}}", f"SHA-256 {digest}"))


def _answer(page: Page) -> Html:
    """The box at the top: the answer, the bound or the power, and a warning where the run is not evidential."""
    verdict, lang = page.verdict, page.lang
    lines = [element("p", answer(verdict, lang), class_="sentence"), element("p", bound(verdict, lang))]
    if not verdict.evidential:
        lines.append(element("p", page.say("answer.not_evidential"), class_="warning"))
    heading = element("h2", page.say("report.answer"), id="answer")
    return element("div", heading, *lines, class_="answer", role="region", aria_labelledby="answer")


def _contents(page: Page, keys: list[str]) -> Html:
    """Links to the sections."""
    links = [element("li", element("a", page.say(f"report.{key}"), href=f"#{key}")) for key in keys]
    return element("nav", element("ul", join(links)), aria_label=page.say("report.contents"), class_="contents")
