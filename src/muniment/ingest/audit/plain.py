"""Any CSV of events with a header, by a mapping: which column holds what, and how times and outcomes are written.

The mapping is a TOML text:

    register = "people"
    time = "when"                  # the column
    time_format = "%d.%m.%Y %H:%M" # or "iso" (the default), "epoch", "epoch_ms"
    account = "user"
    key = ["person_no"]            # left out: the log only counts
    key_separator = ";"            # several persons in one cell of a key of one column
    outcomes = { "denied" = "refused" }

Rules
1. A column that the mapping names must be in the header; what it does not name is not read.
2. `given = true` says that the persons in a row were given, not only asked for. It is the keeper's word.
3. An outcome that is neither one of ours nor in `outcomes` is a fault; an empty one counts as given.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, tzinfo
from typing import BinaryIO, Final

from muniment.disclosure import Delivery, Outcome, Party
from muniment.errors import InputError, LimitError
from muniment.ingest.audit.reading import Keys, Reading
from muniment.ingest.audit.records import Record, csv_records
from muniment.ingest.audit.tally import Tally
from muniment.ingest.audit.times import epoch, instant, local_time

MAPPING_CHARACTERS: Final = 65_536
"""Characters of a mapping: some twenty lines."""
_COLUMN_FIELDS: Final = tuple(
    "time recipient account device purpose basis case fingerprint rows size outcome event".split()
)
_DIGITS: Final = 19
_EPOCHS: Final = {"epoch": 1, "epoch_ms": 1_000}


@dataclass(frozen=True, slots=True)
class PlainMapping:
    """Which column holds what; "" where none does. `key` names one column for each part of a record key."""

    register: str
    time: str
    recipient: str = ""
    account: str = ""
    device: str = ""
    purpose: str = ""
    basis: str = ""
    case: str = ""
    fingerprint: str = ""
    rows: str = ""
    size: str = ""
    outcome: str = ""
    event: str = ""
    key: tuple[str, ...] = ()
    key_separator: str = ""
    columns: tuple[str, ...] = ()
    """The register's columns that every event gave; empty: not known."""
    given: bool = False
    time_format: str = "iso"
    delimiter: str = ","
    outcomes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_text(cls, toml: str) -> PlainMapping:
        """Read a mapping; `InputError` says which entry is wrong, `LimitError` that it is no mapping at all."""
        if len(toml) > MAPPING_CHARACTERS:
            raise LimitError(f"the mapping has {len(toml):,} characters: expected at most {MAPPING_CHARACTERS:,}")
        try:
            found = tomllib.loads(toml)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise InputError("the mapping is no TOML", hint='write lines such as: time = "when"') from error
        checked = {name: _entry(name, found.pop(name)) for name in _names() if name in found}
        if found:
            raise InputError(f"the mapping has {len(found)} entries that are not known: expected {', '.join(_names())}")
        if not checked.get("register") or not checked.get("time"):
            raise InputError("the mapping needs at least register and time")
        return cls(**checked)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        """`InputError` for a mapping that contradicts itself."""
        if len(self.delimiter) != 1 or self.delimiter in "\"\r\n":
            raise InputError("the delimiter of a mapping is one character, and no quote")
        if self.key_separator and len(self.key) != 1:
            raise InputError("key_separator goes with a key of one column")
        if not (self.account or self.recipient):
            raise InputError("the mapping names neither account nor recipient: who received?")
        unknown = set(self.outcomes.values()) - set(Outcome)
        if unknown:
            raise InputError(f"outcomes of a mapping are {', '.join(Outcome)}")

    def named(self) -> tuple[str, ...]:
        """Every column that the header must have."""
        single = (getattr(self, name) for name in _COLUMN_FIELDS)
        return (*(name for name in single if name), *self.key)


def _names() -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(PlainMapping))


def _entry(name: str, value: object) -> object:
    """One entry, checked for its type."""
    if name in {"key", "columns"}:
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif name == "outcomes":
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return value
    elif isinstance(value, bool if name == "given" else str):
        return value
    raise InputError(f"{name} of the mapping is of another type than expected")


@dataclass(frozen=True, slots=True)
class PlainAudit:
    """A CSV as a source. `zone`: of times that have none of their own."""

    mapping: PlainMapping
    zone: tzinfo | None = None

    @property
    def form(self) -> str:
        """For people."""
        return "CSV"

    def readings(self, stream: BinaryIO, tally: Tally) -> Iterator[Reading]:
        """See `reader.AuditSource`. `InputError`: the header is missing, or has not the columns of the mapping."""
        header: list[str] = []

        def fits(record: Record) -> bool:
            return not header or len(record) == len(header)

        records = csv_records(stream, tally, is_record=fits, begins=None, delimiter=self.mapping.delimiter)
        for line, record in records:
            if not header:
                header += self._header(record, tally.name)
                continue
            try:
                yield self._reading(line, dict(zip(header, record, strict=True)))
            except ValueError as error:
                tally.refuse(line, str(error))
        if not header:
            raise InputError(f"{tally.name}: no header")

    def _header(self, record: Record, name: str) -> Record:
        header = tuple(column.strip() for column in record)
        missing = [column for column in self.mapping.named() if header.count(column) != 1]
        if missing:
            raise InputError(
                f"{name}: line 1: expected each column of the mapping once; {', '.join(missing)} is not there once",
                hint="mend the mapping: its columns are those of the first line of the file",
            )
        return header

    def _reading(self, line: int, row: Mapping[str, str]) -> Reading:
        mapping = self.mapping

        def cell(name: str) -> str:
            return row.get(getattr(mapping, name), "").strip()

        outcome = self._outcome(cell("outcome"))
        keys = () if outcome is Outcome.REFUSED else self._keys(row)
        rows = 0 if outcome is Outcome.REFUSED else _count(cell("rows"), "rows")
        return Reading(
            time=self._time(cell("time")),
            line=line,
            party=Party(cell("recipient"), cell("account"), cell("device")),
            register=mapping.register,
            outcome=outcome,
            delivery=Delivery.UNKNOWN,
            keys=keys,
            exact=mapping.given and keys is not None,
            rows=rows,
            size=_count(cell("size"), "size"),
            columns=mapping.columns or None,
            purpose=cell("purpose"),
            basis=cell("basis"),
            case=cell("case"),
            fingerprint=cell("fingerprint"),
            event=cell("event"),
        )

    def _outcome(self, found: str) -> Outcome:
        try:
            return Outcome(self.mapping.outcomes.get(found, found) or Outcome.GIVEN)
        except ValueError:
            raise ValueError("outcome that the mapping does not know") from None

    def _keys(self, row: Mapping[str, str]) -> Keys | None:
        """The keys of a row, each once; `None` where a part of the key is empty."""
        parts = [row[column] for column in self.mapping.key]
        if self.mapping.key_separator:
            keys = [(part.strip(),) for part in parts[0].split(self.mapping.key_separator) if part.strip()]
            return tuple(dict.fromkeys(keys)) or None
        return (tuple(parts),) if parts and all(parts) else None

    def _time(self, stamp: str) -> datetime:
        layout = self.mapping.time_format
        if layout in _EPOCHS:
            number = _count(stamp, "time")
            if number is None:
                raise ValueError("event without a time")
            return epoch(number, _EPOCHS[layout])
        if layout != "iso":
            return local_time(stamp, layout, self.zone)
        try:
            return instant(stamp.replace(" ", "T", 1))
        except ValueError:
            layout = "%Y-%m-%dT%H:%M:%S.%f" if "." in stamp else "%Y-%m-%dT%H:%M:%S"
            return local_time(stamp.replace(" ", "T", 1), layout, self.zone)


def _count(digits: str, name: str) -> int | None:
    """A whole number of 0 or more; `None` where the cell is empty."""
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _DIGITS:
        raise ValueError(f"{name} that is no whole number")
    return int(digits)
