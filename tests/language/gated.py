"""An office whose register also lies in a real PostgreSQL, and a gate.toml for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from language.offices import COLUMNS, Office

SCHEMA, TABLE = "gated", "persons"


@dataclass
class Gated:
    """The office and its table. `conninfo` is that of the server's superuser."""

    office: Office
    url: str

    @property
    def location(self) -> str:
        """The table as a source."""
        return f"{self.url}/{SCHEMA}.{TABLE}"

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement as the superuser."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def settings(self, text: str = "") -> None:
        """gate.toml with the least that it needs, and `text` behind it."""
        parts = urlsplit(self.url)
        (self.office.folder / "office" / "gate.toml").write_text(
            f"""\
[gate]
upstream_host = "{parts.hostname}"
upstream_port = {parts.port}
upstream_tls = "off"
control = "host={parts.hostname} port={parts.port} user=postgres dbname=postgres"
[registers.persons]
table = "{SCHEMA}.{TABLE}"
{text}""",
            encoding="utf-8",
        )


@contextmanager
def gated(office: Office, url: str) -> Iterator[Gated]:
    """The register of an office as a table; the schema, and `muniment`, are gone at the end."""
    made = Gated(office, url)
    names = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in COLUMNS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}")
        connection.execute(sql.SQL("create table gated.persons ({}, primary key (person_id))").format(names))
        with connection.cursor() as cursor, cursor.copy("copy gated.persons from stdin") as copy:
            for row in office.persons.iter_rows():
                copy.write_row(row)
        connection.execute("analyze gated.persons")
    try:
        yield made
    finally:
        made.ask(f"drop schema if exists {SCHEMA} cascade; drop schema if exists muniment cascade")
