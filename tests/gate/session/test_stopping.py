"""Breaking a statement off: by a budget, by the ledger, in every protocol; the session stays usable."""

from __future__ import annotations

import pytest

from language.conversations import KEY, messages, relay, setup
from language.fake_postgres import _field
from language.playbook import Playbook, to_client, to_upstream
from muniment.disclosure import Outcome
from muniment.gate.protocol import backend as be
from muniment.gate.protocol import frontend as fe
from muniment.gate.protocol.wire import message
from muniment.gate.session.commands import Append, CancelUpstream, Report, ToClient, ToUpstream
from muniment.gate.session.events import Appended, AppendFailed, Cancelled, FromClient, FromUpstream

T = be.RowDescription((_field("id", "person"), _field("surname", "person"))).build()
SYNC = fe.Sync().build()
READY = {status: be.ReadyForQuery(status).build() for status in "ITE"}
CANCELED = be.ErrorResponse.of("ERROR", "57014", "canceling statement due to user request").build()
NEXT = fe.Query("select id from plain").build()


def row(number: int) -> bytes:
    return be.DataRow((b"%d" % number, b"s%d" % number)).build()


def rows(*numbers: int) -> bytes:
    return b"".join(map(row, numbers))


def done(tag: str) -> bytes:
    return be.CommandComplete(tag).build()


def query(text: str) -> bytes:
    return fe.Query(text).build()


def pipeline(text: str, limit: int = 0) -> bytes:
    head = fe.Parse("", text).build() + fe.Bind("", "").build()
    return head + fe.Describe(80, "").build() + fe.Execute("", limit).build()


ACCEPTED = message(ord("1"), b"") + message(ord("2"), b"") + T


def asked(sent: bytes, limit: int = 2, **rules: object) -> Playbook:
    """A conversation in which this was sent, with a budget of so many persons."""
    play = Playbook(relay(setup(persons={"lifetime": limit}, **rules)))
    return play.when(FromClient(sent)).then(ToUpstream(sent))


def sqlstates(data: bytes) -> list[str]:
    return [be.ErrorResponse.parse(body).sqlstate for kind, body in messages(data) if kind == ord("E")]


def kinds(data: bytes) -> bytes:
    return bytes(kind for kind, _ in messages(data))


def stopped(play: Playbook, data: bytes) -> Append:
    """These bytes come and break the budget: the append of what was allowed; the cancel request went out."""
    play.when(FromUpstream(data))
    left = play.rest()
    assert CancelUpstream(*KEY) in left and any(isinstance(one, Report) and one.event == "stopped" for one in left)
    appends = [one for one in left if isinstance(one, Append)]
    assert appends[-1].entries[0].template.outcome is Outcome.STOPPED and play.machine.hold
    return appends[0]


def end(play: Playbook, data: bytes) -> bytes:
    """These bytes come; what the client gets. Nothing but the cancel request is waited for."""
    play.when(FromUpstream(data))
    came = to_client(play.rest())
    play.when(FromClient(NEXT)).end()
    play.when(Cancelled()).then(ToUpstream(NEXT))
    return came


def test_what_is_allowed_leaves_and_then_the_error() -> None:
    play = asked(query("select id, surname from person"))
    append = stopped(play, T + rows(1, 2, 3))
    assert append.entries[0].ordinals.tolist() == [1, 2] and append.entries[0].released == 2
    play.when(Appended(append.token)).then(ToClient(T + rows(1, 2)))
    play.when(FromUpstream(rows(4, 5))).end()
    came = end(play, CANCELED + READY["I"])
    assert kinds(came) == b"EZ" and sqlstates(came) == ["57014"]
    told = be.ErrorResponse.parse(messages(came)[0][1]).fields
    assert "2 persons in all" in told["M"] and "the keeper" in told["H"]


def test_the_error_waits_for_the_rows_before_it() -> None:
    play = asked(query("select id, surname from person"))
    append = stopped(play, T + rows(1, 2, 3))
    assert end(play, CANCELED + READY["I"]) == b""
    play.when(Appended(append.token))
    assert kinds(to_client(play.rest())) == b"TDDEZ"


def test_a_short_result_is_stopped_without_a_cancel_request() -> None:
    play = asked(query("select id, surname from person"))
    play.when(FromUpstream(T + rows(1, 2, 3) + done("SELECT 3") + READY["I"]))
    left = play.rest()
    assert not any(isinstance(one, CancelUpstream) for one in left) and not play.machine.hold
    play.when(*[Appended(one.token) for one in left if isinstance(one, Append)])
    came = to_client(play.rest())
    assert kinds(came) == b"TDDEZ" and sqlstates(came) == ["57014"]


def test_a_statement_that_wrote_and_was_committed_is_said_to_be() -> None:
    play = asked(query("delete from person returning id"))
    stopped(play, T + rows(1, 2, 3))
    play.when(FromUpstream(done("DELETE 3") + READY["I"]), Appended(1))
    assert sqlstates(to_client(play.rest())) == ["MU002"]


def test_a_statement_that_wrote_and_was_rolled_back_is_not() -> None:
    play = asked(query("delete from person returning id"))
    stopped(play, T + rows(1, 2, 3))
    play.when(FromUpstream(CANCELED + READY["I"]), Appended(1))
    assert sqlstates(to_client(play.rest())) == ["57014"]


def test_a_statement_that_wrote_in_an_open_transaction_is_not_and_the_state_is_the_true_one() -> None:
    play = asked(query("delete from person returning id"))
    stopped(play, T + rows(1, 2, 3))
    play.when(FromUpstream(done("DELETE 3") + READY["T"]), Appended(1))
    came = to_client(play.rest())
    assert sqlstates(came) == ["57014"] and came.endswith(READY["T"])


def test_in_a_pipeline_the_rest_is_kept_back_up_to_its_sync() -> None:
    play = asked(pipeline("select id, surname from person") + pipeline("select id from plain") + SYNC)
    append = stopped(play, ACCEPTED + rows(1, 2, 3))
    play.when(Appended(append.token)).then(ToClient(ACCEPTED + rows(1, 2)))
    came = end(play, CANCELED + READY["I"])
    assert kinds(came) == b"EZ" and sqlstates(came) == ["57014"]


def test_a_pipeline_that_ran_to_its_end_before_the_cancel_is_kept_back_too() -> None:
    play = asked(pipeline("select id, surname from person") + pipeline("insert into plain values (1)") + SYNC)
    stopped(play, ACCEPTED + rows(1, 2, 3))
    answer = done("SELECT 9") + ACCEPTED[:10] + message(ord("n"), b"") + done("INSERT 0 1") + READY["I"]
    play.when(FromUpstream(answer), Appended(1))
    came = to_client(play.rest())
    assert kinds(came) == b"12TDDEZ" and sqlstates(came) == ["MU002"]


def test_without_a_sync_the_gate_sends_one_and_keeps_the_clients() -> None:
    sent = pipeline("select id, surname from person") + fe.Flush().build()
    play = asked(sent)
    play.when(FromUpstream(ACCEPTED + rows(1, 2, 3)))
    left = play.rest()
    assert CancelUpstream(*KEY) in left and to_upstream(left) == SYNC
    play.when(Appended(1)).then(ToClient(ACCEPTED + rows(1, 2)))
    play.when(FromUpstream(CANCELED + READY["I"]))
    assert sqlstates(to_client(play.rest())) == ["57014"]
    play.when(Cancelled()).end()
    play.when(FromClient(pipeline("select id from plain"))).end()
    play.when(FromClient(SYNC)).then(ToClient(READY["I"]))
    play.when(FromClient(NEXT)).then(ToUpstream(NEXT))


def test_in_a_copy() -> None:
    play = asked(query("copy person to stdout"))
    head = be.CopyOutResponse(0, (0, 0)).build()
    data = [message(ord("d"), b"%d\ts\n" % number) for number in range(1, 4)]
    append = stopped(play, head + b"".join(data))
    play.when(Appended(append.token)).then(ToClient(head + data[0] + data[1]))
    assert sqlstates(end(play, data[2] + CANCELED + READY["I"])) == ["57014"]


def test_in_the_second_portion_of_a_portal() -> None:
    first = pipeline("select id, surname from person", 2) + SYNC
    play = asked(query("begin")).when(FromUpstream(done("BEGIN") + READY["T"]))
    play.then(ToClient(done("BEGIN") + READY["T"]))
    play.when(FromClient(first)).then(ToUpstream(first))
    play.when(FromUpstream(ACCEPTED + rows(1, 2) + message(ord("s"), b"") + READY["T"]))
    play.when(Appended(play.take(Append).token))
    assert kinds(to_client(play.rest())) == b"12TDDsZ"
    more = fe.Execute("", 2).build() + SYNC
    play.when(FromClient(more)).then(ToUpstream(more))
    play.when(FromUpstream(rows(3, 4) + message(ord("s"), b"") + READY["T"]))
    assert sqlstates(to_client(play.rest())) == ["57014"]


def test_rows_of_a_portal_are_counted_over_its_portions() -> None:
    first = pipeline("select id, surname from person", 2) + fe.Flush().build()
    play = Playbook(relay(setup(rows_per_statement=3)))
    play.when(FromClient(first)).then(ToUpstream(first))
    play.when(FromUpstream(ACCEPTED + rows(1, 2) + message(ord("s"), b""))).take(Append)
    more = fe.Execute("", 2).build() + SYNC
    play.when(FromClient(more)).then(ToUpstream(more))
    play.when(FromUpstream(rows(3, 4) + message(ord("s"), b"") + READY["I"]))
    appends = [one for one in play.rest() if isinstance(one, Append)]
    assert appends[0].entries[0].ordinals.tolist() == [3]


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_where_nothing_can_be_recorded_nothing_leaves() -> None:
    play = asked(query("select id, surname from person where id = 7"))
    play.when(FromUpstream(T + row(7) + done("SELECT 1") + READY["I"]))
    token = play.take(Append).token
    play.when(AppendFailed(token, "disk full"))
    came = to_client(play.rest())
    assert kinds(came) == b"TEZ" and sqlstates(came) == ["MU001"] and not play.machine.hold
    play.when(FromClient(NEXT)).then(ToUpstream(NEXT))


def test_a_write_that_cannot_be_shown_is_said_to_be_done() -> None:
    play = asked(query("delete from person returning id"))
    play.when(FromUpstream(T + row(7) + done("DELETE 1") + READY["I"]))
    play.when(AppendFailed(play.take(Append).token))
    assert sqlstates(to_client(play.rest())) == ["MU002"]


def test_the_ledger_fails_while_rows_still_come() -> None:
    play = asked(query("select id, surname from person"), limit=100)
    play.when(FromUpstream(T + rows(1, 2)))
    play.when(AppendFailed(play.take(Append).token))
    assert CancelUpstream(*KEY) in play.rest()
    play.when(FromUpstream(rows(3) + CANCELED + READY["I"]))
    assert kinds(to_client(play.rest())) == b"EZ"


def test_persons_that_cannot_be_looked_up() -> None:
    surroundings = setup()
    surroundings.persons.down = True  # type: ignore[attr-defined]
    play = Playbook(relay(surroundings))
    play.when(FromClient(query("select id, surname from person"))).rest()
    play.when(FromUpstream(T + rows(1, 2) + done("SELECT 2") + READY["I"]))
    came = to_client(play.rest())
    assert kinds(came) == b"TEZ" and sqlstates(came) == ["MU001"]
    assert play.machine.rows == {"withheld": 2}


def test_a_later_failure_takes_back_nothing_of_an_earlier_statement() -> None:
    sent = query("select id, surname from person where id = 1") + query("select id, surname from person where id = 2")
    play = asked(sent)
    play.when(FromUpstream(T + row(1) + done("SELECT 1") + READY["I"] + T + row(2) + done("SELECT 1") + READY["I"]))
    first, second = [one.token for one in play.rest() if isinstance(one, Append)]
    play.when(AppendFailed(second))
    came = to_client(play.rest())
    play.when(Appended(first))
    assert kinds(came + to_client(play.rest())) == b"TDCZTEZ"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_appends_may_be_answered_in_any_order(order: tuple[int, int]) -> None:
    play = asked(query("select id, surname from person"), limit=100)
    play.when(FromUpstream(T + rows(1, 2)), FromUpstream(rows(3) + done("SELECT 3") + READY["I"]))
    tokens = [one.token for one in play.rest() if isinstance(one, Append)]
    came = b""
    for at in order:
        play.when(Appended(tokens[at]))
        came += to_client(play.rest())
    assert came == T + rows(1, 2, 3) + done("SELECT 3") + READY["I"]
