"""What was lost until somebody noticed, and how sure one may be of it.

Rules
1. Records lost: distinct harvested records up to the alert, those of its disclosure (or its day) with them; all of them
   where none came. So "median lost" never leaves the misses out.
2. An alert counts for a trial where it names one of its accounts, or the office of a trial of several accounts, on or
   after the first day of the attack.
3. Differences are paired: the same attack in the same background. The bootstrap draws whole backgrounds, since the
   trials in one share its accounts and days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.audit import interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watch.ground import Ground, Hit, Trial

DRAWS: Final = 2_000
SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Loss:
    """How one trial ended under one detector. `background`: which run. `workdays`: of the attack, until the alert."""

    attack: str
    background: tuple[str, int]
    found: bool
    lost: int
    total: int
    workdays: int
    right_reason: bool
    reason: str = ""


def losses(ground: Ground, hits: Sequence[Hit]) -> list[Loss]:
    """How each trial of a background ended, in their order."""
    return [loss(trial, hits, (ground.name, ground.number)) for trial in ground.trials]


def loss(trial: Trial, hits: Sequence[Hit], background: tuple[str, int] = ("", 0)) -> Loss:
    """How one trial ended."""
    counts = [(_lost(trial, hit), i) for i, hit in enumerate(hits) if _meets(trial, hit)]
    total, days = len(trial), len(np.unique(trial.day))
    if not counts:
        return Loss(trial.attack, background, False, total, total, days, False)
    lost, first = min(counts)
    workdays = len(np.unique(trial.day[:lost]))
    reason = hits[first].reason
    return Loss(trial.attack, background, True, lost, total, workdays, reason in trial.reasons, reason)


def _meets(trial: Trial, hit: Hit) -> bool:
    named = hit.account in trial.accounts or (len(trial.accounts) > 1 and 0 <= hit.office == trial.office)
    last = int(trial.day[-1]) if len(trial) else trial.begin
    return named and trial.begin <= hit.day <= last + 2


def _lost(trial: Trial, hit: Hit) -> int:
    taken = trial.sequence <= hit.sequence if hit.sequence else trial.day <= hit.day
    return int(taken.sum())


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: an attack under one detector. `difference`: what more it loses in the median than ours
    does, with its interval; `None` for ours."""

    attack: str
    detector: str
    trials: int
    found: int
    found_interval: tuple[float, float]
    median: float
    p90: float
    total: float
    workdays: float
    reason_right: float
    difference: tuple[float, float, float] | None

    @property
    def share(self) -> float:
        """The share of trials that was found."""
        return self.found / self.trials

    @property
    def beaten(self) -> bool:
        """Whether ours loses less in the median, beyond the interval of the difference."""
        return self.difference is not None and self.difference[1] > 0


def row(detector: str, mine: Sequence[Loss], ours: Sequence[Loss] | None) -> Row:
    """The line of one attack; `mine` and `ours` are the same trials in the same order."""
    found = [one for one in mine if one.found]
    lost = np.array([one.lost for one in mine], np.float64)
    paired = None if ours is None else difference(mine, ours)
    return Row(
        attack=mine[0].attack,
        detector=detector,
        trials=len(mine),
        found=len(found),
        found_interval=interval(len(found), len(mine)),
        median=float(np.median(lost)),
        p90=float(np.quantile(lost, 0.9)),
        total=float(np.median([one.total for one in mine])),
        workdays=float(np.median([one.workdays for one in mine])),
        reason_right=sum(one.right_reason for one in found) / len(found) if found else float("nan"),
        difference=paired,
    )


def difference(mine: Sequence[Loss], ours: Sequence[Loss]) -> tuple[float, float, float]:
    """Median lost under theirs less that under ours, and its 95 % bootstrap interval over backgrounds."""
    theirs, own = (np.array([one.lost for one in losses], np.float64) for losses in (mine, ours))
    groups = sorted({one.background for one in mine})
    rows = [np.array([i for i, one in enumerate(mine) if one.background == group]) for group in groups]
    random = np.random.default_rng(SEED)
    if len(groups) < 2:
        rows = [np.array([i]) for i in range(len(mine))]
    drawn = [np.concatenate([rows[i] for i in random.integers(len(rows), size=len(rows))]) for _ in range(DRAWS)]
    differences = np.array([np.median(theirs[one]) - np.median(own[one]) for one in drawn])
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(np.median(theirs) - np.median(own)), float(low), float(high)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Alerts on clean account-days."""

    detector: str
    account_days: int
    alerts: int

    @property
    def per_1000(self) -> tuple[float, float, float]:
        """Alerts per 1,000 account-days with the exact 95 % interval."""
        low, high = interval(self.alerts, self.account_days)
        return 1_000 * self.alerts / max(self.account_days, 1), 1_000 * low, 1_000 * high


def clean_alerts(ground: Ground, hits: Sequence[Hit]) -> tuple[NDArray[np.bool_], list[Hit]]:
    """The clean account-days after the split (mask over `Ground.daily`), and the alerts on them.

    Clean: of an account in which no attack was injected; alerts on an office count where none of its accounts attacks.
    """
    rows = ground.daily
    guilty = np.array(sorted(ground.guilty), np.int64)
    offices = {trial.office for trial in ground.trials}
    clean = ~rows.train & ~np.isin(rows.account, guilty)
    kept = [hit for hit in hits if hit.day >= ground.split and not _guilty(hit, ground.guilty, offices)]
    return clean, kept


def _guilty(hit: Hit, accounts: frozenset[int], offices: set[int]) -> bool:
    return hit.account in accounts if hit.account >= 0 else hit.office in offices
