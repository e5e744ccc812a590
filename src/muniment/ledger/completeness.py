"""Proof for one person: these are all disclosures of that person up to a checkpoint, and nobody else's. Pure.

The proof is a JSON value (digests and salts in lower-case hex, leaves of the log as text):

    {"format": "muniment person proof 1",
     "checkpoint": signed note,
     "index": {"index": i, "leaf": text, "path": [...]},           the index leaf, and its inclusion in the checkpoint
     "person": `ordinals.persons.PersonProof`,                     pseudonym -> ordinal, or that it has none
     "runs": [`index.proof.RunProof`, ...],                        one for each run of the index leaf, in its order
     "manifests": [{"index", "leaf", "path"}, ...],                of every segment spoken of below
     "dumps": [{"leaf", "row", "span", "root", "opening"}, ...],   every dump; a record opening, null beyond the span
     "events": [{"leaf", "event", "record"}, ...],                 `segments.opening`; "record" is null of a dump
     "statement": text}

`leaf` and `index` are indices of leaves in the log. Verifying, in this order:
 1. The checkpoint is signed by a key of the log.                 2. The index leaf is in the log.
 3. The pseudonym has this ordinal in the logged map of persons, or none: then the proof ends here, and is empty. Of
    this map and those of runs the map salt is the one that was logged.
 4. Every manifest is in the log, before the index leaf.
 5. Each run lists these postings for the ordinal, all of them, under its logged root.
 6. The dumps are all that the index leaf counts, as their manifests list them; each opens its bit of the ordinal.
 7. There is one event for each posting and each dump that holds the ordinal, and no other; each opens under the events
    root of its manifest and holds the ordinal.
 8. The statement is the one that follows.

What this leaves to trust: that the pseudonym is the person's (the keeper's pseudonym key says so), that the index was
derived from the segments (`verify --full` does it again, with keys), and what was sealed after the index leaf.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from muniment.errors import IntegrityError
from muniment.ledger.index.leaf import IndexLeaf, LoggedDump, dump_digest
from muniment.ledger.index.proof import Posting, RunProof
from muniment.ledger.log.checkpoint import Checkpoint, open_checkpoint
from muniment.ledger.log.note import NOTE_BYTES
from muniment.ledger.log.tree import leaf_hash, verify_inclusion
from muniment.ledger.ordinals.persons import PersonProof
from muniment.ledger.segments.manifest import Dump, DumpDigest, Manifest
from muniment.ledger.segments.opening import DUMP, OpenedEvent, verify_event, verify_record

if TYPE_CHECKING:
    from muniment.ledger.log.note import VerifierKey

FORMAT: Final = "muniment person proof 1"
PROOF_ITEMS: Final = 1_000_000
"""Entries of one list of a proof (limits.PROOF_ITEMS): far more disclosures than anybody has."""
PROOF_BYTES: Final = 1024**3
"""Bytes of a proof that are read from a file (limits.PROOF_BYTES): a dump takes some 8 kB of it."""
LEAF_CHARACTERS: Final = 65_535
PATH_DIGESTS: Final = 64
Json: TypeAlias = Mapping[str, object]
_PARTS = ("format", "checkpoint", "index", "person", "runs", "manifests", "dumps", "events", "statement")
_TOP = 1 << 63


@dataclass(frozen=True, slots=True)
class VerifiedDisclosure:
    """One disclosure that held the person: leaf of its segment, row, its numbers, and the fields that were opened."""

    leaf: int
    row: int
    numbers: Mapping[str, int]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """What a verified proof shows. `ordinal` is `None` where the ledger knew no such person.

    `index` is the place of the index leaf, `segments` how many segments it covers; of the log's `size` leaves those
    behind it are not covered.
    """

    origin: str
    size: int
    index: int
    segments: int
    checked: datetime
    pseudonym: int
    ordinal: int | None
    disclosures: tuple[VerifiedDisclosure, ...]
    statement: str


def statement_of(index: IndexLeaf) -> str:
    """What a proof claims, in words; the date is the day (UTC) on which index and segments were compared."""
    date = index.time.astimezone(UTC).date().isoformat()
    return f"complete relative to the pseudonym key; index checked against segments on {date}"


def verify_person_proof(
    value: object, vkeys: Sequence[VerifierKey], *, witnesses: Sequence[VerifierKey] = ()
) -> PersonHistory:
    """Verify a proof under the keys of the log (all have its origin as their name).

    Raises `IntegrityError` that says which part does not verify.
    """
    proof = _members(value, _PARTS, "the proof")
    if proof["format"] != FORMAT:
        raise IntegrityError(f"the proof is of another format; expected {FORMAT!r}")
    # 1. the checkpoint
    note = _text(proof["checkpoint"], NOTE_BYTES, "the checkpoint").encode()
    signed = open_checkpoint(note, vkeys, vkeys[0].name, witnesses=witnesses, what="the checkpoint of the proof")
    # 2. the index leaf
    place, leaf = _included(proof["index"], signed.checkpoint, "the index leaf")
    index = IndexLeaf.from_leaf(leaf)
    # 3. the person
    person = PersonProof.from_json(proof["person"])
    index.ordinals.check_salt(person.map_salt)
    ordinal = person.verify(index.ordinals.root, index.ordinals.entries)
    # 4. to 7.
    manifests = _manifests(proof["manifests"], signed.checkpoint, place)
    found = _Found(index, manifests, proof).disclosures(ordinal)
    # 8. the statement
    if proof["statement"] != statement_of(index):
        raise IntegrityError("the statement of the proof is not the one that it shows")
    return PersonHistory(
        origin=signed.checkpoint.origin,
        size=signed.checkpoint.size,
        index=place,
        segments=index.segments,
        checked=index.time,
        pseudonym=person.pseudonym,
        ordinal=ordinal,
        disclosures=found,
        statement=statement_of(index),
    )


class _Found:
    """Steps 5 to 7: what runs and dumps name must be what the events open."""

    def __init__(self, index: IndexLeaf, manifests: Mapping[int, Manifest], proof: Json) -> None:
        self._index = index
        self._manifests = manifests
        self._runs = _list(proof["runs"], "runs")
        self._dumps = _list(proof["dumps"], "dumps")
        self._events = _list(proof["events"], "events")

    def disclosures(self, ordinal: int | None) -> tuple[VerifiedDisclosure, ...]:
        """All disclosures of an ordinal, by sequence number."""
        if ordinal is None:
            if self._runs or self._dumps or self._events or self._manifests:
                raise IntegrityError("the proof is about a person without an ordinal, and yet names disclosures")
            return ()
        postings = self._listed(ordinal)
        dumped = self._dumped(ordinal)
        opened = [self._opened(event, ordinal, dumped) for event in self._events]
        named = sorted([*postings, *dumped])
        if sorted((one.leaf, one.row) for one in opened) != named:
            raise IntegrityError(
                f"the proof opens {len(opened):,} disclosures, not the {len(named):,} that index and dumps name"
            )
        return tuple(sorted(opened, key=lambda one: one.numbers["sequence"]))

    def _listed(self, ordinal: int) -> list[Posting]:
        """5. The postings of every run."""
        if len(self._runs) != len(self._index.runs):
            raise IntegrityError(f"the proof speaks of {len(self._runs)} runs; the index has {len(self._index.runs)}")
        found: list[Posting] = []
        for stored, run in zip(self._runs, self._index.runs, strict=True):
            postings = RunProof.from_json(stored).verify(ordinal, run.map)
            if any(not run.first <= leaf <= run.last for leaf, _ in postings):
                raise IntegrityError("a run of the index names a segment that it is not about")
            found += postings
        return found

    def _dumped(self, ordinal: int) -> dict[Posting, LoggedDump]:
        """6. The dumps that hold the ordinal."""
        dumps = [_dump(stored) for stored in self._dumps]
        listed = [dump for dump, _ in dumps]
        if len(listed) != self._index.dumps or dump_digest(listed) != self._index.dump_digest:
            raise IntegrityError("the dumps of the proof are not those that the index leaf counts")
        self._check_listed(listed)
        held = {}
        for dump, opening in dumps:
            if ordinal >= dump.span:
                if opening is not None:
                    raise IntegrityError("the proof opens an ordinal of a dump that lies beyond its span")
                continue
            event = OpenedEvent(dump.row, {}, {}, DUMP, dump.span, dump.root)
            record = verify_record(opening, event)
            if record.ordinal != ordinal:
                raise IntegrityError("the proof opens another ordinal of a dump than the person's")
            if record.present:
                held[dump.leaf, dump.row] = dump
        return held

    def _check_listed(self, dumps: Sequence[LoggedDump]) -> None:
        """The dumps are those of the manifests, for each segment all of them."""
        of_leaf: dict[int, list[Dump]] = defaultdict(list)
        for dump in dumps:
            of_leaf[dump.leaf].append(Dump(dump.row, dump.span, dump.root.hex()))
        if not of_leaf.keys() <= self._manifests.keys():
            raise IntegrityError("the manifest of a segment with a dump is missing from the proof")
        for leaf, manifest in self._manifests.items():
            own: tuple[Dump, ...] | DumpDigest = tuple(of_leaf.get(leaf, ()))
            if isinstance(manifest.dumps, DumpDigest):
                own = DumpDigest.of(of_leaf.get(leaf, ()))
            if own != manifest.dumps:
                raise IntegrityError(f"the dumps of the proof are not those of the manifest at leaf {leaf:,}")

    def _opened(self, stored: object, ordinal: int, dumped: Mapping[Posting, LoggedDump]) -> VerifiedDisclosure:
        """7. One event, with the ordinal among its records."""
        value = _members(stored, ("leaf", "event", "record"), "an event")
        leaf = _integer(value["leaf"], "an event")
        manifest = self._manifests.get(leaf)
        if manifest is None:
            raise IntegrityError(f"the manifest at leaf {leaf:,}, which an event names, is missing from the proof")
        event = verify_event(value["event"], bytes.fromhex(manifest.events), manifest.rows)
        dump = dumped.get((leaf, event.row))
        if dump is not None:
            if value["record"] is not None or (event.shape, event.span, event.root) != (DUMP, dump.span, dump.root):
                raise IntegrityError("an event of the proof is not the dump that it stands for")
        else:
            record = verify_record(value["record"], event)
            if record.ordinal != ordinal or event.shape == DUMP:
                raise IntegrityError("an event of the proof opens another record than the person's")
        return VerifiedDisclosure(leaf, event.row, event.numbers, event.fields)


def _manifests(stored: object, checkpoint: Checkpoint, before: int) -> dict[int, Manifest]:
    """4. The manifests by leaf index."""
    found: dict[int, Manifest] = {}
    for one in _list(stored, "manifests"):
        place, leaf = _included(one, checkpoint, "a manifest")
        if place in found or place >= before:
            raise IntegrityError("a manifest of the proof comes twice, or stands behind the index leaf")
        found[place] = Manifest.from_leaf(leaf)
    return found


def _included(stored: object, checkpoint: Checkpoint, what: str) -> tuple[int, bytes]:
    """A leaf that is in the log: its index and bytes."""
    value = _members(stored, ("index", "leaf", "path"), what)
    place = _integer(value["index"], what)
    leaf = _text(value["leaf"], LEAF_CHARACTERS, what).encode()
    path = value["path"]
    if not isinstance(path, list) or len(path) > PATH_DIGESTS:
        raise IntegrityError(f"{what} of the proof is malformed; expected a path of at most {PATH_DIGESTS} digests")
    try:
        digests = [_digest(digest, what) for digest in path]
        verify_inclusion(leaf_hash(leaf), place, checkpoint.size, digests, checkpoint.root)
    except IntegrityError as error:
        raise IntegrityError(f"{what} of the proof is not in the log: {error.message}") from error
    return place, leaf


def _dump(stored: object) -> tuple[LoggedDump, object]:
    """A dump and its opening, which is not verified yet."""
    value = _members(stored, ("leaf", "row", "span", "root", "opening"), "a dump")
    leaf, row, span = (_integer(value[name], "a dump") for name in ("leaf", "row", "span"))
    return LoggedDump(leaf, row, span, _digest(value["root"], "a dump")), value["opening"]


def _members(value: object, names: Sequence[str], what: str) -> Json:
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise IntegrityError(f"{what} is malformed; expected the members {', '.join(names)}")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list) or len(value) > PROOF_ITEMS:
        raise IntegrityError(f"the {what} of the proof are malformed; expected a list of at most {PROOF_ITEMS:,}")
    return value


def _integer(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < _TOP:
        raise IntegrityError(f"{what} of the proof is malformed: a number is missing or out of range")
    return value


def _text(value: object, most: int, what: str) -> str:
    if not isinstance(value, str) or len(value) > most or any("\ud800" <= c <= "\udfff" for c in value):
        raise IntegrityError(f"{what} of the proof is malformed; expected a text of at most {most:,} characters")
    return value


def _digest(value: object, what: str) -> bytes:
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise IntegrityError(f"{what} of the proof is malformed; expected 32 bytes in hex")
    return bytes.fromhex(value)
