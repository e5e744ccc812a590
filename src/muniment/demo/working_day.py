"""A working day at the gate: clerks at work, one bulk harvest, one enumeration, and the trace of what got out.

A real PostgreSQL is started for it, with the register as a table, and `muniment gate run` before it as a process of its
own; everybody speaks TLS and SCRAM.
"""

from __future__ import annotations

import csv
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from muniment.demo.postgres import Server, free_port, running
from muniment.errors import UnreachableError
from muniment.passphrase import ENVIRONMENT
from muniment.table import Table

TABLE: Final = "people"
CLERKS: Final = ("clerk_chen", "clerk_lee", "clerk_wang")
HARVESTER: Final = "clerk_lin"
ENUMERATOR: Final = "clerk_wu"
BUDGET: Final = 400
"""Persons that an account of the demo may receive in an hour."""
CASES: Final = 40
"""Persons in the case-load of one clerk."""
ROUNDS: Final = 3
"""Times that a clerk goes through the case-load: only the first time costs."""
START_SECONDS: Final = 60.0
_ACCESS: Final = """\
local all postgres trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Day:
    """What the day brought: reads by clerks, rows that left before each stop, and the file of what was harvested."""

    lookups: int
    harvested: int
    enumerated: int
    wanted: int
    stopped: str
    usable: bool
    seconds: float
    leak: Path


@dataclass(frozen=True, slots=True, repr=False)
class Door:
    """How an account reaches the register through the gate."""

    port: int
    certificate: Path
    password: str

    def open(self, account: str) -> psycopg.Connection[Any]:
        """A connection of that account: TLS checked against the gate's certificate, SCRAM bound to it."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=account, password=self.password, dbname="postgres",
            sslmode="verify-full", sslrootcert=str(self.certificate), channel_binding="require", autocommit=True,
            application_name="demo",
        )  # fmt: skip


def run(office: Path, register: Table, home: Path, passphrase: str) -> Day:
    """Live through the day; `office` is the workspace that has `register` under the name of the table.

    Raises `UnreachableError` where PostgreSQL or the gate does not start.
    """
    password = secrets.token_urlsafe(12)
    with running(access=_ACCESS) as server:
        _fill(server, register, password)
        certificate = _certificate(home)
        port = _settings(office, server, home)
        with _gate(office, port, passphrase):
            return _day(Door(port, certificate, password), register, home)


def _day(door: Door, register: Table, home: Path) -> Day:
    start = time.perf_counter()
    keys = [str(key) for key in register["person_id"]]
    lookups = sum(_work(door, clerk, keys[1_000 + CASES * n :][:CASES]) for n, clerk in enumerate(CLERKS))
    rows, stopped, usable = _harvest(door)
    enumerated = _enumerate(door, keys[: 2 * BUDGET])
    seconds = time.perf_counter() - start
    leak = _write(home / "harvested.csv", register.columns, rows)
    return Day(lookups, len(rows), enumerated, len(keys), stopped, usable, seconds, leak)


def _work(door: Door, clerk: str, cases: Sequence[str]) -> int:
    """One clerk's work: the case-load again and again, a list now and then; returns the number of statements."""
    with door.open(clerk) as connection:
        for _ in range(ROUNDS):
            for key in cases:
                connection.execute("select * from people where person_id = %s", [key]).fetchone()
        connection.execute("select person_id, name_zh, phone from people where person_id = any(%s)", [list(cases)])
    return ROUNDS * len(cases) + 1


def _harvest(door: Door) -> tuple[list[Sequence[Any]], str, bool]:
    """Read the whole register: the rows that came, what the gate said, and whether the session could go on."""
    rows: list[Sequence[Any]] = []
    stopped = ""
    with door.open(HARVESTER) as connection:
        try:
            with connection.cursor() as cursor:
                rows += cursor.stream("select * from people order by person_id")
        except psycopg.Error as error:
            stopped = error.diag.message_primary or ""
        usable = connection.execute("select 1").fetchone() == (1,)
    return rows, stopped, usable


def _enumerate(door: Door, keys: Sequence[str]) -> int:
    """Ask for one person after the other, by number: how many came before the gate ended it."""
    came = 0
    with door.open(ENUMERATOR) as connection:
        for key in keys:
            try:
                came += connection.execute("select * from people where person_id = %s", [key]).fetchone() is not None
            except psycopg.Error:
                break
    return came


# --- what the day needs --------------------------------------------------------------------------------------------


def _fill(server: Server, register: Table, password: str) -> None:
    names = [sql.Identifier(column) for column in register.columns]
    with psycopg.connect(server.url, autocommit=True) as connection:
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(name) for name in names)
        connection.execute(sql.SQL("create table people ({}, primary key (person_id))").format(columns))
        with connection.cursor() as cursor, cursor.copy("copy people from stdin") as copy:
            for row in register.iter_rows():
                copy.write_row(row)
        connection.execute("analyze people")
        for account in (*CLERKS, HARVESTER, ENUMERATOR):
            role = sql.Identifier(account)
            connection.execute(sql.SQL("create role {} login password {}").format(role, sql.Literal(password)))
            connection.execute(sql.SQL("grant select on people to {}").format(role))


def _settings(office: Path, server: Server, home: Path) -> int:
    """Write gate.toml; returns the port that the gate will listen on."""
    port = free_port()
    accounts = "\n".join(
        f'[accounts.{account}]\nrecipient = "{account}"\nread_only = true\nmarks = true\n'
        for account in (*CLERKS, HARVESTER, ENUMERATOR)
    )
    (office / "gate.toml").write_text(
        f"""\
[gate]
listen = ["127.0.0.1:{port}"]
upstream_host = "127.0.0.1"
upstream_port = {server.port}
upstream_tls = "off"
database = "postgres"
control = "host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
certificate = "{home / 'gate.crt'}"
certificate_key = "{home / 'gate.key'}"
metrics = ""

[registers.{TABLE}]
table = "public.{TABLE}"

[defaults]
mode = "stop"
contact = "dpo@example.org"
purpose = "daily work"
persons = {{ hour = {BUDGET} }}

{accounts}""",
        encoding="utf-8",
    )
    return port


def _certificate(home: Path) -> Path:
    """A certificate for 127.0.0.1 that lasts a day; returns its path, the key beside it is for the gate alone."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "muniment demo")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, private = home / "gate.crt", home / "gate.key"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


@contextmanager
def _gate(office: Path, port: int, passphrase: str) -> Iterator[None]:
    """`muniment gate run` until the block ends; it seals the ledger when it is told to go."""
    command = [sys.executable, "-m", "muniment", "gate", "run", "--workspace", str(office)]
    log = (office.parent / "gate.log").open("wb")
    environment = os.environ | {ENVIRONMENT: passphrase}
    with log, subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
        try:
            _wait(process, port, office.parent / "gate.log")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise UnreachableError(f"the gate did not start: {log.read_text(errors='replace')[-500:]}", hint=f"see {log}")


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """What the harvester would pass on: everything but the numbers."""
    keep = [i for i, column in enumerate(columns) if column not in {"person_id", "household_id"}]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([columns[i] for i in keep])
        writer.writerows([row[i] for i in keep] for row in rows)
    return path
