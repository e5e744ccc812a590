"""Rows: counted, charged, recorded; warned of, slowed down, or too long to be read."""

from __future__ import annotations

import pytest

from language.conversations import NOW, messages, relay, setup
from language.fake_postgres import _field
from language.playbook import Playbook, to_client
from muniment.disclosure import Channel, Outcome, Party
from muniment.errors import IntegrityError
from muniment.gate.protocol import backend as be
from muniment.gate.protocol import frontend as fe
from muniment.gate.session.commands import Append, Report, ToClient, Wake
from muniment.gate.session.events import Appended, FromClient, FromUpstream, Woken
from muniment.gate.session.results import Counts

T = be.RowDescription((_field("id", "person"), _field("surname", "person"))).build()
READY = be.ReadyForQuery("I").build()


def rows(*numbers: int) -> bytes:
    return b"".join(be.DataRow((b"%d" % number, b"s%d" % number)).build() for number in numbers)


def asked(text: str, **rules: object) -> Playbook:
    play = Playbook(relay(setup(**rules)))
    play.when(FromClient(fe.Query(text).build())).rest()
    return play


def done(tag: str) -> bytes:
    return be.CommandComplete(tag).build() + READY


def test_a_chunk_of_rows_is_one_append_with_whom_and_what() -> None:
    play = asked("select id, surname from person", basis="law", purpose="care")
    play.when(FromUpstream(T + rows(9, 7, 9) + done("SELECT 3")))
    (entry,) = play.take(Append).entries
    assert entry.party == Party("clerk", "clerk", "192.0.2.1") and entry.ordinals.tolist() == [7, 9]
    template = entry.template
    assert (template.register, template.schema, template.channel) == ("person", 1, Channel.GATE)
    assert (template.columns, template.basis, template.outcome) == ((1, 2), "law", Outcome.GIVEN)
    assert (entry.rows, entry.released, entry.size) == (3, 3, len(rows(9, 7, 9))) and entry.fingerprint
    play.rest()
    assert play.machine.rows == {"attributed": 3}


def test_rows_are_recorded_under_the_case_that_was_declared() -> None:
    play = asked("set muniment.case = 'C-17'")
    play.when(FromUpstream(done("SET"))).rest()
    play.when(FromClient(fe.Query("select id, surname from person").build())).rest()
    play.when(FromUpstream(T + rows(1) + done("SELECT 1")))
    assert play.take(Append).entries[0].case == "C-17"
    play.rest()


def test_rows_without_a_key_are_recorded_as_nobodys() -> None:
    play = asked("select surname from person")
    description = be.RowDescription((_field("surname", "person"),)).build()
    data = be.DataRow((b"s1",)).build() * 3
    play.when(FromUpstream(description + data + done("SELECT 3")))
    (entry,) = play.take(Append).entries
    assert entry.template.outcome is Outcome.UNATTRIBUTED and not len(entry.ordinals)
    assert entry.released == 3 and entry.rows >= 3
    play.rest()


def test_rows_that_are_nobodys_pass_in_one_piece_and_leave_no_record() -> None:
    play = asked("select id from plain")
    chunk = be.RowDescription((_field("id", "plain"),)).build() + be.DataRow((b"1",)).build() * 10_000
    play.when(FromUpstream(chunk)).then(ToClient(chunk))


def test_an_empty_result_of_a_register_leaves_no_record() -> None:
    play = asked("select id, surname from person where id = 0")
    play.when(FromUpstream(T + done("SELECT 0"))).then(ToClient(T + done("SELECT 0")))


def test_observe_says_nothing_to_the_client() -> None:
    play = asked("select id, surname from person", mode="observe", persons={"day": 1})
    play.when(FromUpstream(T + rows(1, 2) + done("SELECT 2")))
    report = play.take(Report)
    assert report.event == "exceeded" and ("window", "day") in report.fields
    append = play.take(Append)
    play.when(Appended(append.token)).then(ToClient(T + rows(1, 2) + done("SELECT 2")))


def test_warn_tells_the_client_once_in_a_statement() -> None:
    play = asked("select id, surname from person", mode="warn", persons={"day": 1})
    play.when(FromUpstream(T + rows(1, 2)), FromUpstream(rows(3) + done("SELECT 3")))
    tokens = [one.token for one in play.rest() if isinstance(one, Append)]
    play.when(*map(Appended, tokens))
    came = messages(to_client(play.rest()))
    assert bytes(kind for kind, _ in came) == b"TDDNDCZ"
    assert be.NoticeResponse.parse(came[3][1]).severity == "WARNING"


def test_throttle_waits_before_the_rows_leave() -> None:
    play = asked("select id, surname from person", mode="throttle", persons={"day": 1}, throttle_seconds=2.0)
    play.when(FromUpstream(T + rows(1, 2) + done("SELECT 2")))
    left = play.rest()
    (wake,) = [one for one in left if isinstance(one, Wake)]
    (append,) = [one for one in left if isinstance(one, Append)]
    assert wake.seconds >= 2.0
    play.when(Appended(append.token))
    assert b"s1" not in to_client(play.rest())
    play.when(Woken(wake.token))
    assert b"s2" in to_client(play.rest())


def test_a_row_too_long_to_be_read_is_charged_by_its_bytes_before_it_leaves() -> None:
    machine = relay(setup())
    machine._conversation.upstream.limit = 100
    play = Playbook(machine)
    play.when(FromClient(fe.Query("select id, surname from person").build())).rest()
    long = be.DataRow((b"1", b"x" * 995)).build()
    play.when(FromUpstream(T + long[:50]))
    (entry,) = (append := play.take(Append)).entries
    assert entry.template.outcome is Outcome.UNATTRIBUTED and entry.rows == -(-(len(long) - 1) // 20)
    came = to_client(play.rest())
    for at in range(50, len(long), 100):
        play.when(FromUpstream(long[at : at + 100]))
        came += to_client(play.rest())
    assert b"x" not in came
    play.when(Appended(append.token))
    assert (came + to_client(play.rest())) == T + long
    assert machine.rows == {"unattributed": 1}


def test_a_row_too_long_for_the_budget_is_kept_back() -> None:
    machine = relay(setup(persons={"day": 3}))
    machine._conversation.upstream.limit = 100
    play = Playbook(machine)
    play.when(FromClient(fe.Query("select id, surname from person").build())).rest()
    long = be.DataRow((b"1", b"x" * 995)).build()
    play.when(FromUpstream(T + long[:500]), FromUpstream(long[500:] + done("SELECT 1")))
    came = to_client(play.rest())
    assert b"x" * 5 not in came and bytes(kind for kind, _ in messages(came)) == b"TEZ"


def test_malformed_rows_end_both_connections() -> None:
    play = asked("select id, surname from person")
    play.when(FromUpstream(T + rows(1) + b"D\0\0\0\x0b\0\x01\0\0\0\x09x"))
    left = play.rest()
    assert [type(one).__name__ for one in left][-2:] == ["CloseUpstream", "CloseClient"]
    assert any(isinstance(one, Report) and one.event == "gap" and one.alarm for one in left)
    assert b"s1" not in to_client(left)


def test_break_glass_spools_and_alarms() -> None:
    from muniment.gate.policy.rules import Glass

    play = asked("set muniment.break_glass = 'emergency call 12'", persons={"day": 1}, break_glass=Glass(3, 30))
    play.when(FromUpstream(done("SET")))
    report = play.take(Report)
    assert report.event == "break-glass" and report.alarm
    play.rest()
    play.when(FromClient(fe.Query("select id, surname from person").build())).rest()
    play.when(FromUpstream(T + rows(1, 2, 3, 4) + done("SELECT 4")))
    appends = [one for one in play.rest() if isinstance(one, Append)]
    assert appends[0].entries[0].ordinals.tolist() == [1, 2, 3] and appends[0].spool


def test_every_charge_is_observed() -> None:
    from dataclasses import replace

    seen: list[tuple[int, str, int, int]] = []
    play = Playbook(relay(replace(setup(), observe=lambda *charge: seen.append(charge))))
    play.when(FromClient(fe.Query("select id, surname from person").build())).rest()
    play.when(FromUpstream(T + rows(1, 1, 2) + done("SELECT 3"))).rest()
    assert seen == [(NOW, "clerk", 3, 2)]


def test_rows_that_are_not_all_classed_are_a_fault() -> None:
    counts = Counts()
    counts.add(3, {"attributed": 2, "unattributed": 1})
    with pytest.raises(IntegrityError, match="3 rows seen, 2 classed"):
        counts.add(3, {"attributed": 2})
