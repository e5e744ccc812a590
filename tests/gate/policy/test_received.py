"""Who was received when: the dictionary and the array against a plain one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.policy import received as module
from muniment.gate.policy.received import DENSE_PERSONS, NEVER, Received

FIRST = 490_000
YEARS = 24 * 366
STEPS = st.lists(
    st.tuples(st.sampled_from([0, 1, 24, 24 * 30, 3 * YEARS]), st.lists(st.integers(0, 300_000), max_size=20)),
    max_size=12,
)


@given(STEPS, st.booleans(), st.booleans())
def test_what_was_noted_is_known(steps: list[tuple[int, list[int]]], small: bool, many: bool) -> None:
    were = module._SMALL, module.DENSE_PERSONS
    module._SMALL, module.DENSE_PERSONS = (1, 3) if small else were  # type: ignore[misc]
    try:
        received, plain, hour = Received(), {}, FIRST
        for step, ordinals in steps:
            hour += step
            distinct = sorted(set(ordinals))
            if many:
                received.note_many(np.array(distinct, np.uint32), np.full(len(distinct), hour, np.int64))
            else:
                received.note(distinct, hour)
            plain.update(dict.fromkeys(distinct, hour))
        asked = sorted({*plain, 0, 7, 300_001, 2**31})
        known = dict(zip(asked, received.many(np.array(asked, np.uint32)).tolist(), strict=True))
        for ordinal in asked:
            assert received.one(ordinal) == known[ordinal]
            exact = plain.get(ordinal, NEVER)
            # What is years old may be kept as somewhat younger, far from any case-load; it is never forgotten.
            assert known[ordinal] == exact or (exact and exact < known[ordinal] <= hour - 3 * YEARS)
        assert received.count == len(plain)
    finally:
        module._SMALL, module.DENSE_PERSONS = were  # type: ignore[misc]


@pytest.mark.parametrize(("span", "dense"), [(100_000, True), (2**31, False)])
def test_the_smaller_form_is_taken(span: int, dense: bool) -> None:
    received = Received()
    ordinals = np.unique(np.random.default_rng(3).integers(0, span, 8_000)).astype(np.uint32)
    for start in range(0, len(ordinals), 100):
        part = ordinals[start : start + 100]
        received.note_many(part, np.full(len(part), FIRST, np.int64))
    assert (received._hours is not None) is dense and received.count == len(ordinals)


def test_from_a_number_of_persons_on_it_is_an_array_of_two_bytes_an_ordinal() -> None:
    received = Received()
    ordinals = np.arange(0, 100 * (DENSE_PERSONS + 1), 100, dtype=np.uint32)
    received.note_many(ordinals, np.full(len(ordinals), FIRST, np.int64))
    assert received._hours is not None and not received._few
    assert received._hours.nbytes <= 2 * (int(ordinals[-1]) + 2**16)


def test_ordinals_that_stand_in_take_no_room() -> None:
    received = Received()
    received.note_many(np.arange(DENSE_PERSONS + 1, dtype=np.uint32), np.full(DENSE_PERSONS + 1, 500_000))
    far = np.array([7, 2**32 - 3, 2**32 - 2], np.uint32)
    received.note_many(far, np.full(3, 500_001))
    received.note([2**32 - 3, 2**32 - 4], 500_002)
    assert received.many(far).tolist() == [500_001, 500_002, 500_001]
    assert received.one(2**32 - 4) == 500_002
    assert received.count == DENSE_PERSONS + 4
    assert received._hours is not None
    assert len(received._hours) < 2**20
