"""What waits while a session opens: packets, messages, and everything that is left over, to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.protocol import ProtocolError
from muniment.gate.protocol.framing import Frame
from muniment.gate.protocol.startup import MAX_PACKET, SSLRequest, packet
from muniment.gate.protocol.wire import message
from muniment.gate.session.incoming import Incoming

MOST = 100


@given(st.lists(st.binary(max_size=20), max_size=5), st.binary(max_size=4), st.lists(st.integers(1, 40), max_size=20))
def test_messages_come_out_however_they_are_cut(bodies: list[bytes], left: bytes, cuts: list[int]) -> None:
    data = SSLRequest().build() + b"".join(message(ord("p"), body) for body in bodies) + left
    incoming, packets, frames = Incoming(MOST), [], []
    while data:
        size = cuts.pop() if cuts else len(data)
        incoming.feed(data[:size])
        data = data[size:]
        if not packets and (taken := incoming.packet()) is not None:
            packets.append(taken)
        while packets and (frame := incoming.message()) is not None:
            frames.append(frame)
    assert packets == [SSLRequest().build()[4:]]
    assert frames == [Frame(ord("p"), body) for body in bodies]
    assert len(incoming) == len(left)
    assert incoming.rest() == left and not len(incoming)


@pytest.mark.parametrize("length", [0, 3, 7, MAX_PACKET + 1, 2**31, 2**32 - 1])
def test_a_packet_of_an_impossible_length_is_refused_at_once(length: int) -> None:
    incoming = Incoming(MOST)
    incoming.feed(length.to_bytes(4, "big"))
    with pytest.raises(ProtocolError):
        incoming.packet()


@pytest.mark.parametrize("length", [0, 3, MOST + 1, 2**31, 2**32 - 1])
def test_a_message_of_an_impossible_length_is_refused_at_once(length: int) -> None:
    incoming = Incoming(MOST)
    incoming.feed(b"p" + length.to_bytes(4, "big"))
    with pytest.raises(ProtocolError):
        incoming.message()


def test_the_longest_of_each_is_taken() -> None:
    incoming = Incoming(MOST)
    incoming.feed(packet(b"x" * (MAX_PACKET - 4)))
    assert incoming.packet() == b"x" * (MAX_PACKET - 4)
    incoming.feed(message(ord("p"), b"x" * (MOST - 4)))
    assert incoming.message() == Frame(ord("p"), b"x" * (MOST - 4))
