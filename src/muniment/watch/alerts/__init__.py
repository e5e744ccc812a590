"""Alerts: what people are told, and what became of it. Values and pure functions; who stores and sends is elsewhere.

    finding --sighted--> sighting --AlertBook.take--> event --AlertBook.apply--> alert --render--> five lines

Rules
1. An alert is the fold of its events. Whoever keeps the events keeps the alerts; an event is stored, then sent.
2. An alert speaks of a pseudonym. No event, text or repr holds a record key, an ordinal or the name of an account.
3. One alert a unit and pattern, while it is open: findings join it. The id is a keyed digest of the finding that
   opened it, so that a replay or a crash makes the same alert again and never a second one.
"""

from muniment.watch.alerts.alert import OPEN, Alert, AlertEvent, apply, worth_sending
from muniment.watch.alerts.book import AlertBook
from muniment.watch.alerts.exemptions import Exemption, Hidden, would_have_hidden
from muniment.watch.alerts.pseudonyms import Pseudonyms
from muniment.watch.alerts.rates import Seen, share_bound, share_flagged
from muniment.watch.alerts.sighting import Labels, NamedStake, Sighting, Weights, sighted, sighted_crowd
from muniment.watch.alerts.term import closed_on, ending, expired, forgotten
from muniment.watch.alerts.text import View, page, render

__all__ = [
    "OPEN",
    "Alert",
    "AlertBook",
    "AlertEvent",
    "Exemption",
    "Hidden",
    "Labels",
    "NamedStake",
    "Pseudonyms",
    "Seen",
    "Sighting",
    "View",
    "Weights",
    "apply",
    "closed_on",
    "ending",
    "expired",
    "forgotten",
    "page",
    "render",
    "share_bound",
    "share_flagged",
    "sighted",
    "sighted_crowd",
    "worth_sending",
    "would_have_hidden",
]
