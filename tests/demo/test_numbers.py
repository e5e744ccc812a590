"""The numbering scheme: a permutation with check digits, and reserved numbers that lie among the issued ones."""

import numpy as np
import pytest

from muniment.demo.numbers import FIRST_RESERVED, household_ids, is_person_id, person_ids, reserve_ids
from muniment.errors import InputError

KEY = b"k" * 32


def test_numbers_are_distinct_valid_and_scattered():
    ids = person_ids(np.arange(50_000), 7)
    assert len(set(ids)) == 50_000
    assert all(map(is_person_id, ids))
    ordered = sorted(range(1_000), key=ids.__getitem__)
    assert ordered != list(range(1_000))
    counts = np.bincount([int(text[2]) for text in ids], minlength=10)
    assert counts.min() > 4_700


@pytest.mark.parametrize("change", [lambda text: text[:-1] + str((int(text[-1]) + 1) % 10), lambda text: text[:-1],
                                    lambda text: "XX" + text[2:], lambda text: text[:5] + "O" + text[6:]])  # fmt: skip
def test_a_changed_number_does_not_check(change):
    assert not is_person_id(change(person_ids(np.array([5]), 7)[0]))


def test_neighbours_that_change_places_are_found():
    for text in person_ids(np.arange(200), 7):
        for at in range(2, 11):
            if text[at] != text[at + 1]:
                assert not is_person_id(text[:at] + text[at + 1] + text[at] + text[at + 2 :])


def test_reserved_numbers_are_valid_unissued_and_keyed():
    reserved = reserve_ids(2_000, seed=7, key=KEY)
    assert len(set(reserved)) == 2_000
    assert all(map(is_person_id, reserved))
    issued = set(person_ids(np.arange(100_000), 7))
    assert not issued & set(reserved)
    assert reserved == reserve_ids(2_000, seed=7, key=KEY)
    assert len(set(reserved) & set(reserve_ids(2_000, seed=7, key=b"j" * 32))) < 5


def test_reserved_numbers_lie_between_issued_ones():
    issued = np.sort([int(text[2:10]) for text in person_ids(np.arange(5_000), 7)])
    reserved = [int(text[2:10]) for text in reserve_ids(5_000, seed=7, key=KEY)]
    places = np.searchsorted(issued, reserved) / len(issued)
    assert np.abs(np.quantile(places, (0.1, 0.5, 0.9)) - (0.1, 0.5, 0.9)).max() < 0.03


def test_too_many_reserved_numbers_are_refused():
    with pytest.raises(InputError, match="numbers to reserve"):
        reserve_ids(FIRST_RESERVED, seed=7, key=KEY)


def test_household_numbers_are_distinct():
    assert len(set(household_ids(np.arange(20_000), 7))) == 20_000
