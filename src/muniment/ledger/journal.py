"""The journal: an append-only, encrypted, hash-chained file that says what was given to whom.

Rules
1. "Appended" means: frames written, synced, and acknowledged in the head file beside it, before `append` returns.
2. A file that ends, or stops to verify, before the acknowledged head is `IntegrityError`. Bytes after the head that do
   not verify are a torn append that nobody was told of: readers pass over them, the next writer cuts them off.
3. Entries after the head that do verify are kept: written, but the crash came before they were acknowledged. A copy
   recorded but never handed out costs nothing; the other way round is what must not happen.
4. A failed append leaves the file as it was, or (where only the head failed) with its entries in it by rule 3.
5. One writer at a time, under `ledger/lock`; after taking the lock it reads what others appended. Readers take no lock
   and write nothing: a read-only folder will do. One `Journal` belongs to one thread.
6. Put back an old journal together with its old head, and it opens: only a copy of the head kept elsewhere tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from muniment import limits
from muniment.durable import locked, read_file, replace_file, storage_faults, sync_data, write_all_at
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.keys import Key
from muniment.ledger.frames import (
    HEADER_BYTES,
    MAGIC,
    Body,
    Boxes,
    Entry,
    Head,
    encode_entries,
    genesis,
    open_head,
    read_chain,
    seal_head,
)

__all__ = ["Body", "Entry", "Head", "Journal"]

_RESTORE = "restore the folder `ledger` from a backup; `muniment` never repairs a journal by leaving entries out"


class Journal:
    """An open journal. It owns the entries in memory; the file belongs to whoever holds the lock."""

    def __init__(self, path: Path, boxes: Boxes) -> None:
        """For `create` and `open` only."""
        self._path = path
        self._boxes = boxes
        self._depth = 0
        self._end = HEADER_BYTES
        self._load()

    def __repr__(self) -> str:
        return f"Journal({str(self._path)!r}, entries={len(self._entries)})"

    @classmethod
    def create(cls, path: Path, keys: Sequence[Key], *, random_bytes: Callable[[int], bytes] = os.urandom) -> Journal:
        """Start an empty journal at `path` (its folder is made), and open it. `keys`: segment keys, old ones first.

        Raises `InputError` where there is one already.
        """
        boxes = Boxes(keys)
        with storage_faults(path.parent, "make the folder"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(path.with_name("lock")):
            if path.exists():
                raise InputError(f"{path}: there is a journal already; it stays", hint="choose another folder")
            header = MAGIC + random_bytes(HEADER_BYTES - len(MAGIC))
            # The head first: a crash between the two leaves a head without a journal, which does not open.
            replace_file(path.with_name("head"), [seal_head(genesis(header), header, boxes)])
            replace_file(path, [header])
        return cls(path, boxes)

    @classmethod
    def open(cls, path: Path, keys: Sequence[Key]) -> Journal:
        """Open a journal and verify its whole chain. `keys`: every segment key of the ring, old ones first.

        Raises `InputError` where there is none, `IntegrityError` where it or its head was altered, cut short or written
        under another ring's key.
        """
        return cls(path, Boxes(keys))

    # --- reading -------------------------------------------------------------------------------------------------

    def entries(self, kind: str | None = None, *, after: int = 0) -> tuple[Entry, ...]:
        """The entries after number `after`, in order; only those of one kind where it is given."""
        return tuple(entry for entry in self._entries[after:] if kind is None or entry.kind == kind)

    def head(self) -> Head:
        """The newest point that is known here; `refresh` first to see what others appended."""
        return self._at(len(self._entries))

    def head_at(self, sequence: int) -> Head:
        """The head as it was after entry `sequence` (0: before the first)."""
        if not 0 <= sequence <= len(self._entries):
            raise InputError(f"{self._path}: no entry {sequence}; the journal has {len(self._entries)}")
        return self._at(sequence)

    def head_before(self, time: datetime) -> Head:
        """The newest head of which no entry is later than `time`.

        The longest such *prefix*: an entry written under a clock that was put back does not pass for an older one.
        """
        later = (number for number, entry in enumerate(self._entries) if entry.time > time)
        return self._at(next(later, len(self._entries)))

    def refresh(self) -> None:
        """Read what others appended since. Raises `IntegrityError` as `open` does."""
        acknowledged = self._read_head()
        start = self._at(len(self._entries))
        chain = read_chain(self._read_from(self._end), start, self._boxes)
        self._entries.extend(chain.entries)
        self._end += chain.end
        if self._holds(acknowledged) and self._size() >= self._end:
            self._acknowledged = acknowledged
            return
        # What was read ahead of the head was cut off by its writer, or the file is another one: read it again.
        known = self._acknowledged
        self._load()
        if not self._holds(known):
            raise IntegrityError(f"{self._path}: entries up to {known.sequence} are gone or changed", hint=_RESTORE)

    # --- writing -------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the journal for a read-decide-append; nests. Entries of others are read in before the block starts.

        Raises `UnreachableError` where another process holds it for too long (naming its pid), or the folder is
        read-only.
        """
        if self._depth == 0:
            with locked(self._path.with_name("lock")):
                self._recover()
                yield from self._nested()
        else:
            yield from self._nested()

    def append(self, kind: str, body: Body, now: datetime) -> Entry:
        """Append one entry; it is durable and acknowledged when this returns. Errors as `append_many`."""
        return self.append_many([(kind, body)], now)[0]

    def append_many(self, items: Sequence[tuple[str, Body]], now: datetime) -> tuple[Entry, ...]:
        """Append (kind, body) pairs in one go: one sync for all, and none of them returned before all are durable.

        Raises `UnreachableError` where the disk is full, read-only or fails: then none counts as appended (rule 4).
        """
        with self.writing():
            if not items:
                return ()
            frames, chain = encode_entries(items, now, self._at(len(self._entries)), self._boxes)
            self._write(frames)
            self._entries.extend(chain.entries)
            self._end += len(frames)
            self._acknowledge()
            return chain.entries

    def _nested(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def _write(self, frames: bytes) -> None:
        with storage_faults(self._path, "append"):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                write_all_at(descriptor, frames, self._end)
                sync_data(descriptor)
            except BaseException:
                with suppress(OSError):  # what stays is a torn append; rule 2 copes with it
                    os.ftruncate(descriptor, self._end)
                    sync_data(descriptor)
                raise
            finally:
                os.close(descriptor)

    def _acknowledge(self) -> None:
        head = self._at(len(self._entries))
        replace_file(self._path.with_name("head"), [seal_head(head, self._header, self._boxes)])
        self._acknowledged = head

    def _recover(self) -> None:
        """Under the lock: take up what verifies, cut off what does not, and acknowledge what is kept (rules 2, 3)."""
        self.refresh()
        if self._size() > self._end:
            with storage_faults(self._path, "cut off a torn append"):
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
                try:
                    os.ftruncate(descriptor, self._end)
                    sync_data(descriptor)
                finally:
                    os.close(descriptor)
        if self._acknowledged.sequence < len(self._entries):
            self._acknowledge()

    # --- the files -----------------------------------------------------------------------------------------------

    def _load(self) -> None:
        # 1. header, 2. head file (before the frames: a writer may acknowledge meanwhile), 3. frames, 4. head is held
        self._header = self._read_from(0, HEADER_BYTES)
        if len(self._header) != HEADER_BYTES or not self._header.startswith(MAGIC):
            raise IntegrityError(f"{self._path}: no journal of this version, or altered at its start", hint=_RESTORE)
        self._genesis = genesis(self._header)
        self._entries: list[Entry] = []
        self._acknowledged = self._read_head()
        chain = read_chain(self._read_from(HEADER_BYTES), self._genesis, self._boxes)
        self._entries.extend(chain.entries)
        self._end = HEADER_BYTES + chain.end
        if not self._holds(self._acknowledged):
            raise IntegrityError(
                f"{self._path}: {self._acknowledged.sequence:,} entries were acknowledged, but the file is cut short, "
                f"altered or written under another key after entry {len(self._entries):,}",
                hint=_RESTORE,
            )

    def _read_head(self) -> Head:
        path = self._path.with_name("head")
        sealed = read_file(path, limits.JOURNAL_FRAME_BYTES)
        if sealed is None:
            raise IntegrityError(f"{path}: the head of the journal is missing", hint=_RESTORE)
        return open_head(sealed, self._header, self._boxes, what=str(path))

    def _read_from(self, offset: int, at_most: int = limits.JOURNAL_BYTES) -> bytes:
        if not self._path.is_file():
            raise InputError(f"{self._path}: there is no journal", hint="muniment init DIR makes a workspace with one")
        if self._size() > limits.JOURNAL_BYTES:
            raise LimitError(f"{self._path}: expected at most {limits.JOURNAL_BYTES:,} bytes, came {self._size():,}")
        with storage_faults(self._path, "read"), self._path.open("rb") as file:
            file.seek(offset)
            return file.read(at_most)

    def _size(self) -> int:
        with storage_faults(self._path, "read"):
            return self._path.stat().st_size

    def _at(self, sequence: int) -> Head:
        if sequence == 0:
            return self._genesis
        entry = self._entries[sequence - 1]
        return Head(sequence, entry.digest, entry.time)

    def _holds(self, head: Head) -> bool:
        return head.sequence <= len(self._entries) and self._at(head.sequence).digest == head.digest
