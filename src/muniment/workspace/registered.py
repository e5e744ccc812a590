"""An extract of a register with the ordinal of each row's person: what exposure is worked out from.

Rows and keys are read in two passes in the same order, or in one where the source does not promise an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Register
from muniment.errors import InputError
from muniment.exposure.extract import Extract
from muniment.ingest.sources import Source
from muniment.marks.stream import record_keys
from muniment.table import Table
from muniment.workspace.ordinals import Seen
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_registered(
    parts: Parts, register: Register, columns: Sequence[str], where: str | None, *, labels: bool = True
) -> Extract:
    """These columns of the records of a register that meet `where`, coded, with the ordinal of each.

    Who has no ordinal is given one: what is looked at here goes on record. Raises `InputError` (no such column, a bad
    condition, a bad or repeated key), `UnreachableError` (disk, server, ledger).
    """
    from muniment.exposure.reading import as_extract, read_extract

    source, seen = parts.source(register), Seen(parts, register.name)
    if getattr(source, "is_view", False):
        from muniment.engine.coding import codes_of

        both = tuple(dict.fromkeys((*columns, *register.key)))
        coded = codes_of(_watched(source.batches(both, where), register, seen), tuple(columns), labels=labels)
        return as_extract(coded, _ordinals(parts, register, seen))
    for _ in _watched(source.batches(register.key, where), register, seen):
        pass
    found = read_extract(source, tuple(columns), where=where, labels=labels)
    record = _ordinals(parts, register, seen)
    if len(record) != found.rows:
        raise InputError(
            f"register {register.name!r}: {len(record):,} rows at first and {found.rows:,} a moment later: "
            "it was changed while it was read",
            hint="do it again, or take a copy of the source first",
        )
    return Extract(found.columns, found.rows, record)


def check_columns(source: Source, columns: Sequence[str], register: Register) -> None:
    """Refuse columns that the source of a register does not have, or that are named twice (`InputError`)."""
    for number, name in enumerate(columns):
        if name not in source.columns:
            raise InputError(
                f"register {register.name!r} has no column {name!r}; the columns are {', '.join(source.columns)}"
            )
        if name in columns[:number]:
            raise InputError(f"register {register.name!r}: column {name!r} is named twice: expected each once")


def _watched(batches: Iterator[Table], register: Register, seen: Seen) -> Iterator[Table]:
    """The batches as they come, with their keys taken up on the way."""
    done = 0
    for batch in batches:
        seen.add(record_keys(batch, register.key, done))
        done += batch.rows
        yield batch


def _ordinals(parts: Parts, register: Register, seen: Seen) -> NDArray[np.uint32]:
    *older, newest = seen.columns()
    if len(np.unique(newest)) != len(newest):
        raise InputError(
            f"register {register.name!r}: rows share their key ({', '.join(register.key)}) with another",
            hint=f"muniment register check {register.name} names the rows",
        )
    with parts.ledger.writing() as appender:
        return appender.ordinals(newest, older)
