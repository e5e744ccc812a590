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
    """The two renderings of each address; a part that an address has not is 0."""
    count = len(districts)
    paved = [ROADS[road][0].endswith("路") for road in roads]
    sections = [section * there for section, there in zip(_some(random, 0.25, 1, 5, count), paved, strict=True)]
    lanes = _some(random, 0.35, 2, 480, count)
    alleys = [alley * (lane > 0) for alley, lane in zip(_some(random, 0.25, 1, 60, count), lanes, strict=True)]
    numbers = _some(random, 1.0, 1, 420, count)
    parts = _some(random, 0.12, 1, 9, count)
    floors = _some(random, 0.5, 2, 24, count)
    rooms = [room * (floor > 0) for room, floor in zip(_some(random, 0.2, 1, 12, count), floors, strict=True)]
    rows = list(zip(districts, roads, sections, lanes, alleys, numbers, parts, floors, rooms, strict=True))
    return [_in_chinese(*row) for row in rows], [_in_english(*row) for row in rows]


def _in_chinese(
    district: int, road: int, section: int, lane: int, alley: int, number: int, part: int, floor: int, room: int
) -> str:
    """`臺北市大安區中山路二段48巷6弄12之3號5樓之1`."""
    place = DISTRICTS[district]
    street = place.city_zh + place.zh + ROADS[road][0] + _if(section, f"{_SECTIONS[section - 1]}段")
    house = _if(lane, f"{lane}巷") + _if(alley, f"{alley}弄") + f"{number}" + _if(part, f"之{part}") + "號"
    return street + house + _if(floor, f"{floor}樓") + _if(room, f"之{room}")


def _in_english(
    district: int, road: int, section: int, lane: int, alley: int, number: int, part: int, floor: int, room: int
) -> str:
    """`12-3 Zhongshan Road, Section 2, Lane 48, Alley 6, Floor 5-1, Daan District, Taipei City`."""
    place = DISTRICTS[district]
    street = f"{number}" + _if(part, f"-{part}") + f" {ROADS[road][1]}" + _if(section, f", Section {section}")
    house = _if(lane, f", Lane {lane}") + _if(alley, f", Alley {alley}") + _if(floor, f", Floor {floor}")
    return f"{street}{house}{_if(room, f'-{room}')}, {place.en} {_LEVELS[place.zh[-1]]}, {place.city_en}"


def _if(there: int, text: str) -> str:
    """A part of an address, where there is one."""
    return text if there else ""


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
