"""The link between two processes: proof both ways, and messages that cannot be altered, moved or repeated."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.rings import segment_keys
from muniment.errors import IntegrityError, LimitError, MunimentError, UnreachableError
from muniment.keys import Key, Purpose
from muniment.ledger import link as module
from muniment.ledger.link import MAGIC, Link
from muniment.ledger.wal.frames import SegmentKeys

RING = SegmentKeys(segment_keys())
HELLO = len(MAGIC) + 32


def _bytes(size: int) -> bytes:
    return bytes([3]) * size


Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def _both(pair: Pair, client: SegmentKeys, server: SegmentKeys) -> tuple[Link | MunimentError, Link | MunimentError]:
    """Both hellos at once; an error stands for the end that it hit."""
    result: list[Link | MunimentError] = []

    def attempt(make: Callable[[], Link]) -> None:
        try:
            result.append(make())
        except MunimentError as error:
            result.append(error)

    thread = threading.Thread(target=attempt, args=[lambda: Link.accept(pair[1], server, _bytes)])
    thread.start()
    try:
        mine: Link | MunimentError = Link.connect(pair[0], client, _bytes)
    except MunimentError as error:
        mine = error
    thread.join(10)
    return mine, result[0]


def _links(pair: Pair) -> tuple[Link, Link]:
    client, server = _both(pair, RING, RING)
    assert isinstance(client, Link)
    assert isinstance(server, Link)
    return client, server


def test_messages_go_both_ways(pair: Pair) -> None:
    client, server = _links(pair)
    for body in (b"", b"x", bytes(100_000)):
        thread = threading.Thread(target=client.send, args=[b"A", body])
        thread.start()
        assert server.receive(10) == (b"A", body)
        thread.join(10)
        server.send(b"B", b"reply")
        assert client.receive(10) == (b"B", b"reply")


def test_an_older_key_of_the_ring_will_do_for_the_server(pair: Pair) -> None:
    client, server = _both(pair, RING, SegmentKeys(segment_keys(2)))
    assert isinstance(client, Link)
    assert isinstance(server, Link)


@pytest.mark.parametrize("other", [b"x" * 32, None])
def test_who_does_not_hold_the_key_is_found_on_both_sides(pair: Pair, other: bytes | None) -> None:
    ring = segment_keys(2)[1:] if other is None else (Key("segment-1", Purpose.SEGMENT, other),)
    client, server = _both(pair, SegmentKeys(ring), RING)
    assert isinstance(client, IntegrityError)
    assert "does not hold the key" in client.message
    assert isinstance(server, IntegrityError)


def test_a_server_that_does_not_prove_itself_is_refused(pair: Pair) -> None:
    """It plays back what it heard, or makes something up: it needs the key for its own proof."""
    pair[1].sendall(MAGIC + _bytes(32))
    pair[1].sendall(bytes(range(32)))
    with pytest.raises(IntegrityError, match="does not hold the key"):
        Link.connect(pair[0], RING, _bytes)
    answer = pair[1].recv(1000)
    assert len(answer) == 32 + 4 + 32
    other = socket.socketpair()
    with other[0], other[1]:
        other[1].sendall(MAGIC + _bytes(32) + answer[-32:])  # the client's own proof, sent back
        with pytest.raises(IntegrityError, match="does not hold the key"):
            Link.connect(other[0], RING, _bytes)


def test_something_else_at_the_socket(pair: Pair) -> None:
    pair[1].sendall(b"HTTP/1.1 200 OK\r\n" + bytes(40))
    with pytest.raises(IntegrityError, match="no writer of this version"):
        Link.connect(pair[0], RING, _bytes)


def test_a_peer_that_goes_away_is_told(pair: Pair) -> None:
    client, _ = _links(pair)
    assert not client.gone()
    pair[1].close()
    assert client.gone()
    with pytest.raises(UnreachableError, match="went away"):
        client.receive(10)
    with pytest.raises(UnreachableError, match="went away"):
        client.send(b"A", b"")


def test_a_peer_that_says_nothing_is_not_waited_for_ever(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = _links(pair)
    with pytest.raises(UnreachableError, match="does not answer"):
        client.receive(0.01)
    monkeypatch.setattr(module, "HELLO_SECONDS", 0.01)
    other = socket.socketpair()
    with other[0], other[1], pytest.raises(UnreachableError, match="does not answer"):
        Link.accept(other[1], RING, _bytes)


def test_messages_are_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    client, server = _links(pair)
    monkeypatch.setattr(module, "MESSAGE_BYTES", 100)
    with pytest.raises(LimitError, match="at most 100"):
        client.send(b"A", bytes(100))
    for length in (0, 16, 101, 2**32 - 1):
        pair[0].sendall(length.to_bytes(4, "big"))
        with pytest.raises(IntegrityError, match=f"a message of {length:,} bytes"):
            server.receive(10)


def _sent(pair: Pair, link: Link, body: bytes) -> bytes:
    link.send(b"A", body)
    return pair[1].recv(10_000)


def test_altered_moved_and_repeated_messages_do_not_open(pair: Pair) -> None:
    client, server = _links(pair)
    first, second = _sent(pair, client, b"one"), _sent(pair, client, b"two")
    for wrong in (second, first[:-1] + bytes([first[-1] ^ 1])):
        pair[0].sendall(wrong)
        with pytest.raises(IntegrityError, match="does not verify"):
            server.receive(10)
    pair[0].sendall(first)
    assert server.receive(10) == (b"A", b"one")
    pair[0].sendall(first)
    with pytest.raises(IntegrityError, match="does not verify"):
        server.receive(10)
    pair[1].sendall(second)  # back to its sender
    with pytest.raises(IntegrityError, match="does not verify"):
        client.receive(10)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_instead_of_a_hello(data: bytes) -> None:
    for make in (Link.connect, Link.accept):
        ends = socket.socketpair()
        with ends[0], ends[1]:
            ends[1].sendall(data)
            ends[1].shutdown(socket.SHUT_WR)
            with pytest.raises((IntegrityError, UnreachableError)):
                make(ends[0], RING, _bytes)
