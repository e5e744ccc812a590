"""A made-up register in household order: sexes, ages, places, roles and a diagnosis, drawn by one seed.

The model: household sizes 1 to 8, a town of Zipf-like weight and one of its 21 villages for each household, a head, a
partner about as old, the others a generation younger. All persons are invented. The draws are those of the reference
model behind the published figures, in the same order, so that a register of the same size has the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from muniment.exposure.extract import Coded, Extract, narrowed

Columns = dict[str, np.ndarray]

TOWNS: Final = 368
VILLAGES: Final = 21
"""Of each town."""
YEAR: Final = 2025
SIZES: Final = (0.30, 0.27, 0.17, 0.14, 0.07, 0.03, 0.015, 0.005)
"""Shares of households of 1, 2, ... 8 persons; the mean is some 2.6."""
MARITAL: Final = {"couple": (0.15, 0.65, 0.12, 0.08), "other": (0.75, 0.18, 0.05, 0.02)}
"""Shares of the four states, for head and partner, and for the others in a household."""
Q6: Final = ("sex", "birth_year", "town", "marital", "edu", "nation")
Q9: Final = (*Q6, "occ", "birthplace", "ethnic")
SWEPT: Final = tuple(
    "sex birth_year birth_day town village marital edu occ birthplace nation ethnic hsize diag".split()
)
"""The thirteen columns whose 377 sets of at most three are swept."""


@dataclass(frozen=True)
class Homes:
    """Who lives where: `household` of each person, `size` and `town` and `village` of each household."""

    household: np.ndarray
    size: np.ndarray
    town: np.ndarray
    village: np.ndarray

    @property
    def role(self) -> np.ndarray:
        """0 for the first of a household, 1 for the second, and so on."""
        firsts = np.searchsorted(self.household, np.arange(len(self.size)))
        return np.arange(len(self.household)) - firsts[self.household]


def register(persons: int, seed: int = 7) -> Columns:
    """The sixteen columns, int32, of a register of so many persons."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, TOWNS + 1) ** 0.7
    weights /= weights.sum()
    homes = _homes(rng, persons, weights)
    role = homes.role
    age = _ages(rng, homes, role)
    columns: Columns = {"pid": np.arange(persons), "hid": homes.household}
    birth_day = rng.integers(0, 365, persons)
    columns |= {"sex": rng.integers(1, 3, persons), "birth_year": YEAR - age, "birth_day": birth_day}
    columns |= {"town": homes.town[homes.household], "village": homes.village[homes.household]}
    columns |= _traits(rng, role, age, columns["town"], weights)
    columns |= {"hsize": homes.size[homes.household], "rel": np.minimum(role, 7)}
    columns["diag"] = _zipf(rng, 1.5, 200, persons)
    return {name: values.astype(np.int32) for name, values in columns.items()}


def _homes(rng: np.random.Generator, persons: int, weights: np.ndarray) -> Homes:
    size = rng.choice(np.arange(1, len(SIZES) + 1), p=SIZES, size=int(persons / 2.3))
    size = size[: np.searchsorted(np.cumsum(size), persons) + 1]
    town = rng.choice(TOWNS, p=weights, size=len(size))
    village = town * VILLAGES + rng.integers(0, VILLAGES, len(size))
    return Homes(np.repeat(np.arange(len(size)), size)[:persons], size, town, village)


def _ages(rng: np.random.Generator, homes: Homes, role: np.ndarray) -> np.ndarray:
    persons = len(role)
    head = np.clip(rng.normal(52, 15, len(homes.size)), 20, 99).astype(int)[homes.household]
    partner = np.clip(head + rng.normal(-2, 5, persons), 18, 99)
    younger = np.clip(head - 28 + rng.normal(0, 6, persons), 0, 95)
    return np.where(role == 0, head, np.where(role == 1, partner, younger)).astype(int)


def _traits(
    rng: np.random.Generator, role: np.ndarray, age: np.ndarray, town: np.ndarray, weights: np.ndarray
) -> Columns:
    persons = len(role)
    couple = rng.choice(4, p=MARITAL["couple"], size=persons)
    other = rng.choice(4, p=MARITAL["other"], size=persons)
    marital = np.where(age < 20, 0, np.where(role <= 1, couple, other))
    edu = np.clip(rng.normal(4.5, 2, persons) - (age > 65) * 2 - (age < 18) * 3, 0, 9)
    occ = _zipf(rng, 1.35, 420, persons)
    stayed = rng.random(persons) < 0.6
    birthplace = np.where(stayed, town, rng.choice(TOWNS, p=weights, size=persons))
    home = rng.random(persons) < 0.965
    nation = np.where(home, 0, _zipf(rng, 1.6, 60, persons))
    ethnic = rng.choice(20, p=np.r_[0.93, np.full(19, 0.07 / 19)], size=persons)
    return {"marital": marital, "edu": edu, "occ": occ, "birthplace": birthplace, "nation": nation, "ethnic": ethnic}


def _zipf(rng: np.random.Generator, power: float, most: int, persons: int) -> np.ndarray:
    return np.minimum(rng.zipf(power, persons), most)


def coded(name: str, values: np.ndarray) -> Coded:
    """A column of integers as codes in the order of values."""
    known, codes = np.unique(values, return_inverse=True)
    labels = tuple(map(str, known.tolist()))
    return Coded(name, narrowed(codes, len(known)), len(known), ordered=True, labels=labels)  # type: ignore[arg-type]


def extract(columns: Columns, names: Sequence[str] | None = None) -> Extract:
    """These columns (or all) as an extract; the record of each row is its number."""
    names = list(columns) if names is None else names
    rows = len(next(iter(columns.values())))
    return Extract(tuple(coded(name, columns[name]) for name in names), rows, np.arange(rows, dtype=np.uint32))
