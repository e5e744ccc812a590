"""Recipients and copies: `CopyLedger` is the interface, `JournalCopies` keeps it in the journal.

Rules
1. Recipients are numbered from 1 in the order in which they first came; a name finds its number again for ever.
2. A copy is durable when `record` returns, so that its file may then appear under its final name.
3. `before` cuts at a journal head: what was recorded after it is not seen. Only copies under a head older than the
   finding of a leak make candidates (evidence.md section 2).
4. The names of recipients, purposes and queries are in the sealed journal only; records are keyed pseudonyms.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from muniment import limits
from muniment.disclosure import Copy, Recipient, checked_name
from muniment.errors import LimitError
from muniment.ledger.journal import Body, Entry, Head, Journal
from muniment.ledger.sets import SealedSets

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RECIPIENT = "recipient"
_COPY = "copy"


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """A copy before it has a number and a time; the fields mean what they mean in `disclosure.Copy`."""

    recipient: Recipient
    register: str
    purpose: str
    where: str | None
    columns: tuple[str, ...]
    rows: int
    symbols: int
    mark_key: str
    file_digest: str
    records: str


class CopyLedger(Protocol):
    """What release and trace need of a ledger. Every write is durable when it returns, or raises and wrote nothing."""

    def recipients(self, names: Sequence[str], now: datetime) -> tuple[Recipient, ...]:
        """Find each recipient by name, or number it next; in the order of `names`."""

    def known_recipients(self, before: Head | None = None) -> tuple[Recipient, ...]:
        """Every recipient, in order of number."""

    def record_many(self, planned: Sequence[PlannedCopy], now: datetime) -> tuple[Copy, ...]:
        """Record copies, all in one sync."""

    def copies(
        self, register: str | None = None, recipient: Recipient | None = None, before: Head | None = None
    ) -> tuple[Copy, ...]:
        """The copies of a register, of a recipient, or all, oldest first."""

    def store_records(self, pseudonyms: NDArray[np.uint64]) -> str:
        """Keep a set of record pseudonyms and return its digest."""

    def load_records(self, digest: str) -> NDArray[np.uint64]:
        """The set of record pseudonyms of that digest, ascending."""


class JournalCopies:
    """`CopyLedger` over the journal and a folder of sealed sets. It owns an index that is rebuilt from the journal."""

    def __init__(self, journal: Journal, sets: SealedSets) -> None:
        self._journal = journal
        self._sets = sets
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

    def record(self, planned: PlannedCopy, now: datetime) -> Copy:
        """Record one copy; errors as `record_many`."""
        return self.record_many([planned], now)[0]

    def record_many(self, planned: Sequence[PlannedCopy], now: datetime) -> tuple[Copy, ...]:
        """Record copies in one sync; each gets the next number. Raises `UnreachableError` where the disk fails.

        An error means: do not hand the files out. It may leave copies on record that were never handed out.
        """
        for copy in planned:
            if len(copy.purpose) > limits.PURPOSE_CHARACTERS:
                most = limits.PURPOSE_CHARACTERS
                raise LimitError(f"a purpose of {len(copy.purpose):,} characters; expected at most {most:,}")
        with self._journal.writing():
            self._catch_up()
            first = len(self._copies) + 1
            items = [(_COPY, _body(number, copy)) for number, copy in enumerate(planned, first)]
            self._journal.append_many(items, now)
            self._catch_up()
        return tuple(copy for _, copy in self._copies[first - 1 : first - 1 + len(planned)])

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

    def store_records(self, pseudonyms: NDArray[np.uint64]) -> str:
        """Keep a set of record pseudonyms, shape (n,); errors as `SealedSets.store`."""
        return self._sets.store(pseudonyms)

    def load_records(self, digest: str) -> NDArray[np.uint64]:
        """The set of record pseudonyms of that digest, ascending; errors as `SealedSets.load`."""
        return self._sets.load(digest)

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
            records=body["records"],
        )


def _body(number: int, copy: PlannedCopy) -> Body:
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
        "records": copy.records,
    }


def _within(sequence: int, before: Head | None) -> bool:
    return before is None or sequence <= before.sequence
