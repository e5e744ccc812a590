"""The gate as one process: listeners, connections, and what they share. `serving` is for tests.

Rules
1. It starts whole or not at all: certificate, PostgreSQL's catalogue, the ledger, then the listeners.
2. SIGHUP reads settings and certificate anew, for connections that come from then on; what cannot be read changes
   nothing. SIGTERM lets statements and transactions end, `DRAIN_SECONDS` long, then seals and ends.
3. While the ledger takes nothing it is tried again and again, and opened anew where it refuses everything.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

from muniment.errors import MunimentError
from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.policy.budgets import Budgets, LocalBudgets
from muniment.gate.policy.rules import resolve
from muniment.gate.policy.settings import GateSettings
from muniment.gate.server import metrics as prometheus
from muniment.gate.server.accept import Acceptor, listen
from muniment.gate.server.budgeting import Accounts, History
from muniment.gate.server.cancel import CancelKeys
from muniment.gate.server.connection import Connection
from muniment.gate.server.directory import Directory
from muniment.gate.server.holding import MEND_SECONDS, HeldLedger
from muniment.gate.server.logs import Log
from muniment.gate.server.metrics import Metrics
from muniment.gate.server.parts import Door, GateParts, Kit, NewSession, SessionLike, SpoolLike
from muniment.gate.server.persons import KeptPersons, SpooledPersons
from muniment.gate.server.recording import Recorder
from muniment.gate.server.seals import seal_regularly
from muniment.gate.server.sides import device_of
from muniment.gate.server.tls import ServerTls, server_tls
from muniment.gate.server.upstream import Target
from muniment.gate.session.events import CatalogueChanged, Draining, VerifierFound

DRAIN_SECONDS: Final = 30.0
"""Seconds for statements and transactions to end before the gate does."""
SECRET_BYTES: Final = 32
_WORKER_SHIFT: Final = 24
"""Bits of a cancel key's process number that count connections; above them stands the worker."""
SWITCH_SECONDS: Final = 0.001
"""Longest time for which the event loop keeps the interpreter from the ledger's thread (5 ms by default)."""


class Overseer(Protocol):
    """What several workers share, as one of them sees it (`workers.Oversight`)."""

    @property
    def budgets(self) -> Budgets: ...

    async def prepare(self, account: str) -> None:
        """See `Accounts.prepare`."""
        ...

    def cancel(self, process: int, secret: bytes) -> None:
        """A cancel key that no session of this worker has."""
        ...


class Gate:
    """A running gate: the `connection.Office` of its connections. Belongs to the event loop's thread."""

    def __init__(self, parts: GateParts, *, worker: int = 0, overseer: Overseer | None = None) -> None:
        """Nothing is opened yet: see `start`. `worker`: its number, where `overseer` keeps what several share."""
        settings = parts.settings
        self.metrics = Metrics()
        self.log = Log(parts.clock, parts.log_file)
        self.target = Target.of(settings, parts.folder)
        self.tls = _certificate(settings, parts.folder)
        self.cancel_keys = CancelKeys()
        self._parts = parts
        self._worker = worker
        self._overseer = overseer
        self._settings = settings
        self._held = HeldLedger(parts.open_ledger)
        self._history: History | None = None
        self._directory = Directory(parts.new_control(), self.metrics, self.log, self._catalogue_changed)
        self._new_session = parts.new_session or _sessions(parts)
        self._spool: SpoolLike | None = None
        self._budgets: Budgets
        self._prepare: Callable[[str], Awaitable[None]]
        if overseer is None:
            self._history = History(parts.open_ledger)
            self._budgets = LocalBudgets(settings.caseload_days)
            self._prepare = Accounts(self._budgets, self._history.of).prepare
        else:
            self._budgets, self._prepare = overseer.budgets, overseer.prepare
        self._connections: dict[int, Connection] = {}
        self._numbers = count(1)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._acceptor: Acceptor | None = None
        self._recorder: Recorder | None = None
        self._kit: Kit | None = None
        self._metrics_server: asyncio.Server | None = None
        self._listeners: list[socket.socket] = []
        self._empty = asyncio.Event()
        self._admissions: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"Gate({len(self._connections)} connections)"

    # --- beginning and end -------------------------------------------------------------------------------------------

    async def start(self, listeners: Sequence[socket.socket] = ()) -> None:
        """Open everything, then listen: on these sockets, without them where the settings say.

        Errors of whatever cannot be opened; what was opened is closed then.
        """
        try:
            await self._directory.start()
            await self._held.start()
            self._kit = self._new_kit()
            await self._drain_spool()
            self._listeners = list(listeners) or listen(self._settings.listen)
            self._acceptor = Acceptor(self._listeners, self._arrived, self._room, self._settings.login_seconds)
            if self._settings.metrics and self._overseer is None:
                self._metrics_server = await prometheus.serve(self._settings.metrics, self.render)
        except BaseException:
            await self.close(0)
            raise
        self._task(self._directory.watch())
        self._task(seal_regularly(self._held, self.metrics, self.log))
        self.log.write("started", (("port", self.port), ("worker", self._worker)))

    async def close(self, seconds: float = DRAIN_SECONDS) -> None:
        """Take nobody any more, let everybody end within `seconds`, then seal and let go of everything."""
        self.drain()
        if self._connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)
        for connection in list(self._connections.values()):
            connection.abort()
        await asyncio.sleep(0)
        if self._recorder is not None:
            await self._recorder.settle(self._settings.ledger_wait_seconds)
        for task in self._tasks:
            task.cancel()
        if self._metrics_server is not None:
            self._metrics_server.close()
        self._directory.close()
        if self._history is not None:
            self._history.close()
        try:
            await self._held.close()
        except MunimentError as error:
            self.log.write("ledger-not-closed", (("reason", error.message),), alarm=True)
        self.log.write("stopped")
        self.log.reopen()

    def drain(self) -> None:
        """Take nobody any more, and tell every session to end when it can."""
        if self._acceptor is not None:
            self._acceptor.close()
        for admission in list(self._admissions):  # no session yet that could end
            admission.cancel()
        for connection in list(self._connections.values()):
            connection.receive(Draining())

    async def reload(self) -> None:
        """Read settings and certificate anew (rule 2)."""
        self.log.reopen()
        loop, read = asyncio.get_running_loop(), self._parts.reload
        try:
            settings = self._settings if read is None else await loop.run_in_executor(None, read)
            target, tls = Target.of(settings, self._parts.folder), _certificate(settings, self._parts.folder)
        except MunimentError as error:
            self.log.write("reload-failed", (("reason", error.message),), alarm=True)
            return
        self._settings, self.target, self.tls = settings, target, tls
        self.kit.settings = settings
        self.log.write("reloaded")

    @property
    def port(self) -> int:
        """The port of the first TCP listener, 0 without one."""
        ports = [one.getsockname()[1] for one in self._listeners if one.family != socket.AF_UNIX and one.fileno() >= 0]
        return int(ports[0]) if ports else 0

    @property
    def metrics_port(self) -> int:
        """The port of the metrics, 0 where they are off."""
        server = self._metrics_server
        return int(server.sockets[0].getsockname()[1]) if server is not None and server.sockets else 0

    @property
    def kit(self) -> Kit:
        """What sessions share; there is one after `start`."""
        assert self._kit is not None
        return self._kit

    def render(self) -> str:
        """The metrics as Prometheus reads them."""
        self.count()
        return self.metrics.render()

    # --- connection.Office -------------------------------------------------------------------------------------------

    @property
    def recorder(self) -> Recorder:
        """See `connection.Office`."""
        assert self._recorder is not None
        return self._recorder

    @property
    def login_seconds(self) -> float:
        """See `connection.Office`."""
        return self._settings.login_seconds

    def session(self, door: Door) -> SessionLike:
        """See `connection.Office`."""
        return self._new_session(self.kit, door)

    async def verifier(self, account: str) -> VerifierFound:
        """See `connection.Office`."""
        return await self._directory.verifier(account)

    async def prepare(self, account: str) -> None:
        """See `connection.Office`. Budgets are counted under the recipient that the rules name for the account."""
        await self._prepare(self._recipient(account))

    def refresh(self, connection: Connection) -> None:
        """See `connection.Office`."""
        self._directory.refresh(connection)

    def cancel(self, process: int, secret: bytes) -> None:
        """See `connection.Office`."""
        if not self.cancel_keys.ask(process, secret) and self._overseer is not None:
            self._overseer.cancel(process, secret)

    def left(self, connection: Connection) -> None:
        """See `connection.Office`."""
        self.cancel_keys.drop(connection.door.process)
        self._connections.pop(connection.number, None)
        if not self._connections:
            self._empty.set()

    def _recipient(self, account: str) -> str:
        return resolve(self._settings, account, self._directory.roles(account)).recipient

    # --- clients -----------------------------------------------------------------------------------------------------

    def _room(self) -> bool:
        silent = self._acceptor.silent if self._acceptor is not None else 0
        if len(self._connections) + silent < self._settings.connections:
            return True
        self.metrics.add("turned_away_total")
        return False

    def _arrived(self, connection: socket.socket, direct: bool) -> None:
        number = next(self._numbers)
        process = (self._worker + 1) << _WORKER_SHIFT | number % (1 << _WORKER_SHIFT)
        door = Door(device_of(connection), process, self._parts.random_bytes(SECRET_BYTES))
        new = self._connections[number] = Connection(self, door, number)
        self._empty.clear()
        self.metrics.add("sessions_total")
        admission = asyncio.get_running_loop().create_task(self._admit(new, connection, direct))
        self._admissions.add(admission)
        admission.add_done_callback(lambda task: self._admitted(new, connection, task))

    async def _admit(self, new: Connection, connection: socket.socket, direct: bool) -> None:
        context = self.tls.context if direct and self.tls is not None else None
        if direct and context is None:
            raise ConnectionRefusedError
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: new.client, connection, ssl=context,
            ssl_handshake_timeout=self.login_seconds if context is not None else None,
        )  # fmt: skip
        if not new.client.open:  # lost in the handshake; uvloop does not say so
            raise ConnectionResetError
        self.cancel_keys.put(new.door.process, new.door.secret, new)
        new.start(direct=direct)

    def _admitted(self, new: Connection, connection: socket.socket, task: asyncio.Task[None]) -> None:
        self._admissions.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None and not task.cancelled():
            return
        if error is not None and not isinstance(error, OSError):  # else the handshake failed, or the client went away
            self.log.write("session-failed", (("reason", type(error).__name__),), session=new.number, alarm=True)
        new.abort()
        connection.close()
        self.left(new)

    def _catalogue_changed(self, catalogue: Catalogue, late: Collection[object]) -> None:
        if self._kit is None:
            return
        self._kit.catalogue = catalogue
        for connection in list(self._connections.values()):
            if connection not in late:
                connection.receive(CatalogueChanged(catalogue))

    # --- the ledger --------------------------------------------------------------------------------------------------

    def _new_kit(self) -> Kit:
        parts, settings = self._parts, self._settings
        kept = KeptPersons(
            parts.pseudonym_keys, lambda: self._held.appender, remote=lambda: self._held.remote,
            seconds=settings.ledger_wait_seconds,
        )  # fmt: skip
        spool = parts.new_spool() if parts.new_spool is not None else None
        spooled = None
        if spool is not None:
            spooled = SpooledPersons(
                kept, lambda: parts.open_ledger().table(), worker=self._worker, workers=settings.workers
            )
        self._spool = spool
        self._recorder = Recorder(
            lambda: self._held.appender, settings.ledger_wait_seconds, self.metrics, second=spool,
            pseudonyms=spooled.pseudonyms if spooled is not None else None, changed=self._ledger_changed,
        )  # fmt: skip
        return Kit(
            settings, self._directory.catalogue, self._budgets, kept, spooled, self._recipient, parts.registers,
            parts.clock, parts.random_bytes, parts.lang,
        )  # fmt: skip

    def _ledger_changed(self, down: bool) -> None:
        self.log.write("ledger-down" if down else "ledger-back", alarm=True)
        self._task(self._mend() if down else self._drain_spool())

    async def _mend(self) -> None:
        while self.recorder.down:
            await asyncio.sleep(MEND_SECONDS)
            await self._held.mend()

    async def _drain_spool(self) -> None:
        spool = self._spool
        if spool is None:
            return
        try:
            moved = await self._held.run(lambda: spool.drain(self._held.appender))
        except MunimentError as error:
            self.log.write("spool-not-drained", (("reason", error.message),), alarm=True)
        else:
            if moved:
                self.log.write("spool-drained", (("entries", moved),))

    def count(self) -> None:
        """Bring the counters up to now."""
        self.metrics.put("sessions", len(self._connections))
        self.metrics.put("log_lines_lost_total", self.log.lost)
        self.recorder.tick()

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def serving(parts: GateParts) -> AsyncIterator[Gate]:
    """A gate in this process, for as long as the block lasts; ends at once, without waiting for sessions."""
    gate = Gate(parts)
    await gate.start()
    try:
        yield gate
    finally:
        await gate.close(0)


def run_alone(parts: GateParts) -> int:
    """Run a gate of one process until SIGTERM or SIGINT; returns the exit code. Errors as `Gate.start`."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_until_told(parts))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where it is installed, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _until_told(parts: GateParts) -> int:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    gate = Gate(parts)
    await gate.start()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(gate.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    await stop.wait()
    await gate.close()
    return 0


def _sessions(parts: GateParts) -> NewSession:
    from muniment.gate.server.sessions import Sessions  # the whole session: not needed where another one is given

    return Sessions(parts.folder, parts.pseudonym_keys, parts.random_bytes)


def _certificate(settings: GateSettings, folder: Path) -> ServerTls | None:
    if not settings.certificate:
        return None
    client_ca = folder / settings.client_ca if settings.client_ca else None
    return server_tls(folder / settings.certificate, folder / settings.certificate_key, client_ca)
