"""The worklist of challenges: which reads must be justified, as the course draws them, and how each of them stands.

Rules
1. It is a fold over the ledger and the course: the same reads and answers give the same worklist, however they are cut.
2. A challenge that became due `KEPT_DAYS` ago is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.watch.challenges import Challenge, Coin, Outcomes, Standing, chances, outcomes
from muniment.watch.context.calendar import day_start, local_days
from muniment.watch.context.tables import DAY_MS

if TYPE_CHECKING:
    from muniment.watch.context.tables import Calendar
    from muniment.watch.reads import Reads

KEPT_DAYS: Final = 400


class Worklist:
    """Challenges by the number of their disclosure. One thread."""

    def __init__(self, coin: Coin, challenges: Sequence[Challenge] = (), last: Mapping[int, int] | None = None) -> None:
        """`last`: the last local day on which each account was active, by code."""
        self._coin = coin
        self._challenges = {one.sequence: one for one in challenges}
        self._last = dict(last or {})

    def __repr__(self) -> str:
        return f"Worklist({len(self._challenges)})"

    @property
    def challenges(self) -> Sequence[Challenge]:
        """All of them, oldest first."""
        return tuple(self._challenges.values())

    def find(self, sequence: int) -> Challenge | None:
        """The challenge of one disclosure."""
        return self._challenges.get(sequence)

    def draw(self, reads: Reads, calendar: Calendar, chance: float, days: int) -> None:
        """Draw the coin for each disclosure of these reads; `days`: within which it is to be answered."""
        if not len(reads) or chance <= 0:
            return
        heads = np.flatnonzero(np.append(True, reads.sequence[1:] != reads.sequence[:-1]))
        sequence, account = reads.sequence[heads], reads.account[heads]
        day = local_days(calendar, np.minimum(reads.moment, reads.recorded)[heads])
        idle = np.array([self._active(*one) for one in zip(account.tolist(), day.tolist(), strict=True)], np.int64)
        drawn = np.flatnonzero(self._coin.challenged(sequence, chances(idle, chance)))
        for row in drawn.tolist():
            due = int(reads.recorded[heads[row]]) + days * DAY_MS
            self._challenges[int(sequence[row])] = Challenge(int(sequence[row]), int(account[row]), due)
        self._forget(int(reads.recorded[-1]))

    def judge(self, sequence: int, good: bool, *, by: str, reason: str, at: int) -> Challenge:
        """Take an answer that a person has checked. `KeyError` where there is no such challenge, or `InputError`."""
        one = self._challenges[sequence]
        judged = one.justified(by, reason, at) if good else one.failed(by, reason, at)
        self._challenges[sequence] = judged
        return judged

    def due(self, calendar: Calendar, day: int) -> Outcomes:
        """What became of the challenges that were due on a local day."""
        return outcomes(self._challenges.values(), day_start(calendar, day), day_start(calendar, day + 1))

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"challenges": [one.to_json() for one in self.challenges], "last": sorted(self._last.items())}

    @classmethod
    def from_json(cls, coin: Coin, value: Mapping[str, Any]) -> Worklist:
        """Undo `to_json`."""
        last = {int(account): int(day) for account, day in value["last"]}
        return cls(coin, [Challenge.from_json(one) for one in value["challenges"]], last)

    def _active(self, account: int, day: int) -> int:
        """Days since the account was active before, -1 where it never was; it is active now."""
        last = self._last.get(account, -1)
        self._last[account] = max(last, day)
        return -1 if last < 0 else max(0, day - last)

    def _forget(self, now: int) -> None:
        for one in list(self._challenges.values()):
            if one.due + KEPT_DAYS * DAY_MS >= now:
                break  # in the order in which they were drawn, and so nearly in that of their terms
            del self._challenges[one.sequence]


def standing(challenge: Challenge, now: int) -> Standing:
    """How a challenge stands at a time: failed where it is open past its term."""
    return replace(challenge).as_of(now).state
