"""A gate on real sockets with a scripted session: certificates, an upstream that echoes, clients, and its parts.

The session speaks a language of its own, so that only the server is tested: whatever the client sends goes upstream,
whatever upstream sends comes back, behind an `Append` where `recorded` says so. Lines that begin with `!` are orders.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from language.ledgers import LedgerFolder
from muniment.disclosure import Channel, Outcome, Party, Template
from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.policy.settings import GateSettings
from muniment.gate.protocol.startup import CancelRequest, SSLRequest
from muniment.gate.server.gate import Gate, serving
from muniment.gate.server.parts import Door, GateParts, Kit
from muniment.gate.session import commands, events
from muniment.gate.session.commands import Command, Entry
from muniment.keys import Key, Purpose

T = TypeVar("T")
PSEUDONYM_KEYS = tuple(Key(f"pseudonym-{n}", Purpose.PSEUDONYM, bytes([64 + n]) * 32) for n in (1, 2))
CATALOGUE = Catalogue(1, {}, {}, frozenset(), frozenset(), False)
TEMPLATE = Template("persons", 1, Channel.GATE, (1, 2), "a purpose")
SSL_REQUEST = SSLRequest().build()
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run(main: Coroutine[Any, Any, T], loop: str = "asyncio", seconds: float = 20.0) -> T:
    """Run a test on one of `LOOPS`; `TimeoutError` where it hangs."""

    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await main

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(bounded())


# --- certificates ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate on disk, for the name `localhost` too."""

    path: Path
    key: Path
    der: bytes


def make_certificate(
    folder: Path, name: str = "gate", *, kind: str = "ec", algorithm: HashAlgorithm | None = None, pss: bool = False
) -> Certificate:
    """A certificate in a folder. `kind`: ec, rsa or ed25519; `algorithm`: the hash of its signature."""
    key: Any = {
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }[kind]()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    hashed = None if kind == "ed25519" else algorithm or SHA256()
    more: dict[str, Any] = {"rsa_padding": padding.PSS(padding.MGF1(SHA384()), 48)} if pss else {}
    made = builder.sign(key, hashed, **more)
    folder.mkdir(parents=True, exist_ok=True)
    found = Certificate(folder / f"{name}.crt", folder / f"{name}.key", made.public_bytes(Encoding.DER))
    found.path.write_bytes(made.public_bytes(Encoding.PEM))
    found.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return found


def client_tls(*, alpn: bool = False, shown: Certificate | None = None) -> ssl.SSLContext:
    """What a client uses; it trusts anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(["postgresql"])
    if shown is not None:
        context.load_cert_chain(shown.path, shown.key)
    return context


# --- the scripted session --------------------------------------------------------------------------------------------


def entry(
    *ordinals: int, account: str = "clerk", outcome: Outcome = Outcome.GIVEN, rows: int = 1, case: str = "case 1"
) -> Entry:
    """A disclosure as a session asks for it."""
    return Entry(
        Party(account, account, "local"), replace(TEMPLATE, outcome=outcome), np.array(ordinals, np.uint32), case,
        "0123456789abcdef", rows, 100, rows,
    )  # fmt: skip


class Scripted:
    """A `SessionLike`. A first line `NAME\\n` is the login of an account; see the module for the rest.

    Orders: `!cancel`, `!wake`, `!raise`, `!report`, `!bye`, `!refresh`, `!hold`, `!congest`, `!upstream`.
    """

    def __init__(self, kit: Kit, door: Door, *, recorded: bool = False, spool: bool = False) -> None:
        self.kit, self.door = kit, door
        self.seen: list[str] = []
        self.account, self.congested, self.hold = "", False, False
        self.tls = door.tls
        self.recorded, self.spool = recorded, spool
        self._token = 0
        self._held: dict[int, bytes] = {}
        self._open = False

    @property
    def idle(self) -> bool:
        return not self._held

    def receive(self, event: events.Event) -> list[Command]:
        self.seen.append(type(event).__name__)
        step = getattr(self, f"_{type(event).__name__}", None)
        return [] if step is None else step(event)

    def _FromClient(self, event: events.FromClient) -> list[Command]:
        data = event.data
        if not self.account and data.startswith(SSL_REQUEST[:8]):
            return [commands.ToClient(b"S"), commands.StartTls()]
        if not self.account and data[4:8] == CancelRequest.CODE.to_bytes(4, "big"):
            process = int.from_bytes(data[8:12], "big")
            return [commands.CancelSession(process, data[12:]), commands.CloseClient()]
        if not self.account and not data.endswith(b"\n"):
            return []
        if not self.account:
            name = data.decode().strip()
            return [commands.FindVerifier(name)]
        if data.startswith(b"!"):
            return self._order(data.decode().strip())
        return [commands.ToUpstream(data)]

    def _order(self, line: str) -> list[Command]:
        if line == "!raise":
            raise RuntimeError("a cell: secret")
        if line == "!hold":
            self.hold = True
            return [commands.ToClient(b"held\n")]
        return {
            "!cancel": [commands.CancelUpstream(7, b"secret")],
            "!wake": [commands.Wake(1, 0.01)],
            "!report": [commands.Report("stopped", (("account", self.account),), alarm=True)],
            "!bye": [commands.ToClient(b"bye\n"), commands.CloseClient(), commands.CloseUpstream()],
            "!refresh": [commands.RefreshCatalogue()],
            "!upstream": [commands.CloseUpstream(), commands.OpenUpstream()],
        }[line]

    def _VerifierFound(self, event: events.VerifierFound) -> list[Command]:
        if event.secret is None:
            return [commands.ToClient(b"who\n"), commands.CloseClient()]
        self.account = event.account
        return [commands.PrepareAccount(event.account)]

    def _AccountReady(self, _: events.AccountReady) -> list[Command]:
        return [commands.OpenUpstream()]

    def _UpstreamOpened(self, event: events.UpstreamOpened) -> list[Command]:
        key = f"{self.door.process} {self.door.secret.hex()} {event.certificate_hash.hex()}"
        return [commands.ToClient(f"ready {key}\n".encode())]

    def _UpstreamClosed(self, event: events.UpstreamClosed) -> list[Command]:
        return [commands.ToClient(f"upstream {event.reason}\n".encode()), commands.CloseClient()]

    def _FromUpstream(self, event: events.FromUpstream) -> list[Command]:
        if not self.recorded:
            return [commands.ToClient(event.data)]
        self._token += 1
        self._held[self._token] = event.data
        ordinals = self.kit.persons.ordinals("persons", [[str(self._token)]])
        one = entry(*ordinals.tolist(), account=self.account, case=f"case {self._token}")
        return [commands.Append(self._token, (one,), self.spool)]

    def _Appended(self, event: events.Appended) -> list[Command]:
        return [commands.ToClient(self._held.pop(event.token))]

    def _AppendFailed(self, event: events.AppendFailed) -> list[Command]:
        self._held.pop(event.token)
        return [commands.ToClient(b"MU001\n")]

    def _TlsStarted(self, event: events.TlsStarted) -> list[Command]:
        self.tls = event
        return []

    def _Cancelled(self, _: events.Cancelled) -> list[Command]:
        return [commands.ToClient(b"cancelled\n")]

    def _Woken(self, event: events.Woken) -> list[Command]:
        return [commands.ToClient(f"woken {event.token}\n".encode())]

    def _CancelAsked(self, _: events.CancelAsked) -> list[Command]:
        return [commands.ToClient(b"asked\n"), commands.CancelUpstream(7, b"secret")]

    def _CatalogueChanged(self, event: events.CatalogueChanged) -> list[Command]:
        return [commands.ToClient(f"catalogue {event.catalogue.version}\n".encode())]

    def _Draining(self, _: events.Draining) -> list[Command]:
        return [commands.ToClient(b"draining\n"), commands.CloseUpstream(), commands.CloseClient()]

    def _ClientClosed(self, _: events.ClientClosed) -> list[Command]:
        return [commands.CloseUpstream()]


# --- PostgreSQL's side -----------------------------------------------------------------------------------------------


@dataclass
class Upstream:
    """Echoes lines; `N bytes` is answered with so many. Cancel requests are kept, and closed after `cancel_seconds`."""

    tls: ssl.SSLContext | None = None
    answer: bytes = b"S"
    cancel_seconds: float = 0.0
    port: int = 0
    received: int = 0
    cancels: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.writers.append(writer)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            self.received += len(data)
            if data.startswith(SSL_REQUEST):
                writer.write(self.answer)
                if self.answer == b"S" and self.tls is not None:
                    await writer.start_tls(self.tls)
            elif data[4:8] == CancelRequest.CODE.to_bytes(4, "big"):
                self.cancels.append(data)
                await asyncio.sleep(self.cancel_seconds)
                return
            elif data.endswith(b" bytes\n"):
                writer.write(b"x" * int(data.split()[0]))
                await writer.drain()
            else:
                writer.write(data)
                await writer.drain()


class ScriptedControl:
    """A `Control`: everybody but `nobody` exists."""

    def __init__(self) -> None:
        self.version = 1
        self.closed = False

    def catalogue(self) -> Catalogue:
        self.version += 1
        return replace(CATALOGUE, version=self.version)

    def changed(self) -> bool:
        return False

    def verifier(self, account: str) -> events.VerifierFound:
        return events.VerifierFound(account, None if account == "nobody" else "secret", (account,))

    def close(self) -> None:
        self.closed = True


# --- all of it together ----------------------------------------------------------------------------------------------


@dataclass
class Bed:
    """A gate before an upstream; its sessions in the order in which they began."""

    gate: Gate
    upstream: Upstream
    ledger: LedgerFolder
    sessions: list[Scripted]
    log: Path
    clients: list[Client] = field(default_factory=list)

    async def connect(self, **more: Any) -> Client:
        """A client that has not said anything yet."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gate.port, **more)
        self.clients.append(Client(reader, writer))
        return self.clients[-1]

    async def client(self, account: str = "clerk", tls: ssl.SSLContext | None = None) -> Client:
        """A client that has logged in."""
        client = await self.connect()
        if tls is not None:
            await client.start_tls(tls)
        await client.login(account)
        return client


@dataclass
class Client:
    """A client by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    key: tuple[int, bytes] = (0, b"")
    upstream_hash: str = ""

    async def start_tls(self, context: ssl.SSLContext) -> None:
        self.writer.write(SSL_REQUEST)
        assert await self.reader.readexactly(1) == b"S"
        await self.writer.start_tls(context, server_hostname="localhost")

    async def login(self, account: str = "clerk") -> None:
        word, process, secret, *certificate = (await self.ask(account)).split(" ")
        assert word == "ready"
        self.key = int(process), bytes.fromhex(secret)
        self.upstream_hash = certificate[0].strip()

    async def ask(self, line: str) -> str:
        """Send a line, and read one."""
        self.writer.write(line.encode() + b"\n")
        return (await self.reader.readline()).decode().rstrip("\n")

    async def close(self) -> None:
        """Close, and wait until it is."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


def parts_of(ledger: LedgerFolder, port: int, sessions: list[Scripted], **more: Any) -> GateParts:
    """Parts for `serving`. Settings by name, `recorded` and `spool` for the sessions, parts by name."""
    behaviour = {name: more.pop(name) for name in ("recorded", "spool") if name in more}
    own = {name: more.pop(name) for name in tuple(more) if name in GateParts.__dataclass_fields__}
    settings: dict[str, Any] = {
        "upstream_host": "127.0.0.1", "upstream_port": port, "upstream_tls": "off", "control": "",
        "listen": ("127.0.0.1:0",),
    }  # fmt: skip

    def new_session(kit: Kit, door: Door) -> Scripted:
        sessions.append(Scripted(kit, door, **behaviour))
        return sessions[-1]

    fields: dict[str, Any] = {
        "settings": GateSettings(**(settings | more)), "open_ledger": ledger.open, "pseudonym_keys": PSEUDONYM_KEYS,
        "registers": {}, "clock": lambda: 1_800_000_000_000, "lang": "en", "folder": ledger.folder,
        "new_session": new_session, "new_control": ScriptedControl, "log_file": ledger.folder / "gate.log",
    }  # fmt: skip
    return GateParts(**(fields | own))


@asynccontextmanager
async def gate_bed(folder: Path, upstream: Upstream | None = None, **more: Any) -> Any:
    """A `Bed`, for as long as the block lasts; arguments as `parts_of`."""
    upstream = upstream or Upstream()
    there = (folder / "office").exists()
    ledger = LedgerFolder(folder / "office") if there else LedgerFolder.made(folder / "office")
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    sessions: list[Scripted] = []
    try:
        async with serving(parts_of(ledger, upstream.port, sessions, **more)) as gate:
            bed = Bed(gate, upstream, ledger, sessions, ledger.folder / "gate.log")
            try:
                yield bed
            finally:
                await asyncio.gather(*(client.close() for client in bed.clients))
    finally:
        server.close()
        for writer in upstream.writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@contextmanager
def patience(seconds: float = 5.0) -> Iterator[Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]]:
    """`await wait(condition)` until it holds; `AssertionError` where it never does."""

    async def wait(condition: Callable[[], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, "it never came"
            await asyncio.sleep(0.005)

    yield wait
