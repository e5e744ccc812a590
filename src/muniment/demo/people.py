"""The demo register: invented persons in households, in Chinese and English.

Rules
1. The same seed gives the same rows, whether whole (`register`) or in batches (`stream`), and whatever the batch size.
2. Rows come in blocks of `BLOCK_HOUSEHOLDS` households; each block has its own generator, seeded by (seed, block).
3. The persons of a household share address, telephone, surnames and plausible ages; frequencies fall as in real life.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.demo import dwellings, families, numbers, words
from muniment.demo.families import TODAY, weighted, zipf
from muniment.demo.places import DISTRICTS
from muniment.disclosure import Column, Kind, Register
from muniment.errors import InputError
from muniment.limits import BATCH_ROWS
from muniment.table import Cells, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS: Final = {
    "person_id": Kind.CODE,
    "household_id": Kind.CODE,
    "name_zh": Kind.NAME,
    "name_en": Kind.NAME,
    "sex": Kind.CATEGORY,
    "birth_date": Kind.DATE,
    "birthplace": Kind.PLACE,
    "address_zh": Kind.ADDRESS,
    "address_en": Kind.ADDRESS,
    "postcode": Kind.CODE,
    "phone": Kind.PHONE,
    "mobile": Kind.PHONE,
    "email": Kind.EMAIL,
    "occupation": Kind.CATEGORY,
    "registered_at": Kind.TIMESTAMP,
    "points": Kind.NUMBER,
}
"""The columns of the register, in order, with the kind of each."""
KEY: Final = "person_id"
BLOCK_HOUSEHOLDS: Final = 4_096
_COUNTRIES: Final = (
    "Viet Nam", "Philippines", "Indonesia", "United States", "Japan", "United Kingdom", "Canada", "Australia",
    "South Africa", "Ireland", "New Zealand", "Germany", "France",
)  # fmt: skip


def register(persons: int, seed: int) -> Table:
    """The register of the first `persons` persons of this seed. Raises `InputError` for a number it cannot give."""
    return _join(list(stream(persons, seed)))


def describe(name: str = "people", source: str = "demo", coalition: int = 10) -> Register:
    """The demo register as the frozen value that other parts speak of."""
    columns = tuple(Column(column, kind, number) for number, (column, kind) in enumerate(KINDS.items(), 1))
    return Register(name=name, source=source, key=(KEY,), columns=columns, coalition=coalition)


def stream(persons: int, seed: int, batch: int = BATCH_ROWS) -> Iterator[Table]:
    """The rows of `register` in tables of `batch` rows (the last one shorter), in the memory of a block and a batch."""
    if not 1 <= persons < numbers.FIRST_RESERVED:
        raise InputError(f"{persons:,} persons: expected 1 to {numbers.FIRST_RESERVED - 1:,}")
    waiting: list[Table] = []
    rows = 0
    for block in _blocks(persons, seed):
        waiting.append(block)
        rows += block.rows
        if rows >= batch:
            table = _join(waiting)
            whole = rows - rows % batch
            for start in range(0, whole, batch):
                yield _slice(table, start, start + batch)
            waiting, rows = [_slice(table, whole, rows)], rows - whole
    if rows:
        yield _join(waiting)


def _blocks(persons: int, seed: int) -> Iterator[Table]:
    """Blocks of rows until there are `persons`; the last one is cut."""
    done = block = 0
    while done < persons:
        table = _block(seed, block, done)
        yield table if done + table.rows <= persons else _slice(table, 0, persons - done)
        done += table.rows
        block += 1


def _block(seed: int, block: int, before: int) -> Table:
    """All persons of one block of households; `before` persons stand in the blocks ahead of it."""
    random = np.random.default_rng([seed, block])
    people = families.draw(random, BLOCK_HOUSEHOLDS)
    named = families.name(random, people)
    homes = dwellings.draw(random, BLOCK_HOUSEHOLDS)
    house = people.household.tolist()
    district = homes.district[people.household]
    age = (TODAY - people.birth) / 365.25
    abroad = people.foreign[people.first]
    occupation = _occupations(random, age)
    cells: dict[str, Cells] = {
        "person_id": list(numbers.person_ids(before + np.arange(len(house)), seed)),
        "household_id": _spread(
            list(numbers.household_ids(block * BLOCK_HOUSEHOLDS + np.arange(BLOCK_HOUSEHOLDS), seed)), house),
        "name_zh": named.zh,
        "name_en": named.en,
        "sex": ["F" if female else "M" for female in people.female.tolist()],
        "birth_date": _birth_dates(random, people.birth),
        "birthplace": _birthplaces(random, people.foreign, district),
        "address_zh": _spread(_missing(random, homes.zh, np.where(abroad, 0.3, 0.01)), house),
        "address_en": _spread(_missing(random, homes.en, np.where(abroad, 0.0, 0.25)), house),
        "postcode": [DISTRICTS[number].postcode for number in district.tolist()],
        "phone": _spread(_missing(random, homes.phone, np.full(BLOCK_HOUSEHOLDS, 0.25)), house),
        "mobile": _missing(
            random, _mobiles(random, len(house)), np.where(age < 14, 0.9, np.where(age > 75, 0.45, 0.06))),
        "email": _emails(random, named, age, people.birth),
        "occupation": occupation,
        "registered_at": _registrations(random, people),
        "points": _points(random, age, occupation),
    }  # fmt: skip
    return Table(tuple(KINDS), tuple(cells[column] for column in KINDS))


def _spread(values: Cells, house: list[int]) -> Cells:
    """Give every person the value of the household."""
    return [values[number] for number in house]


def _missing(random: np.random.Generator, values: list[str], share: NDArray[np.float64]) -> Cells:
    """Leave a share of the cells empty."""
    gone = (random.random(len(values)) < share).tolist()
    return [None if lost else value for value, lost in zip(values, gone, strict=True)]


def _birth_dates(random: np.random.Generator, birth: NDArray[np.int64]) -> Cells:
    """Birth dates as text: ISO mostly, else with strokes or in the calendar of the Republic; a few are unknown."""
    layouts = weighted(random, (91, 6, 2, 1), len(birth)).tolist()
    out: Cells = []
    for text, layout in zip(np.datetime_as_string(birth.astype("datetime64[D]")).tolist(), layouts, strict=True):
        if layout == 0:
            out.append(text)
        elif layout == 1:
            out.append(text.replace("-", "/"))
        else:
            year, month, day = (int(part) for part in text.split("-"))
            out.append(f"民國{year - 1911}年{month}月{day}日" if layout == 2 and year > 1911 else None)
    return out


def _birthplaces(random: np.random.Generator, foreign: NDArray[np.bool_], district: NDArray[np.int64]) -> Cells:
    """Where persons were born: mostly the city they live in, else another by its size, or a country abroad."""
    count = len(foreign)
    elsewhere = weighted(random, [place.residents for place in DISTRICTS], count)
    born = np.where(random.random(count) < 0.62, district, elsewhere).tolist()
    countries = weighted(random, zipf(len(_COUNTRIES), 0.9), count).tolist()
    return [
        _COUNTRIES[country] if abroad else DISTRICTS[number].city_zh
        for abroad, number, country in zip(foreign.tolist(), born, countries, strict=True)
    ]


def _mobiles(random: np.random.Generator, count: int) -> list[str]:
    """Mobile numbers in two layouts."""
    digits = random.integers(10_000_000, 90_000_000, count).tolist()
    plain = (random.random(count) < 0.2).tolist()
    return [
        f"09{number}" if joined else f"09{str(number)[:2]}-{str(number)[2:5]}-{str(number)[5:]}"
        for number, joined in zip(digits, plain, strict=True)
    ]


def _emails(
    random: np.random.Generator, named: families.Names, age: NDArray[np.float64], birth: NDArray[np.int64]
) -> Cells:
    """Mail addresses made of the romanised name (where it is on file) or a word, with digits or the year of birth."""
    count = len(age)
    has = (random.random(count) < np.where(age < 13, 0.02, np.where(age > 70, 0.3, 0.75))).tolist()
    layouts = weighted(random, (40, 20, 15, 25), count).tolist()
    domains = weighted(random, zipf(len(words.MAIL_DOMAINS), 1.0), count).tolist()
    picked = [words.MAIL_WORDS[rank] for rank in weighted(random, zipf(len(words.MAIL_WORDS), 0.6), count).tolist()]
    digits = (10 ** random.uniform(1, 5, count)).astype(np.int64).tolist()
    years = (1970 + birth / 365.25).astype(np.int64).tolist()
    out: Cells = []
    made_of = (picked, digits, years, named.given_en, named.surname_en, named.en)
    rows = zip(has, layouts, domains, *made_of, strict=True)
    for there, layout, domain, word, number, year, given, surname, on_file in rows:
        local = (
            f"{given}.{surname}{number}", f"{surname}.{given}.{number}", f"{given}{year}.{number}", f"{word}{number}"
        )[
            layout if on_file else 3
        ]
        out.append(f"{local}@{words.MAIL_DOMAINS[domain]}" if there else None)
    return out


def _occupations(random: np.random.Generator, age: NDArray[np.float64]) -> Cells:
    """What persons do, by their age; small children do nothing, and some cells are empty."""
    ranks = weighted(random, zipf(len(words.OCCUPATIONS), 0.8), len(age)).tolist()
    chance = random.random(len(age)).tolist()
    out: Cells = []
    for years, rank, luck in zip(age.tolist(), ranks, chance, strict=True):
        if years < 6 or luck > 0.94:
            out.append(None)
        elif years < 18 or (years < 23 and luck < 0.65):
            out.append("學生")
        else:
            out.append("退休" if years > 65 and luck < 0.7 else words.OCCUPATIONS[rank])
    return out


def _points(random: np.random.Generator, age: NDArray[np.float64], occupation: Cells) -> Cells:
    """Loyalty points, a whole number that grows with age and depends a little on the occupation."""
    spread = random.lognormal(6.0, 0.7, len(age)) * (0.4 + np.minimum(age, 60) / 60)
    none = (random.random(len(age)) < 0.04).tolist()
    return [
        None if lost else str(int(value * (1.6 if work == "退休" else 1.0)))
        for value, work, lost in zip(spread.tolist(), occupation, none, strict=True)
    ]


def _registrations(random: np.random.Generator, people: families.Families) -> Cells:
    """When persons were entered, on working days: a household in one go, those born later soon after their birth."""
    households, count = len(people.size), len(people.birth)
    head = people.birth[people.first]
    moved = TODAY - (random.random(households) ** 1.6 * 30 * 365).astype(np.int64)
    grown = head + (365.25 * random.uniform(18, 24, households)).astype(np.int64)
    moved = np.maximum(moved, np.minimum(grown, TODAY - random.integers(0, 400, households)))[people.household]
    later = people.birth > moved
    day = np.where(later, np.minimum(people.birth + 1 + random.integers(0, 30, count), TODAY), moved)
    worked = np.busday_offset(day.astype("datetime64[D]"), 0, roll="forward")
    shared = _office_seconds(random, households)[people.household]
    second = np.where(later, _office_seconds(random, count), shared)
    times = worked.astype("datetime64[s]") + second.astype("timedelta64[s]")
    return [text.replace("T", " ") for text in np.datetime_as_string(times).tolist()]


def _office_seconds(random: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Seconds of the day between 08:00 and 17:00, most of them before noon."""
    return (8 * 3600 + random.triangular(0, 8_000, 32_400, count)).astype(np.int64)


def _slice(table: Table, start: int, stop: int) -> Table:
    """The rows from `start` to before `stop`."""
    return Table(table.columns, tuple(cells[start:stop] for cells in table.cells))


def _join(tables: list[Table]) -> Table:
    """One table of the rows of all (which have the same columns)."""
    if len(tables) == 1:
        return tables[0]
    columns = zip(*(table.cells for table in tables), strict=True)
    return Table(tables[0].columns, tuple([cell for part in column for cell in part] for column in columns))
