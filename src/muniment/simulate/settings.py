"""What a world is asked to be, and what a run draws for itself within published ranges.

Rules
1. A figure that is not given is drawn per run from `RANGES`, so that no detector can be tuned to one office.
2. Sources: distinct records a day, repeats, hours and weekends from the logs measured in the research page (BPIC
   2012, 2013, 2015); explained shares from Fabbri & LeFevre (2012) and Hedda et al. (2017); legal oddities from
   Boxwala et al. (2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "repeat": (0.64, 0.76),
        "level": (0.75, 1.3),
        "turnover": (0.06, 0.15),
        "alike": (8.0, 30.0),
        "even": (2.5, 5.0),
        "named": (0.80, 0.97),
        "late": (0.01, 0.04),
        "persons": (650.0, 1000.0),
        "popularity": (0.75, 1.0),
        "wander": (0.05, 0.15),
        "decoys": (0.0004, 0.001),
    }
)
"""Ranges of `Traits`, from which each run draws evenly."""
ODDITIES: Final[Mapping[str, float]] = MappingProxyType(
    {"coworker": 93, "vip": 142, "old": 166, "family": 876, "neighbour": 5_538, "bulk": 1_185}
)
"""Legal oddities per million accesses (Boxwala et al. 2011, table of rules); `old` is a person without recent visit."""
ODDITY_NAMES: Final = ("", *ODDITIES)
"""By the code in `World.oddity`; 0 is an ordinary read."""
FEWEST_ACCOUNTS: Final = 8
FEWEST_DAYS: Final = 14
MOST_CELLS: Final = 2_000_000
"""Accounts times days: 4 GB would be needed above."""


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """A world. `days` are calendar days from `start` (ISO date) on, in the zone `zone`.

    `explained`: share of the reads (a record once per account and day) for which the context knows a reason. `drift`:
    habits wander over the months. `merger`: two offices become one. `surge`: twice the load for a month, everywhere,
    undeclared (the drift run of the protocol). `imported`: share of offices whose reads reach the ledger only in the
    next night.

    Raises `InputError` for figures that make no world.
    """

    seed: int = 1
    accounts: int = 60
    days: int = 260
    explained: float = 0.94
    drift: bool = True
    merger: bool = True
    surge: bool = False
    imported: float = 0.0
    start: str = "2025-01-01"
    zone: str = "Europe/Berlin"

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"seed {self.seed}: expected 0 or more")
        if self.accounts < FEWEST_ACCOUNTS or self.days < FEWEST_DAYS:
            raise InputError(
                f"{self.accounts} accounts for {self.days} days: expected at least {FEWEST_ACCOUNTS} for {FEWEST_DAYS}"
            )
        if self.accounts * self.days > MOST_CELLS:
            raise InputError(f"{self.accounts * self.days:,} account-days: expected at most {MOST_CELLS:,}")
        if not 0.5 <= self.explained <= 0.95:
            raise InputError(f"explained {self.explained}: expected 0.5 to 0.95")
        if not 0.0 <= self.imported <= 1.0:
            raise InputError(f"imported {self.imported}: expected 0 to 1")
        try:
            date.fromisoformat(self.start)
        except ValueError as error:
            raise InputError(f"start {self.start!r}: expected a date such as 2025-01-01") from error

    @property
    def first_day(self) -> int:
        """The first local day, in days since 1970-01-01."""
        return date.fromisoformat(self.start).toordinal() - date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Traits:
    """What one run drew.

    `repeat`: share of reads whose account read the record before. `level`: load against the median measured.
    `turnover`: share of accounts that are replaced. `alike`: concentration of the Beta from which each account's share
    of look-ups comes. `even`: shape of the daily counts (small is bursty). `named`: share of case work that names its
    case. `late`: share of cases recorded after work began. `persons`: per account. `popularity`: spread of the
    logarithm of how often a person is in a case. `wander`: monthly drift of habits, in the logarithm. `decoys`: share
    of decoy records.
    """

    repeat: float
    level: float
    turnover: float
    alike: float
    even: float
    named: float
    late: float
    persons: float
    popularity: float
    wander: float
    decoys: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Traits:
        """One run's figures."""
        return cls(**{name: float(rng.uniform(*ends)) for name, ends in RANGES.items()})


def generator(seed: int, part: int) -> np.random.Generator:
    """The generator of one part of a world: parts do not disturb one another."""
    return np.random.default_rng((seed, part))
