"""The sections of the report on what the columns give away, one function each: values in, markup out.

Each returns the parts under its heading, or an empty list where it has nothing to say. Words come from the catalogue,
numbers from the values; nothing is computed here.
"""

from __future__ import annotations

from muniment.exposure.measures import Risk
from muniment.exposure.report.page import Page
from muniment.exposure.report.svg import Bar, Caption, bars
from muniment.messages import count, decimal, percent
from muniment.messages.markup import Html, element, join, pairs

SHOWN = 12
"""Lines of a ranking that are shown; all are in the JSON."""


def attackers(page: Page) -> list[Html]:
    """Three attackers, persons at risk first."""
    measured = page.exposure.measures.classes
    risks = [("prosecutor", measured.prosecutor)]
    risks += [("journalist", measured.journalist)] if measured.journalist is not None else []
    rows: list[tuple[object, ...]] = []
    drawn = []
    for name, risk in risks:
        said = page.say(name)
        for one in risk.below:
            note = page.persons(one.persons)
            chance = page.say("above", chance=percent(1 / one.size))
            rows.append((said, chance, note, percent(one.persons.share(measured.rows))))
            drawn.append(Bar(f"{said}, {chance}", one.persons.share(measured.rows), note))
    caption = Caption(page.say("attackers"), page.say("attackers_described"), page.say("of_persons"))
    headings = ("attacker", "#chance", "#persons", "#share")
    return [
        page.paragraph("attackers_meant"),
        bars("attackers", caption, drawn),
        page.table("attackers", headings, rows),
        page.table(
            "worst_case",
            ("attacker", "#smallest", "#highest", "#average"),
            [
                *(_worst(page, name, risk) for name, risk in risks),
                (page.say("marketer"), "–", "–", _risk(measured.marketer)),
            ],
        ),
        page.paragraph("highest_note"),
    ]


def _worst(page: Page, name: str, risk: Risk) -> tuple[object, ...]:
    most = f"≤ {_risk(risk.most)}" if risk.smallest.hidden else _risk(risk.most)
    return (page.say(name), page.persons(risk.smallest), most, _risk(risk.average))


def _risk(chance: float) -> str:
    return percent(chance)


def classes(page: Page) -> list[Html]:
    """Counts of the classes."""
    measured, k = page.exposure.measures, page.exposure.subject.k
    rows = [
        (page.say("rows"), count(measured.rows)),
        (page.say("classes_count"), count(measured.classes.classes)),
        (page.say("k"), page.persons(measured.classes.k)),
        (page.say("uniques"), f"{page.persons(measured.classes.uniques)} ({percent(measured.share_alone)})"),
        (page.say("below_k", k=k), f"{page.persons(measured.below_k)} ({percent(measured.share_below_k)})"),
    ]
    return [pairs(page.say("classes"), rows), page.paragraph("null_note")]


def sensitive(page: Page) -> list[Html]:
    """What the classes tell about each sensitive column."""
    columns = page.exposure.measures.sensitive
    if not columns:
        return []
    rows = [
        (
            one.column, page.persons(one.certain), count(one.distinct_l), decimal(one.entropy_l, 1),
            *(_bounded(value) for value in (one.t, one.t_ordered, one.beta, one.delta)),
        )
        for one in columns
    ]  # fmt: skip
    headings = ("column", "#certain", "#distinct_l", "#entropy_l", "#t", "#t_ordered", "#beta", "#delta")
    return [
        page.paragraph("sensitive_meant"),
        page.table("sensitive", headings, rows),
        page.paragraph("sensitive_note"),
    ]


def _bounded(one: object) -> str:
    from muniment.exposure.likeness import Bounded

    if not isinstance(one, Bounded):
        return "–"
    return f"≥ {decimal(one.value)}" if one.or_more else decimal(one.value)


def worst_sets(page: Page) -> list[Html]:
    """The column sets that single out most."""
    found = page.exposure.worst_sets[:SHOWN]
    if not found:
        return []
    caption = Caption(page.say("worst_sets"), page.say("worst_sets_described"), page.say("singled_out"))
    drawn = [Bar(page.columns(one.names), one.share, page.persons(one.uniques)) for one in found]
    rows = [(page.columns(one.names), page.persons(one.uniques), percent(one.share)) for one in found]
    return [
        page.paragraph("worst_sets_described"),
        bars("sets", caption, drawn),
        page.table("worst_sets", ("columns", "#singled_out", "#share"), rows),
    ]


def blame(page: Page) -> list[Html]:
    """What each column, pair and level adds."""
    found = page.exposure.blame[:SHOWN]
    rows = [
        (page.columns(one.columns), one.level or "–", page.persons(one.before), page.persons(one.after))
        for one in found
    ]
    headings = ("columns", "level", "#with", "#without")
    return [page.paragraph("blame_meant"), page.table("blame", headings, rows)] if rows else []


def minimal(page: Page) -> list[Html]:
    """Minimal sample uniques: how few columns suffice, and what each contributes."""
    found = page.exposure.minimal
    if found is None:
        return []
    sizes = [(count(size), page.persons(persons)) for size, persons in enumerate(found.within, 1)]
    shares = [(one.column, percent(one.share)) for one in found.contributions]
    return [
        page.paragraph("minimal_meant"),
        page.table("minimal", ("columns_needed", "#persons"), sizes),
        page.table("contributions", ("column", "#share"), shares),
    ]


def fixes(page: Page) -> list[Html]:
    """The cheapest changes, before and after."""
    found, rows = page.exposure.fixes[:SHOWN], page.exposure.measures.rows
    if not found:
        return []
    lines, drawn = [], []
    for one in found:
        said = page.say(f"fix_{one.kind}", columns=page.columns(one.columns), level=one.level)
        before, after = page.persons(one.before), page.persons(one.after)
        lines.append((said, before, after, percent(one.lost)))
        drawn.append(Bar(said, one.after.share(rows), f"{before} → {after}", one.before.share(rows)))
    caption = Caption(page.say("fixes"), page.say("fixes_described"), page.say("after"), page.say("before"))
    return [
        page.paragraph("fixes_described"),
        bars("fixes", caption, drawn),
        page.table("fixes", ("change", "#before", "#after", "#lost"), lines),
    ]


def change(page: Page) -> list[Html]:
    """Before and after a change that was made."""
    done = page.protected
    if done is None:
        return []
    parts = [page.paragraph(f"way_{done.way}")]
    if done.changes:
        unsaid = page.say("by_rows" if done.way == "local" else "untouched")
        rows = [(one.column, one.rule, one.level or unsaid) for one in done.changes]
        parts.append(page.table("changes", ("column", "rule", "level"), rows))
    if done.after is not None:
        k = done.subject.k
        table = [
            (page.say("rows"), count(done.before.rows), count(done.after.rows)),
            (page.say("uniques"), page.persons(done.before.classes.uniques), page.persons(done.after.classes.uniques)),
            (page.say("below_k", k=k), page.persons(done.before.below_k), page.persons(done.after.below_k)),
        ]
        drawn = [
            Bar(page.say("uniques"), done.after.share_alone, "", done.before.share_alone),
            Bar(page.say("below_k", k=k), done.after.share_below_k, "", done.before.share_below_k),
        ]
        caption = Caption(page.say("change"), page.say("change_described"), page.say("after"), page.say("before"))
        parts += [bars("change", caption, drawn), page.table("change", ("figure", "#before", "#after"), table)]
    kept = page.say("kept", suppressed=page.persons(done.suppressed), granularity=percent(done.granularity))
    return [*parts, element("p", kept)]


def frames(page: Page) -> list[Html]:
    """Recipient, purpose and setting, under the headings a reviewer signs (WP216, ISO/IEC 27559, Five Safes)."""
    subject = page.exposure.subject
    rows = [
        ("safe_project", subject.purpose or page.say("not_given")),
        (
            "safe_people",
            page.columns((subject.recipient, *subject.coalition)) if subject.recipient else page.say("not_given"),
        ),
        ("safe_data", page.say(f"decision_{page.exposure.decision.verdict}")),
        ("safe_settings", page.say("by_reviewer")),
        ("safe_outputs", page.say("floor_kept", floor=subject.floor)),
        ("iso_context", page.say("iso_context_said")),
        ("iso_data", page.say("iso_data_said")),
        ("iso_mitigation", page.say("iso_mitigation_said")),
        ("iso_governance", page.say("iso_governance_said")),
        ("wp_singling", _wp(page, "singling out")),
        ("wp_linkability", _wp(page, "linkability")),
        ("wp_inference", _wp(page, "inference")),
    ]
    return [pairs(page.say("frames"), [(page.say(key), said) for key, said in rows])]


def _wp(page: Page, kind: str) -> str:
    found = [one for one in page.exposure.attacks if one.kind == kind]
    if kind == "singling out":
        return page.say("wp_alone", share=percent(page.exposure.measures.share_alone))
    if not found:
        return page.say("not_examined")
    return page.say("wp_reach", reach=page.interval(max((one.reach for one in found), key=lambda one: one.value)))


def assumptions(page: Page) -> list[Html]:
    """What stands and falls with the figures."""
    subject = page.exposure.subject
    said = [
        page.say("assume_known", columns=page.columns(subject.quasi)),
        page.say("assume_other"),
        page.say("assume_null"),
        page.say("assume_exact"),
        page.say("assume_held" if page.exposure.cumulative is not None else "assume_nothing_held"),
    ]
    said += [page.say(f"note_{note}") for note in page.exposure.notes]
    return [element("ul", join(element("li", one) for one in said))]


def limits(page: Page) -> list[Html]:
    """What the report does not say."""
    keys = ("limit_data", "limit_again", "limit_floor", "limit_person")
    return [element("ul", join(element("li", page.say(key, floor=page.exposure.subject.floor)) for key in keys))]
