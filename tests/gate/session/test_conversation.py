"""What is read of a text while it is not certain how PostgreSQL reads it, and what is doubted."""

from __future__ import annotations

import pytest

from language.conversations import NOW, PARAMETERS, catalogue, setup
from muniment.gate.session.commands import Append, ToClient, ToUpstream
from muniment.gate.session.conversation import Conversation
from muniment.gate.session.setup import Setup
from muniment.gate.session.standing import Standing
from muniment.gate.session.tracker import QUERY, Ask

SELECT = b"select id from person"


def conversation(surroundings: Setup | None = None, **parameters: str) -> Conversation:
    surroundings = surroundings or setup()
    standing = Standing(surroundings, "clerk", (), {}, lambda: NOW)
    return Conversation(surroundings, standing, {**PARAMETERS, **parameters}, lambda: NOW, bytes)


def sent(one: Conversation, text: bytes) -> Ask:
    ask = Ask(QUERY, facts=one.facts(text))
    one.tracker.ask(ask)
    return ask


def test_a_text_proves_something() -> None:
    assert conversation().facts(SELECT).single


@pytest.mark.parametrize(
    "parameters",
    [{"standard_conforming_strings": "off"}, {"client_encoding": "SJIS"}, {"client_encoding": "new"}],
)
def test_a_text_that_is_read_otherwise_proves_nothing(parameters: dict[str, str]) -> None:
    assert not conversation(**parameters).facts(SELECT).single


def test_a_setting_that_changes_counts_at_once() -> None:
    one = conversation()
    one.parameter("client_encoding", "BIG5")
    assert not one.facts(SELECT).single
    one.parameter("client_encoding", "UTF8")
    assert one.facts(SELECT).single


@pytest.mark.parametrize(
    ("text", "opaque"),
    [
        ("do $$ begin end $$", True), ("call p()", True), ("select f()", True), ("select lower('A')", False),
        ("select count(*) from plain", False), ("create view v as select 1", True), ("execute s", True),
        ("set client_encoding = 'SJIS'", True), ("set names 'SJIS'", True), ("reset all", True), ("discard all", True),
        ("set work_mem = 1", False), ("begin", False), ("rollback", False), ("select 1; select 2", True), ("", False),
        ("insert into plain values (1)", False), ("create table t as select 1", True), ("select 'never ends", True),
    ],
)  # fmt: skip
def test_what_may_run_unseen(text: str, opaque: bool) -> None:
    one = conversation()
    assert one.opaque(one.facts(text.encode())) is opaque


def test_a_rollback_may_bring_a_setting_back_that_was_changed() -> None:
    one = conversation()
    one.parameter("standard_conforming_strings", "off")
    one.parameter("standard_conforming_strings", "on")
    assert one.opaque(one.facts(b"rollback"))


def test_behind_an_opaque_statement_nothing_is_proved_until_it_is_answered() -> None:
    one = conversation()
    one.tracker.sent_opaque(sent(one, b"select f()"))
    assert not one.facts(SELECT).single
    one.tracker.ready("I")
    assert one.facts(SELECT).single


def test_doubt_is_shared_by_all_sessions() -> None:
    surroundings = setup()
    first, second = conversation(surroundings), conversation(surroundings)
    first.disbelieve()
    assert not second.facts(SELECT).single and not second.tables(sent(second, SELECT)).relations
    first.believe()
    assert second.facts(SELECT).single and second.tables(sent(second, SELECT)).relations


def test_what_was_asked_before_a_doubt_is_not_in_it() -> None:
    one = conversation()
    before = sent(one, SELECT)
    one.disbelieve()
    assert one.tables(before) is one.catalogue and not one.tables(sent(one, SELECT)).relations


def test_a_new_map_ends_the_doubt_it_was_asked_for() -> None:
    one = conversation()
    one.disbelieve()
    one.know(catalogue(2))
    assert one.doubtful
    one.refresh()
    assert one.hold
    one.know(catalogue(3))
    assert not one.doubtful and not one.hold


def test_commands_come_with_records_first_and_ends_last() -> None:
    one = conversation()
    one.outbox.send(b"to the client")
    one.forward(b"to ")
    one.forward(b"postgresql")
    one.finish(ToClient(b"last"))
    one.append([])
    assert one.take() == [Append(1, ()), ToUpstream(b"to postgresql"), ToClient(b"to the client"), ToClient(b"last")]
    assert one.take() == []


def test_everything_is_spooled_where_the_settings_say_so() -> None:
    from dataclasses import replace

    one = conversation(replace(setup(), spool=True))
    one.append([])
    assert one.commands == [Append(1, (), spool=True)]
