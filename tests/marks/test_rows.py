import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.marking import book, plan_of
from muniment.marks.codebook import Codebook
from muniment.marks.rows import Pairs, ordered, pair_up, read_order, row_bits

ORDER = plan_of({}, ["order"]).structural[0]
OMISSION = plan_of({}, ["omission"]).structural[0]


def records(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**63, count, dtype=np.uint64)


def pairs(count: int, codebook: Codebook | None = None) -> Pairs:
    return pair_up(codebook or book(), ORDER, records(count))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 500])
def test_pairs_are_disjoint_and_most_records_are_in_one(count: int) -> None:
    found = pairs(count)
    both = np.concatenate([found.first, found.second])
    assert len(set(both.tolist())) == len(both)
    assert len(set(found.record.tolist())) == len(found.record)
    assert count < 100 or len(both) > 0.6 * count


def test_pairs_follow_from_the_records_not_from_their_place() -> None:
    some = records(200)
    shuffled = np.random.default_rng(2).permutation(200)
    one, other = pair_up(book(), ORDER, some), pair_up(book(), ORDER, some[shuffled])
    assert one.record.tolist() == other.record.tolist()
    assert some[one.first].tolist() == some[shuffled][other.first].tolist()


def test_a_new_record_parts_at_most_one_pair() -> None:
    some = records(201)
    before = set(pair_up(book(), ORDER, some[:200]).record.tolist())
    after = set(pair_up(book(), ORDER, some).record.tolist())
    assert len(before - after) <= 1


def test_another_key_makes_other_pairs() -> None:
    assert not set(pairs(200).record.tolist()) & set(pairs(200, book(b"x" * 16)).record.tolist())


@given(st.integers(2, 60), st.integers(0, 2**20), st.integers(0, 2**32 - 1))
def test_an_order_is_read_as_it_was_written(count: int, recipient: int, seed: int) -> None:
    """Whatever rows a copy has, and in whatever order they would come: every pair that is there shows its bit."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(count)[: rng.integers(0, count + 1)].astype(np.int64)
    found = pairs(count)
    bits = row_bits(book(), ORDER, found.record, [recipient])[0]
    written = ordered(rows, found, bits)
    assert sorted(written.tolist()) == sorted(rows.tolist())
    place = np.full(count, -1, np.int64)
    place[written] = np.arange(len(written))
    seen, read = read_order(place, found)
    assert (read == bits[seen]).all()
    assert len(seen) == (np.isin(found.first, rows) & np.isin(found.second, rows)).sum()


def test_rows_without_a_pair_stay_where_they_are() -> None:
    found = Pairs(np.array([0]), np.array([1]), np.array([9], np.uint64))
    assert ordered(np.array([2, 0, 3, 1]), found, np.array([1], np.uint8)).tolist() == [2, 1, 3, 0]
    assert ordered(np.array([2, 0, 3, 1]), found, np.array([0], np.uint8)).tolist() == [2, 0, 3, 1]
    assert ordered(np.array([2, 0, 3]), found, np.array([1], np.uint8)).tolist() == [2, 0, 3]


def test_row_bits_are_the_recipients_own_and_as_frequent_as_their_law_says() -> None:
    some = records(4_000)
    alone, among = row_bits(book(), OMISSION, some, [7]), row_bits(book(), OMISSION, some, [1, 7])
    assert (alone[0] == among[1]).all()
    assert not (among[0] == among[1]).all()
    assert 0.012 < alone.mean() < 0.03
