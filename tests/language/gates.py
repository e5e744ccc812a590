"""tmp"""
from __future__ import annotations
import contextlib
from collections.abc import Iterator
from language.tls_server import tls_server

@contextlib.contextmanager
def foreign_bed(user: str, password: str, *, gate: bool) -> Iterator[tuple[int, int]]:
    """A server with two databases alike, `direct` and `through`, and a gate before the second: their ports."""
    with tls_server(settings=("max_prepared_transactions=10",)) as server:
        server.sql(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'")
        for database in ("direct", "through"):
            server.sql(f"CREATE DATABASE {database}")
            server.sql("CREATE SCHEMA test_schema", "CREATE SCHEMA test_schema_2",
                       "CREATE EXTENSION IF NOT EXISTS hstore", "CREATE EXTENSION IF NOT EXISTS citext", database=database)
        yield server.port, 0
