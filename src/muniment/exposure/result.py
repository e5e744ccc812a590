"""The values of a whole run: what one extract gives away, to whom, and what would help.

    Subject + Measures + Sweep + Household + Cumulative + attacks --> Exposure --to_json, report--> reader

Rules
1. Aggregate by construction: a number of persons is a `Count`, a share of persons was made from one. There is no field
   for a row, a key, a class or a value of a cell, and `written` refuses any other kind of value than those named here.
2. What was not asked for or could not be told is `None` or empty; never 0.
3. Words are codes (`reason`, `kind`); the report and the command line have their texts in each language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from muniment.exposure.floor import FLOOR, Count
from muniment.exposure.likeness import Bounded
from muniment.exposure.shares import nested

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from muniment.exposure.attack import Attack
    from muniment.exposure.blame import Blame
    from muniment.exposure.budgeting import Budget
    from muniment.exposure.cumulative import Cumulative
    from muniment.exposure.differences import Differences
    from muniment.exposure.extract import Classes, Coded
    from muniment.exposure.fixes import Fix
    from muniment.exposure.household import Household
    from muniment.exposure.implied import Implied, Revealing
    from muniment.exposure.kin import Kin
    from muniment.exposure.likeness import Likeness
    from muniment.exposure.measures import ClassMeasures
    from muniment.exposure.population import Estimate, Trial
    from muniment.exposure.suda import Suda
    from muniment.exposure.sweep import ColumnSet
    from muniment.exposure.unicity import Unicity

Verdict = Literal["release", "change_first", "do_not_release"]
ATTACKERS: Final = ("prosecutor", "journalist", "marketer")
"""Who is thought of: one who knows that the person is in, one who knows the register, one who matches them all."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was examined, for whom, and under which assumption.

    `coalition`: others whose holdings were added to the recipient's. `quasi`: what an attacker is taken to know.
    `columns`: what is handed out. `k`: persons who must look alike, at least.
    """

    source: str
    quasi: tuple[str, ...]
    register: str = ""
    recipient: str = ""
    coalition: tuple[str, ...] = ()
    purpose: str = ""
    sensitive: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    k: int = 5
    floor: int = FLOOR

    @property
    def handed_out(self) -> tuple[str, ...]:
        """The columns that are handed out: those named, or where none are, the known and the sensitive ones."""
        return self.columns or (*self.quasi, *self.sensitive)


@dataclass(frozen=True, slots=True)
class Modelled:
    """A figure that is modelled, and what its model was worth on samples of the register, where it was tried."""

    estimate: Estimate
    trial: Trial | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """All measures of one set of quasi-identifiers, from one pass of classes. `below_k`: persons in classes of fewer
    than the `k` of the subject."""

    classes: ClassMeasures
    below_k: Count
    sensitive: tuple[Likeness, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of the extract."""
        return self.classes.rows

    @property
    def share_alone(self) -> float:
        """The share of persons whom nobody else is like."""
        return self.classes.uniques.share(self.rows)

    @property
    def share_below_k(self) -> float:
        """The share of persons in classes of fewer than k."""
        return self.below_k.share(self.rows)

    @classmethod
    def of(
        cls, found: Classes, k: int, in_register: NDArray[np.int64] | None = None, sensitive: Sequence[Coded] = (),
        floor: int = FLOOR,
    ) -> Measures:  # fmt: skip
        """Measure classes. Raises as `measures.class_measures` and `likeness.likeness`."""
        from muniment.exposure.likeness import likeness
        from muniment.exposure.measures import class_measures

        measured = class_measures(found, in_register, floor=floor)
        told = tuple(likeness(found, column, floor=floor) for column in sensitive)
        return cls(measured, _below(found, k, measured, floor), told)


def _below(found: Classes, k: int, measured: ClassMeasures, floor: int) -> Count:
    """Persons in classes of fewer than k, told so that no difference to the counts of `measured` is a small one."""
    told = {one.size: one.persons for one in measured.prosecutor.below}
    if k in told:
        return told[k]
    cuts = sorted({*told, k}, reverse=True)
    counts = [found.rows, *(int(found.sizes[found.sizes < cut].sum()) for cut in cuts)]
    of_k = dict(zip(cuts, nested(counts, floor)[1:], strict=True))[k]
    inner = [told[cut] for cut in cuts if cut < k]
    # A cut below which nobody lies has no small difference to hide, and takes no place in its stead.
    near = inner and inner[0].at_least and 0 < of_k.most - inner[0].most < floor
    return inner[0] if near else of_k


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision is what it is: a code, the share that was found, and the share that is allowed."""

    code: str
    found: float
    allowed: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Release, change first, or do not release; all reasons against, worst first."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """The whole run. `before` and `after` of a change stand in `Protected`.

    `worst_sets`: worst first. `revealing`: column sets that reveal a declared relation, with its name. `notes`: codes
    of what was not done, and why.
    """

    subject: Subject
    measures: Measures
    decision: Decision
    worst_sets: tuple[ColumnSet, ...] = ()
    blame: tuple[Blame, ...] = ()
    fixes: tuple[Fix, ...] = ()
    minimal: Suda | None = None
    household: tuple[Household, ...] = ()
    revealing: tuple[tuple[str, Revealing], ...] = ()
    implied: tuple[Implied, ...] = ()
    kin: tuple[Kin, ...] = ()
    attacks: tuple[Attack, ...] = ()
    unicity: tuple[Unicity, ...] = ()
    population: tuple[Modelled, ...] = ()
    cumulative: Cumulative | None = None
    differences: Differences | None = None
    budget: Budget | None = None
    notes: tuple[str, ...] = ()
    software: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON of `muniment exposure --json` (docs/schemas/exposure.json)."""
        return {
            "subject": written(self.subject),
            **_measures(self.measures),
            "worst_sets": [
                {"columns": list(one.names), "uniques": written(one.uniques), "share": float(one.share)}
                for one in self.worst_sets
            ],
            "blame": written(self.blame),
            "fixes": written(self.fixes),
            "minimal_uniques": written(self.minimal),
            "household": self._households(),
            "kin": written(self.kin),
            "attacks": written(self.attacks),
            "unicity": written(self.unicity),
            "population": written(self.population),
            "cumulative": None if self.cumulative is None else self.cumulative.to_json(),
            "differences": None if self.differences is None else self.differences.to_json(),
            "budget": None if self.budget is None else self.budget.to_json(),
            "decision": written(self.decision),
            "notes": list(self.notes),
            "software": self.software,
        }

    def _households(self) -> dict[str, Any]:
        shares = ("alone_share", "joint_share", "in_unique_share", "unique_share")
        return {
            "relations": [
                {**written(one), **{name: float(getattr(one, name)) for name in shares}} for one in self.household
            ],
            "revealing": [{"relation": relation, **written(one)} for relation, one in self.revealing],
            "implied": written(self.implied),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan does to one column: the rule, and the level that was chosen ("" where it stays as it is)."""

    column: str
    rule: str
    level: str


@dataclass(frozen=True, slots=True)
class Protected:
    """A safer release: what was changed, and the measures before and after.

    `way`: full_domain, local, perturbed or private. `granularity`: 1 is untouched. `drift`: columns of which the kept
    plan did not know all values.
    """

    subject: Subject
    way: Literal["full_domain", "local", "perturbed", "private"]
    changes: tuple[Change, ...]
    suppressed: Count
    granularity: float
    before: Measures
    after: Measures | None
    decision: Decision
    plan: str = ""
    out: str = ""
    drift: tuple[str, ...] = ()
    budget: Budget | None = None
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The JSON of `muniment protect --json` (docs/schemas/protect.json)."""
        return {
            "subject": written(self.subject),
            "way": self.way,
            "changes": written(self.changes),
            "suppressed": written(self.suppressed),
            "granularity": self.granularity,
            "before": _measures(self.before),
            "after": None if self.after is None else _measures(self.after),
            "decision": written(self.decision),
            "plan": self.plan,
            "out": self.out,
            "drift": list(self.drift),
            "budget": None if self.budget is None else self.budget.to_json(),
            "notes": list(self.notes),
        }


def _measures(measured: Measures) -> dict[str, Any]:
    of, columns = measured.classes, measured.sensitive
    return {
        "rows": of.rows,
        "classes": of.classes,
        "k": written(of.k),
        "uniques": written(of.uniques),
        "share_alone": measured.share_alone,
        "below_k": written(measured.below_k),
        "share_below_k": measured.share_below_k,
        "prosecutor": written(of.prosecutor),
        "journalist": written(of.journalist),
        "marketer": of.marketer,
        "l": [{name: written(getattr(one, name)) for name in _L} for one in columns],
        "t": [{name: written(getattr(one, name)) for name in _T} for one in columns],
    }


_L: Final = ("column", "distinct_l", "entropy_l", "certain")
_T: Final = ("column", "t", "t_ordered", "beta", "delta")


def written(value: object) -> Any:
    """A value as JSON: counts as they may leave, values by their fields; `TypeError` for any other kind (rule 1)."""
    match value:
        case None | bool() | str() | int() | float():
            return value
        case Count() | Bounded():
            return value.to_json()
        case Decimal():
            return float(value)
        case tuple() | list():
            return [written(one) for one in value]
        case Mapping():
            return {str(name): written(one) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: written(getattr(value, one.name)) for one in fields(value)}
    raise TypeError(f"{type(value).__name__} is no kind of value that leaves exposure")
