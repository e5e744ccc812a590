"""A small map of tables, results made of it, and persons with ordinals: for whose rows a result brings.

`visible` is the other side of it: rows of known persons, from which a result is drawn column by column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from muniment.gate.attribution.catalogue import Attribute, Catalogue, RegisterShape, Relation
from muniment.gate.attribution.classify import Classed, SessionMemory, Tally
from muniment.gate.attribution.plan import ResultPlan, plan_result
from muniment.gate.attribution.text import Facts, facts
from muniment.gate.protocol.backend import Field

INT, TEXT, BIGINT, JSON = 23, 25, 20, 114
PERSON, VISIT, OFFICE, PAIRS, TEMPORARY, UNKNOWN, OPAQUE = 20_001, 20_002, 20_003, 20_004, 20_005, 20_999, 20_006
_PERSON = {
    1: Attribute("id", INT, "person", 1, 0), 2: Attribute("surname", TEXT, "person", 2),
    3: Attribute("phone", TEXT, "person", 3), 4: Attribute("added", TEXT, "person"),
    5: Attribute("district", TEXT, "person", 4, harmless=True),
}  # fmt: skip
_VISIT = {
    1: Attribute("who", INT, "visit", 1, 0), 2: Attribute("day", TEXT, "visit", 2, 1),
    3: Attribute("note", TEXT, "visit", 3),
}  # fmt: skip
_PAIRS = {
    1: Attribute("a_id", INT, "person", 1, 0, source=1), 2: Attribute("a_surname", TEXT, "person", 2, source=1),
    3: Attribute("b_id", INT, "person", 1, 0, source=2), 4: Attribute("b_surname", TEXT, "person", 2, source=2),
}  # fmt: skip
_OPAQUE = {1: Attribute("id", INT, "person", 1, 0), 2: Attribute("everything", TEXT, source=-2)}
CATALOGUE = Catalogue(
    version=1,
    relations={
        PERSON: Relation(PERSON, "public", "person", "r", True, False, _PERSON),
        VISIT: Relation(VISIT, "public", "visit", "r", True, False, _VISIT),
        OFFICE: Relation(OFFICE, "public", "office", "r", False, False),
        PAIRS: Relation(PAIRS, "public", "pairs", "v", True, False, _PAIRS),
        TEMPORARY: Relation(TEMPORARY, "pg_temp_3", "mine", "r", False, True),
        OPAQUE: Relation(OPAQUE, "public", "summary", "v", True, False, _OPAQUE),
    },
    registers={
        "person": RegisterShape("person", 1, ("id",), 8.0),
        "visit": RegisterShape("visit", 1, ("who", "day"), 10.0),
    },
    guarded_names=frozenset({"person", "visit", "pairs", "summary"}),
    scalar_functions=frozenset({"lower", "upper", "concat"}),
    user_operators=False,
)


def read(sql: str, **options: bool) -> Facts:
    """What the text proves."""
    return facts(sql, CATALOGUE, **{"conforming": True, "safe_encoding": True, **options})


def columns(*origins: tuple[int, int] | int, format: int = 0) -> list[Field]:
    """Columns by relation and attribute number; an expression is its type alone."""
    found = []
    for origin in origins:
        oid, number = origin if isinstance(origin, tuple) else (0, 0)
        relation = CATALOGUE.relations.get(oid)
        attribute = relation.attributes.get(number) if relation else None
        type_oid = origin if isinstance(origin, int) else attribute.type_oid if attribute else TEXT
        found.append(Field("column", oid, number, type_oid, format=format))
    return found


def plan(sql: str, *origins: tuple[int, int] | int, format: int = 0) -> ResultPlan:
    """The plan for a result of these columns."""
    return plan_result(columns(*origins, format=format), (format,) * len(origins), read(sql), CATALOGUE)


@dataclass
class Numbered:
    """Persons with an ordinal each, in the order in which they came."""

    known: dict[tuple[str, ...], int] = field(default_factory=dict)

    def ordinals(self, register: str, columns: Sequence[Sequence[str]]) -> NDArray[np.uint32]:
        keys = [(register, *key) for key in zip(*columns, strict=True)]
        return np.array([self.known.setdefault(key, len(self.known)) for key in keys], np.uint32)

    def names(self, ordinals: NDArray[np.uint32]) -> list[list[str]]:
        """The keys of persons, row by row; nobody is left out."""
        by_ordinal = {ordinal: "/".join(key) for key, ordinal in self.known.items()}
        return [[by_ordinal[one] for one in row if one in by_ordinal] for row in ordinals.tolist()]


@dataclass
class Reading:
    """One session's results, row by row."""

    persons: Numbered = field(default_factory=Numbered)
    memory: SessionMemory = field(default_factory=SessionMemory)

    def tally(self, plan: ResultPlan) -> Tally:
        return Tally(plan, self.persons, b"k" * 32, self.memory)

    def take(self, plan: ResultPlan, rows: Sequence[Sequence[bytes | None]], tally: Tally | None = None) -> Classed:
        """Whole rows of a result, as the scanner hands them over."""
        cells = [[row[at] for row in rows] for at in plan.fields]
        sizes = [7 + sum(4 + len(cell or b"") for cell in row) for row in rows]
        classed = (tally or self.tally(plan)).take(cells, sizes)
        assert classed.rows == len(rows) == sum(classed.classes.values()) == len(classed.anonymous)
        assert classed.ordinals.shape == (len(rows), plan.width)
        return classed

    def named(self, plan: ResultPlan, rows: Sequence[Sequence[bytes | None]]) -> tuple[list[list[str]], list[int]]:
        """Who is named in each row, and how many more it costs."""
        classed = self.take(plan, rows)
        return self.persons.names(classed.ordinals), classed.anonymous.tolist()
