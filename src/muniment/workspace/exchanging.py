"""Import of foreign audit logs into the ledger, and export of the ledger in the forms that others read.

Rules
1. An import appends: it gets numbers of its own, the channel `imported`, and the time that the foreign log gives stands
   beside the time of the import.
2. What the foreign log cannot answer is said: a source that only counts is taken, and nobody is guessed.
3. In strict reading a malformed line ends the import before anything was appended; otherwise it is counted.
4. An export shows staff under pseudonyms unless asked otherwise, and leaves out what an order withholds.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias

from muniment.disclosure import Disclosure, canonical_key
from muniment.durable import check_target, read_file, replace_file, storage_faults
from muniment.errors import InputError, UnreachableError
from muniment.ingest.audit import (
    AuditSource,
    CsvLog,
    FhirAudit,
    JsonLog,
    KeyForm,
    OcsfAudit,
    PlainAudit,
    PlainMapping,
    Policy,
    Reading,
    Relation,
    Relations,
    Summary,
    read_audit,
)
from muniment.ledger.appender import Appender
from muniment.ledger.batch import Batch
from muniment.ledger.declarations import registers, schema_version
from muniment.ledger.export import Entry, View, csv, fhir, ocsf
from muniment.ledger.export.entry import REFERENCES, SECRET_BYTES
from muniment.ledger.suspensions import withheld
from muniment.limits import CONFIG_BYTES
from muniment.workspace.bookkeeping import Books, Selection
from muniment.workspace.ordinals import given_ordinals
from muniment.workspace.parts import Parts
from muniment.workspace.subjects import column_names

LogForm: TypeAlias = Literal["pg-csvlog", "pg-jsonlog", "fhir", "ocsf", "csv"]
ExportForm: TypeAlias = Literal["ocsf", "fhir", "csv"]
IMPORT_BATCH: Final = 4_096
"""Readings that are appended together."""
_GZIP = b"\x1f\x8b"
_FORMS: Final = {"INT": KeyForm.INTEGER, "UUID": KeyForm.UUID}
"""What a type of DuckDB says of the literals of a key column, by a part of its name."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import as asked for. `relation` is what the database calls the register's table, `mapping` a TOML file."""

    file: Path
    form: LogForm
    register: str | None = None
    relation: str | None = None
    mapping: Path | None = None
    recipient: str = ""
    purpose: str = ""
    zone: tzinfo | None = None
    skip: bool = False


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What was appended, and what the log cannot answer."""

    appended: int
    first: int | None
    last: int | None
    summary: Summary

    def to_json(self) -> dict[str, object]:
        """The JSON of `muniment ledger import --json`."""
        summary = self.summary
        return {
            "appended": self.appended,
            "first": self.first,
            "last": self.last,
            "form": summary.form,
            "keyed": summary.keyed,
            "counted": summary.counted,
            "other": summary.other,
            "unclear": summary.unclear,
            "unnamed": summary.unnamed,
            "lost_lines": summary.lost_lines,
            "reasons": dict(summary.reasons),
            "unanswered": {question.value: count for question, count in summary.unanswered},
            "count_only": summary.count_only,
        }


def import_log(parts: Parts, wanted: Import, progress: Callable[[int], None] = lambda done: None) -> ImportResult:
    """Append the disclosures of a foreign audit log; see the rules above.

    The log is read twice: first to the end, so that a fault is found before anything is appended. Raises `InputError`
    for a log, mapping or line that is not right, `UnreachableError` where the ledger cannot be written: then some
    batches may be on record, and the message says up to which line.
    """
    source = _source(parts, wanted)
    policy = Policy.SKIP if wanted.skip else Policy.STRICT
    with _opened(wanted.file) as stream:
        for reading in read_audit(stream, source, name=wanted.file.name, policy=policy):
            reading.disclosure((), schema=1, numbers={}, purpose=wanted.purpose, recipient=wanted.recipient)
    first = last = None
    done = line = 0
    with _opened(wanted.file) as stream, parts.ledger.writing() as appender:
        reader = read_audit(stream, source, name=wanted.file.name, policy=policy)
        for readings in _batches(reader):
            with _told_how_far(wanted.file, done, line):
                receipt = appender.append_many(Batch.of(_disclosures(parts, wanted, appender, readings))).result()
            first, last, done = receipt.first if first is None else first, receipt.last, done + len(readings)
            line = readings[-1].line
            progress(done)
        return ImportResult(done, first, last, reader.summary())


@contextmanager
def _told_how_far(file: Path, done: int, line: int) -> Iterator[None]:
    """An append that fails says how much of the log was appended before it."""
    try:
        yield
    except UnreachableError as error:
        raise UnreachableError(
            f"{error.message}; {done:,} entries of {file.name} were appended before, up to line {line:,}",
            hint=f"take these lines out of {file.name}, and import the rest" if done else error.hint,
        ) from error


def export_log(
    parts: Parts, form: ExportForm, out: Path, selection: Selection, *, staff_named: bool
) -> int:
    """Write disclosures to a new file in a form of others; returns how many. Errors as reading the ledger."""
    check_target(out, "FILE")
    books = Books(parts)
    orders = withheld(books.suspensions(), parts.clock())
    names = column_names(parts)
    view = View(os.urandom(SECRET_BYTES), staff_named)
    count = 0

    def entries() -> Iterator[Entry]:
        nonlocal count
        for event in books.events(selection, named=REFERENCES):
            if event.sequence not in orders:
                count += 1
                template = event.disclosure.template
                columns = tuple(names(template.register, template.columns))
                yield Entry(event.sequence, event.happened, event.disclosure, columns, event.records)

    replace_file(out, (line.encode() for line in _rendered(form, entries(), view, parts)))
    return count


def _rendered(form: ExportForm, entries: Iterable[Entry], view: View, parts: Parts) -> Iterator[str]:
    if form == "fhir":
        return fhir.lines(entries, view, fhir.Origin(parts.office))
    return ocsf.lines(entries, view) if form == "ocsf" else csv.lines(entries, view)


def _source(parts: Parts, wanted: Import) -> AuditSource:
    if wanted.form == "csv":
        return PlainAudit(_mapping(wanted.mapping), wanted.zone)
    if wanted.register is None:
        raise InputError("which register is this log about?", hint="--register NAME")
    register = parts.register(wanted.register)
    if wanted.form == "fhir":
        return FhirAudit(register.name)
    types = parts.source(register).types
    forms = tuple(
        next((form for part, form in _FORMS.items() if part in types.get(column, "")), KeyForm.TEXT)
        for column in register.key
    )
    relations = Relations([Relation(wanted.relation or register.name, register.name, register.key, forms)])
    if wanted.form == "ocsf":
        return OcsfAudit(relations)
    made = CsvLog if wanted.form == "pg-csvlog" else JsonLog
    return made(relations, wanted.zone)


def _mapping(path: Path | None) -> PlainMapping:
    if path is None:
        raise InputError("a CSV needs a mapping: which column holds what", hint="--mapping FILE.toml")
    data = read_file(path, CONFIG_BYTES)
    if data is None:
        raise InputError(f"{path}: there is no such file", hint="--mapping FILE.toml")
    try:
        return PlainMapping.from_text(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None


def _opened(path: Path) -> BinaryIO:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    with storage_faults(path, "read"):
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
        return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]  # it reads like one


def _batches(readings: Iterable[Reading]) -> Iterator[list[Reading]]:
    iterator = iter(readings)
    while batch := list(islice(iterator, IMPORT_BATCH)):
        yield batch


def _disclosures(
    parts: Parts, wanted: Import, appender: Appender, readings: Sequence[Reading]
) -> list[Disclosure]:
    """Readings with the ordinals of their keys; one look into the table for each register of the batch."""
    declared = registers(parts.journal)
    ordinals: dict[tuple[str, bytes], int] = {}
    for name in dict.fromkeys(reading.register for reading in readings):
        if name not in declared:
            raise InputError(f"the log is about register {name!r}: it was never added", hint="muniment register list")
        keys = list(
            dict.fromkeys(canonical_key(key) for one in readings if one.register == name for key in one.keys or ())
        )
        if keys:
            found = given_ordinals(parts, appender, name, keys).tolist()
            ordinals |= {(name, key): ordinal for key, ordinal in zip(keys, found, strict=True)}
    numbers = {name: {column.name: column.number for column in one.columns} for name, one in declared.items()}
    versions = {name: schema_version(parts.journal, name) for name in declared}
    return [
        one.disclosure(
            [ordinals[one.register, canonical_key(key)] for key in one.keys or ()],
            schema=versions[one.register],
            numbers=numbers[one.register],
            purpose=wanted.purpose,
            recipient=wanted.recipient,
        )
        for one in readings
    ]
