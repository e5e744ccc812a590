"""One ledger, many processes: whoever holds the lock writes, and serves the others over a socket in the folder.

Rules
1. `ledger/writer.sock` has mode 0600, and a peer of another user is turned away where the system tells who it is. Both
   sides prove that they hold the segment key (`link`).
2. A client has one message under way, with everything that was appended while the one before was: its 1,024 disclosures
   outstanding make the groups, and the order of one client is kept.
3. Where the holder goes away with a message under way, its futures raise `UnreachableError`: they may be recorded or
   not. Nothing is sent twice. The next append opens the ledger anew, as client of the next holder or as the holder.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.disclosure import Disclosure
from muniment.durable import storage_faults
from muniment.errors import InputError, IntegrityError, LimitError, MunimentError, UnreachableError
from muniment.keys import Key
from muniment.ledger.appender import Appender, Ordinals, Receipt, check_batch
from muniment.ledger.batch import Batch, decode, encode
from muniment.ledger.intake import Intake
from muniment.ledger.link import REPLY_SECONDS, Link
from muniment.ledger.log.second import CheckpointStore
from muniment.ledger.wal.frames import SegmentKeys
from muniment.ledger.writer import LocalWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOCKET_NAME: Final = "writer.sock"
OPEN_SECONDS: Final = 10.0
"""Seconds to wait for a holder that is opening or closing: its recovery reads what is not sealed yet."""
CLIENTS: Final = 64
"""Clients of one holder at a time, each with a thread; more are turned away."""
_POLL_SECONDS = 0.02
_SOCKET_PATH_BYTES = 100
"""Bytes of a socket's path that every system takes (Linux 107, macOS 103)."""
_RECEIPT = struct.Struct(">QQq")
_EPOCHS = struct.Struct(">Q")
_ERRORS = {kind.__name__: kind for kind in (InputError, LimitError, IntegrityError, UnreachableError)}
_APPEND, _ORDINALS, _ERROR = b"A", b"O", b"E"
RandomBytes = Callable[[int], bytes]


# --- the holder's side -------------------------------------------------------------------------------------------


class Service:
    """Serves a `LocalWriter` to other processes until it is closed: one thread that accepts, one for each client."""

    def __init__(
        self, writer: LocalWriter, folder: Path, keys: Sequence[Key], random_bytes: RandomBytes = os.urandom
    ) -> None:
        """Listen in `folder`. Raises `UnreachableError` where no socket can be made there."""
        self._writer = writer
        self._path = folder / SOCKET_NAME
        self._keys = SegmentKeys(keys)
        self._random_bytes = random_bytes
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()  # over the connections
        self._listener = _listening(self._path)
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="muniment ledger service", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more clients, let those that are here get their last reply, and remove the socket."""
        self._stop.close()
        self._thread.join()
        with suppress(OSError):
            self._path.unlink()
        with self._lock:
            connections = dict(self._connections)
        for connection in connections.values():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        for thread in connections:
            thread.join(REPLY_SECONDS)

    def _accept(self) -> None:
        with self._listener, self._stopped:
            while self._stopped not in select.select([self._listener, self._stopped], [], [])[0]:
                with suppress(OSError):  # a client that went away before it was accepted
                    self._welcome(self._listener.accept()[0])

    def _welcome(self, connection: socket.socket) -> None:
        with self._lock:
            if len(self._connections) >= CLIENTS or not _same_user(connection):
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=[connection], name="muniment client", daemon=True)
            self._connections[thread] = connection
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(MunimentError):  # a client that went away or did not prove itself
                link = Link.accept(connection, self._keys, self._random_bytes)
                while True:
                    link.send(*self._reply(*link.receive()))
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)

    def _reply(self, kind: bytes, body: bytes) -> tuple[bytes, bytes]:
        try:
            if kind == _APPEND:
                receipt = self._writer.append_for(decode(body)).result()
                return _APPEND, _RECEIPT.pack(receipt.first, receipt.last, receipt.time)
            if kind == _ORDINALS and len(body) >= _EPOCHS.size:
                pseudonyms, *older = _epochs(body)
                return _ORDINALS, self._writer.ordinals(pseudonyms, older).astype("<u4").tobytes()
            raise InputError("a message that this version of the writer does not know")
        except Exception as error:  # the client must hear of it, whatever it is
            return _ERROR, _described(error)


# --- the client's side -------------------------------------------------------------------------------------------


class SocketWriter:
    """The writer of another process: an `Appender`. Safe to use from several threads."""

    def __init__(self, link: Link) -> None:
        """Takes over an open link."""
        self._link = link
        self._intake = Intake("muniment ledger client", self._commit, lambda: None)

    def __repr__(self) -> str:
        return "SocketWriter()"

    @classmethod
    def connect(cls, folder: Path, keys: Sequence[Key], random_bytes: RandomBytes = os.urandom) -> SocketWriter:
        """Connect to the process that holds the lock of the ledger in `folder`.

        Raises `UnreachableError` where nobody listens, `IntegrityError` where it does not prove that it holds the key.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short(folder / SOCKET_NAME) as path, storage_faults(folder / SOCKET_NAME, "connect"):
                connection.connect(path)
            return cls(Link.connect(connection, SegmentKeys(keys), random_bytes))
        except BaseException:
            connection.close()
            raise

    @property
    def lost(self) -> bool:
        """Whether the holder went away: it may be told only when nothing is outstanding, or after something failed."""
        return self._intake.refused is not None or (self._intake.idle and self._link.gone())

    def ordinals(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        """See `Appender`."""
        epochs = [pseudonyms, *older]
        if {len(epoch) for epoch in epochs} != {len(pseudonyms)}:
            raise ValueError("the same records are needed under every epoch")
        asked = _EPOCHS.pack(len(epochs)) + b"".join(epoch.astype("<u8").tobytes() for epoch in epochs)
        body = self._intake.run(lambda: self._request(_ORDINALS, asked))
        if len(body) != 4 * len(pseudonyms):
            raise self._refused(IntegrityError("the writer did not give as many ordinals as were asked for"))
        return np.frombuffer(body, "<u4").astype(np.uint32)

    def append(self, disclosure: Disclosure) -> Future[Receipt]:
        """See `Appender`."""
        return self._intake.append(disclosure)

    def append_many(self, batch: Batch) -> Future[Receipt]:
        """See `Appender`."""
        check_batch(batch)
        return self._intake.append(batch)

    def close(self) -> None:
        """See `Appender`."""
        self._intake.close(self._link.close)

    def _commit(self, batch: Batch) -> Receipt:
        body = self._request(_APPEND, encode(batch))
        receipt = Receipt(*_RECEIPT.unpack(body)) if len(body) == _RECEIPT.size else Receipt(0, -1, 0)
        if receipt.last - receipt.first + 1 != len(batch):
            raise self._refused(IntegrityError("the writer did not confirm as many disclosures as were sent"))
        return receipt

    def _request(self, kind: bytes, body: bytes) -> bytes:
        try:
            self._link.send(kind, body)
            answer, reply = self._link.receive(REPLY_SECONDS)
        except LimitError:
            raise  # nothing was sent
        except MunimentError as error:
            raise self._refused(error) from error
        if answer == _ERROR:
            raise _understood(reply)
        if answer != kind:
            raise self._refused(IntegrityError("the writer gave a reply of another kind than was asked for"))
        return reply

    def _refused(self, error: MunimentError) -> MunimentError:
        self._intake.refuse(error)
        return type(error)(f"{error.message}; what was under way may be recorded or not", hint=error.hint)


# --- whichever it is ---------------------------------------------------------------------------------------------


class SharedWriter:
    """An `Appender` that is the holder where nobody else is, else a client; it follows when the holder goes away."""

    def __init__(self, opened: Callable[[], tuple[Appender, Service | None]]) -> None:
        """`opened` opens the ledger in one way or the other; it is called again after a holder went away."""
        self._opened = opened
        self._lock = threading.Lock()  # over the two below
        self._current, self._service = opened()
        self._closed = False

    def __enter__(self) -> SharedWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def local(self) -> LocalWriter | None:
        """The writer of this process, where it is the holder: for sealing."""
        return self._current if isinstance(self._current, LocalWriter) else None

    def ordinals(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        """See `Appender`."""
        return self._writer().ordinals(pseudonyms, older)

    def append(self, disclosure: Disclosure) -> Future[Receipt]:
        """See `Appender`."""
        return self._writer().append(disclosure)

    def append_many(self, batch: Batch) -> Future[Receipt]:
        """See `Appender`."""
        return self._writer().append_many(batch)

    def close(self) -> None:
        """See `Appender`. As the holder: clients get their last replies first."""
        with self._lock:
            self._closed = True
            if self._service is not None:
                self._service.close()
            self._current.close()

    def _writer(self) -> Appender:
        current = self._current
        if isinstance(current, SocketWriter) and current.lost and not self._closed:
            with self._lock:
                if self._current is current and not self._closed:
                    current.close()
                    self._current, self._service = self._opened()
                return self._current
        return current


def open_writer(
    folder: Path, keys: Sequence[Key], *, second: CheckpointStore, table: Callable[[], Ordinals],
    clock: Callable[[], datetime], random_bytes: RandomBytes = os.urandom, wait: float = OPEN_SECONDS,
) -> SharedWriter:  # fmt: skip
    """Write to the ledger in `folder`: as its holder (and server) where the lock is free, else through its holder.

    Arguments and errors as `LocalWriter.open`; `UnreachableError` too where the lock is held for `wait` seconds by a
    process that does not answer.
    """

    def once() -> tuple[Appender, Service | None]:
        try:
            writer = LocalWriter.open(folder, keys, second=second, table=table, clock=clock, random_bytes=random_bytes)
        except UnreachableError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            return SocketWriter.connect(folder, keys, random_bytes), None
        try:
            return writer, Service(writer, folder, keys, random_bytes)
        except BaseException:
            writer.close()
            raise

    def opened() -> tuple[Appender, Service | None]:
        deadline = time.monotonic() + wait
        while True:
            try:
                return once()
            except UnreachableError as error:
                held = isinstance(error.__cause__, (FileNotFoundError, ConnectionError)) or error.__cause__ is None
                if not held:
                    raise
                if time.monotonic() >= deadline:
                    raise UnreachableError(
                        f"{folder / SOCKET_NAME}: another process writes this ledger, but takes no clients "
                        f"({error.message})",
                        hint="wait until it has finished, or end it, and run the command again",
                    ) from error
            time.sleep(_POLL_SECONDS)

    return SharedWriter(opened)


# --- sockets and errors ------------------------------------------------------------------------------------------


def _listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as short, storage_faults(path, "listen"):
            path.unlink(missing_ok=True)  # of a holder that was killed: the lock says that it is gone
            listener.bind(short)
            os.chmod(path, 0o600)
            listener.listen(CLIENTS)
    except BaseException:
        listener.close()
        raise
    return listener


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A path to the same socket that is short enough: through a link in the temporary folder where it must be."""
    if len(os.fsencode(path)) <= _SOCKET_PATH_BYTES:
        yield str(path)
        return
    with storage_faults(path, "make a short way to"), tempfile.TemporaryDirectory(prefix="muniment-") as place:
        link = Path(place) / "l"
        link.symlink_to(path.parent.absolute(), target_is_directory=True)
        yield str(link / path.name)


def _same_user(connection: socket.socket) -> bool:
    """Whether the peer is this user; where the system does not say, the mode of the socket and the proof must do."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return bool(user == os.getuid())


def _epochs(body: bytes) -> NDArray[np.uint64]:
    """The pseudonyms in a message, shape (epochs, records); `ValueError` where they are not as many in each."""
    (count,) = _EPOCHS.unpack_from(body)
    values = np.frombuffer(body, "<u8", offset=_EPOCHS.size).astype(np.uint64)
    return values.reshape(count, len(values) // count)


def _described(error: Exception) -> bytes:
    if isinstance(error, ValueError):
        error = InputError(str(error))
    if type(error).__name__ not in _ERRORS:  # its text might hold a value
        error = UnreachableError(f"the writer failed with {type(error).__name__}")
    assert isinstance(error, MunimentError)
    return json.dumps({"kind": type(error).__name__, "message": error.message, "hint": error.hint}).encode()


def _understood(reply: bytes) -> MunimentError:
    stored = json.loads(reply)  # from a peer that holds the key
    return _ERRORS[stored["kind"]](stored["message"], hint=stored["hint"])
