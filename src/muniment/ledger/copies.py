"""Recipients and copies: `CopyLedger` is the interface, `LedgerCopies` keeps it in the disclosure ledger.

Rules
1. Recipients are numbered from 1 in the order in which they first came; a name finds its number again for ever.
2. A copy is a disclosure by the channel `file`, durable first, and then an entry of the journal that names the
   disclosure by its sequence number and adds what only a copy has. When `record_many` returns, both are on disk, so
   that the file may appear under its final name. A disclosure without an entry is one whose file never appeared.
3. `before` cuts at a journal head: what was recorded after it is not seen. Only copies under a head older than the
   finding of a leak make candidates (evidence.md section 2).
4. The names of recipients, purposes and queries are in sealed files only; records are ordinals.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from muniment import limits
from muniment.disclosure import Channel, Copy, Party, Recipient, Template, checked_name
from muniment.errors import LimitError
from muniment.ledger.appender import Appender
from muniment.ledger.batch import Batch, Texts
from muniment.ledger.declarations import DeclaredRegister, registers, schema_version
from muniment.ledger.journal import Body, Entry, Head, Journal

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RECIPIENT = "recipient"
_COPY = "copy"
_APPEND_RECORDS = 2**24
"""Records in one append: 64 MiB of ordinals, however many copies of however large an extract are handed out."""


class Disclosures(Protocol):
    """What the copies need of the ledger (`ledger.store.Ledger` is one)."""

    def writing(self) -> AbstractContextManager[Appender]:
        """The writer, held for a while; what was appended is sealed afterwards."""

    def records(self, sequence: int) -> NDArray[np.uint32]:
        """The ordinals of one disclosure, ascending."""


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """A copy before it has a number and a time; the fields mean what they mean in `disclosure.Copy`.

    `account` is who handed it out, `size` the bytes of its file; `basis` and `case` may be empty.
    """

    recipient: Recipient
    register: str
    purpose: str
    where: str | None
    columns: tuple[str, ...]
    rows: int
    symbols: int
    mark_key: str
    file_digest: str
    size: int = 0
    account: str = ""
    basis: str = ""
    case: str = ""


class CopyLedger(Protocol):
    """What release and trace need of a ledger. Every write is durable when it returns, or raises and wrote nothing."""

    def recipients(self, names: Sequence[str], now: datetime) -> tuple[Recipient, ...]:
        """Find each recipient by name, or number it next; in the order of `names`."""

    def record_many(
        self,
        planned: Sequence[PlannedCopy],
        pseudonyms: NDArray[np.uint64],
        now: datetime,
        older: Sequence[NDArray[np.uint64]] = (),
    ) -> tuple[Copy, ...]:
        """Record copies of one set of records, all in one sync."""

    def copies(
        self, register: str | None = None, recipient: Recipient | None = None, before: Head | None = None
    ) -> tuple[Copy, ...]:
        """The copies of a register, of a recipient, or all, oldest first."""

    def records(self, copy: Copy) -> NDArray[np.uint32]:
        """The records that a copy's query selected, as ordinals, ascending."""


class LedgerCopies:
    """`CopyLedger` over journal and ledger. It owns an index of the copies that is rebuilt from the journal."""

    def __init__(self, journal: Journal, disclosures: Disclosures) -> None:
        self._journal = journal
        self._disclosures = disclosures
        self._forget()

    def recipient(self, name: str, now: datetime) -> Recipient:
        """Find a recipient by name, or number it next; errors as `recipients`."""
        return self.recipients([name], now)[0]

    def recipients(self, names: Sequence[str], now: datetime) -> tuple[Recipient, ...]:
        """Find each recipient by name (compared as Unicode NFC), or number it next; new ones in one sync.

        Raises `InputError` for a name that is empty, too long or holds control characters: then none is numbered.
        """
        wanted = [checked_name("the name of a recipient", unicodedata.normalize("NFC", name)) for name in names]
        with self._journal.writing():
            self._catch_up()
            new = [name for name in dict.fromkeys(wanted) if name not in self._by_name]
            first = len(self._recipients) + 1
            if first + len(new) > limits.RECIPIENTS:
                raise LimitError(f"{len(self._recipients):,} recipients; there are no numbers left")
            items = [(_RECIPIENT, {"number": number, "name": name}) for number, name in enumerate(new, first)]
            self._journal.append_many(items, now)
            self._catch_up()
        return tuple(self._by_name[name] for name in wanted)

    def known_recipients(self, before: Head | None = None) -> tuple[Recipient, ...]:
        """Every recipient (numbered up to the head `before`), in order of number."""
        self._catch_up()
        return tuple(recipient for sequence, recipient in self._recipients if _within(sequence, before))

    def record_many(
        self,
        planned: Sequence[PlannedCopy],
        pseudonyms: NDArray[np.uint64],
        now: datetime,
        older: Sequence[NDArray[np.uint64]] = (),
    ) -> tuple[Copy, ...]:
        """Record copies of the records with these pseudonyms, shape (n,); each copy gets the next number.

        `older`: pseudonyms of the same records under earlier epochs, shape (n,) each.
        Raises `UnreachableError` where the disk fails, `LimitError` for a purpose that is too long. An error means: do
        not hand the files out. It may leave disclosures on record that never took place.
        """
        for copy in planned:
            if len(copy.purpose) > limits.PURPOSE_CHARACTERS:
                most = limits.PURPOSE_CHARACTERS
                raise LimitError(f"a purpose of {len(copy.purpose):,} characters; expected at most {most:,}")
        with self._journal.writing(), self._disclosures.writing() as appender:
            self._catch_up()
            ordinals = np.unique(appender.ordinals(pseudonyms, older))
            sequences = self._disclose(appender, planned, ordinals)
            first = len(self._copies) + 1
            numbered = zip(planned, sequences, strict=True)
            items = [(_COPY, _body(number, copy, place)) for number, (copy, place) in enumerate(numbered, first)]
            self._journal.append_many(items, now)
            self._catch_up()
        return tuple(copy for _, copy in self._copies[first - 1 : first - 1 + len(planned)])

    def _disclose(
        self, appender: Appender, planned: Sequence[PlannedCopy], ordinals: NDArray[np.uint32]
    ) -> Iterator[int]:
        """Append one disclosure a copy, durable; yields their sequence numbers."""
        declared = registers(self._journal)
        versions = {copy.register: schema_version(self._journal, copy.register) for copy in planned}
        step = max(1, _APPEND_RECORDS // max(1, len(ordinals)))
        pending = [
            (part, appender.append_many(_batch(part, declared, versions, ordinals)))
            for part in (planned[start : start + step] for start in range(0, len(planned), step))
        ]
        for part, future in pending:
            yield from range(future.result().first, future.result().first + len(part))

    def copies(
        self, register: str | None = None, recipient: Recipient | None = None, before: Head | None = None
    ) -> tuple[Copy, ...]:
        """The copies of a register, of a recipient, or all (recorded up to the head `before`), oldest first."""
        self._catch_up()
        return tuple(
            copy
            for sequence, copy in self._copies
            if _within(sequence, before)
            and register in (None, copy.register)
            and (recipient is None or recipient.number == copy.recipient.number)
        )

    def records(self, copy: Copy) -> NDArray[np.uint32]:
        """The records that a copy's query selected, as ordinals, ascending; errors as the ledger's reading."""
        return self._disclosures.records(copy.disclosure)

    def _forget(self) -> None:
        self._seen = self._journal.head_at(0)
        self._recipients: list[tuple[int, Recipient]] = []
        self._by_name: dict[str, Recipient] = {}
        self._copies: list[tuple[int, Copy]] = []

    def _catch_up(self) -> None:
        """Index what the journal has taken up since; from the start where it took something back (journal rule 2)."""
        head, seen = self._journal.head(), self._seen
        if seen.sequence > head.sequence or self._journal.head_at(seen.sequence).digest != seen.digest:
            self._forget()
        for entry in self._journal.entries(after=self._seen.sequence):
            if entry.kind == _RECIPIENT:
                self._index_recipient(entry)
            elif entry.kind == _COPY:
                self._copies.append((entry.sequence, self._copy(entry)))
        self._seen = head

    def _index_recipient(self, entry: Entry) -> None:
        body: Any = entry.body
        recipient = Recipient(body["number"], body["name"])
        self._recipients.append((entry.sequence, recipient))
        self._by_name[recipient.name] = recipient

    def _copy(self, entry: Entry) -> Copy:
        body: Any = entry.body
        return Copy(
            number=body["number"],
            recipient=self._recipients[body["recipient"] - 1][1],
            register=body["register"],
            time=entry.time,
            purpose=body["purpose"],
            where=body["where"],
            columns=tuple(body["columns"]),
            rows=body["rows"],
            symbols=body["symbols"],
            mark_key=body["mark_key"],
            file_digest=body["file_digest"],
            disclosure=body["disclosure"],
        )


def _batch(
    planned: Sequence[PlannedCopy],
    declared: Mapping[str, DeclaredRegister],
    versions: Mapping[str, int],
    ordinals: NDArray[np.uint32],
) -> Batch:
    count = len(planned)
    rows, size = (np.array([getattr(copy, name) for copy in planned], np.int64) for name in ("rows", "size"))
    zero = np.zeros(count, np.int64)
    return Batch(
        sequence=zero,
        time=zero,
        rows=rows,
        size=size,
        released=rows,
        occurred=zero,
        party=Texts.of([Party(copy.recipient.name, copy.account).to_text() for copy in planned]),
        template=Texts.of([_template(copy, declared, versions).to_text() for copy in planned]),
        case=Texts.of([copy.case for copy in planned]),
        fingerprint=Texts.of([_fingerprint(copy) for copy in planned]),
        starts=np.arange(count + 1, dtype=np.int64) * len(ordinals),
        ordinals=np.tile(ordinals, count),
    )


def _template(
    copy: PlannedCopy, declared: Mapping[str, DeclaredRegister], versions: Mapping[str, int]
) -> Template:
    register = declared.get(copy.register)
    numbers = {} if register is None else {column.name: column.number for column in register.columns}
    return Template(
        register=copy.register,
        schema=versions[copy.register],
        channel=Channel.FILE,
        columns=tuple(sorted(numbers[name] for name in copy.columns if name in numbers)),
        purpose=copy.purpose,
        basis=copy.basis,
        mark_key=copy.mark_key,
    )


def _fingerprint(copy: PlannedCopy) -> str:
    """What the query was, so that two copies of one query are known to be that."""
    query = json.dumps([copy.register, copy.where, list(copy.columns)], ensure_ascii=False)
    return sha256(query.encode()).hexdigest()[:16]


def _body(number: int, copy: PlannedCopy, disclosure: int) -> Body:
    return {
        "number": number,
        "recipient": copy.recipient.number,
        "register": copy.register,
        "purpose": copy.purpose,
        "where": copy.where,
        "columns": list(copy.columns),
        "rows": copy.rows,
        "symbols": copy.symbols,
        "mark_key": copy.mark_key,
        "file_digest": copy.file_digest,
        "disclosure": disclosure,
    }


def _within(sequence: int, before: Head | None) -> bool:
    return before is None or sequence <= before.sequence
