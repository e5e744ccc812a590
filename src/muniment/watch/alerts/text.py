"""An alert in words: five lines, and the page with all that must be said beside them. Pure.

Rules
1. Five lines: what, since when, what is at stake, the strongest innocent reading, the query that would refute it.
2. Every page says whether it is guaranteed (by which theorem, on which assumption) or estimated (with the rate seen),
   and which share of innocent accounts these settings flag in a year.
3. A unit is its pseudonym, unless `View.names` has a name that somebody unmasked. Names never go to a sink.
4. What comes from a register or a person (names of columns, reasons) is stripped of control and format characters: it
   is shown on terminals and in mail.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final

from muniment.messages import count, decimal, percent
from muniment.watch.alerts.alert import Alert, AlertEvent
from muniment.watch.alerts.exemptions import LOOK_BACK_DAYS, Hidden
from muniment.watch.alerts.rates import WORKDAYS, Seen, share_bound, share_flagged
from muniment.watch.alerts.sighting import NamedStake
from muniment.watch.alerts.texts import DESIGN, QUERIES, Words, words_of
from muniment.watch.findings import KINDS

COLUMNS: Final = 6
"""Columns of a register that a line names; of more it gives the count."""
STAKES: Final = 3
"""Registers that a line names one by one, those with most records first."""
SIGNALS: Final = 4
"""Signals that a page names."""
TEXT_CHARACTERS: Final = 120
"""Characters of a name that a line shows."""
_LATE_DAYS: Final = 30
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class View:
    """What a reader of alerts may know, and what the settings promise.

    `names`: by pseudonym, of units that were unmasked (or of offices). `alpha`: alerts per account-day that the
    settings declare, both kinds together, half for each. `seen`: past rates by pseudonym of the office; "" for all.
    """

    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    alpha: float = 0.001
    seen: Mapping[str, Seen] = field(default_factory=dict)
    workdays: int = WORKDAYS

    @property
    def outside(self) -> View:
        """The same without names, for what leaves the workspace."""
        return replace(self, names={})


def render(alert: Alert, lang: str, view: View) -> tuple[str, str, str, str, str]:
    """The five lines. Raises `InputError` for a language there are no words for."""
    words = words_of(lang)
    parts = words.parts
    since, day = _date(alert.since), _date(alert.day)
    query = QUERIES[alert.pattern].format(
        since=since, day=day, after=_date(alert.day + 1), late=_date(alert.day + _LATE_DAYS)
    )
    what = words.what[alert.pattern].format(who=_who(alert, words, view), readers=count(alert.last.readers))
    return (
        parts["line_what"].format(what=what, kind=parts[alert.kind]),
        parts["line_since"].format(since=since, day=day, count=count(alert.count)),
        parts["line_stake"].format(stakes=_stakes(alert, words), weighted=decimal(alert.weighted, 1)),
        parts["line_innocent"].format(innocent=words.innocent[alert.pattern]),
        parts["line_query"].format(query=query),
    )


def subject(alert: Alert, lang: str, view: View) -> str:
    """One line for the head of a mail or a list."""
    words = words_of(lang)
    who = _who(alert, words, view)
    short, kind = words.short[alert.pattern], words.parts[alert.kind]
    return words.parts["subject"].format(who=who, short=short, kind=kind)


def page(alert: Alert, lang: str, view: View) -> tuple[str, ...]:
    """All lines of an alert's page: title, the five, certainty, rates, signals, history."""
    words = words_of(lang)
    parts = words.parts
    title = parts["title"].format(id=alert.id, state=parts[alert.state], kind=parts[alert.kind])
    pointer = (parts["pointer"],) if alert.last.pointer else ()
    return (
        title,
        *render(alert, lang, view),
        *pointer,
        certainty(alert, lang, view),
        seen_text(alert, lang, view),
        flagged_text(alert, lang, view),
        parts["evidence"].format(signals=_signals(alert, words)),
        *(_history(event, words) for event in alert.history),
        parts["closing"],
    )


def certainty(alert: Alert, lang: str, view: View) -> str:
    """Guaranteed with theorem, assumption and bound, or estimated and why no bound holds."""
    words = words_of(lang)
    if alert.kind != "guaranteed":
        return words.parts["estimate"]
    rate = view.alpha / len(KINDS)
    sure = next(one for one in reversed(alert.sightings) if one.kind == "guaranteed")
    named = [name for name, share in sure.shares if name in DESIGN and share > 0] or [sure.pattern]
    assumes = words.parts["and"].join(words.assumes.get(name, words.assumes["budget"]) for name in dict.fromkeys(named))
    return words.parts["guarantee"].format(
        assumes=assumes, days=count(round(1 / rate)), workdays=count(view.workdays),
        share=percent(share_bound(rate, view.workdays)),
    )  # fmt: skip


def seen_text(alert: Alert, lang: str, view: View) -> str:
    """The rate of alerts that was measured in the office of an alert."""
    parts = words_of(lang).parts
    seen = _seen(alert, view)
    if seen is None:
        return parts["unseen"]
    upper = "" if seen.upper is None else parts["upper"].format(rate=decimal(1000 * seen.upper))
    rate = decimal(1000 * seen.rate)
    return parts["seen"].format(alerts=count(seen.alerts), days=count(seen.account_days), rate=rate, upper=upper)


def flagged_text(alert: Alert, lang: str, view: View) -> str:
    """The share of innocent accounts that are flagged in a year: by what is declared, and at the rate seen."""
    parts = words_of(lang).parts
    declared, seen = view.alpha, _seen(alert, view)
    share = percent(share_flagged(declared, view.workdays))
    text = parts["flagged"].format(rate=decimal(1000 * declared), workdays=count(view.workdays), share=share)
    if seen is None:
        return text
    return text + parts["flagged_seen"].format(share=percent(share_flagged(min(1.0, seen.rate), view.workdays)))


def hidden_text(hidden: Hidden, lang: str, days: int = LOOK_BACK_DAYS) -> str:
    """What an exception would have hidden, before it is saved."""
    parts = words_of(lang).parts
    numbers = {
        name: count(getattr(hidden, name))
        for name in ("sightings", "records", "accounts", "alerts", "guaranteed", "confirmed")
    }
    text = parts["hidden"].format(days=count(days), **numbers)
    text += parts["hidden_confirmed"] if hidden.confirmed else ""
    return text + (parts["hidden_unsure"].format(unsure=count(hidden.unsure)) if hidden.unsure else "")


def plain(text: str, most: int = TEXT_CHARACTERS) -> str:
    """A text from outside as one harmless line: no control, format, private or line-separating character, not long.

    Bidirectional overrides are format characters: they could turn a line around.
    """
    kept = "".join(" " if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} else one for one in text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def moment(at: int) -> str:
    """A moment in UTC, to the second, ISO 8601."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _who(alert: Alert, words: Words, view: View) -> str:
    name = plain(view.names.get(alert.pseudonym, alert.pseudonym))
    return words.parts[alert.unit].format(name=name)


def _seen(alert: Alert, view: View) -> Seen | None:
    office = alert.pseudonym if alert.unit == "office" else alert.last.office
    seen = view.seen.get(office, view.seen.get(""))
    return seen if seen is not None and seen.account_days > 0 else None


def _stakes(alert: Alert, words: Words) -> str:
    stakes = sorted(alert.stakes, key=lambda one: (-one.records * one.weight, one.register))
    if not stakes:
        return words.parts["nothing"]
    told = [_stake(one, words) for one in stakes[:STAKES]]
    if len(stakes) > STAKES:
        rest = sum(one.records for one in stakes[STAKES:])
        told.append(words.parts["stake"].format(records=count(rest), register="…", columns=""))
    return words.parts["stakes"].join(told)


def _stake(stake: NamedStake, words: Words) -> str:
    parts = words.parts
    names = [plain(name) for name in stake.columns[:COLUMNS]]
    if len(stake.columns) > COLUMNS:
        names.append(parts["more"].format(count=count(len(stake.columns) - COLUMNS)))
    columns = parts["columns"].format(columns=parts["list"].join(names)) if names else ""
    return parts["stake"].format(records=count(stake.records), register=plain(stake.register), columns=columns)


def _signals(alert: Alert, words: Words) -> str:
    shares = [(name, share) for name, share in alert.last.shares[:SIGNALS] if share > 0]
    told = (words.parts["signal"].format(name=words.short.get(name, plain(name)), share=percent(min(1.0, share)))
            for name, share in shares)  # fmt: skip
    return words.parts["list"].join(told) or words.short[alert.pattern]


def _history(event: AlertEvent, words: Words) -> str:
    parts = words.parts
    by = parts["by"].format(by=plain(event.by)) if event.by else ""
    reason = parts["reason"].format(reason=plain(event.reason, 2 * TEXT_CHARACTERS)) if event.reason else ""
    return parts["history"].format(at=moment(event.at), kind=parts[event.kind], by=by, reason=reason)


def _date(day: int) -> str:
    """A local day as an ISO date; days beyond the calendar of Python are cut at its ends."""
    low, high = date.min.toordinal(), date.max.toordinal()
    return date.fromordinal(min(max(_EPOCH.toordinal() + day, low), high)).isoformat()
