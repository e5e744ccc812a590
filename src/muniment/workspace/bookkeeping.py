"""The ledger as a keeper handles it: show, verify, seal, reindex, prune, suspend, head, open a segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from muniment.durable import check_target, replace_file
from muniment.errors import InputError
from muniment.ledger.batch import concatenated
from muniment.ledger.fsck import Progress, Verification, verify
from muniment.ledger.index.leaf import IndexLeaf
from muniment.ledger.logged import LoggedSegment
from muniment.ledger.pruning import due, notices, remove
from muniment.ledger.reader import LedgerReader, Rows
from muniment.ledger.segments.manifest import Manifest
from muniment.ledger.store import SEGMENTS
from muniment.ledger.suspensions import Suspension, suspend, suspensions, withheld
from muniment.limits import PURPOSE_CHARACTERS
from muniment.notice.subject import Event, for_keeper
from muniment.workspace.keeping import forget_pruned
from muniment.workspace.parts import Parts
from muniment.workspace.subjects import column_names

SHOWN = 1_000
"""Disclosures that `show` reads at a time: their texts are values in memory."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which disclosures are meant; `None` means any. Times are inclusive at the start, exclusive at the end."""

    recipient: str | None = None
    account: str | None = None
    case: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def rows(self, reader: LedgerReader) -> Rows:
        """The rows that are meant, oldest first."""
        window = {
            name: int(moment.timestamp() * 1000)
            for name, moment in (("since", self.since), ("until", self.until))
            if moment is not None
        }
        return reader.select(
            account=self.account, recipient=self.recipient, case=self.case, channel=self.channel, **window
        )


class Books:
    """What `Workspace.ledger` gives: the ledger of one workspace, as its keeper handles it."""

    def __init__(self, parts: Parts) -> None:
        """For `Workspace` only."""
        self._parts = parts

    def __repr__(self) -> str:
        return f"Books({str(self._parts.folder)!r})"

    @property
    def parts(self) -> Parts:
        """The opened parts of the workspace, for who builds on the ledger directly."""
        return self._parts

    # --- reading ---------------------------------------------------------------------------------------------------

    def events(self, selection: Selection, *, newest: int | None = None, named: int = 0) -> Iterator[Event]:
        """The disclosures that are meant, oldest first; with `newest`, only so many of the latest.

        Their records are counted; the disclosures of at most `named` records come with them.
        """
        reader = self._parts.ledger.reader()
        rows = selection.rows(reader)
        first = 0 if newest is None else max(0, len(rows) - newest)
        for start in range(first, len(rows), SHOWN):
            part = rows.take(np.arange(start, min(start + SHOWN, len(rows))))
            counts = reader.counts(part)
            few, many = np.flatnonzero(counts <= named), np.flatnonzero(counts > named)
            batch = concatenated([reader.batch(part.take(few), records=True), reader.batch(part.take(many))])
            for row, place in enumerate(np.argsort(np.concatenate((few, many))).tolist()):
                sealed = reader.sources[int(part.source[row])].leaf >= 0
                told = batch.disclosure(place)
                yield Event(int(batch.sequence[place]), int(batch.time[place]), told, sealed, int(counts[row]))

    def show(self, selection: Selection, *, newest: int | None = None) -> list[dict[str, object]]:
        """The disclosures that are meant as JSON values, in the keeper's view (`notice.subject.for_keeper`)."""
        orders = withheld(self.suspensions(), self._parts.clock())
        return for_keeper(list(self.events(selection, newest=newest)), orders, column_names(self._parts))

    def head(self) -> dict[str, object]:
        """The newest checkpoint as a signed note, who signs, and how much is not sealed yet."""
        ledger = self._parts.ledger
        log = ledger.log()
        segments = ledger.segments(log)
        last = segments[-1].manifest.last if segments else 0
        return {
            "checkpoint": log.note().decode(),
            "verifiers": [str(key) for key in ledger.verifiers],
            "witnessed": {name: {"size": size, "time": time} for name, (size, time) in log.witnessed().items()},
            "size": log.checkpoint().size,
            "unsealed": len(ledger.tail(last)),
        }

    def verify(self, *, full: bool = False, progress: Progress = lambda done, of: None) -> Verification:
        """Check the whole ledger from disk; see `ledger.fsck`."""
        return verify(self._parts.ledger, self._parts.journal, full=full, progress=progress)

    def open_segment(self, segment: str, out: Path) -> Manifest:
        """Write the Parquet of one segment to a new file, decrypted.

        `segment` is the id, or the beginning of it. Raises `InputError` where no segment or several begin like that.
        """
        check_target(out, "--out")
        found = self._segment(segment)
        replace_file(out, found.segment.parquet())
        return found.manifest

    def segment_key(self, segment: str, out: Path) -> Manifest:
        """Write the key of one segment to a new file, in hex, for whoever may read that segment alone; see above."""
        check_target(out, "--key-out")
        found = self._segment(segment)
        replace_file(out, [found.segment.secret.hex().encode() + b"\n"])
        return found.manifest

    # --- writing ---------------------------------------------------------------------------------------------------

    def seal(self) -> tuple[Manifest, ...]:
        """Seal what is in the write-ahead files; errors as `Ledger.seal`."""
        return self._parts.ledger.seal()

    def reindex(self, *, anew: bool = True) -> IndexLeaf:
        """Build the index again from the segments, and log its root."""
        return self._parts.ledger.reindex(anew=anew)

    def prunable(self, before: datetime | None = None) -> tuple[Manifest, ...]:
        """The segments of which every disclosure lies before a date, by default before the retention of muniment.toml.

        Raises `InputError` where neither is given.
        """
        return due([one.manifest for one in self._parts.ledger.segments()], self.term(before))

    def prune(self, before: datetime | None = None, *, reason: str) -> tuple[Manifest, ...]:
        """Remove the segments that `prunable` names, after a signed notice of it is in the log.

        Raises `InputError` without a reason; otherwise errors as `prunable` and `Ledger.seal`.
        """
        if not reason.strip() or len(reason) > PURPOSE_CHARACTERS:
            raise InputError(
                f"a notice of pruning says why, in 1 to {PURPOSE_CHARACTERS:,} characters", hint="--reason TEXT"
            )
        limit = self.term(before)
        going = self.prunable(limit)
        if going:
            ledger = self._parts.ledger
            leaves = [notice.to_leaf() for notice in notices(going, limit, reason, self._parts.clock())]
            ledger.log().append(leaves)
            remove(self._parts.folder / "ledger" / SEGMENTS, going)
            ledger.reindex()
        forget_pruned(self._parts)
        return going

    def suspend(self, sequences: Sequence[int], *, until: datetime, order: str) -> Suspension:
        """Withhold disclosures from answers to data subjects until a date; see `ledger.suspensions`."""
        newest = self._newest()
        for sequence in sequences:  # an order about a disclosure that is not there is a mistake
            if not 0 < sequence <= newest:
                raise InputError(
                    f"there is no disclosure {sequence:,}: the newest is {newest:,}", hint="muniment ledger show"
                )
            self._parts.ledger.records(sequence)
        key = self._parts.ring.current("signing")
        now = self._parts.clock()
        return suspend(self._parts.journal, sequences, until=until, order=order, key=key, now=now)

    def suspensions(self) -> tuple[Suspension, ...]:
        """Every order not to tell, oldest first."""
        return suspensions(self._parts.journal, self._parts.ledger.public_keys)

    def cosign(self, line: str) -> None:
        """Add a witness's signature line to the newest checkpoint; errors as `LogFolder.add_cosignature`."""
        self._parts.ledger.log().add_cosignature(line)

    def term(self, before: datetime | None = None) -> datetime:
        """The date before which disclosures are past their term: `before`, or by the retention of muniment.toml.

        Raises `InputError` where neither is given, or the date has no time zone.
        """
        days = self._parts.config.ledger.retention_days
        if before is not None and before.tzinfo is None:
            raise InputError("a date without its time zone does not say when: expected one with it")
        if before is not None:
            return before
        if days is None:
            raise InputError(
                "no term: neither --before nor retention_days under [ledger] in muniment.toml says how long "
                "disclosures are kept",
                hint="muniment ledger prune --before DATE",
            )
        return self._parts.clock() - timedelta(days=days)

    def _segment(self, segment: str) -> LoggedSegment:
        start = segment.removesuffix(".seg")
        found = [one for one in self._parts.ledger.segments() if one.manifest.id.startswith(start)]
        if len(found) != 1:
            raise InputError(
                f"{len(found)} segments have an id that begins with {segment[:40]!r}: expected one",
                hint="the folder ledger/segments has the ids",
            )
        return found[0]

    def _newest(self) -> int:
        """The number of the newest disclosure, 0 where there is none."""
        segments = self._parts.ledger.segments()
        last = segments[-1].manifest.last if segments else 0
        tail = self._parts.ledger.tail(last)
        return int(tail.sequence[-1]) if len(tail) else last
