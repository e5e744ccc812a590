"""What the commands `exposure` and `protect` do: a question put on record, then measured, or made safer.

The order is that of `exposing.run`: nothing is worked out before the run is on record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.deciding import Policy
from muniment.exposure.declaring import Declared, declared
from muniment.exposure.examining import Beside, examine
from muniment.exposure.extract import Extract
from muniment.exposure.result import Exposure, Modelled, Subject
from muniment.workspace.exposing import Question, Taken, run
from muniment.workspace.parts import Parts
from muniment.workspace.registered import read_registered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.exposure.cumulative import Cumulative
    from muniment.exposure.hierarchies import Rule
    from muniment.exposure.relations import Ties
    from muniment.exposure.result import Protected
    from muniment.workspace.protecting import Wish

FILE_BYTES: Final = 256 << 20
"""Bytes of a file of hierarchies or values."""
SEED: Final = 1
"""Of the intervals of modelled figures: the same extract has the same figures."""
Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Depth:
    """How far a run goes. `deep`: minimal sample uniques too. `sample`: the share of its population that a file is."""

    relations: tuple[str, ...] = ()
    deep: bool = False
    sample: float | None = None


class Exposures:
    """Exposure runs of a workspace."""

    def __init__(self, parts: Parts) -> None:
        """`parts` of an open workspace."""
        self._parts = parts

    def examine(
        self,
        question: Question,
        depth: Depth | None = None,
        rules: Mapping[str, Rule] | None = None,
        progress: Step = lambda step: None,
    ) -> Exposure:
        """What the extract gives away to whom; the run is on record first. Errors as `exposing.run` and `examine`."""
        depth = depth or Depth()
        relations = tuple(declared(text) for text in depth.relations)
        asked, handed = self._with_relations(question, relations)

        def measure(taken: Taken, held: Cumulative | None) -> Exposure:
            progress("measuring")
            return examine(
                _seen(self._parts, taken),
                self._subject(asked, taken, handed, depth.relations),
                ties=[self._ties(taken, question, one) for one in relations],
                rules=rules,
                beside=self._beside(asked, taken, held, depth.sample),
                policy=self.policy,
                deep=depth.deep,
                software=software(),
            )

        progress("reading")
        return run(self._parts, asked, measure)

    def protect(self, question: Question, wish: Wish, progress: Step = lambda step: None) -> Protected:
        """Write a safer table; the run is on record first. Errors as `exposing.run` and `protecting.protect`."""
        from muniment.workspace.protecting import protect

        wish.check()

        def work(taken: Taken, held: Cumulative | None) -> Protected:
            progress("searching")
            subject = self._subject(question, taken, question.columns or (), ())
            return protect(self._parts, taken, replace(subject, k=wish.k or self.policy.k), wish, self.policy)

        progress("reading")
        return run(self._parts, question, work)

    @property
    def policy(self) -> Policy:
        """By what a release is judged: `[exposure]` in muniment.toml."""
        settings = self._parts.config.exposure
        return Policy(settings.k, settings.share_below_k)

    def _subject(
        self, question: Question, taken: Taken, handed: tuple[str, ...], relations: tuple[str, ...]
    ) -> Subject:
        return Subject(
            source=question.what,
            quasi=taken.quasi,
            register=taken.register.name if taken.register is not None else "",
            recipient=question.to[0] if question.to else "",
            coalition=question.to[1:],
            purpose=question.purpose,
            sensitive=(taken.sensitive,) if taken.sensitive else (),
            relations=relations,
            columns=handed or tuple(name for name in taken.extract.names if not _only_ties(name, relations)),
            k=self.policy.k,
        )

    def _with_relations(self, question: Question, relations: Sequence[Declared]) -> tuple[Question, tuple[str, ...]]:
        """The question with the columns of relations read too where columns are named, and what is handed out."""
        if question.columns is None:
            return question, ()
        more = tuple(name for one in relations for name in one.columns)
        if question.what in {register.name for register in self._parts.config.registers}:
            key = self._parts.register(question.what).key
            more = tuple(name for name in more if name not in key)
        return replace(question, columns=tuple(dict.fromkeys((*question.columns, *more)))), question.columns

    def _ties(self, taken: Taken, question: Question, one: Declared) -> Ties:
        """A key of the register is no column of the extract: it is read once more for a relation that names it."""
        if set(one.columns) <= set(taken.extract.names) or taken.register is None:
            return one.ties(taken.extract)
        condition = question.where if taken.release is None else taken.release.where
        again = read_registered(self._parts, taken.register, one.columns, condition)
        assert again.record is not None  # both are read from a register
        assert taken.extract.record is not None
        if not np.array_equal(again.record, taken.extract.record):
            raise InputError(
                f"relation {one.text!r}: the register has other rows now, or the condition names a part of a release",
                hint="ask again without --where",
            )
        return one.ties(again)

    def _beside(self, question: Question, taken: Taken, held: Cumulative | None, sample: float | None) -> Beside:
        from muniment.exposure.differences import tell
        from muniment.workspace.spending import budget_of, counts_held

        spent = counts = None
        if taken.register is not None and question.to:
            spent = budget_of(self._parts, question.to, taken.register.name)
            counts = tell(counts_held(self._parts, taken.register, question.to))
        return Beside(
            in_register=_in_register(self._parts, question, taken),
            cumulative=held,
            differences=counts,
            budget=spent,
            population=() if sample is None else _modelled(taken, sample),
        )


def _only_ties(name: str, relations: Sequence[str]) -> bool:
    return any(name in declared(text).columns for text in relations)


def _seen(parts: Parts, taken: Taken) -> Extract:
    """The extract without the key of its register: a key tells persons apart by itself."""
    key = taken.register.key if taken.register is not None else ()
    columns = tuple(c for c in taken.extract.columns if c.name not in key or c.name in taken.quasi)
    return Extract(columns, taken.extract.rows, taken.extract.record)


def _in_register(parts: Parts, question: Question, taken: Taken) -> NDArray[np.int64] | None:
    """Persons of the register in each class of the extract: exact, without a model."""
    if taken.register is None:
        return None
    found = classes(taken.extract.chosen(taken.quasi))
    if question.where is None and (taken.release is None or taken.release.where is None):
        return found.sizes
    whole = read_registered(parts, taken.register, taken.quasi, None)
    there = classes(whole.columns)
    assert whole.record is not None  # both are read from a register
    assert taken.extract.record is not None
    order = np.argsort(whole.record)
    some = np.zeros(len(found.sizes), np.int64)
    some[found.ids] = np.arange(found.rows)
    rows = order[np.searchsorted(whole.record, taken.extract.record[some], sorter=order)]
    sizes: NDArray[np.int64] = there.sizes[there.ids[rows]]
    return sizes


def _modelled(taken: Taken, sample: float) -> tuple[Modelled, ...]:
    from muniment.exposure.population import MatchChance, estimated

    columns = taken.extract.chosen(taken.quasi)
    return (Modelled(estimated(MatchChance(), columns, sample, np.random.default_rng(SEED), what=taken.what)),)


def software() -> str:
    """Name and version of this program."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"muniment {version('muniment')}"
    except PackageNotFoundError:
        return "muniment"


def read_values(files: Mapping[str, Path]) -> dict[str, tuple[str, ...]]:
    """Values that a column may have, by column: one a line; `InputError` where a file cannot be read."""
    return {column: tuple(filter(None, _lines(path, f"--values {column}"))) for column, path in files.items()}


def read_rules(files: Mapping[str, Path]) -> dict[str, Rule]:
    """Own hierarchies, by column: a CSV file each; errors as `table_from_csv`, and where a file cannot be read."""
    from muniment.exposure.hierarchies import table_from_csv

    return {column: table_from_csv(_lines(path, f"--hierarchy {column}"), str(path)) for column, path in files.items()}


def _lines(path: Path, option: str) -> list[str]:
    from muniment.durable import read_file

    data = read_file(path, FILE_BYTES)
    if data is None:
        raise InputError(f"{option}={path}: there is no such file")
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: no UTF-8 at byte {error.start}", hint="save it as UTF-8") from error
