"""Record keys -> ordinals of the ledger, under every epoch of the pseudonym key, for the classes of `attribution`.

Rules
1. A record has one ordinal, whatever epoch it was first seen in: older pseudonyms go along with every question, as in
   `workspace.ordinals`.
2. Small calls are answered from memory where the person came before: two generations of at most `REMEMBERED` keys. An
   ordinal never becomes another person's, so that what is remembered stays true.
3. Where another process writes, a call waits at most `seconds`; while one that was given up is still under way, every
   other is refused at once. Nothing is guessed: `UnreachableError`.
4. Provisional ordinals stand for persons whom the ledger could not be asked about, while releases go to the second
   place. They count down from 2**32 - 2, above every ordinal of a ledger, each worker its own; `spool` turns them into
   real ones by the pseudonyms that are kept with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from muniment.disclosure import canonical_key
from muniment.errors import IntegrityError, LimitError, UnreachableError
from muniment.keys import Key
from muniment.ledger.appender import Appender
from muniment.ledger.ordinals.table import OrdinalTable
from muniment.limits import LEDGER_ORDINALS
from muniment.pseudonym import column_pseudonyms, register_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

REMEMBERED: Final = 65_536
"""Keys in one generation of what is remembered: some 10 MB."""
SMALL: Final = 256
"""Rows up to which a call asks the memory; a larger one is quicker without it."""
FEW: Final = 24
"""Keys up to which one call of CMAC each is quicker than all of them in columns."""
PROVISIONAL: Final = LEDGER_ORDINALS
"""Ordinals from here on are provisional (rule 4)."""
_TOP: Final = 2**32 - 2
Column: TypeAlias = "Sequence[str] | NDArray[np.bytes_]"
_Person: TypeAlias = tuple[str, ...]


class KeptPersons:
    """The persons of this process; an `attribution` `Persons`. Belongs to the event loop's thread."""

    def __init__(
        self, keys: Sequence[Key], appender: Callable[[], Appender], *, remote: Callable[[], bool] = lambda: False,
        seconds: float = 5.0,
    ) -> None:  # fmt: skip
        """`keys`: the pseudonym keys, old ones first. `remote`: whether another process writes (rule 3)."""
        self._keys = tuple(keys)
        self._appender = appender
        self._remote = remote
        self._seconds = seconds
        self._young: dict[tuple[str, _Person], int] = {}
        self._old: dict[tuple[str, _Person], int] = {}
        self._cmacs: dict[str, list[CMAC]] = {}
        self._thread: ThreadPoolExecutor | None = None
        self._given_up: Future[NDArray[np.uint32]] | None = None

    def __repr__(self) -> str:
        return "KeptPersons()"

    def ordinals(self, register: str, columns: Sequence[Column]) -> NDArray[np.uint32]:
        """The ordinal of each person, shape (n,); who has none is given one. `columns`: the key, column by column.

        Raises `UnreachableError` where the ledger cannot be asked, or not in time.
        """
        if not len(columns[0]):
            return np.zeros(0, np.uint32)
        if len(columns[0]) > SMALL:
            return self._given(self.pseudonyms(register, columns))
        persons = _rows(columns)
        found = [self._remembered((register, person)) for person in persons]
        missing = list(dict.fromkeys(person for person, ordinal in zip(persons, found, strict=True) if ordinal is None))
        if not missing:
            return np.array(found, np.uint32)
        given = self._given(self.pseudonyms(register, list(zip(*missing, strict=True)))).tolist()
        new = dict(zip(missing, given, strict=True))
        self._remember(register, new)
        return np.array([new[p] if o is None else o for p, o in zip(persons, found, strict=True)], np.uint32)

    def pseudonyms(self, register: str, columns: Sequence[Column]) -> list[NDArray[np.uint64]]:
        """The pseudonyms of persons under every epoch, old ones first; shape (n,) each."""
        if len(columns[0]) > FEW:
            return [column_pseudonyms(key, register, columns) for key in self._keys]
        messages = [canonical_key(person) for person in _rows(columns)]
        return [np.array([_short(cmac, one) for one in messages], np.uint64) for cmac in self._prepared(register)]

    def close(self) -> None:
        """Wait for nobody any more."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    def _prepared(self, register: str) -> list[CMAC]:
        found = self._cmacs.get(register)
        if found is None:
            found = self._cmacs[register] = [CMAC(AES(register_key(key, register))) for key in self._keys]
        return found

    def _remembered(self, name: tuple[str, _Person]) -> int | None:
        ordinal = self._young.get(name)
        return self._old.get(name) if ordinal is None else ordinal

    def _remember(self, register: str, new: Mapping[_Person, int]) -> None:
        if len(self._young) + len(new) > REMEMBERED:
            self._old, self._young = self._young, {}
        for person, ordinal in new.items():
            self._young[register, person] = ordinal

    def _given(self, epochs: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint32]:
        *older, newest = epochs
        try:
            if not self._remote():
                return self._appender().ordinals(newest, older)
            return self._waited(newest, older)
        except (IntegrityError, LimitError) as error:
            raise UnreachableError("the ledger gives no ordinals", hint="muniment ledger verify") from error

    def _waited(self, newest: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint32]:
        if self._given_up is not None and not self._given_up.done():
            raise UnreachableError("the process that writes the ledger does not answer")
        self._thread = self._thread or ThreadPoolExecutor(1, "muniment gate persons")
        asked = self._thread.submit(self._appender().ordinals, newest, older)
        try:
            return asked.result(self._seconds)
        except FutureTimeout as error:
            self._given_up = asked
            raise UnreachableError("the process that writes the ledger does not answer") from error


class SpooledPersons:
    """Persons where the second place will do: known ones as the table on disk has them, others by provisional ordinals.

    Belongs to the event loop's thread.
    """

    def __init__(
        self, persons: KeptPersons, table: Callable[[], OrdinalTable], *, worker: int = 0, workers: int = 1
    ) -> None:
        """`table` opens the ordinal table for looking up. `worker` of `workers`: whose numbers are counted down."""
        self._persons = persons
        self._open_table = table
        self._table: OrdinalTable | None = None
        self._next, self._step = _TOP - worker, workers
        self._numbers: dict[tuple[str, int], int] = {}
        self._meant: dict[int, tuple[str, tuple[int, ...]]] = {}

    def ordinals(self, register: str, columns: Sequence[Column]) -> NDArray[np.uint32]:
        """As `KeptPersons.ordinals`; where that cannot be, ordinals that only `spool` can record.

        Raises `UnreachableError` where no provisional ordinal is left.
        """
        try:
            return self._persons.ordinals(register, columns)
        except UnreachableError:
            epochs = self._persons.pseudonyms(register, columns)
        ordinals, known = self._looked_up(epochs)
        for row in np.flatnonzero(~known).tolist():
            ordinals[row] = self._provisional(register, tuple(int(epoch[row]) for epoch in epochs))
        return ordinals

    def pseudonyms(self, ordinals: Iterable[int]) -> dict[int, tuple[str, tuple[int, ...]]]:
        """Register and pseudonyms (old epochs first) behind provisional ordinals; `KeyError` for one never given."""
        return {ordinal: self._meant[ordinal] for ordinal in ordinals}

    def _looked_up(self, epochs: Sequence[NDArray[np.uint64]]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """The ordinal of each person, and whether it has one: the one that its newest epoch has, as the writer says."""
        count = len(epochs[0])
        try:
            if self._table is None:
                self._table = self._open_table()
            self._table.refresh()
            ordinals, found = self._table.lookup_all(epochs)
        except (UnreachableError, IntegrityError):
            return np.zeros(count, np.uint32), np.zeros(count, bool)
        newest = len(epochs) - 1 - np.argmax(found[::-1], axis=0)
        known: NDArray[np.bool_] = np.any(found, axis=0)
        return ordinals[newest, np.arange(count)].astype(np.uint32), known

    def _provisional(self, register: str, pseudonyms: tuple[int, ...]) -> int:
        name = (register, pseudonyms[-1])
        number = self._numbers.get(name)
        if number is None:
            if self._next < PROVISIONAL:
                raise UnreachableError("no provisional ordinals are left: the ledger was down for too many persons")
            number = self._numbers[name] = self._next
            self._meant[number] = (register, pseudonyms)
            self._next -= self._step
        return number


def _rows(columns: Sequence[Column]) -> list[_Person]:
    texts = [
        [text.decode() for text in column.tolist()] if isinstance(column, np.ndarray) else column for column in columns
    ]
    return list(zip(*texts, strict=True))


def _short(prepared: CMAC, message: bytes) -> int:
    mac = prepared.copy()
    mac.update(message)
    return int.from_bytes(mac.finalize()[:8])  # as `prf.cmac64_many`
