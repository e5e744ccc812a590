"""What a client sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.protocol import ProtocolError, frontend
from muniment.gate.protocol.frontend import (
    KINDS,
    PORTAL,
    STATEMENT,
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    FunctionCall,
    Message,
    Parse,
    Password,
    PasswordMessage,
    Query,
    SASLInitialResponse,
    SASLResponse,
    Sync,
    Terminate,
)

# Written down from the documentation's "Message Formats", not made by the code under test.
EXAMPLES: list[tuple[Message, bytes]] = [
    (Query("select 1"), b"Q\0\0\0\x0dselect 1\0"),
    (Parse("s", "select $1", (23,)), b"P\0\0\0\x16s\0select $1\0\0\x01\0\0\0\x17"),
    (
        Bind("p", "s", (1,), (b"\0\0\0\x07", None), (0, 1)),
        b"B\0\0\0\x20p\0s\0\0\x01\0\x01\0\x02\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff\0\x02\0\0\0\x01",
    ),
    (Describe(STATEMENT, "s"), b"D\0\0\0\x07Ss\0"),
    (Describe(PORTAL, ""), b"D\0\0\0\x06P\0"),
    (Execute("", 50), b"E\0\0\0\x09\0\0\0\0\x32"),
    (Close(PORTAL, "p"), b"C\0\0\0\x07Pp\0"),
    (Sync(), b"S\0\0\0\x04"),
    (Flush(), b"H\0\0\0\x04"),
    (CopyData(b"a\tb\n"), b"d\0\0\0\x08a\tb\n"),
    (CopyDone(), b"c\0\0\0\x04"),
    (CopyFail("no"), b"f\0\0\0\x07no\0"),
    (FunctionCall(2, (), (b"x",), 1), b"F\0\0\0\x13\0\0\0\x02\0\0\0\x01\0\0\0\x01x\0\x01"),
    (Terminate(), b"X\0\0\0\x04"),
    (PasswordMessage(b"pw\0"), b"p\0\0\0\x07pw\0"),
]

NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6)
CODES = st.lists(st.integers(0, 65535), max_size=3).map(tuple)
VALUES = st.lists(st.one_of(st.none(), st.binary(max_size=6)), max_size=3).map(tuple)
OIDS = st.integers(0, 2**32 - 1)
MESSAGES = st.one_of(
    st.builds(Query, NAMES),
    st.builds(Parse, NAMES, NAMES, st.lists(OIDS, max_size=3).map(tuple)),
    st.builds(Bind, NAMES, NAMES, CODES, VALUES, CODES),
    st.builds(Describe, st.sampled_from([STATEMENT, PORTAL]), NAMES),
    st.builds(Close, st.sampled_from([STATEMENT, PORTAL]), NAMES),
    st.builds(Execute, NAMES, st.integers(-(2**31), 2**31 - 1)),
    st.builds(FunctionCall, OIDS, CODES, VALUES, st.integers(0, 65535)),
    st.builds(CopyData, st.binary(max_size=9)),
    st.builds(CopyFail, NAMES),
    st.sampled_from([Sync(), Flush(), Terminate(), CopyDone()]),
)


@pytest.mark.parametrize(("value", "data"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_messages_are_written_and_read_as_documented(value: Message, data: bytes) -> None:
    assert value.build() == data
    assert frontend.parse(data[0], data[5:]) == value


def test_every_kind_has_an_example() -> None:
    assert {data[0] for _, data in EXAMPLES} == set(KINDS)


@given(MESSAGES)
def test_messages_are_read_as_they_were_written(value: Message) -> None:
    data = value.build()
    assert int.from_bytes(data[1:5], "big") == len(data) - 1
    assert frontend.parse(data[0], data[5:]) == value


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=40))
def test_any_body_is_a_message_or_an_error(kind: int, body: bytes) -> None:
    try:
        value = frontend.parse(kind, body)
    except ProtocolError:
        return
    assert value.build()[5:] == body


@given(MESSAGES, st.data())
def test_a_body_cut_short_is_refused(value: Message, data: st.DataObject) -> None:
    body = value.build()[5:]
    if body and not isinstance(value, CopyData):
        with pytest.raises(ProtocolError):
            frontend.parse(value.KIND, body[: data.draw(st.integers(0, len(body) - 1))])


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ProtocolError, match="type '!'"):
        frontend.parse(ord("!"), b"")


def test_describe_is_about_a_statement_or_a_portal() -> None:
    with pytest.raises(ProtocolError, match="Describe is about 'X'"):
        frontend.parse(ord("D"), b"X\0")


def test_the_answers_to_authentication() -> None:
    assert Password.parse(b"pw\0") == Password("pw")
    assert Password("pw").build() == PasswordMessage(b"pw\0").build()
    assert SASLResponse(b"c=biws").build() == b"p\0\0\0\x0ac=biws"
    first = SASLInitialResponse("SCRAM-SHA-256", b"n,,")
    assert first.build() == b"p\0\0\0\x19SCRAM-SHA-256\0\0\0\0\x03n,,"
    assert SASLInitialResponse.parse(first.build()[5:]) == first
    empty = SASLInitialResponse("SCRAM-SHA-256", None)
    assert SASLInitialResponse.parse(empty.build()[5:]) == empty


def test_no_value_of_the_client_is_in_a_repr() -> None:
    values = (Query("secret"), Parse("", "secret"), Bind("", "", (), (b"secret",)), CopyData(b"secret"),
              PasswordMessage(b"secret"), Password("secret"), SASLInitialResponse("S", b"secret"))  # fmt: skip
    assert not any("secret" in repr(value) for value in values)


def test_equal_bodies_of_other_kinds_are_not_equal() -> None:
    assert Query("x") != CopyFail("x") and Sync() != Flush()
