"""Release: mark copies for recipients, record them, and only then let their files appear.

Steps
1. Check names, purpose, columns and targets; nothing is written.
2. Number the recipients and log the families of marks.
3. By the policy under [exposure]: judge what the release adds to what each recipient holds, and warn or refuse.
4. Stream the register once for each `OPEN_FILES` recipients into temporary files beside their targets.
5. Under the journal's lock: extend the baseline, record the copies as disclosures of the ledger, keep the classes of
   step 3 - all durable.
6. Give each file its final name. A crash before this leaves a copy on record that nobody received; never the reverse.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muniment.disclosure import Recipient, Register, checked_name
from muniment.durable import check_target, storage_faults, sync_folder, take_name
from muniment.engine.writers import Form, Writer, open_writer
from muniment.errors import InputError, LimitError
from muniment.ingest.sources import Source
from muniment.ledger.copies import PlannedCopy
from muniment.ledger.declarations import log_commitments
from muniment.ledger.families import declare_families
from muniment.limits import OPEN_FILES, PURPOSE_CHARACTERS
from muniment.marks.codebook import Codebook
from muniment.marks.plan import ORDER, Plan
from muniment.marks.rows import Pairs, pair_up
from muniment.marks.stream import Job, ReleaseStream, Tally, record_keys
from muniment.marks.write import Prepared
from muniment.table import Table
from muniment.workspace.baselines import Observed, cell_digest, column_of, extend_baseline
from muniment.workspace.decoying import DecoyRows, decoy_rows
from muniment.workspace.exposing import Judged, before_release
from muniment.workspace.ordinals import Seen
from muniment.workspace.parts import Parts
from muniment.workspace.plans import allowed_plan, to_log
from muniment.workspace.results import Distortion, ReleaseResult
from muniment.workspace.strength import Strength, strength_of

FORMS: dict[str, Form] = {".csv": "csv", ".parquet": "parquet", ".xlsx": "xlsx"}


@dataclass(frozen=True, slots=True)
class Order:
    """One release as asked for: who gets what, why, and where each file goes (in the order of `recipients`)."""

    register: str
    recipients: tuple[str, ...]
    outs: tuple[Path, ...]
    purpose: str
    where: str | None = None
    columns: tuple[str, ...] | None = None
    basis: str = ""
    case: str = ""


Progress = Callable[[int], None]


def release(parts: Parts, order: Order, progress: Progress = lambda rows: None) -> tuple[ReleaseResult, ...]:
    """Carry out an order; returns one result a recipient, in order.

    Raises:
        InputError: a name, column, condition or target is not right, or the register holds a bad key.
        IntegrityError: the journal or a carrier does not hold what it promises; no file appeared.
        UnreachableError: disk, server or lock cannot be reached; no file appeared that is not on record.
    """
    register = parts.register(order.register)
    columns = _checked(order, register)
    decoys = decoy_rows(parts, register, order.where)
    plan = allowed_plan(parts, register, decoys.share if decoys else None)
    key = parts.ring.current("mark")
    codebook = Codebook(key.secret, register.name)
    source = _opened(parts, register, (*register.key, *columns, *plan.columns))
    judged = before_release(parts, register, order.recipients, columns, order.where)
    with parts.journal.writing():
        log_commitments(parts.journal, parts.ring.commitments(), parts.clock())  # a rotation may have been cut short
        recipients = parts.copies.recipients(order.recipients, parts.clock())
        declare_families(parts.journal, to_log(plan, register, key.id), parts.clock())
    run = _Run(parts, order, register, source, plan, codebook, key.id, columns, decoys, judged)
    strength = strength_of(parts, register, plan)
    results: list[ReleaseResult] = []
    for start in range(0, len(recipients), OPEN_FILES):
        part = slice(start, start + OPEN_FILES)
        results += run.hand_out(recipients[part], order.outs[part], strength, progress)
    return tuple(results)


def _checked(order: Order, register: Register) -> tuple[str, ...]:
    """Step 1; returns the columns that are handed out."""
    if not order.recipients:
        raise InputError("no recipient given: expected at least one", hint="--to RECIPIENT")
    for name in order.recipients:
        checked_name("the name of a recipient", name)
    if len(set(order.recipients)) < len(order.recipients) or len(set(order.outs)) < len(order.outs):
        raise InputError("a recipient or a file is named twice in one release: expected each once")
    if not order.purpose.strip():
        raise InputError("no purpose given: expected a sentence on why the copy is handed out", hint="--purpose TEXT")
    if len(order.purpose) > PURPOSE_CHARACTERS:
        raise LimitError(f"the purpose has {len(order.purpose):,} characters: expected at most {PURPOSE_CHARACTERS:,}")
    for out in order.outs:
        if out.suffix.lower() not in FORMS:
            raise InputError(f"{out}: unknown form {out.suffix!r}: expected .csv, .parquet or .xlsx")
        check_target(out, "--out")
    return _columns(order, register)


def _columns(order: Order, register: Register) -> tuple[str, ...]:
    columns = order.columns or tuple(column.name for column in register.columns)
    if len(set(columns)) < len(columns):
        raise InputError(f"a column is named twice ({', '.join(columns)}): expected each once")
    return tuple(register.column(name).name for name in columns)


def _opened(parts: Parts, register: Register, columns: Sequence[str]) -> Source:
    """The source, once it has every column that is needed: a register that changed numbers no recipient."""
    source = parts.source(register)
    gone = [name for name in dict.fromkeys(columns) if name not in source.columns]
    if gone:
        raise InputError(
            f"register {register.name!r}: its source has no column {gone[0]!r} any more; "
            f"the columns are {', '.join(source.columns)}",
            hint="give the column its old name back, or leave it out with --columns and out of muniment.toml",
        )
    return source


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same over the passes of one release."""

    parts: Parts
    order: Order
    register: Register
    source: Source
    plan: Plan
    codebook: Codebook
    mark_key: str
    columns: tuple[str, ...]
    decoys: DecoyRows | None
    judged: Judged | None

    def hand_out(
        self, recipients: Sequence[Recipient], outs: Sequence[Path], strength: Strength, progress: Progress
    ) -> list[ReleaseResult]:
        """Steps 4 to 6 for the recipients of one pass."""
        temporary = [out.with_name(f".{out.name}.{secrets.token_hex(6)}.partial") for out in outs]
        observed = self._observed()
        with ExitStack() as undo:
            for path in temporary:
                undo.callback(_forget, path)
            seen = Seen(self.parts, self.register.name)
            tallies = self._stream(recipients, temporary, outs, observed, seen, progress)
            digests = [_digest(path) for path in temporary]
            planned = [
                self._planned(recipient, tally, digest, path)
                for recipient, tally, digest, path in zip(recipients, tallies, digests, temporary, strict=True)
            ]
            with self.parts.journal.writing():
                extend_baseline(self.parts, self.register.name, observed)
                *older, newest = seen.columns()
                copies = self.parts.copies.record_many(planned, newest, self.parts.clock(), older)
            if self.judged is not None:
                self.judged.keep(self.parts, copies)
            try:
                for path, out in zip(temporary, outs, strict=True):
                    _appear(path, out)
            finally:
                for folder in {out.parent for out in outs}:
                    with storage_faults(folder, "make the names of the copies durable"):
                        sync_folder(folder)
        return [
            _result(copy.number, recipient.name, out, digest, tally, strength, self._warning(recipient))
            for copy, recipient, out, digest, tally in zip(copies, recipients, outs, digests, tallies, strict=True)
        ]

    def _warning(self, recipient: Recipient) -> str:
        return "" if self.judged is None else self.judged.warnings.get(recipient.name, "")

    def _observed(self) -> Observed:
        columns = [(name, column_of(self.plan, self.register, name)) for name in self.plan.columns]
        tolerance = frozenset(family.column.name for family in self.plan.cells if family.tolerance is not None)
        return Observed(cell_digest(self.parts, self.register.name), columns, tolerance)

    def _stream(
        self,
        recipients: Sequence[Recipient],
        temporary: Sequence[Path],
        outs: Sequence[Path],
        observed: Observed,
        seen: Seen,
        progress: Progress,
    ) -> list[Tally]:
        """Step 4: write every copy of this pass into its temporary file."""

        def observe(keys: Sequence[bytes], prepared: Prepared) -> None:
            observed.add(seen.add(keys), prepared)
            progress(len(keys))

        with ExitStack() as stack:
            writers: list[Writer] = [
                stack.enter_context(open_writer(path, self.columns, self.source.types, FORMS[out.suffix.lower()]))
                for path, out in zip(temporary, outs, strict=True)
            ]
            stream = ReleaseStream(self.codebook, self.plan, self._job(recipients, writers), observe)
            stream.run(self._batches())
        if not len(observed.pseudonyms):
            raise InputError(
                f"register {self.register.name!r}: no record fits {self.order.where or 'it'}; no copy was made"
            )
        _refuse_duplicates(observed.pseudonyms, self.register)
        return stream.tallies

    def _job(self, recipients: Sequence[Recipient], writers: Sequence[Writer]) -> Job:
        records = self._all_records() if self.plan.structure(ORDER) else None
        return Job(
            key=self.register.key,
            columns=self.columns,
            recipients=tuple(recipients),
            sinks=tuple(writer.write for writer in writers),
            decoys=self.decoys.table if self.decoys else None,
            decoy_places=self.decoys.places if self.decoys else (),
            pairs=None if records is None else self._pairs(records),
            numbers_of=None if records is None else _numbering(records),
        )

    def _all_records(self) -> np.ndarray:
        """The record parts of the addresses of the whole register, in its order, decoys behind."""
        parts, done = [], 0
        for batch in self.source.batches(self.register.key):
            parts.append(self.codebook.records(record_keys(batch, self.register.key, done)))
            done += batch.rows
        if self.decoys:
            parts.append(self.codebook.records(record_keys(self.decoys.table, self.register.key, done)))
        return np.concatenate(parts)

    def _pairs(self, records: np.ndarray) -> Pairs | None:
        order = self.plan.structure(ORDER)
        return None if order is None else pair_up(self.codebook, order, records)

    def _batches(self) -> Iterator[Table]:
        marked = [*self.plan.columns, *self.columns, *self.register.key]
        return self.source.batches(tuple(dict.fromkeys(marked)), self.order.where)

    def _planned(self, recipient: Recipient, tally: Tally, digest: str, file: Path) -> PlannedCopy:
        return PlannedCopy(
            recipient=recipient,
            register=self.register.name,
            purpose=self.order.purpose,
            where=self.order.where,
            columns=self.columns,
            rows=tally.rows,
            symbols=tally.symbols,
            mark_key=self.mark_key,
            file_digest=digest,
            size=file.stat().st_size,
            account=self.parts.account,
            basis=self.order.basis,
            case=self.order.case,
        )


def _numbering(records: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """From record parts of addresses to row numbers of the whole register."""
    order = np.argsort(records, kind="stable")
    ascending = records[order]
    return lambda some: order[np.searchsorted(ascending, some)].astype(np.int64)


def _refuse_duplicates(found: np.ndarray, register: Register) -> None:
    repeated = len(found) - len(np.unique(found))
    if repeated:
        raise InputError(
            f"register {register.name!r}: {repeated:,} rows share their key ({', '.join(register.key)}) with another",
            hint=f"muniment register check {register.name} names the rows",
        )


def _digest(path: Path) -> str:
    with storage_faults(path, "read back"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget(path: Path) -> None:
    """Take a temporary file away; a disk that refuses that must not hide why the release ended."""
    with suppress(OSError):
        path.unlink()


def _appear(path: Path, out: Path) -> None:
    """Give a finished file its final name, unless another one has taken it meanwhile."""
    with storage_faults(out, "give the copy its name"):
        try:
            take_name(path, out)
        except FileExistsError:
            raise InputError(
                f"{out}: a file appeared there meanwhile; it stays, and this copy was not handed out",
                hint="choose another --out",
            ) from None


def _result(
    copy: int, recipient: str, out: Path, digest: str, tally: Tally, strength: Strength, warning: str
) -> ReleaseResult:
    distortion = tuple(Distortion(column, cells, tally.changed[column]) for column, cells in tally.cells.items())
    needed = strength.symbols_for_95
    per_row = tally.symbols / tally.rows if tally.rows else 0.0
    rows = -(-needed // per_row) if per_row and needed else 0
    return ReleaseResult(
        copy=copy,
        recipient=recipient,
        path=out,
        file_digest=digest,
        rows=tally.rows,
        symbols=tally.symbols,
        meaning_changed=0,  # proved form by form in marks.write: any other outcome stops the release
        distortion=distortion,
        rows_left_out=tally.left_out,
        decoys=tally.decoys,
        symbols_to_trace=needed,
        rows_to_trace=int(rows) if rows <= tally.rows else 0,
        warning=warning,
    )
