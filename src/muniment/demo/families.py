"""Invented households: who lives with whom, their ages and sexes, and what they are called.

Everything is drawn from the generator that is passed in. Arrays have one entry a person, in household order, unless
they are said to have one a household.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.demo import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

TODAY: Final = int(np.datetime64("2026-06-30").astype(int))
"""The day on which the register stands, in days since 1970: nobody is born or registered after it."""
_SIZES: Final = (0.30, 0.26, 0.19, 0.14, 0.07, 0.03, 0.01)
_FOREIGN: Final = 0.08


@dataclass(frozen=True, slots=True)
class Families:
    """The persons of some households. Days count from 1970; `surname` numbers a table that depends on `foreign`."""

    household: Ints
    size: Ints
    """One a household."""
    first: Ints
    """One a household: the place of its head among the persons."""
    foreign: Flags
    female: Flags
    birth: Ints
    surname: Ints
    cohort: Ints


def draw(random: np.random.Generator, households: int) -> Families:
    """Draw this many households with all their persons."""
    size = random.choice(np.arange(1, len(_SIZES) + 1), p=_SIZES, size=households)
    household = np.repeat(np.arange(households), size)
    first = np.cumsum(size) - size
    place = np.arange(len(household)) - first[household]
    age, partner, elder = _ages(random, household, place, households)
    female = _sexes(random, household, place, partner, households)
    foreign = _foreign(random, household, partner, households)
    birth = _birth_days(random, age)
    surname = _surnames(random, household, place, partner, elder, female, foreign, households)
    cohort = np.searchsorted(words.COHORTS, 1970 + birth / 365.25, side="right")
    return Families(household, size, first, foreign, female, birth, surname, cohort)


def _birth_days(random: np.random.Generator, age: NDArray[np.float64]) -> Ints:
    """Birth days from ages in years; of the old, some are known by their year only and stand as 1 January."""
    birth = TODAY - np.maximum(age * 365.25, 5).astype(np.int64)
    vague = (age > 70) & (random.random(len(age)) < 0.12)
    new_year = birth.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    return np.where(vague, new_year, birth)


def _ages(
    random: np.random.Generator, household: Ints, place: Ints, households: int
) -> tuple[NDArray[np.float64], Flags, Flags]:
    """Ages in years, who is the head's partner, and who is of the generation before."""
    persons = len(household)
    head = np.clip(random.normal(50, 15, households), 21, 97)[household]
    partner = (place == 1) & (random.random(persons) < 0.8)
    parent = np.clip(random.normal(28, 4, households), 17, 45)[household]
    child = head - parent - 2.6 * (place - 2) - random.random(persons)
    elder = (place > 0) & ~partner & ((child < 0) | (random.random(persons) < 0.12))
    age = np.where(elder, np.minimum(head + np.clip(random.normal(28, 4, persons), 18, 45), 101 + place), child)
    age = np.where(partner, np.clip(head + random.normal(-1, 4, persons), 20, 99), age)
    return np.where(place == 0, head, age), partner, elder


def _sexes(
    random: np.random.Generator, household: Ints, place: Ints, partner: Flags, households: int
) -> Flags:
    """Who is female: partners are mostly of the other sex than the head."""
    head = (random.random(households) < 0.45)[household]
    other = random.random(len(household))
    female = np.where(partner, np.where(other < 0.98, ~head, head), other < 0.5)
    return np.where(place == 0, head, female)


def _foreign(random: np.random.Generator, household: Ints, partner: Flags, households: int) -> Flags:
    """Who bears a western name: whole households, in some of which the partner is Taiwanese."""
    house = (random.random(households) < _FOREIGN)[household]
    return house & ~(partner & (random.random(len(household)) < 0.4))


def _surnames(
    random: np.random.Generator, household: Ints, place: Ints, partner: Flags, elder: Flags, female: Flags,
    foreign: Flags, households: int,
) -> Ints:
    """Numbers of surnames: children bear the name of the father's line, Taiwanese partners keep their own."""
    persons = len(household)
    line = np.where(foreign, *(_surname_draw(random, table, households)[household] for table in ("en", "zh")))
    own = np.where(foreign, *(_surname_draw(random, table, persons) for table in ("en", "zh")))
    couple = np.zeros(households, bool)
    couple[household[partner]] = True
    wife_heads = (place == 0) & female & couple[household]
    keeps = (wife_heads | (partner & female) | (elder & female)) & ~(foreign & (random.random(persons) < 0.85))
    return np.where(keeps, own, line)


def _surname_draw(random: np.random.Generator, table: str, count: int) -> Ints:
    """Numbers of surnames in the Chinese (`zh`) or western (`en`) table."""
    shares: Sequence[float] = words.SURNAME_SHARES if table == "zh" else zipf(len(words.SURNAMES_EN), 0.8)
    return weighted(random, shares, count)


def zipf(count: int, exponent: float) -> list[float]:
    """Weights that fall with rank by a power law."""
    return [(rank + 1.5) ** -exponent for rank in range(count)]


def weighted(random: np.random.Generator, weights: Sequence[float], count: int) -> Ints:
    """Draw `count` numbers of `weights`, each as often as its weight says."""
    edges = np.cumsum(weights)
    drawn: Ints = np.searchsorted(edges, random.random(count) * edges[-1], side="right")
    return drawn


@dataclass(frozen=True, slots=True)
class Names:
    """Names in both scripts; `given_en` and `surname_en` are lower case, for mail addresses."""

    zh: list[str | None]
    en: list[str | None]
    given_en: list[str]
    surname_en: list[str]


def name(random: np.random.Generator, families: Families) -> Names:
    """Give every person a name of their sex and generation; some romanisations are not on file."""
    persons = len(families.household)
    ranks = [weighted(random, zipf(30, 0.75), persons).tolist() for _ in range(2)]
    western = weighted(random, zipf(44, 0.7), persons).tolist()
    single = (random.random(persons) < 0.03).tolist()
    shown = (random.random(persons) < 0.88).tolist()
    columns = (families.foreign.tolist(), families.female.tolist(), families.cohort.tolist(), families.surname.tolist())
    zh: list[str | None] = []
    en: list[str | None] = []
    given: list[str] = []
    surnames: list[str] = []
    for foreign, female, cohort, surname, one, two, west, short, on_file in zip(
        *columns, *ranks, western, single, shown, strict=True
    ):
        sex = "F" if female else "M"
        if foreign:
            first, last = words.GIVEN_EN[sex][cohort][west], words.SURNAMES_EN[surname]
            zh.append(None)
            en.append(f"{first} {last}")
        else:
            firsts, seconds = words.GIVEN_ZH[sex][cohort]
            (family, last), (a, first) = words.SURNAMES_ZH[surname], firsts[one % len(firsts)]
            b, tail = ("", "") if short else seconds[two % len(seconds)]
            zh.append(family + a + b)
            en.append(f"{last} {first}-{tail}" if tail and on_file else f"{last} {first}" if on_file else None)
            first += tail
        given.append(first.lower())
        surnames.append(last.lower())
    return Names(zh, en, given, surnames)
