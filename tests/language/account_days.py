"""Account-days as tests write them: reads in columns, made into a `Day`; and signals run over many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from muniment.watch.context.tables import DAY_MS, Context
from muniment.watch.days import Day, DayKind, Explanation, Prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from muniment.watch.signals import Signal, State, Step

FIRST_DAY = 20_000
"""2024-10-04, a Friday."""


def a_day(
    number: int,
    account: ArrayLike,
    record: ArrayLike,
    *,
    office: ArrayLike = 0,
    kind: int = DayKind.WORKDAY,
    **columns: ArrayLike,
) -> Day:
    """One day of reads: `account` and `record` a read each; `office` one for all, or by account code.

    Unless told: each read a disclosure of its own, without reason, a first read, by device 0 at 10 o'clock.
    """
    accounts = np.atleast_1d(np.asarray(account, np.int32))
    n = len(accounts)
    given = {"record": record, "sequence": np.arange(1, n + 1), "explanation": Explanation.NONE, "first": True}
    given |= {"minute": 600, "case": -1, "device": 0, "register": 0, "columns": 1, **columns}
    types: dict[str, Any] = {"record": np.uint32, "sequence": np.int64, "explanation": np.uint8, "first": np.bool_}
    types |= {"minute": np.int16, "case": np.int32, "device": np.int32, "register": np.int32, "columns": np.uint64}
    filled = {name: np.broadcast_to(np.asarray(value, types[name]), (n,)) for name, value in given.items()}
    order = np.lexsort((filled["sequence"], accounts))
    filled = {name: value[order] for name, value in filled.items()}
    there, counts = np.unique(accounts, return_counts=True)
    offices = np.asarray(office, np.int32)
    return Day(
        day=number,
        account=there,
        office=np.broadcast_to(offices, there.shape) if offices.ndim == 0 else offices[there],
        role=np.zeros(len(there), np.int32),
        kind=np.full(len(there), kind, np.uint8),
        total=counts.astype(np.int64),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        moment=number * DAY_MS + filled["minute"].astype(np.int64) * 60_000,
        **filled,
    )


def so_far(number: int, account: int, fresh: ArrayLike, *, idle: int = 1, office: int = 0) -> Prefix:
    """An open day of one account: how many fresh reads it has after each of its disclosures."""
    counts = np.atleast_1d(np.asarray(fresh, np.int64))
    d = len(counts)
    return Prefix(
        day=number,
        sequence=np.arange(1, d + 1),
        account=np.full(d, account, np.int32),
        office=np.full(d, office, np.int32),
        role=np.zeros(d, np.int32),
        kind=np.zeros(d, np.uint8),
        reads=counts,
        fresh=counts,
        given=np.diff(counts, prepend=0),
        decoys=np.zeros(d, np.int64),
        idle=np.full(d, idle, np.int64),
        minute=np.full(d, 600, np.int16),
    )


def empty_state(signal: Signal, accounts: int = 32, offices: int = 8) -> State:
    """The state of a signal that has seen nothing."""
    rows = {"account": accounts, "office": offices}
    return {name: np.full((rows[one.unit], one.width), one.fill) for name, one in signal.about.shapes.items()}


def stepped(
    signal: Signal, days: Iterable[Day], state: State, context: Context | None = None
) -> Iterator[tuple[Day, Step]]:
    """Each day and what the signal says of it."""
    for day in days:
        yield day, signal.step(day, Context() if context is None else context, state)


def evidence(
    signal: Signal, days: Iterable[Day], state: State, unit: int, context: Context | None = None
) -> NDArray[np.float64]:
    """ln of the mean over bets of the Shiryaev-Roberts detector of one unit, after each day."""
    ln_r = np.full(signal.about.bets, -np.inf)
    after = []
    for _, step in stepped(signal, days, state, context):
        mine = step.unit == unit
        if mine.any():
            ln_r = np.logaddexp(ln_r, 0.0) + step.log_e[mine][0]
        after.append(float(np.logaddexp.reduce(ln_r) - np.log(len(ln_r))))
    return np.array(after)


def office_work(
    seed: int,
    days: int,
    *,
    accounts: int = 10,
    start: int = FIRST_DAY,
    fresh: float = 1.5,
    work: int = 9,
    office: int = 0,
) -> Iterator[Day]:
    """Ordinary days: each account reads `work` explained records, and some without a reason (over-dispersed).

    Records of work are known; the others are drawn from a register of 100,000.
    """
    chance = np.random.default_rng(seed)
    for number in range(start, start + days):
        bare = chance.negative_binomial(1.5, 1.5 / (1.5 + fresh), accounts)
        owner = np.concatenate([np.repeat(np.arange(accounts), work), np.repeat(np.arange(accounts), bare)])
        record = chance.choice(100_000, len(owner), replace=False)
        bulk = np.arange(len(owner)) < accounts * work
        yield a_day(
            number, owner, record, office=office, first=~bulk, minute=chance.integers(480, 1020, len(owner)),
            explanation=np.where(bulk, Explanation.ASSIGNED, Explanation.NONE),
        )  # fmt: skip


def with_more(day: Day, account: ArrayLike, record: ArrayLike, **columns: ArrayLike) -> Day:
    """A day and further reads in it, after all others."""
    accounts = np.atleast_1d(np.asarray(account, np.int32))
    n = len(accounts)
    names = ("record", "sequence", "explanation", "first", "minute", "case", "device", "register", "columns")
    more: dict[str, ArrayLike] = {"explanation": Explanation.NONE, "first": True, "minute": 600, "case": -1}
    more |= {"device": 0, "register": 0, "columns": 1}
    more |= {"sequence": int(day.sequence.max(initial=0)) + 1 + np.arange(n), "record": record, **columns}
    joined = {name: np.concatenate([getattr(day, name), np.broadcast_to(more[name], (n,))]) for name in names}
    offices = np.full(int(max(day.account.max(initial=0), accounts.max())) + 1, day.office[0], np.int32)
    offices[day.account] = day.office
    kind = int(day.kind[0])
    return a_day(day.day, np.concatenate([day.account[day.owner], accounts]), office=offices, kind=kind, **joined)
