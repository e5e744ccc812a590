"""Counts that may leave: perturbed by keys of their persons, or noisy with a proved loss of privacy.

    perturbed(extract, names, secret, how)          every cell that is not none, off by a few
    private(extract, domain, epsilon, ...)          every cell of a declared domain, differentially private

Perturbed counts are for tables that must look alike whenever they are made: the noise hangs on who is in a cell, so
that the same persons give the same count in every table, and asking again averages nothing away (cell keys: Fraser and
Wooton 2005; distributions of greatest entropy: Giessing 2016). They promise nothing that is proved.

Private counts promise epsilon for each person, whatever else is known (Dwork, McSherry, Nissim, Smith 2006): discrete
Laplace noise on all cells (Ghosh, Roughgarden, Sundararajan 2009), drawn by OpenDP, extra `[privacy]`. What was spent
is for `budgeting`.

Rules
1. No count from 1 to below the floor is told as itself, noisy or not; cutting a noisy count costs no privacy.
2. Expected perturbed counts are the true ones: a small count becomes the floor as often as that needs, else none.
3. Cells of private counts are declared, never taken from the rows: which cells there are would tell.
4. Tables do not add up: cells are perturbed each on its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from muniment.errors import InputError, LimitError, MissingExtraError
from muniment.exposure.classes import classes
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.hierarchies import Label
from muniment.exposure.kernels import compiled
from muniment.prf import BLOCK, BlockFunction, hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS: Final = 2**20
"""Cells of a table of counts: more is no table that anyone reads, and each costs a tuple."""
PURPOSE: Final = "muniment exposure cell keys"
KEYED_AT_ONCE: Final = 2**20
"""Records whose keys are made in one go: 16 MB of blocks."""
CERTAIN: Final = 0.95
"""Share of noisy counts that `within` holds for."""


@dataclass(frozen=True, slots=True)
class CountTable:
    """A table of counts: `cells`, the texts of its columns, and `counts` as they may leave, one for each.

    `within`: 95 of 100 private counts are off by at most so many, all perturbed ones. `epsilon`: the loss for each
    person who is in at most `contributions` rows, where it is proved.
    """

    columns: tuple[str, ...]
    cells: tuple[tuple[Label, ...], ...]
    counts: tuple[Count, ...]
    within: int
    epsilon: Decimal | None = None
    contributions: int = 1


# --- perturbed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Perturbation:
    """Counts are off by at most `most`, with this variance; `InputError` where the two do not go together."""

    most: int = 5
    variance: float = 3.0
    floor: int = FLOOR

    def __post_init__(self) -> None:
        widest = self.most * (self.most + 1) / 3
        if self.most < 1 or self.floor < 2 or not 0 < self.variance <= widest:
            raise InputError(
                f"perturbation by at most {self.most} with variance {self.variance:g}: expected a variance above 0 and "
                f"at most {widest:.3g}"
            )

    def of(self, counts: NDArray[np.int64], drawn: NDArray[np.float64]) -> NDArray[np.int64]:
        """The perturbed counts. Shapes (c,); drawn: uniform in [0, 1), the same for the same cell.

        None stays none. Below the floor a count becomes the floor with chance count / floor, else none. From there on
        it is moved by noise of mean 0 that does not lead below the floor.
        """
        told = np.where(drawn * self.floor < counts, self.floor, 0)
        room = np.minimum(counts - self.floor, self.most)
        for most in range(self.most + 1):
            at = np.flatnonzero(room == most)
            told[at] = counts[at] + np.searchsorted(self._below(most), drawn[at], side="right") - most
        return told

    def _below(self, most: int) -> NDArray[np.float64]:
        """The chances that noise from -most to most is at most that; the last is left out."""
        noise = np.arange(-most, most + 1)
        low, high = 0.0, 64.0
        for _ in range(60):  # halving: the variance falls as the weights fall off more steeply
            steep = (low + high) / 2
            shares = np.exp(-steep * noise**2)
            shares /= shares.sum()
            low, high = (steep, high) if shares @ noise**2 > self.variance else (low, steep)
        return np.cumsum(shares)[:-1]


def perturbed(
    extract: Extract, names: Sequence[str], secret: bytes, how: Perturbation | None = None, floor: int = FLOOR
) -> CountTable:
    """How many rows there are of each combination of values, perturbed; cells that are none are left out.

    secret: a key of the register (16 bytes or more): with another one the noise is another.

    Raises:
        InputError: fewer rows than the floor, rows without records, columns without labels, or a floor of `how` below
            the floor.
        LimitError: more than `CELLS` cells.
    """
    how = how or Perturbation(floor=floor)
    check_rows(extract.rows, "a table to count", floor)
    if extract.record is None:
        raise InputError("perturbed counts need the record of each row: the noise hangs on who is counted")
    if how.floor < floor:
        raise InputError(f"perturbation with a floor of {how.floor}: expected at least {floor}")
    columns = extract.chosen(names)
    of = classes(columns)
    _check_cells(len(of.sizes))
    sums = np.zeros(len(of.sizes), np.uint64)
    compiled(_sum)(of.ids, record_keys(extract.record, secret), sums)
    told = how.of(of.sizes, _uniform(sums, secret))
    row = np.zeros(len(of.sizes), np.int64)
    row[of.ids] = np.arange(of.rows)
    shown = np.flatnonzero(told)
    texts = [_texts(column, column.codes[row[shown]]) for column in columns]
    table = sorted(zip(zip(*texts, strict=True), told[shown].tolist(), strict=True), key=_reading_order)
    cells, counts = tuple(cell for cell, _ in table), tuple(Count.of(count, floor) for _, count in table)
    return CountTable(tuple(names), cells, counts, max(how.most, how.floor - 1))


def record_keys(records: NDArray[np.uint32], secret: bytes) -> NDArray[np.uint64]:
    """A keyed number for each record, uint64, (rows,): equal records, equal numbers."""
    aes = BlockFunction(hkdf(secret, PURPOSE, "record"))
    keys = np.empty(len(records), np.uint64)
    for start in range(0, len(records), KEYED_AT_ONCE):
        part = records[start : start + KEYED_AT_ONCE]
        keys[start : start + len(part)] = _keyed(aes, part.astype(np.uint64))
    return keys


def _uniform(sums: NDArray[np.uint64], secret: bytes) -> NDArray[np.float64]:
    mixed = _keyed(BlockFunction(hkdf(secret, PURPOSE, "cell")), sums)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _keyed(aes: BlockFunction, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    blocks = np.zeros((len(numbers), BLOCK), np.uint8)
    blocks[:, :8] = numbers.astype("<u8").view(np.uint8).reshape(-1, 8)
    return np.ascontiguousarray(aes(blocks)[:, :8]).view("<u8").reshape(-1).astype(np.uint64)


def _sum(ids: NDArray[np.uint32], keys: NDArray[np.uint64], sums: NDArray[np.uint64]) -> None:
    for row in range(len(ids)):
        sums[ids[row]] += keys[row]


# --- differentially private ------------------------------------------------------------------------------------


class Noise(Protocol):
    """Noise whose loss is proved."""

    def loss(self, scale: float, contributions: int) -> float:
        """The epsilon of discrete Laplace noise of a scale on counts where a person is in so many rows."""

    def laplace(self, counts: Sequence[int], scale: float) -> Sequence[int]:
        """The counts with discrete Laplace noise, chance exp(-|d| / scale) up to a factor, each on its own."""


class OpenDP:
    """The noise of OpenDP (0.13 and later), imported at the first use; `MissingExtraError` names the extra."""

    def loss(self, scale: float, contributions: int) -> float:
        """As OpenDP proves it."""
        return float(self._made(scale).map(contributions))

    def laplace(self, counts: Sequence[int], scale: float) -> Sequence[int]:
        """As OpenDP draws it, from the system's own chance: no seed, never the same twice."""
        return [int(count) for count in self._made(scale)(list(counts))]

    @staticmethod
    def _made(scale: float) -> Any:
        try:
            prelude = import_module("opendp.prelude")
        except ImportError as error:
            raise MissingExtraError(
                "private counts need opendp, which is not installed", hint="pip install 'muniment[privacy]'"
            ) from error
        prelude.enable_features("contrib")
        space = prelude.vector_domain(prelude.atom_domain(T="i64")), prelude.l1_distance(T="i64")
        return prelude.m.make_laplace(*space, scale=scale)


def private(
    extract: Extract,
    domain: Mapping[str, Sequence[Label]],
    epsilon: Decimal,
    *,
    contributions: int = 1,
    noise: Noise | None = None,
    floor: int = FLOOR,
) -> CountTable:
    """How many rows there are of each combination of declared values; rows of other values are in no cell.

    epsilon: from `budgeting.loss`. contributions: rows of one person that count, the first ones; a person is a record
    where the extract has records, else each row is taken for a person of its own. For the privacy of a household, give
    the size of the largest.

    Raises:
        InputError: fewer rows than the floor, an epsilon or contributions not above 0, an empty domain, a value in it
            twice, columns without labels; `MissingExtraError` without OpenDP.
        LimitError: more than `CELLS` cells.
    """
    noise = noise or OpenDP()
    check_rows(extract.rows, "a table to count", floor)
    if not epsilon > 0 or contributions < 1:
        raise InputError(f"epsilon {epsilon}, {contributions} contributions: expected both above 0")
    counts = _domain_counts(extract, domain, contributions)
    scale = _scale(noise, float(epsilon), contributions)
    drawn = noise.laplace(counts.tolist(), scale)
    cells = tuple(product(*(tuple(values) for values in domain.values())))
    told = tuple(Count.of(max(0, count), floor) for count in drawn)
    return CountTable(tuple(domain), cells, told, laplace_within(scale), epsilon, contributions)


def laplace_within(scale: float, share: float = CERTAIN) -> int:
    """The least t such that discrete Laplace noise is from -t to t with this chance: 2 q^(t+1) / (1 + q) beyond."""
    ratio = math.exp(-1.0 / scale)
    return max(0, math.ceil(math.log((1.0 - share) * (1.0 + ratio) / 2.0) / math.log(ratio) - 1.0 - 1e-9))


def _scale(noise: Noise, epsilon: float, contributions: int) -> float:
    """The least scale, within rounding, whose proved loss is not over epsilon."""
    scale = contributions / epsilon
    for _ in range(64):
        if noise.loss(scale, contributions) <= epsilon:
            return scale
        scale *= 1.0 + 2.0**-50
    raise InputError(f"epsilon {epsilon:g} cannot be kept to with {contributions} contributions")


def _domain_counts(extract: Extract, domain: Mapping[str, Sequence[Label]], contributions: int) -> NDArray[np.int64]:
    """Rows in each cell of the domain, the last column varying fastest."""
    _check_cells(math.prod(len(values) for values in domain.values()))
    if not domain or not all(domain.values()):
        raise InputError("a domain without cells: expected columns, with the values of each")
    inside = _first_of_each(extract, contributions)
    cells = np.zeros(extract.rows, np.int64)
    for name, values in domain.items():
        numbers = {value: number for number, value in enumerate(values)}
        if len(numbers) < len(values):
            raise InputError(f"the domain of column {name!r} has a value twice")
        column = extract.column(name)
        places = np.array([numbers.get(text, -1) for text in _texts(column)], np.int64)[column.codes]
        inside &= places >= 0
        cells = cells * len(values) + places
    whole = math.prod(len(values) for values in domain.values())
    return np.bincount(cells[inside], minlength=whole).astype(np.int64)


def _first_of_each(extract: Extract, contributions: int) -> NDArray[np.bool_]:
    """Whether a row is among the first `contributions` of its record, (rows,)."""
    if extract.record is None:
        return np.ones(extract.rows, np.bool_)
    order = np.argsort(extract.record, kind="stable")
    ordered = extract.record[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    first = np.empty(extract.rows, np.bool_)
    first[order] = rank < contributions
    return first


# --- texts -----------------------------------------------------------------------------------------------------


def _check_cells(cells: int) -> None:
    if cells > CELLS:
        raise LimitError(f"a table of {cells:,} cells: expected at most {CELLS:,}", hint="count fewer columns")


def _texts(column: Coded, codes: NDArray[Any] | None = None) -> tuple[Label, ...]:
    if len(column.labels) != column.size:
        raise InputError(f"column {column.name!r} was read without its labels, which a table of counts needs")
    return column.labels if codes is None else tuple(column.labels[code] for code in codes.tolist())


def _reading_order(line: tuple[tuple[Label, ...], int]) -> tuple[tuple[bool, str], ...]:
    return tuple((text is None, text or "") for text in line[0])
