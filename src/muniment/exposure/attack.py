"""Attacks on a copy, tried on all persons: singling out, linkability, inference (the three headings of WP216, 2014).

    singling_out(original, copy, known)              one row of the copy fits: does one person of the original?
    linkability(original, copy, first, second)       two sources, joined through the copy: the same person?
    inference(original, copy, known, secret)         most rows of the copy that fit have one value: is it this person's?

An attacker matches exactly, on every row: nothing is sampled. The original and the copy may be the same table.

Rules
1. Precision: of the guesses made, how many are right. Recall: of all persons, for how many the right guess is made.
   Neither alone says that a copy is safe (Francis and Wagner 2025).
2. What is reached is compared with what is reached without this person's row (Giomi et al. 2023): on persons held out
   of the copy where a control is given. Without one, inference leaves out the person's own row where the copy has the
   same rows in the same order. The control is in any case as good as guessing the most common value.
3. Columns are compared by codes: tables are to be read together, or put on common codes by `coded_together`.
4. NULL equals NULL in what is known. Who has no secret has none to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from muniment.errors import InputError
from muniment.exposure.classes import class_value_counts, classes, joint
from muniment.exposure.extract import Classes, Coded, Extract, narrowed
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.shares import Interval, Share, advantage, closed_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["singling out", "linkability", "inference"]
Baseline = Literal["held out", "own row left out", "most common value", "none"]


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack on all persons: `precision` and `recall`, and both of the control (`base_...`), `None` without one.

    `gain` is the precision beyond the control's, and `reach` the recall beyond the control's, (p - c) / (1 - c).
    """

    kind: Kind
    known: tuple[str, ...]
    aim: tuple[str, ...]
    persons: Count
    precision: Share
    recall: Share
    baseline: Baseline
    base_precision: Share | None
    base_recall: Share | None
    gain: Interval
    reach: Interval


@dataclass(frozen=True, slots=True)
class _Tries:
    """Guesses and right ones, of so many persons."""

    right: int
    guesses: int
    persons: int

    @property
    def success(self) -> tuple[float, float]:
        """Precision first, then recall."""
        return self.right / max(self.guesses, 1), self.right / max(self.persons, 1)


# --- the three attacks -----------------------------------------------------------------------------------------


def singling_out(
    original: Extract, copy: Extract, known: Sequence[str], control: Extract | None = None, *, floor: int = FLOOR
) -> Attack:
    """Each row of the copy that is alone in what is known is a guess; right where it is one person of the original.

    Raises `InputError` for a table of fewer rows than the floor, an unknown column, or columns on other codes.
    """
    parts = _matched(original, copy, control, known, floor)
    size = 1 + max(int(ids.max()) for ids in parts)
    held = [np.bincount(ids, minlength=size) for ids in parts]
    guesses = held[1] == 1
    made = int(guesses.sum())
    tries = [_Tries(int((guesses & (one == 1)).sum()), made, int(one.sum())) for one in (held[0], *held[2:])]
    return _told("singling out", known, known, tries[0], tries[1:], "held out" if control else "none", floor)


def linkability(
    original: Extract,
    copy: Extract,
    first: Sequence[str],
    second: Sequence[str],
    control: Extract | None = None,
    *,
    floor: int = FLOOR,
) -> Attack:
    """Two sources hold `first` and `second` of each person. A guess is made where all rows of the copy that fit the
    first agree in the second, and one person has these; right where it is the same. Errors as `singling_out`.
    """
    near = _matched(original, copy, control, first, floor)
    far = _matched(original, copy, control, second, floor)
    size = 1 + max(int(ids.max()) for ids in near)
    pairs = joint(near[1], far[1])
    shown = np.empty(len(pairs.sizes), np.int64)
    shown[pairs.ids] = np.arange(len(pairs.ids))
    variants = np.bincount(near[1][shown], minlength=size)
    leads_to = np.full(size, -1, np.int64)
    leads_to[near[1]] = far[1]
    leads_to[variants != 1] = -1
    tries = [_linked(leads_to, near[at], far[at]) for at in range(len(near)) if at != 1]
    return _told("linkability", first, second, tries[0], tries[1:], "held out" if control else "none", floor)


def _linked(leads_to: NDArray[np.int64], near: NDArray[np.uint32], far: NDArray[np.uint32]) -> _Tries:
    held = np.bincount(far, minlength=max(int(leads_to.max()), int(far.max())) + 1)
    lead = leads_to[near]
    guesses = (lead >= 0) & (held[np.maximum(lead, 0)] == 1)
    return _Tries(int((guesses & (lead == far)).sum()), int(guesses.sum()), len(near))


def inference(
    original: Extract,
    copy: Extract,
    known: Sequence[str],
    secret: str,
    control: Extract | None = None,
    *,
    sure: float = 0.5,
    floor: int = FLOOR,
) -> Attack:
    """A person's secret is guessed where more than half of the rows of the copy that fit what is known have one value,
    and at least the share `sure`. Errors as `singling_out`; also for `sure` outside 0 to 1, and a known secret.
    """
    if not 0.0 <= sure <= 1.0 or secret in known:
        raise InputError(f"secret {secret!r}, sure {sure:g}: expected a share, and a column that is not known")
    tables = [original, copy, *([control] if control else [])]
    ids = _matched(original, copy, control, known, floor)
    secrets = [table.column(secret) for table in tables]
    _check_codes(secrets)
    votes = _Votes.of(ids[1], secrets[1], 1 + max(int(one.max()) for one in ids))
    tries = _guessed(votes, ids[0], secrets[0], sure)
    bases: list[tuple[Baseline, _Tries]] = [("most common value", _commonest(secrets[1], (secrets[2:] or secrets)[0]))]
    if control:
        bases.append(("held out", _guessed(votes, ids[2], secrets[2], sure)))
    elif _same_rows(original, copy):
        bases.append(("own row left out", _guessed(votes, ids[0], secrets[0], sure, own=(ids[1], secrets[1]))))
    best = max(bases, key=lambda one: one[1].success if one[1].guesses >= floor else (0.0, 0.0))
    return _told("inference", known, (secret,), tries, [best[1]], best[0], floor)


# --- majorities in the classes of the copy ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Votes:
    """By class of what is known: rows of the copy, and the two commonest values with their counts, (classes,) each."""

    rows: NDArray[np.int64]
    value: NDArray[np.int64]
    count: NDArray[np.int64]
    second: NDArray[np.int64]
    second_count: NDArray[np.int64]

    @classmethod
    def of(cls, ids: NDArray[np.uint32], secret: Coded, size: int) -> _Votes:
        """Of the rows of the copy; NULL is a value that a row may have."""
        sizes = np.bincount(ids, minlength=size)
        runs = class_value_counts(Classes(ids, sizes), secret)
        owner = runs.ids
        order = np.lexsort((runs.values, -runs.counts.astype(np.int64), owner))
        counts, values = runs.counts[order].astype(np.int64), runs.values[order].astype(np.int64)
        first, there = runs.starts[:-1], np.diff(runs.starts)
        most = [np.full(size, fill, np.int64) for fill in (-1, 0, -1, 0)]
        for rank in range(2):
            has = there > rank
            most[2 * rank][has] = values[first[has] + rank]
            most[2 * rank + 1][has] = counts[first[has] + rank]
        return cls(sizes, *most)


def _guessed(
    votes: _Votes,
    ids: NDArray[np.uint32],
    sought: Coded,
    sure: float,
    own: tuple[NDArray[np.uint32], Coded] | None = None,
) -> _Tries:
    """Guesses of each person's secret by the majority of its class, without its `own` row of the copy if given."""
    rows, value, count = votes.rows[ids], votes.value[ids], votes.count[ids]
    if own is not None:
        there = own[0] == ids
        rows = rows - there
        count = count - (there & (own[1].codes == value))
        second = votes.second_count[ids] - (there & (own[1].codes == votes.second[ids]))
        value = np.where(second > count, votes.second[ids], value)
        count = np.maximum(count, second)
    having = sought.codes != sought.null if sought.null >= 0 else np.ones(len(ids), bool)
    guesses = having & (2 * count > rows) & (count >= sure * rows) & (value != sought.null)
    return _Tries(int((guesses & (value == sought.codes)).sum()), int(guesses.sum()), int(having.sum()))


def _commonest(copy: Coded, persons: Coded) -> _Tries:
    """Everybody's secret guessed as the commonest value of the copy."""
    counts = np.bincount(copy.codes, minlength=copy.size)
    codes = persons.codes
    if copy.null >= 0:
        counts[copy.null] = -1
        codes = codes[codes != copy.null]
    return _Tries(int((codes == counts.argmax()).sum()), len(codes), len(codes))


# --- tables on one code ----------------------------------------------------------------------------------------


def coded_together(parts: Sequence[Extract], names: Sequence[str]) -> tuple[Extract, ...]:
    """These columns of several tables on common codes, by their labels; `InputError` where a column has none."""
    built: list[list[Coded]] = [[] for _ in parts]
    for name in names:
        columns = [part.column(name) for part in parts]
        for column in columns:
            if len(column.labels) != column.size:
                raise InputError(f"column {name!r} has no labels: read it with them, so that tables can be compared")
        known: dict[str | None, int] = {}
        for column in columns:
            for code, label in enumerate(column.labels):
                known.setdefault(None if code == column.null else label, len(known))
        for place, column in enumerate(columns):
            fits = [known[None if code == column.null else label] for code, label in enumerate(column.labels)]
            codes = narrowed(np.array(fits, np.int64)[column.codes], len(known))
            labels = tuple(known)
            built[place].append(Coded(name, codes, len(known), known.get(None, -1), labels=labels))  # type: ignore[arg-type]
    return tuple(
        Extract(tuple(columns), part.rows, part.record) for columns, part in zip(built, parts, strict=True)
    )


def _matched(
    original: Extract, copy: Extract, control: Extract | None, names: Sequence[str], floor: int
) -> list[NDArray[np.uint32]]:
    """Class ids over all tables at once, by table: equal ids are equal in all of these columns."""
    tables = [original, copy, *([control] if control else [])]
    for table, what in zip(tables, ("the original", "the copy", "the control"), strict=False):
        check_rows(table.rows, what, floor)
    stacked = []
    for name in names:
        columns = [table.column(name) for table in tables]
        _check_codes(columns)
        stacked.append(Coded(name, np.concatenate([column.codes for column in columns]), columns[0].size))
    bounds = np.cumsum([table.rows for table in tables])[:-1]
    return np.split(classes(stacked).ids, bounds)


def _check_codes(columns: Sequence[Coded]) -> None:
    first = columns[0]
    for column in columns[1:]:
        if (column.size, column.null) != (first.size, first.null) or column.labels != first.labels:
            raise InputError(
                f"column {first.name!r} has other codes in one of the tables", hint="put them on one by coded_together"
            )


def _same_rows(original: Extract, copy: Extract) -> bool:
    """Whether the copy has the rows of the original in their order, as far as their records tell."""
    if original is copy:
        return True
    known = original.record is not None and copy.record is not None
    return known and np.array_equal(original.record, copy.record)  # type: ignore[arg-type]


def _told(
    kind: Kind,
    known: Sequence[str],
    aim: Sequence[str],
    tries: _Tries,
    base: Sequence[_Tries],
    name: Baseline,
    floor: int,
) -> Attack:
    precision, recall = _shares(tries, floor)
    controls = [_shares(one, floor) for one in base]
    base_precision, base_recall = controls[0] if controls else (None, None)
    return Attack(
        kind=kind, known=tuple(known), aim=tuple(aim), persons=Count.of(tries.persons, floor),
        precision=precision, recall=recall, baseline=name, base_precision=base_precision, base_recall=base_recall,
        gain=advantage(precision, base_precision), reach=advantage(recall, base_recall),
    )  # fmt: skip


def _shares(tries: _Tries, floor: int) -> tuple[Share, Share]:
    """Precision and recall; the right guesses are told as all of either where they are nearly so."""
    right = tries.right
    for whole in (tries.guesses, tries.persons):
        right = closed_up((whole, right), floor)[1]
    precision = Share.of_counts(min(right, tries.guesses), tries.guesses, floor)
    return precision, Share.of_counts(right, tries.persons, floor)
