"""The log on disk: a folder that any tlog-tiles client reads, and a second place that keeps it from going back.

Rules
1. Appended means, in this order: bundles and tiles durable; checkpoint swapped in the second place; checkpoint file
   replaced. The swap decides: before it nothing was appended, after it everything was.
2. At start both checkpoints are compared. Equal: go on. The second place ahead, with tiles and leaves that bear it out:
   the crash came after the swap; go on from there (roll forward). Everything else is refused: see `_agreed`.
3. An append that failed was not acknowledged; one reported failed may have been made all the same, and then the next
   look at the log shows it. Tiles that a failed append left are overwritten: no checkpoint speaks of them.
4. One writer at a time, under `log/lock`; after taking it he reads what others appended. Readers take no lock and write
   nothing. They read the checkpoint before the second place, so that a writer never seems to have gone back.
5. Partial tiles stay until the full tile is there and signed for; then its first hashes do for them.
6. A `LogFolder` belongs to one thread.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from muniment.durable import locked, replace_file, storage_faults, sync_folder
from muniment.errors import InputError, IntegrityError
from muniment.ledger.log.checkpoint import Checkpoint, Signed, add_cosignature, open_checkpoint, sign_checkpoint
from muniment.ledger.log.note import NOTE_BYTES, Kind, Signer, VerifierKey
from muniment.ledger.log.second import CheckpointStore
from muniment.ledger.log.tiled import TiledTree
from muniment.ledger.log.tiles import ENTRIES, Tile, last_tile, levels
from muniment.ledger.log.tree import EMPTY

CHECKPOINT: Final = "checkpoint"
COSIGNED: Final = "cosigned"
"""The newest checkpoint that a witness signed, kept when the log has grown beyond it."""
_RESTORE = "put back the newest folder `ledger`; `muniment` never goes on from an older log"


class LogFolder:
    """An open log. It owns the verified tree in memory; the files belong to whoever holds the lock."""

    def __init__(
        self,
        path: Path,
        origin: str,
        signer: Signer | None,
        verifiers: Sequence[VerifierKey],
        second: CheckpointStore,
        witnesses: Sequence[VerifierKey] = (),
    ) -> None:
        """Open the log in the folder `path`. `verifiers`: every key that ever signed it; `signer`: `None` to read only.

        Raises `InputError` where there is no log, `IntegrityError` where it was altered, exchanged, forked or restored
        from a backup (rule 2), `UnreachableError` where folder or second place cannot be read.
        """
        if any(witness.kind is not Kind.COSIGNATURE for witness in witnesses):
            raise InputError("a witness needs a verifier key of kind 0x04 (cosignature/v1)")
        self._path = path
        self._origin = origin
        self._signer = signer
        self._verifiers = tuple(verifiers) or ((signer.verifier,) if signer else ())
        self._second = second
        self._witnesses = tuple(witnesses)
        self._tree = TiledTree(0, EMPTY, self._read)
        self._signed, self._swapped = self._agreed()
        self._follow(self._signed.checkpoint)

    def __repr__(self) -> str:
        return f"LogFolder({str(self._path)!r}, size={self._tree.size})"

    @classmethod
    def create(
        cls, path: Path, origin: str, signer: Signer, second: CheckpointStore, witnesses: Sequence[VerifierKey] = ()
    ) -> LogFolder:
        """Start an empty log in the folder `path` (it is made), and open it. A start that crashed is taken up.

        Raises `InputError` where there is a log already, `IntegrityError` where the second place knows another.
        """
        note = sign_checkpoint(Checkpoint(origin, 0, EMPTY), signer)
        with storage_faults(path, "make the folder"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(path / "lock"):
            if (path / CHECKPOINT).exists():
                raise InputError(f"{path}: there is a log already; it stays", hint="choose another folder")
            second.swap(None, note)  # Ed25519 is deterministic: a start tried again swaps to the same bytes
            replace_file(path / CHECKPOINT, [note])
        return cls(path, origin, signer, (), second, witnesses)

    # --- reading -------------------------------------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint that is known here; `refresh` first to see what others appended."""
        return self._signed.checkpoint

    def note(self) -> bytes:
        """The signed note of that checkpoint, with the cosignatures it has."""
        return self._signed.note

    def refresh(self) -> Checkpoint:
        """Read what others appended since. Raises as opening does, and where the log went back under an open one."""
        signed, swapped = self._agreed()
        if not signed.checkpoint.same_tree(self._signed.checkpoint):
            self._follow(signed.checkpoint)
        self._signed, self._swapped = signed, swapped
        return signed.checkpoint

    def leaf(self, index: int) -> bytes:
        """One leaf, checked against the root; `IntegrityError` where it was altered or pruned."""
        return next(self._tree.leaves(index, index + 1))

    def leaves(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Leaves `start` up to, not including, `end` (`None`: all), each checked against the root."""
        return self._tree.leaves(start, self._tree.size if end is None else end)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The inclusion proof of a leaf in the tree of `size` leaves (`None`: the newest)."""
        return self._tree.inclusion(index, self._tree.size if size is None else size)

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The consistency proof between two sizes (`None`: the newest), such as a witness asks for."""
        return self._tree.consistency(old, self._tree.size if new is None else new)

    def verify(self, minimum: int = 0) -> Checkpoint:
        """Check everything anew from disk: both checkpoints, each bundle and tile, and what the witnesses signed.

        `minimum`: the minimum index that the prune notices of the log allow; leaves below it may be gone. Returns the
        checkpoint that all of it bears out. Raises `IntegrityError` naming the first file that does not.
        """
        # 1. both places agree, 2. nothing known was taken back, 3. every bundle and tile, 4. every witness
        checkpoint = self.refresh()
        self._tree = self._read_tree(checkpoint)
        self._tree.verify(minimum)
        witnessed = self.witnessed()
        for witness in self._witnesses:
            if witness.name not in witnessed:
                raise IntegrityError(
                    f"{self._path}: the witness {witness.name} is configured, but has signed no checkpoint of this log",
                    hint="send it the newest checkpoint (muniment ledger head), and add the line that it answers",
                )
        return checkpoint

    # --- witnesses -----------------------------------------------------------------------------------------------

    def witnessed(self) -> dict[str, tuple[int, int]]:
        """For each witness by name: size of the newest checkpoint it signed, and when (POSIX seconds).

        Raises `IntegrityError` where a witness signed another tree than this one.
        """
        found: dict[str, tuple[int, int]] = {}
        for name in (COSIGNED, CHECKPOINT):
            signed = self._open_file(name)
            if signed is None:
                continue
            size = signed.checkpoint.size
            if size > self._tree.size or (size and self._tree.root_at(size) != signed.checkpoint.root):
                raise IntegrityError(f"{self._path / name}: the witnesses signed another tree than this log has now")
            found |= {witness: (size, time) for witness, time in signed.witnessed.items()}
        return found

    def add_cosignature(self, line: str) -> None:
        """Add a witness's signature line for the newest checkpoint.

        Raises `InputError` where no such witness is configured, `IntegrityError` where the line does not verify (the
        log may have grown meanwhile).
        """
        with locked(self._path / "lock"):
            self.refresh()
            note = add_cosignature(self._signed.note, line, self._witnesses)
            self._put_note(CHECKPOINT, note)
            self._signed = self._verified(note, str(self._path / CHECKPOINT))

    # --- writing -------------------------------------------------------------------------------------------------

    def append(self, leaves: Sequence[bytes]) -> Checkpoint:
        """Append leaves (at most 65,535 bytes each) in one go; all are durable and signed for when this returns.

        Raises `LimitError` for a leaf that is too long, `UnreachableError` where a disk fails or is full (rule 3),
        `IntegrityError` as opening does, or where another writer was first in the second place.
        """
        if self._signer is None:
            raise InputError(f"{self._path}: the log was opened without a signing key; nothing can be appended")
        with locked(self._path / "lock"):
            old = self.refresh().size
            if leaves:
                files, size, root = self._tree.grown(leaves)
                self._put_files(files)
                checkpoint = Checkpoint(self._origin, size, root)
                note = sign_checkpoint(checkpoint, self._signer)
                self._keep_cosigned()
                self._second.swap(self._swapped, note)
                self._swapped = note
                self._follow(checkpoint)
                self._signed = self._verified(note, str(self._second))
            self._settle()
            self._tidy(old)
            return self.checkpoint()

    def prune(self, minimum: int) -> int:
        """Remove the full bundles and tiles that end at or below index `minimum`; returns how many files.

        Proofs between sizes from `minimum` on stay what they were. That the log allows it must stand in a leaf of it:
        write that first. Safe to repeat after a crash.
        """
        if not 0 <= minimum <= self._tree.size:
            raise ValueError(f"minimum index {minimum} of a log of {self._tree.size}")
        removed = 0
        with locked(self._path / "lock"), storage_faults(self._path, "prune"):
            for tile in self._tree.prunable(minimum):
                target = self._path / tile.path
                shutil.rmtree(target.with_name(f"{target.name}.p"), ignore_errors=True)
                if target.exists():
                    target.unlink()
                    removed += 1
        return removed

    def _settle(self) -> None:
        """Bring the checkpoint file up to the second place (rule 2)."""
        local = self._open_file(CHECKPOINT)
        if local is None or not local.checkpoint.same_tree(self._signed.checkpoint):
            self._put_note(CHECKPOINT, self._signed.note)

    def _keep_cosigned(self) -> None:
        if self._signed.witnessed:
            self._put_note(COSIGNED, self._signed.note)

    def _put_note(self, name: str, note: bytes) -> None:
        replace_file(self._path / name, [note])

    def _put_files(self, files: dict[Tile, bytes]) -> None:
        folders = sorted({self._path / part for tile in files for part in Path(tile.path).parents})
        with storage_faults(self._path, "make the folders"):
            for folder in folders:
                folder.mkdir(mode=0o700, exist_ok=True)
        for tile, data in files.items():
            replace_file(self._path / tile.path, [data])
        with storage_faults(self._path, "write"):
            for folder in folders:  # new folders are names too
                sync_folder(folder)

    def _tidy(self, old: int) -> None:
        """Remove the partial tiles and bundles of size `old` that have become full (rule 5); no harm where it fails."""
        for level in (ENTRIES, *levels(old)):
            edge = last_tile(level, old)
            if edge is not None and (self._path / edge.full.path).is_file():
                shutil.rmtree((self._path / edge.path).parent, ignore_errors=True)

    # --- the two places ------------------------------------------------------------------------------------------

    def _agreed(self) -> tuple[Signed, bytes]:
        """The checkpoint to go on from, and the bytes that lie in the second place (rule 2)."""
        local = self._open_file(CHECKPOINT)  # first: rule 4
        swapped = self._second.read()
        second = None if swapped is None else self._verified(swapped, str(self._second))
        if local is None:
            raise self._without_checkpoint(second)
        if second is None or swapped is None:
            raise IntegrityError(
                f"{self._second}: the second place holds no checkpoint, but this log has {local.checkpoint.size:,} "
                "leaves",
                hint="mount its disk, or name the right folder as `second` under [ledger] in muniment.toml",
            )
        here, there = local.checkpoint, second.checkpoint
        if here.same_tree(there):
            return local, swapped
        if here.size == there.size:
            raise IntegrityError(
                f"{self._path}: the log was forked: its checkpoint of {here.size:,} leaves and the one in "
                f"{self._second} have different roots, and both are signed",
                hint="keep both folders as evidence; two writers used one signing key, or the folder was exchanged",
            )
        if here.size > there.size:
            raise IntegrityError(
                f"{self._second}: the second place stands at {there.size:,} leaves, the log at {here.size:,}: it was "
                "restored from a backup or exchanged",
                hint="put back the newest content of the second place",
            )
        self._check_ahead(here, there)
        return second, swapped

    def _check_ahead(self, here: Checkpoint, there: Checkpoint) -> None:
        """Whether tiles and leaves bear out a second place that is ahead."""
        try:
            tree = TiledTree(there.size, there.root, self._read)
            for _ in tree.leaves(here.size, there.size):
                pass
            older = tree.root_at(here.size)
        except IntegrityError as error:
            raise IntegrityError(
                f"{self._path}: the log ends at {here.size:,} leaves, but {there.size:,} were acknowledged in "
                f"{self._second}: this folder was restored from a backup, or cut",
                hint=_RESTORE,
            ) from error
        if older != here.root:
            raise IntegrityError(
                f"{self._path}: the log was forked: its checkpoint of {here.size:,} leaves is no prefix of the one of "
                f"{there.size:,} in {self._second}",
                hint="keep both folders as evidence; two writers used one signing key, or the folder was exchanged",
            )

    def _without_checkpoint(self, second: Signed | None) -> InputError | IntegrityError:
        if second is None or second.checkpoint.size == 0:
            return InputError(f"{self._path}: there is no log", hint="muniment init DIR makes a workspace with one")
        return IntegrityError(
            f"{self._path / CHECKPOINT}: the checkpoint is missing, but {second.checkpoint.size:,} leaves were "
            f"acknowledged in {self._second}",
            hint=_RESTORE,
        )

    def _follow(self, checkpoint: Checkpoint) -> None:
        """Take up a tree, which must hold the one that was known."""
        known = self._tree
        if checkpoint.size < known.size:
            raise IntegrityError(f"{self._path}: the log went back from {known.size:,} to {checkpoint.size:,} leaves")
        tree = self._read_tree(checkpoint)
        if known.size and tree.root_at(known.size) != known.root:
            raise IntegrityError(f"{self._path}: the first {known.size:,} leaves are not those that were here before")
        self._tree = tree

    def _read_tree(self, checkpoint: Checkpoint) -> TiledTree:
        try:
            return TiledTree(checkpoint.size, checkpoint.root, self._read)
        except IntegrityError as error:
            raise IntegrityError(f"{self._path}: {error.message}", hint=_RESTORE) from error

    def _open_file(self, name: str) -> Signed | None:
        data = self._read(name, NOTE_BYTES)
        return None if data is None else self._verified(data, str(self._path / name))

    def _verified(self, note: bytes, what: str) -> Signed:
        return open_checkpoint(note, self._verifiers, self._origin, witnesses=self._witnesses, what=what)

    def _read(self, path: str, at_most: int) -> bytes | None:
        target = self._path / path
        with storage_faults(target, "read"):
            try:
                with target.open("rb") as file:
                    return file.read(at_most + 1)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
