"""Real backgrounds with attacks injected: two hospital logs of the reference data, as far as they can carry it.

hospital: units touch patients, one row a unit, patient and day (three years). A unit stands for an account, its group
for an office. billing: accounts touch billing cases. Its publisher moved each case in time, so no day of an account is
real: only who touched what, and the intervals within a case, are. Cases begin here on workdays drawn anew.

Neither log holds a case, an assignment or a relative. What stands in for a case here is an *episode*: somebody touched
the record within the 30 days before. That is not a case: it is no reason to read, it needs no assignment, and whoever
follows others is explained by it. So the rows that may be measured are named in advance (`ROWS`): attackers that take
records at random or in order. Rows about records in work, relatives and cases would measure the episodes.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

import datasets
from muniment.watch.context.index import GRACE_MS
from muniment.watch.context.tables import DAY_MS, NO_END, Calendar, Cases, Context, Orders, Staff
from muniment.watch.reads import NOBODY, Names, Reads, Spaces
from watch.ground import Ground, Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPISODE_DAYS: Final = 30
NOON_MS: Final = DAY_MS // 2


@dataclass(frozen=True, slots=True)
class Plan:
    """An attacker of a background: records a day, on how many active days, and whether in the order of numbers."""

    attack: str
    a_day: int
    days: int
    ordered: bool = False
    reasons: tuple[str, ...] = ()


_SLOW: Final = ("budget", "share", "expected", "coverage", "volume")
ROWS: Final = (
    Plan("bulk500", 500, 1, reasons=("burst", "volume", "budget", "expected")),
    Plan("fifty", 50, 15, reasons=(*_SLOW, "burst")),
    Plan("ten", 10, 60, reasons=_SLOW),
    Plan("three", 3, 60, reasons=_SLOW),
    Plan("enumerate", 20, 25, ordered=True, reasons=(*_SLOW, "burst")),
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Touches:
    """Who touched what on which day, distinct, by day; codes, shape (n,). `office`: by account."""

    name: str
    day: NDArray[np.int64]
    account: NDArray[np.int64]
    record: NDArray[np.int64]
    office: NDArray[np.int64]
    accounts: tuple[str, ...]


def hospital() -> Touches:
    """Units and patients, 47,748 touches over 39 months."""
    units, records, groups = Names(), Names(), Names()
    rows, office = [], {}
    for line in _lines("hospital_unit_touches.csv.gz"):
        account = units.code(line["unit"])
        office[account] = groups.code(line["group"])
        rows.append((_day(line["date"]), account, records.code(line["record"])))
    return _touches("hospital", rows, [office[i] for i in range(len(units))], units)


def billing(seed: int = 1, days: int = 365) -> Touches:
    """Accounts and billing cases, each case begun on a day drawn anew; all accounts in one office."""
    random = np.random.default_rng((seed, 77))
    accounts, records = Names(), Names()
    rows, begun = [], dict[int, int]()
    for line in _lines("hospital_billing_touches.csv.gz"):
        record, day = records.code(line["record"]), _day(line["time"][:10])
        begun[record] = min(day, begun.get(record, day))
        rows.append((day, accounts.code(line["account"]), record))
    start = _day("2013-01-07")
    moved = start + random.integers(0, days, len(records))
    folded = [(start + (moved[record] - start + day - begun[record]) % days, who, record) for day, who, record in rows]
    return _touches("billing", [(int(day), who, record) for day, who, record in folded], [0] * len(accounts), accounts)


def _lines(name: str) -> Iterator[dict[str, str]]:
    """The rows of a file that name a record (one of billing does not)."""
    with gzip.open(datasets.folder() / name, "rt", encoding="utf-8", newline="") as file:
        yield from (line for line in csv.DictReader(file) if line["record"])


def _day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


def _touches(name: str, rows: list[tuple[int, int, int]], office: list[int], accounts: Names) -> Touches:
    day, account, record = np.unique(np.array(rows, np.int64), axis=0).T
    return Touches(name, day, account, record, np.array(office, np.int64), tuple(accounts.texts))


# --- attacks in a background -----------------------------------------------------------------------------------------


def ground(touches: Touches, number: int, rows: tuple[Plan, ...] = ROWS, each: int = 2) -> Ground:
    """The background with `each` attackers of each row in its second half, all in accounts of their own.

    `number` seeds which accounts, days and records. The split is the day by which half the touches have happened.
    """
    random = np.random.default_rng((number, 5))
    split = int(np.median(touches.day))
    chosen = _accounts(touches, split, random)[: len(rows) * each]
    planned = [(rows[i % len(rows)], int(account)) for i, account in enumerate(chosen)]
    taken = [_harvest(touches, plan, account, split, random) for plan, account in planned]
    reads, places = _reads(touches, taken)
    trials = [
        Trial(plan.attack, (account,), int(touches.office[account]), int(day[0]), sequence, day, plan.reasons)
        for (plan, account), sequence, (day, _, _) in zip(planned, places, taken, strict=True)
        if len(day)
    ]
    spaces = Spaces(account=Names(touches.accounts), office=Names(str(i) for i in range(touches.office.max() + 1)))
    return Ground(touches.name, number, reads, context(touches), spaces, split, trials)


def _accounts(touches: Touches, split: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Accounts that were active on at least 20 days of each half, in an order drawn at random; fewer where none was."""
    active = np.unique(np.stack([touches.account, touches.day], axis=1), axis=0)
    size = len(touches.office)
    early = np.bincount(active[active[:, 1] < split, 0], minlength=size)
    late = np.bincount(active[active[:, 1] >= split, 0], minlength=size)
    for least in (20, 10, 5, 1):
        fit = np.flatnonzero((early >= least) & (late >= least))
        if len(fit) >= len(ROWS) * 2:
            break
    return np.asarray(random.permutation(fit))


def _harvest(
    touches: Touches, plan: Plan, account: int, split: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Day, account and record of what one attacker takes: records that the account never touched, each once."""
    mine = touches.account == account
    active = np.unique(touches.day[mine & (touches.day >= split)])
    days = active[int(len(active) * 0.1) :][: plan.days]
    known = np.unique(touches.record[touches.day < split])
    fresh = np.setdiff1d(known, touches.record[mine])
    count = min(plan.a_day * len(days), len(fresh))
    begin = int(random.integers(len(fresh) - count + 1))
    records = fresh[begin : begin + count] if plan.ordered else random.permutation(fresh)[:count]
    day = np.repeat(days, plan.a_day)[:count]
    return day, np.full(count, account), records


def _reads(
    touches: Touches, taken: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]
) -> tuple[Reads, list[NDArray[np.int64]]]:
    """All reads by day, each a disclosure of its own but for those of a day's harvest in bulk; and the sequences of
    each attacker's."""
    parts = [(touches.day, touches.account, touches.record), *taken]
    day, account, record = (np.concatenate(column) for column in zip(*parts, strict=True))
    source = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    order = np.lexsort((record * 7_919 % 104_729, day))
    day, account, record, source = day[order], account[order], record[order], source[order]
    sequence = np.arange(1, len(day) + 1)
    place = sequence - np.searchsorted(day, day) - 1
    moment = day * DAY_MS + NOON_MS + place * 1_000
    none = np.full(len(day), NOBODY, np.int32)
    reads = Reads(
        sequence, moment, moment, account.astype(np.int32), record.astype(np.uint32), none, none,
        np.zeros(len(day), np.int32), np.ones(len(day), np.uint64),
    )  # fmt: skip
    return reads, [sequence[source == i + 1] for i in range(len(taken))]


def context(touches: Touches) -> Context:
    """Staff, and episodes in the place of cases; the order of numbers. Attacks make no episode."""
    pairs = np.unique(np.stack([touches.record, touches.day], axis=1), axis=0)
    record, day = pairs.T
    heads = np.ones(len(pairs), bool)
    heads[1:] = (record[1:] != record[:-1]) | (day[1:] - day[:-1] > EPISODE_DAYS)
    last = np.append(np.flatnonzero(heads)[1:], len(pairs)) - 1
    n = int(heads.sum())
    code, nobody = np.arange(n, dtype=np.int32), np.full(n, NOBODY, np.int32)
    cases = Cases(
        case=code,
        type=np.zeros(n, np.int32),
        opened=(day[heads] + 1) * DAY_MS + GRACE_MS,  # which the index takes off: nobody explains his own first touch
        closed=(day[last] + 1 + EPISODE_DAYS) * DAY_MS,
        opener=nobody,
        office=nobody,
        household=np.zeros(n, bool),
        of=np.arange(n),
        record=record[heads].astype(np.uint32),
    )
    who = np.arange(len(touches.office), dtype=np.int32)
    ends = np.zeros(len(who), np.int64)
    staff = Staff(who, touches.office.astype(np.int32), np.zeros(len(who), np.int32), ends, ends + NO_END)
    numbers, first = np.unique(touches.record, return_index=True)
    born = touches.day[first] * DAY_MS
    orders = Orders(numbers.astype(np.uint32), numbers[:, None].astype(np.int64), born, ("number",))
    return Context(staff=staff, cases=cases, orders=orders, calendar=Calendar("UTC"))
