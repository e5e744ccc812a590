"""Errors, notices, notifications and settings on their way to a client."""

from __future__ import annotations

import pytest

from language.conversations import KEY, relay, setup
from language.playbook import Playbook, to_client
from muniment.gate.protocol import backend as be
from muniment.gate.protocol import frontend as fe
from muniment.gate.session.commands import Append, CancelUpstream, CloseClient, ToClient
from muniment.gate.session.events import Appended, FromClient, FromUpstream

READY = be.ReadyForQuery("I").build()
T = be.RowDescription((be.Field("id", 16_400, 1, 23),)).build()


def asked(text: str, **rules: object) -> Playbook:
    play = Playbook(relay(setup(**rules)))
    play.when(FromClient(fe.Query(text).build())).rest()
    return play


def test_an_error_that_quotes_a_value_is_redacted() -> None:
    failed = be.ErrorResponse.of("ERROR", "22P02", 'invalid input syntax for type integer: "Surname5"').build()
    play = asked("select surname::int from person", redact=True).when(FromUpstream(failed + READY))
    came = to_client(play.rest())
    assert b"Surname5" not in came and b"22P02" in came


def test_an_error_passes_where_nothing_is_redacted() -> None:
    failed = be.ErrorResponse.of("ERROR", "22P02", 'invalid input syntax for type integer: "Surname5"').build()
    play = asked("select surname::int from person").when(FromUpstream(failed + READY))
    play.then(ToClient(failed + READY))


def test_a_notice_that_quotes_a_value_is_redacted() -> None:
    notice = be.NoticeResponse.of("NOTICE", "00000", "row: Surname5").build()
    play = asked("select f()", redact=True).when(FromUpstream(notice))
    came = to_client(play.rest())
    assert came.startswith(b"N") and b"Surname5" not in came


def test_a_notification_of_a_channel_that_nobody_listens_to_is_dropped() -> None:
    play = Playbook(relay(setup(redact=True)))
    play.when(FromUpstream(be.NotificationResponse(1, "news", "Surname5").build())).end()


def test_what_may_come_at_any_time_keeps_its_place_among_held_rows() -> None:
    play = asked("select id from person")
    row = be.DataRow((b"7",)).build()
    status = be.ParameterStatus("application_name", "x").build()
    done = be.CommandComplete("SELECT 1").build() + READY
    play.when(FromUpstream(T + row + status + done))
    play.when(Appended(play.take(Append).token)).then(ToClient(T + row + status + done))


def test_settings_are_told_even_of_a_statement_that_is_broken_off() -> None:
    play = asked("select id from person", persons={"day": 0})
    play.when(FromUpstream(T + be.DataRow((b"7",)).build()))
    assert CancelUpstream(*KEY) in play.rest()
    status = be.ParameterStatus("application_name", "x").build()
    play.when(FromUpstream(status)).then(ToClient(status))


def test_an_error_of_no_statement_passes() -> None:
    fatal = be.ErrorResponse.of("FATAL", "57P01", "terminating connection").build()
    Playbook(relay(setup())).when(FromUpstream(fatal)).then(ToClient(fatal))


@pytest.mark.parametrize("lie", [be.CopyOutResponse(0, (0,)).build(), be.RowDescription(()).build()])
def test_a_server_that_describes_a_result_twice_or_as_a_copy_is_not_followed(lie: bytes) -> None:
    play = asked("select id from person")
    row = be.DataRow((b"7",)).build()
    commands = play.when(FromUpstream(T + lie + row)).rest()
    assert CloseClient() in commands
    assert b"08P01" in to_client(commands)
    assert row not in to_client(commands)
