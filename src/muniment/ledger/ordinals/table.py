"""The ordinal table: which ordinal stands for a pseudonym. Disclosures name ordinals, and nothing else of a person.

Rules
1. An ordinal is durable before `allocate` returns it: a disclosure never names one that a crash could give to another.
2. One writer at a time, under `lock` in the folder, for as long as it is open. Readers take no lock, write nothing and
   see what was acknowledged; `refresh` takes up what came since.
3. Looking up may be done on any thread; changes belong to one thread, or to callers who take turns.
4. After a change that failed, the next one first reads the files again: what the disk holds is what counts.
5. A whole folder put back from a backup opens: only a head kept elsewhere tells (`head`, `at_least`).
6. Opening verifies key, header and fence of the base, and all that was appended. The entries of the base are read in
   the frames that a look-up needs, until many look-ups, or a step that needs everything, load the base: then all of it
   is verified, and that nobody has two ordinals.

Destroying the table key makes every copy of the files unreadable that was written under it, wherever it is: that is how
a person is shredded although files and disks keep old blocks. What stays is said at `OrdinalTable.shred`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment import limits
from muniment.durable import locked, storage_faults
from muniment.errors import InputError, IntegrityError, MunimentError
from muniment.keys import Key
from muniment.ledger.ordinals.base import BaseFile, write_base
from muniment.ledger.ordinals.contents import Contents
from muniment.ledger.ordinals.files import (
    KEY_BYTES,
    RESTORE,
    AppendFile,
    KeyBoxes,
    destroy_older,
    newest_generation,
)
from muniment.ledger.ordinals.frames import FRAME_ENTRIES, Change, Frame
from muniment.ledger.ordinals.layers import Layers
from muniment.ledger.ordinals.persons import PersonMap
from muniment.ledger.ordinals.ranges import Reserved
from muniment.ledger.sets import sorted_distinct
from muniment.prf import hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_GENERATION: Final = 1
COMPACT_FRAMES: Final = 8_192
"""Frames in an append file from which a compaction is due: opening them one by one takes 70 ms."""
COMPACT_SHARE: Final = 8
"""A compaction is due where one in so many entries was appended: of 16 million persons, 45 ms of opening."""
_RACES: Final = 5
"""Tries of a reader whose files were replaced by a compaction while it read them."""


@dataclass(frozen=True, slots=True)
class TableHead:
    """A point of the table, to be kept in another place: a table that does not hold it is an older one."""

    generation: int
    frames: int
    digest: str

    def __str__(self) -> str:
        return f"{self.generation}:{self.frames}:{self.digest}"

    @classmethod
    def from_text(cls, text: str) -> TableHead:
        """Undo `str`; `ValueError` where it is another shape."""
        generation, frames, digest = text.split(":")
        if len(bytes.fromhex(digest)) != 32:
            raise ValueError("a digest of 64 hex digits is needed")
        return cls(int(generation), int(frames), digest)


class OrdinalTable:
    """An open ordinal table. It owns what it holds in memory; the files belong to whoever holds the lock."""

    def __init__(
        self, folder: Path, boxes: KeyBoxes, held: ExitStack | None, random_bytes: Callable[[int], bytes]
    ) -> None:
        """For `create` and `open` only. `held`: the lock of a writer, `None` for a reader."""
        self._folder = folder
        self._boxes = boxes
        self._held = held
        self._random_bytes = random_bytes
        self._stale = False
        self._append: AppendFile | None = None
        self._layers = Layers()
        self._replacing = threading.Lock()
        self._appended = self._generation = 0
        self._table_key = b""

    def __repr__(self) -> str:
        return f"OrdinalTable({str(self._folder)!r}, persons={len(self)})"

    def __enter__(self) -> OrdinalTable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._layers)

    @classmethod
    def create(
        cls, folder: Path, keys: Sequence[Key], *, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> OrdinalTable:
        """Make an empty table in `folder` and open it for writing. `keys`: segment keys, old ones first.

        Raises `InputError` where there is one already, `UnreachableError` where another process holds the folder.
        """
        boxes = KeyBoxes(keys)
        with storage_faults(folder, "make the folder"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(folder / "lock"):
            if any(folder.glob("*.key")):
                raise InputError(f"{folder}: there is an ordinal table already; it stays", hint="choose another folder")
            _write_generation(
                folder, FIRST_GENERATION, boxes, random_bytes(KEY_BYTES), Contents(), random_bytes
            )  # fmt: skip
        return cls.open(folder, keys, writing=True, random_bytes=random_bytes)

    @classmethod
    def open(
        cls,
        folder: Path,
        keys: Sequence[Key],
        *,
        writing: bool = False,
        at_least: TableHead | None = None,
        wait: float = limits.LOCK_SECONDS,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> OrdinalTable:
        """Open a table and verify what is read (rule 6).

        `keys`: every segment key of the ring. `at_least`: a head kept elsewhere.
        Raises `InputError` where there is none, `UnreachableError` where another process writes to it for longer than
        `wait` seconds, `IntegrityError` where it was altered, cut short, exchanged, written under another ring's key,
        or is older than `at_least`.
        """
        boxes, held = KeyBoxes(keys), ExitStack() if writing else None
        newest_generation(folder)  # before a lock file is made in a folder without a table
        if held is not None:
            held.enter_context(locked(folder / "lock", wait=wait))
        table = cls(folder, boxes, held, random_bytes)
        try:
            table._reload(at_least)
        except BaseException:
            table.close()
            raise
        return table

    def close(self) -> None:
        """Let go of files and lock; may be called twice. Nothing is looked up afterwards."""
        if self._layers.base is not None:
            self._layers.base.close()
        if self._append is not None:
            self._append.close()
        if self._held is not None:
            self._held.close()
            self._held = None

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def reserved(self) -> int:
        """Every ordinal given so far is below this number."""
        return self._layers.contents.state.reserved

    @property
    def compaction_due(self) -> bool:
        """Whether opening would be faster after `compact`."""
        appended, append = self._appended, self._opened
        return append.point.frames >= COMPACT_FRAMES or appended > max(FRAME_ENTRIES, len(self) // COMPACT_SHARE)

    def head(self) -> TableHead:
        """The point up to which the table is durable; for a second place, and `open(at_least=...)`."""
        point = self._opened.point
        return TableHead(self._generation, point.frames, point.digest.hex())

    def lookup(self, pseudonyms: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """The ordinal of each pseudonym, and whether it has one (its ordinal is 0 where not); shape (m,) each.

        Raises `IntegrityError` where the part of the base that is needed does not verify.
        """
        pseudonyms = _column(pseudonyms)
        answer = self._layers.lookup(pseudonyms)
        return answer if answer is not None else self._everything().lookup(pseudonyms)

    def verify(self) -> None:
        """Verify all of the base, and the rules of the whole table; `IntegrityError` where something is wrong."""
        self._everything()

    def lookup_all(self, epochs: Sequence[NDArray[np.uint64]]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """Look up the same m records under the pseudonyms of several epochs; both answers have shape (epochs, m).

        A record seen under two epochs without `older` or `alias` has two ordinals: whoever asks who received it must
        ask for every one that is found.
        """
        answers = [self.lookup(pseudonyms) for pseudonyms in epochs]
        if len({len(ordinals) for ordinals, _ in answers}) > 1:
            raise ValueError("the same records are needed under every epoch")
        if not answers:
            return np.zeros((0, 0), np.uint32), np.zeros((0, 0), np.bool_)
        return np.stack([ordinals for ordinals, _ in answers]), np.stack([found for _, found in answers])

    def entries(self) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """Every pseudonym, further ones of a person included, ascending, with its ordinal; shape (n,) each."""
        contents = self._everything()
        return contents.persons.adding(*contents.aliases.entries()).entries()

    def person_map(self) -> PersonMap:
        """The table as a Merkle map, to be logged and to prove from; some 400,000 entries a second and core.

        It is the same for the same entries until somebody is shredded: then its salts are new, see `shred`.
        """
        return PersonMap(*self.entries(), hkdf(self._table_key, "muniment ordinals map 1", length=32))

    def refresh(self) -> None:
        """Take up what the writer did since. Raises `IntegrityError` as `open` does. A writer need not call it."""
        if self._held is not None:
            return
        try:
            frames = self._opened.read(beyond_head=False)
        except MunimentError:
            if newest_generation(self._folder) == self._generation:
                raise
            frames = []
        self._take_up(frames)
        if newest_generation(self._folder) != self._generation:
            self._reload()

    # --- writing -------------------------------------------------------------------------------------------------

    def allocate(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        """The ordinal of each pseudonym, shape (m,); whoever has none is given one, durable when this returns.

        `older`: pseudonyms of the same records under earlier epochs, shape (m,) each; who has an ordinal under one of
        them keeps it, and is known under both from then on.
        Raises `UnreachableError` where the disk is full or fails, `LimitError` where no ordinal is left: then none of
        these pseudonyms is sure to have one.
        """
        pseudonyms = _column(pseudonyms)
        with self._changing():
            ordinals, found = self.lookup(pseudonyms)
            missing = np.flatnonzero(~found)
            if missing.size:
                known = [self.lookup(_column(epoch)[missing]) for epoch in older]
                self._commit(self._changes(pseudonyms[missing], known))
                ordinals[missing] = self._layers.contents.lookup(pseudonyms[missing])[0]
            return ordinals

    def alias(self, old: NDArray[np.uint64], new: NDArray[np.uint64]) -> int:
        """Make `new[i]` a further pseudonym of whoever has `old[i]`; returns how many were new to the table.

        Whoever has no ordinal under `old` is passed over. Raises `IntegrityError` where `new[i]` has another ordinal
        already, `UnreachableError` as `allocate`.
        """
        old, new = _column(old), _column(new)
        if len(old) != len(new):
            raise ValueError("an old and a new pseudonym of each record are needed")
        with self._changing():
            (ordinals, known), (present, there) = self.lookup(old), self.lookup(new)
            if (known & there & (ordinals != present)).any():
                raise IntegrityError(f"{self._folder}: a person has two ordinals, one under each epoch")
            fresh = known & ~there
            state = self._layers.contents.state
            self._commit(_frames(Change.ALIAS, *_first_of_each(new[fresh], ordinals[fresh]), state))
            return len(np.unique(new[fresh]))

    def compact(self) -> None:
        """Write everything as one base, under the same table key; append files of a long time become one file.

        Raises `UnreachableError` where the disk is full: the table then stays as it was.
        """
        with self._changing():
            self._replace(self._everything(), self._table_key)

    def shred(self, pseudonyms: NDArray[np.uint64]) -> int:
        """Forget who had the ordinals of these persons, under every epoch; returns how many persons that were.

        The table is rewritten under a new key; the old key file is overwritten and removed, and with it every file and
        block, here or in a backup, that the old key alone could open. What stays: the ordinal itself in segments and
        index, without a name but beside the same cases and co-readers as before; a backup of the old *key file* with
        the segment key (destroy it too); blocks of the old key file on a disk that does not overwrite in place (flash,
        copy-on-write file systems). The root of the ordinal map changes: log a new one at once.
        Raises `UnreachableError` as `compact`; where it fails after the new table is in place, the next writer that
        opens it destroys the old key.
        """
        with self._changing():
            ordinals, found = self.lookup(pseudonyms)
            gone = np.unique(ordinals[found])
            if gone.size:
                self._replace(self._everything().without(gone), self._random_bytes(KEY_BYTES))
            return int(gone.size)

    # --- how it is done ------------------------------------------------------------------------------------------

    @property
    def _opened(self) -> AppendFile:
        if self._append is None:
            raise ValueError("the table is not open")
        return self._append

    def _everything(self) -> Contents:
        """All contents; loads the base where that was not done yet. The file goes when its last look-up is done."""
        if self._layers.base is not None:
            with self._replacing:
                self._layers = self._layers.loaded()
        return self._layers.contents

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """A change by the writer; a fault within it makes the next one read the files again (rule 4)."""
        if self._held is None:
            raise InputError(f"{self._folder}: the ordinal table is open for reading, or closed; nothing was changed")
        if self._stale:
            self._reload()
        try:
            yield
        except BaseException:
            self._stale = True
            raise

    def _changes(
        self, pseudonyms: NDArray[np.uint64], known: Sequence[tuple[NDArray[np.uint32], NDArray[np.bool_]]]
    ) -> list[Frame]:
        """Frames for pseudonyms that have no ordinal; `known`: what their older ones have, epoch by epoch."""
        state, frames, open_ = self._layers.contents.state, [], np.ones(len(pseudonyms), np.bool_)
        for ordinals, found in known:
            chosen = found & open_
            open_ &= ~found
            frames += _frames(Change.ALIAS, *_first_of_each(pseudonyms[chosen], ordinals[chosen]), state)
        distinct = sorted_distinct(pseudonyms[open_])
        ordinals, state = state.draw(len(distinct), self._random_bytes)
        return frames + _frames(Change.ALLOCATE, distinct, ordinals, state)

    def _commit(self, frames: Sequence[Frame]) -> None:
        if frames:
            self._opened.append(frames)
            self._take_up(frames)

    def _take_up(self, frames: Sequence[Frame]) -> None:
        if frames:
            with self._replacing:
                self._layers = self._layers.after(frames)
        self._appended += sum(len(frame.pseudonyms) for frame in frames)

    def _replace(self, contents: Contents, table_key: bytes) -> None:
        generation = self._generation + 1
        _write_generation(self._folder, generation, self._boxes, table_key, contents, self._random_bytes)
        self._reload()

    def _reload(self, at_least: TableHead | None = None) -> None:
        """Read the newest generation; a writer also recovers it and destroys older ones."""
        for attempt in range(_RACES):
            generation = newest_generation(self._folder)
            try:
                self._load(generation, at_least)
                break
            except MunimentError:
                if attempt + 1 == _RACES or newest_generation(self._folder) == generation:
                    raise
        if self._held is not None:
            self._opened.recover()
            destroy_older(self._folder, generation, self._random_bytes)
        self._stale = False

    def _load(self, generation: int, at_least: TableHead | None) -> None:
        # 1. key, 2. start of the base, 3. append file to its head, 4. what was told elsewhere, 5. rules of the changes
        if at_least is not None and generation < at_least.generation:
            raise IntegrityError(
                f"{self._folder}: generation {generation} of the ordinal table is older than generation "
                f"{at_least.generation}, which was acknowledged: restored from a backup",
                hint=RESTORE,
            )
        key = self._boxes.read(self._folder, generation)
        base = BaseFile(self._folder, generation, key)
        append = AppendFile(self._folder, generation, key, writing=self._held is not None)
        try:
            same = at_least is not None and at_least.generation == generation
            expected = [(at_least.frames, bytes.fromhex(at_least.digest))] if at_least is not None and same else []
            frames = append.read(beyond_head=self._held is not None, expected=expected)
            layers = Layers.above(base, frames)
        except BaseException:
            append.close()
            raise
        if self._append is not None:
            self._append.close()
        with self._replacing:
            self._table_key, self._append, self._layers, self._generation = key, append, layers, generation
        self._appended = sum(len(frame.pseudonyms) for frame in frames)


def _write_generation(
    folder: Path,
    generation: int,
    boxes: KeyBoxes,
    table_key: bytes,
    contents: Contents,
    random_bytes: Callable[[int], bytes],
) -> None:
    write_base(folder, generation, table_key, contents, random_bytes)
    AppendFile.create(folder, generation, table_key, random_bytes)
    boxes.write(folder, generation, table_key)


def _frames(
    change: Change, pseudonyms: NDArray[np.uint64], ordinals: NDArray[np.uint32], state: Reserved
) -> list[Frame]:
    starts = range(0, len(pseudonyms), FRAME_ENTRIES)
    parts = [slice(start, start + FRAME_ENTRIES) for start in starts]
    return [Frame(change, pseudonyms[part], ordinals[part], state) for part in parts]


def _first_of_each(
    pseudonyms: NDArray[np.uint64], ordinals: NDArray[np.uint32]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    distinct, first = np.unique(pseudonyms, return_index=True)
    return distinct, ordinals[first]


def _column(pseudonyms: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(pseudonyms, np.uint64).reshape(-1)
