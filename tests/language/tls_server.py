"""A real PostgreSQL that speaks TLS and asks for SCRAM, as an office would run one behind the gate.

The wheel's server is built without TLS: there, the gate and direct clients speak in clear, with SCRAM all the same.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from language.postgres import Server, ServerError, find_programs, programs_of_wheel, running, unprivileged_user
from language.servers import Certificate, make_certificate

PASSWORD = "correct horse battery"
CONTROL = "muniment_control"
"""The superuser by which the gate reads catalogue and verifiers."""
ACCESS = """\
local   all all                    trust
host    all postgres 127.0.0.1/32  trust
hostssl all all      127.0.0.1/32  scram-sha-256
hostssl replication all 127.0.0.1/32 scram-sha-256
"""
"""Everybody but `postgres` (who sets the bed up) needs TLS and a password; without TLS in the server, a password."""


@dataclass(frozen=True, slots=True)
class TlsServer:
    """A server, and the certificate that it shows."""

    server: Server
    certificate: Certificate
    programs: Path
    tls: bool

    @property
    def port(self) -> int:
        return self.server.port

    def url(self, user: str, database: str = "postgres", *, port: int | None = None) -> str:
        """A libpq address with the password; TLS required. `port`: the gate's instead of the server's own."""
        place = f"{user}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port or self.port}"
        return f"postgresql://{place}/{database}?sslmode={'require' if self.tls or port else 'disable'}"

    def url_of_superuser(self, database: str) -> str:
        """The address by which the bed is set up."""
        return f"{self.server.url.rsplit('/', 1)[0]}/{database}"

    def sql(self, *statements: str, database: str = "postgres") -> None:
        """Run statements past everything, as `postgres`; each in a transaction of its own."""
        with psycopg.connect(self.url_of_superuser(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]


def versions() -> dict[str, Path]:
    """The folders of programs to test with: the machine's own and the wheel's, by what they are."""
    found: dict[str, Path] = {}
    with contextlib.suppress(ServerError):
        found["system"] = find_programs()
    for folder in programs_of_wheel()[:1]:
        found["wheel"] = folder
    return found


@contextlib.contextmanager
def tls_server(programs: Path | None = None, *, settings: Sequence[str] = ()) -> Iterator[TlsServer]:
    """The server with a control account, for as long as the block lasts. `ServerError` where there is none."""
    programs = programs or find_programs()
    folder = Path(tempfile.mkdtemp(prefix="pgtls-"))
    try:
        certificate = make_certificate(folder, "postgres", kind="rsa")
        user = unprivileged_user()
        certificate.key.chmod(0o600)
        if user is not None:
            for path in (folder, certificate.path, certificate.key):
                os.chown(path, user.pw_uid, user.pw_gid)
        common = ("password_encryption=scram-sha-256", "max_connections=140", *settings)
        tls = "--with-ssl" in _configured(programs) or "--with-openssl" in _configured(programs)
        secured = ("ssl=on", f"ssl_cert_file={certificate.path}", f"ssl_key_file={certificate.key}") if tls else ()
        access = ACCESS if tls else ACCESS.replace("hostssl", "host   ")
        with running(programs, access=access, settings=(*common, *secured)) as server:
            made = TlsServer(server, certificate, programs, tls)
            made.sql(f"CREATE ROLE {CONTROL} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configured(programs: Path) -> str:
    """How these programs were built."""
    told = subprocess.run([programs / "pg_config", "--configure"], capture_output=True, text=True, check=False)
    return told.stdout
