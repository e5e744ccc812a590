"""What a rate of alerts means for people: how many innocent accounts it flags in a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from muniment.errors import InputError

WORKDAYS: Final = 220
"""Workdays of a year."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Alerts that an office had, in so many active account-days. `upper`: the exact upper 95 % limit of the rate a day,
    where it was computed."""

    alerts: int
    account_days: int
    upper: float | None = None

    @property
    def rate(self) -> float:
        """Alerts per account-day; 0 where there were no days."""
        return self.alerts / self.account_days if self.account_days else 0.0


def share_flagged(rate: float, workdays: int = WORKDAYS) -> float:
    """The share of innocent accounts that get an alert within so many workdays, at `rate` alerts per account-day.

    1 - (1 - rate)**workdays: exact where days are independent; alerts that come in clusters flag fewer accounts.

    Raises `InputError` for a rate outside 0 to 1 or a negative count of days.
    """
    _check(rate, workdays)
    return float(1.0 - (1.0 - rate) ** workdays)


def share_bound(rate: float, workdays: int = WORKDAYS) -> float:
    """The share that a guaranteed detector of this rate flags at most: min(1, rate * workdays).

    With factors of mean at most 1, R_t - t of the Shiryaev-Roberts detector is a supermartingale, so that
    E[R at the earlier of alert and day n] <= n; at the alert R is at least 1 / rate. Needs no independence.
    """
    _check(rate, workdays)
    return min(1.0, rate * workdays)


def _check(rate: float, workdays: int) -> None:
    if not 0.0 <= rate <= 1.0 or workdays < 0:
        raise InputError(f"rate {rate:g}, {workdays} workdays: expected a rate from 0 to 1 and no negative count")
