"""Claim: real typing errors do not hide the leaker, and persons who stand in a file twice never inflate a score.

Data: historical_50k, 50,578 rows about 5,156 persons from Wikidata, whose duplicates carry typing errors. Coalition 10.

First part. Register: the first row of each person (key `unique_id`, which no leak has), marked by
`accept="equivalent"`: the date layout of `dob`. A trial is one `Workspace.trace` of 2,000 rows: for 2,000 persons drawn
at random *another* of their rows, with its own errors and gaps, written as the leaker's copy is: where that row's own
date has a place it shows the form that the leaker's cell shows. 1,000 recipients, a = 1e-6.

Second part. Register: all 50,578 rows, duplicates included. Leak: every row of one person with eight, from one copy
twice and from another one once, so that each date is read three times. The rows are aligned once by the real alignment;
then, for each of 250 mark keys, written, read, merged and scored against 4,000 innocents. E must have mean 1; without
the merging it has not (then the mean over all codewords is computed, by their probability).

Takes about 90 s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import norm

from datasets import historical
from measurement import Measurement
from muniment.disclosure import Column, Kind, canonical_keys
from muniment.marks.carriers import CARRIERS
from muniment.marks.codebook import Codebook
from muniment.marks.laws import law_for
from muniment.marks.plan import Family, Plan
from muniment.marks.read import ERASED, MergedSymbols, Readings, concatenate, merge, read_cells
from muniment.marks.write import CellMarker
from muniment.table import Table
from muniment.trace.align import align
from muniment.trace.columns import ColumnSpec
from muniment.trace.examine import as_scored
from muniment.trace.mapping import propose_mapping
from muniment.trace.score import MIXTURES, SCALE, Symbols, log10_e
from trials import Office, Random, anonymous, rate, trials

SHOWN = ("full_name", "first_and_surname", "first_name", "surname", "dob", "birth_place", "postcode_fake", "gender",
         "occupation")  # fmt: skip
KINDS = {"full_name": "name", "first_and_surname": "name", "first_name": "name", "surname": "name", "dob": "date",
         "birth_place": "place", "postcode_fake": "code", "gender": "category", "occupation": "category"}  # fmt: skip
ROWS, SEED = 2_000, 20_202
INNOCENTS, DUPLICATES = 4_000, 8
DATE = CARRIERS["date-layout"]


def main() -> list[Measurement]:
    """Both parts."""
    return [_named(), *_means()]


# --- errors as the re-typing -----------------------------------------------------------------------------------------


def _named() -> Measurement:
    everyone = historical()
    of_person: dict[str, list[int]] = {}
    for row, cluster in enumerate(everyone["cluster"]):
        of_person.setdefault(cluster or "", []).append(row)
    firsts = [rows[0] for rows in of_person.values()]
    others = [(place, rows[1:]) for place, rows in enumerate(of_person.values()) if len(rows) > 1]
    register = everyone.take(firsts).select(("unique_id", *SHOWN))
    office = Office(register, "unique_id", coalition=10, seed=SEED, leakers=20)
    random = np.random.default_rng(SEED + 1)
    count, right, innocents, aligned, read = trials(20), 0, 0, [], []
    for number in range(count):
        leaker = office.leakers[number % len(office.leakers)]
        persons = [others[i] for i in random.choice(len(others), ROWS, replace=False).tolist()]
        rows = [rest[int(random.integers(len(rest)))] for _, rest in persons]
        copy = office.copy(leaker)["dob"]
        leak = _written(everyone.take(rows), [copy[place] for place, _ in persons])
        verdict = office.trace(anonymous(random, leak, SHOWN))
        named = [one.recipient for one in verdict.named]
        right += named == [leaker]
        innocents += sum(recipient != leaker for recipient in named)
        aligned.append(verdict.rows_aligned)
        read.append(verdict.symbols_read)
    return Measurement(
        f"{ROWS:,} rows with their own errors: the leaker alone is named", ">= 95 % of trials; no innocent",
        f"{rate(right, count)}; {min(aligned):,} to {max(aligned):,} rows aligned, {min(read):,} to {max(read):,} "
        f"symbols; innocents named: {innocents}",
        right >= 0.95 * count and not innocents,
    )  # fmt: skip


def _written(rows: Table, shown: Sequence[str | None]) -> Table:
    """Dirty rows with their dates in the layouts that the leaker's cells show."""
    dates = []
    for own, cell in zip(rows["dob"], shown, strict=True):
        forms, bit = DATE.forms(own or ""), DATE.read(cell or "")
        dates.append(own if forms is None or bit is None else forms[bit])
    return rows.with_cells({"dob": dates})


# --- duplicates ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Leak:
    """The rows of one person, and the records to which the alignment took them (row numbers of the register)."""

    register: Table
    rows: Table
    taken: np.ndarray
    records: np.ndarray


def _means() -> list[Measurement]:
    leak = _aligned(historical().select(("unique_id", "cluster", *SHOWN)))
    random = np.random.default_rng(SEED + 2)
    plan = Plan((Family(Column("dob", Kind.DATE, 7), DATE, law_for(10)),))
    merged, apart = [], []
    for readings, codebook in _readings(leak, plan, random, trials(250)):
        merged.append(_mean_e(merge(readings), codebook))
        apart.append(_apart(readings))
    mean, error = _interval(merged)
    pairs = f"{len(merged) * INNOCENTS:,} pairs"
    addresses = len(np.unique(leak.records))
    name = f"leak of duplicates ({3 * len(leak.taken)} rows aligned with {addresses} records)"
    return [
        Measurement(f"{name}: mean of E of innocents", "at most 1 within its 99.9 % interval",
                    f"{mean:.4f} +- {error:.4f} over {pairs}", mean - error <= 1.0),
        Measurement(f"{name}: the fault of multiplying every reading", "mean of E above 1 under some keys",
                    f"above 1 under {sum(mean > 1 for mean in apart)} of {len(apart)} keys, up to {max(apart):.3g}",
                    max(apart) > 1.0),
    ]  # fmt: skip


def _aligned(register: Table) -> _Leak:
    """All rows of the first person with `DUPLICATES` dated rows, aligned with the whole register without keys."""
    rows_of: dict[str | None, list[int]] = {}
    for row, (cluster, date) in enumerate(zip(register["cluster"], register["dob"], strict=True)):
        if DATE.forms(date or "") is not None:
            rows_of.setdefault(cluster, []).append(row)
    rows = next(rows for rows in rows_of.values() if len(rows) == DUPLICATES)
    leak = register.take(rows).select(SHOWN)
    specs = [ColumnSpec(name, Kind(KINDS[name]), DATE.normal if name == "dob" else str, None) for name in SHOWN]

    def scan(columns: Sequence[str]) -> Iterator[Table]:
        yield register.select(columns)

    matches = propose_mapping(leak, specs, scan, fixed={name: name for name in SHOWN}, header=True)
    found = align(leak, matches, specs, scan)
    return _Leak(register, leak, found.leak_row, found.register_row)


def _readings(leak: _Leak, plan: Plan, random: Random, count: int) -> Iterator[tuple[Readings, Codebook]]:
    """For each of many mark keys: the leak as the copies show it, read under the aligned records."""
    own = leak.register.take(leak.records.tolist())
    keys = canonical_keys([[key or "" for key in own["unique_id"]]])
    for _ in range(count):
        codebook = Codebook(random.bytes(16), "persons")
        marker = CellMarker(codebook, plan)
        prepared = marker.prepare(own, codebook.records(keys))
        ones, free = np.ones(own.rows), {"dob": np.zeros(own.rows, bool)}
        copies = marker.write(prepared, (0, 0, 1))
        shown = [_written(leak.rows.take(leak.taken.tolist()), copy["dob"]) for copy in copies]
        yield concatenate([read_cells(prepared, rows, plan.cells, ones, free) for rows in shown]), codebook


def _apart(readings: Readings) -> float:
    """The fault: each reading counts as a symbol of its own. The mean of E over all codewords, by their probability."""
    seen = np.flatnonzero(readings.bit != ERASED)
    addresses, first, which = np.unique(readings.addresses.record[seen], return_index=True, return_inverse=True)
    codewords = np.array(list(product((0, 1), repeat=len(addresses))), np.uint8)
    p = readings.threshold[seen][first] / SCALE
    ones = np.ones(len(seen))
    multiplied = Symbols(which.astype(np.uint32), readings.family[seen], readings.threshold[seen],
                         readings.bit[seen].astype(float), ones)  # fmt: skip
    values = 10.0 ** log10_e(multiplied, codewords[:, which], MIXTURES[10], rowwise_for=len(codewords))
    return float((values * np.where(codewords, p, 1 - p).prod(axis=1)).sum())


def _mean_e(symbols: MergedSymbols, codebook: Codebook) -> float:
    """The mean of E over innocents, each distinct codeword scored once."""
    bits = codebook.bits(symbols.addresses, symbols.threshold, range(100, 100 + INNOCENTS))
    _, first, counts = np.unique(np.packbits(bits, axis=1), axis=0, return_index=True, return_counts=True)
    plain: Symbols = as_scored(symbols)
    values = 10.0 ** log10_e(plain, bits[first], MIXTURES[10], rowwise_for=len(first))
    return float((values * counts).sum() / INNOCENTS)


def _interval(means: Sequence[float]) -> tuple[float, float]:
    return float(np.mean(means)), float(np.std(means, ddof=1) / np.sqrt(len(means)) * norm.ppf(0.9995))


if __name__ == "__main__":
    for measurement in main():
        print(measurement)
