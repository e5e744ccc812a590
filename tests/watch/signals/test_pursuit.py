"""Pursuit: walks along families are seen; households answered at once, and families in a case, are not walks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from language.account_days import FIRST_DAY, a_day, empty_state, evidence, office_work, stepped, with_more
from muniment.watch.context.tables import Context, Family, Households
from muniment.watch.days import Day, Explanation
from muniment.watch.signals.pursuit import Pursuit

ALARM = np.log(2_000.0 * 9)
PERSONS = 100_000
"""Families of four: record r belongs to the others with the same r // 4, a cycle of ties."""
ONE = np.arange(PERSONS, dtype=np.uint32)
RELATIVES = Context(family=Family(ONE, (ONE // 4 * 4 + (ONE + 1) % 4).astype(np.uint32)))
HOUSEHOLDS = Context(households=Households(ONE, (ONE // 4).astype(np.int64)))


def walking(families: int, days: int, **columns: int) -> Iterator[Day]:
    """Days on which account 0 reads two members of each of some families, one disclosure each unless told."""
    chance = np.random.default_rng(4)
    for day in office_work(6, days, start=FIRST_DAY + 60):
        heads = chance.choice(PERSONS // 4, families, replace=False) * 4
        record = np.stack([heads, heads + 1], axis=1).ravel()
        yield with_more(day, [0] * len(record), record, **columns)


def after(days: Iterator[Day], context: Context = RELATIVES) -> float:
    signal = Pursuit()
    state = empty_state(signal)
    evidence(signal, office_work(5, 60), state, 0, context)
    return float(evidence(signal, days, state, 0, context)[-1])


def walks_of(*days: Day, context: Context = RELATIVES) -> list[list[int]]:
    signal = Pursuit()
    state = empty_state(signal)
    found = []
    for day in days:
        alone = np.flatnonzero(day.first & (day.explanation == Explanation.NONE))
        found.append(signal._walks(day, context, alone, state["recent"])[0][0].tolist())
        signal.step(day, context, state)
    return found


def test_three_families_a_day_are_seen_within_seven_days() -> None:
    assert after(walking(3, 7)) > ALARM
    assert after(walking(3, 14), HOUSEHOLDS) > ALARM


def test_random_reads_of_as_many_records_are_no_pursuit() -> None:
    chance = np.random.default_rng(1)
    days = office_work(6, 20, start=FIRST_DAY + 60)
    assert after(with_more(day, [0] * 6, chance.choice(PERSONS, 6)) for day in days) < np.log(100.0)


def test_a_household_that_one_disclosure_gave_is_no_walk() -> None:
    assert walks_of(a_day(FIRST_DAY, [0] * 4, [8, 9, 10, 11], sequence=[5, 5, 5, 5])) == [[0, 0]]
    assert walks_of(a_day(FIRST_DAY, [0] * 4, [8, 9, 10, 11], sequence=[5, 6, 7, 8])) == [[1, 1]]


def test_a_chain_and_a_star_are_one_walk_and_two_families_are_two() -> None:
    assert walks_of(a_day(FIRST_DAY, [0] * 4, [8, 9, 10, 11])) == [[1, 1]]
    assert walks_of(a_day(FIRST_DAY, [0] * 4, [8, 40, 9, 41])) == [[2, 2]]


def test_a_walk_goes_on_the_next_active_day() -> None:
    assert walks_of(a_day(FIRST_DAY, [0], [8]), a_day(FIRST_DAY + 5, [0], [9])) == [[0, 0], [1, 1]]


def test_families_in_a_case_and_records_known_are_no_walk() -> None:
    for one in (Explanation.OTHERS, Explanation.OFFICE):
        assert walks_of(a_day(FIRST_DAY, [0, 0], [8, 9], explanation=one)) == [[0, 0]]
    assert walks_of(a_day(FIRST_DAY, [0, 0], [8, 9], first=False)) == [[0, 0]]


def test_households_are_not_family() -> None:
    assert walks_of(a_day(FIRST_DAY, [0, 0], [8, 9]), context=HOUSEHOLDS) == [[1, 0]]


def test_without_ties_it_says_nothing() -> None:
    signal = Pursuit()
    for _, step in stepped(signal, office_work(5, 20), empty_state(signal)):
        assert not step.log_e.any()
        assert not step.reads.any()


def test_the_reads_that_speak_are_those_of_walks() -> None:
    signal = Pursuit()
    state = empty_state(signal)
    evidence(signal, office_work(5, 60), state, 0, RELATIVES)
    day = with_more(next(office_work(9, 1, start=FIRST_DAY + 60)), [0, 0, 0], [80_000, 80_001, 90_000])
    step = signal.step(day, RELATIVES, state)
    assert step.records[0] == 1
    assert day.record[step.reads].tolist() == [80_001]
