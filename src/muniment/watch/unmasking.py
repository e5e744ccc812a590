"""Unmasking: whose account a pseudonym is, told for a reason, by as many persons as were configured. Pure.

    asked (a person, a reason) -> agreed (another person) ... -> granted for `GRANT_DAYS` -> each look is logged

Rules
1. One asks, with a reason; as many others agree as the settings say (`persons` 2: one other). Nobody counts twice.
2. Agreement comes within `ASKED_DAYS` of asking; a refusal ends what was asked. A grant ends by itself.
3. Nothing here knows a name: what is granted is that one may be looked up (`alerts.Pseudonyms.find`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from muniment.errors import InputError, IntegrityError
from muniment.watch.alerts.alert import Alert, check_reason

UnmaskKind: TypeAlias = Literal["asked", "agreed", "refused", "unmasked"]
DAY_MS: Final = 86_400_000
ASKED_DAYS: Final = 7
"""Days within which others agree: a reason of last month is another one."""
GRANT_DAYS: Final = 30
"""Days for which a grant holds: as long as an enquiry commonly takes."""
PERSONS: Final = (1, 5)
_KINDS: Final = ("asked", "agreed", "refused", "unmasked")


@dataclass(frozen=True, slots=True)
class UnmaskEvent:
    """One step. `at`: ms since 1970, UTC. `by`: who took it; `reason`: why (of *unmasked*: empty)."""

    kind: UnmaskKind
    alert: str
    pseudonym: str
    at: int
    by: str = field(repr=False)
    reason: str = field(default="", repr=False)

    def to_json(self) -> dict[str, Any]:
        """As JSON, for the journal."""
        return {
            "kind": self.kind, "alert": self.alert, "pseudonym": self.pseudonym, "at": self.at, "by": self.by,
            "reason": self.reason,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> UnmaskEvent:
        """What `to_json` wrote. Raises `IntegrityError` for anything else."""
        try:
            if value["kind"] not in _KINDS:
                raise ValueError
            return cls(
                value["kind"], str(value["alert"]), str(value["pseudonym"]), int(value["at"]), str(value["by"]),
                str(value["reason"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("an unmasking in the journal of watch is not what muniment writes") from error


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an unmasking stands. `missing`: persons who still have to agree, 0 where it is granted; `until`: when that
    which stands ends (ms since 1970, UTC), 0 where nothing was asked."""

    persons: int
    missing: int
    until: int

    @property
    def granted(self) -> bool:
        """Whether the name may be looked up."""
        return self.until > 0 and self.missing == 0


def standing(events: Iterable[UnmaskEvent], alert: str, now: int, persons: int) -> Standing:
    """Where the unmasking of one alert stands at a time. Raises `InputError` for a number of persons out of range."""
    _check_persons(persons)
    agreed: list[UnmaskEvent] = []
    for event in _in_force(events, alert, now):
        if event.kind == "asked" and not _holds(agreed, event.at, persons):
            agreed = [event]
        elif event.kind == "refused":
            agreed = []
        elif event.kind == "agreed" and _holds(agreed, event.at, persons) and _other(agreed, event):
            agreed.append(event)
    if not _holds(agreed, now, persons):
        return Standing(0, persons, 0)
    missing = max(0, persons - len(agreed))
    until = agreed[0].at + ASKED_DAYS * DAY_MS if missing else agreed[persons - 1].at + GRANT_DAYS * DAY_MS
    return Standing(len(agreed), missing, until)


def ask(events: Sequence[UnmaskEvent], alert: Alert, at: int, *, by: str, reason: str, persons: int) -> UnmaskEvent:
    """The event by which a person asks. Raises `InputError` where it was asked already, or without who and why."""
    if alert.unit != "account":
        raise InputError(f"alert {alert.id} is about no account: there is nobody to unmask")
    if standing(events, alert.id, at, persons).until:
        raise InputError(f"alert {alert.id}: unmasking was asked for already; another person agrees to it")
    return _step("asked", alert, at, by, reason)


def agree(events: Sequence[UnmaskEvent], alert: Alert, at: int, *, by: str, reason: str, persons: int) -> UnmaskEvent:
    """The event by which another person agrees. Raises `InputError` where nothing waits for one, or it is the same."""
    now = standing(events, alert.id, at, persons)
    if not now.until or not now.missing:
        raise InputError(f"alert {alert.id}: no unmasking waits for agreement")
    event = _step("agreed", alert, at, by, reason)
    if standing((*events, event), alert.id, at, persons).persons == now.persons:
        raise InputError(f"alert {alert.id}: unmasking takes {persons} different persons; this one was counted already")
    return event


def refuse(events: Sequence[UnmaskEvent], alert: Alert, at: int, *, by: str, reason: str, persons: int) -> UnmaskEvent:
    """The event by which a person ends what was asked or granted. Raises `InputError` where there is nothing to end."""
    if not standing(events, alert.id, at, persons).until:
        raise InputError(f"alert {alert.id}: no unmasking was asked for")
    return _step("refused", alert, at, by, reason)


def unmask(events: Sequence[UnmaskEvent], alert: Alert, at: int, *, by: str, persons: int) -> UnmaskEvent:
    """The event of a look at the name, to be stored before the name is shown. Raises `InputError` where not granted."""
    now = standing(events, alert.id, at, persons)
    if not now.granted:
        left = f"{now.missing} more person(s) must agree" if now.until else "nobody has asked for it"
        raise InputError(f"alert {alert.id}: unmasking is not granted: {left}")
    if not by.strip():
        raise InputError(f"alert {alert.id}: unmasking needs the name of who looks")
    return UnmaskEvent("unmasked", alert.id, alert.pseudonym, at, by)


def _step(kind: UnmaskKind, alert: Alert, at: int, by: str, reason: str) -> UnmaskEvent:
    if not by.strip():
        raise InputError(f"alert {alert.id}: unmasking needs the name of who asks or decides")
    check_reason(reason, f"alert {alert.id}: unmasking")
    return UnmaskEvent(kind, alert.id, alert.pseudonym, at, by, reason)


def _in_force(events: Iterable[UnmaskEvent], alert: str, now: int) -> list[UnmaskEvent]:
    """An alert's events up to now, in the order of their times: clocks of two persons may differ from the journal's."""
    return sorted((one for one in events if one.alert == alert and one.at <= now), key=lambda one: one.at)


def _holds(agreed: Sequence[UnmaskEvent], at: int, persons: int) -> bool:
    """Whether what was asked stands at a time: waiting within its week, or granted within its month."""
    if not agreed:
        return False
    if len(agreed) >= persons:
        return at < agreed[persons - 1].at + GRANT_DAYS * DAY_MS
    return at < agreed[0].at + ASKED_DAYS * DAY_MS


def _other(agreed: Sequence[UnmaskEvent], event: UnmaskEvent) -> bool:
    return _person(event.by) not in {_person(one.by) for one in agreed}


def _person(name: str) -> str:
    """A name as it is compared: written in other letters or with blanks, it is no other person."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _check_persons(persons: int) -> None:
    least, most = PERSONS
    if not least <= persons <= most:
        raise InputError(f"unmasking takes {persons} persons; expected {least} to {most}")
