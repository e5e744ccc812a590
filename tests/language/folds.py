"""Words for tests of the watch's fold: invented streams of reads, and signals simple enough to follow by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from muniment.watch.context.tables import DAY_MS, Assignments, Cases, Context, Staff
from muniment.watch.days import Day, Prefix
from muniment.watch.findings import Finding
from muniment.watch.fold import FoldRules, Watch
from muniment.watch.reads import NOBODY, Reads, Spaces
from muniment.watch.signals import About, Shape, State, Step

START = 20_000
"""A local day, far from the beginning of time: 2024-10-04."""


def spaces(accounts: int, offices: int = 2, registers: int = 1) -> Spaces:
    """Names for accounts a0, a1, ..., offices o0, ..., registers r0, ..., cases c0 to c49."""
    made = Spaces()
    made.account.codes(f"a{n}" for n in range(accounts))
    made.office.codes(f"o{n}" for n in range(offices))
    made.register.codes(f"r{n}" for n in range(registers))
    made.case.codes(f"c{n}" for n in range(50))
    return made


def reads(rows: Sequence[tuple[float, int, int]], *, first: int = 1, recorded: Sequence[float] | None = None) -> Reads:
    """Reads given as (day and part of day, account, record), each a disclosure of its own, in that order.

    `recorded`: when the ledger got each, in days too; at once where it is left out.
    """
    moment = np.array([round(day * DAY_MS) for day, _, _ in rows], np.int64)
    nothing = np.full(len(rows), NOBODY, np.int32)
    return Reads(
        sequence=np.arange(first, first + len(rows), dtype=np.int64),
        moment=moment,
        recorded=moment if recorded is None else np.array([round(day * DAY_MS) for day in recorded], np.int64),
        account=np.array([account for _, account, _ in rows], np.int32),
        record=np.array([record for _, _, record in rows], np.uint32),
        case=nothing,
        device=nothing,
        register=np.zeros(len(rows), np.int32),
        columns=np.full(len(rows), 6, np.uint64),
    )


def stream(seed: int, *, accounts: int = 6, days: int = 30, most: int = 12, persons: int = 400) -> Reads:
    """Reads of several accounts over some days in the order of time; disclosures hold 1 to 3 records."""
    chance = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for account in range(accounts):
            for _ in range(int(chance.integers(0, most))):
                rows.append((START + day + float(chance.uniform(0.3, 0.7)), account, int(chance.integers(persons))))
    made = reads(sorted(rows))
    together = np.repeat(np.arange(len(made)), chance.integers(1, 4, len(made)))[: len(made)]
    order = np.lexsort((made.record, together))
    heads = np.append(True, together[1:] != together[:-1])
    lead = np.maximum.accumulate(np.where(heads, np.arange(len(made)), 0))
    return replace(
        made.take(order), sequence=together + 1, moment=made.moment[lead], recorded=made.moment[lead],
        account=made.account[lead],
    )  # fmt: skip


def context(accounts: int, *, covered: int = 200) -> Context:
    """Accounts by turns in two offices; case n is assigned to account n and covers records n, n + accounts, ..."""
    codes = np.arange(accounts, dtype=np.int32)
    zero, end = np.zeros(accounts, np.int64), np.full(accounts, 2**62, np.int64)
    record = np.arange(covered, dtype=np.uint32)
    nobody = np.full(accounts, NOBODY, np.int32)
    cases = Cases(
        codes, nobody, zero, end, nobody, codes % 2, np.zeros(accounts, bool),
        record.astype(np.int64) % accounts, record,
    )  # fmt: skip
    return Context(
        staff=Staff(codes, codes % 2, nobody, zero, end),
        cases=cases,
        assignments=Assignments(codes, codes, nobody, zero, end),
    )


class Counting:
    """A signal that bets on the number of unexplained first reads: factor (rate ** count) e**-(rate - 1) for each."""

    about = About("counting", bets=2, shapes={"days": Shape(1)})

    def step(self, day: Day, context: Context, state: State) -> Step:
        """Poisson likelihood ratios of two rates against one a day; the state counts days."""
        fresh = day.count(day.fresh)
        state["days"][day.account, 0] += 1
        return Step(day.account.astype(np.int64), self._factors(fresh), fresh, day.fresh)

    def running(self, so_far: Prefix, state: State) -> np.ndarray:
        """The same of what was read so far; never below one third of the day's end."""
        return self._factors(so_far.fresh)

    def _factors(self, fresh: np.ndarray) -> np.ndarray:
        rates = np.array([2.0, 4.0])
        return fresh[:, None] * np.log(rates) - (rates - 1.0)


class Pooled:
    """A signal on offices, told by the same factors as `Counting`; stands at the end of the day alone."""

    about = About("pooled", bets=1, unit="office", shapes={"seen": Shape(1, unit="office")})

    def step(self, day: Day, context: Context, state: State) -> Step:
        """Poisson likelihood ratio of twice as many as five an account."""
        office, place = np.unique(day.office, return_inverse=True)
        fresh = np.bincount(place, day.count(day.fresh)).astype(np.int64)
        mean = 5.0 * np.bincount(place)
        state["seen"][office, 0] += fresh
        return Step(office.astype(np.int64), (fresh * np.log(2.0) - mean)[:, None], fresh, day.fresh)


def watch(accounts: int, *signals: object, alpha: float = 0.01, lag_ms: int = DAY_MS) -> Watch:
    """A watch over so many accounts with these signals (`Counting` where none is given)."""
    made = Watch(signals or (Counting(),), FoldRules(alpha, lag_ms), spaces(accounts))  # type: ignore[arg-type]
    made.use(context(accounts))
    return made


def fold(made: Watch, stream: Reads, cuts: Sequence[int] = ()) -> list[Finding]:
    """All findings of a stream taken in pieces that end at these disclosures, and of closing what is left."""
    found = []
    edges = [0, *np.searchsorted(stream.sequence, np.array(sorted(cuts), np.int64), "right").tolist(), len(stream)]
    for begin, end in pairwise(edges):
        found += made.take(stream.take(slice(begin, end)))
    return found + made.finish()
