"""Sessions from the first byte to the last: who is followed, who passes, and every way in which one ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from language.conversations import KEY, NOW, messages, relay, setup
from language.fake_postgres import _field
from language.logins import GATE_KEY, SERVER_KEY, counted, found
from language.playbook import Playbook, to_client, to_upstream
from muniment.disclosure import Delivery, Outcome
from muniment.gate.identity.login import LoginSettings
from muniment.gate.protocol import backend as be
from muniment.gate.protocol import frontend as fe
from muniment.gate.protocol.startup import VERSION_3_0, StartupMessage
from muniment.gate.session import events
from muniment.gate.session.commands import (
    Append,
    CancelUpstream,
    CloseClient,
    CloseUpstream,
    Report,
    ToClient,
    ToUpstream,
)
from muniment.gate.session.opening import OpeningSetup, Permit, StoredCredential
from muniment.gate.session.session import Session

READY = be.ReadyForQuery("I").build()
T = be.RowDescription((_field("id", "person"),)).build()
STATUS = [
    be.ParameterStatus("client_encoding", "UTF8").build(),
    be.ParameterStatus("standard_conforming_strings", "on").build(),
]
ENTERED = be.Authentication(0).build() + b"".join(STATUS) + be.BackendKeyData(KEY[0], KEY[1]).build() + READY


def query(text: str) -> bytes:
    return fe.Query(text).build()


def row(number: int) -> bytes:
    return be.DataRow((b"%d" % number,)).build()


def done(tag: str) -> bytes:
    return be.CommandComplete(tag).build() + READY


def opened(early: bytes = b"", late: bytes = b"", **rules: object) -> Playbook:
    """A session after a login by certificate. `early`: what the client sent ahead of its answer; `late`: PostgreSQL."""
    login = LoginSettings(("certificate",), server_key=SERVER_KEY)
    stored = Permit(StoredCredential("gate", "x"))
    tls = events.TlsStarted(b"hash", "clerk")
    opening = OpeningSetup(login, GATE_KEY, tls=tls, permits=lambda *_: stored)
    session = Session(replace(setup(**rules), opening=opening), lambda: NOW, counted)
    play = Playbook(session)
    startup = StartupMessage(VERSION_3_0, {"user": "clerk", "database": "d", "muniment.case": "C-1"})
    play.when(events.FromClient(startup.build())).rest()
    play.when(found()).rest()
    if early:
        play.when(events.FromClient(early)).rest()
    play.when(events.AccountReady()).rest()
    play.when(events.UpstreamOpened()).rest()
    play.when(events.FromUpstream(ENTERED + late))
    assert session.account == "clerk"
    return play


def asked(text: str = "select id from person") -> Playbook:
    play = Playbook(relay(setup()))
    play.when(events.FromClient(query(text))).rest()
    return play


def closes(left: list[object]) -> bool:
    return [type(one) for one in left[-2:]] == [CloseUpstream, CloseClient]


# --- who is followed -------------------------------------------------------------------------------------------------


def test_a_guarded_account_is_followed() -> None:
    play = opened()
    play.rest()
    assert play.machine.idle and not play.machine.congested and not play.machine.hold
    play.when(events.FromClient(query("select id from person"))).then(ToUpstream(query("select id from person")))
    play.when(events.FromUpstream(T + row(7) + done("SELECT 1")))
    append = play.take(Append)
    assert append.entries[0].ordinals.tolist() == [7] and append.entries[0].case == "C-1"
    play.when(events.Appended(append.token)).then(ToClient(T + row(7) + done("SELECT 1")))


def test_an_account_that_is_not_guarded_passes_in_whole_chunks() -> None:
    play = opened(guarded=False)
    play.rest()
    play.when(events.FromClient(b"anything")).then(ToUpstream(b"anything"))
    assert not play.machine.idle
    play.when(events.FromUpstream(T + row(7) + done("SELECT 1"))).then(ToClient(T + row(7) + done("SELECT 1")))
    assert play.machine.idle


def test_what_the_client_sent_ahead_is_dealt_with() -> None:
    play = opened(early=query("select id from person"))
    assert to_upstream(play.rest()) == query("select id from person")


def test_what_postgresql_sent_ahead_is_dealt_with() -> None:
    late = be.ParameterStatus("application_name", "x").build()
    assert to_client(opened(late=late).rest()).endswith(READY + late)


def test_a_newer_map_that_came_during_the_login_holds() -> None:
    play = opened()
    machine = play.machine
    assert machine._stage is not None
    newer = replace(setup().catalogue, version=9)
    play.rest()
    play.when(events.CatalogueChanged(newer)).end()
    assert machine._stage._conversation.catalogue is newer


# --- ends ------------------------------------------------------------------------------------------------------------


def test_a_client_that_vanishes_while_rows_come_is_recorded_as_that() -> None:
    play = asked()
    play.when(events.FromUpstream(T + row(1) + row(2)))
    first = play.take(Append)
    play.rest()
    play.when(events.Appended(first.token)).rest()
    play.when(events.ClientClosed())
    left = play.rest()
    (append,) = [one for one in left if isinstance(one, Append)]
    (entry,) = append.entries
    assert entry.template.delivery is Delivery.PARTIAL and entry.template.outcome is Outcome.STOPPED
    assert entry.released == 2 and not len(entry.ordinals)
    assert CancelUpstream(*KEY) in left and closes(left)
    play.when(events.FromUpstream(row(3))).end()


def test_a_client_that_leaves_between_statements_leaves_nothing_behind() -> None:
    play = Playbook(relay(setup()))
    play.when(events.ClientClosed()).then(CloseUpstream(), CloseClient())


def test_where_postgresql_is_gone_the_client_is_told_after_what_it_was_allowed() -> None:
    play = asked()
    play.when(events.FromUpstream(T + row(1)))
    append = play.take(Append)
    play.when(events.UpstreamClosed("reset"))
    left = play.rest()
    assert not any(isinstance(one, CloseClient) for one in left)
    play.when(events.Appended(append.token))
    left = play.rest()
    assert row(1) in to_client(left)
    assert be.ErrorResponse.parse(messages(to_client(left))[-1][1]).sqlstate == "57P01"
    assert isinstance(left[-1], CloseClient)


def test_where_postgresql_said_why_it_closes_nothing_is_added() -> None:
    play = asked()
    fatal = be.ErrorResponse.of("FATAL", "57P01", "terminating connection").build()
    play.when(events.FromUpstream(fatal)).then(ToClient(fatal))
    play.when(events.UpstreamClosed("end")).then(CloseClient())


def test_after_goodbye_nothing_is_added_either() -> None:
    play = asked("select id from plain")
    play.when(events.FromClient(fe.Terminate().build())).then(ToUpstream(fe.Terminate().build()))
    play.when(events.FromUpstream(done("SELECT 0"))).rest()
    play.when(events.UpstreamClosed("end")).then(CloseClient())


def test_draining_ends_at_once_where_nothing_is_under_way() -> None:
    play = Playbook(relay(setup()))
    play.when(events.Draining())
    left = play.rest()
    assert be.ErrorResponse.parse(messages(to_client(left))[0][1]).sqlstate == "57P01"
    assert to_upstream(left) == fe.Terminate().build() and closes(left)


def test_draining_waits_for_the_statement_and_its_record() -> None:
    play = asked()
    play.when(events.Draining()).end()
    play.when(events.FromUpstream(T + row(1) + done("SELECT 1")))
    append = play.take(Append)
    play.end()
    play.when(events.Appended(append.token))
    left = play.rest()
    assert bytes(kind for kind, _ in messages(to_client(left))) == b"TDCZE" and closes(left)


def test_draining_waits_for_the_transaction() -> None:
    play = asked("begin")
    state = be.ReadyForQuery("T").build()
    play.when(events.Draining()).end()
    begun = be.CommandComplete("BEGIN").build() + state
    play.when(events.FromUpstream(begun)).then(ToClient(begun))
    play.when(events.FromClient(query("commit"))).rest()
    play.when(events.FromUpstream(done("COMMIT")))
    assert closes(play.rest())


@pytest.mark.parametrize(
    "data",
    [b"W\0\0\0\x07\0\0\0", b"?\0\0\0\x04", b"D\0\0\0\x03", b"1\0\0\0\x04", b"V\0\0\0\x08\0\0\0\0"],
)
def test_what_postgresql_may_not_send_ends_both_connections(data: bytes) -> None:
    play = asked()
    play.when(events.FromUpstream(T + row(1)))
    append = play.take(Append)
    play.when(events.FromUpstream(data))
    left = play.rest()
    assert closes(left) and any(isinstance(one, Report) and one.event == "gap" and one.alarm for one in left)
    (gap,) = [one for one in left if isinstance(one, Append)]
    assert gap.entries[0].template.outcome is Outcome.UNATTRIBUTED and gap.entries[0].released == 1
    assert row(1) not in to_client(left)
    play.when(events.Appended(append.token)).end()


def test_a_passing_session_drains_when_postgresql_waits() -> None:
    play = opened(guarded=False)
    play.rest()
    play.when(events.FromClient(query("select 1"))).rest()
    play.when(events.Draining()).end()
    play.when(events.FromUpstream(done("SELECT 1")))
    assert closes(play.rest())
