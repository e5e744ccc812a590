"""Alerts to speak of, and tiny real servers that take them: syslog, webhook, SMTP. On 127.0.0.1, a thread each."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from language.servers import Certificate, make_certificate
from muniment.watch.alerts import Alert, AlertBook, AlertEvent, NamedStake, Pseudonyms, Sighting, View
from muniment.watch.findings import Finding, Stake
from muniment.watch.sinks import Message, message_of

NOW = 1_760_000_000_000
DAY = 86_400_000
NAMES = Pseudonyms(bytes(range(32)))
ACCOUNT = "a.lin@example.org"
OFFICE = "Housing"
WHO = NAMES.of("account", ACCOUNT)
WHERE = NAMES.of("office", OFFICE)
STAKES = (NamedStake("residents", ("name", "address"), 30, 2.0), NamedStake("dogs", ("owner",), 7))
SECONDS = 10.0


def sighting(pattern: str = "budget", **values: Any) -> Sighting:
    """A finding in words; whatever is given replaces what stands here."""
    kind = "guaranteed" if pattern in {"budget", "share", "challenge", "decoy"} else "estimated"
    one = Sighting("account", WHO, pattern, kind, ((pattern, 0.7), ("expected", 0.3)), 3.4, 20_100, 20_110, 0, STAKES)
    return replace(one, **({"office": WHERE} | values))


def finding(code: int = 4, **values: Any) -> Finding:
    """A finding as the detector makes it: codes, and a bitmap of columns."""
    shares = (("budget", 2 / 3), ("share", 1 / 3))
    stakes = (Stake(0, 0b110, 30), Stake(1, 0b10, 7))
    one = Finding("account", code, "guaranteed", "budget", shares, 3.4, 3.3, 20_100, 20_110, 0, stakes)
    return replace(one, **values)


class Codes:
    """The words behind the codes of `finding`."""

    def unit(self, unit: str, code: int) -> str:
        return NAMES.of("office" if unit == "office" else "account", f"{unit}-{code}")

    def office(self, finding: Finding) -> str:
        return WHERE

    def register(self, code: int) -> str:
        return ("residents", "dogs")[code]

    def columns(self, register: int, bitmap: int) -> tuple[str, ...]:
        names = (("number", "name", "address"), ("number", "owner"))[register]
        return tuple(name for number, name in enumerate(names) if bitmap >> number & 1)


def book(*sightings: Sighting, at: int = NOW) -> AlertBook:
    """A book in which these were found, an hour apart."""
    made = AlertBook(NAMES)
    for number, one in enumerate(sightings):
        event = made.take(one, at + number * 3_600_000)
        if event is not None:
            made.apply(event)
    return made


def alert(pattern: str = "budget", **values: Any) -> Alert:
    """An alert that was just opened."""
    return book(sighting(pattern, **values)).alerts[0]


def opened(one: Alert) -> AlertEvent:
    """The event that opened it."""
    return one.history[0]


def message(pattern: str = "budget", lang: str = "en", **values: Any) -> Message:
    """A message about an alert."""
    one = alert(pattern, **values)
    return message_of(one, opened(one), lang, View({WHO: ACCOUNT}))


class Store:
    """What keeps an outbox: the last bytes, and how often they changed."""

    def __init__(self) -> None:
        self.data = b""
        self.times = 0

    def __call__(self, data: bytes) -> None:
        self.data, self.times = data, self.times + 1


# --- servers ---------------------------------------------------------------------------------------------------------


@dataclass
class Taken:
    """What a server took, in order; `wait` until there are so many."""

    port: int
    certificate: Certificate | None = None
    heads: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    _more: threading.Condition = field(default_factory=threading.Condition)

    def add(self, body: bytes, heads: Mapping[str, str] | None = None) -> None:
        with self._more:
            self.heads.append(heads or {})
            self.bodies.append(body)
            self._more.notify_all()

    def wait(self, count: int = 1) -> list[bytes]:
        with self._more:
            if not self._more.wait_for(lambda: len(self.bodies) >= count, SECONDS):
                raise AssertionError(f"{len(self.bodies)} of {count} messages came")
            return list(self.bodies)


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS)


def _tls(folder: Path) -> tuple[Certificate, ssl.SSLContext]:
    made = make_certificate(folder, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.path, made.key)
    return made, context


@contextmanager
def udp_syslog() -> Iterator[Taken]:
    """Takes datagrams."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            taken.add(self.request[0])

    server = socketserver.UDPServer(("127.0.0.1", 0), Handler)
    taken = Taken(server.server_address[1])
    with _serving(server):
        yield taken


@contextmanager
def stream_syslog(folder: Path | None = None, *, stays_open: bool = False) -> Iterator[Taken]:
    """Takes octet-counted messages over TCP; over TLS where a folder for the certificate is given.

    `stays_open`: it takes the message and leaves the connection as it is.
    """
    certificate, context = _tls(folder) if folder else (None, None)
    done = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        timeout = SECONDS

        def handle(self) -> None:
            count = b""
            while (one := self.rfile.read(1)) not in {b" ", b""}:
                count += one
            taken.add(self.rfile.read(int(count)))
            if stays_open:
                done.wait(SECONDS)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def get_request(self) -> tuple[socket.socket, Any]:
            made, address = super().get_request()
            return (context.wrap_socket(made, server_side=True) if context else made), address

    server = Server(("127.0.0.1", 0), Handler)
    taken = Taken(server.server_address[1], certificate)
    with _serving(server):
        yield taken
        done.set()


@contextmanager
def webhook(folder: Path | None = None, *, answers: tuple[int, ...] = (204,)) -> Iterator[Taken]:
    """Takes posts, over TLS where a folder is given. `answers`: what it says, one after another, the last for ever."""
    certificate, context = _tls(folder) if folder else (None, None)
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        timeout = SECONDS

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.add(body, {key.lower(): value for key, value in self.headers.items()} | {":path": self.path})
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    taken = Taken(server.server_address[1], certificate)
    with _serving(server):
        yield taken


@contextmanager
def smtp(
    folder: Path | None = None, *, at_once: bool = False, refuses: str = "", login: str = "", drops: bool = False
) -> Iterator[Taken]:
    """Takes mail. With a folder it offers STARTTLS, or speaks TLS `at_once`.

    `refuses`: a recipient that it does not take. `login`: the credentials it wants, as AUTH PLAIN sends them (base64).
    `drops`: it hangs up after the greeting.
    """
    certificate, context = _tls(folder) if folder else (None, None)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            plain = self.request
            plain.settimeout(SECONDS)
            wire = context.wrap_socket(plain, server_side=True) if context and at_once else plain
            mail = _Mail(wire, taken, None if at_once else context, refuses, login, drops)
            try:
                mail.speak()
            finally:
                mail.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Nothing: a client that goes away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    taken = Taken(server.server_address[1], certificate)
    with _serving(server):
        yield taken


class _Mail:
    """One conversation of RFC 5321, as far as a client of ours leads it."""

    def __init__(
        self, wire: socket.socket, taken: Taken, context: ssl.SSLContext | None, refuses: str, login: str, drops: bool
    ) -> None:
        self._wire, self._taken, self._context = wire, taken, context
        self._refuses, self._login, self._drops = refuses, login, drops
        self._file = wire.makefile("rb")
        self._sender = ""

    def speak(self) -> None:
        self._say("220 test")
        while not self._drops and (line := self._file.readline().decode().strip()):
            if not self._answer(line):
                return

    def _answer(self, line: str) -> bool:
        verb = line.split(maxsplit=1)[0].upper()
        if verb == "EHLO":
            offers = ["STARTTLS"] * bool(self._context) + ["AUTH PLAIN"] * bool(self._login)
            self._say(*(f"250-{one}" for one in ("test", *offers)), "250 8BITMIME")
        elif verb == "STARTTLS" and self._context:
            self._say("220 go on")
            self._file.close()
            self._wire = self._context.wrap_socket(self._wire, server_side=True)
            self._file, self._context = self._wire.makefile("rb"), None
        elif verb == "AUTH":
            self._say("235 welcome" if line.rsplit(maxsplit=1)[-1] == self._login else "535 no")
        elif verb == "RCPT":
            self._say("550 no such person here" if self._refuses and self._refuses in line else "250 yes")
        elif verb == "DATA":
            self._data()
        else:
            self._sender = line if verb == "MAIL" else self._sender
            self._say("221 bye" if verb == "QUIT" else "250 yes")
        return verb != "QUIT"

    def close(self) -> None:
        self._file.close()
        self._wire.close()

    def _data(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self._file.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        self._taken.add(b"".join(lines), {"from": self._sender, "tls": str(isinstance(self._wire, ssl.SSLSocket))})
        self._say("250 taken")

    def _say(self, *lines: str) -> None:
        self._wire.sendall("".join(f"{line}\r\n" for line in lines).encode())
