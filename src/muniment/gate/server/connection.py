"""One client: two sockets, and between them the session, which decides everything. Events in, commands out.

Rules
1. Commands are done in the order in which the session gave them. Bytes are gathered while only bytes come, and written
   together; any other command comes after what was gathered.
2. Nothing is read from PostgreSQL while the session is congested or the client does not take what is written, and
   nothing from the client while the session holds or PostgreSQL does not: memory is bounded on both ways.
3. A session that raises is at its end: the gap is reported, and both sides are closed.
4. The first bytes of a connection are all in plain text or all in TLS: the request for TLS must be the last thing that
   was read before TLS begins.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from muniment.errors import MunimentError
from muniment.gate.protocol.startup import SSLRequest
from muniment.gate.server.cancel import deliver
from muniment.gate.server.logs import Log
from muniment.gate.server.metrics import Metrics
from muniment.gate.server.parts import Door, SessionLike
from muniment.gate.server.sides import Side
from muniment.gate.server.tls import ALPN, ServerTls, peer_of
from muniment.gate.server.upstream import Target, connect
from muniment.gate.session import commands, events
from muniment.gate.session.commands import Command
from muniment.gate.session.events import Event

DRAIN_SECONDS: Final = 60.0
"""Seconds that a session has to end its connection to PostgreSQL after its client has gone."""
_SSL_REQUEST: Final = SSLRequest().build()


class Recording(Protocol):
    """Where disclosures go (`recording.Recorder`)."""

    def append(self, command: commands.Append, tell: Callable[[Event], None]) -> None:
        """Record; `tell` gets `Appended` or `AppendFailed`, at once or later, once."""
        ...


class Office(Protocol):
    """Everything that a connection needs of the gate around it."""

    @property
    def target(self) -> Target: ...
    @property
    def tls(self) -> ServerTls | None: ...
    @property
    def recorder(self) -> Recording: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def log(self) -> Log: ...
    @property
    def login_seconds(self) -> float: ...

    def session(self, door: Door) -> SessionLike:
        """A new session for a client."""
        ...

    async def verifier(self, account: str) -> events.VerifierFound:
        """The stored secret of an account; `UnreachableError` where it cannot be asked for."""
        ...

    async def prepare(self, account: str) -> None:
        """Have the budgets know what an account received; `UnreachableError`, `IntegrityError` where they cannot."""
        ...

    def refresh(self, connection: Connection) -> None:
        """Have the map of tables read anew for a connection: it is told of the first that was begun after this."""
        ...

    def cancel(self, process: int, secret: bytes) -> None:
        """Ask the session with this gate key to cancel."""
        ...

    def left(self, connection: Connection) -> None:
        """A connection is over: both its sides are closed."""
        ...


class _Nobody:
    """The session of a client that has not been let in yet."""

    congested = hold = idle = True
    account = ""

    def receive(self, event: Event) -> list[Command]:
        del event
        return []


_NOBODY: Final = _Nobody()


class Connection:
    """One client and its connection to PostgreSQL. Belongs to the event loop's thread."""

    def __init__(self, office: Office, door: Door, number: int) -> None:
        """Nothing is connected yet: see `start`."""
        self.number = number
        self.door = door
        self._office = office
        self._session: SessionLike = _NOBODY
        self._client = Side(self)
        self._client.read(False)
        self._upstream: Side | None = None
        self._waiting: deque[Event] = deque()
        self._busy = self._over = self._client_gone = False
        self._to_client: list[bytes | memoryview] = []
        self._to_upstream: list[bytes | memoryview] = []
        # What came before the session was made, or between the end of a TLS handshake and the word of it; else `None`.
        self._early: list[bytes] | None = []
        self._last = b""  # bytes of the opening, for rule 4; empty once TLS stands or the login is over
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._login: asyncio.TimerHandle | None = None
        self._guard: asyncio.TimerHandle | None = None
        self._attempt = 0  # number of the newest attempt to reach PostgreSQL
        self._left = False

    def __repr__(self) -> str:
        return f"Connection({self.number})"

    @property
    def client(self) -> Side:
        """The client's side, as the protocol to connect."""
        return self._client

    @property
    def session(self) -> SessionLike:
        """The session; one that does nothing until `start`."""
        return self._session

    def start(self, *, direct: bool) -> None:
        """The client is connected. `direct`: it began with TLS, and the handshake is done."""
        loop = asyncio.get_running_loop()
        self._login = loop.call_later(self._office.login_seconds, self._login_over)
        tls, door = self._office.tls, self.door
        if direct:
            shown = self._tls_object()
            if tls is None or shown is None or shown.selected_alpn_protocol() != ALPN:
                self._fail("direct-tls-without-alpn", alarm=False)
                return
            door = replace(door, tls=events.TlsStarted(tls.certificate_hash, peer_of(shown)))
        try:
            self._session = self._office.session(replace(door, certificate=tls is not None))
        except MunimentError as error:  # a reload brought what no session can be made of
            self._fail("session-not-made", error.message)
            return
        self._begun()

    def receive(self, event: Event) -> None:
        """Give the session an event, and do what it asks for; events that come meanwhile wait for their turn."""
        self._waiting.append(event)
        if self._busy or self._over:
            return
        self._busy = True
        try:
            while self._waiting and not self._over:
                for command in self._session.receive(self._waiting.popleft()):
                    _DO[type(command)](self, command)
            self._flush()
        except Exception as error:  # rule 3: the kind of a fault holds no value, its text might
            self._fail("session-failed", type(error).__name__)
        finally:
            self._busy = False
        self._press()

    def cancel_asked(self) -> None:
        """See `cancel.Cancellable`."""
        self.receive(events.CancelAsked())

    def abort(self) -> None:
        """Close both sides at once."""
        self._client.abort()
        if self._upstream is not None:
            self._upstream.abort()

    # --- Listener --------------------------------------------------------------------------------------------------

    def heard(self, side: Side, data: bytes) -> None:
        """See `sides.Listener`."""
        if side is self._upstream:
            self.receive(events.FromUpstream(data))
        elif side is not self._client:
            return  # an upstream that speaks before it was asked, or after it was closed
        elif self._early is not None:
            self._early.append(data)
        else:
            self._from_client(data)

    def pressed(self, side: Side) -> None:
        """See `sides.Listener`."""
        del side
        self._press()

    def ended(self, side: Side, reason: str) -> None:
        """See `sides.Listener`."""
        if side is self._client:
            self._client_closed()
        elif side is self._upstream:
            self._upstream = None
            self.receive(events.UpstreamClosed(reason))
        self._finish()

    def _from_client(self, data: bytes) -> None:
        if self._login is not None:
            self._last = (self._last + data)[-len(_SSL_REQUEST) :]
        self.receive(events.FromClient(data))

    def _begun(self) -> None:
        """Nothing keeps the client's bytes back any more."""
        early, self._early = self._early or [], None
        for data in early:
            self._from_client(data)
        self._press()

    # --- commands --------------------------------------------------------------------------------------------------

    def _write_client(self, command: commands.ToClient) -> None:
        self._to_client.append(command.data)

    def _write_upstream(self, command: commands.ToUpstream) -> None:
        self._to_upstream.append(command.data)

    def _start_tls(self, command: commands.StartTls) -> None:
        del command
        self._client.read(False)
        self._flush()
        if self._last != _SSL_REQUEST or self._office.tls is None or self._tls_object() is not None:
            self._fail("bytes-before-tls")
            return
        self._last, self._early = b"", []
        self._task(self._handshake(self._office.tls))

    def _open_upstream(self, command: commands.OpenUpstream) -> None:
        del command
        self._attempt += 1
        self._task(self._connect(self._attempt))

    def _find_verifier(self, command: commands.FindVerifier) -> None:
        self._flush()
        self._task(self._verifier(command.account))

    def _prepare(self, command: commands.PrepareAccount) -> None:
        self._flush()
        self._task(self._prepared(command.account))

    def _cancel_upstream(self, command: commands.CancelUpstream) -> None:
        self._flush()
        self._task(self._cancelled(command.process, command.secret))

    def _cancel_session(self, command: commands.CancelSession) -> None:
        self._office.cancel(command.process, command.secret)

    def _append(self, command: commands.Append) -> None:
        self._flush()  # what stands before it need not wait for the disk
        self._office.recorder.append(command, self.receive)

    def _wake(self, command: commands.Wake) -> None:
        self._flush()
        later = asyncio.get_running_loop().call_later
        self._timers[command.token] = later(command.seconds, self._woken, command.token)

    def _refresh(self, command: commands.RefreshCatalogue) -> None:
        del command
        self._office.refresh(self)

    def _report(self, command: commands.Report) -> None:
        metrics = self._office.metrics
        metrics.add("reports_total", label=command.event)
        if command.alarm:
            metrics.add("alarms_total")
        self._office.log.write(command.event, command.fields, session=self.number, alarm=command.alarm)

    def _close_upstream(self, command: commands.CloseUpstream) -> None:
        del command
        self._flush()
        self._attempt += 1  # one that is under way is dropped
        upstream, self._upstream = self._upstream, None  # nothing more is told of it
        if upstream is not None:
            upstream.close()

    def _close_client(self, command: commands.CloseClient) -> None:
        del command
        self._flush()
        self._client.close()

    # --- what ends in an event --------------------------------------------------------------------------------------

    async def _handshake(self, tls: ServerTls) -> None:
        plain = self._client.transport
        assert plain is not None
        if self._early:  # rule 4: read in plain text, and never to be taken for what came under TLS
            self._fail("bytes-before-tls")
            return
        try:
            shown = await self._client.start_tls(
                plain, tls.context, server_side=True, ssl_handshake_timeout=self._office.login_seconds
            )
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError
            self._client_closed()
            self._finish()
            return
        self.receive(events.TlsStarted(tls.certificate_hash, peer_of(shown)))
        self._begun()

    async def _connect(self, attempt: int) -> None:
        try:
            side, certificate = await connect(self._office.target, lambda: self)
        except MunimentError as error:
            if attempt == self._attempt:
                self.receive(events.UpstreamClosed(error.message))
            return
        if self._client_gone or self._over or attempt != self._attempt:
            side.abort()
            return
        self._upstream = side
        self.receive(events.UpstreamOpened(certificate))
        self._press()

    async def _verifier(self, account: str) -> None:
        try:
            found: Event = await self._office.verifier(account)
        except MunimentError as error:
            found = events.UpstreamClosed(error.message)
        self.receive(found)

    async def _prepared(self, account: str) -> None:
        try:
            await self._office.prepare(account)
        except MunimentError as error:
            self.receive(events.UpstreamClosed(error.message))
            return
        self.receive(events.AccountReady())

    async def _cancelled(self, process: int, secret: bytes) -> None:
        if not await deliver(self._office.target, process, secret):
            self._office.log.write("cancel-not-delivered", session=self.number)
        self.receive(events.Cancelled())

    def _woken(self, token: int) -> None:
        self._timers.pop(token, None)
        self.receive(events.Woken(token))

    def _login_over(self) -> None:
        self._login = None
        self._last = b""
        if not self._session.account:
            self._fail("login-too-slow", alarm=False)

    # --- bytes, pressure and the end --------------------------------------------------------------------------------

    def _flush(self) -> None:
        if self._to_client:
            parts, self._to_client = self._to_client, []
            self._client.write(parts)
        if self._to_upstream:
            parts, self._to_upstream = self._to_upstream, []
            if self._upstream is not None:
                self._upstream.write(parts)

    def _press(self) -> None:
        upstream, client, session = self._upstream, self._client, self._session
        client.read(not (session.hold or (upstream is not None and upstream.blocked) or self._early is not None))
        if upstream is not None:
            upstream.read(not (session.congested or client.blocked))

    def _client_closed(self) -> None:
        if not self._client_gone:
            self._client_gone = True
            self.receive(events.ClientClosed())

    def _fail(self, event: str, reason: str = "", *, alarm: bool = True) -> None:
        """Report a gap, and close both sides at once (rule 3)."""
        self._over = True
        self._waiting.clear()
        fields = (("reason", reason),) if reason else ()
        self._report(commands.Report(event, fields, alarm=alarm))
        self.abort()
        self._finish()

    def _finish(self) -> None:
        """Once neither side is there any more: let go of everything. The session may still drain PostgreSQL."""
        if not self._client_gone or self._left:
            return
        if self._upstream is not None:
            if self._guard is None:
                self._guard = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._upstream.abort)
            return
        self._left = True
        for timer in (self._login, self._guard, *self._timers.values()):
            if timer is not None:
                timer.cancel()
        self._timers.clear()
        self._office.left(self)

    def _tls_object(self) -> ssl.SSLObject | None:
        transport = self._client.transport
        return None if transport is None else transport.get_extra_info("ssl_object")

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """Rule 3, for what the session waits for: it would wait for ever."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._left:
            self._fail("session-failed", type(error).__name__)


_DO: Final[Mapping[type[Command], Callable[[Any, Any], None]]] = {
    commands.ToClient: Connection._write_client,
    commands.ToUpstream: Connection._write_upstream,
    commands.Append: Connection._append,
    commands.StartTls: Connection._start_tls,
    commands.OpenUpstream: Connection._open_upstream,
    commands.FindVerifier: Connection._find_verifier,
    commands.PrepareAccount: Connection._prepare,
    commands.CancelUpstream: Connection._cancel_upstream,
    commands.CancelSession: Connection._cancel_session,
    commands.Wake: Connection._wake,
    commands.RefreshCatalogue: Connection._refresh,
    commands.Report: Connection._report,
    commands.CloseUpstream: Connection._close_upstream,
    commands.CloseClient: Connection._close_client,
}
"""How each command is done."""
