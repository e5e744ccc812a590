"""Listeners: addresses, unix sockets, shared ports, and first bytes that are looked at but not taken."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from language.servers import LOOPS, run
from muniment.errors import InputError, UnreachableError
from muniment.gate.server.accept import Acceptor, listen, shared_with


@pytest.mark.parametrize("address", ["nonsense", "host:", "127.0.0.1:99999", "127.0.0.1:http"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="host:port"):
        listen([address])


def test_a_port_that_is_taken_and_what_was_opened_before_it_is_closed(tmp_path: Path) -> None:
    (taken,) = listen(["127.0.0.1:0"])
    with taken, pytest.raises(UnreachableError, match="could not listen"):
        listen([str(tmp_path / "s"), f"127.0.0.1:{taken.getsockname()[1]}"])


def test_a_unix_socket_takes_the_place_of_a_dead_one_but_never_of_a_file(tmp_path: Path) -> None:
    for _ in range(2):
        (one,) = listen([str(tmp_path / "s")])
        assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == 0o660
        one.close()
    (tmp_path / "file").write_text("a file")
    with pytest.raises(UnreachableError):
        listen([str(tmp_path / "file")])
    assert (tmp_path / "file").read_text() == "a file"


def test_workers_listen_at_the_same_places(tmp_path: Path) -> None:
    found = shared_with(listen(["127.0.0.1:0", str(tmp_path / "s")], shared=True), 3)
    assert len({one.getsockname() for own in found for one in own}) == 2
    for own in found:
        for one in own:
            one.close()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("said", "direct"), [(b"\x16\x03\x01", True), (b"\0\0\0\x08", False)])
def test_the_first_byte_tells_and_stays(tmp_path: Path, loop: str, said: bytes, direct: bool) -> None:
    async def main() -> None:
        arrived: asyncio.Queue[tuple[socket.socket, bool]] = asyncio.Queue()
        listeners = listen([str(tmp_path / "s")])
        acceptor = Acceptor(listeners, lambda *one: arrived.put_nowait(one), lambda: True, 5)
        with socket.socket(socket.AF_UNIX) as client, socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(tmp_path / "s"))
            client.connect(str(tmp_path / "s"))
            client.sendall(said)
            connection, was_direct = await arrived.get()
            with connection:
                assert was_direct is direct and connection.recv(100) == said
            assert acceptor.silent == 1
            acceptor.close()
            assert silent.recv(1) == b"" and acceptor.silent == 0
        assert not (tmp_path / "s").exists()

    run(main(), loop)
