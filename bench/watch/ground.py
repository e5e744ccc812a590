"""Values of the benchmark of watch: what a detector is given (`Ground`), says (`Hit`), and what was taken (`Trial`).

A detector sees the reads and the context, never the trials. All detectors get the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from watch.daily import Daily, daily

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.reads import Reads, Spaces


@dataclass(frozen=True, slots=True)
class Hit:
    """An alert on one account (or office). `day`: the local day at whose end it is out, lag and all.

    `sequence`: the disclosure in which it was out already, 0 where it came with the end of the day. `reason`: the
    detector's own word.
    """

    day: int
    account: int = -1
    office: int = -1
    sequence: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trial:
    """One attack as it happened. `accounts` took part, all of `office`.

    `sequence`, `day`: disclosure and local day of each distinct record that was harvested, in order of time.
    `reasons`: the words that count as the right reason.
    """

    attack: str
    accounts: tuple[int, ...]
    office: int
    begin: int
    sequence: NDArray[np.int64]
    day: NDArray[np.int64]
    reasons: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sequence)


@dataclass(eq=False, repr=False)
class Ground:
    """One background with attacks in it. `split`: the local day before which everything is clean: the training half.

    `name`: of the background; `number`: which of its runs, for intervals that keep trials of one run together.
    """

    name: str
    number: int
    reads: Reads
    context: Context
    spaces: Spaces
    split: int
    trials: Sequence[Trial] = field(default_factory=tuple)

    @cached_property
    def daily(self) -> Daily:
        """Features of each account-day, the same for every baseline."""
        return daily(self.reads, self.context, self.spaces, self.split)

    @property
    def guilty(self) -> frozenset[int]:
        """Accounts in which an attack was injected."""
        return frozenset(account for trial in self.trials for account in trial.accounts)


class Detector(Protocol):
    """Something that raises alerts."""

    @property
    def name(self) -> str:
        """What stands in the table."""
        ...

    def detect(self, ground: Ground) -> list[Hit]:
        """All alerts on a background, those of the training half too."""
        ...
