"""The gate's own start with PostgreSQL: versions, order, the exchanged cancel key, and an upstream that lies."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from language.logins import counted
from muniment.gate.identity.login import LoginRefused, UpstreamLogin
from muniment.gate.protocol import ProtocolError
from muniment.gate.protocol.backend import (
    Authentication,
    BackendKeyData,
    CommandComplete,
    ErrorResponse,
    NoticeResponse,
    ParameterStatus,
    ReadyForQuery,
)
from muniment.gate.protocol.startup import VERSION_3_0, VERSION_3_2, NegotiateProtocolVersion, StartupMessage
from muniment.gate.session.entering import PARAMETERS, Entering, OlderWanted, UpstreamRefused

OK = Authentication(Authentication.OK).build()
OURS = BackendKeyData(1, b"ours")
THEIRS = BackendKeyData(7, b"t" * 32)
STATUS = ParameterStatus("server_version", "18.4").build()
READY = ReadyForQuery("I").build()
NOTICE = NoticeResponse.of("WARNING", "01000", "a remark").build()


def entering(version: int = VERSION_3_2, *, notices: bool = True) -> Entering:
    """A start of account `clerk`; no password is asked for in these tests."""
    startup = StartupMessage(version, {"user": "clerk", "database": "office"})
    return Entering(startup, UpstreamLogin("clerk", None, counted, None), OURS, notices=notices)


def test_a_start_passes_reports_on_and_keeps_the_key() -> None:
    start = entering()
    assert start.hello() == StartupMessage(VERSION_3_2, {"user": "clerk", "database": "office"}).build()
    received = start.receive(OK + STATUS + NOTICE + THEIRS.build() + READY + b"left")
    assert bytes(received.forward) == STATUS + NOTICE + OURS.build() + READY
    assert not received.reply
    assert start.ready and start.rest() == b"left"
    assert start.key == (7, b"t" * 32)
    assert start.parameters == {"server_version": "18.4"}


def test_every_cut_gives_the_same_bytes() -> None:
    data = OK + STATUS + THEIRS.build() + READY + b"left"
    for cut in range(len(data)):
        start = entering()
        forwarded = start.receive(data[:cut]).forward + start.receive(data[cut:]).forward
        assert bytes(forwarded) == STATUS + OURS.build() + READY
        assert start.rest() == b"left"


def test_the_client_has_a_key_even_where_upstream_gives_none() -> None:
    start = entering()
    assert bytes(start.receive(OK + READY).forward) == OURS.build() + READY
    assert start.key is None


def test_notices_may_be_held_back() -> None:
    assert NOTICE not in bytes(entering(notices=False).receive(OK + NOTICE + READY).forward)


def test_upstream_may_take_an_older_version() -> None:
    start = entering()
    start.receive(NegotiateProtocolVersion(VERSION_3_0).build() + OK + READY)
    assert start.ready and start.version == VERSION_3_0


@pytest.mark.parametrize(
    "messages",
    [
        (NegotiateProtocolVersion(VERSION_3_2 + 1).build(),),
        (NegotiateProtocolVersion(2 << 16).build(),),
        (OK, NegotiateProtocolVersion(VERSION_3_0).build()),
        (STATUS,),
        (THEIRS.build(),),
        (READY,),
        (OK, THEIRS.build(), THEIRS.build()),
        (OK, ReadyForQuery("T").build()),
        (OK, CommandComplete("SELECT 1").build()),
        (OK, b"?\0\0\0\4"),
        (OK, b"S\0\0\0\3"),
        (OK, b"S\x7f\xff\xff\xff"),
        (OK, *(ParameterStatus(f"p{n}", "").build() for n in range(PARAMETERS + 1))),
    ],
)
def test_what_does_not_belong_into_a_start_ends_it(messages: Sequence[bytes]) -> None:
    with pytest.raises(ProtocolError):
        entering().receive(b"".join(messages))


def test_a_second_login_is_refused() -> None:
    with pytest.raises(LoginRefused):
        entering().receive(OK + OK)


@pytest.mark.parametrize("code", ["0A000", "08P01"])
def test_who_refuses_the_version_is_asked_for_the_older_one(code: str) -> None:
    error = ErrorResponse.of("FATAL", code, "unsupported frontend protocol").build()
    with pytest.raises(OlderWanted):
        entering().receive(error)
    with pytest.raises(UpstreamRefused):
        entering(VERSION_3_0).receive(error)
    with pytest.raises(UpstreamRefused):
        entering().receive(OK + error)


def test_who_hangs_up_without_a_word_is_asked_for_the_older_one() -> None:
    with pytest.raises(OlderWanted):
        entering().closed()
    entering(VERSION_3_0).closed()
    answered = entering()
    answered.receive(OK)
    answered.closed()


@pytest.mark.parametrize(("before", "authenticated"), [(b"", False), (OK, True)])
def test_an_error_says_whether_the_login_stood(before: bytes, authenticated: bool) -> None:
    with pytest.raises(UpstreamRefused) as refused:
        entering().receive(before + ErrorResponse.of("FATAL", "3D000", "no such database").build())
    assert refused.value.authenticated is authenticated
    assert refused.value.error.sqlstate == "3D000"
