"""The control connection: the map of tables and views, and the secrets of accounts, read on the gate's own account.

Rules
1. Guarded is every relation through which a register's rows can be read: its table, partitions, children and parents,
   and every view and materialised view over one of these, however deep.
2. The columns of a view are what PostgreSQL itself says they show (`attribution.viewtree`); what it does not say is an
   expression.
3. The bytes by which nameless results are charged are those of the narrowest column that tells persons apart, so that a
   list of one column is not counted for less than it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import psycopg

from muniment.errors import InputError, UnreachableError
from muniment.gate.attribution.catalogue import Attribute, Catalogue, RegisterShape, Relation
from muniment.gate.attribution.text import NO_CALL
from muniment.gate.attribution.viewtree import ViewColumn, view_columns
from muniment.gate.session.events import VerifierFound

CONNECT_SECONDS: Final = 10
STATEMENT_MS: Final = 30_000
LEAST_BYTES: Final = 4.0
"""Bytes for which one person is counted at least, where PostgreSQL has no statistics or a column is very narrow."""
UNKNOWN_BYTES: Final = 8.0
"""The same for a table that was never analysed."""
STABLE: Final = (
    "now age timezone date_trunc date_part extract to_char to_date to_timestamp concat concat_ws format row_to_json "
    "to_json to_jsonb json_build_object jsonb_build_object json_build_array jsonb_build_array array_to_string "
    "array_to_json date timestamptz transaction_timestamp statement_timestamp"
).split()
"""Functions that depend on settings such as the time zone, and on nothing stored."""

PASSING: Final = (
    "random random_normal clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 nextval currval lastval pg_sleep "
    "pg_sleep_for pg_sleep_until pg_current_xact_id txid_current pg_is_in_recovery"
).split()
"""Built-in functions that are volatile, and leave nothing behind that an argument could be read from."""
LOUD: Final = (
    "set_config ts_stat ts_rewrite loread lowrite pg_notify pg_reload_conf pg_stat_file pg_terminate_backend "
    "pg_cancel_backend pg_promote pg_switch_wal pg_start_backup pg_backup_start pg_file_write pg_export_snapshot "
    "currtid2 has_table_privilege binary_upgrade_set_next_pg_type_oid pg_prepared_statement pg_cursor"
).split()
"""Built-in functions that run SQL, change settings, or act on the server."""

_RELATIONS: Final = """
select c.oid::int8, n.nspname, c.relname, c.relkind::text, c.relpersistence = 't'
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.oid >= 16384 and n.nspname !~ '^pg_toast'
"""
_FAMILY: Final = """
with recursive up(oid) as (
  select unnest(%(tables)s::oid[]) union select i.inhparent from pg_inherits i join up on i.inhrelid = up.oid
), down(oid) as (
  select oid from up union select i.inhrelid from pg_inherits i join down on i.inhparent = down.oid
)
select oid::int8 from down
"""
_VIEWS: Final = """
with recursive seen(oid) as (
  select unnest(%(tables)s::oid[])
  union
  select r.ev_class from pg_depend d join pg_rewrite r on r.oid = d.objid join seen s on d.refobjid = s.oid
  where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and r.ev_class <> s.oid
)
select r.ev_class::int8, r.ev_action::text from pg_rewrite r join seen on seen.oid = r.ev_class
where r.rulename = '_RETURN' and r.ev_type = '1'
"""
_ATTRIBUTES: Final = """
select a.attrelid::int8, a.attnum::int, a.attname, a.atttypid::int8, coalesce(k.collisdeterministic, true)
from pg_attribute a left join pg_collation k on k.oid = a.attcollation
where a.attrelid = any(%(oids)s::oid[]) and a.attnum > 0 and not a.attisdropped
"""
_WIDTHS: Final = """
select min(greatest(s.avg_width, 1))::float8
from pg_stats s join pg_class c on c.relname = s.tablename
join pg_namespace n on n.oid = c.relnamespace and n.nspname = s.schemaname
where c.oid = any(%(oids)s::oid[]) and (s.n_distinct < -0.1 or s.n_distinct > 1000)
"""
_SCALAR: Final = """
select p.proname from pg_proc p join pg_language l on l.oid = p.prolang
group by p.proname
having bool_and(
  p.oid < 16384 and p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and not p.proretset
  and l.lanname in ('internal', 'sql', 'c') and (p.provolatile = 'i' or p.proname = any(%(stable)s))
)
"""
_QUIET: Final = """
select p.proname from pg_proc p join pg_language l on l.oid = p.prolang
group by p.proname
having bool_and(
  p.oid < 16384 and p.pronamespace = 'pg_catalog'::regnamespace and l.lanname in ('internal', 'sql', 'c')
  and p.prokind in ('f', 'a', 'w') and not p.proname = any(%(loud)s)
  and p.proname !~ '(_to_xml|_to_xmlschema|^lo_|^pg_read_|^pg_ls_|^pg_logical|^pg_replication|^pg_create|^pg_stat_get)'
)
"""
_OPERATORS: Final = """
select exists (select from pg_operator where oid >= 16384) or exists (select from pg_cast where oid >= 16384)
  or exists (select from pg_proc where oid >= 16384 and proname = any(%(words)s))
"""
_ROW: Final = """
select distinct p.proname
from pg_proc p join pg_type t on t.oid = p.proargtypes[0] left join pg_type b on b.oid = t.typbasetype
where p.pronargs >= 1 and (p.pronargs - p.pronargdefaults <= 1 or p.provariadic <> 0)
  and (t.typtype in ('c', 'p') or b.typtype = 'c')
"""
_KEEPING: Final = """
select distinct proname from pg_proc
where oid < 16384 and provolatile = 'v' and prokind = 'f' and not proname = any(%(allowed)s)
  and proname !~ '^pg_.*_size$' and not 'internal'::regtype = any(proargtypes)
"""
_ADDED: Final = """
select p.proname, lower(case when p.prokind = 'a' then concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.aggcombinefn)
                             else pg_get_functiondef(p.oid) end)
from pg_proc p join pg_language l on l.oid = p.prolang left join pg_aggregate a on a.aggfnoid = p.oid
where p.oid >= 16384 and (l.lanname not in ('internal', 'c') or p.prokind = 'a')
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
"""
_NAMES: Final = """
select conname from pg_constraint union select relname from pg_class union select typname from pg_type
union select proname from pg_proc where oid >= 16384 union select rolname from pg_roles
union select attname from pg_attribute where attrelid >= 16384 and attnum > 0 union select nspname from pg_namespace
"""
_STATE: Final = """
select md5(coalesce(string_agg(x, ',' order by x), '')) from (
  select concat_ws(':', 'c', oid, relname, relnamespace, xmin) from pg_class where relpersistence <> 't'
  union all select concat_ws(':', 'i', inhrelid, inhparent) from pg_inherits
  union all select concat_ws(':', 'r', oid, xmin) from pg_rewrite where oid >= 16384
  union all select concat_ws(':', 'a', attrelid, attnum, xmin) from pg_attribute where attrelid = any(%(oids)s::oid[])
  union all select concat_ws(':', 'p', count(*), max(oid)) from pg_proc
  union all select concat_ws(':', 'o', count(*), max(oid)) from pg_operator
) as state(x)
"""
_SECRET: Final = """
select rolpassword from pg_authid
where rolname = %(account)s and rolcanlogin and (rolvaliduntil is null or rolvaliduntil > now())
"""
_ROLES: Final = """
with recursive of(oid) as (
  select oid from pg_roles where rolname = %(account)s
  union select m.roleid from pg_auth_members m join of on m.member = of.oid
)
select rolname from pg_roles join of using (oid)
"""


@dataclass(frozen=True, slots=True)
class GuardedTable:
    """A register and the table that holds it: `table` as in SQL (`schema.name`), key columns, column numbers by name.

    `mean_row_bytes`: bytes for which one person is charged, where the keeper sets it; else from statistics. `harmless`:
    columns that tell nothing of a person.
    """

    table: str
    key: tuple[str, ...]
    numbers: Mapping[str, int]
    schema: int
    mean_row_bytes: float | None = None
    harmless: tuple[str, ...] = ()


@dataclass(slots=True, repr=False)
class PostgresControl:
    """Implements `server.parts.Control` over psycopg. Belongs to one thread."""

    conninfo: str
    tables: Mapping[str, GuardedTable]
    password: str | None = field(default=None, repr=False)
    _connection: psycopg.Connection[Any] | None = None
    _version: int = 0
    _guarded: tuple[int, ...] = ()
    _state: str = ""

    def catalogue(self) -> Catalogue:
        """Read the map anew.

        Raises `UnreachableError` where PostgreSQL cannot be asked, `InputError` where a table or key column is missing.
        """
        try:
            connection = self._open()
            with connection.transaction():
                found = self._read(connection)
                self._state = self._seen(connection)
            return found
        except psycopg.Error as error:
            raise self._failed(error) from error

    def changed(self) -> bool:
        """Whether tables, views, partitions or functions changed since the last `catalogue`."""
        try:
            return self._seen(self._open()) != self._state
        except psycopg.Error as error:
            raise self._failed(error) from error

    def verifier(self, account: str) -> VerifierFound:
        """The secret of a role that may log in and has not expired, with every role it is a member of.

        Reads `pg_authid`, which only a superuser may, or a role that was granted it. Raises `UnreachableError`.
        """
        try:
            connection = self._open()
            row = connection.execute(_SECRET, {"account": account}).fetchone()
            if row is None:
                return VerifierFound(account, None)
            roles = connection.execute(_ROLES, {"account": account}).fetchall()
            return VerifierFound(account, row[0], tuple(name for (name,) in roles))
        except psycopg.Error as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- the map ---------------------------------------------------------------------------------------------------

    def _read(self, connection: psycopg.Connection[Any]) -> Catalogue:
        oids = {name: _oid(connection, name, table.table) for name, table in self.tables.items()}
        families = {name: _column(connection, _FAMILY, tables=[oid]) for name, oid in oids.items()}
        bases = sorted({oid for family in families.values() for oid in family})
        views = dict(connection.execute(_VIEWS, {"tables": bases}).fetchall())
        attributes = _attributes(connection, [*bases, *views])
        known = {
            oid: _of_table(attributes.get(oid, {}), name, self.tables[name])
            for name, family in families.items()
            for oid in family
        }
        _check_keys(known, oids, self.tables)
        for oid in views:
            _resolve(oid, views, attributes, known, ())
        self._guarded = tuple(sorted(known))
        self._version += 1
        relations = {
            oid: Relation(oid, schema, name, kind, oid in known, temporary, known.get(oid, {}))
            for oid, schema, name, kind, temporary in connection.execute(_RELATIONS).fetchall()
        }
        guarded_names = frozenset(relation.name for relation in relations.values() if relation.guarded)
        return Catalogue(
            version=self._version,
            relations=relations,
            registers={
                name: RegisterShape(name, table.schema, table.key, _bytes(connection, table, families[name]))
                for name, table in self.tables.items()
            },
            guarded_names=guarded_names,
            guarded_schemas=frozenset(relation.schema for relation in relations.values() if relation.guarded),
            scalar_functions=frozenset(_column(connection, _SCALAR, stable=STABLE)),
            quiet_functions=frozenset(_column(connection, _QUIET, loud=LOUD)),
            user_operators=bool(_column(connection, _OPERATORS, words=sorted(NO_CALL))[0]),
            names=frozenset(_column(connection, _NAMES)),
            row_functions=frozenset(_column(connection, _ROW)),
            keeping_functions=frozenset(_column(connection, _KEEPING, allowed=PASSING)),
            reading_functions=_reading(connection.execute(_ADDED).fetchall(), guarded_names),
        )

    def _seen(self, connection: psycopg.Connection[Any]) -> str:
        return str(_column(connection, _STATE, oids=list(self._guarded))[0])

    # --- the connection --------------------------------------------------------------------------------------------

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            secret: dict[str, Any] = {"password": self.password} if self.password else {}
            self._connection = psycopg.connect(
                self.conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="muniment gate",
                options=f"-c statement_timeout={STATEMENT_MS} -c search_path=pg_catalog", **secret,
            )  # fmt: skip
        return self._connection

    def _failed(self, error: psycopg.Error) -> UnreachableError:
        if self._connection is not None and self._connection.broken:
            self.close()
        reason = error.diag.message_primary or type(error).__name__
        return UnreachableError(
            f"the control connection to PostgreSQL: {reason}",
            hint="muniment gate check says whether the server answers and what the control role may read",
        )


def _oid(connection: psycopg.Connection[Any], register: str, table: str) -> int:
    found = _column(connection, "select to_regclass(%(table)s)::oid::int8", table=table)[0]
    if found is None:
        raise InputError(
            f"register {register!r}: there is no table {table!r} in this database",
            hint="write its name with the schema into gate.toml: table = \"schema.name\"",
        )
    return int(found)


def _column(connection: psycopg.Connection[Any], query: str, **values: object) -> list[Any]:
    return [row[0] for row in connection.execute(query, values or None).fetchall()]


def _attributes(connection: psycopg.Connection[Any], oids: Sequence[int]) -> dict[int, dict[int, Attribute]]:
    found: dict[int, dict[int, Attribute]] = {}
    for oid, number, name, kind, deterministic in connection.execute(_ATTRIBUTES, {"oids": list(oids)}).fetchall():
        found.setdefault(oid, {})[number] = Attribute(name, kind, deterministic=deterministic)
    return found


def _of_table(attributes: Mapping[int, Attribute], register: str, table: GuardedTable) -> dict[int, Attribute]:
    """The attributes of a table of a register: declared columns with their numbers, others as the register's too."""
    return {
        number: Attribute(
            one.name, one.type_oid, register, table.numbers.get(one.name, 0),
            table.key.index(one.name) if one.name in table.key else -1, 0, one.deterministic,
            one.name in table.harmless,
        )
        for number, one in attributes.items()
    }  # fmt: skip


def _check_keys(
    known: Mapping[int, Mapping[int, Attribute]], oids: Mapping[str, int], tables: Mapping[str, GuardedTable]
) -> None:
    for register, oid in oids.items():
        names = {one.name for one in known[oid].values()}
        missing = [column for column in tables[register].key if column not in names]
        if missing:
            raise InputError(
                f"register {register!r}: table {tables[register].table} has no key column {', '.join(missing)}",
                hint="the columns of the table must be named as those of the register",
            )


def _resolve(
    oid: int, views: Mapping[int, str], attributes: Mapping[int, Mapping[int, Attribute]],
    known: dict[int, dict[int, Attribute]], under: tuple[int, ...],
) -> dict[int, Attribute]:  # fmt: skip
    """The attributes of a view, those of the views under it first; a rule that is not understood shows expressions."""
    if oid in known:
        return known[oid]
    if oid not in views or oid in under:
        return {}
    own = attributes.get(oid, {})
    found = {number: Attribute(one.name, one.type_oid, source=-number) for number, one in own.items()}
    sources: dict[tuple[int, int], int] = {}
    for column in (one for one in _columns(views[oid]) if one.number in own):
        below = _resolve(column.relation, views, attributes, known, (*under, oid)).get(column.attribute)
        one = own[column.number]
        if below is not None and below.register:
            source = sources.setdefault((column.source, below.source), len(sources))
            found[column.number] = replace(
                below, name=one.name, type_oid=one.type_oid, source=source, deterministic=one.deterministic
            )
        elif column.relation and column.relation not in known:
            found[column.number] = replace(found[column.number], harmless=True)  # the plain column of another table
    known[oid] = found
    return found


def _columns(tree: str) -> list[ViewColumn]:
    try:
        return view_columns(tree)
    except InputError:
        return []


def _reading(added: Sequence[tuple[str, str]], guarded: Iterable[str]) -> frozenset[str]:
    """Functions whose text names a guarded relation, runs SQL that it makes, or calls such a function."""
    wanted = {"execute", *(name.lower() for name in guarded)}
    found: set[str] = set()
    while True:
        named = re.compile("|".join(map(re.escape, sorted(wanted))))
        new = {name for name, text in added if name not in found and named.search(_body(text))}
        if not new:
            return frozenset(found)
        found |= new
        wanted = {name.lower() for name in new}


def _body(text: str) -> str:
    """A definition without its head, in which the function's own name stands."""
    return text.partition("\n")[2] if text.startswith("create ") else text


def _bytes(connection: psycopg.Connection[Any], table: GuardedTable, family: Sequence[int]) -> float:
    if table.mean_row_bytes is not None:
        return table.mean_row_bytes
    found = _column(connection, _WIDTHS, oids=list(family))[0]
    return max(LEAST_BYTES, float(found)) if found is not None else UNKNOWN_BYTES
