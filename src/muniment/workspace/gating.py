"""The gate of a workspace: gate.toml, and everything that a running gate is made of.

Rules
1. gate.toml lies beside muniment.toml and holds no secret. A register stands in both: declared there, guarded here.
2. Each thread and process opens the workspace's parts anew; only keys in memory are shared.
3. The second place of the ledger holds the spool too: what is released while the ledger is down.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muniment.disclosure import Channel, Outcome, Party, Template
from muniment.durable import read_file, replace_file
from muniment.errors import InputError, UnreachableError
from muniment.gate.attribution.catalogue import RegisterShape
from muniment.gate.policy.explain import Finding, Traffic, replay
from muniment.gate.policy.settings import GateSettings, parse, render_settings
from muniment.ledger.declarations import schema_version
from muniment.ledger.journal import Journal
from muniment.limits import CONFIG_BYTES
from muniment.workspace.bookkeeping import Selection
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    from muniment.gate.policy.decoys import DecoyWatch
    from muniment.gate.server.control import PostgresControl
    from muniment.gate.server.parts import GateParts
    from muniment.gate.server.spool import Spool
    from muniment.gate.session.marking import ResultMarker
    from muniment.ledger.batch import Batch
    from muniment.ledger.reader import LedgerReader

SETTINGS = "gate.toml"
SPOOL = "gate-spool"
"""The folder of the second place that takes what is released while the ledger is down."""
REPLAYED = 4_096
"""Disclosures that a replay reads at a time."""


@dataclass(frozen=True, slots=True)
class NewGate:
    """A gate as asked for; what is empty is taken from the sources of the registers."""

    listen: tuple[str, ...] = ("127.0.0.1:6432",)
    upstream: str = ""
    control: str = ""
    tables: tuple[tuple[str, str], ...] = ()
    database: str = ""
    certificate: str = ""
    certificate_key: str = ""


class Gatehouse:
    """What `Workspace.gate` gives: the gate of one workspace."""

    def __init__(self, parts: Parts) -> None:
        """For `Workspace` only."""
        self._parts = parts

    def __repr__(self) -> str:
        return f"Gatehouse({str(self._parts.folder)!r})"

    @property
    def parts(self) -> Parts:
        """The opened parts of the workspace."""
        return self._parts

    @property
    def path(self) -> Path:
        """Where gate.toml lies."""
        return self._parts.folder / SETTINGS

    @property
    def there(self) -> bool:
        """Whether this workspace has a gate."""
        return self.path.exists()

    def init(self, new: NewGate) -> Path:
        """Write a commented gate.toml that watches and stops nobody yet; returns its path.

        Raises `InputError` where there is one, or where nothing says which PostgreSQL and which tables.
        """
        if self.there:
            raise InputError(f"{self.path}: there is a gate already; it stays", hint="edit the file")
        text = render_settings(*_asked(self._parts, new), lang=self._parts.config.workspace.lang)
        replace_file(self.path, [text.encode()])
        return self.path

    def settings(self, path: Path | None = None) -> GateSettings:
        """gate.toml as it is now, or another file of its form; errors as `policy.settings.parse`."""
        return load(path or self.path, self._parts)

    def gate_parts(self, *, log: Path | None = None, settings: GateSettings | None = None) -> GateParts:
        """Everything for `gate.server.workers.run`. Errors of whatever is not as it should be."""
        return gate_parts(self._parts, settings or self.settings(), log=log)

    def run(self, *, log: Path | None = None) -> int:
        """Run the gate until it is told to end; returns the exit code."""
        from muniment.gate.server.workers import run

        return run(self.gate_parts(log=log))

    def explain(
        self, rules: Path | None = None, *, account: str | None = None, since: datetime | None = None
    ) -> tuple[Finding, ...]:
        """What the rules of a file (by default those in use) would have stopped of what the ledger holds.

        See `policy.explain.replay`. With `since` nothing is known of what was received before. Where PostgreSQL cannot
        be asked, nobody is a member of a role. Raises `InputError` for a file that is no gate.toml.
        """
        settings = self.settings(rules)
        selection = Selection(account=account, channel=Channel.GATE.value, since=since)
        with roles_of(self._parts, settings) as roles:
            return replay(
                settings, traffic(self._parts, selection), roles,
                caseload_days=settings.caseload_days, offset_minutes=_offset(settings),
            )  # fmt: skip


def load(path: Path, parts: Parts) -> GateSettings:
    """Read a gate.toml. `InputError` where there is none, it is not right, or it guards a register unknown here."""
    data = read_file(path, CONFIG_BYTES)
    if data is None:
        raise InputError(f"{path}: there is no gate", hint="muniment gate init")
    try:
        settings = parse(data.decode("utf-8-sig"), path)
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected UTF-8 text") from None
    for name in settings.registers:
        parts.register(name)
    if not settings.registers:
        raise InputError(f"{path}: no [registers.NAME] says what is guarded", hint="muniment gate init writes them")
    return settings


def _asked(parts: Parts, new: NewGate) -> tuple[dict[str, Any], dict[str, str]]:
    """Keys of [gate] and the live tables; what was not given comes from registers that are in PostgreSQL."""
    found = {one.name: live for one in parts.config.registers if (live := _live(one.source)) is not None}
    first = next(iter(found.values()), _Live("", "", ""))
    tables = dict(new.tables) or {name: live.table for name, live in found.items()}
    upstream, control = new.upstream or first.address, new.control or first.conninfo
    if not tables or not upstream or not control:
        raise InputError(
            "no register lies in PostgreSQL: expected where the live tables are",
            hint="muniment gate init --upstream HOST:PORT --control CONNINFO --table REGISTER=SCHEMA.TABLE",
        )
    for name in tables:
        parts.register(name)
    host, port = _address(upstream)
    values: dict[str, Any] = {
        "listen": list(new.listen), "upstream_host": host, "upstream_port": port, "control": control
    }  # fmt: skip
    more = {name: getattr(new, name) for name in ("database", "certificate", "certificate_key")}
    return values | {name: value for name, value in more.items() if value}, tables


def _address(typed: str) -> tuple[str, int]:
    host, colon, port = typed.rpartition(":")
    if not colon:
        host, port = typed, "5432"
    if not host or not port.isascii() or not port.isdigit():
        raise InputError(f"--upstream {typed!r}: expected HOST or HOST:PORT", hint="--upstream db.example:5432")
    return host.strip("[]"), int(port)


class _Live(NamedTuple):
    """Where a register lies in PostgreSQL."""

    address: str
    conninfo: str
    table: str


def _live(source: str) -> _Live | None:
    """A source in PostgreSQL; `None` for another one."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    from muniment.ingest.postgres import split_location

    if not source.startswith(("postgres://", "postgresql://")):
        return None
    conninfo, schema, table = split_location(source)
    given = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None}
    host, port = given.get("host", "127.0.0.1"), given.get("port", "5432")
    return _Live(f"{host}:{port}", make_conninfo(**given), f"{schema or 'public'}.{table}")


# --- what a running gate is made of --------------------------------------------------------------------------------


def gate_parts(parts: Parts, settings: GateSettings, *, log: Path | None = None) -> GateParts:
    """Everything that a gate is made of; `log` is a file for the log, standard error without one."""
    from muniment.gate.server.parts import GateParts
    from muniment.gate.server.sessions import Sessions
    from muniment.workspace.ordinals import epochs
    from muniment.workspace.watch_gate import Lowered

    keys = epochs(parts)
    return GateParts(
        settings=settings,
        open_ledger=lambda: opened(parts).ledger,
        pseudonym_keys=keys,
        registers=shapes(parts, settings),
        clock=lambda: milliseconds(parts),
        lang=parts.config.workspace.lang,
        folder=parts.folder,
        new_control=lambda: control(parts, settings),
        new_session=Sessions(
            parts.folder, keys, os.urandom, marker=marker(parts, settings), decoys=watch(parts, settings),
            lowered=Lowered(parts),
        ),
        log_file=log,
        new_spool=lambda: spool(parts),
        reload=lambda: load(parts.folder / SETTINGS, opened(parts)),
    )


def opened(parts: Parts) -> Parts:
    """The parts of the same workspace, opened anew: for another thread or process."""
    from muniment.workspace.office import JOURNAL, open_parts

    journal = Journal.open(parts.folder / JOURNAL, parts.ring.all("segment"))
    return open_parts(parts.folder, parts.ring, journal, parts.clock)


def milliseconds(parts: Parts) -> int:
    """The workspace's clock, ms since 1970, UTC."""
    return int(parts.clock().timestamp() * 1_000)


def shapes(parts: Parts, settings: GateSettings) -> Mapping[str, RegisterShape]:
    """The guarded registers as the gate charges them; mean row bytes as configured, 0 where they are measured."""
    return {
        name: RegisterShape(
            name, schema_version(parts.journal, name), parts.register(name).key, table.mean_row_bytes or 0.0
        )
        for name, table in settings.registers.items()
    }


def control(parts: Parts, settings: GateSettings) -> PostgresControl:
    """The control connection, not opened yet. Raises `InputError` where its password file is missing."""
    from muniment.gate.server.control import GuardedTable, PostgresControl

    tables = {
        name: GuardedTable(
            table.table,
            register.key,
            {column.name: column.number for column in register.columns},
            schema_version(parts.journal, name),
            table.mean_row_bytes,
            table.harmless,
        )
        for name, table, register in ((name, one, parts.register(name)) for name, one in settings.registers.items())
    }
    return PostgresControl(settings.control, tables, password(parts, settings.control_password_file))


def password(parts: Parts, file: str) -> str | None:
    """The first line of a password file; `None` where no file is named, so that libpq looks for it."""
    if not file:
        return None
    data = read_file(parts.folder / file, CONFIG_BYTES)
    if data is None:
        raise InputError(f"{parts.folder / file}: there is no such file; expected a password on its first line")
    return data.decode("utf-8", "replace").splitlines()[0] if data else ""


def spool(parts: Parts) -> Spool:
    """The second place of this process; nothing is written before something is released."""
    from muniment.gate.server.spool import Spool

    return Spool(
        spool_folder(parts), parts.ring.all("segment"), lambda: milliseconds(parts), os.urandom,
        recorded=lambda batch: recorded(opened(parts), batch),
    )  # fmt: skip


def recorded(parts: Parts, batch: Batch) -> bool:
    """Whether the ledger, sealed or not, holds each disclosure of a batch as it happened. Errors as `Ledger.reader`."""
    reader = parts.ledger.reader()
    occurred = batch.occurred.tolist()
    if not occurred:
        return True
    rows = reader.select(channel=Channel.GATE, since=min(occurred), until=max(occurred) + 1)
    found = reader.batch(rows, records=True)
    there = Counter(found.disclosure(row) for row in range(len(found)))
    return Counter(batch.disclosure(row) for row in range(len(batch))) <= there


def spool_folder(parts: Parts) -> Path:
    """Where the spool lies."""
    return parts.ledger.place.second / SPOOL


def marks_wanted(settings: GateSettings) -> bool:
    """Whether any table of the policy has marks written in flight: then the mark keys must be open."""
    layers = (settings.defaults, *settings.roles.values(), *settings.accounts.values())
    return any(layer.get("marks") for layer in layers)


def marker(parts: Parts, settings: GateSettings) -> ResultMarker | None:
    """Marks in flight, `None` where no account has them. Reads each marked register once, for its baseline.

    Accounts that gate.toml names are put on record as candidates here; others at their first marked result.
    Raises `InputError` where marks are wanted and no register allows a carrier.
    """
    from muniment.gate.session.marking import ResultMarker
    from muniment.workspace.gatemarks import AccountNumbers, marked_register

    if not marks_wanted(settings):
        return None
    _check_read_only(settings)
    found = [one for one in (marked_register(parts, name) for name in settings.registers) if one is not None]
    if not found:
        raise InputError(
            f"{SETTINGS} wants marks in results, but no carrier is allowed on any column of a guarded register",
            hint="muniment register suggest NAME",
        )
    numbers = AccountNumbers(opened(parts))
    for account, layer in settings.accounts.items():
        if layer.get("marks", settings.defaults.get("marks", False)):
            for register in found:
                numbers.number(str(layer.get("recipient", account)), register.name)
    return ResultMarker(found, numbers)


def _check_read_only(settings: GateSettings) -> None:
    """`InputError` where somebody who receives marks may write: marks must not come back."""
    layers = {"defaults": settings.defaults}
    layers |= {f"roles.{name}": layer for name, layer in settings.roles.items()}
    layers |= {f"accounts.{name}": layer for name, layer in settings.accounts.items()}
    for place, layer in layers.items():
        writes = layer.get("read_only", settings.defaults.get("read_only", False)) is not True
        if layer.get("marks", settings.defaults.get("marks", False)) and writes:
            raise InputError(
                f"{SETTINGS}: {place} has marks written into its results, and may write: they would come back",
                hint=f"under [{place}]: read_only = true",
            )


def watch(parts: Parts, settings: GateSettings) -> DecoyWatch:
    """Who asks for decoys: those of every guarded register that has some in a live table."""
    from muniment.gate.policy.decoys import DecoyWatch
    from muniment.workspace.planting import planted, watched_decoys

    return DecoyWatch(watched_decoys(parts, name) for name in planted(parts) if name in settings.registers)


# --- replay --------------------------------------------------------------------------------------------------------


def traffic(parts: Parts, selection: Selection) -> Iterator[Traffic]:
    """Disclosures of the gate in the ledger, in its order; errors as `Ledger.reader`."""
    reader: LedgerReader = parts.ledger.reader()
    rows = selection.rows(reader)
    for start in range(0, len(rows), REPLAYED):
        yield from _traffic(reader.batch(rows.take(np.arange(start, min(start + REPLAYED, len(rows)))), records=True))


def _traffic(batch: Batch) -> Iterator[Traffic]:
    parties = [Party.from_text(text) for text in batch.party.values]
    templates = [Template.from_text(text) for text in batch.template.values]
    moments = np.where(batch.occurred > 0, batch.occurred, batch.time).tolist()
    for row, moment in enumerate(moments):
        party, template = parties[int(batch.party.codes[row])], templates[int(batch.template.codes[row])]
        nameless = int(batch.rows[row]) if template.outcome is Outcome.UNATTRIBUTED else 0
        ordinals = batch.records(row)
        if len(ordinals) or nameless:
            account = party.account or party.recipient
            yield Traffic(moment, account, ordinals, nameless, batch.case[row], template.purpose)


@contextmanager
def roles_of(parts: Parts, settings: GateSettings) -> Iterator[Callable[[str], Sequence[str]]]:
    """The roles of an account as PostgreSQL has them now; none where it cannot be asked."""
    found: dict[str, Sequence[str]] = {}
    asked = control(parts, settings)
    down = False

    def roles(account: str) -> Sequence[str]:
        nonlocal down
        if account not in found and not down:
            try:
                found[account] = asked.verifier(account).roles
            except UnreachableError:
                down = True
        return found.get(account, ())

    try:
        yield roles
    finally:
        asked.close()


def _offset(settings: GateSettings) -> Callable[[int], int]:
    from muniment.gate.server.sessions import zone

    local = zone(settings)

    def minutes(now: int) -> int:
        offset = datetime.fromtimestamp(now / 1_000, UTC).astimezone(local).utcoffset()
        return 0 if offset is None else int(offset.total_seconds() // 60)

    return minutes
