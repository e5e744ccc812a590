"""The sections of the report with a picture: the evidence on its scale, where it comes from, and what was read.

Each picture has its table twin beside it; the picture may leave out or shorten, the table does not.
"""

from __future__ import annotations

from typing import Final

from muniment.messages import count, decimal, percent
from muniment.messages.markup import Html, element, join, plain, table
from muniment.trace import svg
from muniment.trace.page import Page
from muniment.trace.scale import phrase_key
from muniment.trace.summary import copies, family, listed
from muniment.trace.verdict import FamilyEvidence, FamilyReading, Histogram, Named

DRAWN_FROM: Final = -12.0
"""log10 E from which the histogram is drawn to scale: what lies below says no more than that it lies below."""


def strength(page: Page) -> list[Html]:
    """The named and the threshold on a log scale, with a nameless histogram of the rest."""
    verdict = page.verdict
    parts: list[Html] = [_named_table(page) if verdict.named else page.paragraph("strength.none")]
    histogram = verdict.shown_histogram
    if verdict.named or histogram:
        parts.append(element("h3", page.say("strength.chart")))
        parts.append(svg.figure(_scale_picture(page, histogram), _histogram_table(page, histogram)))
    if not histogram:
        parts.append(page.paragraph("strength.histogram_none"))
    if verdict.named:
        parts.append(page.paragraph("strength.copies_note"))
    return parts


def _named_table(page: Page) -> Html:
    headings = [
        page.words("recipient"),
        page.number("log10_e"),
        page.number("log10_e_n"),
        page.words("phrase"),
        page.words("copies"),
    ]
    rows = [
        (
            named.recipient,
            decimal(named.log10_e),
            decimal(page.over_n(named)),
            page.say(f"phrase.{phrase_key(page.over_n(named))}"),
            copies(named, page.lang),
        )
        for named in page.verdict.ranked
    ]
    return table(page.say("strength.named"), headings, rows)


def _scale_picture(page: Page, histogram: Histogram | None) -> Html:
    verdict = page.verdict
    threshold = decimal(verdict.log10_threshold)
    named = [f"{plain(n.recipient)} {decimal(n.log10_e)}" for n in verdict.ranked]
    caption = svg.Caption(
        page.say("strength.chart"),
        page.say(
            "strength.chart_description",
            threshold=threshold,
            named=listed(named, page.lang) or page.say("strength.chart_nobody"),
        ),
    )
    bars = _bars(page, histogram) if histogram else None
    points = [svg.Point(plain(named.recipient), named.log10_e) for named in verdict.ranked]
    label = page.say("strength.threshold", value=threshold)
    return svg.evidence_scale(
        "scale", caption, points, (verdict.log10_threshold, label), bars, page.say("strength.axis")
    )


def _bars(page: Page, histogram: Histogram) -> svg.Bars:
    """The histogram as it is drawn: what lies far to the left stands in one bar at the edge, empty ends are left out.

    The outermost intervals are open and may reach far; drawn to scale they would leave no room for the rest.
    """
    bins = zip(histogram.edges[:-1], histogram.edges[1:], histogram.counts, strict=True)
    occupied = [(low, high, number) for low, high, number in bins if number]
    ends = [page.verdict.log10_threshold, *(named.log10_e for named in page.verdict.named)]
    top = max([*ends, *(low for low, _, _ in occupied)]) + 1.0
    far = sum(number for _, high, number in occupied if high <= DRAWN_FROM)
    drawn = [(DRAWN_FROM - 2.0, DRAWN_FROM, far)] if far else []
    drawn += [(max(low, DRAWN_FROM), min(high, top), number) for low, high, number in occupied if high > DRAWN_FROM]
    return svg.Bars(tuple(drawn), page.say("strength.candidates"))


def _histogram_table(page: Page, histogram: Histogram | None) -> Html:
    """The twin of the histogram: intervals that count somebody, and how many were screened out."""
    if histogram is None:
        return Html("")
    last = len(histogram.counts) - 1
    rows = []
    for place, number in enumerate(histogram.counts):
        key = "interval_below" if place == 0 else "interval_above" if place == last else "interval"
        low, high = (decimal(edge, 0 if edge.is_integer() else 1) for edge in histogram.edges[place : place + 2])
        if number:
            rows.append((page.say(f"strength.{key}", low=low, high=high), count(number)))
    twin = table(page.say("strength.histogram"), [page.words("interval"), page.number("count")], rows)
    rest = page.verdict.candidates - len(page.verdict.named) - sum(histogram.counts)
    note = element("p", page.say("strength.histogram_rest", count=count(rest)), class_="note") if rest > 0 else ""
    return join([twin, note])


def evidence(page: Page) -> list[Html]:
    """A waterfall of log10 E by family for each named recipient."""
    if not page.verdict.named:
        return []
    parts = [page.paragraph("waterfall.intro")]
    for place, named in enumerate(page.verdict.ranked):
        parts.append(element("h3", page.say("waterfall.caption", recipient=plain(named.recipient))))
        parts.append(svg.figure(_waterfall(page, named, place), _evidence_table(page, named)))
    return parts


def _ordered(named: Named) -> list[FamilyEvidence]:
    """Families from the largest share down, the mixing term last."""
    return sorted(named.evidence, key=lambda e: (e.mixing, -e.log10_e, e.carrier, e.column))


def _waterfall(page: Page, named: Named, place: int) -> Html:
    recipient, limit = plain(named.recipient), page.verdict.log10_threshold
    caption = svg.Caption(
        page.say("waterfall.chart", recipient=recipient),
        page.say("waterfall.chart_description", total=decimal(named.log10_e), threshold=decimal(limit)),
    )
    steps = [
        svg.Step(page.say("family.mixing_short"), share.log10_e, hatched=True)
        if share.mixing
        else svg.Step(family(share.carrier, share.column, page.lang), share.log10_e)
        for share in _ordered(named)
    ]
    total = svg.Step(page.say("waterfall.total"), named.log10_e)
    label = page.say("strength.threshold", value=decimal(limit))
    return svg.waterfall(f"fall-{place}", caption, steps, total, (limit, label), page.say("strength.axis"))


def _evidence_table(page: Page, named: Named) -> Html:
    rows: list[tuple[object, ...]] = []
    for share in _ordered(named):
        counts = ("–", "–") if share.mixing else (count(share.symbols), count(share.agreeing))
        rows.append((family(share.carrier, share.column, page.lang), *counts, decimal(share.log10_e)))
    rows.append((page.say("waterfall.total"), "", "", decimal(named.log10_e)))
    headings = [page.words("family"), page.number("symbols"), page.number("agreeing"), page.number("share")]
    return table(page.say("waterfall.caption", recipient=plain(named.recipient)), headings, rows, foot=1, quiet=True)


def reading(page: Page) -> list[Html]:
    """What was aligned and what not, and what became of the symbols of each family."""
    verdict = page.verdict
    rest = verdict.rows_read - verdict.rows_aligned
    values = {"aligned": count(verdict.rows_aligned), "read": count(verdict.rows_read), "rest": count(rest)}
    row_caption = svg.Caption(page.say("reading.rows"), page.say("reading.rows_description", **values))
    note = f"{values['aligned']} / {values['read']}"
    row_strip = svg.Strip(page.say("reading.rows"), verdict.rows_aligned, verdict.rows_read, note)
    words = page.say("reading.aligned"), page.say("reading.unaligned")
    parts = [
        element("h3", page.say("reading.rows")),
        page.paragraph("reading.rows_description", **values),
        svg.figure(svg.strips("rows", row_caption, [row_strip], *words), Html("")),
        page.paragraph("reading.rows_note"),
    ]
    return parts + (_families(page) if verdict.families else [])


def _families(page: Page) -> list[Html]:
    verdict = page.verdict
    caption = svg.Caption(page.say("reading.families"), page.say("reading.families_description"))
    drawn = [
        svg.Strip(family(r.carrier, r.column, page.lang), r.read, r.slots, f"{count(r.read)} / {count(r.slots)}")
        for r in verdict.families
    ]
    words = page.say("reading.read"), page.say("reading.erased")
    total = page.say("summary.symbols", read=count(verdict.symbols_read), erased=count(verdict.symbols_erased))
    return [
        element("h3", page.say("reading.families")),
        element("p", total),
        svg.figure(svg.strips("families", caption, drawn, *words), _families_table(page)),
        page.paragraph("reading.erased_note"),
        page.paragraph("reading.one_form_note"),
    ]


def _families_table(page: Page) -> Html:
    headings = [
        page.words("family"),
        *(page.number(key) for key in ("slots", "read", "erased", "ones", "expected")),
        page.words("state"),
    ]
    rows = [_family_row(page, r) for r in page.verdict.families]
    return table(page.say("reading.families"), headings, rows, quiet=True)


def _family_row(page: Page, r: FamilyReading) -> tuple[object, ...]:
    shares = (percent(r.ones), percent(r.expected_ones)) if r.read else ("–", "–")
    name = family(r.carrier, r.column, page.lang)
    return (name, count(r.slots), count(r.read), count(r.erased), *shares, page.say(f"family.{r.state}"))
