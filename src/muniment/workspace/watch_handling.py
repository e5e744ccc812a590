"""What people do with a watch: look at alerts and end them, save exceptions, answer challenges, unmask an account.

Rules
1. Whoever acts is named as the ledger names them (`Parts.account`), and says why.
2. What ends an alert is told to the sinks like the alert was. A confirmed one keeps its account's budget lowered, an
   explained one lifts that at once.
3. Each step of an unmasking is an entry of the workspace's journal before the name is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from muniment.errors import InputError
from muniment.watch import unmasking
from muniment.watch.alerts import (
    Alert,
    Exemption,
    Hidden,
    View,
    closed_on,
    page,
    would_have_hidden,
)
from muniment.watch.alerts.alert import check_reason
from muniment.watch.audit import Line, audit, seen_by
from muniment.watch.challenges import Challenge, Standing
from muniment.watch.context.tables import DAY_MS
from muniment.watch.sinks.message import trial_message
from muniment.watch.unmasking import UnmaskEvent
from muniment.workspace import watch_gate, watch_sinks

if TYPE_CHECKING:
    from muniment.watch.alerts.alert import EventKind
    from muniment.workspace.watch_course import Course
    from muniment.workspace.watching import Watching

UNMASKED: Final = "watch-unmasked"
"""Kind of the workspace's journal entries about who saw which name, and why."""
Step: TypeAlias = Literal["ask", "agree", "refuse"]
_STEPS: Final = {"ask": unmasking.ask, "agree": unmasking.agree, "refuse": unmasking.refuse}
Verdict: TypeAlias = Literal["acknowledged", "explained", "confirmed", "reopened"]


@dataclass(frozen=True, slots=True)
class Unmasked:
    """Where an unmasking stands. `account`: the name, empty where `missing` persons still have to agree."""

    alert: str
    pseudonym: str
    account: str = field(repr=False)
    missing: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A challenge as the worklist shows it. `account`: its pseudonym."""

    sequence: int
    account: str
    due: int
    state: str


class Handling:
    """What `Watching.handling` gives."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._parts = watching.parts
        self._alerts = watching.alerts

    def __repr__(self) -> str:
        return "Handling()"

    # --- alerts ----------------------------------------------------------------------------------------------------

    def listed(self, *, closed: bool = False) -> tuple[Alert, ...]:
        """The open alerts, or with `closed` all of them: guaranteed ones first, then by what is at stake."""
        found = [one for one in self._alerts.book().alerts if closed or one.open]
        return tuple(sorted(found, key=lambda one: (not one.open, one.kind != "guaranteed", -one.weighted, one.id)))

    def alert(self, id: str) -> Alert:
        """One alert; `InputError` where there is none."""
        return self._alerts.book().alert(id)

    def page(self, id: str, lang: str) -> tuple[str, ...]:
        """The page of an alert, with what must be said beside it."""
        return self.lines(self.alert(id), lang)

    def lines(self, alert: Alert, lang: str) -> tuple[str, ...]:
        """The page of an alert at hand."""
        return page(alert, lang, self.view())

    def view(self) -> View:
        """What the settings promise, and what was seen up to the newest snapshot."""
        course = self._watching.course()
        watch = course.watch
        return watch_sinks.view_of(self._watching.settings(), watch.tally, watch.spaces, self._alerts.names)

    def say(self, verdict: Verdict, id: str, reason: str) -> Alert:
        """Move an alert on, by whoever acts. Raises `InputError` where that may not be, or without a reason."""
        kind: EventKind = verdict
        settings, now, by = self._watching.settings(), self._watching.now(), self._parts.account
        view = self.view()
        with self._alerts.editing() as kept:
            changes = self._alerts.say(kept, kind, id, now, by=by, reason=reason)
            watch_sinks.queue(self._parts, settings, kept, changes, view)
        alert = changes[-1].after
        if verdict == "confirmed":
            watch_gate.confirm(self._parts, alert.id, by=by, now=now)
        elif verdict == "explained":
            watch_gate.lift(self._parts, alert.id, now=now)
        return alert

    def shown(self, account: str) -> Sequence[Alert]:
        """The closed alerts on an account, for its owner: without the names of those who handled them."""
        return closed_on(self._alerts.book().alerts, self._alerts.names.of("account", account))

    # --- exceptions ------------------------------------------------------------------------------------------------

    def exemptions(self) -> tuple[Exemption, ...]:
        """The exceptions that hold now."""
        now = self._watching.now()
        return tuple(one for one in self._alerts.book().exemptions if now < one.until)

    def exemption(
        self, reason: str, days: int, *, unit: str = "", office: str = "", pattern: str = "", case_type: str = ""
    ) -> tuple[Exemption, Hidden]:
        """An exception as asked for, not saved yet, and what it would have hidden in the last 90 days."""
        now = self._watching.now()
        asked = Exemption(
            "", unit.strip().upper(), office.strip().upper(), pattern, case_type, now, now + days * DAY_MS,
            self._parts.account, reason,
        )  # fmt: skip
        book = self._alerts.book()
        checked = book.exempt(asked, now)
        return checked, would_have_hidden(checked, book.alerts, now)

    def save(self, one: Exemption) -> None:
        """Save an exception whose keeper has seen what it would have hidden."""
        with self._alerts.editing() as kept:
            kept.exemptions.append(one)

    def end(self, id: str) -> Exemption:
        """End an exception now. Raises `InputError` where there is none of that id."""
        now = self._watching.now()
        with self._alerts.editing() as kept:
            for place, one in enumerate(kept.exemptions):
                if one.id == id.strip().upper():
                    kept.exemptions[place] = replace(one, until=min(one.until, now))
                    return kept.exemptions[place]
        raise InputError(f"there is no exception {id}", hint="muniment watch exceptions")

    # --- challenges ------------------------------------------------------------------------------------------------

    def challenges(self, *, closed: bool = False) -> tuple[Waiting, ...]:
        """The challenges that wait for an answer, first due first; with `closed` all of them."""
        course, now = self._watching.course(), self._watching.now()
        answered = {one["sequence"] for one in self._alerts.kept().answers}
        found = []
        for one in course.worklist.challenges:
            state = "answered" if one.sequence in answered and one.state is Standing.OPEN else one.as_of(now).state
            if closed or state == Standing.OPEN:
                pseudonym = self._alerts.names.of("account", course.watch.spaces.account.text(one.account))
                found.append(Waiting(one.sequence, pseudonym, one.due, str(state)))
        return tuple(sorted(found, key=lambda one: (one.due, one.sequence)))

    def answer(self, sequence: int, good: bool, reason: str) -> Challenge:
        """Say whether the justification of a challenged read is good, after a check. Taken up by the next run.

        Raises `InputError`: no such challenge, judged already, past its term, or no reason.
        """
        check_reason(reason, f"challenge {sequence}")
        now, by, course = self._watching.now(), self._parts.account, self._watching.course()
        one = course.worklist.find(sequence)
        if one is None:
            raise InputError(f"disclosure {sequence:,} was not challenged", hint="muniment watch challenges")
        judged = one.justified(by, reason, now) if good else one.failed(by, reason, now)
        with self._alerts.editing() as kept:
            if any(known["sequence"] == sequence for known in kept.answers):
                raise InputError(f"challenge {sequence:,} is answered already: a judgement is final")
            kept.answers.append({"sequence": sequence, "good": good, "by": by, "reason": reason, "at": now})
        return judged

    # --- the rest --------------------------------------------------------------------------------------------------

    def test(self) -> dict[str, str]:
        """Send a test to every sink; what went wrong by name, empty for what worked."""
        settings = self._watching.settings()
        if not settings.sinks:
            raise InputError(
                f"{self._watching.path}: there is no [sinks.NAME]: nobody is told of an alert",
                hint="muniment watch explain sinks.NAME.kind",
            )
        message = trial_message(self._parts.config.workspace.lang, self._watching.now())
        return watch_sinks.test(watch_sinks.sinks_of(self._parts, settings), message)

    def unmask(self, id: str, reason: str = "", *, step: Step = "ask") -> Unmasked:
        """Ask for the account behind an alert, agree as another person, or refuse; and see it where that is granted.

        Every step is logged before anything is returned. Raises `InputError` as `watch.unmasking`.
        """
        persons, now, by = self._watching.settings().unmask_persons, self._watching.now(), self._parts.account
        alert, journal = self.alert(id), self._parts.journal
        with journal.writing():
            events = [UnmaskEvent.from_json(dict(one.body)) for one in journal.entries(UNMASKED)]
            standing = unmasking.standing(events, alert.id, now, persons)
            if step != "ask" or not standing.granted:
                taken = _STEPS[step](events, alert, now, by=by, reason=reason, persons=persons)
                self._logged(events, taken)
                standing = unmasking.standing(events, alert.id, now, persons)
            if not standing.granted or step == "refuse":
                return Unmasked(alert.id, alert.pseudonym, "", standing.missing)
            self._logged(events, unmasking.unmask(events, alert, now, by=by, persons=persons))
        names = self._watching.course().watch.spaces.account.texts
        account = self._alerts.names.find(alert.pseudonym, names)
        if not account:
            raise InputError(f"alert {alert.id}: the watch does not know its account any more")
        return Unmasked(alert.id, alert.pseudonym, account, 0)

    def _logged(self, events: list[UnmaskEvent], event: UnmaskEvent) -> None:
        self._parts.journal.append(UNMASKED, event.to_json(), self._parts.clock())
        events.append(event)

    def audit(self) -> tuple[tuple[Line, ...], Course]:
        """Promised alert rates against those seen, by kind, office and month; and the course that was counted."""
        course = self._watching.course()
        half = course.settings.alpha / 2
        return audit(seen_by(course.watch.tally), {"guaranteed": half, "estimated": half}), course
