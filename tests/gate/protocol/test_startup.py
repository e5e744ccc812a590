"""The packets before the first message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.protocol import ProtocolError, startup
from muniment.gate.protocol.startup import (
    MAX_PACKET,
    VERSION_3_0,
    VERSION_3_2,
    CancelRequest,
    GSSENCRequest,
    NegotiateProtocolVersion,
    SSLRequest,
    StartupMessage,
)

TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=12)


def code(number: int, rest: bytes = b"") -> bytes:
    return number.to_bytes(4, "big") + rest


def test_the_bytes_that_libpq_sends_are_read() -> None:
    body = bytes.fromhex("00030000") + b"user\0ann\0database\0register\0application_name\0psql\0\0"
    message = startup.parse(body)
    assert isinstance(message, StartupMessage)
    assert (message.user, message.database, message.minor) == ("ann", "register", 0)
    assert message.build() == (len(body) + 4).to_bytes(4, "big") + body


def test_the_database_is_the_account_where_none_is_named() -> None:
    assert StartupMessage(VERSION_3_0, {"user": "ann"}).database == "ann"
    assert StartupMessage(VERSION_3_0, {"user": "ann", "database": ""}).database == "ann"


@given(st.dictionaries(TEXTS, TEXTS, max_size=8), st.sampled_from([VERSION_3_0, VERSION_3_2, 3 << 16 | 9999]))
def test_a_startup_message_is_read_as_it_was_written(parameters: dict[str, str], version: int) -> None:
    message = StartupMessage(version, {"user": "ann", **parameters})
    assert startup.parse(message.build()[4:]) == message


def test_protocol_options_are_told_apart() -> None:
    assert StartupMessage(VERSION_3_2, {"user": "a", "_pq_.x": "1", "pq": "2"}).options == ("_pq_.x",)


@pytest.mark.parametrize("request_", [SSLRequest(), GSSENCRequest()])
def test_requests_for_encryption(request_: SSLRequest | GSSENCRequest) -> None:
    assert request_.build() == (8).to_bytes(4, "big") + request_.CODE.to_bytes(4, "big")
    assert startup.parse(request_.build()[4:]) == request_
    with pytest.raises(ProtocolError, match="1 bytes too many"):
        startup.parse(request_.build()[4:] + b"x")


@pytest.mark.parametrize("size", [4, 32, 256])
def test_cancel_keys_of_both_versions(size: int) -> None:
    request = CancelRequest(-7, b"k" * size)
    assert startup.parse(request.build()[4:]) == request
    assert "kk" not in repr(request)


@pytest.mark.parametrize("size", [0, 3, 257])
def test_cancel_keys_of_other_lengths_are_refused(size: int) -> None:
    with pytest.raises(ProtocolError, match=f"a cancel key has {size} bytes"):
        startup.parse(code(CancelRequest.CODE, bytes(4 + size)))
    with pytest.raises(ProtocolError, match="a cancel key has"):
        CancelRequest(1, bytes(size)).build()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "ends too early"),
        (code(2 << 16), "protocol 2.0"),
        (code(4 << 16, b"user\0a\0\0"), "protocol 4.0"),
        (code(1234 << 16 | 5677), "unknown request"),
        (code(VERSION_3_0), "has no end"),
        (code(VERSION_3_0, b"\0"), "names no user"),
        (code(VERSION_3_0, b"user\0\0\0"), "names no user"),
        (code(VERSION_3_0, b"database\0x\0\0"), "names no user"),
        (code(VERSION_3_0, b"user\0a\0"), "has no end"),
        (code(VERSION_3_0, b"user\0a\0\0x"), "1 bytes too many"),
        (code(VERSION_3_0, b"user\0a\0user\0b\0\0"), "twice"),
        (code(VERSION_3_0, b"user\0" + b"a" * MAX_PACKET + b"\0\0"), "expected at most 10,000"),
    ],
)
def test_what_no_client_sends_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        startup.parse(body)


def test_a_packet_that_is_too_long_is_not_built() -> None:
    with pytest.raises(ProtocolError, match="expected at most 10,000"):
        StartupMessage(VERSION_3_0, {"user": "a" * MAX_PACKET}).build()


@given(st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_an_error(body: bytes) -> None:
    try:
        packet = startup.parse(body)
    except ProtocolError:
        return
    assert packet.build()[4:] == body


def test_the_version_is_negotiated() -> None:
    value = NegotiateProtocolVersion(VERSION_3_0, ("_pq_.a", "_pq_.b"))
    assert value.build() == b"v" + (26).to_bytes(4, "big") + code(VERSION_3_0, code(2, b"_pq_.a\0_pq_.b\0"))
    assert NegotiateProtocolVersion.parse(value.build()[5:]) == value
    with pytest.raises(ProtocolError, match="expected fewer"):
        NegotiateProtocolVersion.parse(code(VERSION_3_0, code(2**32 - 1)))
