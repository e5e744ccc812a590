"""The sections on what is around the columns: what the recipient holds, households and kin, attacks, models."""

from __future__ import annotations

from muniment.exposure.report.page import Page
from muniment.exposure.report.svg import Bar, Caption, bars
from muniment.messages import count, percent
from muniment.messages.markup import Html


def held(page: Page) -> list[Html]:
    """What this extract adds to what the recipient holds."""
    found = page.exposure.cumulative
    if found is None:
        return []
    if not found.held:
        return [page.paragraph("nothing_held")]
    rows, drawn = [], []
    for one in (found.itself, *found.steps, found.together):
        said = page.say("itself") if one is found.itself else page.say("together") if one is found.together else (
            page.say("step", releases=one.releases))  # fmt: skip
        rows.append((
            said, page.persons(one.persons), page.persons(one.alone), percent(one.share_alone),
            page.persons(one.below), percent(one.share_below),
        ))  # fmt: skip
        drawn.append(Bar(said, one.share_alone, percent(one.share_alone), one.share_below))
    caption = Caption(page.say("held"), page.say("held_described"), page.say("alone"), page.say("below_k", k=found.k))
    headings = ("releases", "#persons", "#alone", "#share", "#below_k", "#share")
    parts = [
        page.paragraph("held_described"),
        bars("held", caption, drawn),
        page.table("held", headings, rows),
    ]
    if found.surviving:
        lines = [
            (
                page.say("step", releases=one.releases),
                page.persons(one.persons),
                page.persons(one.one),
                percent(one.share),
            )
            for one in found.surviving
        ]
        parts += [
            page.paragraph("surviving_meant"),
            page.table("surviving", ("releases", "#persons", "#one_value", "#share"), lines),
        ]
    return parts


def counts_held(page: Page) -> list[Html]:
    """Counts that the recipient was told, and the privacy budget that is spent."""
    parts = []
    told, spent = page.exposure.differences, page.exposure.budget
    if told is not None and told.counts:
        key = "counts_safe" if told.safe else "counts_told"
        parts.append(
            page.paragraph(key, counts=count(told.counts), pairs=count(told.pairs), persons=page.persons(told.exposed))
        )
        if not told.settled:
            parts.append(page.paragraph("counts_unsettled"))
    if spent is not None and spent.answers:
        values = {"answers": count(spent.answers), "epsilon": f"{spent.epsilon:f}", "delta": f"{spent.delta:f}"}
        parts.append(page.paragraph("spent", **values))
    return parts


def household(page: Page) -> list[Html]:
    """Persons alone by their own values, and with their household; what reveals the household."""
    found, parts = page.exposure.household, []
    if found:
        drawn = [Bar(one.relation, one.joint_share, percent(one.joint_share), one.alone_share) for one in found]
        rows = [
            (
                one.relation, page.persons(one.alone), percent(one.alone_share), page.persons(one.joint),
                percent(one.joint_share), page.persons(one.in_unique), percent(one.in_unique_share),
            )
            for one in found
        ]  # fmt: skip
        caption = Caption(
            page.say("household"),
            page.say("household_described"),
            page.say("with_household"),
            page.say("without_household"),
        )
        headings = ("relation", "#without_household", "#share", "#with_household", "#share", "#in_unique", "#share")
        parts += [
            page.paragraph("household_described"),
            bars("household", caption, drawn),
            page.table("household", headings, rows),
        ]
    if page.exposure.revealing:
        lines = [
            (relation, page.columns(one.columns), percent(one.precision), percent(one.recall))
            for relation, one in page.exposure.revealing
        ]
        parts += [
            page.paragraph("revealing_meant"),
            page.table("revealing", ("relation", "columns", "#precision", "#recall"), lines),
        ]
    if page.exposure.implied:
        implied = [
            (page.columns(one.columns), page.say(f"implied_{one.way}"), one.reason, percent(one.covered))
            for one in page.exposure.implied
        ]
        parts += [
            page.paragraph("implied_meant"),
            page.table("implied", ("columns", "way", "reason", "#covered"), implied),
        ]
    return parts


def kin(page: Page) -> list[Html]:
    """What a relative's row says about a sensitive column."""
    rows = [
        (
            one.column, one.relation, page.say(which), page.persons(told.persons), _chance(told.relatives),
            _chance(told.strangers), page.interval(told.gain),
        )
        for one in page.exposure.kin
        for which, told in (("every_value", one.every), ("rare_values", one.rare))
    ]  # fmt: skip
    headings = ("column", "relation", "values", "#persons", "#relatives", "#strangers", "#gain")
    return [page.paragraph("kin_meant"), page.table("kin", headings, rows)] if rows else []


def _chance(share: float | None) -> str:
    return "–" if share is None else percent(share)


def attacks(page: Page) -> list[Html]:
    """Simulated attacks over all rows, with recall and the control."""
    rows = [
        (
            page.say(f"attack_{one.kind.replace(' ', '_')}"), page.columns(one.known), page.columns(one.aim),
            page.share(one.precision), page.share(one.recall), page.share(one.base_recall), page.interval(one.reach),
        )
        for one in page.exposure.attacks
    ]  # fmt: skip
    headings = ("attack", "known", "aim", "#precision", "#recall", "#control", "#reach")
    return [page.paragraph("attacks_meant"), page.table("attacks", headings, rows)] if rows else []


def unicity(page: Page) -> list[Html]:
    """Persons singled out by random points of an event column."""
    rows = [
        (page.columns(one.columns), count(points), page.share(share))
        for one in page.exposure.unicity
        for points, share in enumerate(one.singled, 1)
    ]
    return (
        [page.paragraph("unicity_meant"), page.table("unicity", ("columns", "#points", "#share"), rows)] if rows else []
    )


def population(page: Page) -> list[Html]:
    """Figures that are modelled, with model, interval and self-test."""
    rows = [
        (
            one.estimate.model,
            percent(one.estimate.fraction),
            page.interval(one.estimate.told),
            "–" if one.trial is None else percent(one.trial.error),
            "–" if one.trial is None else percent(one.trial.covered),
        )
        for one in page.exposure.population
    ]
    headings = ("model", "#fraction", "#value", "#self_test", "#covered_truth")
    return [page.paragraph("population_meant"), page.table("population", headings, rows)] if rows else []
