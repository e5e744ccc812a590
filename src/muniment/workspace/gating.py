"""The gate of a workspace: its settings beside muniment.toml, and everything that `gate.server` is given.

What the gate records goes into the ledger of this workspace; the keys stay in this process. It runs without the mark
keys, unless marks are written into results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from muniment.disclosure import Channel, Outcome, Party, Register, Template
from muniment.durable import read_file, replace_file
from muniment.errors import InputError, MunimentError, UnreachableError
from muniment.gate.attribution.catalogue import RegisterShape
from muniment.gate.policy.explain import Finding, Traffic, replay
from muniment.gate.policy.settings import GateSettings, parse, render_settings
from muniment.gate.server.control import GuardedTable, PostgresControl
from muniment.gate.server.parts import GateParts
from muniment.gate.server.sessions import zone
from muniment.gate.server.spool import Spool
from muniment.ledger.declarations import schema_version
from muniment.ledger.journal import Journal
from muniment.ledger.store import Ledger
from muniment.workspace.doctoring import State
from muniment.workspace.office import JOURNAL, SECOND, open_parts
from muniment.workspace.parts import Parts

GATE: Final = "gate.toml"
SPOOL: Final = "gate-spool"
"""The folder, in the second place, for what is released while the ledger is down."""
SETTINGS_BYTES: Final = 1 << 20
EXPIRES_SOON: Final = 21
"""Days before the end of a certificate from which it is time to renew it."""


# --- settings --------------------------------------------------------------------------------------------------------


def settings_of(parts: Parts, path: Path | None = None) -> GateSettings:
    """gate.toml, or another file of that form. Raises `InputError` that names file and key."""
    file = path or parts.folder / GATE
    if not file.exists():
        raise InputError(f"{file}: there are no settings of a gate", hint="muniment gate init --upstream HOST:PORT")
    found = parse(_text(file), file)
    known = {register.name for register in parts.config.registers}
    strange = [name for name in found.registers if name not in known]
    if strange:
        raise InputError(
            f"{file}: [registers.{strange[0]}]: there is no register of that name; expected one of "
            f"{', '.join(sorted(known))}",
            hint="muniment register add NAME SOURCE --key COLUMN",
        )
    return found


def begin(parts: Parts, values: Mapping[str, Any], tables: Mapping[str, str]) -> Path:
    """Write a new, commented gate.toml; `InputError` where there is one already, or where a value is not right."""
    path = parts.folder / GATE
    if path.exists():
        raise InputError(f"{path}: there are settings of a gate already; they stay", hint="edit that file")
    for name in tables:
        parts.register(name)
    replace_file(path, [render_settings(values, tables, parts.config.workspace.lang).encode()], mode=0o600)
    return path


# --- what the server is given ----------------------------------------------------------------------------------------


def gate_parts(parts: Parts, *, log_file: Path | None = None) -> GateParts:
    """Everything that a gate of this workspace is made of. Errors as `settings_of`."""
    settings = settings_of(parts)
    if not settings.registers:
        raise InputError(
            f"{parts.folder / GATE}: no register is guarded",
            hint='add a block: [registers.NAME] table = "schema.table"',
        )
    registers = {name: parts.register(name) for name in settings.registers}
    second = parts.folder / (parts.config.ledger.second or SECOND)
    segment_keys = parts.ring.all("segment")
    clock = _milliseconds(parts)
    return GateParts(
        settings=settings,
        open_ledger=lambda: _ledger(parts),
        pseudonym_keys=parts.ring.all("pseudonym"),
        registers={name: _shape(parts, settings, one) for name, one in registers.items()},
        clock=clock,
        lang=parts.config.workspace.lang,
        folder=parts.folder,
        new_control=lambda: control_of(parts, settings),
        log_file=log_file,
        new_spool=lambda: Spool(second / SPOOL, segment_keys, clock, _random_bytes),
        reload=lambda: settings_of(parts),
    )


def control_of(parts: Parts, settings: GateSettings) -> PostgresControl:
    """The control connection, not opened yet. Raises `InputError` where its password cannot be read."""
    tables = {}
    for name, guarded in settings.registers.items():
        register = parts.register(name)
        numbers = {column.name: column.number for column in register.columns}
        tables[name] = GuardedTable(
            guarded.table, register.key, numbers, schema_version(parts.journal, name), guarded.mean_row_bytes
        )
    return PostgresControl(settings.control, tables, _password(parts.folder, settings.control_password_file))


def run(parts: Parts, *, log_file: Path | None = None) -> int:
    """Run the gate until it is told to end; returns the exit code."""
    from muniment.gate.server.workers import run as serve

    return serve(gate_parts(parts, log_file=log_file))


def _ledger(parts: Parts) -> Ledger:
    journal = Journal.open(parts.folder / JOURNAL, parts.ring.all("segment"))
    return open_parts(parts.folder, parts.ring, journal, parts.clock).ledger


def _shape(parts: Parts, settings: GateSettings, register: Register) -> RegisterShape:
    mean = settings.registers[register.name].mean_row_bytes
    return RegisterShape(register.name, schema_version(parts.journal, register.name), register.key, mean or 0.0)


def _milliseconds(parts: Parts) -> Callable[[], int]:
    return lambda: int(parts.clock().timestamp() * 1000)


def _random_bytes(count: int) -> bytes:
    import os

    return os.urandom(count)


def _password(folder: Path, file: str) -> str | None:
    if not file:
        return None
    return _text(folder / file).strip() or None


def _text(path: Path) -> str:
    found = read_file(path, SETTINGS_BYTES)
    if found is None:
        raise InputError(f"{path}: there is no such file")
    return found.decode("utf-8-sig", "replace")


# --- check -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One thing that was looked at; `values` fill the text `gate_check.NAME.STATE`."""

    name: str
    state: State
    values: dict[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The JSON of one check in `muniment gate check --json`."""
        return {"check": self.name, "state": self.state, **self.values}


def check(parts: Parts) -> tuple[GateCheck, ...]:
    """Settings, certificate, control connection, registers and secrets of accounts; nothing is changed.

    Raises `InputError` where the settings themselves are not right: there is nothing to check then.
    """
    settings = settings_of(parts)
    found = [GateCheck("settings", "ok", {"registers": len(settings.registers), "accounts": len(settings.accounts)})]
    return (*found, *_certificates(parts, settings), *_upstream(parts, settings))


def _certificates(parts: Parts, settings: GateSettings) -> Iterator[GateCheck]:
    from cryptography import x509

    from muniment.gate.server.tls import server_tls

    if not settings.certificate:
        yield GateCheck("certificate", "warn", {})
        return
    path = parts.folder / settings.certificate
    try:
        server_tls(path, parts.folder / settings.certificate_key)
        days = (x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc - _now(parts)).days
    except MunimentError as error:
        yield GateCheck("certificate", "fault", {"reason": error.message})
        return
    state: State = "ok" if days >= EXPIRES_SOON else "fault"
    yield GateCheck("certificate", state, {"days": days, "reason": f"{days} days left"})


def _upstream(parts: Parts, settings: GateSettings) -> Iterator[GateCheck]:
    control = control_of(parts, settings)
    try:
        catalogue = control.catalogue()
        guarded = sorted(relation.name for relation in catalogue.relations.values() if relation.guarded)
        yield GateCheck("catalogue", "ok", {"relations": len(guarded), "names": ", ".join(guarded[:20])})
        for name, shape in catalogue.registers.items():
            yield GateCheck("register", "ok", {"register": name, "bytes": round(shape.mean_row_bytes, 1)})
        lacking = [account for account in settings.accounts if control.verifier(account).secret is None]
        values: dict[str, object] = {"accounts": len(settings.accounts), "lacking": ", ".join(lacking[:10])}
        yield GateCheck("secrets", "warn" if lacking else "ok", values)
        if catalogue.user_operators:
            yield GateCheck("operators", "warn", {})
    except UnreachableError as error:
        yield GateCheck("catalogue", "fault", {"reason": error.message})
    except InputError as error:
        yield GateCheck("catalogue", "fault", {"reason": error.message})
    finally:
        control.close()


def _now(parts: Parts) -> datetime:
    return parts.clock().astimezone(UTC)


# --- explain ---------------------------------------------------------------------------------------------------------


def replayed(
    parts: Parts, rules: Path | None, *, account: str | None = None, since: datetime | None = None
) -> tuple[Finding, ...]:
    """What changed settings would have made of the traffic that the ledger holds, by account.

    `rules`: a file of the form of gate.toml. Roles are not known here: only [accounts.NAME] and [defaults] count.
    """
    settings = settings_of(parts, rules)
    local = zone(settings)

    def offset(now: int) -> int:
        found = datetime.fromtimestamp(now / 1000, UTC).astimezone(local).utcoffset()
        return 0 if found is None else int(found.total_seconds() // 60)

    days = int(settings.defaults.get("caseload_days", 30))
    return replay(settings, _traffic(parts, account, since), caseload_days=days, offset_minutes=offset)


def _traffic(parts: Parts, account: str | None, since: datetime | None) -> Iterator[Traffic]:
    reader = parts.ledger.reader()
    start = 0 if since is None else int(since.timestamp() * 1000)
    rows = reader.select(channel=Channel.GATE, account=account, since=start)
    batch = reader.batch(rows, records=True)
    templates = [Template.from_text(text) for text in batch.template.values]
    parties = [Party.from_text(text) for text in batch.party.values]
    for row in range(len(batch)):
        template = templates[int(batch.template.codes[row])]
        if template.outcome not in (Outcome.GIVEN, Outcome.UNATTRIBUTED):
            continue
        nameless = template.outcome is Outcome.UNATTRIBUTED
        yield Traffic(
            time=int(batch.occurred[row] or batch.time[row]),
            account=parties[int(batch.party.codes[row])].account,
            ordinals=np.zeros(0, np.uint32) if nameless else batch.records(row),
            anonymous=int(batch.rows[row]) if nameless else 0,
            case=batch.case[row],
            purpose=template.purpose,
        )

