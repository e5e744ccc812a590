"""Bytes into messages, whatever the chunks they come in."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.messages import CELLS, Cell, chunks, raw, row
from muniment.gate.protocol import ProtocolError
from muniment.gate.protocol.copyscan import CopyRows
from muniment.gate.protocol.framing import STREAMED, Frame, Framer, Piece
from muniment.gate.protocol.wire import MAX_LENGTH

LIMIT = 24


def messages(framer: Framer, data: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """Everything that comes out: type and body, pieces joined and checked."""
    found: list[tuple[int, bytes]] = []
    pieces: list[Piece] = []
    for chunk in data:
        framer.feed(chunk)
        while (item := framer.next()) is not None:
            if isinstance(item, Frame):
                assert not pieces
                found.append((item.kind, item.body))
                continue
            assert item.data and item.first is (not pieces)
            pieces.append(item)
            if item.last:
                whole = b"".join(piece.data for piece in pieces)
                assert whole == raw(bytes((item.kind,)), whole[5:]) and len(whole) - 5 > framer.limit
                found.append((item.kind, whole[5:]))
                pieces = []
    assert not pieces
    return found


KINDS = st.sampled_from([b"D", b"d", b"B", b"P", b"Q", b"Z", b"C", b"S"])
STREAM = st.lists(
    st.tuples(KINDS, st.one_of(st.binary(max_size=LIMIT), st.just(b"D\0\0\0\x04" * 12))).filter(
        lambda item: len(item[1]) <= LIMIT or item[0][0] in STREAMED
    ),
    max_size=8,
)


@given(STREAM, st.lists(st.integers(0, 10**6), max_size=12))
def test_messages_come_out_as_they_went_in(stream: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    framer = Framer(LIMIT)
    data = b"".join(raw(kind, body) for kind, body in stream)
    assert messages(framer, chunks(data, cuts)) == [(kind[0], body) for kind, body in stream]
    assert framer.pending == 0 and framer.next() is None


def test_byte_by_byte() -> None:
    data = raw(b"Q", b"select 1\0") + raw(b"D", bytes(LIMIT + 9)) + raw(b"Z", b"I")
    assert messages(Framer(LIMIT), (data[i : i + 1] for i in range(len(data)))) == [
        (81, b"select 1\0"), (68, bytes(LIMIT + 9)), (90, b"I"),
    ]  # fmt: skip


def test_a_message_as_long_as_the_limit_comes_whole() -> None:
    framer = Framer(LIMIT)
    framer.feed(raw(b"Z", bytes(LIMIT)))
    assert framer.next() == Frame(90, bytes(LIMIT))
    framer.feed(raw(b"Z", bytes(LIMIT + 1)))
    with pytest.raises(ProtocolError, match="type 'Z' has 25 bytes; expected at most 24"):
        framer.next()


def test_a_long_message_is_passed_on_while_it_comes() -> None:
    framer = Framer(LIMIT)
    data = raw(b"d", b"x" * 100)
    framer.feed(data[:5])
    assert framer.next() == Piece(100, first=True, last=False, data=data[:5]) and framer.inside
    assert framer.next() is None and framer.peek() is None
    framer.feed(data[5:50])
    assert framer.next() == Piece(100, first=False, last=False, data=data[5:50])
    framer.feed(data[50:] + raw(b"Z", b"I"))
    assert framer.rows(68, (), [], [], 9) == b""
    assert framer.next() == Piece(100, first=False, last=True, data=data[50:]) and not framer.inside
    assert framer.next() == Frame(90, b"I")


@pytest.mark.parametrize("length", [0, 3, MAX_LENGTH + 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("kind", [b"D", b"Z"])
def test_lengths_out_of_range_are_refused_from_the_header_alone(kind: bytes, length: int) -> None:
    framer = Framer(LIMIT)
    framer.feed(raw(kind, b"", length=length))
    with pytest.raises(ProtocolError, match="expected 4 to"):
        framer.next()
    again = Framer(LIMIT)
    again.feed(raw(kind, b"", length=length))
    with pytest.raises(ProtocolError, match="its lengths do not add up"):
        again.rows(kind[0], (), [], [], 1)


def test_a_limit_can_be_raised_between_messages() -> None:
    framer = Framer(4)
    framer.feed(raw(b"p", b"ab\0") + raw(b"Z", bytes(9)))
    assert framer.next() == Frame(112, b"ab\0")
    framer.limit = 9
    assert framer.next() == Frame(90, bytes(9))


def test_the_next_type_is_told_before_the_message_is_all_there() -> None:
    framer = Framer(LIMIT)
    assert framer.peek() is None
    framer.feed(b"D\0")
    assert framer.peek() == 68 and framer.next() is None and framer.pending == 2


def test_a_frame_is_built_again() -> None:
    assert Frame(90, b"I").build() == b"Z\0\0\0\x05I"


# --- startup packets -----------------------------------------------------------------------------------------------


def test_a_startup_packet_has_no_type() -> None:
    framer = Framer(LIMIT)
    for byte in b"\0\0\0\x08\x04\xd2\x16":
        framer.feed(bytes((byte,)))
        assert framer.packet() is None
    framer.feed(b"\x2f" + raw(b"X", b""))
    assert framer.packet() == b"\x04\xd2\x16\x2f"
    assert framer.pending == 5  # bytes stuffed behind SSLRequest can be seen
    assert framer.next() == Frame(88, b"")


@pytest.mark.parametrize("length", [0, 4, 7, 10_001, 2**31, 2**32 - 1, int.from_bytes(b"GET ", "big")])
def test_a_startup_packet_is_bounded(length: int) -> None:
    framer = Framer(LIMIT)
    framer.feed(length.to_bytes(4, "big"))
    with pytest.raises(ProtocolError, match="expected 8 to 10,000"):
        framer.packet()


# --- rows ------------------------------------------------------------------------------------------------------------


def relayed(framer: Framer, data: Iterable[bytes], limit: int) -> tuple[bytes, list[Cell]]:
    """All rows by `rows`, everything else by `next`: the bytes again, and the cells of the second column."""
    out, found = bytearray(), []
    for chunk in data:
        framer.feed(chunk)
        while True:
            ends: list[int] = []
            cells: list[list[Cell]] = [[]]
            taken = framer.rows(68, (1,), ends, cells, limit)
            if taken:
                assert ends[-1] == len(taken) and len(ends) == len(cells[0]) <= limit
                before = [0, *ends[:-1]]
                assert all(taken[at] == 68 for at in before)
                found += cells[0]
                out += taken
                continue
            item = framer.next()
            if item is None:
                break
            out += item.build() if isinstance(item, Frame) else item.data
    return bytes(out), found


ROWS = st.lists(st.tuples(CELLS, CELLS), max_size=6)


@given(ROWS, ROWS, st.lists(st.integers(0, 10**6), max_size=12), st.integers(1, 4))
def test_rows_are_relayed_whatever_the_chunks(
    first: list[tuple[Cell, Cell]], second: list[tuple[Cell, Cell]], cuts: list[int], limit: int
) -> None:
    parts = [row(*cells) for cells in first], [row(*cells) for cells in second]
    data = raw(b"T", b"\0\0") + b"".join(parts[0]) + raw(b"C", b"SELECT\0") + b"".join(parts[1]) + raw(b"Z", b"I")
    out, cells = relayed(Framer(2_000), chunks(data, cuts), limit)
    assert out == data
    assert cells == [pair[1] for pair in (*first, *second)]


def test_a_chunk_of_rows_is_not_copied() -> None:
    framer = Framer(LIMIT)
    chunk = row(b"a") * 9
    framer.feed(chunk)
    assert framer.rows(68, (), [], [], 99) is chunk


def test_rows_behind_another_message_count_from_their_own_start() -> None:
    framer = Framer(LIMIT)
    framer.feed(raw(b"T", b"\0\0") + row(b"a") + row(b"bb") + raw(b"Z", b"I"))
    framer.next()
    ends: list[int] = [3]
    taken = framer.rows(68, (), ends, [], 99)
    assert bytes(taken) == row(b"a") + row(b"bb")
    assert ends == [3, len(row(b"a")), len(taken)]


def test_a_row_longer_than_the_limit_comes_in_pieces_where_it_is_not_all_there() -> None:
    framer = Framer(LIMIT)
    data = row(b"x" * 100)
    framer.feed(data[:20])
    assert framer.rows(68, (0,), [], [[]], 9) == b""
    assert framer.next() == Piece(68, first=True, last=False, data=data[:20])


def test_a_malformed_row_is_an_error_of_the_protocol() -> None:
    framer = Framer(LIMIT)
    framer.feed(raw(b"D", b"\0\1\0\0\0\x09secret"))
    with pytest.raises(ProtocolError, match="its lengths do not add up") as caught:
        framer.rows(68, (0,), [], [[]], 9)
    assert "secret" not in str(caught.value)


def test_rows_of_a_copy() -> None:
    framer = Framer(LIMIT)
    lines = [raw(b"d", line) for line in (b"id,name\n", b"1,Ann\n", b"2,\n")]
    framer.feed(raw(b"H", b"\0\0\2\0\0\0\0") + b"".join(lines) + raw(b"c", b""))
    framer.next()
    ends: list[int] = []
    cells: list[list[Cell]] = [[]]
    taken = framer.copy_rows(CopyRows("csv", width=2, fields=(1,), header=True), ends, cells, 99)
    assert bytes(taken) == b"".join(lines)
    assert ends == [len(lines[0] + lines[1]), len(taken)] and cells == [[b"Ann", None]]
    assert framer.next() == Frame(99, b"")


@pytest.mark.soak
def test_ten_million_chunks() -> None:
    dice = random.Random(7)
    cut = 0
    while cut < 10_000_000:
        parts = []
        for _ in range(200):
            cells = [None if dice.random() < 0.1 else dice.choice(FORGED)[: dice.randrange(30)] for _ in range(2)]
            parts.append(dice.choice((row(*cells), row(*cells), raw(b"Z", b"I"), raw(b"C", b"SELECT 1\0"))))
        data = b"".join(parts)
        cuts = [dice.randrange(len(data)) for _ in range(dice.choice((5, 500, 5_000)))]
        pieces = list(chunks(data, cuts))
        out, _ = relayed(Framer(dice.choice((16, 64, 4_096))), pieces, dice.choice((1, 3, 10**6)))
        assert out == data
        cut += len(pieces)


FORGED = (b"D\0\0\0\x06\0\0" * 5, b"C\0\0\0\x0dSELECT 1\0" * 3, b"Z\0\0\0\x05I" * 6, b"\xff" * 40, b"\0" * 40)
