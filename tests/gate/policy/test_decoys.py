"""Decoys at the gate: named or counted through to is an alarm, met in a list is a count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import LimitError
from muniment.gate.policy import decoys as module
from muniment.gate.policy.decoys import Alarm, Decoys, DecoyWatch, Run

SECRET = b"s" * 32
KEYS = [("A100000105",), ("A100000505",)]
NOW = 1_800_000_000_000
SECOND = 1_000


def watch(run: Run | None = None) -> DecoyWatch:
    return DecoyWatch([Decoys.of("people", KEYS, SECRET, (7, 9))], run)


def key(number: int) -> tuple[str]:
    return (f"A{100_000_000 + number}",)


def read(watched: DecoyWatch, number: int, at: int = 0, who: str = "clerk") -> Alarm | None:
    return watched.asked(who, "people", key(number), [], NOW + at * SECOND)


# --- named -----------------------------------------------------------------------------------------------------------


def test_a_pinned_decoy_is_an_alarm() -> None:
    assert watch().asked("clerk", "people", KEYS[0], [], NOW) == Alarm("named", "people", 1, 1)


def test_a_decoy_among_literals_or_parameters_is_an_alarm() -> None:
    values = ["A100000001", KEYS[0][0], KEYS[1][0], KEYS[1][0]]
    assert watch().asked("clerk", "people", None, values, NOW) == Alarm("named", "people", 2, 1)


def test_every_naming_is_told() -> None:
    watched = watch()
    assert [bool(watched.asked("clerk", "people", KEYS[0], [], NOW + n * SECOND)) for n in range(3)] == [True] * 3


def test_a_record_of_today_and_another_register_are_none() -> None:
    assert watch().asked("clerk", "people", key(1), ["Mill Road"], NOW) is None
    assert watch().asked("clerk", "cars", KEYS[0], [], NOW) is None


def test_an_alarm_names_no_key() -> None:
    alarm = watch().asked("clerk", "people", KEYS[0], [], NOW)
    assert "A1000" not in repr(alarm) and "A1000" not in repr(watch()) + repr(Decoys.of("people", KEYS, SECRET))


def test_only_so_many_literals_are_looked_at() -> None:
    values = ["x"] * module.LITERALS + [KEYS[0][0]]
    assert watch().asked("clerk", "people", None, values, NOW) is None


# --- enumerated ------------------------------------------------------------------------------------------------------


def test_counting_through_to_a_decoy_is_an_enumeration() -> None:
    watched = watch()
    told = [read(watched, number, number) for number in range(100, 112)]
    assert told.index(Alarm("enumerated", "people", 1, 6)) == 5
    assert sum(one is not None for one in told) == 1, "a run is told once"


def test_a_decoy_early_in_a_run_is_told_as_named_and_then_as_a_run() -> None:
    watched = watch()
    sorts = [one.sort for number in range(103, 120) if (one := read(watched, number, number))]
    assert sorts == ["named", "enumerated"]


def test_a_long_sweep_is_told_without_a_decoy() -> None:
    watched = watch()
    told = [read(watched, 20_000 + 10 * number, number) for number in range(60)]
    assert [one for one in told if one] == [Alarm("enumerated", "people", 0, Run().swept)]


def test_backwards_and_with_a_check_digit_is_a_run_too() -> None:
    watched = watch()
    told = [read(watched, 30_000 - 19 * number, number) for number in range(60)]
    assert sum(one is not None for one in told) == 1


@pytest.mark.parametrize("gap", [21, 5_000])
def test_reads_far_apart_are_no_run(gap: int) -> None:
    watched = watch()
    assert not [one for number in range(60) if (one := read(watched, 20_000 + gap * number, number))]


def test_slow_reads_are_no_run() -> None:
    watched = watch()
    assert not [one for number in range(60) if (one := read(watched, 20_000 + number, number * 700))]


def test_reading_one_person_again_makes_no_run_longer() -> None:
    watched = watch(Run(swept=3))
    assert not [one for number in range(60) if (one := read(watched, 20_000, number))]


def test_each_recipient_has_a_run_of_its_own() -> None:
    watched = watch(Run(swept=4))
    told = [read(watched, 20_000 + number, number, f"clerk {number % 2}") for number in range(6)]
    assert not any(told)
    assert read(watched, 20_006, 6, "clerk 0")


def test_the_longest_silent_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACCOUNTS", 2)
    watched = watch(Run(swept=2))
    for who in ("a", "b", "c"):
        read(watched, 20_000, who=who)
    assert read(watched, 20_001, 1, "a") is None
    assert read(watched, 20_001, 1, "c")


@pytest.mark.parametrize("odd", [("",), ("Müller",), ("9" * 19,), ("٣",)])
def test_keys_without_a_number_make_no_run(odd: tuple[str]) -> None:
    watched = watch(Run(swept=1))
    assert watched.asked("clerk", "people", odd, [], NOW) is None


def test_a_clock_that_is_put_back_ends_a_run() -> None:
    watched = watch(Run(swept=2))
    read(watched, 20_000, 100)
    assert read(watched, 20_001, 50) is None


# --- met -------------------------------------------------------------------------------------------------------------


def test_a_list_that_meets_decoys_is_counted() -> None:
    watched = watch()
    rows = np.array([[7, 1], [2, 9], [9, 2**32 - 1]], np.uint32)
    assert watched.received("people", rows) == 2
    assert watched.received("people", rows[:0]) == 0
    assert watched.received("cars", rows) == 0
    assert watched.counted == {"people": 2}


def test_without_decoys_there_is_nothing_to_watch() -> None:
    empty = DecoyWatch([Decoys.of("people", [], SECRET)])
    assert not empty and empty.asked("clerk", "people", KEYS[0], [], NOW) is None


def test_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DECOYS", 1)
    with pytest.raises(LimitError, match="2 decoys"):
        Decoys.of("people", KEYS, SECRET)


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=9), st.binary(min_size=16, max_size=80))
def test_digests_hold_these_keys_and_no_others(keys: list[tuple[str, str]], secret: bytes) -> None:
    some = Decoys.of("people", keys, secret)
    assert all(some.holds(one) for one in keys)
    assert some.holds(("ab", "c")) == (("ab", "c") in keys)
    assert not some.holds(("abc",))
