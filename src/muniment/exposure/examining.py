"""The whole run over one extract: all parts in one call, from the same classes.

    examine(extract, subject, ...)  -->  Exposure

What the register and the ledger say (classes in the register, what the recipient holds, counts, budget) comes from the
workspace; without it the run says that it did not look at that.

Rules
1. Household measures are of the declared relations, and of those that the extract gives away.
2. All sets of columns up to the largest size of which there are at most `SETS`; a smaller size than three is noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import TYPE_CHECKING, Final

from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.deciding import Policy, decide
from muniment.exposure.floor import check_rows
from muniment.exposure.result import Exposure, Measures, Modelled, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from muniment.exposure.attack import Attack
    from muniment.exposure.blame import Blame
    from muniment.exposure.budgeting import Budget
    from muniment.exposure.cumulative import Cumulative
    from muniment.exposure.differences import Differences
    from muniment.exposure.extract import Classes, Extract
    from muniment.exposure.fixes import Fix
    from muniment.exposure.hierarchies import Rule
    from muniment.exposure.household import Household
    from muniment.exposure.implied import Implied, Revealing
    from muniment.exposure.kin import Kin
    from muniment.exposure.relations import Ties
    from muniment.exposure.suda import Suda
    from muniment.exposure.sweep import ColumnSet

DEEPEST: Final = 3
SETS: Final = 2_000
"""Column sets that are swept: at a million rows a sweep of 377 takes seconds."""
WORST: Final = 20


@dataclass(frozen=True, slots=True)
class Beside:
    """What register and ledger say about an extract; `None` where it was not looked at.

    `in_register`: persons of the register in each class of the quasi-identifiers, in the order of `classes`.
    """

    in_register: NDArray[np.int64] | None = field(default=None, repr=False)
    cumulative: Cumulative | None = None
    differences: Differences | None = None
    budget: Budget | None = None
    population: tuple[Modelled, ...] = ()


def examine(
    extract: Extract,
    subject: Subject,
    *,
    ties: Sequence[Ties] = (),
    rules: Mapping[str, Rule] | None = None,
    beside: Beside | None = None,
    policy: Policy | None = None,
    deep: bool = False,
    software: str = "",
) -> Exposure:
    """Examine an extract that was read with labels. `deep`: minimal sample uniques too.

    Raises `InputError`: fewer rows than the floor, no quasi-identifier, a column that is not there or is named as both;
    `MissingExtraError` where numba is not installed.
    """
    known = beside or Beside()
    rule = policy or Policy(k=subject.k)
    _check(extract, subject)
    quasi, floor = extract.chosen(subject.quasi), subject.floor
    found = classes(quasi)
    measures = Measures.of(found, rule.k, known.in_register, extract.chosen(subject.sensitive), floor)
    told = _Told(extract, subject, found, rule.k)
    hidden = told.implied()
    every = [*ties, *(one.ties(extract) for one in hidden)]
    fixes, households = told.fixes(rules or {}), tuple(told.households(every))
    worst, notes = told.sweep()
    return Exposure(
        subject=subject,
        measures=measures,
        decision=decide(rule, measures, fixes, households, known.cumulative, known.differences),
        worst_sets=worst,
        blame=told.blame(),
        fixes=fixes,
        minimal=told.minimal() if deep else None,
        household=households,
        revealing=tuple(told.revealing(ties)),
        implied=hidden,
        kin=tuple(told.kin(every)),
        attacks=tuple(told.attacks()),
        population=known.population,
        cumulative=known.cumulative,
        differences=known.differences,
        budget=known.budget,
        notes=(*_notes(subject, known, ties), *notes),
        software=software,
    )


def _check(extract: Extract, subject: Subject) -> None:
    check_rows(extract.rows, subject.source, subject.floor)
    if not subject.quasi:
        raise InputError(
            f"{subject.source}: no column that an attacker may know was named",
            hint=f"--quasi COLUMN,...; the columns are {', '.join(extract.names)}",
        )
    both = [name for name in subject.quasi if name in subject.sensitive]
    if both:
        raise InputError(f"column {both[0]!r} is named both as known and as sensitive: expected one of them")


def _notes(subject: Subject, known: Beside, ties: Sequence[Ties]) -> Iterator[str]:
    if not subject.recipient:
        yield "no_recipient"
    if not ties:
        yield "no_relations"
    if known.in_register is None:
        yield "no_register"
    if not subject.sensitive:
        yield "no_sensitive"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Told:
    """The parts, each over the same extract."""

    extract: Extract
    subject: Subject
    found: Classes
    k: int

    def sweep(self) -> tuple[tuple[ColumnSet, ...], tuple[str, ...]]:
        from muniment.exposure.sweep import sweep

        many = len(self.subject.quasi)
        sizes = [size for size in range(1, DEEPEST + 1) if sum(comb(many, s) for s in range(1, size + 1)) <= SETS]
        size = max(sizes, default=1)
        swept = sweep(self.extract, self.subject.quasi, size=size, floor=self.subject.floor)
        return swept.worst(WORST), () if size == DEEPEST else ("sweep_cut",)

    def blame(self) -> tuple[Blame, ...]:
        from muniment.exposure.blame import left_out

        return left_out(self.extract.chosen(self.subject.quasi), k=self.k, floor=self.subject.floor)

    def fixes(self, rules: Mapping[str, Rule]) -> tuple[Fix, ...]:
        from muniment.exposure.fixes import fixes
        from muniment.exposure.hierarchies import hierarchies

        quasi = self.extract.chosen(self.subject.quasi)
        made = {one.name: one for one in hierarchies(quasi, rules)}
        return fixes(quasi, made, k=self.k, floor=self.subject.floor)

    def minimal(self) -> Suda:
        from muniment.exposure.suda import suda

        return suda(self.extract.chosen(self.subject.quasi), floor=self.subject.floor)

    def implied(self) -> tuple[Implied, ...]:
        from muniment.exposure.implied import implied

        return implied(self.extract, self.subject.handed_out, floor=self.subject.floor)

    def households(self, ties: Sequence[Ties]) -> Iterator[Household]:
        from muniment.exposure.household import household

        quasi = self.extract.chosen(self.subject.quasi)
        yield from (household(quasi, one, self.subject.floor) for one in ties)

    def revealing(self, ties: Sequence[Ties]) -> Iterator[tuple[str, Revealing]]:
        from muniment.exposure.implied import revealing

        for one in ties:
            if (one.groups.sizes < 2).all():
                continue  # nobody belongs to anybody: nothing to reveal
            for found in revealing(self.extract, one, self.subject.handed_out, floor=self.subject.floor):
                yield one.name, found

    def kin(self, ties: Sequence[Ties]) -> Iterator[Kin]:
        from muniment.exposure.kin import kin

        for column in self.extract.chosen(self.subject.sensitive):
            yield from (kin(column, one, floor=self.subject.floor) for one in ties)

    def attacks(self) -> Iterator[Attack]:
        from muniment.exposure.attack import inference, linkability, singling_out

        extract, quasi, floor = self.extract, self.subject.quasi, self.subject.floor
        yield singling_out(extract, extract, quasi, floor=floor)
        if len(quasi) > 1:
            middle = len(quasi) // 2
            yield linkability(extract, extract, quasi[:middle], quasi[middle:], floor=floor)
        for column in self.subject.sensitive:
            yield inference(extract, extract, quasi, column, floor=floor)
