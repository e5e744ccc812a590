"""OCSF Datastore Activity (class 6005), versions 1.1 to 1.8, one event a line.

Rules
1. Read, Query and List give records out; Connect, Create, Update, Write, Delete, Encrypt and Decrypt do not. Unknown
   and Other are counted as unclear, events of another class as other.
2. The register is the declared relation that `table` names, with `database` and schema as far as they are there; else,
   that the query names. Keys come from `query_info.query_string` alone, under the rules of `statement`.
3. Status 1 is given, 2 refused; anything else leaves delivery unknown. `count` above 1 means that the producer folded
   several events into one: that one is refused, since its others have no time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from muniment.disclosure import Delivery, Outcome, Party
from muniment.ingest.audit.lines import JsonObject, fields, json_lines, text, whole
from muniment.ingest.audit.reading import Reading
from muniment.ingest.audit.relations import Relation, Relations
from muniment.ingest.audit.statement import Asked, asked
from muniment.ingest.audit.tally import Tally
from muniment.ingest.audit.times import epoch

_CLASS: Final = 6005
_GIVING: Final = frozenset({1, 4, 8})
_OTHER: Final = frozenset({2, 3, 5, 6, 7, 9, 10})
_MILLISECONDS: Final = 1_000
_OUTCOMES: Final = {1: Outcome.GIVEN, 2: Outcome.REFUSED}
_DELIVERIES: Final = {delivery.value: delivery for delivery in Delivery}
_STATUSES: Final = {outcome.value: outcome for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class OcsfAudit:
    """Datastore Activity events as a source."""

    relations: Relations

    @property
    def form(self) -> str:
        """For people."""
        return "OCSF Datastore Activity"

    def readings(self, stream: BinaryIO, tally: Tally) -> Iterator[Reading]:
        """See `reader.AuditSource`."""
        for number, event in json_lines(stream, tally):
            if not _gives(event, tally):
                continue
            what = asked(text(event, "query_info", "query_string"), self.relations)
            relations = self._relations(event, what)
            tally.unnamed += not relations
            for relation in relations:
                try:
                    yield _reading(number, event, relation, what)
                except ValueError as error:
                    tally.refuse(number, str(error))

    def _relations(self, event: JsonObject, what: Asked) -> tuple[Relation, ...]:
        table, database = text(event, "table", "name"), text(event, "database", "name")
        if not table:
            table, database = database, ""
        relation = self.relations.named(table)
        if relation is None and database and "." not in table:
            relation = self.relations.named(f"{database}.{table}")
        return (relation,) if relation else what.relations


def _gives(event: JsonObject, tally: Tally) -> bool:
    """Whether an event gives records out; the others are counted."""
    if whole(event, "class_uid") != _CLASS:
        tally.other += 1
        return False
    activity = whole(event, "activity_id")
    tally.other += activity in _OTHER
    tally.unclear += activity not in _OTHER and activity not in _GIVING
    return activity in _GIVING


def _reading(number: int, event: JsonObject, relation: Relation, what: Asked) -> Reading:
    milliseconds = whole(event, "time")
    if milliseconds is None:
        raise ValueError("OCSF event without a time")
    if (whole(event, "count") or 1) > 1:
        raise ValueError("OCSF event that stands for several")
    own = fields(event, "unmapped", "muniment")
    outcome = _outcome(event, own)
    refused = outcome is Outcome.REFUSED
    return Reading(
        time=epoch(milliseconds, _MILLISECONDS),
        line=number,
        party=_party(event),
        register=relation.register,
        outcome=outcome,
        delivery=_DELIVERIES.get(text(own, "delivery"), Delivery.UNKNOWN),
        keys=() if refused else what.of(relation),
        rows=0 if refused else whole(own, "rows"),
        size=whole(own or fields(event, "query_info"), "size" if own else "bytes"),
        columns=tuple(filter(None, text(own, "columns").split(","))) or what.columns,
        purpose=text(own, "purpose"),
        basis=text(own, "basis"),
        case=text(event, "metadata", "correlation_uid"),
        fingerprint=what.fingerprint or text(own, "fingerprint"),
        event=text(event, "metadata", "uid"),
    )


def _outcome(event: JsonObject, own: JsonObject) -> Outcome:
    """What muniment's own export says, else the status."""
    return _STATUSES.get(text(own, "outcome")) or _OUTCOMES.get(whole(event, "status_id") or 0, Outcome.GIVEN)


def _party(event: JsonObject) -> Party:
    user, source = fields(event, "actor", "user"), fields(event, "src_endpoint")
    account = text(user, "name") or text(user, "uid") or text(user, "email_addr") or text(event, "actor", "app_name")
    device = text(source, "ip") or text(source, "hostname") or text(source, "name") or text(source, "uid")
    return Party(text(user, "org", "name"), account, device)
