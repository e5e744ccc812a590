"""`muniment gate check`: whether a gate would start and do its work, by looking at each thing that it stands on.

Rules
1. Nothing is changed, and no secret is shown: of a verifier only its sort is looked at.
2. A check that cannot be made because PostgreSQL cannot be asked says so itself; the others are made all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from muniment.errors import MunimentError
from muniment.gate.policy.rules import resolve
from muniment.gate.policy.settings import GateSettings
from muniment.workspace.doctoring import Check, State
from muniment.workspace.gating import SETTINGS, control, load, password, spool
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    from muniment.gate.server.control import PostgresControl
    from muniment.gate.server.sides import Side

Seen: TypeAlias = Iterator[tuple[State, Mapping[str, object]]]
CERTIFICATE_DAYS: Final = 30
"""Days before its end at which a certificate should be exchanged."""
_SECRETS: Final = """
select has_table_privilege('pg_catalog.pg_authid', 'select'), rolsuper from pg_roles where rolname = current_user
"""
_DATABASE: Final = "select current_database()"


class Bench:
    """What the checks of one run share: the settings, and one control connection."""

    def __init__(self, parts: Parts, settings: GateSettings) -> None:
        self.parts = parts
        self.settings = settings
        self.control: PostgresControl = control(parts, settings)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows over a connection as the control role; `UnreachableError` where PostgreSQL cannot be asked."""
        from muniment.workspace.gate_asking import asked

        settings = self.settings
        return asked(settings.control, password(self.parts, settings.control_password_file), query, *values)


def check(parts: Parts) -> tuple[Check, ...]:
    """Every check, in order. Settings that cannot be read are one finding, and the last."""
    try:
        bench = Bench(parts, load(parts.folder / SETTINGS, parts))
    except MunimentError as error:
        return (Check("settings", "fault", {"reason": error.message}),)
    found: list[Check] = []
    try:
        for name, action in CHECKS.items():
            found += _made(name, action, bench)
    finally:
        bench.control.close()
    return tuple(found)


def _made(name: str, action: Callable[[Bench], Seen], bench: Bench) -> list[Check]:
    try:
        return [Check(name, state, dict(values)) for state, values in action(bench)]
    except MunimentError as error:
        return [Check(name, "fault", {"reason": error.message})]


def _settings(bench: Bench) -> Seen:
    settings = bench.settings
    modes = {resolve(settings, account).mode for account in settings.accounts} | {resolve(settings, "").mode}
    values = {"registers": len(settings.registers), "accounts": len(settings.accounts)}
    yield ("ok" if modes <= {"stop", "throttle"} else "warn"), values


def _tls(bench: Bench) -> Seen:
    """Whoever comes over the network comes over TLS."""
    local = all("/" in address for address in bench.settings.listen)
    yield ("ok" if bench.settings.certificate or local else "warn"), {}


def _certificate(bench: Bench) -> Seen:
    """Certificate and key belong together, and hold for a while."""
    from cryptography import x509

    from muniment.gate.server.tls import server_tls

    settings, folder = bench.settings, bench.parts.folder
    if not settings.certificate:
        return
    client_ca = folder / settings.client_ca if settings.client_ca else None
    server_tls(folder / settings.certificate, folder / settings.certificate_key, client_ca)
    own = x509.load_pem_x509_certificate((folder / settings.certificate).read_bytes())
    left = own.not_valid_after_utc - bench.parts.clock()
    begun = own.not_valid_before_utc <= bench.parts.clock()
    if left < timedelta(0) or not begun:
        reason = f"{settings.certificate} is valid from {own.not_valid_before_utc} to {own.not_valid_after_utc}"
        yield "fault", {"reason": reason}
        return
    yield ("warn" if left.days < CERTIFICATE_DAYS else "ok"), {"days": left.days}


def _upstream(bench: Bench) -> Seen:
    """PostgreSQL answers where the gate will look for it, over TLS where that is asked for."""
    from muniment.gate.server.upstream import Target, connect

    settings = bench.settings
    target = Target.of(settings, bench.parts.folder)

    async def reach() -> None:
        side, _ = await connect(target, _Nobody)
        side.abort()

    asyncio.run(reach())
    local = settings.upstream_host in {"127.0.0.1", "::1", "localhost"} or bool(target.socket)
    state: State = "ok" if target.tls is not None or local else "warn"
    yield state, {"address": f"{settings.upstream_host}:{settings.upstream_port}", "tls": settings.upstream_tls}


class _Nobody:
    """Listens to a connection on which nothing is said."""

    def heard(self, side: Side, data: bytes) -> None:
        """Nothing was asked."""

    def pressed(self, side: Side) -> None:
        """Nothing is written."""

    def ended(self, side: Side, reason: str) -> None:
        """It is closed at once anyway."""


def _control(bench: Bench) -> Seen:
    """The control role reads verifiers, and is no more than that."""
    ((secrets, superuser),) = bench.ask(_SECRETS)
    if not secrets:
        yield "fault", {"reason": "it may not read pg_authid: GRANT SELECT ON pg_authid TO the control role"}
    else:
        yield ("warn" if superuser else "ok"), {}


def _database(bench: Bench) -> Seen:
    """Clients are let into the database that the map of tables was read from."""
    ((name,),) = bench.ask(_DATABASE)
    wanted = bench.settings.database
    state: State = "ok" if wanted in ("", name) else "fault"
    yield state, {"name": name, "reason": f"clients are let into {wanted}, the tables are in {name}"}


def _registers(bench: Bench) -> Seen:
    """Every register is found, with its key; views and partitions over it are known."""
    catalogue = bench.control.catalogue()
    guarded = sum(relation.guarded for relation in catalogue.relations.values())
    yield "ok", {"registers": len(catalogue.registers), "relations": guarded}


def _operators(bench: Bench) -> Seen:
    """Operators and casts that somebody added could read tables: then no expression is taken to be row-local."""
    yield ("warn" if bench.control.catalogue().user_operators else "ok"), {}


def _verifiers(bench: Bench) -> Seen:
    """Accounts that gate.toml names can log in, by a SCRAM verifier where they use a password."""
    settings = bench.settings
    by_certificate = {account for accounts in settings.certificate_accounts.values() for account in accounts}
    weak, missing = [], []
    for account in settings.accounts:
        secret = bench.control.verifier(account).secret
        if secret is None and account not in by_certificate:
            missing.append(account)
        elif secret is not None and not secret.startswith("SCRAM-SHA-256$") and "md5" not in settings.methods:
            weak.append(account)
    names = [*missing, *weak]
    values = {"count": len(names), "first": names[0] if names else "", "accounts": len(settings.accounts)}
    yield ("warn" if names else "ok"), values


def _ledger(bench: Bench) -> Seen:
    """What is released while the ledger is down has a place, and nothing waits there."""
    waiting = len(spool(bench.parts).files())
    yield ("warn" if waiting else "ok"), {"files": waiting}


CHECKS: Final[dict[str, Callable[[Bench], Seen]]] = {
    "settings": _settings,
    "tls": _tls,
    "certificate": _certificate,
    "upstream": _upstream,
    "control": _control,
    "database": _database,
    "registers": _registers,
    "operators": _operators,
    "verifiers": _verifiers,
    "spool": _ledger,
}
"""Every check by name, in the order in which they are made and shown; texts `gate_check.NAME.STATE`."""
