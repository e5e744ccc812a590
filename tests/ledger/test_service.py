"""Several processes on one ledger: one holds it, the others follow, and whoever dies takes nothing confirmed along."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from language.appends import KEYS, MemoryStore, Table, disclosure, opened, tail
from language.rings import NOW, segment_keys
from muniment.errors import IntegrityError, UnreachableError
from muniment.ledger import service as module
from muniment.ledger.batch import Batch
from muniment.ledger.log.second import FolderStore
from muniment.ledger.service import SOCKET_NAME, Service, SharedWriter, SocketWriter, open_writer


def _open(folder: Path, second: MemoryStore, wait: float = 5.0) -> SharedWriter:
    return open_writer(folder, KEYS, second=second, table=Table, clock=lambda: NOW, wait=wait)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_socket_is_for_its_owner_and_goes_with_the_holder(tmp_path: Path) -> None:
    with _open(tmp_path, MemoryStore()) as holder:
        assert holder.local is not None
        mode = (tmp_path / SOCKET_NAME).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        with _open(tmp_path, MemoryStore()) as client:
            assert client.local is None
    assert not (tmp_path / SOCKET_NAME).exists()


def test_a_socket_left_by_a_killed_holder_is_taken_over(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / SOCKET_NAME))
    left.close()
    second = MemoryStore()
    with _open(tmp_path, second), _open(tmp_path, second) as client:
        assert client.append(disclosure(0)).result().first == 1


def test_a_folder_with_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("long " * 20) / ("päth" * 20)
    folder.mkdir(parents=True)
    second = MemoryStore()
    with _open(folder, second), _open(folder, second) as client:
        assert client.append(disclosure(0)).result().first == 1
        assert (folder / SOCKET_NAME).exists()
    assert tail(folder) == [0]


def test_other_users_are_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, MemoryStore()) as writer:
        service = Service(writer, tmp_path, KEYS)
        with monkeypatch.context() as patch:
            patch.setattr(os, "getuid", lambda: 12345)
            with pytest.raises(UnreachableError, match="went away"):
                SocketWriter.connect(tmp_path, KEYS)
        SocketWriter.connect(tmp_path, KEYS).close()
        service.close()


def test_other_keys_are_turned_away(tmp_path: Path) -> None:
    with _open(tmp_path, MemoryStore()):
        with pytest.raises(IntegrityError, match="does not hold the key segment-2"):
            SocketWriter.connect(tmp_path, segment_keys(2))
        with pytest.raises(IntegrityError, match="does not hold the key"):
            open_writer(tmp_path, segment_keys(2), second=MemoryStore(), table=Table, clock=lambda: NOW)


def test_one_client_too_many_is_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLIENTS", 1)
    with _open(tmp_path, MemoryStore()):
        client = SocketWriter.connect(tmp_path, KEYS)
        with pytest.raises(UnreachableError):
            SocketWriter.connect(tmp_path, KEYS)
        client.close()
        _wait(lambda: _connects(tmp_path))


def _connects(folder: Path) -> bool:
    with suppress(UnreachableError):
        SocketWriter.connect(folder, KEYS).close()
        return True
    return False


def test_rubbish_at_the_socket_harms_nobody(tmp_path: Path) -> None:
    with _open(tmp_path, MemoryStore()) as holder:
        client = SocketWriter.connect(tmp_path, KEYS)
        for rubbish in (b"", b"GET / HTTP/1.1\r\n\r\n" * 10, bytes(68)):
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(str(tmp_path / SOCKET_NAME))
                stranger.sendall(rubbish)
        for message in ((b"?", b""), (b"A", b"no batch"), (b"O", b"1234567")):
            client._intake.run(lambda message=message: client._link.send(*message))  # type: ignore[misc]
            assert client._intake.run(lambda: client._link.receive(10))[0] == b"E"
        assert client.append(disclosure(0)).result().first == 1
        client.close()
        assert holder.append(disclosure(1)).result().first == 2


def test_a_lock_holder_that_takes_no_clients(tmp_path: Path) -> None:
    with (
        opened(tmp_path, MemoryStore()),
        pytest.raises(UnreachableError, match="another process writes this ledger, but takes no clients"),
    ):
        _open(tmp_path, MemoryStore(), wait=0.05)


def test_the_client_takes_over_when_the_holder_closes(tmp_path: Path) -> None:
    second = MemoryStore()
    holder = _open(tmp_path, second)
    first, other = _open(tmp_path, second), _open(tmp_path, second)
    assert first.append(disclosure(0)).result().first == 1
    holder.close()
    assert first.append(disclosure(1)).result().first == 2
    assert first.local is not None
    assert other.append(disclosure(2)).result().first == 3
    assert other.local is None
    first.close()
    other.close()
    assert tail(tmp_path) == [0, 1, 2]


def test_faults_of_the_holder_reach_the_client_as_they_are(tmp_path: Path) -> None:
    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    second = MemoryStore()
    with _open(tmp_path, second), _open(tmp_path, second) as client:
        client.append(disclosure(0)).result()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(UnreachableError, match="no space left on device") as caught:
                client.append(disclosure(1)).result()
        assert "free some space" in caught.value.hint
        assert client.append(disclosure(2)).result().first == 2


def test_a_client_that_closes_leaves_the_others(tmp_path: Path) -> None:
    second = MemoryStore()
    with _open(tmp_path, second) as holder, _open(tmp_path, second) as client:
        other = _open(tmp_path, second)
        futures = [other.append(disclosure(n)) for n in range(500)]
        other.close()
        assert all(future.done() for future in futures)
        assert client.append(disclosure(500)).result().first == 501
        assert holder.append_many(Batch.of([disclosure(501)])).result().first == 502
    assert tail(tmp_path) == list(range(502))


WRITER = """
import sys, pathlib
from datetime import datetime, timezone
from language.appends import KEYS, Table, disclosure
from muniment.errors import UnreachableError
from muniment.ledger.log.second import FolderStore
from muniment.ledger.service import open_writer
folder, n = pathlib.Path(sys.argv[1]), int(sys.argv[2])
second = FolderStore(folder.parent / "second", "wal-head")
writer = open_writer(folder, KEYS, second=second, table=Table, clock=lambda: datetime.now(timezone.utc))
while True:
    futures = [(i, writer.append(disclosure(i))) for i in range(n, n + 20)]
    n += 20
    for i, future in futures:
        try:
            future.result()
        except UnreachableError:
            continue
        print(i, flush=True)
"""


def _start(folder: Path, first: int) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(first)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == f"{first}\n".encode()
    return child


def _kill(child: subprocess.Popen[bytes], first: int) -> list[int]:
    """End it with signal 9; returns which of its disclosures it was told are durable."""
    child.send_signal(signal.SIGKILL)
    told, _ = child.communicate()
    return [first, *map(int, told.split(b"\n")[:-1])]


def test_kill_9_of_holder_and_clients_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    """The holder is killed while two clients append; one of them takes over; then all are killed."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    children = [(first, _start(folder, first)) for first in (0, 10**6, 2 * 10**6)]
    told = []
    for first, child in children:
        time.sleep(0.15)
        told.append(_kill(child, first))
    second = FolderStore(tmp_path / "second", "wal-head")
    with open_writer(folder, KEYS, second=second, table=Table, clock=lambda: NOW) as writer:
        writer.append(disclosure(3 * 10**6)).result()
    kept = tail(folder)
    assert len(set(kept)) == len(kept)
    for numbers, (first, _) in zip(told, children, strict=True):
        mine = [n for n in kept if first <= n < first + 10**6]
        assert set(numbers) <= set(mine)
        assert mine == sorted(mine)
    assert kept[-1] == 3 * 10**6
    assert len(told[1]) > 20
    assert len(told[2]) > 20
