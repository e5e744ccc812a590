"""Budgets of distinct persons: what an account received, how many of them count in each window, what still fits.

Rules
1. A person counts in a window if the account did not receive it within the window's length or the case-load days,
   whichever is longer, and one hour at least. Hours are taken whole: a person stays known for up to an hour longer.
   For the lifetime, a person counts once. Receiving a known person again keeps it known.
2. Anonymous persons (rows that nobody can be named for) count in every window, each time anew.
3. Within one call a person counts once: in the first row that it occurs in, whatever its slot.
4. Rows pass as the largest prefix within all budgets; a row that adds nobody to a window does not break its budget,
   even where that is overdrawn. What does not pass leaves no trace here. Where unattributed rows are only logged, their
   anonymous persons are counted, and it takes somebody else to break a budget.
5. Counts are never too low: buckets expire whole, time never runs backwards for an account, and what was charged for
   rows that never left (the ledger failed, the client vanished) is not given back.
6. All of it is a function of the ledger: `restore` of what was recorded gives what charging it gave. So no charge may
   depend on anything that the ledger does not hold: that is why `Charge.undiscounted` is to be recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from muniment.gate.policy.received import HOUR_MS, NEVER, Received
from muniment.gate.policy.rules import GRANT, LIFETIME, WINDOWS, Rules
from muniment.gate.policy.windows import Sliding

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE: Final = 2**32 - 1
"""No person in this slot."""
ROWS: Final = "rows"
"""`Exceeded.window` where it is `rows_per_statement` that is used up."""
FEW_CELLS: Final = 8
"""Cells up to which a loop is quicker than arrays."""
REPLAY_PERSONS: Final = 65_536
"""Persons that a replay takes up at once."""
_DAY_MS: Final = 86_400_000
_ORDER: Final = (LIFETIME, "month", "day", "hour", "minute", GRANT)
"""Of budgets that the same row breaks, the one that is told: the longest, since waiting for a shorter is no use."""


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The budget that a row would break.

    `window`: minute, hour, day, month, lifetime, grant or rows. `used`: how much of it is used before that row.
    `resets_ms` (since 1970): when one more fits again, 0 where waiting does not help.
    """

    window: str
    limit: int
    used: int
    resets_ms: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What became of the rows.

    `allowed`: the largest prefix within all budgets. In the modes observe, warn and throttle that is all of them, and
    `exceeded` is told all the same. `new_persons`: those charged beyond the case-load, anonymous ones included.
    `undiscounted`: in a call that is not free, persons that were received before and are charged again; to be added to
    `rows` of the UNATTRIBUTED entry. `wait`: seconds that the rows are to be held back (throttle).
    """

    allowed: int
    exceeded: Exceeded | None = None
    new_persons: int = 0
    undiscounted: int = 0
    wait: float = 0.0


Recorded: TypeAlias = "tuple[int, NDArray[np.uint32], int]"
"""A disclosure: its time (ms since 1970), its ordinals (n,), and its anonymous persons (`rows` of UNATTRIBUTED)."""


class Budgets(Protocol):
    """What counts persons. `account` is the name that they are counted under: `rules.recipient`."""

    def charge(
        self, account: str, rules: Rules, now: int, ordinals: NDArray[np.uint32], anonymous: NDArray[np.int64], *,
        free: bool = True, before: int = 0,
    ) -> Charge:  # fmt: skip
        """Charge rows at `now` (ms since 1970).

        `ordinals`: the persons of each row, shape (rows, slots), NONE for nobody. `anonymous`: further persons of each
        row, shape (rows,). `free`: whether the case-load costs nothing. `before`: rows of this statement that were
        allowed earlier. `ValueError` for a negative number of persons.
        """

    def restore(self, account: str, batches: Iterable[Recorded]) -> None:
        """Replace what is known of `account` by what the ledger holds of it, in the ledger's order."""


class LocalBudgets:
    """Budgets in the memory of this process.

    `caseload_days`: one figure for the whole gate, since a replay must not depend on whose rules held at that time.
    """

    def __init__(self, caseload_days: int = 30) -> None:
        self._caseload_ms = caseload_days * _DAY_MS
        self._accounts: dict[str, _Account] = {}

    def charge(
        self, account: str, rules: Rules, now: int, ordinals: NDArray[np.uint32], anonymous: NDArray[np.int64], *,
        free: bool = True, before: int = 0,
    ) -> Charge:  # fmt: skip
        """See `Budgets.charge`."""
        known = self._accounts.get(account)
        if known is None:
            known = self._accounts[account] = _Account(self._caseload_ms)
        limits = _limits(known, rules, known.advance(now))
        if ordinals.size <= FEW_CELLS and len(anonymous) <= FEW_CELLS:
            return _charge_few(known, limits, rules, ordinals, anonymous, free, before)
        return _charge_many(known, limits, rules, ordinals, anonymous, free, before)

    def restore(self, account: str, batches: Iterable[Recorded]) -> None:
        """See `Budgets.restore`."""
        fresh = _Account(self._caseload_ms)
        held: list[Recorded] = []
        persons = 0
        for one in batches:
            held.append(one)
            persons += len(one[1]) + 1
            if persons >= REPLAY_PERSONS:
                _replay(fresh, held)
                held, persons = [], 0
        _replay(fresh, held)
        self._accounts[account] = fresh

    def knows(self, account: str) -> bool:
        """Whether anything was charged to, or restored for, `account`."""
        return account in self._accounts

    def used(self, account: str, now: int) -> Mapping[str, int]:
        """Persons counted in each window and in the lifetime; zeros for an account that is not known."""
        known = self._accounts.get(account) or _Account(self._caseload_ms)
        now = max(now, known.now)
        return {name: window.count(now) for name, window in known.windows.items()} | {LIFETIME: known.lifetime}


class _Account:
    """What is known of one account. Owned by `LocalBudgets`, used by one thread at a time."""

    __slots__ = ("_hour", "hours", "lengths", "lifetime", "now", "oldest", "received", "windows")

    def __init__(self, caseload_ms: int) -> None:
        self.received = Received()
        self.windows = {name: Sliding(length) for name, length in WINDOWS.items()}
        self.lifetime = 0
        self.now = 0
        least = max(caseload_ms, HOUR_MS) // HOUR_MS
        self.lengths = {name: max(length // HOUR_MS, least) for name, length in WINDOWS.items()} | {GRANT: least}
        """For how many hours a person that was received is known, by window."""
        self._hour = -1
        self.oldest: dict[str, int] = {}
        """The hour from which on a person counts as known, by window."""
        self.hours: tuple[int, ...] = ()
        """The same hours, each once: with the usual 30 days all windows but the lifetime share one."""

    def advance(self, now: int) -> int:
        """Time goes on; it never goes back."""
        self.now = max(now, self.now)
        hour = self.now // HOUR_MS
        if hour != self._hour:
            self._hour = hour
            self.oldest = {name: max(hour - length, NEVER + 1) for name, length in self.lengths.items()}
            self.oldest[LIFETIME] = NEVER + 1
            self.hours = tuple(sorted(set(self.oldest.values())))
        return self.now

    def add(self, counts: Mapping[str, int]) -> None:
        for name, window in self.windows.items():
            window.add(self.now, counts[name])
        self.lifetime += counts[LIFETIME]


class _Limit(NamedTuple):
    """A budget that holds for this call: what is used of it now."""

    name: str
    limit: int
    used: int


def _limits(known: _Account, rules: Rules, now: int) -> list[_Limit]:
    persons, windows = rules.persons, known.windows
    used = {LIFETIME: known.lifetime, GRANT: 0}
    return [
        _Limit(name, persons[name], windows[name].count(now) if name in windows else used[name])
        for name in _ORDER
        if name in persons
    ]


def _charge_few(
    known: _Account, limits: list[_Limit], rules: Rules,
    ordinals: NDArray[np.uint32], anonymous: NDArray[np.int64], free: bool, before: int,
) -> Charge:  # fmt: skip
    """Row by row. This is the plain form of the rules; `_charge_many` is the same in arrays."""
    oldest, hours = known.oldest, known.hours
    stop, logged = rules.mode == "stop", rules.unattributed == "log"
    seen: dict[int, None] = {}
    counts = dict.fromkeys(hours, 0)
    exceeded, allowed, undiscounted = None, 0, 0
    for number, (row, nameless) in enumerate(zip(ordinals.tolist(), _checked(anonymous.tolist()), strict=True)):
        persons = [one for one in dict.fromkeys(row) if one != NONE and one not in seen]
        lasts = [known.received.one(one) for one in persons]
        again = 0 if free else sum(last != NEVER for last in lasts)
        named = {hour: again + sum(last < hour for last in lasts) for hour in hours}
        after = {hour: counts[hour] + nameless + named[hour] for hour in hours}
        adding = limits if nameless and not logged else [one for one in limits if named[oldest[one.name]]]
        broken = _broken(adding, rules, before + number, oldest, after)
        if broken is not None:
            exceeded = exceeded or _told(known, broken, counts[oldest.get(broken.name, hours[0])], before + number)
            if stop:
                break
        seen.update(dict.fromkeys(persons))
        counts, allowed, undiscounted = after, number + 1, undiscounted + again
    known.received.note(list(seen), known.now // HOUR_MS)
    totals = {name: counts[hour] for name, hour in oldest.items()}
    known.add(totals)
    wait = _wait(rules, limits, totals, before + allowed) if exceeded else 0.0
    return Charge(allowed, exceeded, totals[GRANT], undiscounted, wait)


def _charge_many(
    known: _Account, limits: list[_Limit], rules: Rules,
    ordinals: NDArray[np.uint32], anonymous: NDArray[np.int64], free: bool, before: int,
) -> Charge:  # fmt: skip
    if len(anonymous):
        _checked([int(anonymous.min())])
    persons, rows = _first_rows(ordinals)
    lasts = known.received.many(persons)
    total = len(anonymous)
    named = _named(known.hours, lasts, rows, total, free)
    charged = {hour: one + anonymous for hour, one in named.items()}
    adding = named if rules.unattributed == "log" else charged
    sums = {hour: np.cumsum(one) for hour, one in charged.items()}
    by_limit = [(one, known.oldest[one.name]) for one in limits]
    fits = [_prefix(sums[hour], adding[hour], one.limit - one.used) for one, hour in by_limit]
    allowed, broken = _first(limits, fits, rules.rows_per_statement, total, before)
    exceeded = None
    if broken is not None:
        exceeded = _told(known, broken, _at(known, sums, allowed).get(broken.name, 0), before + allowed)
    if rules.mode != "stop":
        allowed = total
    passed = rows < allowed
    known.received.note_many(persons[passed], np.full(int(np.count_nonzero(passed)), known.now // HOUR_MS, np.int64))
    totals = _at(known, sums, allowed)
    known.add(totals)
    undiscounted = 0 if free else int(np.count_nonzero(passed & (lasts != NEVER)))
    wait = _wait(rules, limits, totals, before + allowed) if exceeded else 0.0
    return Charge(allowed, exceeded, totals[GRANT], undiscounted, wait)


def _checked(anonymous: list[int]) -> list[int]:
    if anonymous and min(anonymous) < 0:
        raise ValueError("a negative number of anonymous persons")
    return anonymous


def _first_rows(ordinals: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The persons in rows, ascending, and the first row of each; both of shape (n,)."""
    slots = ordinals.shape[1]
    persons, first = np.unique(ordinals.reshape(-1), return_index=True)
    if len(persons) and persons[-1] == NONE:
        persons, first = persons[:-1], first[:-1]
    return persons, first if slots == 1 else first // max(slots, 1)


def _named(
    hours: tuple[int, ...], lasts: NDArray[np.int64], rows: NDArray[np.int64], total: int, free: bool
) -> dict[int, NDArray[np.int64]]:
    """By the hour from which on a person is known: persons with a name that each row adds, shape (total,)."""
    again = 0 if free else np.bincount(rows[lasts != NEVER], minlength=total)
    return {hour: again + np.bincount(rows[lasts < hour], minlength=total) for hour in hours}


def _at(known: _Account, sums: Mapping[int, NDArray[np.int64]], rows: int) -> dict[str, int]:
    """What the first `rows` rows come to, by window."""
    return {name: int(sums[hour][rows - 1]) if rows else 0 for name, hour in known.oldest.items()}


def _prefix(sums: NDArray[np.int64], adding: NDArray[np.int64], room: int) -> int:
    """How many rows fit: the first that does not goes beyond `room`, and adds something."""
    if not len(sums) or sums[-1] <= room:
        return len(sums)
    beyond = np.flatnonzero((sums > room) & (adding > 0))
    return int(beyond[0]) if len(beyond) else len(sums)


def _first(
    limits: list[_Limit], fits: list[int], most: int | None, total: int, before: int
) -> tuple[int, _Limit | None]:
    """How many rows are within all budgets, and the budget that the next one breaks; of several the first listed."""
    allowed, broken = total, None
    for limit, fitting in zip(limits, fits, strict=True):
        if fitting < allowed:
            allowed, broken = fitting, limit
    if most is not None and max(most - before, 0) < allowed:
        allowed, broken = max(most - before, 0), _Limit(ROWS, most, 0)
    return allowed, broken


def _broken(
    limits: list[_Limit], rules: Rules, rows: int, oldest: Mapping[str, int], after: Mapping[int, int]
) -> _Limit | None:
    """The budget that a row breaks: `rows` went before it, and `after` it so many persons were charged (by hour)."""
    for limit in limits:
        if limit.used + after[oldest[limit.name]] > limit.limit:
            return limit
    most = rules.rows_per_statement
    return _Limit(ROWS, most, 0) if most is not None and rows >= most else None


def _told(known: _Account, broken: _Limit, charged: int, rows: int) -> Exceeded:
    """`charged`: persons of the rows that go before in this call."""
    if broken.name == ROWS:
        return Exceeded(ROWS, broken.limit, rows, 0)
    window = known.windows.get(broken.name)
    resets = 0
    if window is not None and broken.limit:
        resets = window.below(known.now, broken.limit - charged)
        # Nothing in the window but this call's own rows: they leave it after its whole length.
        resets = resets or known.now + WINDOWS[broken.name] + WINDOWS[broken.name] // 60
    return Exceeded(broken.name, broken.limit, broken.used + charged, resets)


def _wait(rules: Rules, limits: list[_Limit], charged: Mapping[str, int], rows: int) -> float:
    """Seconds that throttled rows are held back: `throttle_seconds` for each person (or row) beyond the budget."""
    if rules.mode != "throttle":
        return 0.0
    beyond = [min(limit.used + charged[limit.name] - limit.limit, charged[limit.name]) for limit in limits]
    if rules.rows_per_statement is not None:
        beyond.append(rows - rules.rows_per_statement)
    return max(0, *beyond) * rules.throttle_seconds if beyond else 0.0


def _replay(known: _Account, batches: list[Recorded]) -> None:
    """Take up recorded disclosures as `charge` took them, many at once.

    Each occurrence of a person is held against the one before it: in these batches, else in what is known already.
    """
    if not batches:
        return
    times = np.maximum.accumulate(np.array([known.now, *(one[0] for one in batches)], np.int64))[1:]
    of = np.repeat(np.arange(len(batches)), [len(one[1]) for one in batches])
    flat = np.concatenate([one[1] for one in batches]).astype(np.uint32)
    order = np.argsort(flat, kind="stable")
    persons, of = flat[order], of[order]
    at = times[of]
    hours = at // HOUR_MS
    begins = np.ones(len(persons), bool)
    begins[1:] = persons[1:] != persons[:-1]
    before = np.empty(len(persons), np.int64)
    before[1:] = hours[:-1]
    before[begins] = known.received.many(persons[begins])
    nameless = np.array([one[2] for one in batches], np.int64)
    for name, length in known.lengths.items():
        if name != GRANT:
            new = before < np.maximum(hours - length, NEVER + 1)
            charged = nameless + np.bincount(of[new], minlength=len(batches))
            _add(known.windows[name], times, charged)
    known.lifetime += int(nameless.sum()) + int(np.count_nonzero(before == NEVER))
    ends = np.ones(len(persons), bool)
    ends[:-1] = begins[1:]
    known.received.note_many(persons[ends], hours[ends])
    known.now = int(times[-1])


def _add(window: Sliding, times: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    _, first = np.unique(times // window.width, return_index=True)
    sums = np.add.reduceat(counts, first)
    for time, count in zip(times[first].tolist(), sums.tolist(), strict=True):
        window.count(time)
        window.add(time, count)
