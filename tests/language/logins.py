"""Certificates, stored secrets, and a gate of blocking sockets that opens a session and then only passes bytes on."""

from __future__ import annotations

import contextlib
import datetime
import os
import select
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from language.postgres import unprivileged_user
from muniment.gate.identity.login import LoginSettings
from muniment.gate.identity.scram import Secret
from muniment.gate.session import commands, events
from muniment.gate.session.opening import Opening, OpeningSetup

SERVER_KEY = bytes(range(32))
GATE_KEY = (4711, bytes(range(100, 132)))
SALT = b"0123456789abcdef"
SETTINGS = LoginSettings(server_key=SERVER_KEY)
PASSWORD = "korrekt häst 電池"


def counted(size: int) -> bytes:
    """Random bytes that are not."""
    return bytes(range(size))


def found(account: str = "clerk", password: str | None = PASSWORD) -> events.VerifierFound:
    """What PostgreSQL would store for an account; `None`: there is no such account."""
    if password is None:
        return events.VerifierFound(account, None)
    return events.VerifierFound(account, Secret.of_password(password, SALT).to_text(), (account, "readers"))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-made certificate: files, and its `tls-server-end-point` hash."""

    certificate: Path
    key: Path
    hash: bytes


def certificate(folder: Path, name: str = "localhost") -> Certificate:
    """A certificate that signs itself, in files that the throw-away server may read too."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    paths[1].chmod(0o600)
    return Certificate(*paths, made.fingerprint(hashes.SHA256()))


@contextlib.contextmanager
def servers_folder() -> Iterator[Path]:
    """A temporary folder whose files, once `handed_over`, the throw-away server may read."""
    with tempfile.TemporaryDirectory(prefix="tls-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def handed_over(made: Certificate) -> Certificate:
    """The same certificate, its key file owned by whoever runs the server: PostgreSQL takes no other."""
    user = unprivileged_user()
    if user:
        os.chown(made.key, user.pw_uid, user.pw_gid)
    return made


@dataclass(slots=True)
class PlainGate:
    """Opens sessions over blocking sockets, one thread each. `lookup` is the control connection.

    `upstream_tls`: certificate of the server, where the gate is to talk TLS to it.
    """

    setup: OpeningSetup
    lookup: Callable[[str], events.VerifierFound]
    upstream: int
    tls: Certificate | None = None
    upstream_tls: Certificate | None = None
    openings: list[Opening] = field(default_factory=list)
    reports: list[commands.Report] = field(default_factory=list)
    cancels: list[commands.CancelSession] = field(default_factory=list)
    port: int = 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[PlainGate]:
        """Accept until the block ends; every thread is ended with it."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = int(listener.getsockname()[1])
            threads: list[threading.Thread] = []
            accepting = threading.Thread(target=self._accept, args=(listener, threads))
            accepting.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                accepting.join(10)
                for thread in threads:
                    thread.join(10)

    def _accept(self, listener: socket.socket, threads: list[threading.Thread]) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.settimeout(10)
            threads.append(threading.Thread(target=self._serve, args=(client,)))
            threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        opening = Opening(self.setup, os.urandom)
        self.openings.append(opening)
        with contextlib.suppress(OSError), contextlib.closing(_Served(self, opening, client)) as served:
            served.run()


class _Served:
    def __init__(self, gate: PlainGate, opening: Opening, client: socket.socket) -> None:
        self.gate, self.opening, self.client = gate, opening, client
        self.server: socket.socket | None = None
        self.waiting = False
        """For PostgreSQL, not for the client."""

    def close(self) -> None:
        if isinstance(self.client, ssl.SSLSocket):
            # A cancelling libpq takes an end without goodbye for a failure.
            with contextlib.suppress(OSError, ValueError):
                self.client.settimeout(1)
                self.client.unwrap()
        self.client.close()
        if self.server is not None:
            self.server.close()

    def run(self) -> None:
        while not (self.opening.done or self.opening.closed):
            if self.waiting and self.server is not None:
                data = self.server.recv(65_536)
                event: events.Event = events.FromUpstream(data) if data else events.UpstreamClosed("closed")
            else:
                data = self.client.recv(65_536)
                event = events.FromClient(data) if data else events.ClientClosed()
            self.tell(event)
        if self.opening.done and self.server is not None:
            self._relay(self.server)

    def tell(self, event: events.Event) -> None:
        for command in self.opening.receive(event):
            self._do(command)

    def _do(self, command: commands.Command) -> None:
        gate = self.gate
        match command:
            case commands.ToClient(data):
                self.client.sendall(data)
            case commands.StartTls():
                self._start_tls()
            case commands.FindVerifier(account):
                self.tell(gate.lookup(account))
            case commands.PrepareAccount():
                self.tell(events.AccountReady())
            case commands.OpenUpstream():
                self._open_upstream()
            case commands.ToUpstream(data):
                assert self.server is not None
                self.server.sendall(data)
            case commands.Report():
                gate.reports.append(command)
            case commands.CancelSession():
                gate.cancels.append(command)
            case commands.CloseUpstream():
                assert self.server is not None
                self.server.close()
                self.server, self.waiting = None, False

    def _start_tls(self) -> None:
        assert self.gate.tls is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.gate.tls.certificate, self.gate.tls.key)
        self.client = context.wrap_socket(self.client, server_side=True)
        self.tell(events.TlsStarted(self.gate.tls.hash))

    def _open_upstream(self) -> None:
        self.server = socket.create_connection(("127.0.0.1", self.gate.upstream), timeout=10)
        self.waiting = True
        binding = b""
        if self.gate.upstream_tls is not None:
            self.server.sendall(bytes((0, 0, 0, 8)) + (80877103).to_bytes(4, "big"))
            assert self.server.recv(1) == b"S"
            context = ssl.create_default_context(cafile=str(self.gate.upstream_tls.certificate))
            self.server = context.wrap_socket(self.server, server_hostname="localhost")
            binding = self.gate.upstream_tls.hash
        self.tell(events.UpstreamOpened(binding))

    def _relay(self, server: socket.socket) -> None:
        server.sendall(self.opening.left_client)
        self.client.sendall(self.opening.left_upstream)
        ways = {self.client: server, server: self.client}
        while True:
            # One thread for both ways: an SSL object must not be read and written at the same time.
            ready = [one for one in ways if isinstance(one, ssl.SSLSocket) and one.pending()]
            for one in ready or select.select(list(ways), [], [], 10)[0]:
                data = one.recv(65_536)
                if not data:
                    return
                ways[one].sendall(data)
