"""When things happen: local minutes of a working day, and ms since 1970 (UTC) for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from muniment.errors import InputError
from muniment.simulate.office import PROFILES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.office import Offices
    from muniment.simulate.settings import WorldSettings
    from muniment.simulate.touches import Touches

MINUTE_MS: Final = 60_000
DAY_MINUTES: Final = 1_440
_LAST: Final = DAY_MINUTES - 2.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Clock:
    """The hours of a world: `hours` is the time of each full local hour from the first day on, ms, shape (hours,)."""

    hours: NDArray[np.int64]

    @classmethod
    def of(cls, settings: WorldSettings) -> Clock:
        """The clock of the settings' zone, with two days to spare. Raises `InputError` for a zone that is not known."""
        try:
            zone = ZoneInfo(settings.zone)
        except (KeyError, ValueError, OSError) as error:
            raise InputError(f"zone {settings.zone!r}: expected an IANA name such as Europe/Berlin") from error
        begin = datetime.fromisoformat(settings.start)
        local = (begin + timedelta(hours=hour) for hour in range((settings.days + 2) * 24))
        stamps = [round(one.replace(tzinfo=zone).astimezone(UTC).timestamp() * 1000) for one in local]
        return cls(np.array(stamps, np.int64))

    def moment(self, day: NDArray[np.int64], minute: NDArray[np.float64]) -> NDArray[np.int64]:
        """Days of the world and local minutes as ms."""
        hour = (minute // 60).astype(np.int64)
        begun: NDArray[np.int64] = self.hours[day * 24 + hour]
        return begun + ((minute - 60 * hour) * MINUTE_MS).astype(np.int64)

    def start(self, day: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """The first ms of days of the world; of the last day but one of the clock for what lies behind."""
        begins: NDArray[np.int64] = self.hours[::24]
        found: NDArray[np.int64] = begins[np.clip(day, 0, len(begins) - 1)]
        return found

    def day(self, moment: NDArray[np.int64]) -> NDArray[np.int64]:
        """The day of the world of each moment."""
        return np.searchsorted(self.hours[::24], moment, side="right") - 1


def minutes(offices: Offices, touches: Touches, rng: np.random.Generator) -> NDArray[np.float64]:
    """The local minute of each touch, shape (n,): within the hours of its account, together with its case."""
    n = len(touches)
    visit = np.where(touches.case >= 0, touches.case, (1 << 32) + np.arange(n))
    days = int(touches.day.max(initial=0)) + 1
    shift = touches.account * days + touches.day
    order = np.lexsort((visit, shift))
    new = np.concatenate(([True], (np.diff(visit[order]) != 0) | (np.diff(shift[order]) != 0)))
    first = np.empty(n, np.int64)
    first[order] = order[np.maximum.accumulate(np.where(new, np.arange(n), 0))]
    base = _visits(offices, touches, rng)[first]
    later = np.where(first == np.arange(n), 0.0, rng.exponential(25.0, n))
    return np.minimum(base + later, _LAST)


def _visits(offices: Offices, touches: Touches, rng: np.random.Generator) -> NDArray[np.float64]:
    """A minute for each touch on its own."""
    n, accounts = len(touches), len(offices)
    begin = rng.normal(8 * 60, 40, accounts).clip(6.8 * 60, 10 * 60)
    length = rng.normal(8 * 60, 40, accounts).clip(5 * 60, 9.2 * 60)
    profile = offices.profile[offices.home[touches.account]]
    shifts = np.array([one.shifts for one in PROFILES])[profile]
    late = np.array([one.late for one in PROFILES])[profile] * rng.lognormal(0, 0.6, accounts)[touches.account]
    # a day has two humps with a dip at noon; a rota has early, late and night, the same for a week
    part = rng.beta(2.0, 2.2, n) * 0.5 + 0.5 * (rng.random(n) < 0.42)
    usual = begin[touches.account] + part * length[touches.account]
    odd = np.where(rng.random(n) < 0.35, rng.uniform(5.5 * 60, 7 * 60, n), rng.uniform(19 * 60, 23 * 60, n))
    turn = (touches.day // 7 + touches.account) % 3
    rota = np.choose(turn, (rng.uniform(6 * 60, 14 * 60, n), rng.uniform(13 * 60, 22 * 60, n), _night(n, rng)))
    return np.where(shifts, rota, np.where(rng.random(n) < late, odd, usual))


def _night(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.where(rng.random(n) < 0.25, rng.uniform(22 * 60, _LAST, n), rng.uniform(0, 6 * 60, n))
