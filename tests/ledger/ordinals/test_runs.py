"""Sorted runs: what was put in is found, what was not is not, whatever the order it came in."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.ledger.ordinals.runs import Run, Runs, sorted_entries

LAST = 2**64 - 1
VALUES = st.one_of(st.integers(0, LAST), st.sampled_from([0, 1, 2**63, LAST - 1, LAST]))


@settings(max_examples=80)
@given(groups=st.lists(st.sets(VALUES, max_size=40), max_size=8), others=st.lists(VALUES, max_size=40))
def test_lookup_agrees_with_a_dictionary(groups: list[set[int]], others: list[int]) -> None:
    runs, known = Runs(), dict[int, int]()
    for group in groups:
        new = sorted(group - set(known))
        known |= {value: len(known) + i for i, value in enumerate(new)}
        runs = runs.adding(np.array(new, np.uint64), np.array([known[value] for value in new], np.uint32))
    asked = [*known, *others]
    for few in (asked, *([value] for value in asked)):
        ordinals, found = runs.lookup(np.array(few, np.uint64))
        assert found.tolist() == [value in known for value in few]
        assert ordinals.tolist() == [known.get(value, 0) for value in few]
    pseudonyms, ordinals = runs.entries()
    assert dict(zip(pseudonyms.tolist(), ordinals.tolist(), strict=True)) == known
    assert pseudonyms.tolist() == sorted(known)
    assert len(runs) == len(known)


def test_large_runs_over_more_than_one_pass() -> None:
    rng = np.random.default_rng(7)
    values = rng.permutation(rng.integers(0, 2**64, 300_000, dtype=np.uint64))
    parts = [(values[i : i + 100_000], np.arange(i, i + 100_000, dtype=np.uint32)) for i in range(0, 300_000, 100_000)]
    runs = Runs().adding(*sorted_entries(parts))
    ordinals, found = runs.lookup(values)
    assert found.all()
    assert (ordinals == np.arange(300_000)).all()
    assert not runs.lookup(values + np.uint64(1))[1].any()


def test_runs_stay_few() -> None:
    runs = Runs()
    for value in range(1_000):
        runs = runs.adding(np.array([value * 2**50], np.uint64), np.array([value], np.uint32))
        sizes = [len(run) for run in runs.runs]
        assert all(large > 4 * small for large, small in pairwise(sizes))
    assert len(runs) == 1_000


def test_values_that_are_not_uniform_are_found_too() -> None:
    values = np.arange(10_000, dtype=np.uint64)
    run = Run.of(values, values.astype(np.uint32))
    assert (run.places(values) == np.arange(10_000)).all()
    assert run.place(np.uint64(10_000)) == -1


def test_no_pseudonym_shows_in_a_repr() -> None:
    runs = Runs().adding(np.array([123456789], np.uint64), np.array([5], np.uint32))
    assert (repr(runs), repr(runs.runs)) == ("Runs([1])", "(Run(entries=1),)")
