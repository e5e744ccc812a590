"""Which register column each leak column shows: by shared values, then by the rows themselves.

Steps
1. The share of a column's values that a register column knows, how alike their frequencies are, and the header's name
   as a hint, give a first score (`probes`).
2. Columns that were merged or split are looked for among those without a good partner (`merged`).
3. Where two columns compete, or few of a column's values are known, a sample of rows is aligned on the columns that are
   clear. Whether the two cells of an aligned pair agree more often than those of strangers then decides.
4. One leak column for one register column, best first. What the user fixed comes before everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.errors import InputError
from muniment.table import Cells, Table
from muniment.trace.align import align
from muniment.trace.columns import ColumnSpec, Scan
from muniment.trace.fields import REACH, numbers_of
from muniment.trace.fold import code_form
from muniment.trace.merged import merged_columns, split_columns
from muniment.trace.probes import Overlap, Probe, encoder_of, measure
from muniment.trace.similarity import jaro_winkler
from muniment.trace.verdict import ColumnMatch

Scores = NDArray[np.float64]
Tie = tuple[int, int]
"""Leak column and register column, by number."""

CLEAR: Final = 0.5
"""A score at which a column needs no other proof, if every rival has less than half of it."""
LEAST: Final = 0.03
"""A score below which a column is taken for foreign."""
LEAST_AGREEMENT: Final = 0.15
"""Agreement beyond chance in aligned rows from which a column counts as shown (dirty columns reach 0.3)."""
SAMPLE_ROWS: Final = 600
ENOUGH_PAIRS: Final = 15
EXAMPLES: Final = 3
EXAMPLE_CHARACTERS: Final = 80
_HINT: Final = 0.15
_NOTHING_FIXED: Final[Mapping[str, str]] = MappingProxyType({})


def propose_mapping(leak: Table, specs: Sequence[ColumnSpec], scan: Scan, *, fixed: Mapping[str, str] = _NOTHING_FIXED,
                    header: bool = True) -> tuple[ColumnMatch, ...]:
    """Return the match of each leak column, in their order; two matches for a column that holds two register columns.

    `fixed` maps leak columns to register columns, or to "" for none, and wins over everything. `header` is False where
    the leak's column names were made up. The register is read once; two to four times where columns compete.
    Raises `InputError` for a name in `fixed` that does not exist.
    """
    ties = _checked(leak, specs, fixed)
    # 1. shared values
    probes, overlap = measure(leak, specs, scan)
    scores = _scores(leak, specs, overlap, header)
    not_fixed = [number for number, name in enumerate(leak.columns) if name not in fixed]
    leaks, free = _open(not_fixed, range(len(specs)), ties)
    # 2. merged and split columns
    ties += _merges(probes, overlap, scores, free, leaks)
    leaks, free = _open(leaks, free, ties)
    # 3. the rows, where columns compete
    clear = _clear(scores, leaks, free)
    if len(clear) < sum(scores[number, free].max(initial=0.0) >= LEAST for number in leaks):
        scores = _settled_by_rows(leak, specs, scan, scores, ties, clear, (leaks, free))
    # 4. one for one
    ties += _assigned(scores, leaks, free)
    return _matches(leak, specs, probes, overlap, sorted(ties), fixed)


def _open(leaks: Sequence[int], free: Sequence[int], ties: Sequence[Tie]) -> tuple[list[int], list[int]]:
    """Return the leak columns and the register columns that no tie has taken."""
    used, taken = {tie[0] for tie in ties}, {tie[1] for tie in ties}
    return [number for number in leaks if number not in used], [number for number in free if number not in taken]


def _checked(leak: Table, specs: Sequence[ColumnSpec], fixed: Mapping[str, str]) -> list[Tie]:
    names = [spec.name for spec in specs]
    for leaked, column in fixed.items():
        if leaked not in leak.columns:
            raise InputError(f"no column {leaked!r} in the leak; its columns are {', '.join(leak.columns)}",
                             hint="--map LEAK_COLUMN=REGISTER_COLUMN")
        if column and column not in names:
            raise InputError(f"no column {column!r} in the register; its columns are {', '.join(names)}",
                             hint="--map LEAK_COLUMN=REGISTER_COLUMN")
    return [(leak.columns.index(leaked), names.index(column)) for leaked, column in fixed.items() if column]


def _scores(leak: Table, specs: Sequence[ColumnSpec], overlap: Overlap, header: bool) -> Scores:
    """Return the first score: shared values times likeness of frequencies, with a bonus for a like name."""
    scores = overlap.share * overlap.alike
    if header:
        names = [code_form(spec.name) for spec in specs]
        for number, leaked in enumerate(map(code_form, leak.columns)):
            likeness = np.array([jaro_winkler(leaked, name) if leaked and name else 0.0 for name in names])
            scores[number] *= 1 + _HINT * np.where(likeness >= 0.85, likeness, 0.0)
    return scores


def _merges(probes: Sequence[Probe], overlap: Overlap, scores: Scores, free: Sequence[int],
            leaks: Sequence[int]) -> list[Tie]:
    loose, open_columns = _open(leaks, free, _clear(scores, leaks, free))
    ties: list[Tie] = []
    for number, one, other in merged_columns(probes, overlap, open_columns, loose):
        ties += [(number, one), (number, other)]
    loose, open_columns = _open(loose, open_columns, ties)
    poor = [number for number in loose if scores[number, free].max(initial=0.0) < CLEAR / 2]
    for column, first, second in split_columns(probes, overlap, open_columns, poor):
        ties += [(first, column), (second, column)]
    return ties


def _clear(scores: Scores, leaks: Sequence[int], free: Sequence[int]) -> list[Tie]:
    """Return the ties without a serious rival in their row or column."""
    ties = []
    for number in leaks:
        if not free:
            break
        column = max(free, key=lambda each: scores[number, each])
        score = scores[number, column]
        rivals = [scores[number, each] for each in free if each != column]
        rivals += [scores[each, column] for each in leaks if each != number]
        if score >= CLEAR and max(rivals, default=0.0) < score / 2:
            ties.append((number, column))
    return ties


def _assigned(scores: Scores, leaks: Sequence[int], free: Sequence[int]) -> list[Tie]:
    """Return one-to-one ties, the best score first; equal scores in the order of the columns."""
    ranked = sorted((-scores[number, column], number, column) for number in leaks for column in free)
    used: set[int] = set()
    taken: set[int] = set()
    ties = []
    for score, number, column in ranked:
        if -score >= LEAST and number not in used and column not in taken:
            used.add(number)
            taken.add(column)
            ties.append((number, column))
    return ties


def _settled_by_rows(leak: Table, specs: Sequence[ColumnSpec], scan: Scan, scores: Scores, ties: Sequence[Tie],
                     clear: Sequence[Tie], between: tuple[Sequence[int], Sequence[int]]) -> Scores:
    """Return the scores replaced by the agreement of aligned rows; as they were where too few rows could be aligned."""
    sample = leak.take(range(0, leak.rows, max(1, leak.rows // SAMPLE_ROWS)))
    for first in ([*ties, *clear], [*ties, *_assigned(scores, *between)]):
        if not first:
            continue
        matches = [ColumnMatch(leak.columns[number], specs[column].name, 0.0, fixed=False) for number, column in first]
        found = align(sample, matches, specs, scan)
        if len(found.leak_row) >= ENOUGH_PAIRS:
            return _agreements(sample, specs, scan, scores, found.leak_row, found.register_row)
    return scores


def _agreements(sample: Table, specs: Sequence[ColumnSpec], scan: Scan, scores: Scores, rows: NDArray[np.int64],
                records: NDArray[np.int64]) -> Scores:
    """Return (agreement - chance) / (1 - chance) of each pair of columns, a little moved by the first score."""
    asked = np.unique(records)
    register = _taken(specs, scan, asked)
    place = np.searchsorted(asked, records)
    result = np.zeros_like(scores)
    for column, spec in enumerate(specs):
        theirs = _comparable(spec, register[spec.name])[place]
        reach = REACH * float(spec.tolerance or 0)
        for number, cells in enumerate(sample.cells):
            mine = _comparable(spec, cells)[rows]
            filled = ~np.isnan(mine) & ~np.isnan(theirs) if spec.tolerance else (mine != 0) & (theirs != 0)
            score = float(scores[number, column])
            if filled.sum() < ENOUGH_PAIRS:
                result[number, column] = score / 2
                continue
            beyond = _beyond_chance(mine[filled], theirs[filled], reach, score)
            result[number, column] = 0.0 if beyond < LEAST_AGREEMENT else beyond + 0.01 * score
    return result


def _comparable(spec: ColumnSpec, cells: Cells) -> NDArray[np.int64] | Scores:
    return numbers_of(cells) if spec.tolerance else encoder_of(spec)(cells)


def _beyond_chance(mine: NDArray[np.int64] | Scores, theirs: NDArray[np.int64] | Scores, reach: float,
                   otherwise: float) -> float:
    """Return how much more often pairs agree than crosswise ones, of what is possible; `otherwise` if all agree."""

    def agreement(other: NDArray[np.int64] | Scores) -> float:
        return float(((mine == other) if not reach else (np.abs(mine - other) <= reach)).mean())

    chance = float(np.mean([agreement(np.roll(theirs, shift)) for shift in (1, 2, 3, 5, 7)]))
    return (agreement(theirs) - chance) / (1 - chance) if chance < 1 else otherwise


def _taken(specs: Sequence[ColumnSpec], scan: Scan, records: NDArray[np.int64]) -> Table:
    """Return these records (sorted numbers) with all columns: one pass."""
    names = [spec.name for spec in specs]
    parts: list[list[str | None]] = [[] for _ in names]
    start = 0
    for batch in scan(names):
        low, high = np.searchsorted(records, [start, start + batch.rows])
        places = (records[low:high] - start).tolist()
        for part, name in zip(parts, names, strict=True):
            cells = batch[name] if places else []
            part.extend(cells[place] for place in places)
        start += batch.rows
    return Table(tuple(names), tuple(parts))


def _matches(leak: Table, specs: Sequence[ColumnSpec], probes: Sequence[Probe], overlap: Overlap, ties: Sequence[Tie],
             fixed: Mapping[str, str]) -> tuple[ColumnMatch, ...]:
    matches = []
    for number, name in enumerate(leak.columns):
        columns = [column for leaked, column in ties if leaked == number]
        for column in columns:
            spec, known = specs[column], overlap.known[number][column]
            shown = [value for value, hit in zip(probes[number].values, known.tolist(), strict=True) if hit][:EXAMPLES]
            examples = tuple((value[:EXAMPLE_CHARACTERS], spec.normal(value)[:EXAMPLE_CHARACTERS]) for value in shown)
            matches.append(ColumnMatch(name, spec.name, float(overlap.share[number, column]), name in fixed, examples))
        if not columns:
            matches.append(ColumnMatch(name, None, 0.0, name in fixed))
    return tuple(matches)
