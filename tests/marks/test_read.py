"""Reading: each address once, erased is not 0, and duplicates change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.marking import book, copies, people, plan_of, prepared
from language.worlds import World
from muniment.marks.laws import arcsine
from muniment.marks.read import ERASED, STEPS, Readings, concatenate, merge, read_cells
from muniment.table import Table
from muniment.trace.examine import as_scored
from muniment.trace.score import MIXTURES, log10_e, log_factors

TABLE = people(40)


def read(leak: Table, plan=None, weights=None, blocked=()) -> Readings:  # type: ignore[no-untyped-def]
    plan = plan or plan_of()
    rows = leak.rows
    stop = {name: np.full(rows, name in blocked) for name in plan.columns}
    return read_cells(prepared(TABLE, plan), leak, plan.cells, np.ones(rows) if weights is None else weights, stop)


def taken(readings: Readings, rows: np.ndarray) -> Readings:
    names = ("family", "threshold", "phase", "bit", "weight")
    return Readings(readings.addresses.take(rows), *(getattr(readings, name)[rows] for name in names))


def test_a_copy_reads_as_its_recipients_codeword() -> None:
    codebook = book()
    (copy,) = copies(TABLE, plan_of(), [9], codebook)
    readings = read(copy)
    assert len(readings) > 60
    assert (readings.bit != ERASED).all()
    assert (readings.bit == codebook.bits(readings.addresses, readings.threshold, [9])[0]).all()


def test_only_columns_that_the_leak_has_are_read() -> None:
    readings = read(TABLE.select(("id", "salary")))
    assert set(readings.family.tolist()) == {2}


def test_a_cell_that_shows_no_form_is_erased_not_0() -> None:
    gone = TABLE.with_cells({"address": [None] * 20 + ["nowhere"] * 20, "salary": ["", *[None] * 39]})
    readings = read(gone)
    assert (readings.bit == ERASED).all()
    assert len(merge(readings)) == 0


def test_a_cell_that_changed_in_form_only_is_erased() -> None:
    readings = read(TABLE, blocked=("address",))
    assert (readings.bit[readings.family < 2] == ERASED).all()
    assert (readings.bit[readings.family == 2] != ERASED).all()


def test_no_reading_at_all() -> None:
    none = merge(concatenate([]))
    assert len(none) == 0
    assert len(none.addresses) == 0


# --- merge -------------------------------------------------------------------------------------------------------


def readings_of(bits: list[int], records: list[int], weights: list[float]) -> Readings:
    world = World(np.random.default_rng(4))
    family = world.family(0, np.array(records, np.uint64), arcsine(0.03), 1)
    return replace(family, bit=np.array(bits, np.uint8), weight=np.array(weights))


READING = st.tuples(st.sampled_from([0, 1, ERASED]), st.integers(1, 4), st.integers(0, STEPS).map(lambda n: n / STEPS))


@given(st.lists(READING, min_size=1, max_size=12))
def test_each_address_comes_once_and_erased_readings_do_not(rows: list) -> None:
    bits, records, weights = (list(column) for column in zip(*rows, strict=True))
    merged = merge(readings_of(bits, records, weights))
    shown = {record for bit, record, weight in rows if bit != ERASED and weight}
    assert sorted(merged.addresses.record.tolist()) == sorted(shown)


@given(st.lists(READING, min_size=1, max_size=12))
def test_several_readings_enter_as_the_mean_of_their_factors(rows: list) -> None:
    """Exactly for the mean reading and weight; `STEPS` then rounds the one and lowers the other."""
    bits, records, weights = (list(column) for column in zip(*rows, strict=True))
    merged = merge(readings_of(bits, records, weights))
    for i, record in enumerate(merged.addresses.record.tolist()):
        own = [(bit, weight) for bit, at, weight in rows if at == record and bit != ERASED and weight]
        total = sum(weight for _, weight in own)
        assert merged.share[i] == pytest.approx(sum(b * w for b, w in own) / total, abs=0.5 / STEPS + 1e-9)
        assert total / len(own) - 1 / STEPS - 1e-9 < merged.weight[i] <= max(total / len(own), 1 / STEPS) + 1e-9


@given(st.lists(READING, min_size=1, max_size=8), st.integers(2, 5))
def test_whole_duplicates_change_nothing(rows: list, times: int) -> None:
    bits, records, weights = (list(column) for column in zip(*rows, strict=True))
    once = readings_of(bits, records, weights)
    first, again = merge(once), merge(concatenate([once] * times))
    assert (first.share == again.share).all()
    assert (first.weight == again.weight).all()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_rows_repeated_at_random_never_raise_the_evidence_of_anybody(seed: int) -> None:
    """Repeated rows of one copy read alike, so the mean is what it was: E is unchanged for everybody."""
    world = World(np.random.default_rng(seed), innocents=30)
    once = world.family(0, world.records(30), arcsine(0.03), 1)
    repeated = concatenate([once, taken(once, world.rng.integers(0, 30, 200))])
    bits = world.scored(once).bits
    before = log10_e(as_scored(merge(once)), bits, MIXTURES[10], rowwise_for=30)
    after = log10_e(as_scored(merge(repeated)), bits, MIXTURES[10], rowwise_for=30)
    np.testing.assert_allclose(after, before)


def test_two_columns_of_one_record_stay_two_addresses() -> None:
    world = World(np.random.default_rng(1))
    records = world.records(5)
    both = concatenate([world.family(0, records, arcsine(0.03), 1), world.family(1, records, arcsine(0.03), 1)])
    assert len(merge(both)) == 10


def test_a_certain_mean_is_the_mean_of_the_factors() -> None:
    merged = as_scored(merge(readings_of([1, 0, 0, 0], [7, 7, 7, 7], [1.0] * 4)))
    alone = [as_scored(merge(readings_of([bit], [7], [1.0]))) for bit in (1, 0)]
    for which in (0, 1):
        one, zero = (np.exp(log_factors(some, 3, 0.1)[which]) for some in alone)
        assert np.exp(log_factors(merged, 3, 0.1)[which]) == pytest.approx(0.25 * one + 0.75 * zero)
