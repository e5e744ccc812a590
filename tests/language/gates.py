"""A gate as an office runs it: a real PostgreSQL over TLS with SCRAM, registers, a workspace, and the program itself.

`gate_running` gives a `GateBed`. The gate is a process of its own (`muniment gate run`), so it can be stopped, killed
and started again; what it recorded is read from the ledger by this process, as an auditor would.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import muniment as mu
from language.guarded_registers import DATABASE, create, registers
from language.observer import Client
from language.postgres import free_port
from language.program import PASSPHRASE, started
from language.servers import Certificate, make_certificate
from language.tls_server import CONTROL, PASSWORD, TlsServer, tls_server
from muniment.disclosure import Channel, Outcome, Template

START_SECONDS = 60.0
GROUPS = {
    "clerk": "IN ROLE clerks", "insider": "IN ROLE insiders", "boss": "SUPERUSER", "exporter": "IN ROLE exporters",
}  # fmt: skip
OPEN = """
[defaults]
mode = "stop"
copy = true
unattributed = "charge"

[roles.exporters]
export = true
"""
"""A policy without a budget: what is charged is charged, and nobody is stopped."""


def scram_verifier(password: str, salt: bytes = b"one salt for all", rounds: int = 4096) -> str:
    """What PostgreSQL keeps of a password (`pg_authid.rolpassword`); given so, making a role costs no hashing."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${rounds}:{salt_text}${stored_text}:{server_text}"


VERIFIER = scram_verifier(PASSWORD)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One disclosure of the ledger."""

    account: str
    register: str
    outcome: Outcome
    ordinals: tuple[int, ...]
    rows: int
    released: int
    case: str


@dataclass
class GateBed:
    """Server, workspace and gate. `persons` of a `charged` are ordinals; what is nameless is a number."""

    server: TlsServer
    folder: Path
    certificate: Certificate
    policy: str = OPEN
    gate: Mapping[str, Any] = field(default_factory=dict)
    database: str = DATABASE
    tables: Mapping[str, str] = field(default_factory=dict)
    upstream_port: int = 0
    port: int = 0
    metrics_port: int = 0
    process: subprocess.Popen[str] | None = None
    source: Path | None = None
    """The sources that the gate runs from, where they are not the checkout's."""
    _office: mu.Workspace | None = None

    # --- clients -----------------------------------------------------------------------------------------------------

    def account(self, name: str, kind: str = "clerk") -> str:
        """Make a login account; `kind` is one of `GROUPS`."""
        self.server.sql(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{VERIFIER}' {GROUPS[kind]}", database=self.database)
        return name

    def client(self, user: str, **options: str) -> Client:
        """A client of the gate; use it as a context."""
        return Client(self.port, user, PASSWORD, self.database, options)

    def direct(self, user: str, **options: str) -> Client:
        """The same client past the gate."""
        return Client(self.server.port, user, PASSWORD, self.database, options)

    def url(self, user: str) -> str:
        """A libpq address of the gate, with the password."""
        return self.server.url(user, self.database, port=self.port)

    # --- the ledger ------------------------------------------------------------------------------------------------

    @property
    def workspace(self) -> Path:
        return self.folder / "office"

    @property
    def office(self) -> mu.Workspace:
        """The workspace as an auditor opens it."""
        if self._office is None:
            self._office = mu.open(self.workspace, PASSPHRASE)
        return self._office

    def recorded(self, account: str | None = None) -> list[Recorded]:
        """Everything that the ledger holds of the gate, or of one account; sealed or not."""
        reader = self.office._parts.ledger.reader()
        batch = reader.batch(reader.select(account=account, channel=Channel.GATE), records=True)
        found = []
        for row in range(len(batch)):
            template = Template.from_text(batch.template.values[batch.template.codes[row]])
            party = batch.party.values[batch.party.codes[row]]
            found.append(
                Recorded(
                    mu_party(party), template.register, template.outcome, tuple(batch.records(row).tolist()),
                    int(batch.rows[row]), int(batch.released[row]), batch.case.values[batch.case.codes[row]],
                )
            )  # fmt: skip
        return found

    def metrics(self) -> dict[str, float]:
        """The gate's counters by their full name."""
        with urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[:1] != "#"}

    # --- the process -----------------------------------------------------------------------------------------------

    def write_settings(self) -> None:
        """gate.toml, from what this bed says now."""
        mode = "require" if self.server.tls else "off"
        here = {
            "listen": [f"127.0.0.1:{self.port}"], "upstream_host": "127.0.0.1",
            "upstream_port": self.upstream_port or self.server.port, "upstream_tls": mode,
            "control": f"host=127.0.0.1 port={self.server.port} user={CONTROL} dbname={self.database}",
            "control_password_file": "control.password", "database": self.database,
            "certificate": str(self.certificate.path), "certificate_key": str(self.certificate.key),
            "metrics": f"127.0.0.1:{self.metrics_port}", "login_seconds": 10, **self.gate,
        }  # fmt: skip
        lines = ["[gate]", *(f"{name} = {_toml(value)}" for name, value in here.items())]
        for name, table in self.tables.items():
            lines += [f"[registers.{name}]", f"table = {_toml(table)}"]
        (self.workspace / "gate.toml").write_text("\n".join(lines) + "\n" + self.policy, encoding="utf-8")
        secret = self.workspace / "control.password"
        secret.write_text(PASSWORD + "\n", encoding="utf-8")
        secret.chmod(0o600)

    @property
    def log(self) -> Path:
        return self.folder / "gate.log"

    def start(self) -> None:
        """Run the gate, and wait until it takes clients."""
        self.port, self.metrics_port = self.port or free_port(), self.metrics_port or free_port()
        self.write_settings()
        env = {"PYTHONDONTWRITEBYTECODE": "1", **({"PYTHONPATH": str(self.source)} if self.source else {})}
        self.process = started("gate", "run", "--log", self.log, "--workspace", self.workspace, env=env)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError(f"the gate did not start: {self._end()}")

    def signal(self, number: signal.Signals) -> None:
        """Send the gate a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait."""
        self.signal(signal.SIGKILL)
        self._end()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        self._end()
        assert self.process is not None
        return int(self.process.returncode)

    def resident(self) -> int:
        """Bytes of memory that the gate's process holds."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return 1024 * int(text.split("VmRSS:")[1].split()[0])

    def _end(self) -> str:
        assert self.process is not None
        try:
            _, error = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, error = self.process.communicate()
        told = self.log.read_text(encoding="utf-8")[-2000:] if self.log.exists() else ""
        return f"exit code {self.process.returncode}: {error[-2000:]} {told}"


def mu_party(text: str) -> str:
    """The account of a stored party."""
    from muniment.disclosure import Party

    return Party.from_text(text).account


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


# --- the bed ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def office_bed(programs: Path | None = None, *, settings: Sequence[str] = ()) -> Iterator[GateBed]:
    """The server with the schema `office`, and a workspace with its five registers; the gate does not run yet."""
    folder = Path(tempfile.mkdtemp(prefix="gate-"))
    try:
        with tls_server(programs, settings=settings) as server:
            server.sql(f"CREATE DATABASE {DATABASE}")
            create(server.url_of_superuser(DATABASE))
            office = mu.init(folder / "office", PASSPHRASE)
            for register in registers().values():
                office.register(register.name, register.write(folder / f"{register.name}.csv"), key=register.key)
            bed = GateBed(server, folder, make_certificate(folder, "gate"))
            bed.tables = {register.name: register.table for register in registers().values()}
            try:
                yield bed
            finally:
                bed.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def gate_running(
    programs: Path | None = None, *, policy: str = OPEN, settings: Sequence[str] = (), **gate: Any
) -> Iterator[GateBed]:
    """A running gate. `policy`: the tables of gate.toml behind [gate]; `gate`: further keys of [gate]."""
    with office_bed(programs, settings=settings) as bed:
        bed.policy, bed.gate = policy, gate
        bed.start()
        yield bed


@contextlib.contextmanager
def foreign_bed(user: str, password: str, *, gate: bool, guarded: bool = False) -> Iterator[tuple[int, int]]:
    """Two servers alike, and a gate before the second: the ports to go to (0 without a gate).

    Foreign suites name the database `postgres` here and there; so that is the one behind the gate.
    """
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(tls_server(settings=("max_prepared_transactions=10",))) for _ in range(1 + gate)]
        for server in servers:
            extensions = ("hstore", "citext") if _has_extensions(server) else ()
            server.sql(
                f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'",
                f"ALTER ROLE postgres PASSWORD '{password}'", "CREATE SCHEMA test_schema",
                "CREATE SCHEMA test_schema_2", *(f"CREATE EXTENSION {name}" for name in extensions),
                "CREATE SCHEMA guarded", "CREATE TABLE guarded.person (id integer PRIMARY KEY, surname text)",
            )  # fmt: skip
        if not gate:
            yield servers[0].port, 0
            return
        behind = small_gate(servers[1], "postgres", "guarded.person", policy=_foreign_policy(user, guarded))
        yield servers[0].port, stack.enter_context(behind).port


def _foreign_policy(user: str, guarded: bool) -> str:
    code = "code = true\nredact = false\n" if guarded else ""
    names = (user, "postgres")  # pg8000's suite takes no other name
    return '[defaults]\nmode = "stop"\n' + "".join(
        f"[accounts.{name}]\nguarded = {_toml(guarded)}\n{code}" for name in names
    )


def _has_extensions(server: TlsServer) -> bool:
    import psycopg

    with psycopg.connect(server.server.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_available_extensions WHERE name IN ('hstore', 'citext')")
        return found.fetchone() == (2,)


@contextlib.contextmanager
def small_gate(
    server: TlsServer, database: str, table: str, *, policy: str = OPEN, columns: Sequence[str] = ("id", "surname"),
    key: Sequence[str] = ("id",), source: Path | None = None, **gate: Any,
) -> Iterator[GateBed]:  # fmt: skip
    """A gate before an existing server with one register `guarded`, for benches and foreign suites."""
    folder = Path(tempfile.mkdtemp(prefix="gate-", dir=os.environ.get("MUNIMENT_BENCH_FOLDER")))
    try:
        file = folder / "guarded.csv"
        file.write_text(",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n", encoding="utf-8")
        office = mu.init(folder / "office", PASSPHRASE)
        office.register("guarded", file, key=tuple(key))
        bed = GateBed(server, folder, make_certificate(folder, "gate"), policy, gate, database, {"guarded": table})
        bed.source = source
        bed.start()
        try:
            yield bed
        finally:
            bed.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
