"""Invented dwellings: one address a household, in Chinese and English, with its postcode and telephone number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.demo.families import weighted, zipf
from muniment.demo.places import DISTRICTS, ROADS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SECTIONS: Final = "一二三四五"
_LEVELS: Final = {"區": "District", "市": "City", "鎮": "Township", "鄉": "Township"}
_SUBSCRIBER_DIGITS: Final = {"02": 8, "04": 8, "037": 6, "089": 6}
"""Digits behind the area code; seven elsewhere."""
_EXCHANGES: Final = 9


@dataclass(frozen=True, slots=True)
class Dwellings:
    """One entry a household; `district` numbers `places.DISTRICTS`."""

    district: NDArray[np.int64]
    zh: list[str]
    en: list[str]
    phone: list[str]


def draw(random: np.random.Generator, households: int) -> Dwellings:
    """Draw a dwelling for each household."""
    district = weighted(random, [place.residents for place in DISTRICTS], households)
    road = (weighted(random, zipf(len(ROADS), 0.9), households) + district * 7) % len(ROADS)
    zh, en = _addresses(random, district.tolist(), road.tolist())
    return Dwellings(district, zh, en, _phones(random, district.tolist()))


def _some(random: np.random.Generator, share: float, low: int, high: int, count: int) -> list[int]:
    """Numbers of `low` to `high`, small ones more often; 0 (none) in the other cases."""
    numbers = low + (random.random(count) ** 1.7 * (high + 1 - low)).astype(np.int64)
    return np.where(random.random(count) < share, numbers, 0).tolist()  # type: ignore[no-any-return]


def _addresses(random: np.random.Generator, districts: list[int], roads: list[int]) -> tuple[list[str], list[str]]:
    """The two renderings of each address."""
    count = len(districts)
    sections = _some(random, 0.25, 1, 5, count)
    lanes = _some(random, 0.35, 2, 480, count)
    alleys = _some(random, 0.25, 1, 60, count)
    numbers = _some(random, 1.0, 1, 420, count)
    parts = _some(random, 0.12, 1, 9, count)
    floors = _some(random, 0.5, 2, 24, count)
    rooms = _some(random, 0.2, 1, 12, count)
    zh, en = [], []
    rows = zip(districts, roads, sections, lanes, alleys, numbers, parts, floors, rooms, strict=True)
    for district, road, section, lane, alley, number, part, floor, room in rows:
        place, (road_zh, road_en) = DISTRICTS[district], ROADS[road]
        section = section if road_zh.endswith("路") else 0
        zh.append(
            place.city_zh + place.zh + road_zh + (f"{_SECTIONS[section - 1]}段" if section else "")
            + (f"{lane}巷" if lane else "") + (f"{alley}弄" if lane and alley else "")
            + (f"{number}之{part}號" if part else f"{number}號")
            + (f"{floor}樓" if floor else "") + (f"之{room}" if floor and room else "")
        )  # fmt: skip
        en.append(
            (f"{number}-{part} " if part else f"{number} ") + road_en + (f", Section {section}" if section else "")
            + (f", Lane {lane}" if lane else "") + (f", Alley {alley}" if lane and alley else "")
            + (f", Floor {floor}" if floor else "") + (f"-{room}" if floor and room else "")
            + f", {place.en} {_LEVELS[place.zh[-1]]}, {place.city_en}"
        )  # fmt: skip
    return zh, en


def _phones(random: np.random.Generator, districts: list[int]) -> list[str]:
    """A landline number each, in one of four layouts; a district has a few exchanges of its own."""
    count = len(districts)
    exchanges = weighted(random, zipf(_EXCHANGES, 0.6), count).tolist()
    tails = random.integers(0, 10_000, count).tolist()
    layouts = weighted(random, (55, 20, 10, 15), count).tolist()
    out = []
    for district, exchange, tail, layout in zip(districts, exchanges, tails, layouts, strict=True):
        area = DISTRICTS[district].area
        digits = _SUBSCRIBER_DIGITS.get(area, 7)
        lead = 2 + (district + exchange) % 7
        head = f"{lead}{(district * 37 + exchange * 131) % 1000:03d}"[: digits - 4]
        out.append(_LAYOUTS[layout].format(area=area, head=head, tail=f"{tail:04d}"))
    return out


_LAYOUTS: Final = ("{area}-{head}-{tail}", "({area}){head}-{tail}", "({area}) {head}-{tail}", "{area}{head}{tail}")
