"""Crowd: a count and a sealed pointer; no record, no list, no order."""

from __future__ import annotations

import hashlib

import numpy as np

from language.account_days import FIRST_DAY, a_day
from muniment.watch.days import Explanation
from muniment.watch.signals.crowd import AGAIN, DAYS, Crowd

RECORD = 4_000_000_001


def seal(plain: bytes) -> bytes:
    return hashlib.sha256(b"officer" + plain).digest()


def nothing_seen() -> dict[str, np.ndarray]:
    return {name: np.zeros((0, one.width)) for name, one in Crowd().shapes.items()}


def test_five_accounts_within_a_week_are_told_once_with_the_record_sealed() -> None:
    crowd, state = Crowd(), nothing_seen()
    told = [crowd.see(a_day(FIRST_DAY + k, [k], [RECORD], register=3), state, seal) for k in range(7)]
    assert [len(one) for one in told] == [0, 0, 0, 0, 1, 0, 0]
    found = told[4][0]
    assert (found.count, found.register, found.day) == (5, 3, FIRST_DAY + 4)
    assert found.pointer == seal(RECORD.to_bytes(4, "big"))
    assert str(RECORD) not in repr(found)


def test_after_a_month_it_is_told_again() -> None:
    crowd, state = Crowd(), nothing_seen()
    told = [len(crowd.see(a_day(FIRST_DAY + k, np.arange(6), [RECORD] * 6), state, seal)) for k in range(AGAIN + 1)]
    assert [k for k, count in enumerate(told) if count] == [0, AGAIN]


def test_who_has_a_reason_and_who_comes_again_do_not_count() -> None:
    crowd, state = Crowd(), nothing_seen()
    reasons = [Explanation.ASSIGNED] * 9 + [Explanation.OTHERS] * 4
    assert crowd.see(a_day(FIRST_DAY, np.arange(13), [RECORD] * 13, explanation=reasons), state, seal) == []
    assert crowd.see(a_day(FIRST_DAY + 1, [12], [RECORD]), state, seal) == []


def test_reads_of_more_than_a_week_ago_are_forgotten() -> None:
    crowd, state = Crowd(), nothing_seen()
    crowd.see(a_day(FIRST_DAY, np.arange(4), [RECORD] * 4), state, seal)
    assert crowd.see(a_day(FIRST_DAY + DAYS, [4], [RECORD]), state, seal) == []
    assert len(state["crowd_reads"]) == 1


def test_findings_of_a_day_stand_in_the_order_of_their_seals() -> None:
    crowd, state = Crowd(floor=2), nothing_seen()
    records = np.repeat(np.arange(1, 60), 2)
    found = crowd.see(a_day(FIRST_DAY, np.tile([0, 1], 59), records), state, seal)
    pointers = [one.pointer for one in found]
    assert len(pointers) == 59
    assert pointers == sorted(pointers)
    assert pointers != [seal(int(one).to_bytes(4, "big")) for one in np.unique(records)]
