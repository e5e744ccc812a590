"""Muniment's own watch as one detector among the others, through its facade and with its default settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.context.tables import DAY_MS
from muniment.watch.fold import FoldRules, Watch
from muniment.watch.reads import NOBODY
from muniment.watch.signals.declared import Budgets
from muniment.watch.signals.standard import standard_signals
from muniment.watch.suggest import budgets, suggested
from watch.ground import Hit
from watch.tuning import BUDGET

if TYPE_CHECKING:
    from muniment.watch.findings import Finding
    from watch.ground import Ground

OURS: Final = "muniment"


def from_training(ground: Ground) -> Budgets:
    """What an owner would declare by what the clean half shows: what `muniment watch suggest` says then."""
    rows = ground.daily
    accounts = int(rows.account.max(initial=0)) + 1
    trained = rows.account[rows.train]
    fresh = rows.of("fresh")[rows.train, 0]
    worked = np.stack([np.bincount(trained, one, accounts) for one in (np.ones(len(trained)), fresh)], axis=1)
    office = np.full(accounts, NOBODY, np.int32)
    office[trained] = rows.office[rows.train]
    return budgets(suggested(worked.astype(np.float32), office))


@dataclass(frozen=True, slots=True)
class Muniment:
    """The standard signals under the alert budget; budgets are declared from the clean half, nothing else is tuned.

    `whole_days`: where a background knows days only, an alert within a day counts as one at its end.
    """

    name: str = OURS
    alpha: float = BUDGET
    declare: Callable[[Ground], Budgets] = from_training
    whole_days: bool = False

    def detect(self, ground: Ground) -> list[Hit]:
        """All findings as hits; those at the end of a day are out when it is closed, `lag` later."""
        rules = FoldRules(alpha=self.alpha)
        watch = Watch(standard_signals(self.declare(ground)), rules, ground.spaces)
        watch.use(ground.context)
        found = [*watch.take(ground.reads), *watch.finish()]
        hits = [_hit(finding, rules.lag_ms // DAY_MS) for finding in found]
        return [replace(hit, sequence=0) for hit in hits] if self.whole_days else hits


def _hit(finding: Finding, lag: int) -> Hit:
    office = finding.unit == "office"
    return Hit(
        finding.day if finding.sequence else finding.day + lag,
        -1 if office else finding.code,
        finding.code if office else -1,
        finding.sequence,
        finding.pattern,
    )
