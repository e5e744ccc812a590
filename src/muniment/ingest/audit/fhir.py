"""FHIR AuditEvent, R4 and R4B, in the patterns of IHE BALP 1.1: one resource a line, a Bundle, or a list of resources.

Rules
1. A disclosure is an event whose action is R (read) or E (a query), or whose subtype is ISO 21089 "disclose"; the
   others are counted. Which events there are is the application's word.
2. Records are the entities with role Patient (object-role 1) or a reference to a Patient: by the id of the reference,
   or by an identifier of the declared system. An event without one is count-only: BALP logs a query without a patient
   so. One without an id or identifier that can be used is count-only too, never half attributed.
3. Recipient: the agent in the role of destination (DCM 110152) of a disclosure. Account: the agent that is an
   information recipient (IRCP), or else the one that asked. A custodian or a patient's advocate is neither.
4. Outcome 0 is given, 4 (a client's failure) refused, 8 and 12 stopped: nobody knows what had left by then.
5. `line` is the line, or the number of the resource in a document. A document is held whole, up to DOCUMENT_BYTES.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import BinaryIO, Final
from urllib.parse import parse_qsl, urlsplit

from muniment.disclosure import Delivery, Outcome, Party
from muniment.errors import LimitError
from muniment.ingest.audit.lines import JsonObject, fields, items, json_lines, json_value, text
from muniment.ingest.audit.reading import Keys, Reading
from muniment.ingest.audit.tally import Tally
from muniment.ingest.audit.times import instant
from muniment.limits import DOCUMENT_BYTES

_DESTINATION: Final = "110152"
_RECIPIENT: Final = "IRCP"
_NOT_RECEIVING: Final = frozenset({"110153", "110150", "159541003", "429577009"})
"""Source, application, custodian, authoriser: agents that receive nothing."""
_DISCLOSE: Final = "disclose"
_READS: Final = frozenset({"R", "E"})
_WRITES: Final = frozenset({"C", "U", "D"})
_OUTCOMES: Final = {
    "0": Outcome.GIVEN, "": Outcome.GIVEN, "4": Outcome.REFUSED, "8": Outcome.STOPPED, "12": Outcome.STOPPED,
}  # fmt: skip
_PATIENT: Final = re.compile(r"(?:[^\s?#]*/)?Patient/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")
_QUERY_CHARACTERS: Final = 65_536
_PARAMETERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class FhirAudit:
    """AuditEvents as a source. `system`: take a patient by the identifier of this system, not by the reference's id."""

    register: str
    system: str = ""

    @property
    def form(self) -> str:
        """For people."""
        return "FHIR AuditEvent"

    def readings(self, stream: BinaryIO, tally: Tally) -> Iterator[Reading]:
        """See `reader.AuditSource`."""
        for number, event in _events(stream, tally):
            if text(event, "resourceType") != "AuditEvent":
                tally.other += 1
                continue
            try:
                reading = self._reading(number, event, tally)
            except ValueError as error:
                tally.refuse(number, str(error))
                continue
            if reading is not None:
                yield reading

    def _reading(self, number: int, event: JsonObject, tally: Tally) -> Reading | None:
        disclosed = any(text(code, "code") == _DISCLOSE for code in items(event, "subtype"))
        action = text(event, "action")
        if not disclosed and action not in _READS:
            tally.other += action in _WRITES
            tally.unclear += action not in _WRITES
            return None
        outcome = _OUTCOMES.get(text(event, "outcome"))
        if outcome is None:
            raise ValueError("AuditEvent with an unknown outcome")
        keys = () if outcome is Outcome.REFUSED else self._keys(event)
        details = _details(event)
        return Reading(
            time=instant(text(event, "recorded")),
            line=number,
            party=_party(event, disclosed),
            register=self.register,
            outcome=outcome,
            delivery=Delivery.UNKNOWN,
            keys=keys,
            exact=keys is not None and outcome is Outcome.GIVEN,
            rows=_number(details.get("rows")),
            size=_number(details.get("size")),
            columns=tuple(details["columns"].split(",")) if details.get("columns") else None,
            purpose=_purpose(event),
            basis=details.get("basis", ""),
            case=details.get("case", ""),
            fingerprint=details.get("fingerprint") or _query(event),
            event=text(event, "id"),
        )

    def _keys(self, event: JsonObject) -> Keys | None:
        """The patients of an event, each once; `None` where there is none, or one that cannot be told."""
        keys: dict[tuple[str, ...], None] = {}
        for entity in items(event, "entity"):
            what = fields(entity, "what")
            found = _PATIENT.fullmatch(text(what, "reference"))
            if not found and text(entity, "role", "code") != "1" and text(what, "type") != "Patient":
                continue
            key = self._identifier(what) if self.system else found[1] if found else ""
            if not key:
                return None
            keys[(key,)] = None
        return tuple(keys) or None

    def _identifier(self, what: JsonObject) -> str:
        named = fields(what, "identifier")
        return text(named, "value") if text(named, "system") == self.system else ""


def _events(stream: BinaryIO, tally: Tally) -> Iterator[tuple[int, JsonObject]]:
    """Number and resource of each event. What begins with a whole object on its first line is read line by line."""
    first = stream.readline(DOCUMENT_BYTES + 1)
    while first.isspace():
        first = stream.readline(DOCUMENT_BYTES + 1)
    value = _tried(first)
    if isinstance(value, dict) and text(value, "resourceType") != "Bundle":
        yield from json_lines(_Rejoined(first, stream), tally)
        return
    data = first + stream.read(DOCUMENT_BYTES + 1 - len(first))
    if len(data) > DOCUMENT_BYTES:
        raise LimitError(
            f"{tally.name}: a document of more than {DOCUMENT_BYTES:,} bytes", hint="give one resource a line"
        )
    document = _tried(data)
    if document is not None:
        yield from _inside(document)
        return
    for number, line in json_lines(io.BytesIO(data), tally):  # Bundles line by line, or a first line that is damaged
        yield from ((number, event) for _, event in _inside(line))


def _tried(data: bytes) -> object:
    try:
        return json_value(data.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return None


class _Rejoined:
    """A stream of lines from which the first was read off already."""

    def __init__(self, first: bytes, stream: BinaryIO) -> None:
        self._first, self._stream = first, stream

    def readline(self, size: int, /) -> bytes:
        first, self._first = self._first, b""
        return first or self._stream.readline(size)


def _inside(document: object) -> Iterable[tuple[int, JsonObject]]:
    """The resources of a Bundle, a list, or a single one, numbered from 1."""
    if isinstance(document, list):
        found = [item for item in document if isinstance(item, dict)]
    elif isinstance(document, dict) and text(document, "resourceType") == "Bundle":
        found = [dict(fields(entry, "resource")) for entry in items(document, "entry")]
    else:
        found = [document] if isinstance(document, dict) else []
    return enumerate(found, 1)


def _party(event: JsonObject, disclosed: bool) -> Party:
    """The agents by their roles (rule 3)."""
    destinations, recipients, askers = [], [], []
    for agent in items(event, "agent"):
        codes = {text(code, "code") for code in items(agent, "type", "coding")}
        if _DESTINATION in codes:
            destinations.append(agent)
        elif _RECIPIENT in codes:
            recipients.append(agent)
        elif agent.get("requestor") is True and not codes & _NOT_RECEIVING:
            askers.append(agent)
    device = _first(text(agent, "network", "address") for agent in destinations)
    recipient = _first(map(_who, destinations)) if disclosed else ""
    return Party(recipient, _first(map(_who, recipients + askers)), device)


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def _who(agent: JsonObject) -> str:
    """The name under which an agent is known: an identifier before a name, a name before a reference."""
    places = (
        ("who", "identifier", "value"), ("altId",), ("who", "display"), ("name",), ("who", "reference"),
    )  # fmt: skip
    return _first(text(agent, *place) for place in places)


def _purpose(event: JsonObject) -> str:
    """Why: of the event, else of an agent; the words before the code."""
    concepts = chain(
        items(event, "purposeOfEvent"),
        (concept for agent in items(event, "agent") for concept in items(agent, "purposeOfUse")),
    )
    for concept in concepts:
        if found := text(concept, "text"):
            return found
        for coding in items(concept, "coding"):
            if found := text(coding, "display") or text(coding, "code"):
                return found
    return ""


def _details(event: JsonObject) -> dict[str, str]:
    """`entity.detail` by type, as `ledger.export.fhir` writes it; the first of a name counts."""
    details: dict[str, str] = {}
    for entity in items(event, "entity"):
        for detail in items(entity, "detail"):
            details.setdefault(text(detail, "type"), text(detail, "valueString"))
    return details


def _number(digits: str | None) -> int | None:
    return int(digits) if digits and digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def _query(event: JsonObject) -> str:
    """A fingerprint of a logged search: its resource type and the names of its parameters, never their values."""
    for entity in items(event, "entity"):
        encoded = text(entity, "query")
        if not encoded or len(encoded) > _QUERY_CHARACTERS:
            continue
        try:
            query = base64.b64decode(encoded, validate=True).decode().split(" ")[-1]
            parts = urlsplit(query)
            names = sorted({name for name, _ in parse_qsl(parts.query, True, max_num_fields=_PARAMETERS)})
        except (binascii.Error, ValueError):
            continue
        kind = next((part for part in reversed(parts.path.split("/")) if part.isalpha() and part[:1].isupper()), "")
        shape = "\0".join([kind, *names])
        return sha256(shape.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return ""
