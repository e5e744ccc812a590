"""Questions to PostgreSQL that checks ask, each over a connection of its own."""

from __future__ import annotations

from typing import Any, Final

from muniment.errors import UnreachableError

CONNECT_SECONDS: Final = 5


def asked(conninfo: str, password: str | None, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of one read-only query.

    `UnreachableError` where PostgreSQL cannot be asked, or does not let this role ask that; its own words are kept.
    """
    import psycopg

    secret: dict[str, Any] = {"password": password} if password is not None else {}
    try:
        with psycopg.connect(
            conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="muniment check",
            options="-c default_transaction_read_only=on -c statement_timeout=30000 -c search_path=pg_catalog",
            **secret,
        ) as connection:  # fmt: skip
            return connection.execute(query, values or None).fetchall()
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error).strip().split("\n", 1)[0]
        raise UnreachableError(f"PostgreSQL by the control connection: {reason}", hint="muniment gate check") from error
