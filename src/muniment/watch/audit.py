"""The nightly self-audit: how many alerts were promised, how many came, and whether the promise may still be believed.

Rules
1. What is seen is counted over all accounts, guilty ones too: a rate above the promise says "look", not "broken".
2. Intervals are exact (Clopper and Pearson 1934) and two-sided at 95 %. A verdict is about many cells at once, so its
   own level is divided by their number (Bonferroni): an audit that cries once a week by chance is not read.
3. "Kept" needs days: where even no alert at all would leave room for a broken promise, the word is "too few days".
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from muniment.errors import InputError
from muniment.watch.findings import KINDS, Kind

if TYPE_CHECKING:
    from muniment.watch.tally import Tally

Verdict: TypeAlias = Literal["kept", "not refuted", "exceeded", "too few days"]
LEVEL: Final = 0.05
"""What an interval leaves out, both sides together."""
STEPS: Final = 60
"""Halvings of an interval's bound: to 1e-18, below what float64 can tell apart."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one office had in one month. `office`: code; `month`: such as "2026-11"."""

    office: int
    month: str
    kind: Kind
    account_days: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit; `office` or `month` is `None` where it stands for all of them.

    `promised`, `seen`, `low`, `high`: alerts per account-day, the last two the exact 95 % interval of `seen`.
    """

    kind: Kind
    office: int | None
    month: str | None
    account_days: int
    alerts: int
    promised: float
    seen: float
    low: float
    high: float
    verdict: Verdict


def audit(seen: Iterable[Seen], promised: Mapping[Kind, float]) -> tuple[Line, ...]:
    """Promised against seen: all together, each office, each month, each office in each month, in this order.

    `promised`: alerts per account-day by kind. Cells without account-days have no line.

    Raises:
        InputError: a count below 0, or a promise that is no rate.
    """
    rows = list(seen)
    _check(rows, promised)
    return tuple(line for kind, rate in promised.items() for line in _of_kind(rows, kind, rate))


def seen_by(tally: Tally) -> tuple[Seen, ...]:
    """What a watch has counted, one row an office, month and kind."""
    months = tally.months
    cells = sorted({(office, month) for office, month, _ in months})
    return tuple(
        Seen(*cell, kind, months[*cell, "account_days"], months[*cell, kind]) for cell in cells for kind in KINDS
    )


def interval(alerts: int, account_days: int, level: float = LEVEL) -> tuple[float, float]:
    """The exact two-sided interval of a rate per account-day, `level` left out in all.

    More alerts than account-days (an office may have its own) are taken as that many trials.
    """
    of = max(account_days, alerts)
    if of == 0:
        return 0.0, 1.0
    low = 0.0 if alerts == 0 else _solve(alerts - 1, of, 1 - level / 2)
    high = 1.0 if alerts == of else _solve(alerts, of, level / 2)
    return low, high


def _check(rows: Sequence[Seen], promised: Mapping[Kind, float]) -> None:
    for kind, rate in promised.items():
        if not 0.0 < rate < 1.0:
            raise InputError(f"promised rate of {kind} alerts is {rate:g}: expected a number between 0 and 1")
    for row in rows:
        if row.account_days < 0 or row.alerts < 0:
            raise InputError(f"{row.account_days} account-days, {row.alerts} alerts: expected counts of 0 or more")


def _of_kind(rows: Sequence[Seen], kind: Kind, promised: float) -> list[Line]:
    sums: defaultdict[tuple[int | None, str | None], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if row.kind == kind:
            for cell in ((None, None), (row.office, None), (None, row.month), (row.office, row.month)):
                sums[cell][0] += row.account_days
                sums[cell][1] += row.alerts
    cells = sorted((cell for cell, (days, alerts) in sums.items() if days or alerts), key=_order)
    return [_line(kind, cell, sums[cell], promised, len(cells)) for cell in cells]


def _order(cell: tuple[int | None, str | None]) -> tuple[int, int, str]:
    office, month = cell
    rank = 2 * (month is not None) + (office is not None)
    return rank, -1 if office is None else office, month or ""


def _line(kind: Kind, cell: tuple[int | None, str | None], sums: list[int], promised: float, cells: int) -> Line:
    days, alerts = sums
    low, high = interval(alerts, days)
    verdict = _verdict(alerts, days, promised, LEVEL / cells)
    return Line(kind, *cell, days, alerts, promised, alerts / days if days else math.inf, low, high, verdict)


def _verdict(alerts: int, days: int, promised: float, level: float) -> Verdict:
    low, high = interval(alerts, days, level)
    if low > promised:
        return "exceeded"
    if high <= promised:
        return "kept"
    return "too few days" if interval(0, days, level)[1] > promised else "not refuted"


def _solve(hits: int, of: int, target: float) -> float:
    """The p at which P(at most `hits` of `of`) is `target`; that chance falls with p."""
    counts = np.arange(hits + 1)
    ways = np.array([_log_choose(of, int(count)) for count in counts])
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        logs = ways + counts * math.log(middle) + (of - counts) * math.log1p(-middle)
        if float(np.exp(logs).sum()) > target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _log_choose(of: int, count: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
