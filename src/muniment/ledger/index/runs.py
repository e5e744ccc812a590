"""The folder of the index: runs over contiguous segments, and the catalogue that says which files they are.

Rules
1. The index is derived: whatever is missing, altered or about other segments is built again, never repaired.
2. New segments become a run of their own; runs are merged as soon as an older one is less than twice as large as all
   that came after it. So there are few runs, and every posting is rewritten a number of times that grows with the
   logarithm of the ledger.
3. New files are durable before the catalogue names them, the catalogue before old files go: a crash at any byte leaves
   the old index or the new one, and files that nothing names, which the next update removes.
4. One writer at a time (lock file); readers take no lock. A reader that lost a race for a file opens the index again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from muniment.durable import locked, storage_faults
from muniment.errors import InputError, IntegrityError
from muniment.keys import Key, Purpose
from muniment.ledger.index.build import FILE_ID_BYTES, Part, SegmentPart, write_run
from muniment.ledger.index.leaf import RunRoot, parse_run, run_value
from muniment.ledger.index.pages import REINDEX, PageCache
from muniment.ledger.index.postings import Postings
from muniment.ledger.index.roots import RunMap
from muniment.ledger.sources import SegmentSource
from muniment.prf import hkdf
from muniment.sealed import read_sealed, write_sealed

GROWTH: Final = 2
"""A run stays as long as it is so many times as large as everything after it."""
BATCH_POSTINGS: Final = 16 * 1024**2
"""Postings of new segments that are sorted in memory before they become a run: some 400 MB while they are sorted."""
OPEN_RUNS: Final = 64
"""New runs that an update collects before it merges them."""
RandomBytes: TypeAlias = Callable[[int], bytes]
Root: TypeAlias = RunRoot | None
_CATALOGUE = "catalogue"
_PURPOSE = "muniment index catalogue"
_SUFFIX = ".run"
_ATTEMPTS = 5


class RecordIndex:
    """An open index. It owns its files: close it, or use it as a context."""

    def __init__(
        self, folder: Path, keys: Sequence[Key], cache: PageCache, runs: Sequence[Postings], roots: Sequence[Root] = ()
    ) -> None:
        """For `open` only. `roots` are the known roots of `runs`."""
        self._folder = folder
        self._keys = tuple(keys)
        self._cache = cache
        self._runs = list(runs)
        self._roots = {run.id: root for run, root in zip(runs, roots, strict=False) if root is not None}

    def __repr__(self) -> str:
        return f"RecordIndex({str(self._folder)!r}, {len(self._runs)} runs)"

    def __enter__(self) -> RecordIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def open(cls, folder: Path, keys: Sequence[Key], cache: PageCache | None = None) -> RecordIndex:
        """Open what the catalogue names; a folder without one is an index of nothing.

        Raises `IntegrityError` where catalogue or runs do not verify: `rebuild` of a fresh index mends that.
        """
        if not keys or any(key.purpose != Purpose.SEGMENT for key in keys):
            raise ValueError("one segment key or more is needed")
        pages = PageCache() if cache is None else cache
        return cls(folder, keys, pages, *_opened(folder, keys, pages))

    @classmethod
    def empty(cls, folder: Path, keys: Sequence[Key], cache: PageCache | None = None) -> RecordIndex:
        """An index of nothing, whatever lies in the folder: for `rebuild` where `open` refused."""
        return cls(folder, keys, PageCache() if cache is None else cache, [])

    @property
    def runs(self) -> Sequence[Postings]:
        """The runs, in the order of the log."""
        return tuple(self._runs)

    def maps(self) -> tuple[RunMap, ...]:
        """The Merkle map of every run, hashed anew: for proofs."""
        return tuple(RunMap(run, self._keys[0]) for run in self._runs)

    def roots(self) -> tuple[RunRoot, ...]:
        """The root of every run; those that are not known yet are computed, and kept in the catalogue.

        Raises `UnreachableError` on a full or read-only disk.
        """
        with self._writing():
            missing = [run for run in self._runs if run.id not in self._roots]
            for run in missing:
                self._roots[run.id] = RunMap(run, self._keys[0]).root
            if missing and self._is_current():
                self._write_catalogue(self._runs)
        return tuple(self._roots[run.id] for run in self._runs)

    def close(self) -> None:
        """Let go of the files."""
        for run in self._runs:
            run.close()
        self._runs = []

    def update(self, segments: Sequence[SegmentSource], *, random_bytes: RandomBytes = os.urandom) -> None:
        """Cover exactly these segments (all of the ledger, in the order of the log), keeping the runs that still hold.

        Raises `UnreachableError` on a full or read-only disk: the old index is in force then, or already the new one.
        """
        with self._writing():
            self._take_up()
            self._change(segments, self._runs, random_bytes)

    def rebuild(self, segments: Sequence[SegmentSource], *, random_bytes: RandomBytes = os.urandom) -> None:
        """Build everything again from the segments; the old index stays in force until the new one is durable."""
        with self._writing():
            self._change(segments, [], random_bytes)

    def _change(self, segments: Sequence[SegmentSource], kept: Sequence[Postings], random_bytes: RandomBytes) -> None:
        made: list[Postings] = []
        old = list(self._runs)
        try:
            runs = self._covering(segments, kept, made, random_bytes)
        except BaseException:
            _discard(made)
            raise
        if [run.id for run in runs] != [run.id for run in old] or not (self._folder / _CATALOGUE).exists():
            # Where this fails the catalogue may be the old or the new one: the files of both must stay.
            self._write_catalogue(runs)
        self._runs = runs
        self._roots = {run.id: self._roots[run.id] for run in runs if run.id in self._roots}
        _discard(run for run in [*old, *made] if run not in runs)
        self._sweep()

    def _take_up(self) -> None:
        """Go on from what another process wrote meanwhile; what does not open is built again (rule 1)."""
        try:
            if self._is_current():
                return
            runs, roots = _opened(self._folder, self._keys, self._cache)
        except IntegrityError:
            runs, roots = [], []
        for run in self._runs:
            run.close()
        self._runs = runs
        self._roots = {run.id: root for run, root in zip(runs, roots, strict=True) if root is not None}

    # --- merging -------------------------------------------------------------------------------------------------

    def _covering(
        self,
        segments: Sequence[SegmentSource],
        kept: Sequence[Postings],
        made: list[Postings],
        random_bytes: RandomBytes,
    ) -> list[Postings]:
        """Runs that cover the segments: kept ones, new ones in the gaps between them, all merged as rule 2 says."""
        place = {segment.leaf: number for number, segment in enumerate(segments)}
        runs: list[Postings] = []
        done = 0
        for run in [*kept, None]:
            first = len(segments) if run is None else place.get(int(run.coverage.leaves[0]), -1)
            if first < done or (run is not None and not _about(run, segments[first:])):
                continue
            for parts in _batches(segments[done:first]):
                runs.append(self._written(parts, made, random_bytes))
                if len(runs) > OPEN_RUNS:
                    self._settle(runs, made, random_bytes)
            if run is not None:
                runs.append(run)
                done = first + len(run.coverage.leaves)
        self._settle(runs, made, random_bytes)
        return runs

    def _settle(self, runs: list[Postings], made: list[Postings], random_bytes: RandomBytes) -> None:
        """Merge the newest runs as far back as rule 2 asks for."""
        first, after = len(runs), 0
        for number in range(len(runs) - 1, -1, -1):
            weight = _weight(runs[number])
            if weight < GROWTH * after:
                first = number
            after += weight
        if first < len(runs) - 1:
            merged = self._written(runs[first:], made, random_bytes)
            dropped = [run for run in runs[first:] if run in made]
            runs[first:] = [merged]
            _discard(dropped)
            for run in dropped:
                made.remove(run)

    def _written(self, parts: Sequence[Part], made: list[Postings], random_bytes: RandomBytes) -> Postings:
        path = self._folder / (random_bytes(FILE_ID_BYTES).hex() + _SUFFIX)
        write_run(path, parts, self._keys[-1], random_bytes=random_bytes)
        run = Postings(path, self._keys, self._cache)
        made.append(run)
        return run

    # --- the catalogue -------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with storage_faults(self._folder, "make the folder"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._folder / "lock"):
            yield

    def _is_current(self) -> bool:
        """Whether the catalogue still names these runs; another process may have updated the index meanwhile."""
        return [name for name, _ in _catalogue(self._folder, self._keys)] == [run.path.name for run in self._runs]

    def _write_catalogue(self, runs: Sequence[Postings]) -> None:
        roots = [self._roots.get(run.id) for run in runs]
        value = [[run.path.name, root and run_value(root)] for run, root in zip(runs, roots, strict=True)]
        text = json.dumps(value).encode()
        write_sealed(self._folder / _CATALOGUE, _catalogue_key(self._keys[-1]), [text], _PURPOSE)

    def _sweep(self) -> None:
        """Remove what a crash left behind."""
        named = {run.path.name for run in self._runs}
        for path in self._folder.glob("*" + _SUFFIX + "*"):
            if path.name not in named:
                with suppress(OSError):
                    path.unlink()
        for path in self._folder.glob(".*.partial"):
            with suppress(OSError):
                path.unlink()


def _opened(folder: Path, keys: Sequence[Key], cache: PageCache) -> tuple[list[Postings], list[Root]]:
    for attempt in range(_ATTEMPTS):
        runs: list[Postings] = []
        try:
            named = _catalogue(folder, keys)
            for name, _ in named:
                runs.append(Postings(folder / name, keys, cache))
            return runs, [root for _, root in named]
        except InputError as error:  # a merge in another process took the file away between the two steps
            for run in runs:
                run.close()
            if attempt == _ATTEMPTS - 1:
                raise IntegrityError(f"{folder}: a file that the index names is missing", hint=REINDEX) from error
        except BaseException:
            for run in runs:
                run.close()
            raise
    raise AssertionError("not reached")


def _catalogue(folder: Path, keys: Sequence[Key]) -> list[tuple[str, Root]]:
    """The names and known roots of the runs. Its bytes are authenticated, so its shape is ours."""
    path = folder / _CATALOGUE
    if not path.exists():
        return []
    failure: IntegrityError | None = None
    for key in reversed(keys):
        try:
            stored = json.loads(read_sealed(path, _catalogue_key(key), _PURPOSE))
            return [(name, None if root is None else parse_run(root)) for name, root in stored]
        except IntegrityError as error:
            failure = error
    raise IntegrityError(f"{path}: the catalogue of the index does not verify", hint=REINDEX) from failure


def _catalogue_key(key: Key) -> bytes:
    return hkdf(key.secret, "muniment index catalogue 1", length=32)


def _about(run: Postings, segments: Sequence[SegmentSource]) -> bool:
    """Whether a run covers the first of these segments, as many as it names."""
    covered = run.coverage
    own = segments[: len(covered.leaves)]
    return [one.leaf for one in own] == covered.leaves.tolist() and all(
        one.identity == identity.tobytes() for one, identity in zip(own, covered.identities, strict=True)
    )


def _batches(segments: Sequence[SegmentSource]) -> Iterator[list[SegmentPart]]:
    """Segments as parts, as many at a time as may be sorted in memory together."""
    parts: list[SegmentPart] = []
    held = 0
    for segment in segments:
        parts.append(SegmentPart(segment))
        held += parts[-1].coverage.postings
        if held >= BATCH_POSTINGS:
            yield parts
            parts, held = [], 0
    if parts:
        yield parts


def _weight(run: Postings) -> int:
    return run.coverage.postings + run.coverage.events


def _discard(runs: Sequence[Postings] | Iterator[Postings]) -> None:
    """Close runs and remove their files."""
    for run in runs:
        run.close()
        with suppress(OSError):
            run.path.unlink()
