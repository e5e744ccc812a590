"""The grammar that all messages share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.protocol import ProtocolError
from muniment.gate.protocol.wire import Reader, cell_list, decoded, message, shown, text_bytes, uint16_list


def test_a_message_counts_its_length_but_not_its_type() -> None:
    assert message(ord("Z"), b"I") == b"Z\0\0\0\x05I"


@given(st.binary(max_size=40))
def test_any_bytes_survive_as_text(data: bytes) -> None:
    data = data.replace(b"\0", b"")
    assert text_bytes(decoded(data)) == data + b"\0"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_cannot_stand_on_the_wire_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="a text of a message holds"):
        text_bytes(text)


@given(st.lists(st.one_of(st.none(), st.binary(max_size=9)), max_size=9), st.lists(st.integers(0, 65535), max_size=9))
def test_lists_are_read_as_they_were_written(cells: list[bytes | None], numbers: list[int]) -> None:
    reader = Reader("a message", cell_list(cells) + uint16_list(numbers))
    assert reader.cells() == tuple(cells)
    assert reader.uint16s() == tuple(numbers)
    assert not reader.more
    reader.close()


def test_reading_past_the_end_tells_what_was_expected() -> None:
    with pytest.raises(ProtocolError, match=r"^Bind ends too early: 4 more bytes expected, 3 came$"):
        Reader("Bind", b"abc").uint32()


def test_a_text_without_its_zero_is_refused() -> None:
    with pytest.raises(ProtocolError, match="has no end"):
        Reader("Bind", b"abc").text()


def test_bytes_left_over_are_refused() -> None:
    reader = Reader("Bind", b"a\0bc")
    reader.text()
    with pytest.raises(ProtocolError, match="2 bytes too many"):
        reader.close()


@pytest.mark.parametrize("size", [-2, -(2**31)])
def test_a_value_may_not_be_shorter_than_null(size: int) -> None:
    with pytest.raises(ProtocolError, match="expected -1 or more"):
        Reader("Bind", size.to_bytes(4, "big", signed=True)).cell()


def test_errors_hold_nothing_of_the_body() -> None:
    with pytest.raises(ProtocolError) as caught:
        Reader("Bind", b"secret").take(7)
    assert "secret" not in str(caught.value)


def test_a_type_byte_is_shown_as_letter_or_number() -> None:
    assert shown(ord("Q")) == "'Q'" and shown(0) == "0x00" and shown(200) == "0xc8"
