"""Disclosures: every touch is read, nothing else is, in the order of recording, by one account in one moment."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from language.simulated_parts import chance, parts
from muniment.simulate.clock import minutes
from muniment.simulate.disclosed import bitmap, disclose
from muniment.simulate.population import BUSINESSES
from muniment.watch.reads import NOBODY, Reads

SEEDS = (1, 2, 3)


@lru_cache(maxsize=12)
def reads_of(seed: int, **more: float) -> tuple[Reads, np.ndarray]:
    one = parts(seed, **more)
    minute = minutes(one.offices, one.touches, chance(seed, 5))
    return disclose(
        one.settings, one.traits, one.offices, one.population, one.clock, one.touches, minute, chance(seed, 6)
    )


def keys(seed: int) -> list[tuple[int, int, int]]:
    one, reads = parts(seed), reads_of(seed)[0]
    day = one.clock.day(reads.moment)
    return list(zip(reads.account.tolist(), day.tolist(), reads.record.tolist(), strict=True))


def test_a_bitmap_has_one_bit_a_column_and_one_for_all_high_ones() -> None:
    assert bitmap((1, 2, 62)) == 0b110 + (1 << 62)
    assert bitmap((63,)) == bitmap((900,)) == np.uint64(1 << 63)
    assert bitmap(()) == 0 and isinstance(bitmap((1,)), np.uint64)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_read_is_what_was_touched_some_of_it_twice_under_its_case_or_none(seed: int) -> None:
    one, (reads, oddity) = parts(seed), reads_of(seed)
    touches = one.touches
    plain = dict(
        zip(
            zip(touches.account.tolist(), touches.day.tolist(), touches.record.tolist(), strict=True),
            touches.case.tolist(), strict=True,
        )
    )  # fmt: skip
    found = keys(seed)
    assert set(found) == set(plain) and len(oddity) == len(reads)
    assert 0.19 < len(found) / len(plain) - 1 < 0.25
    cases = reads.case.tolist()
    assert all(case in (NOBODY, plain[key]) for key, case in zip(found, cases, strict=True))
    assert (reads.case >= 0).mean() == pytest.approx(one.traits.named, abs=0.03)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_disclosure_is_one_moment_of_one_account_on_one_device_in_one_register(seed: int) -> None:
    one, (reads, _) = parts(seed), reads_of(seed)
    assert np.unique(reads.sequence).tolist() == list(range(1, int(reads.sequence[-1]) + 1))
    assert (np.diff(reads.recorded) >= 0).all() and (np.diff(reads.sequence) >= 0).all()
    same = np.flatnonzero(np.diff(reads.sequence) == 0)
    assert len(same)
    for column in ("moment", "account", "case", "device", "register", "columns"):
        values = getattr(reads, column)
        assert np.array_equal(values[same], values[same + 1]), column
    assert np.array_equal(reads.register, one.population.register[reads.record])
    business = reads.register == BUSINESSES
    assert not set(reads.columns[business].tolist()) & set(reads.columns[~business].tolist())


@pytest.mark.parametrize("seed", SEEDS)
def test_an_own_device_is_no_one_elses(seed: int) -> None:
    one, (reads, _) = parts(seed), reads_of(seed)
    n = len(one.offices)
    own = reads.device < 2 * n
    assert np.array_equal(reads.device[own] // 2, reads.account[own]) and own.mean() > 0.8
    shared = (reads.device >= 2 * n) & (reads.device < 2 * n + len(one.offices.profile))
    assert np.array_equal(reads.device[shared] - 2 * n, one.offices.home[reads.account[shared]])


def test_who_imports_records_in_the_next_night_who_does_not_at_once() -> None:
    at_once, nightly = reads_of(1)[0], reads_of(1, imported=1.0)[0]
    clock = parts(1).clock
    assert np.array_equal(at_once.recorded, at_once.moment)
    night = clock.start(clock.day(nightly.moment) + 1) + 2 * 3_600_000
    assert np.array_equal(nightly.recorded, night)
