"""What a watch has counted: account-days and findings by office and month, and whatever it could not judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from muniment.watch.days import Day
    from muniment.watch.findings import Finding

DIVISIONS = ("account_days", "guaranteed", "estimated")
"""What is counted of each office and month."""


@dataclass(slots=True)
class Tally:
    """Counts of a watch. `months`: by (office code, month such as "2026-11") and `DIVISIONS`.

    `late`: reads of a day that was closed, not judged. `ahead`: reads dated later than they were recorded, judged as of
    their recording. `rewound`: how often a clock went back by days. `unnamed`: reads of accounts without an office.
    """

    reads: int = 0
    late: int = 0
    ahead: int = 0
    rewound: int = 0
    unnamed: int = 0
    months: Counter[tuple[int, str, str]] = field(default_factory=Counter)

    def day(self, day: Day) -> None:
        """Count the account-days of one closed day."""
        offices, counts = np.unique(day.office, return_counts=True)
        month = month_of(day.day)
        for office, count in zip(offices.tolist(), counts.tolist(), strict=True):
            self.months[office, month, "account_days"] += count
        self.unnamed += int((day.office[day.owner] < 0).sum())

    def findings(self, found: Iterable[Finding], offices: Mapping[int, int]) -> None:
        """Count findings. `offices`: the office of an account by code."""
        for one in found:
            office = one.code if one.unit == "office" else offices.get(one.code, -1)
            self.months[office, month_of(one.day), one.kind] += 1

    def total(self, division: str) -> int:
        """The sum of one division over offices and months."""
        return sum(count for (_, _, name), count in self.months.items() if name == division)

    def to_json(self) -> dict[str, object]:
        """Everything, for a snapshot."""
        months = [[*key, count] for key, count in sorted(self.months.items())]
        names = ("reads", "late", "ahead", "rewound", "unnamed")
        return {name: getattr(self, name) for name in names} | {"months": months}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Tally:
        """Undo `to_json`."""
        numbers = {name: value for name, value in stored.items() if isinstance(value, int)}
        months = stored["months"]
        assert isinstance(months, list)
        return cls(**numbers, months=Counter({(office, month, name): count for office, month, name, count in months}))


def month_of(day: int) -> str:
    """The month of a local day, such as "2026-11"."""
    return str(np.datetime64(day, "D").astype("datetime64[M]"))
