"""Five registers as a live schema `office` holds them, generated so that every cell of a person is a secret.

persons: a plain table. vehicles: a composite key. matters: partitions, in two levels. residents: a table with a child
by inheritance, its key a uuid. pupils: names that need quotes. Beside them are views, functions and tables of nobody.
"""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from language.observer import token

PERSONS, VEHICLES, MATTERS, RESIDENTS, PUPILS = 600, 400, 300, 200, 90
DISTRICTS = ("north", "south", "east", "west")


@dataclass(frozen=True, slots=True)
class GuardedRegister:
    """A register: its live table, its key, its columns in the table's order, and its rows."""

    name: str
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def keys(self) -> dict[tuple[str, ...], int]:
        """A record's number by its key."""
        places = [self.columns.index(column) for column in self.key]
        return {tuple(str(row[place]) for place in places): number for number, row in enumerate(self.rows)}

    def write(self, path: Path) -> Path:
        """The register as a CSV, for a workspace."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows([["" if cell is None else cell for cell in row] for row in self.rows])
        return path


def person_key(number: int) -> int:
    """The key of a person."""
    return 1000 + 7 * number


def resident_key(number: int) -> str:
    """The key of a resident."""
    return str(uuid.UUID(int=0x5EED << 96 | number))


def _person(i: int) -> tuple[str | None, ...]:
    photo = "\\x" + token("B", i).encode().hex()
    extra = f'{{"email": "{token("E", i)}@example.test"}}'
    return (
        str(person_key(i)), token("S", i), token("G", i), f"19{50 + i % 50}-0{1 + i % 9}-1{i % 9}", token("A", i),
        token("T", i), str(i // 3), DISTRICTS[i % 4], "true" if i % 5 else "false", str(i % 17),
        token("N", i) if i % 6 else None, photo, extra, f"{{{token('L', i)},tag}}",
    )  # fmt: skip


PERSON_COLUMNS = (
    "id", "surname", "given", "born", "address", "tax", "household", "district", "active", "points", "notes", "photo",
    "extra", "tags",
)  # fmt: skip


def registers() -> dict[str, GuardedRegister]:
    """All five, by name."""
    vehicles = [
        (DISTRICTS[i % 4][:2].upper(), f"{i // 4:04d}", str(person_key(i)), token("W", i), token("M", i))
        for i in range(VEHICLES)
    ]
    matters = [
        (str(90_000_000_000 + i), DISTRICTS[i % 4], token("C", i), token("D", i), str(person_key(i)))
        for i in range(MATTERS)
    ]
    residents = [(resident_key(i), token("R", i), token("Q", i)) for i in range(RESIDENTS)]
    pupils = [(str(i + 1), token("P", i), f"{i % 6}b", token("K", i)) for i in range(PUPILS)]
    made = (
        GuardedRegister("persons", "office.person", ("id",), PERSON_COLUMNS, tuple(map(_person, range(PERSONS)))),
        GuardedRegister(
            "vehicles", "office.vehicle", ("state", "plate"), ("state", "plate", "owner", "holder", "model"),
            tuple(vehicles),
        ),
        GuardedRegister(
            "matters", "office.matter", ("number",), ("number", "district", "subject", "detail", "person"),
            tuple(matters),
        ),
        GuardedRegister("residents", "office.resident", ("code",), ("code", "name", "street"), tuple(residents)),
        GuardedRegister(
            "pupils", 'office."Pupil List"', ("Pupil No",), ("Pupil No", "Full Name", "class", "guardian"),
            tuple(pupils),
        ),
    )  # fmt: skip
    return {register.name: register for register in made}


TABLES = """
ALTER DATABASE office SET statement_timeout = '3s';
CREATE SCHEMA office; CREATE SCHEMA scratch;
CREATE TABLE office.person (
    id integer PRIMARY KEY, surname text NOT NULL, given text, born date, address text, tax text, household integer,
    district text, active boolean, points integer, notes text, photo bytea, extra jsonb, tags text[]);
CREATE INDEX ON office.person (surname); CREATE INDEX ON office.person (household);
CREATE TABLE office.vehicle (
    state text, plate text, owner integer, holder text, model text, PRIMARY KEY (state, plate));
CREATE TABLE office.matter (number bigint, district text, subject text, detail text, person integer)
    PARTITION BY LIST (district);
CREATE TABLE office.matter_north PARTITION OF office.matter FOR VALUES IN ('north');
CREATE TABLE office.matter_south PARTITION OF office.matter FOR VALUES IN ('south') PARTITION BY RANGE (number);
CREATE TABLE office.matter_south_1 PARTITION OF office.matter_south FOR VALUES FROM (0) TO (90000000150);
CREATE TABLE office.matter_south_2 PARTITION OF office.matter_south FOR VALUES FROM (90000000150) TO (MAXVALUE);
CREATE TABLE office.matter_rest (person integer, detail text, number bigint, district text, subject text);
ALTER TABLE office.matter ATTACH PARTITION office.matter_rest DEFAULT;
CREATE TABLE office.resident (code uuid PRIMARY KEY, name text, street text);
CREATE TABLE office.resident_abroad (country text) INHERITS (office.resident);
CREATE TABLE office."Pupil List" ("Pupil No" integer PRIMARY KEY, "Full Name" text, class text, guardian text);
CREATE TABLE office.district (code text PRIMARY KEY, title text, fee numeric);
CREATE TABLE office.visit (person integer, day date, room integer);
CREATE TABLE office.settings (name text PRIMARY KEY, value text);
"""

OBJECTS = """
INSERT INTO office.district VALUES ('north','North End',1.5),('south','South End',2),('east','East End',2.5),
    ('west','West End',3);
INSERT INTO office.visit SELECT 1000 + 7 * i, DATE '2026-01-01' + i % 30, i % 9 FROM generate_series(0, 199) i;
INSERT INTO office.settings VALUES ('opening', '08:30'), ('closing', '17:00');
CREATE VIEW office.v_person AS SELECT id, surname, address, district FROM office.person;
CREATE VIEW office.v_renamed AS SELECT p.id AS file_number, p.surname AS family_name, p.given AS first_name
    FROM office.person p WHERE p.active;
CREATE VIEW office.v_nested AS SELECT id, surname FROM office.v_person WHERE district = 'north';
CREATE VIEW office.v_nokey AS SELECT surname, address FROM office.person;
CREATE VIEW office.v_holder AS SELECT p.id, p.surname, v.state, v.plate, v.model
    FROM office.person p JOIN office.vehicle v ON v.owner = p.id;
CREATE VIEW office.v_couple AS SELECT a.id, b.surname, b.address FROM office.person a
    JOIN office.person b ON a.household = b.household AND a.id <> b.id;
CREATE VIEW office.v_district AS SELECT district, count(*) AS people, string_agg(surname, ',') AS names
    FROM office.person GROUP BY district;
CREATE VIEW office.v_full AS SELECT id, given || ' ' || surname AS full_name FROM office.person;
CREATE VIEW office.v_union AS SELECT id, surname FROM office.person WHERE district = 'north'
    UNION ALL SELECT id, surname FROM office.person WHERE district = 'south';
CREATE VIEW office.v_lateral AS SELECT p.id, o.surname FROM office.person p
    CROSS JOIN LATERAL (SELECT q.surname FROM office.person q WHERE q.id > p.id LIMIT 3) o;
CREATE VIEW office.v_fees AS SELECT code, fee FROM office.district;
CREATE VIEW office.v_barrier WITH (security_barrier) AS SELECT id, surname FROM office.person WHERE points < 9;
CREATE MATERIALIZED VIEW office.m_person AS SELECT id, surname, address FROM office.person WHERE district = 'east';
CREATE FUNCTION office.surname_of(integer) RETURNS text LANGUAGE sql STABLE
    AS 'SELECT surname FROM office.person WHERE id = $1';
CREATE FUNCTION office.everybody() RETURNS SETOF office.person LANGUAGE sql STABLE AS 'SELECT * FROM office.person';
CREATE FUNCTION office.of_household(integer) RETURNS TABLE (id integer, surname text) LANGUAGE sql STABLE
    AS 'SELECT id, surname FROM office.person WHERE household = $1';
CREATE FUNCTION office.names_definer(integer) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
    AS $$BEGIN RETURN QUERY SELECT surname FROM office.person ORDER BY id LIMIT $1; END$$;
CREATE FUNCTION office.all_names() RETURNS text LANGUAGE sql STABLE
    AS $$SELECT string_agg(surname, ' ') FROM office.person$$;
CREATE FUNCTION office.loud(integer) RETURNS integer LANGUAGE plpgsql
    AS $$DECLARE r record; BEGIN FOR r IN SELECT surname FROM office.person ORDER BY id LIMIT $1 LOOP
    RAISE NOTICE '%', r.surname; END LOOP; RETURN $1; END$$;
CREATE FUNCTION office.broken(integer) RETURNS integer LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'no: %', (SELECT string_agg(surname, ' ') FROM office.person WHERE id < $1)
    USING DETAIL = (SELECT max(address) FROM office.person), HINT = (SELECT min(tax) FROM office.person),
    ERRCODE = 'P0099'; END$$;
CREATE FUNCTION office.fee_of(text) RETURNS numeric LANGUAGE sql STABLE
    AS 'SELECT fee FROM office.district WHERE code = $1';
CREATE PROCEDURE office.tell(INOUT what text, until integer) LANGUAGE plpgsql
    AS $$BEGIN SELECT string_agg(surname, ' ') INTO what FROM office.person WHERE id < until; END$$;
CREATE FUNCTION office.cursor_of(integer) RETURNS refcursor LANGUAGE plpgsql
    AS $$DECLARE c refcursor := 'given'; BEGIN OPEN c FOR SELECT id, surname FROM office.person ORDER BY id LIMIT $1;
    RETURN c; END$$;
CREATE ROLE clerks; CREATE ROLE insiders; CREATE ROLE exporters;
GRANT USAGE ON SCHEMA office, scratch TO clerks, insiders, exporters;
GRANT CREATE ON SCHEMA scratch TO clerks;
GRANT CREATE ON SCHEMA office, scratch TO insiders;
GRANT CREATE, TEMPORARY ON DATABASE office TO insiders, clerks;
GRANT SELECT ON ALL TABLES IN SCHEMA office TO clerks, insiders, exporters;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA office TO clerks, insiders;
GRANT pg_read_all_stats TO insiders;
"""
DATABASE = "office"


def create(url: str) -> None:
    """Make the schema in a new, empty database, and fill the tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statements in (TABLES,):
            connection.execute(statements)  # type: ignore[call-overload]
        for register in registers().values():
            _fill(connection, register)
        # A few residents live in the child table.
        connection.execute(
            "WITH moved AS (DELETE FROM ONLY office.resident WHERE ctid IN (SELECT ctid FROM ONLY office.resident"
            " ORDER BY code DESC LIMIT 40) RETURNING *) INSERT INTO office.resident_abroad SELECT *, 'TW' FROM moved"
        )
        connection.execute(OBJECTS)  # type: ignore[call-overload]
        connection.execute("ANALYZE")


def _fill(connection: psycopg.Connection[tuple[object, ...]], register: GuardedRegister) -> None:
    names = ", ".join(f'"{column}"' for column in register.columns)
    with connection.cursor().copy(f"COPY {register.table} ({names}) FROM STDIN") as copy:  # type: ignore[call-overload]
        for row in register.rows:
            copy.write_row(row)


def shown(register: GuardedRegister) -> Mapping[int, str]:
    """A record's key in text by its number."""
    return {number: " ".join(key) for key, number in register.keys().items()}


def tables() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name, live table and key of each register."""
    for register in registers().values():
        yield register.name, register.table, register.key
