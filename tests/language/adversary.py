"""Somebody who wants more persons than he is charged for: statements at random, made of whatever might confuse a gate.

`statements` are drawn from a small grammar of true SQL: several sources under aliases, views, subqueries, functions,
columns of one row beside the key of another, whole rows, sets, aggregates; asked by Query, extended protocol in text and
binary, cursors, portals that drip, COPY and prepared statements. Most of them run on PostgreSQL; that some do not is
part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from language.guarded_registers import PERSONS, person_key
from language.observer import Messages, bind, execute, extended, parse, sync

PERSON = ("id", "surname", "given", "address", "tax", "notes", "points", "household", "district")
SOURCES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("office.person", PERSON), ("office.person", PERSON), ("office.person", PERSON), ("ONLY office.person", PERSON),
    ('"office"."person"', PERSON), ("office.v_person", ("id", "surname", "address", "district")),
    ("office.v_couple", ("id", "surname", "address")), ("office.v_nokey", ("surname", "address")),
    ("office.v_holder", ("id", "surname", "state", "plate", "model")), ("office.v_full", ("id", "full_name")),
    ("office.v_lateral", ("id", "surname")), ("office.v_union", ("id", "surname")),
    ("office.v_nested", ("id", "surname")), ("office.m_person", ("id", "surname", "address")),
    ("office.v_district", ("district", "people", "names")),
    ("office.vehicle", ("state", "plate", "holder", "model", "owner")),
    ("office.matter", ("number", "subject", "detail", "person")), ("office.matter_north", ("number", "subject", "detail")),
    ("office.matter_rest", ("number", "subject", "detail")), ("office.resident", ("code", "name", "street")),
    ("office.resident_abroad", ("code", "name", "country")), ("office.district", ("code", "title")),
    ("office.visit", ("person", "day", "room")), ("office.of_household(3)", ("id", "surname")),
    ("office.everybody()", PERSON), ("(TABLE office.person)", PERSON), ("generate_series(1, 3)", ()),
    ("(SELECT id, lead(surname) OVER (ORDER BY id) AS surname FROM office.person)", ("id", "surname")),
    ("(SELECT p.id, q.surname, q.tax FROM office.person p JOIN office.person q ON q.id = p.id + 7)", ("id", "surname", "tax")),
    ("(SELECT id AS surname, surname AS id FROM office.person)", ("id", "surname")),
    ("(SELECT min(id) AS id, string_agg(surname, ' ') AS surname FROM office.person GROUP BY household)", ("id", "surname")),
)  # fmt: skip
WRAPPED = (
    "{0}", "{0}", "{0}", "{0}", "upper({0}::text)", "{0}::text || ''", "coalesce({0}::text, 'x')", "md5({0}::text)",
    "CASE WHEN true THEN {0} END", "encode({0}::text::bytea, 'hex')", "reverse({0}::text)", "ARRAY[{0}::text]",
    "substring({0}::text FROM 1 FOR 14)", "to_json({0})", "quote_literal({0}::text)", "nullif({0}, {0})",
    "max({0}::text) OVER ()", "lag({0}) OVER ()", "first_value({0}) OVER ()", "format('%s', {0})",
)  # fmt: skip
SUBQUERIES = (
    "(SELECT string_agg(surname, ' ') FROM office.person WHERE points = {n})",
    "(SELECT surname FROM office.person WHERE id = {k})",
    "(SELECT json_agg(p) FROM office.person p WHERE points = {n})",
    "ARRAY(SELECT address FROM office.person WHERE household = {n})",
    "office.surname_of({k})",
    "(SELECT max(tax) FROM office.person WHERE id < {k})",
    "EXISTS (SELECT 1 FROM office.person WHERE id = {k})",
)


@dataclass(frozen=True, slots=True)
class Adversary:
    """A source of statements. The same `chance` gives the same statements."""

    chance: Random

    def steps(self) -> list[str | Messages]:
        """One statement and all that is needed to ask it."""
        sql = self.select()
        return list(self.chance.choice(ASKING)(sql, self.chance))

    def select(self) -> str:
        """A SELECT."""
        chance = self.chance
        body = self.simple()
        kind = chance.random()
        if kind < 0.08:
            return f"({body}) UNION ALL ({body})"
        if kind < 0.16:
            return f"SELECT * FROM ({body}) x"
        if kind < 0.22:
            return f"WITH w AS ({body}) SELECT * FROM w"
        if kind < 0.28:
            return f"WITH w AS (SELECT * FROM office.person) SELECT a.id, b.surname, b.address FROM w a, w b WHERE a.id = {self.key()}"
        if kind < 0.32:
            return f"SELECT row_to_json(x) FROM ({body}) x"
        return body

    def simple(self) -> str:
        """A SELECT over one to three sources."""
        chance = self.chance
        sources = [(alias, *chance.choice(SOURCES)) for alias in "abc"[: chance.choice((1, 1, 1, 2, 2, 2, 3))]]
        named = ", ".join(f"{source} {alias}" for alias, source, _ in sources)
        columns = [f"{alias}.{column}" for alias, _, names in sources for column in names] or ["1"]
        items = [self.item(columns, [alias for alias, _, _ in sources]) for _ in range(chance.randint(1, 4))]
        keys = [column for column in columns if column.rpartition(".")[2] in ("id", "code", "number")]
        if keys and chance.random() < 0.5:
            items.insert(0, chance.choice(keys))
        where = " AND ".join(self.conditions(columns, keys))
        distinct = "DISTINCT " if chance.random() < 0.05 else ""
        return f"SELECT {distinct}{', '.join(items)} FROM {named} WHERE {where} LIMIT {chance.choice((1, 5, 30, 200))}"

    def item(self, columns: list[str], aliases: list[str]) -> str:
        chance = self.chance
        kind = chance.random()
        if kind < 0.08:
            return chance.choice(aliases)
        if kind < 0.16:
            return chance.choice(SUBQUERIES).format(n=chance.randint(0, 16), k=self.key())
        return chance.choice(WRAPPED).format(chance.choice(columns))

    def conditions(self, columns: list[str], keys: list[str]) -> Iterator[str]:
        chance = self.chance
        yield "true"
        ids = [key for key in keys if key.endswith(".id")]
        if ids and chance.random() < 0.6:
            pin = f"{chance.choice(ids)} = {self.key()}"
            yield chance.choice((pin, pin, pin, f"({pin} OR true)", f"NOT ({pin})", f"({pin}) IS NOT FALSE"))
        if len(ids) > 1 and chance.random() < 0.5:
            yield f"{ids[0]} = {ids[1]}{chance.choice((' + 7', '', ' - 14'))}"

    def key(self) -> int:
        """The key of some person, most often one of the first: the case-load."""
        return person_key(self.chance.randrange(12) if self.chance.random() < 0.5 else self.chance.randrange(PERSONS))


def _cursor(sql: str, chance: Random) -> Iterator[str | Messages]:
    yield from ("BEGIN", f"DECLARE c CURSOR FOR {sql}", f"FETCH {chance.choice((3, 50))} FROM c", "FETCH ALL FROM c", "COMMIT")


def _drip(sql: str, chance: Random) -> Iterator[str | Messages]:
    yield "BEGIN"
    yield parse(sql) + bind(portal="p", formats=(chance.choice((0, 1)),)) + sync()
    yield from (execute(chance.choice((1, 4)), "p") + sync() for _ in range(4))
    yield "ROLLBACK"


def _described_before(sql: str, chance: Random) -> Iterator[str | Messages]:
    yield parse("SELECT id, surname FROM office.person LIMIT 1", "s") + sync()
    yield parse(sql, "t") + sync()
    yield bind(name="s") + bind(name="t", portal="q", formats=(chance.choice((0, 1)),)) + execute(0, "q") + execute() + sync()


ASKING = (
    lambda sql, _: iter((sql,)),
    lambda sql, _: iter((sql,)),
    lambda sql, _: iter((extended(sql),)),
    lambda sql, _: iter((extended(sql, binary=True),)),
    lambda sql, _: iter((f"COPY ({sql}) TO STDOUT",)),
    lambda sql, _: iter((f"COPY ({sql}) TO STDOUT (FORMAT csv)",)),
    lambda sql, _: iter(("DEALLOCATE ALL", f"PREPARE p AS {sql}", "EXECUTE p")),
    lambda sql, _: iter((f"SELECT 1; {sql}; SELECT 2",)),
    lambda sql, _: iter((f"EXPLAIN ANALYZE VERBOSE {sql}",)),
    _cursor,
    _drip,
    _described_before,
)
