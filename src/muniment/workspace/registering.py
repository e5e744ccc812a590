"""Add a register, suggest and accept carriers, check its key again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from muniment.config import RegisterSettings, append_register, set_carriers
from muniment.config.read import ColumnSettings
from muniment.disclosure import Kind, Register
from muniment.errors import InputError
from muniment.ingest.sources import Source, open_source
from muniment.ingest.survey import survey
from muniment.ledger.declarations import declare_register
from muniment.limits import BATCH_ROWS
from muniment.marks.laws import law_for
from muniment.marks.suggest import Suggestion, acceptable, suggest
from muniment.table import Table
from muniment.workspace.parts import Parts, located
from muniment.workspace.results import RegisterEntry, RegisterResult

TEXT = "VARCHAR"
"""The type that sources give to text columns."""
Accept: TypeAlias = Literal["nothing", "equivalent"]


@dataclass(frozen=True, slots=True)
class NewRegister:
    """A register as its owner declares it. `kinds` corrects what was guessed from names and values."""

    name: str
    source: str
    key: tuple[str, ...]
    coalition: int = 10
    encoding: str | None = None
    kinds: Mapping[str, Kind] | None = None
    accept: Accept = "nothing"


def add_register(parts: Parts, new: NewRegister) -> RegisterResult:
    """Survey the source, log the register, and write its block into muniment.toml.

    Raises:
        InputError: the name is taken, the source cannot be read, or its key is not one.
        UnreachableError: a server or the disk cannot be reached; nothing was written.
    """
    if any(register.name == new.name for register in parts.config.registers):
        raise InputError(
            f"register {new.name!r} is there already; it stays", hint=f"muniment register suggest {new.name}"
        )
    law = law_for(new.coalition)
    stored = _stored(parts.folder, new.source)
    source = open_source(located(parts.folder, stored), encoding=new.encoding)
    found = survey(source, new.key)
    kinds = {**found.kinds, **_known(new.kinds or {}, found.columns)}
    declared = declare_register(
        parts.journal,
        new.name,
        key=new.key,
        columns=[(name, kinds[name]) for name in found.columns],
        coalition=new.coalition,
        law=law.name,
        now=parts.clock(),
    )
    register = Register(new.name, stored, declared.key, declared.columns, declared.coalition, new.encoding)
    accepted = _accepted(register, source, found.rows) if new.accept == "equivalent" else {}
    columns = tuple(
        ColumnSettings(column.name, column.kind, tuple(accepted.get(column.name, ()))) for column in register.columns
    )
    append_register(
        parts.folder / "muniment.toml",
        RegisterSettings(
            name=new.name,
            source=stored,
            key=new.key,
            encoding=new.encoding,
            coalition=new.coalition,
            structural=(),
            columns=columns,
        ),
    )
    return RegisterResult(register, found.rows, {name: tuple(names) for name, names in accepted.items()})


def _stored(folder: Path, source: str) -> str:
    """The source as kept: a path becomes absolute, so that the workspace works from any folder."""
    if "://" in source:
        return source
    path, mark, table = source.partition("::")
    return str(Path(path).expanduser().resolve()) + mark + table


def _known(kinds: Mapping[str, Kind], columns: Sequence[str]) -> Mapping[str, Kind]:
    for name in kinds:
        if name not in columns:
            raise InputError(f"no column {name!r} to give a kind; the columns are {', '.join(columns)}")
    return kinds


def _accepted(register: Register, source: Source, rows: int) -> Mapping[str, Sequence[str]]:
    """What is taken by default: meaning-preserving carriers, on columns that are text in the source.

    A typed date or number has no layout of its own; written as text it would come out as another type.
    """
    found = acceptable(register, suggest(register, _sample(source), rows))
    return {name: carriers for name, carriers in found.items() if source.types.get(name, TEXT) == TEXT}


def _sample(source: Source) -> Table:
    sample = next(iter(source.batches()))
    return sample if sample.rows <= BATCH_ROWS else sample.take(range(BATCH_ROWS))


def suggestions(parts: Parts, name: str) -> tuple[Suggestion, ...]:
    """Which carriers could be allowed on which column, what they would give, and what would change."""
    register = parts.register(name)
    source = parts.source(register)
    rows = sum(batch.rows for batch in source.batches(register.key))
    return suggest(register, _sample(source), rows)


def accept_equivalent(parts: Parts, name: str) -> RegisterResult:
    """Allow the meaning-preserving carriers that `suggest` proposes, column by column."""
    register = parts.register(name)
    source = parts.source(register)
    rows = sum(batch.rows for batch in source.batches(register.key))
    accepted = _accepted(register, source, rows)
    for column, names in accepted.items():
        set_carriers(parts.folder / "muniment.toml", name, column, tuple(names))
    return RegisterResult(register, rows, {column: tuple(names) for column, names in accepted.items()})


def check_register(parts: Parts, name: str) -> RegisterResult:
    """Read the register again and check its key; `InputError` names the rows that are wrong."""
    register = parts.register(name)
    rows = survey(parts.source(register), register.key).rows
    allowed = {column.name: column.carriers for column in parts.config.register(name).columns if column.carriers}
    return RegisterResult(register, rows, allowed)


def entries(parts: Parts) -> tuple[RegisterEntry, ...]:
    """The registers as they stand in muniment.toml, with the number of copies of each."""
    counts = Counter(copy.register for copy in parts.copies.copies())
    return tuple(
        RegisterEntry(one.name, one.source, one.key, one.coalition, counts[one.name]) for one in parts.config.registers
    )
