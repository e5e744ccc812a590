"""A sliding count against a list of what happened."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.policy.windows import BUCKETS, Sliding

WINDOW = 6_000
EVENTS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 5)), max_size=40)


@given(EVENTS, st.integers(0, 30_000))
def test_it_never_counts_too_few_and_at_most_a_bucket_too_many(events: list[tuple[int, int]], later: int) -> None:
    sliding = Sliding(WINDOW)
    for time, number in sorted(events):
        sliding.add(time, number)
    now = max([later, *(time for time, _ in events)])
    exact = sum(number for time, number in events if time > now - WINDOW)
    most = sum(number for time, number in events if time > now - WINDOW - WINDOW // BUCKETS)
    assert exact <= sliding.count(now) <= most


@given(EVENTS, st.integers(0, 30))
def test_it_tells_the_first_moment_below_a_limit(events: list[tuple[int, int]], limit: int) -> None:
    sliding = Sliding(WINDOW)
    for time, number in sorted(events):
        sliding.add(time, number)
    now = max((time for time, _ in events), default=0)
    told = sliding.below(now, limit)
    if not limit:
        assert told == 0
    elif told > now:
        assert sliding.count(told - 1) >= limit
        assert sliding.count(told) < limit
    else:
        assert sliding.count(now) < limit


def test_it_keeps_no_more_than_its_buckets() -> None:
    sliding = Sliding(WINDOW)
    for time in range(0, 100 * WINDOW, 10):
        sliding.count(time)
        sliding.add(time, 1)
    assert len(sliding._buckets) <= BUCKETS + 1
