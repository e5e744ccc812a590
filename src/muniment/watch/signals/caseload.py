"""Case load: reads of records that others work on, and cases opened in order to read. Learned, so an estimate.

Two counts a day, each against the account's own past, its colleagues and the season (`predictive.Level`):
- *others'*: first reads of records that are in an open case, but in none of the account's or its office's. A harvester
  who reads only what is in work anyway shows here, and only where assignments are known.
- *padded*: first reads of records that are covered by a case which the reader itself opened in the last
  `PADDING_DAYS`, whatever else explains them. An intake desk does it every day, and is compared with itself; a
  clerk who begins to is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.context.tables import DAY_MS, Cases
from muniment.watch.days import Explanation
from muniment.watch.reads import NOBODY
from muniment.watch.signals import About, State, Step
from muniment.watch.signals.predictive import Level, Who, raised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day

ADDED: Final = (2.0, 5.0, 10.0)
"""First reads a day that a harvest adds."""
PADDING_DAYS: Final = 30
"""Days for which a case that an account opened is looked at as its own making."""
_OTHERS: Final = Level(1.0)
_PADDED: Final = Level(1.0)
_PARTS: Final = (("others", _OTHERS), ("padded", _PADDED))


class CaseloadSignal:
    """Reads of others' records in work, and of records in cases of the reader's own making."""

    about = About(
        "caseload",
        2 * len(ADDED),
        shapes={f"{part}_{name}": one for part, level in _PARTS for name, one in level.shapes.items()},
        needs=("cases",),
    )

    def __init__(self) -> None:
        self._made = _Made(None)

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day, three bets for others' records, three for padded ones; then the day is learned.

        Without assignments the first three say nothing, without cases none.
        """
        nothing = np.zeros((len(day), len(ADDED)))
        if context.cases is None:
            return Step(
                day.account.astype(np.int64),
                np.hstack([nothing, nothing]),
                np.zeros(len(day), np.int64),
                np.zeros(len(day.record), np.bool_),
            )
        if self._made.cases is not context.cases:
            self._made = _Made(context.cases)
        others = day.first & (day.explanation == Explanation.OTHERS) & (context.assignments is not None)
        padded = day.first & self._made.by(day)
        first = nothing if context.assignments is None else _factors("others", _OTHERS, day, others, state)
        factors = np.hstack([first, _factors("padded", _PADDED, day, padded, state)])
        spoken = others | padded
        return Step(day.account.astype(np.int64), factors, day.count(spoken), spoken)


def _factors(part: str, level: Level, day: Day, chosen: NDArray[np.bool_], state: State) -> NDArray[np.float64]:
    """The bets on one count, shape (m, k); then it is learned."""
    mine = {name: state[f"{part}_{name}"] for name in level.shapes}
    counts = day.count(chosen)
    who = Who.of(day)
    expected = level.expect(who, mine)
    factors = raised(counts, expected, ADDED)
    level.learn(who, counts, expected, mine)
    return factors


class _Made:
    """Who opened a case over which record, and when: derived from `cases` once, as long as they are the same."""

    def __init__(self, cases: Cases | None) -> None:
        self.cases = cases
        if cases is None:
            return
        opener = cases.opener[cases.of]
        known = np.flatnonzero(opener != NOBODY)
        pair = _pairs(opener[known], cases.record[known])
        self._pair, number = np.unique(pair, return_inverse=True)
        self._key = np.sort(_timed(number, cases.opened[cases.of[known]]))

    def by(self, day: Day) -> NDArray[np.bool_]:
        """Which reads are of a record over which their reader opened a case in the last days, shape (n,)."""
        wanted = _pairs(day.account[day.owner], day.record)
        number = np.searchsorted(self._pair, wanted)
        known = number < len(self._pair)
        known[known] = self._pair[number[known]] == wanted[known]
        until, since = _timed(number, day.moment), _timed(number, day.moment - PADDING_DAYS * DAY_MS)
        opened = np.searchsorted(self._key, until, "right") - np.searchsorted(self._key, since, "right")
        return np.asarray(known & (opened > 0))


def _timed(number: NDArray[np.int64], moment: NDArray[np.int64]) -> NDArray[np.int64]:
    """A pair's number and a moment as one number that sorts by both: seconds in the lower 36 bits, some 2,000 years."""
    return np.asarray((number.astype(np.int64) << 36) | np.clip(moment // 1_000, 0, (1 << 36) - 1))


def _pairs(account: NDArray[np.int32], record: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Account and record as one number."""
    return (account.astype(np.uint64) << np.uint64(32)) | record.astype(np.uint64)
