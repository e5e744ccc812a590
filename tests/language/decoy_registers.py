"""Registers to draw decoys from: the demo register with its households, and a plain one without any."""

from __future__ import annotations

import random
from functools import lru_cache

from muniment.demo import numbers, people
from muniment.disclosure import Column, Kind, Register
from muniment.marks.decoys import draw_decoys, like_records
from muniment.marks.decoys.habits import Habits, learn
from muniment.table import Table

PERSONS = 8_000
SEED = 7
DEMO = people.describe()
KEY = b"decoy key of the tests".ljust(32, b".")


@lru_cache(maxsize=1)
def demo_table() -> Table:
    """The demo register."""
    return people.register(PERSONS, SEED)


@lru_cache(maxsize=1)
def demo_habits() -> Habits:
    """What is learned from the demo register."""
    return learn(demo_table(), DEMO)


@lru_cache(maxsize=8)
def demo_decoys(count: int = 400, key: bytes = KEY) -> Table:
    """Decoys of the demo register."""
    table = demo_table()
    reserved = numbers.reserve_ids(2 * count, seed=SEED, key=key)
    return draw_decoys(
        table, DEMO, count, key=key, reserved=reserved, exists=lambda drawn: like_records(drawn, DEMO, [table])
    )


PLAIN_KINDS = {
    "card": Kind.CODE,
    "given": Kind.NAME,
    "surname": Kind.NAME,
    "born": Kind.DATE,
    "street": Kind.ADDRESS,
    "town": Kind.PLACE,
    "post": Kind.CODE,
    "fee": Kind.NUMBER,
}
PLAIN = Register(
    "plain",
    "test",
    ("card",),
    tuple(Column(name, kind, at) for at, (name, kind) in enumerate(PLAIN_KINDS.items(), 1)),
    10,
)


@lru_cache(maxsize=1)
def plain_table(rows: int = 1_500) -> Table:
    """A register of single persons in the western manner: no household code, dates without separators."""
    chance = random.Random(5)
    named = [f"{head}{tail}" for head in ("Win", "Ash", "Oak", "Mill") for tail in ("ford", "ton", "by")]
    towns = [(town, str(2000 + 7 * at)) for at, town in enumerate(named)]
    names = {
        "given": "Ann Bob Cat Dan Eve Fay Gus Hal Ida Jon Kim Leo".split(),
        "surname": "Ames Bird Cole Dale Eden Ford Gale Hunt Ives Judd Kerr Lamb Moss Nash Orme".split(),
    }
    out = []
    for at in range(rows):
        town, post = chance.choice(towns)
        road = f"{chance.choice(names['surname'])} {chance.choice(('street', 'road', 'lane'))}"
        street = f"{chance.randint(1, 900)} {road}"
        born = f"{chance.randint(1930, 2005)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
        given, surname = chance.choice(names["given"]), chance.choice(names["surname"])
        out.append(
            (f"C{at * 7919 % 100_003:06}", given, surname, born, street, town, post, f"{chance.gauss(40, 9):.2f}")
        )
    return Table.from_rows(tuple(PLAIN_KINDS), out)
