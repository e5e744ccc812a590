"""Taking connections: who gets in, and whether a client speaks TLS from its first byte on.

Rules
1. The first byte is looked at (MSG_PEEK), not taken: 0x16 is a TLS handshake (direct TLS), anything else goes to the
   session as it is. So not one byte is read in plain text that TLS should have covered.
2. Who says nothing for `login_seconds` is closed; it counts among the connections until then.
3. Where there is no room a client is told so (53300) and closed, before anything of it is read.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from muniment.errors import InputError, UnreachableError
from muniment.gate.protocol.backend import ErrorResponse
from muniment.gate.server.sides import no_delay

BACKLOG: Final = 512
"""Connections that the system keeps for us while we are busy."""
BURST: Final = 64
"""Connections that are taken in one go, before others get their turn."""
_TLS_HANDSHAKE = 0x16
_RETRY_SECONDS = 0.2
Arrived = Callable[[socket.socket, bool], None]


def listen(addresses: Sequence[str], *, shared: bool = False) -> list[socket.socket]:
    """Sockets that listen at `host:port` or at the path of a unix socket (it begins with `/`).

    `shared`: several processes bind the same port, and the system spreads connections over them (SO_REUSEPORT). Raises
    `InputError` for what is no address, `UnreachableError` where it is taken or may not be used.
    """
    found: list[socket.socket] = []
    try:
        for address in addresses:
            found += [_unix(address)] if address.startswith("/") else _tcp(address, shared)
    except BaseException:
        for one in found:
            one.close()
        raise
    return found


def shared_with(listeners: Sequence[socket.socket], workers: int) -> list[list[socket.socket]]:
    """Listeners for each of several workers: those given, and for the others sockets at the same places.

    TCP sockets were made `shared`: the system spreads clients over them. A unix socket is one for all.
    """
    found = [list(listeners)]
    for _ in range(1, workers):
        found.append([one.dup() if one.family == socket.AF_UNIX else _same_port(one) for one in listeners])
    return found


def _same_port(one: socket.socket) -> socket.socket:
    another = socket.socket(one.family, socket.SOCK_STREAM)
    another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if one.family == socket.AF_INET6:
        another.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    another.bind(one.getsockname())
    another.listen(BACKLOG)
    another.setblocking(False)
    return another


def _tcp(address: str, shared: bool) -> list[socket.socket]:
    host, _, port = address.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) < 65_536:
        raise InputError(f"listen has {address!r}; expected host:port, or the path of a unix socket")
    found = []
    try:
        for family, _, _, _, place in socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            one = socket.socket(family, socket.SOCK_STREAM)
            found.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(place)
            one.listen(BACKLOG)
            one.setblocking(False)
    except OSError as error:
        for one in found:
            one.close()
        raise UnreachableError(f"{address}: could not listen there ({type(error).__name__})") from error
    return found


def _unix(address: str) -> socket.socket:
    path, one = Path(address), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(FileNotFoundError):
            if stat.S_ISSOCK(path.lstat().st_mode):  # of a gate that was killed
                path.unlink()
        one.bind(address)
        os.chmod(address, 0o660)
        one.listen(BACKLOG)
        one.setblocking(False)
    except OSError as error:
        one.close()
        raise UnreachableError(f"{address}: could not listen there ({type(error).__name__})") from error
    return one


class Acceptor:
    """Takes connections off listening sockets until it is closed. Belongs to the event loop's thread."""

    def __init__(
        self, listeners: Sequence[socket.socket], arrived: Arrived, room: Callable[[], bool], seconds: float
    ) -> None:
        """`arrived` gets each socket and whether it speaks TLS; `room` says whether one more may come in."""
        self._loop = asyncio.get_running_loop()
        self._listeners = list(listeners)
        self._arrived = arrived
        self._room = room
        self._seconds = seconds
        self._silent: dict[socket.socket, asyncio.TimerHandle] = {}
        self.turned_away = 0
        for one in self._listeners:
            self._loop.add_reader(one, self._accept, one)

    @property
    def silent(self) -> int:
        """Connections that have said nothing yet."""
        return len(self._silent)

    def close(self) -> None:
        """Listen no longer; who has said nothing yet is closed."""
        for one in self._listeners:
            self._loop.remove_reader(one)
            if one.family == socket.AF_UNIX:
                with suppress(OSError):
                    os.unlink(one.getsockname())
            one.close()
        self._listeners.clear()
        for one in list(self._silent):
            self._forget(one)
            one.close()

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(BURST):
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError:  # no descriptor is free, or the client went away: the next ones must not suffer
                self._pause(listener)
                return
            connection.setblocking(False)
            if not self._room():
                self._turn_away(connection)
                continue
            with suppress(OSError):
                no_delay(connection)
            self._silent[connection] = self._loop.call_later(self._seconds, self._give_up, connection)
            self._loop.add_reader(connection, self._spoke, connection)

    def _pause(self, listener: socket.socket) -> None:
        self._loop.remove_reader(listener)
        self._loop.call_later(_RETRY_SECONDS, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self._loop.add_reader(listener, self._accept, listener)

    def _spoke(self, connection: socket.socket) -> None:
        try:
            first = connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            first = b""
        self._forget(connection)
        if first:
            self._arrived(connection, first[0] == _TLS_HANDSHAKE)
        else:
            connection.close()

    def _give_up(self, connection: socket.socket) -> None:
        self._forget(connection)
        connection.close()

    def _forget(self, connection: socket.socket) -> None:
        self._loop.remove_reader(connection)
        self._silent.pop(connection).cancel()

    def _turn_away(self, connection: socket.socket) -> None:
        self.turned_away += 1
        with connection, suppress(OSError):
            connection.send(_TOO_MANY)
            # Closing over bytes that were not read would reset the connection, and the client might not see the error.
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65_536)



_TOO_MANY = ErrorResponse.of("FATAL", "53300", "sorry, too many clients already").build()
