"""What goes to PostgreSQL: refusals by substitution, questions of the gate's own, COPY data, long messages."""

from __future__ import annotations

import pytest

from language.conversations import Exchange, relay, setup
from language.fake_postgres import FakePostgres, _field
from language.playbook import Playbook, to_client, to_upstream
from muniment.disclosure import Outcome
from muniment.gate.protocol import backend as be
from muniment.gate.protocol import frontend as fe
from muniment.gate.protocol.wire import message
from muniment.gate.session import requests
from muniment.gate.session.commands import Append, RefreshCatalogue, ToClient, ToUpstream
from muniment.gate.session.events import Appended, CatalogueChanged, FromClient, FromUpstream

SYNC = fe.Sync().build()
READY = be.ReadyForQuery("I").build()
T = be.RowDescription((_field("id", "person"),)).build()
FAILS = fe.Query("muniment refused").build()
SYNTAX = be.ErrorResponse.of("ERROR", "42601", "syntax error").build()


def query(text: str) -> bytes:
    return fe.Query(text).build()


def sqlstate(data: bytes) -> str:
    return be.ErrorResponse.parse(data[5 : 1 + int.from_bytes(data[1:5], "big")]).sqlstate


def test_a_refused_query_is_replaced_by_one_that_fails() -> None:
    play = Playbook(relay(setup(copy=False)))
    play.when(FromClient(query("copy person to stdout")))
    append = play.take(Append)
    assert append.entries[0].template.outcome is Outcome.REFUSED and to_upstream(play.rest()) == FAILS
    play.when(FromUpstream(SYNTAX + READY))
    came = to_client(play.rest())
    assert sqlstate(came) == "42501" and came.endswith(READY)


def test_a_refused_execute_is_replaced_by_one_of_a_portal_that_nobody_can_bind() -> None:
    play = Playbook(relay(setup(copy=False)))
    sent = fe.Parse("", "copy person to stdout").build() + fe.Bind("", "").build()
    play.when(FromClient(sent + fe.Execute("").build() + SYNC))
    went = to_upstream(play.rest())
    name = fe.Execute.parse(went[len(sent) + 5 : -len(SYNC)]).portal
    assert went.startswith(sent) and name.startswith("muniment refused ") and len(name) > 30
    error = be.ErrorResponse.of("ERROR", "34000", f'portal "{name}" does not exist').build()
    play.when(FromUpstream(message(ord("1"), b"") + message(ord("2"), b"") + error + READY))
    came = to_client(play.rest())
    assert sqlstate(came[10:]) == "42501" and name.encode() not in came


def test_a_function_call_is_refused_always() -> None:
    play = Playbook(relay(setup()))
    play.when(FromClient(fe.FunctionCall(1234).build()))
    assert to_upstream(play.rest()) == fe.FunctionCall(0).build()
    play.when(FromUpstream(be.ErrorResponse.of("ERROR", "42883", "no such function").build() + READY))
    assert sqlstate(to_client(play.rest())) == "42501"


def test_a_refusal_keeps_the_order_of_a_pipeline() -> None:
    texts = ("begin", "copy person to stdout", "select id from plain limit 1", "rollback")
    chunks = [query(text) for text in texts]
    played = Exchange(relay(setup(copy=False)), chunks, lambda n: 0)
    came = played.play()
    kinds = bytes(kind for kind, _ in _messages(came))
    assert kinds == b"CZEZEZCZ" and played.fake.executed == ["begin", "rollback"]


def _messages(data: bytes) -> list[tuple[int, bytes]]:
    from language.conversations import messages

    return messages(data)


def test_a_portal_that_the_client_does_not_describe_is_described_for_it() -> None:
    play = Playbook(relay(setup()))
    sent = fe.Parse("", "select id from person").build() + fe.Bind("", "").build()
    execute = fe.Execute("").build() + SYNC
    play.when(FromClient(sent + execute)).then(ToUpstream(sent + fe.Describe(80, "").build() + execute))
    row = be.DataRow((b"7",)).build()
    accepted = message(ord("1"), b"") + message(ord("2"), b"")
    play.when(FromUpstream(accepted + T + row + be.CommandComplete("SELECT 1").build() + READY))
    append = play.take(Append)
    assert append.entries[0].ordinals.tolist() == [7]
    play.when(Appended(append.token)).then(
        ToClient(accepted + row + be.CommandComplete("SELECT 1").build() + READY)
    )


def test_a_portal_that_the_client_describes_is_not() -> None:
    play = Playbook(relay(setup()))
    sent = b"".join([
        fe.Parse("", "select id from person").build(), fe.Bind("", "").build(), fe.Describe(80, "").build(),
        fe.Execute("").build(), SYNC,
    ])  # fmt: skip
    play.when(FromClient(sent)).then(ToUpstream(sent))


def test_a_described_statement_is_not_enough() -> None:
    """Its description may be of other tables by the time that it is bound."""
    play = Playbook(relay(setup()))
    sent = fe.Parse("s", "select id from person").build() + fe.Describe(83, "s").build() + fe.Bind("", "s").build()
    execute = fe.Execute("").build()
    play.when(FromClient(sent + execute)).then(ToUpstream(sent + fe.Describe(80, "").build() + execute))


def test_the_query_inside_a_copy_is_described_ahead() -> None:
    play = Playbook(relay(setup()))
    play.when(FromClient(query("copy (select id, surname from person) to stdout")))
    went = to_upstream(play.rest())
    assert bytes(kind for kind, _ in _messages(went)) == b"PDCSQ"
    assert fe.Parse.parse(_messages(went)[0][1]).text == "select id, surname from person"
    both = be.RowDescription((_field("id", "person"), _field("surname", "person"))).build()
    own = message(ord("1"), b"") + be.ParameterDescription(()).build() + both + message(ord("3"), b"") + READY
    head = be.CopyOutResponse(0, (0, 0)).build()
    rows = message(ord("d"), b"7\ta\n") + message(ord("d"), b"8\tb\n")
    tail = message(ord("c"), b"") + be.CommandComplete("COPY 2").build() + READY
    play.when(FromUpstream(own + head + rows + tail))
    append = play.take(Append)
    assert append.entries[0].released == 2
    came = to_client(play.rest())
    play.when(Appended(append.token))
    assert came + to_client(play.rest()) == head + rows + tail


def test_an_error_of_the_gates_own_question_stands_for_that_of_the_copy() -> None:
    """In a transaction the copy itself would only be told that the transaction has failed."""
    play = Playbook(relay(setup()))
    play.when(FromClient(query("copy (select nothing from person) to stdout"))).rest()
    failed = be.ErrorResponse.of("ERROR", "42703", "no such column").build()
    aborted = be.ErrorResponse.of("ERROR", "25P02", "current transaction is aborted").build()
    state = be.ReadyForQuery("E").build()
    play.when(FromUpstream(failed + state + aborted + state)).then(ToClient(failed + state))


def test_data_of_a_copy_passes_in_whole_chunks() -> None:
    play = Playbook(relay(setup()))
    play.when(FromClient(query("copy plain from stdin"))).rest()
    play.when(FromUpstream(be.CopyInResponse(0, (0, 0)).build())).rest()
    data = message(ord("d"), b"1\tx\n") * 1_000
    play.when(FromClient(data)).then(ToUpstream(data))


def test_sync_inside_a_copy_stays_here() -> None:
    play = Playbook(relay(setup()))
    play.when(FromClient(query("copy plain from stdin"))).rest()
    play.when(FromUpstream(be.CopyInResponse(0, (0, 0)).build())).rest()
    play.when(FromClient(SYNC + fe.Flush().build())).end()
    done = fe.CopyDone().build()
    play.when(FromClient(done + SYNC)).then(ToUpstream(done + SYNC))


def test_after_a_change_of_tables_the_next_statement_waits_for_the_new_map() -> None:
    surroundings = setup()
    play = Playbook(relay(surroundings))
    play.when(FromClient(query("create table t (id int)") + query("select id from plain"))).then(
        ToUpstream(query("create table t (id int)"))
    )
    assert play.machine.hold and surroundings.doubt
    done = be.CommandComplete("CREATE TABLE").build() + READY
    play.when(FromUpstream(done)).then(RefreshCatalogue(), ToClient(done))
    assert play.machine.hold
    play.when(CatalogueChanged(surroundings.catalogue)).then(ToUpstream(query("select id from plain")))
    assert not surroundings.doubt


def test_a_change_in_a_transaction_is_doubted_to_its_end() -> None:
    surroundings = setup()
    play = Playbook(relay(surroundings))
    state = be.ReadyForQuery("T").build()
    play.when(FromClient(query("begin"))).rest()
    play.when(FromUpstream(be.CommandComplete("BEGIN").build() + state)).rest()
    play.when(FromClient(query("create table t (id int)"))).rest()
    play.when(FromUpstream(be.CommandComplete("CREATE TABLE").build() + state)).rest()
    assert not play.machine.hold and surroundings.doubt
    play.when(FromClient(query("select id from person"))).rest()
    play.when(FromUpstream(T + be.DataRow((b"7",)).build() + be.CommandComplete("SELECT 1").build() + state))
    assert play.take(Append).entries[0].template.outcome is Outcome.UNATTRIBUTED
    play.rest()
    play.when(FromClient(query("commit"))).rest()
    play.when(FromUpstream(be.CommandComplete("COMMIT").build() + READY)).take(RefreshCatalogue)


def test_a_long_bind_passes_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = relay(setup())
    machine._conversation.client.limit = 64
    play = Playbook(machine)
    parse = fe.Parse("s", "insert into plain values ($1)").build()
    bind = fe.Bind("p", "s", (), (b"x" * 500,)).build()
    execute = fe.Execute("p").build() + SYNC
    came = b""
    for at in range(0, len(bind), 50):
        data = (parse if at == 0 else b"") + bind[at : at + 50]
        play.when(FromClient(data))
        came += to_upstream(play.rest())
    assert came == parse + bind
    play.when(FromClient(execute)).then(ToUpstream(fe.Describe(80, "p").build() + execute))


def test_a_long_statement_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = relay(setup())
    machine._conversation.client.limit = 64
    play = Playbook(machine)
    play.when(FromClient(query("select " + "1" * 100)[:40]), FromClient(query("select " + "1" * 100)[40:]))
    assert to_upstream(play.rest()) == FAILS
    play.when(FromUpstream(SYNTAX + READY))
    assert sqlstate(to_client(play.rest())) == "54000"


@pytest.mark.parametrize("kind", [b"p", b"R", b"\x00"])
def test_an_unknown_message_ends_both_connections(kind: bytes) -> None:
    play = Playbook(relay(setup()))
    play.when(FromClient(kind + b"\0\0\0\x04"))
    left = play.rest()
    assert [type(one).__name__ for one in left][-2:] == ["CloseUpstream", "CloseClient"]
    assert sqlstate(to_client(left)) == "08P01" and to_upstream(left) == b""


def test_terminate_goes_on_and_closes() -> None:
    play = Playbook(relay(setup()))
    play.when(FromClient(fe.Terminate().build()))
    assert to_upstream(play.rest()) == fe.Terminate().build()


def test_the_fake_refuses_what_the_gate_substitutes() -> None:
    fake = FakePostgres()
    fake.feed(FAILS + requests.Describe(80, "nothing").build() + SYNC)
    assert bytes(kind for kind, _ in _messages(fake.run())) == b"EZEZ"


def test_what_would_be_run_by_its_name_alone_is_refused_when_it_is_prepared() -> None:
    play = Playbook(relay(setup()))
    play.when(FromClient(fe.Parse("z", "insert into plain select surname from person").build() + SYNC))
    went = to_upstream(play.rest())
    assert b"insert into plain" not in went and went.endswith(SYNC)
    play.when(FromUpstream(SYNTAX + READY))
    came = to_client(play.rest())
    assert sqlstate(came) == "42501" and came.endswith(READY)
    unnamed = fe.Parse("", "insert into plain select surname from person").build()
    play.when(FromClient(unnamed))
    assert to_upstream(play.rest()) == unnamed, "nothing can run it but Execute, which asks"
