"""From record keys to ordinals: under every epoch of the pseudonym key, for looking up and for writing.

Rules
1. A record has one ordinal, whatever epoch it was first seen in: whoever writes gives its older pseudonyms along, so
   that an ordinal is found again under the new key although nobody carried it over.
2. A look-up asks under every epoch. A workspace that was opened before a rotation does not know the newest one: it is
   refused rather than answered in part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Register
from muniment.errors import InputError, IntegrityError
from muniment.keys import Key
from muniment.ledger.appender import Appender
from muniment.ledger.declarations import logged_keys
from muniment.ledger.ordinals.table import OrdinalTable
from muniment.marks.stream import record_keys
from muniment.pseudonym import pseudonyms
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def epochs(parts: Parts) -> tuple[Key, ...]:
    """The pseudonym keys, old ones first; `InputError` where a newer one is in use than this workspace knows."""
    keys = parts.ring.all("pseudonym")
    parts.journal.refresh()
    newest = max((_number(name) for name in logged_keys(parts.journal) if name.startswith("pseudonym-")), default=0)
    if newest > keys[-1].number:
        raise InputError(
            f"the pseudonym key was rotated meanwhile: this workspace was opened with {keys[-1].id}, and "
            f"pseudonym-{newest} is in use",
            hint="open the workspace again",
        )
    return keys


def known_ordinals(parts: Parts, register: Register, keys: Sequence[bytes]) -> NDArray[np.uint32]:
    """The ordinals that records have under any epoch, ascending, each once; who was never given out has none.

    `keys` are canonical record keys. Raises `IntegrityError` where the ordinal table does not verify.
    """
    seen = Seen(parts, register.name)
    seen.add(keys)
    with parts.ledger.table() as table:
        ordinals, found = table.lookup_all(seen.columns())
    return np.unique(ordinals[found])


def given_ordinals(parts: Parts, appender: Appender, register: str, keys: Sequence[bytes]) -> NDArray[np.uint32]:
    """The ordinal of each record, in the order of `keys`; who has none is given one. Errors as `Appender.ordinals`."""
    seen = Seen(parts, register)
    seen.add(keys)
    *older, newest = seen.columns()
    return appender.ordinals(newest, older)


class Seen:
    """The pseudonyms of records under every epoch, gathered batch by batch."""

    def __init__(self, parts: Parts, register: str) -> None:
        """Errors as `epochs`."""
        self._keys = epochs(parts)
        self._register = register
        self._parts: list[list[NDArray[np.uint64]]] = [[] for _ in self._keys]

    def add(self, keys: Sequence[bytes]) -> NDArray[np.uint64]:
        """Take up canonical record keys; returns their pseudonyms under the first epoch."""
        found = [pseudonyms(key, self._register, keys) for key in self._keys]
        for column, part in zip(self._parts, found, strict=True):
            column.append(part)
        return found[0]

    def columns(self) -> list[NDArray[np.uint64]]:
        """One column an epoch, old ones first; shape (n,) each, in the order in which the records came."""
        return [np.concatenate([np.zeros(0, np.uint64), *column]) for column in self._parts]


def carry_over(parts: Parts) -> int:
    """Make every record of every register known under the newest epoch by its ordinal; returns how many are.

    Nobody is given an ordinal by it. Safe to repeat; who is not in a register any more is carried over by whoever gives
    that record out next. Raises `IntegrityError` where a person has two ordinals, `UnreachableError` where a source or
    the ledger cannot be reached: then some are carried over.
    """
    count = 0
    with parts.ledger.writing() as appender, parts.ledger.table() as table:
        for setting in parts.config.registers:
            register = parts.register(setting.name)
            for keys in _all_keys(parts, register):
                count += _carried_over(parts, register, keys, table, appender)
    return count


def _carried_over(
    parts: Parts, register: Register, keys: Sequence[bytes], table: OrdinalTable, appender: Appender
) -> int:
    seen = Seen(parts, register.name)
    seen.add(keys)
    *older, newest = seen.columns()
    known = [table.lookup(column) for column in older]
    some = np.any([found for _, found in known], axis=0)
    given = appender.ordinals(newest[some], [column[some] for column in older])
    if any((ordinals[some] != given)[found[some]].any() for ordinals, found in known):
        raise IntegrityError(
            f"register {register.name!r}: a person has two ordinals, one under each of two pseudonym keys: was another "
            "process still writing under the old key?",
            hint="muniment ledger verify",
        )
    return len(given)


def _all_keys(parts: Parts, register: Register) -> Iterator[list[bytes]]:
    """The keys of a register, batch by batch; a decoy is no record, and has no ordinal."""
    done = 0
    for batch in parts.source(register).batches(register.key):
        yield record_keys(batch, register.key, done)
        done += batch.rows


def _number(key_id: str) -> int:
    return int(key_id.rpartition("-")[2])
