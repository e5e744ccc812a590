"""Since when and what is at stake: over registers, and after evidence that fell away."""

from __future__ import annotations

import numpy as np

from muniment.watch.days import Day
from muniment.watch.findings import Stake
from muniment.watch.onset import Onset
from muniment.watch.signals import Step


def a_day(number: int, registers: list[int], columns: list[int]) -> Day:
    """One account, one read a register given."""
    n = len(registers)
    zero = np.zeros(n, np.int64)
    return Day(
        day=number, account=np.zeros(1, np.int32), office=np.zeros(1, np.int32), role=np.zeros(1, np.int32),
        kind=np.zeros(1, np.uint8), total=np.array([n]), starts=np.array([0, n]), record=zero.astype(np.uint32),
        moment=zero, sequence=zero, minute=zero.astype(np.int16), case=zero.astype(np.int32),
        device=zero.astype(np.int32), register=np.array(registers, np.int32), columns=np.array(columns, np.uint64),
        explanation=zero.astype(np.uint8), first=np.ones(n, bool),
    )  # fmt: skip


def said(day: Day, log_e: float) -> Step:
    return Step(np.zeros(1, np.int64), np.array([[log_e]]), np.array([len(day.record)]), np.ones(len(day.record), bool))


def onset() -> Onset:
    made = Onset("account", 1)
    made.grow(1)
    return made


def test_stakes_are_told_by_register_with_the_columns_read() -> None:
    made = onset()
    for number, registers in ((5, [0, 0, 1]), (6, [0])):
        day = a_day(number, registers, [2, 4, 8, 2][: len(registers)])
        made.take(0, day, said(day, 1.0))
    assert made.of(0, 0, 6, 0) == (5, (Stake(0, 6, 3), Stake(1, 8, 1)))


def test_records_of_the_running_day_are_added() -> None:
    made = onset()
    day = a_day(5, [0], [2])
    made.take(0, day, said(day, 1.0))
    since, stakes = made.of(0, 0, 6, 10)
    assert (since, sum(stake.records for stake in stakes)) == (5, 11)


def test_evidence_that_fell_away_begins_anew() -> None:
    made = onset()
    for number, log_e in ((5, 1.0), (6, -3.0), (7, 1.0), (8, 1.0)):
        day = a_day(number, [0], [2])
        made.take(0, day, said(day, log_e))
    assert made.of(0, 0, 8, 0) == (7, (Stake(0, 2, 2),))


def test_without_evidence_it_is_today() -> None:
    assert onset().of(0, 0, 9, 4) == (9, (Stake(0, 0, 4),))
