"""The verdict in a few lines for a terminal, and the two sentences that stand first everywhere.

Rules
1. The first line is the answer. The bound, or for nobody the power, is never far from it.
2. Foreign text (names, file names) cannot move the cursor: control characters are replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muniment.messages import count, decimal, text
from muniment.messages.markup import plain
from muniment.trace.assumptions import chance, needed
from muniment.trace.scale import log10_e_over_n, phrase_key
from muniment.trace.verdict import FamilyReading, Named, Verdict

if TYPE_CHECKING:
    from muniment.trace.recompute import Recomputed


def odds(alpha: float, lang: str) -> str:
    """Write a bound as odds: 1e-6 as "1 in 1,000,000"; rounded down, so that the bound is never understated."""
    return text("common.one_in", lang, odds=count(int(1 / alpha * (1 + 1e-12))))


def listed(names: list[str], lang: str) -> str:
    """Join names as the language does."""
    return text("common.list_separator", lang).join(names)


def copies(named: Named, lang: str) -> str:
    """The numbers of a named recipient's copies that contain leaked rows."""
    return listed([str(number) for number in named.copies], lang) or text("common.none", lang)


def family(carrier: str, column: str, lang: str) -> str:
    """The name of a family; the mixing term where both are empty."""
    if not carrier and not column:
        return text("family.mixing", lang)
    if not column:
        return text("family.carrier_only", lang, carrier=plain(carrier))
    return text("family.name", lang, carrier=plain(carrier), column=plain(column))


def answer(verdict: Verdict, lang: str) -> str:
    """The verdict in one sentence."""
    names = [plain(named.recipient) for named in verdict.ranked]
    file = plain(verdict.file)
    if not names:
        return text("answer.none", lang, file=file)
    if len(names) == 1:
        return text("answer.one", lang, recipient=names[0], file=file)
    return text("answer.several", lang, count=len(names), recipients=listed(names, lang), file=file)


def bound(verdict: Verdict, lang: str) -> str:
    """The sentence after the answer: the bound where somebody is named, else the power that was there."""
    if verdict.named:
        return text("answer.bound", lang, odds=odds(verdict.alpha, lang))
    if not verdict.symbols_read:
        return text("answer.no_symbols", lang)
    power = verdict.power
    sentence = text(
        "answer.power",
        lang,
        symbols=count(power.symbols),
        probability=chance(power, lang),
        needed=needed(power, lang),
    )
    if not verdict.opened:
        return sentence
    opened = text("answer.opened", lang, count=count(verdict.opened))
    return text("common.sentences", lang, first=sentence, second=opened)


def summary(verdict: Verdict, lang: str) -> str:
    """The lines that the command line prints: answer, named, bound, checkpoint, rows, symbols, families, leads."""
    lines = [answer(verdict, lang)]
    if not verdict.evidential:
        lines.append(text("answer.not_evidential", lang))
    lines += [f"  {_named(named, verdict.candidates, lang)}" for named in verdict.ranked]
    if not verdict.named:
        lines.append(f"  {bound(verdict, lang)}")
    lines += [f"  {line}" for line in _counts(verdict, lang)]
    lines += [f"    {_family(reading, lang)}" for reading in verdict.families]
    if verdict.named:
        lines.append(f"  {text('summary.assumes', lang)}")
    return "\n".join(lines + _leads(verdict, lang))


def recomputed_summary(recomputed: Recomputed, lang: str) -> str:
    """The lines of `muniment recompute`: that all agrees, the numbers of the named, the threshold, the signature."""
    named = [
        text("recomputed.named", lang, recipient=plain(one.recipient), log10_e=decimal(one.log10_e))
        for one in recomputed.named
    ]
    key = recomputed.public_key
    signed = text("recomputed.signed", lang, key=key) if key else text("recomputed.unsigned", lang)
    lines = [*named, text("recomputed.threshold", lang, threshold=decimal(recomputed.log10_threshold)), signed]
    agrees = text("recomputed.agrees", lang, named=len(named), symbols=count(recomputed.symbols))
    return "\n".join([agrees, *(f"  {line}" for line in lines)])


def _named(named: Named, candidates: int, lang: str) -> str:
    over_n = log10_e_over_n(named.log10_e, candidates)
    return text(
        "summary.named",
        lang,
        recipient=plain(named.recipient),
        log10_e=decimal(named.log10_e),
        log10_e_n=decimal(over_n),
        phrase=text(f"phrase.{phrase_key(over_n)}", lang),
        copies=copies(named, lang),
    )


def _counts(verdict: Verdict, lang: str) -> list[str]:
    """The lines of counts."""
    return [
        text(
            "summary.bound",
            lang,
            odds=odds(verdict.alpha, lang),
            candidates=count(verdict.candidates),
            examination=verdict.examination,
            threshold=decimal(verdict.log10_threshold),
        ),
        text("summary.checkpoint", lang, checkpoint=plain(verdict.checkpoint)),
        text(
            "summary.rows",
            lang,
            read=count(verdict.rows_read),
            aligned=count(verdict.rows_aligned),
            register=plain(verdict.register),
        ),
        text("summary.symbols", lang, read=count(verdict.symbols_read), erased=count(verdict.symbols_erased)),
    ]


def _family(reading: FamilyReading, lang: str) -> str:
    name = family(reading.carrier, reading.column, lang)
    said = text(f"family.{reading.state}", lang)
    state = "" if reading.state == "intact" else text("summary.state", lang, state=said)
    return text("summary.family", lang, family=name, read=count(reading.read), slots=count(reading.slots), state=state)


def _leads(verdict: Verdict, lang: str) -> list[str]:
    """Leads, apart and last, only where they were asked for."""
    if verdict.leads is None:
        return []
    lines = [
        text(
            "summary.lead",
            lang,
            recipient=plain(lead.recipient),
            held=count(lead.records_held),
            expected=decimal(lead.expected_by_office, 1),
        )
        for lead in verdict.leads
    ]
    return ["", text("summary.leads", lang)] + [f"  {line}" for line in lines or [text("summary.no_leads", lang)]]
