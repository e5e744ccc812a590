"""Who received one person's record: the disclosures as the person may see them, and as the keeper does.

Rules
1. The person is told the recipient by name (CJEU C-154/21), when, what and why. Acting staff appear under a pseudonym
   that is the same in every answer (CJEU C-579/21): the person can tell one from many, and not who it was.
2. What an order withholds is left out of the person's view without a gap: no count, no number shows it.
3. The keeper's view names accounts and devices, and marks what is withheld.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from muniment.disclosure import Disclosure
from muniment.prf import hkdf

_STAFF_BYTES = 5
"""Bytes of a staff pseudonym: two of 10,000 accounts share one with a chance of one in 20,000."""


@dataclass(frozen=True, slots=True)
class Event:
    """One disclosure with its number and time (milliseconds since 1970, UTC), and whether it is sealed in the log."""

    sequence: int
    time: int
    disclosure: Disclosure
    sealed: bool = True
    records: int | None = None
    """How many records it held, where they were counted; the disclosure may come without them."""

    @property
    def happened(self) -> datetime:
        """When it happened: the time of recording, unless an import says that it was earlier."""
        return _moment(self.disclosure.occurred or self.time)


Names = Callable[[str, Sequence[int]], Sequence[str]]
"""Register name and column numbers -> column names."""


def staff_pseudonyms(secret: bytes) -> Callable[[str], str]:
    """A function from accounts to stable pseudonyms, keyed, so that nobody can try out account names."""
    known: dict[str, str] = {"": ""}

    def pseudonym(account: str) -> str:
        if account not in known:
            known[account] = "staff-" + hkdf(secret, "muniment staff 1", account, length=_STAFF_BYTES).hex()
        return known[account]

    return pseudonym


def for_person(
    events: Sequence[Event], withheld: Collection[int], staff: Callable[[str], str], names: Names
) -> list[dict[str, object]]:
    """The events as JSON values for the person: oldest first, what is withheld left out (rule 2)."""
    told = (event for event in events if event.sequence not in withheld)
    return [_told(event, names) | {"staff": staff(event.disclosure.party.account)} for event in told]


def for_keeper(events: Sequence[Event], withheld: Collection[int], names: Names) -> list[dict[str, object]]:
    """The events as JSON values for the keeper: with number, account, device, case, and whether each is withheld."""
    return [
        {"sequence": event.sequence}
        | _told(event, names)
        | {
            "account": event.disclosure.party.account,
            "device": event.disclosure.party.device,
            "case": event.disclosure.case,
            "fingerprint": event.disclosure.fingerprint,
            "mark_key": event.disclosure.template.mark_key,
            "rows": event.disclosure.rows,
            "recorded": _moment(event.time).isoformat(timespec="milliseconds"),
            "sealed": event.sealed,
            "withheld": event.sequence in withheld,
        }
        | ({} if event.records is None else {"records": event.records})
        for event in events
    ]


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _told(event: Event, names: Names) -> dict[str, object]:
    template = event.disclosure.template
    return {
        "time": event.happened.isoformat(timespec="milliseconds"),
        "recipient": event.disclosure.party.recipient,
        "register": template.register,
        "columns": list(names(template.register, template.columns)),
        "channel": template.channel.value,
        "purpose": template.purpose,
        "basis": template.basis,
        "outcome": template.outcome.value,
        "delivery": template.delivery.value,
    }


def summary_of(events: Sequence[Mapping[str, object]]) -> dict[tuple[object, object], int]:
    """How many events each recipient has for each purpose (45 CFR 164.528(b)(3)): (recipient, purpose) -> count."""
    counts: dict[tuple[object, object], int] = {}
    for event in events:
        place = event["recipient"], event["purpose"]
        counts[place] = counts.get(place, 0) + 1
    return counts
