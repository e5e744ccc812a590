"""Exceptions: what is known to be innocent is not told again, for a time, by a name, with a reason.

Rules
1. An exception names an account or an office, may name a pattern and a case type, and ends: after a year at most.
2. Before one is saved, its keeper sees what it would have hidden in the last 90 days (`would_have_hidden`).
3. What is hidden is still an event (*hidden*): it can be counted, and it is there when the exception turns out wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from muniment.errors import InputError, IntegrityError
from muniment.watch.alerts.alert import Alert, check_reason
from muniment.watch.alerts.sighting import PATTERNS, Sighting

DAY_MS: Final = 86_400_000
LONGEST_DAYS: Final = 366
"""Days after which an exception ends at the latest: offices and their work change within a year."""
LOOK_BACK_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exception. `unit`, `office`: pseudonyms, one of them at least; `pattern`, `case_type`: empty for any.

    `since`, `until`: ms since 1970, UTC. `by`: who saved it.
    """

    id: str
    unit: str
    office: str
    pattern: str
    case_type: str
    since: int
    until: int
    by: str = field(repr=False)
    reason: str = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """As JSON, for the journal."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Exemption:
        """What `to_json` wrote. Raises `IntegrityError` for anything else."""
        try:
            return cls(
                str(value["id"]), str(value["unit"]), str(value["office"]), str(value["pattern"]),
                str(value["case_type"]), int(value["since"]), int(value["until"]), str(value["by"]),
                str(value["reason"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("an exception in the journal of watch is not what muniment writes") from error

    def covers(self, sighting: Sighting) -> bool:
        """Whether it is about this finding, at whatever time.

        A case type covers only a finding all of whose reads named cases of that type: what is not known is not hidden.
        """
        return (
            self.unit in {"", sighting.pseudonym}
            and self.office in {"", sighting.office}
            and self.pattern in {"", sighting.pattern}
            and (not self.case_type or {name for name, _ in sighting.types} == {self.case_type})
        )

    def hides(self, sighting: Sighting, at: int) -> bool:
        """Whether it keeps this finding of the time `at` from becoming an alert."""
        return self.since <= at < self.until and self.covers(sighting)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What an exception would have hidden: `sightings` and whole `alerts`, of so many `accounts` (or offices).

    `records`: at stake in them. `guaranteed`: alerts among them with a guarantee. `confirmed`: alerts among them that
    a person found to be right: one is reason enough not to save it. `unsure`: findings whose case types are not known.
    """

    sightings: int = 0
    alerts: int = 0
    accounts: int = 0
    records: int = 0
    guaranteed: int = 0
    confirmed: int = 0
    unsure: int = 0


def checked_exemption(one: Exemption, now: int) -> Exemption:
    """The same exception. Raises `InputError` where it is too wide, too long, or without who and why."""
    if not one.unit and not one.office:
        raise InputError("an exception names an account or an office; for all of them at once, declare another budget")
    if not one.unit and not one.pattern:
        raise InputError("an exception for a whole office names a pattern, so that the others still speak")
    if one.pattern and one.pattern not in PATTERNS:
        raise InputError(f"pattern {one.pattern!r}: expected one of {', '.join(PATTERNS)}")
    if not now < one.until <= now + LONGEST_DAYS * DAY_MS:
        raise InputError(f"an exception ends in the future, within {LONGEST_DAYS} days")
    if not one.by.strip():
        raise InputError("an exception needs the name of who saves it")
    check_reason(one.reason, "an exception")
    return one


def would_have_hidden(one: Exemption, alerts: Iterable[Alert], now: int, days: int = LOOK_BACK_DAYS) -> Hidden:
    """What an exception would have hidden of the findings of the last `days`, had it held all that time."""
    began = now - days * DAY_MS
    told = sightings = records = guaranteed = confirmed = unsure = 0
    units: set[str] = set()
    for alert in alerts:
        recent = [event.sighting for event in alert.history if event.sighting and began <= event.at <= now]
        hidden = [sighting for sighting in recent if one.covers(sighting)]
        unsure += 0 if not one.case_type else sum(not sighting.types for sighting in recent)
        if not hidden:
            continue
        sightings += len(hidden)
        records += sum(sighting.records for sighting in hidden)
        units.add(alert.pseudonym)
        if len(hidden) == alert.count:
            told += 1
            guaranteed += alert.kind == "guaranteed"
            confirmed += alert.state == "confirmed"
    return Hidden(sightings, told, len(units), records, guaranteed, confirmed, unsure)
