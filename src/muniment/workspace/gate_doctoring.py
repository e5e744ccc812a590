"""Doctor for a gate: whether the registers can be reached past it, shown by trying, and what it cannot see through.

Rules
1. The way past the gate is tried as every role that may log in, from this machine and without a password; and what
   pg_hba.conf lets in from elsewhere is read line by line. A refusal proves this machine and these lines, no more.
2. Rights are listed as PostgreSQL has them. What one lets pass is no fault of its own: the keeper decides.
3. Break-glass is exercised: an entry goes through the second place and comes back, into nobody's ledger.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from muniment.disclosure import Channel, Party, Template
from muniment.durable import storage_faults
from muniment.errors import MunimentError
from muniment.ledger.appender import Receipt
from muniment.workspace.doctoring import Check, State
from muniment.workspace.gate_checking import Bench
from muniment.workspace.gating import SETTINGS, load, milliseconds, spool_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.disclosure import Disclosure
    from muniment.gate.session.commands import Entry
    from muniment.ledger.batch import Batch
    from muniment.workspace.parts import Parts

Seen: TypeAlias = Iterator[tuple[State, Mapping[str, object]]]
ROLES_TRIED: Final = 200
"""Roles as which the way past the gate is tried: each is a connection that is refused."""
UNTRUSTED: Final = ("dblink", "postgres_fdw", "file_fdw", "adminpack", "pageinspect", "plperlu", "plpython3u", "pltclu")
"""Extensions by which rows leave without a result, or code reads what it likes."""
RIGHTS: Final = (
    "pg_read_all_data", "pg_read_server_files", "pg_write_server_files", "pg_execute_server_program",
    "pg_monitor", "pg_read_all_stats",
)  # fmt: skip
"""Predefined roles that read tables, files, programs' output, or other sessions' statements (manual, section 22.5)."""

_LOGINS: Final = "select rolname from pg_roles where rolcanlogin and rolname <> current_user order by 1"
_WHERE: Final = "select host(inet_client_addr()), current_database()"
_HBA: Final = """
select line_number, type, database, user_name, address, netmask, auth_method
from pg_hba_file_rules where error is null order by line_number
"""
_READERS: Final = """
select r.rolname, min(c.relname) from pg_roles r, pg_class c
where c.oid = any(%s::oid[]) and r.rolcanlogin and not r.rolsuper and r.rolname <> current_user
and has_any_column_privilege(r.oid, c.oid, 'select') group by 1 order by 1
"""
_PUBLIC: Final = """
select c.relname from pg_class c, aclexplode(c.relacl) a
where c.oid = any(%s::oid[]) and a.grantee = 0 and a.privilege_type = 'SELECT'
union select c.relname from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
where c.oid = any(%s::oid[]) and a.grantee = 0 and a.privilege_type = 'SELECT' order by 1
"""
_DEFINERS: Final = """
select p.oid::regprocedure::text from pg_proc p where p.prosecdef and p.oid >= 16384 and exists (
  select from pg_class c where c.oid = any(%s::oid[]) and has_any_column_privilege(p.proowner, c.oid, 'select')
) order by 1
"""
_EXTENSIONS: Final = "select extname from pg_extension where extname = any(%s) order by 1"
_MEMBERS: Final = """
select m.rolname, r.rolname from pg_roles r join pg_roles m on pg_has_role(m.oid, r.oid, 'member')
where r.rolname = any(%s) and m.rolname <> r.rolname and m.rolcanlogin and not m.rolsuper
and m.rolname <> current_user order by 1, 2
"""
_REPLICATION: Final = """
select 'role ' || rolname from pg_roles where rolreplication and rolcanlogin and not rolsuper
union all select 'slot ' || slot_name from pg_replication_slots
union all select 'publication ' || p.pubname from pg_publication p
where p.puballtables or exists (
  select from pg_publication_rel r where r.prpubid = p.oid and r.prrelid = any(%s::oid[])
) order by 1
"""
_SUPERUSERS: Final = """
select rolname from pg_roles where rolsuper and rolcanlogin and rolname <> current_user order by 1
"""
_LARGE: Final = "select count(*) from pg_largeobject_metadata"


def examine(parts: Parts) -> tuple[Check, ...]:
    """Every check, in order; names begin with `gate-`. Nothing is changed."""
    try:
        bench = Bench(parts, load(parts.folder / SETTINGS, parts))
        catalogue = bench.control.catalogue()
    except MunimentError as error:
        return (Check("gate-reach", "fault", {"reason": error.message}),)
    ward = Ward(bench, sorted(oid for oid, relation in catalogue.relations.items() if relation.guarded))
    found: list[Check] = []
    try:
        for name, action in CHECKS.items():
            found += _made(name, action, ward)
    finally:
        bench.control.close()
    return tuple(found)


class Ward(NamedTuple):
    """What the checks look at: settings and connection, and every relation through which a register can be read."""

    bench: Bench
    oids: Sequence[int]

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """See `Bench.ask`."""
        return self.bench.ask(query, *values)

    def names(self, query: str, *values: object) -> list[str]:
        """The first column of an answer."""
        return [str(row[0]) for row in self.ask(query, *values)]


def _made(name: str, action: Callable[[Ward], Seen], ward: Ward) -> list[Check]:
    try:
        return [Check(name, state, dict(values)) for state, values in action(ward)]
    except MunimentError as error:
        return [Check(name, "fault", {"reason": error.message})]


def _listed(names: Sequence[str]) -> Seen:
    """`warn` where there is anything, with the first of it."""
    yield ("warn" if names else "ok"), {"count": len(names), "first": names[0] if names else ""}


# --- the way past the gate -------------------------------------------------------------------------------------------


def _past(ward: Ward) -> Seen:
    """Nobody gets in from this machine without a password (rule 1)."""
    roles = ward.names(_LOGINS)[:ROLES_TRIED]
    open_to = [role for role in roles if _gets_in(ward.bench, role)]
    state: State = "fault" if open_to else "ok"
    reason = f"{open_to[0]} gets in without a password" if open_to else ""
    yield state, {"count": len(roles), "reason": reason} if reason else {"count": len(roles)}


def _gets_in(bench: Bench, role: str) -> bool:
    """Whether PostgreSQL lets a role in over the upstream address, with none of the gate's credentials."""
    import psycopg

    settings = bench.settings
    database = settings.database or bench.ask("select current_database()")[0][0]
    kept = {name: os.environ.pop(name) for name in ("PGPASSWORD", "PGSERVICE") if name in os.environ}
    try:
        psycopg.connect(
            host=settings.upstream_host, port=settings.upstream_port, user=role, dbname=database, connect_timeout=5,
            application_name="muniment doctor", gssencmode="disable", passfile=os.devnull,
            sslcert=os.devnull,
        ).close()  # fmt: skip
    except psycopg.OperationalError:
        return False
    finally:
        os.environ.update(kept)
    return True


class _Rule(NamedTuple):
    """One line of pg_hba.conf as PostgreSQL reads it (manual, section 54.10)."""

    line: int
    type: str
    database: list[str]
    user: list[str]
    address: str | None
    netmask: str | None
    method: str


def _elsewhere(ward: Ward) -> Seen:
    """pg_hba.conf lets nobody in from another address than the gate's (rule 1)."""
    ((gate, database),) = ward.ask(_WHERE)
    rules = [_Rule(*row) for row in ward.ask(_HBA)]
    lines = [str(rule.line) for rule in rules if _lets_in(rule, gate, database)]
    yield ("warn" if lines else "ok"), {"count": len(lines), "first": lines[0] if lines else ""}


def _lets_in(rule: _Rule, gate: str | None, database: str) -> bool:
    """Whether a line may let somebody in who does not come through the gate.

    A local socket counts only where the gate itself comes over the network: who has the machine has the data.
    """
    if rule.method == "reject" or not {database, "all", "sameuser", "samerole"} & set(rule.database):
        return False
    if rule.type == "local":
        return gate is not None
    if gate is None or rule.address is None:
        return True
    return not _only(rule, gate)


def _only(rule: _Rule, gate: str) -> bool:
    """Whether the line's address is the gate's alone."""
    if rule.address == "samehost":
        return True
    try:
        span = str(rule.address) if rule.netmask is None else f"{rule.address}/{rule.netmask}"
        network: IPv4Network | IPv6Network = ip_network(_plain(span), strict=False)
    except ValueError:  # a host name, samenet or all
        return False
    loopback = network.is_loopback and ip_address(gate).is_loopback
    return loopback or (network.num_addresses == 1 and ip_address(gate) in network)


def _plain(span: str) -> str:
    """An IPv6 mask as a length: `ipaddress` takes masks of IPv4 only."""
    address, _, mask = span.partition("/")
    if ":" not in mask:
        return span
    return f"{address}/{bin(int(ip_address(mask))).count('1')}"


# --- what the gate cannot see through -------------------------------------------------------------------------------


def _public(ward: Ward) -> Seen:
    """Nobody reads a register by what is granted to everybody."""
    yield from _listed(ward.names(_PUBLIC, list(ward.oids), list(ward.oids)))


def _grants(ward: Ward) -> Seen:
    """Roles that may read a register and that gate.toml does not name, or does not guard."""
    settings = ward.bench.settings
    readers = ward.ask(_READERS, list(ward.oids))
    loose = [f"{role} ({table})" for role, table in readers if not _guarded(settings.accounts.get(role))]
    yield ("warn" if loose else "ok"), {"count": len(loose), "first": loose[0] if loose else "", "roles": len(readers)}


def _guarded(layer: Mapping[str, object] | None) -> bool:
    return layer is not None and layer.get("guarded") is not False


def _definers(ward: Ward) -> Seen:
    """Functions that run as somebody who may read a register, whoever calls them."""
    yield from _listed(ward.names(_DEFINERS, list(ward.oids)))


def _extensions(ward: Ward) -> Seen:
    """Extensions by which data leaves without a result."""
    yield from _listed(ward.names(_EXTENSIONS, list(UNTRUSTED)))


def _rights(ward: Ward) -> Seen:
    """Roles that read all tables, files of the server, or what programs on it say."""
    yield from _listed([f"{member} ({right})" for member, right in ward.ask(_MEMBERS, list(RIGHTS))])


def _replication(ward: Ward) -> Seen:
    """Whatever streams tables elsewhere."""
    yield from _listed(ward.names(_REPLICATION, list(ward.oids)))


def _superusers(ward: Ward) -> Seen:
    """Superusers beside the gate's own role: nothing holds for them."""
    yield from _listed(ward.names(_SUPERUSERS))


def _large_objects(ward: Ward) -> Seen:
    """Large objects: no register is in them as far as the gate knows, and it refuses to read them."""
    ((count,),) = ward.ask(_LARGE)
    yield ("warn" if count else "ok"), {"count": count}


# --- break-glass ----------------------------------------------------------------------------------------------------


def _break_glass(ward: Ward) -> Seen:
    """The second place takes an entry and gives it back (rule 3), and somebody may break the glass."""
    settings = ward.bench.settings
    layers = (settings.defaults, *settings.roles.values(), *settings.accounts.values(), *settings.purposes.values())
    allowed = sum(layer.get("break_glass") is not None for layer in layers)
    taken = exercise(ward.bench.parts)
    yield ("ok" if allowed else "warn"), {"milliseconds": round(1_000 * taken, 2), "count": allowed}


def exercise(parts: Parts) -> float:
    """Spool one entry beside the real spool, and read it back; returns the seconds that recording it took.

    Raises `UnreachableError` where the second place cannot be written, `IntegrityError` where it gives back another.
    """
    from muniment.errors import IntegrityError
    from muniment.gate.server.spool import Spool

    folder = spool_folder(parts).parent
    with storage_faults(folder, "write"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".exercise.", dir=folder) as name:
            place = Spool(Path(name), parts.ring.all("segment"), lambda: milliseconds(parts), os.urandom)
            nobody = _Nobody()
            start = time.perf_counter()
            place.append([_drill()], {})
            taken = time.perf_counter() - start
            moved = place.drain(nobody)
    if moved != 1 or nobody.cases != ["exercise"]:
        raise IntegrityError(f"{folder}: the second place gave back {moved} entries of 1")
    return taken


def _drill() -> Entry:
    from muniment.gate.session.commands import Entry

    template = Template("exercise", 0, Channel.GATE, (), "doctor: break-glass")
    return Entry(Party("doctor", "doctor"), template, np.zeros(0, np.uint32), "exercise", "", 0, 0, 0)


class _Nobody:
    """An `Appender` that keeps nothing but the cases."""

    def __init__(self) -> None:
        self.cases: list[str] = []

    def ordinals(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        """Nobody is asked for."""
        del older
        return np.zeros(len(pseudonyms), np.uint32)

    def append(self, disclosure: Disclosure) -> Future[Receipt]:
        """See `Appender`."""
        self.cases.append(disclosure.case)
        return _received(1)

    def append_many(self, batch: Batch) -> Future[Receipt]:
        """See `Appender`."""
        self.cases += [batch.case[row] for row in range(len(batch))]
        return _received(len(batch))

    def close(self) -> None:
        """Nothing is open."""


def _received(count: int) -> Future[Receipt]:
    future: Future[Receipt] = Future()
    future.set_result(Receipt(1, count, 0))
    return future


CHECKS: Final[dict[str, Callable[[Ward], Seen]]] = {
    "gate-reach": _past,
    "gate-hba": _elsewhere,
    "gate-public": _public,
    "gate-grants": _grants,
    "gate-definers": _definers,
    "gate-extensions": _extensions,
    "gate-rights": _rights,
    "gate-replication": _replication,
    "gate-superusers": _superusers,
    "gate-large-objects": _large_objects,
    "gate-break-glass": _break_glass,
}
"""Every check by name, in the order in which they are made and shown; texts `gate_check.NAME.STATE`."""
