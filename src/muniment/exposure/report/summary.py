"""The decision in one sentence, and the figures in a few lines for a terminal.

Foreign text (names, file names) cannot move the cursor: control characters are replaced.
"""

from __future__ import annotations

from collections.abc import Iterator

from muniment.exposure.report.page import Page
from muniment.exposure.result import Decision, Exposure, Protected, Reason
from muniment.messages import count, percent, text
from muniment.messages.markup import plain


def answer(exposure: Exposure, lang: str) -> str:
    """The decision in one sentence."""
    return text(f"exposure.answer_{exposure.decision.verdict}", lang, source=plain(exposure.subject.source))


def reasons(decision: Decision, k: int, lang: str) -> list[str]:
    """Why, one sentence each, worst first."""
    return [_reason(one, k, lang) for one in decision.reasons]


def _reason(one: Reason, k: int, lang: str) -> str:
    return text(f"exposure.reason_{one.code}", lang, found=percent(one.found), allowed=percent(one.allowed), k=k)


def summary(exposure: Exposure, lang: str) -> list[str]:
    """The lines that the command line prints."""
    page = Page(exposure, lang)
    lines = [answer(exposure, lang)]
    lines += [f"  {line}" for line in reasons(exposure.decision, exposure.subject.k, lang)]
    return [*lines, "", *(f"  {plain(line)}" for line in _figures(page))]


def _figures(page: Page) -> Iterator[str]:
    exposure, measured = page.exposure, page.exposure.measures
    yield page.say("line_rows", rows=count(measured.rows), columns=page.columns(exposure.subject.quasi))
    yield page.say("line_alone", persons=page.persons(measured.classes.uniques), share=percent(measured.share_alone))
    yield page.say(
        "line_below",
        persons=page.persons(measured.below_k),
        share=percent(measured.share_below_k),
        k=exposure.subject.k,
    )
    for one in exposure.household:
        yield page.say(
            "line_household", relation=one.relation, alone=percent(one.alone_share), joint=percent(one.joint_share)
        )
    if exposure.cumulative is not None and exposure.cumulative.held:
        added = exposure.cumulative
        yield page.say(
            "line_held",
            held=count(added.held),
            itself=percent(added.itself.share_alone),
            together=percent(added.together.share_alone),
        )
    for column in measured.sensitive:
        yield page.say("line_certain", column=column.column, persons=page.persons(column.certain))
    for worst in exposure.worst_sets[:3]:
        yield page.say("line_set", columns=page.columns(worst.names), persons=page.persons(worst.uniques))
    for fix in exposure.fixes[:3]:
        said = page.say(f"fix_{fix.kind}", columns=page.columns(fix.columns), level=fix.level)
        yield page.say("line_fix", change=said, before=page.persons(fix.before), after=page.persons(fix.after))


def protected_summary(done: Protected, lang: str) -> list[str]:
    """The lines of `muniment protect`: what was changed, before and after, what is kept."""
    k = done.subject.k
    lines = [text(f"exposure.way_{done.way}", lang)]
    unsaid = text("exposure.by_rows" if done.way == "local" else "exposure.untouched", lang)
    lines += [f"  {plain(one.column)}: {plain(one.level) or unsaid} ({plain(one.rule)})" for one in done.changes]
    page = _counts(lang)
    kept = page("kept", suppressed=_persons(done, lang), granularity=percent(done.granularity))
    lines.append(f"  {kept}")
    if done.after is not None:
        lines.append("  " + page(
            "line_change", k=k, before=percent(done.before.share_below_k), after=percent(done.after.share_below_k)
        ))  # fmt: skip
    lines += [f"  {text(f'exposure.drift_{code}', lang)}" for code in done.drift]
    return lines + [f"  {line}" for line in reasons(done.decision, k, lang)]


def _counts(lang: str):  # type: ignore[no-untyped-def]
    def say(key: str, **values: object) -> str:
        return text(f"exposure.{key}", lang, **values)

    return say


def _persons(done: Protected, lang: str) -> str:
    number = done.suppressed
    return text("exposure.fewer", lang, floor=number.floor) if number.hidden else count(number.at_least)
