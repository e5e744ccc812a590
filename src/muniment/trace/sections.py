"""The sections of the report that are words and tables, one function each: values of a verdict in, markup out.

Each returns the parts under its heading, or an empty list where it has nothing to say. Words come from the catalogue,
numbers from the verdict; nothing is computed here.
"""

from __future__ import annotations

import math
import shlex

from muniment.messages import count, decimal, percent
from muniment.messages.markup import Heading, Html, element, join, pairs, plain, table
from muniment.trace.assumptions import assumptions
from muniment.trace.page import Page
from muniment.trace.scale import BANDS, Band, phrase_key
from muniment.trace.summary import odds
from muniment.trace.verdict import ColumnMatch


def facts(page: Page) -> list[Html]:
    """What was examined, and the figures that fix the bound."""
    verdict = page.verdict
    rows: list[tuple[str, object]] = [
        ("file", verdict.file),
        ("digest", element("code", verdict.file_digest)),
        ("register", verdict.register),
        ("time", _time(page)),
        ("candidates", count(verdict.candidates)),
        ("examination", verdict.examination),
        ("alpha", odds(verdict.alpha, page.lang)),
        ("threshold", decimal(verdict.log10_threshold)),
        ("checkpoint", element("code", verdict.checkpoint)),
        ("evidential", page.say("common.yes" if verdict.evidential else "common.no")),
        ("software", verdict.software),
    ]
    return [pairs(page.say("report.facts"), [(page.say(f"report.{key}"), value) for key, value in rows])]


def _time(page: Page) -> str:
    """ISO 8601 with the offset; in Taiwan's Chinese with the year of the Republic."""
    moment = page.verdict.time
    written = moment.isoformat(sep=" ", timespec="seconds")
    return f"{written}（民國 {moment.year - 1911} 年）" if page.lang == "zh-TW" else written


def propositions(page: Page) -> list[Html]:
    """The two propositions, what E says about them, and what it does not say."""
    names = [named.recipient for named in page.verdict.ranked] or [page.say("propositions.any")]
    stated = [
        element("li", page.say(f"propositions.{which}", recipient=plain(name)))
        for name in names
        for which in ("first", "second")
    ]
    return [
        page.paragraph("propositions.intro"),
        element("ul", join(stated)),
        page.paragraph("propositions.ratio"),
        page.paragraph("propositions.bound"),
    ]


def mapping(page: Page) -> list[Html]:
    """Which column of the file was taken for which column of the register, with examples where allowed."""
    shown = page.examples and any(match.examples for match in page.verdict.mapping)
    headings = [page.words("leak_column"), page.words("taken_for"), page.number("overlap"), page.words("fixed")]
    headings += [page.words("examples")] if shown else []
    rows = [_match(page, match, shown=shown) for match in page.verdict.mapping]
    note = page.paragraph("mapping.note" if shown else "mapping.off")
    return [table(page.say("mapping.caption"), headings, rows, quiet=True), note]


def _match(page: Page, match: ColumnMatch, *, shown: bool) -> tuple[object, ...]:
    examples = [element("span", f"{leaked} / {known}", class_="examples") for leaked, known in match.examples]
    return (
        match.leak_column,
        match.column if match.column is not None else page.say("mapping.unused"),
        percent(match.overlap),
        page.say("common.yes" if match.fixed else "common.no"),
        *([join(examples)] if shown else []),
    )


def assumed(page: Page) -> list[Html]:
    """The sentences that stand beside every bound."""
    return [element("ul", *(element("li", a.text) for a in assumptions(page.verdict, page.lang)))]


def change(page: Page) -> list[Html]:
    """What would change the conclusion."""
    named = ("coalition", "stolen", "framed", "copied", "shared") if page.verdict.named else ("copied",)
    return [page.bullets("change", *named, "mapping", "more")]


def scale(page: Page) -> list[Html]:
    """The verbal scale with its edition; only where a phrase was used."""
    if not page.verdict.named:
        return []
    used = {phrase_key(page.over_n(named)) for named in page.verdict.named}
    rows = [
        (page.say(f"phrase.{band.key}"), _band(page, band), page.say("scale.used") if band.key in used else "")
        for band in BANDS
    ]
    headings = [page.words("phrase"), page.words("ratio"), Heading("")]
    return [table(page.say("scale.caption"), headings, rows), page.paragraph("scale.note")]


def _band(page: Page, band: Band) -> str:
    if math.isinf(band.high):
        return page.say("scale.above", low=count(int(band.low)))
    return page.say("scale.between", low=count(int(band.low)), high=count(int(band.high)))


def recompute(page: Page) -> list[Html]:
    """The exact commands that repeat the numbers."""
    verdict = page.verdict
    file, register = shlex.quote(plain(verdict.file)), shlex.quote(plain(verdict.register))
    parts = [page.paragraph("recompute.intro"), element("pre", "muniment recompute bundle.zip")]
    if not verdict.named:
        parts.append(page.paragraph("recompute.none"))
    return [
        *parts,
        page.paragraph("recompute.file"),
        element("pre", f"sha256sum -- {file}", Html("\n"), verdict.file_digest),
        page.paragraph("recompute.trace"),
        element("pre", f"muniment trace --register {register} --bundle bundle.zip --report report.html -- {file}"),
    ]


def digests(page: Page) -> list[Html]:
    """Digests of the file and the checkpoint, and the commitments to the mark keys."""
    verdict = page.verdict
    rows: list[tuple[object, object]] = [
        (page.say("report.digest"), element("code", verdict.file_digest)),
        (page.say("report.checkpoint"), element("code", verdict.checkpoint)),
    ]
    rows += [
        (join([page.say("column.key"), " ", element("code", key)]), element("code", commitment))
        for key, commitment in sorted(verdict.key_commitments.items())
    ]
    return [pairs(page.say("digests.caption"), rows), page.paragraph("digests.note")]


def limits(page: Page) -> list[Html]:
    """What the report does not say."""
    return [page.bullets("limits", "recipient", "unnamed", "persons", "claims", "validity")]


def leads(page: Page) -> list[Html]:
    """Who received these records: apart, under a warning, only where asked for."""
    found = page.verdict.leads
    if found is None:
        return []
    warning = element("p", page.say("leads.warning"), class_="warning")
    if not found:
        return [warning, page.paragraph("leads.none")]
    headings = [page.words("recipient"), page.number("held"), page.number("by_office")]
    rows = [(lead.recipient, count(lead.records_held), decimal(lead.expected_by_office, 1)) for lead in found]
    return [warning, table(page.say("leads.caption"), headings, rows)]
