"""Accounts that are not guarded."""

from __future__ import annotations

from language.playbook import Playbook
from muniment.gate.session import events
from muniment.gate.session.commands import CancelUpstream, CloseClient, CloseUpstream, ToClient, ToUpstream
from muniment.gate.session.passage import IDLE, Passage

KEY = (7, b"key!")


def test_bytes_pass_untouched() -> None:
    play = Playbook(Passage(KEY))
    data = b"\xff" * 100
    play.when(events.FromClient(data)).then(ToUpstream(data))
    play.when(events.FromUpstream(data)).then(ToClient(data))


def test_a_statement_under_way_is_cancelled_where_its_client_vanishes() -> None:
    play = Playbook(Passage(KEY))
    play.when(events.FromClient(b"x")).rest()
    play.when(events.ClientClosed()).then(CancelUpstream(*KEY), CloseUpstream(), CloseClient())
    play.when(events.FromUpstream(b"late")).end()


def test_a_client_that_leaves_in_peace() -> None:
    Playbook(Passage(KEY)).when(events.ClientClosed()).then(CloseUpstream(), CloseClient())


def test_where_postgresql_closes_so_does_the_gate() -> None:
    Playbook(Passage(None)).when(events.UpstreamClosed()).then(CloseClient())


def test_draining_waits_until_postgresql_does() -> None:
    play = Playbook(Passage(KEY))
    play.when(events.FromClient(b"x")).rest()
    play.when(events.Draining()).end()
    play.when(events.FromUpstream(b"rows")).then(ToClient(b"rows"))
    play.when(events.FromUpstream(b"done" + IDLE))
    left = play.rest()
    assert left[-2:] == [CloseUpstream(), CloseClient()] and b"57P01" in bytes(left[0].data)
