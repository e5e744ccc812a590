"""The one writer of a ledger: it owns the write-ahead files and the ordinal table while it holds the lock.

Rules
1. `ledger/writer.lock` is held from opening to closing. Files, head and clock belong to one thread, the committer.
2. A disclosure is numbered and timed by the committer: sequence without gaps, time never before the one before it.
3. A future resolves after its frame was synced: one frame and one sync for all that was queued (group commit).
4. The head goes to the second place at most a second after the first append that it does not count, at rotation and at
   closing. What lies between the two places when the power fails is the window in which a cut end is not told from a
   torn one.
5. After a failed sync, and where the second place refuses the head, everything is refused until the ledger is opened
   again. A full disk fails the appends that met it, and no others.
6. While the second place cannot be reached, appends are refused and the head is tried again each second.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from muniment.disclosure import Disclosure
from muniment.durable import locked
from muniment.errors import InputError, IntegrityError, MunimentError, UnreachableError
from muniment.keys import Key
from muniment.ledger.appender import Ordinals, Receipt, check_batch
from muniment.ledger.batch import Batch
from muniment.ledger.intake import Intake, again
from muniment.ledger.log.second import CheckpointStore
from muniment.ledger.wal.files import read_closed
from muniment.ledger.wal.folder import REOPEN, WalFolder
from muniment.ledger.wal.frames import Head, Point, SegmentKeys, open_head, seal_head

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HEAD_SECONDS: Final = 1.0
"""Seconds between heads in the second place while disclosures come: the window of rule 4."""
LOCK_NAME: Final = "writer.lock"


class LocalWriter:
    """The writer in this process: an `Appender`, and what sealing needs. Safe to use from several threads."""

    def __init__(
        self, folder: Path, keys: Sequence[Key], second: CheckpointStore, table: Callable[[], Ordinals],
        clock: Callable[[], datetime], random_bytes: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        """For `open` only, which holds the lock."""
        self._folder = folder
        self._keys = tuple(keys)
        self._ring = SegmentKeys(keys)
        self._second = second
        self._clock = clock
        # of the committer's thread, once it runs:
        self._wal = WalFolder(folder / "wal", keys, random_bytes)
        self._there = second.read()  # what the second place holds
        self._attempted: bytes | None = None  # a swap that failed, and may have been made all the same
        self._unreachable: MunimentError | None = None
        self._due: float | None = None
        self.clock_steps = 0
        """Commits at which the clock stood before the time of the commit before."""
        with ExitStack() as opened:
            opened.callback(self._wal.close)
            self._recover()
            self._table = table()
            opened.pop_all()
        self._table_lock = threading.Lock()
        self._intake = Intake("muniment ledger writer", self._commit, self._tick)
        self._held = ExitStack()

    def __repr__(self) -> str:
        return f"LocalWriter({str(self._folder)!r})"

    @classmethod
    def open(
        cls, folder: Path, keys: Sequence[Key], *, second: CheckpointStore, table: Callable[[], Ordinals],
        clock: Callable[[], datetime], random_bytes: Callable[[int], bytes] = os.urandom, wait: float = 0.0,
    ) -> LocalWriter:  # fmt: skip
        """Take the lock of the ledger in `folder`, and take up what its write-ahead files hold.

        `keys`: every segment key of the ring. `second`: where the head is kept (`wal-head`). `table` opens the ordinal
        table, once the lock is held. Raises `UnreachableError` where another writer holds the lock for more than `wait`
        seconds or the folder cannot be written; `IntegrityError` where the files, the head or the keys do not match.
        """
        with ExitStack() as held:
            held.enter_context(locked(folder / LOCK_NAME, wait=wait))
            writer = cls(folder, keys, second, table, clock, random_bytes)
            writer._held = held.pop_all()
        return writer

    def __enter__(self) -> LocalWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Appender ------------------------------------------------------------------------------------------------

    def ordinals(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        """See `Appender`."""
        with self._table_lock:
            if (refusal := self._intake.refused) is not None:
                raise again(refusal)
            return self._table.allocate(pseudonyms, older)

    def append(self, disclosure: Disclosure) -> Future[Receipt]:
        """See `Appender`."""
        return self._intake.append(disclosure)

    def append_many(self, batch: Batch) -> Future[Receipt]:
        """See `Appender`."""
        check_batch(batch)
        return self._intake.append(batch)

    def append_for(self, batch: Batch) -> Future[Receipt]:
        """`append_many` for a client of the socket, whose own window bounds what is outstanding."""
        check_batch(batch)
        return self._intake.append(batch, bounded=False)

    def close(self) -> None:
        """Make durable what is queued, put the head into the second place, and let go of the lock.

        Raises `UnreachableError` where the second place cannot be reached: nothing that was confirmed is lost then.
        """
        with self._held:
            try:
                self._intake.close(self._finish)
            finally:
                with self._table_lock:
                    self._table.close()

    # --- sealing -------------------------------------------------------------------------------------------------

    def rotate(self) -> int:
        """Close the file that is being written; returns the number of the newest closed file (0: there is none)."""

        def action() -> int:
            number = self._wal.rotate()
            self._publish()
            return number

        return self._intake.run(action)

    def closed(self) -> tuple[int, ...]:
        """The numbers of the closed files, ascending: what waits for a segment."""
        return self._intake.run(self._wal.closed)

    def unsealed(self, number: int) -> tuple[Batch, Point]:
        """The disclosures of the closed files up to `number`, and the point after them (its chain for the manifest).

        Raises `IntegrityError` where a file is missing or does not verify.
        """
        numbers = [closed for closed in self.closed() if closed <= number]
        return read_closed(self._folder / "wal", self._keys, numbers)

    def sealed(self, number: int) -> None:
        """Remove the closed files up to `number`: their disclosures are in a segment, and that is in the log."""

        def action() -> None:
            self._wal.retire(number)
            self._publish()
            self._wal.remove_retired()

        self._intake.run(action)

    def point(self) -> Point:
        """The place up to which disclosures are durable."""
        return self._intake.run(lambda: self._wal.point)

    # --- the committer's thread ----------------------------------------------------------------------------------

    def _recover(self) -> None:
        head: Head | None = None
        if self._there is not None:
            head = open_head(self._there, self._ring, what=f"the head of the write-ahead files in {self._second}")
        self._wal.recover(head)
        if head != self._wal.head:
            self._put_head()

    def _commit(self, batch: Batch) -> Receipt:
        if self._unreachable is not None:
            raise again(self._unreachable)
        reserved = self._table.reserved
        if len(batch.ordinals) and (highest := int(batch.ordinals.max())) >= reserved:
            raise InputError(
                f"ordinal {highest:,} was never given: the table has reserved {reserved:,}",
                hint="ask the writer for ordinals before appending",
            )
        point = self._wal.point
        moment = max(self._now(), point.time)
        try:
            self._wal.append(batch.numbered(point.sequence + 1, moment))
        except UnreachableError as error:
            if self._wal.broken:
                self._intake.refuse(type(error)(error.message, hint=REOPEN))
            raise
        if self._due is None:
            self._due = time.monotonic() + HEAD_SECONDS
        return Receipt(point.sequence + 1, self._wal.point.sequence, moment)

    def _now(self) -> int:
        now = int(self._clock().timestamp() * 1000)
        if now < self._wal.point.time:
            self.clock_steps += 1
        return now

    def _tick(self) -> float | None:
        """Put the head into the second place where it is due. An `IntegrityError` ends the writer (rule 5)."""
        if self._due is not None and time.monotonic() >= self._due:
            try:
                self._publish()
            except UnreachableError as error:
                self._unreachable = error
                self._due = time.monotonic() + HEAD_SECONDS
        return self._due

    def _publish(self) -> None:
        try:
            self._put_head()
        except IntegrityError as error:
            self._intake.refuse(error)
            raise

    def _put_head(self) -> None:
        new = seal_head(self._wal.head, self._ring)
        if self._attempted is not None and self._second.read() == self._attempted:
            self._there = self._attempted
        self._attempted = new
        self._second.swap(self._there, new)
        self._there, self._attempted, self._due, self._unreachable = new, None, None, None

    def _finish(self) -> None:
        refusal = self._intake.refusal
        try:
            if not isinstance(refusal, IntegrityError):
                self._publish()
        finally:
            self._wal.close()
