"""Budgets over a link: the same answers as in one process, one allowance for all, and an end where nobody answers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import UnreachableError
from muniment.gate.policy.budgets import NONE, LocalBudgets
from muniment.gate.policy.rules import Rules
from muniment.gate.server.keeper import RemoteBudgets, charged

NOW = 1_800_000_000_000
RULES = Rules("clerk", "clerk", persons={"hour": 5, "lifetime": 40}, rows_per_statement=30)


@contextmanager
def kept(budgets: LocalBudgets, count: int = 1) -> Iterator[list[RemoteBudgets]]:
    """Budgets in a thread, and so many ways to them; the lock is what one event loop is to them."""
    lock, ends = threading.Lock(), [socket.socketpair() for _ in range(count)]

    def answer(link: socket.socket) -> None:
        with link, link.makefile("rwb") as stream:
            while head := stream.read(4):
                with lock:
                    said = charged(budgets, stream.read(int.from_bytes(head)))
                stream.write(len(said).to_bytes(4) + said)
                stream.flush()

    threads = [threading.Thread(target=answer, args=[theirs]) for _, theirs in ends]
    for thread in threads:
        thread.start()
    try:
        yield [RemoteBudgets(mine) for mine, _ in ends]
    finally:
        for mine, _ in ends:
            mine.close()
        for thread in threads:
            thread.join()


CALLS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from([1, 2, 3, 9, NONE]), st.integers(1, 60)), max_size=8),
        st.integers(0, 3), st.booleans(), st.integers(0, 40),
    ),
    max_size=5,
)  # fmt: skip


@given(CALLS)
def test_over_the_link_it_is_charged_as_in_one_process(
    calls: list[tuple[list[tuple[int, int]], int, bool, int]],
) -> None:
    here = LocalBudgets()
    with kept(LocalBudgets()) as (there,):
        for rows, nameless, free, before in calls:
            ordinals = np.array(rows, np.uint32).reshape(len(rows), 2)
            anonymous = np.full(len(rows), nameless, np.int64)
            meant = here.charge("clerk", RULES, NOW, ordinals, anonymous, free=free, before=before)
            assert there.charge("clerk", RULES, NOW, ordinals, anonymous, free=free, before=before) == meant


def test_two_workers_never_spend_the_same_allowance() -> None:
    rules = Rules("clerk", "clerk", persons={"lifetime": 100})
    allowed = []
    with kept(LocalBudgets(), 2) as ways:

        def spend(way: RemoteBudgets, first: int) -> None:
            for number in range(150):
                row = np.array([[first + number]], np.uint32)
                allowed.append(way.charge("clerk", rules, NOW, row, np.zeros(1, np.int64)).allowed)

        threads = [threading.Thread(target=spend, args=[way, 1_000 * n]) for n, way in enumerate(ways)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(allowed) == 300 and sum(allowed) == 100


def test_a_keeper_that_is_gone_is_unreachable_for_good() -> None:
    mine, theirs = socket.socketpair()
    way = RemoteBudgets(mine)
    theirs.close()
    for _ in range(2):
        with pytest.raises(UnreachableError):
            way.charge("clerk", RULES, NOW, np.zeros((1, 1), np.uint32), np.zeros(1, np.int64))
    mine.close()


@given(st.binary(max_size=64))
def test_a_question_that_makes_no_sense_is_answered_with_its_fault(body: bytes) -> None:
    assert isinstance(json.loads(charged(LocalBudgets(), body)), str)
