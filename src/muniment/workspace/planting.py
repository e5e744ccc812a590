"""Decoys in the live table: planted with the owner's consent in one transaction, and taken out again.

Rules
1. Which rows are decoys stands nowhere in PostgreSQL but in `muniment.decoys`, which its owner alone may read. The view
   `TABLE_without_decoys` leaves them out by that table: nobody reads them off its definition. Whoever may read both the
   table and the view can tell them apart, so the view is granted to nobody here.
2. Nothing is planted that has expired, or that resembles a record of today in the very table.
3. The journal knows of it before PostgreSQL does: a crash leaves decoys on record that are not there, never the
   reverse. Planting again and taking out again are safe.
4. Taken out is what is as it was planted. A row that was changed meanwhile may have become somebody: it stays, and is
   counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from muniment.errors import InputError, UnreachableError
from muniment.marks.decoys import recheck
from muniment.prf import hkdf
from muniment.table import Table
from muniment.workspace.decoying import all_decoys, plans
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

    from muniment.gate.policy.decoys import Decoys

PLANTED, UPROOTED = "decoys-planted", "decoys-uprooted"
"""Kinds of journal entries: register, table, how many, and until when. No key stands in them."""
SUFFIX: Final = "_without_decoys"
NAME_BYTES: Final = 63
"""Bytes of a name in PostgreSQL; the rest would be cut off."""
_HOME: Final = """
create schema if not exists muniment;
create table if not exists muniment.decoys (relation text not null, key text[] not null, primary key (relation, key));
revoke all on schema muniment from public; revoke all on muniment.decoys from public
"""


@dataclass(frozen=True, slots=True)
class PlantResult:
    """What was planted or taken out: rows, rows left as they are (see rule 4), the table and its exclusion view."""

    register: str
    table: str
    view: str
    decoys: int
    left: int
    expires: str

    def to_json(self) -> dict[str, object]:
        """The JSON of `muniment decoys plant --json` and `decoys unplant --json`."""
        return {name: getattr(self, name) for name in self.__slots__}


def plant(parts: Parts, name: str, location: str) -> PlantResult:
    """Write the decoys of the newest plan into the live table at `location`, and make its exclusion view.

    Raises:
        InputError: no plan, or it has expired; a column is missing; PostgreSQL takes a row not.
        UnreachableError: PostgreSQL cannot be reached; nothing was written.
    """
    from muniment.ingest.postgres import PostgresSource

    register = parts.register(name)
    found = plans(parts, register)
    if not found:
        raise InputError(f"register {name!r} has no decoys", hint=f"muniment decoys plan {name} --help")
    plan = found[-1]
    if plan.expires < parts.clock().date():
        hint = f"muniment decoys plan {name} --help"
        raise InputError(f"the decoys of {name!r} expired on {plan.expires}", hint=hint)
    columns = plan.decoys.columns
    source = PostgresSource(location)
    like = set(recheck(plan.decoys, register, source.batches(columns)))
    table = plan.decoys.take([row for row in range(plan.decoys.rows) if row not in like])
    with _Live.opened(location) as live:
        live.prepare(register.key)
        planted = live.insert(table, register.key)
        body = {
            "register": name, "table": live.name, "decoys": planted, "expires": plan.expires.isoformat(),
            "owner": plan.consent.owner,
        }  # fmt: skip
        parts.journal.append(PLANTED, body, parts.clock())  # rule 3: before the commit
    return PlantResult(name, live.name, live.view, planted, len(like), plan.expires.isoformat())


def unplant(parts: Parts, name: str, location: str) -> PlantResult:
    """Take every decoy of a register out of the live table, and its exclusion view away.

    Errors as `plant`; a decoy that other rows refer to keeps all of them in.
    """
    register = parts.register(name)
    table = all_decoys(parts, register)
    if table is None:
        raise InputError(f"register {name!r} has no decoys", hint=f"muniment decoys plan {name} --help")
    with _Live.opened(location) as live:
        removed, left = live.delete(table, register.key)
        parts.journal.append(UPROOTED, {"register": name, "table": live.name, "decoys": removed}, parts.clock())
    return PlantResult(name, live.name, live.view, removed, left, "")


def planted(parts: Parts) -> tuple[str, ...]:
    """Registers with decoys in a live table, by the journal."""
    tables: dict[str, set[str]] = {}
    for entry in parts.journal.entries():
        body: Any = entry.body
        if entry.kind == PLANTED:
            tables.setdefault(body["register"], set()).add(body["table"])
        elif entry.kind == UPROOTED:
            tables.get(body["register"], set()).discard(body["table"])
    return tuple(name for name, some in tables.items() if some)


def watched_decoys(parts: Parts, name: str) -> Decoys:
    """The decoys of a register as the gate watches them; ordinals as far as the ledger has given them any."""
    from muniment.disclosure import canonical_keys
    from muniment.gate.policy.decoys import Decoys
    from muniment.workspace.ordinals import known_ordinals

    register = parts.register(name)
    keys = [key for plan in plans(parts, register) for key in plan.exclusion()]
    canonical = canonical_keys([list(part) for part in zip(*keys, strict=True)]) if keys else []
    secret = hkdf(parts.ring.current("pseudonym").secret, "muniment gate decoys 1", name)
    return Decoys.of(name, keys, secret, known_ordinals(parts, register, canonical).tolist() if keys else ())


class _Live:
    """One table in PostgreSQL, in one transaction."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str, table: str) -> None:
        from psycopg import sql

        self._connection = connection
        self.name = f"{schema}.{table}"
        self.view = f"{schema}.{table}{SUFFIX}"
        self._table, self._view = sql.Identifier(schema, table), sql.Identifier(schema, table + SUFFIX)

    @classmethod
    @contextmanager
    def opened(cls, location: str) -> Iterator[_Live]:
        """The table, committed at the end of the block."""
        import psycopg

        from muniment.ingest.postgres import split_location

        conninfo, schema, table = split_location(location)
        try:
            with psycopg.connect(conninfo, connect_timeout=10, application_name="muniment decoys") as connection:
                wanted = psycopg.sql.Identifier(schema, table) if schema else psycopg.sql.Identifier(table)
                found = connection.execute(
                    "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                    " where c.oid = to_regclass(%s) and c.relkind in ('r', 'p')",
                    (wanted.as_string(connection),),
                ).fetchone()
                if found is None:
                    raise InputError(f"{location}: no table {table!r}; decoys lie in a table, not in a view")
                if len(f"{found[1]}{SUFFIX}".encode()) > NAME_BYTES:
                    raise InputError(f"{location}: the name of the table leaves no room for {SUFFIX!r} behind it")
                yield cls(connection, *found)
        except psycopg.OperationalError as error:
            raise UnreachableError(f"{location}: {str(error).strip().splitlines()[0]}") from error
        except psycopg.Error as error:
            # Its text may quote a cell; the SQLSTATE and the names do not.
            where = error.diag.constraint_name or error.diag.column_name or "no constraint or column is named"
            raise InputError(
                f"{location}: PostgreSQL refused it (SQLSTATE {error.sqlstate}; {where}); nothing was changed",
                hint="the role must own the table, and every column without a default must be one of the register",
            ) from None

    def prepare(self, key: Sequence[str]) -> None:
        """The private list of keys, and the view that leaves them out (rule 1)."""
        from psycopg import sql

        self._connection.execute(_HOME)
        self._connection.execute(
            sql.SQL(
                "create or replace view {} with (security_barrier) as select t.* from {} t where not exists"
                " (select from muniment.decoys d where d.relation = {} and d.key = array[{}])"
            ).format(
                self._view, self._table, sql.Literal(self.name),
                sql.SQL(", ").join(sql.SQL("t.{}::text").format(sql.Identifier(part)) for part in key),
            )
        )  # fmt: skip

    def insert(self, table: Table, key: Sequence[str]) -> int:
        """Put in what is not in yet; returns how many rows."""
        from psycopg import sql

        there = self._keys()
        keys = list(table.select(key).iter_rows())
        new = [row for row in range(table.rows) if tuple(map(str, keys[row])) not in there]
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            self._table,
            sql.SQL(", ").join(map(sql.Identifier, table.columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(table.columns)),
        )
        noted = sql.SQL("insert into muniment.decoys values (%s, %s) on conflict do nothing")
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, list(table.take(new).iter_rows()))
            cursor.executemany(noted, [(self.name, list(keys[row])) for row in new])
        return len(new)

    def _keys(self) -> set[tuple[str, ...]]:
        """The keys that the private list has for this table."""
        rows = self._connection.execute("select key from muniment.decoys where relation = %s", (self.name,)).fetchall()
        return {tuple(found) for (found,) in rows}

    def delete(self, table: Table, key: Sequence[str]) -> tuple[int, int]:
        """Take out the rows that are as they were planted; returns how many, and how many were changed and stay."""
        from psycopg import sql

        removed = left = 0
        kept = sql.SQL("select count(*) from {} where {}").format(self._table, _same(key))
        gone = sql.SQL("delete from {} where {}").format(self._table, _same(table.columns))
        with self._connection.cursor() as cursor:
            for row, parts in zip(table.iter_rows(), table.select(key).iter_rows(), strict=True):
                removed += cursor.execute(gone, row).rowcount
                left += (cursor.execute(kept, parts).fetchone() or (0,))[0]
            cursor.execute(sql.SQL("drop view if exists {}").format(self._view))
            if cursor.execute("select to_regclass('muniment.decoys') is not null").fetchone() == (True,):
                cursor.execute("delete from muniment.decoys where relation = %s", (self.name,))
        return removed, left


def _same(columns: Sequence[str]) -> sql.Composable:
    from psycopg import sql

    one = sql.SQL("{}::text is not distinct from {}::text")
    return sql.SQL(" and ").join(one.format(sql.Identifier(name), sql.Placeholder()) for name in columns)
