"""Order of answers, skipping after errors, COPY, and what names stand for."""

from __future__ import annotations

import pytest

from muniment.gate.protocol.wire import ProtocolError
from muniment.gate.session.tracker import (
    BIND,
    CLOSE,
    DESCRIBE,
    EXECUTE,
    PARSE,
    PORTAL,
    QUERY,
    STATEMENT,
    SYNC,
    Ask,
    Portal,
    Statement,
    Tracker,
)


def asked(*asks: Ask) -> Tracker:
    tracker = Tracker()
    for ask in asks:
        tracker.ask(ask)
    return tracker


def answers(tracker: Tracker, kinds: bytes) -> list[int]:
    """The kinds of messages that these answers belong to."""
    return [tracker.answer(kind).kind for kind in kinds]


def parse(name: str = "") -> Ask:
    return Ask(PARSE, name, statement=Statement(None))


def bind(portal: str = "", source: str = "") -> Ask:
    return Ask(BIND, portal, source=source, portal=Portal())


def test_answers_belong_to_the_messages_in_order() -> None:
    tracker = asked(parse(), bind(), Ask(DESCRIBE, "", PORTAL), Ask(EXECUTE), Ask(SYNC))
    assert answers(tracker, b"12TDDC") == [PARSE, BIND, DESCRIBE, EXECUTE, EXECUTE, EXECUTE]
    ready = tracker.ready("I")
    assert ready is not None and ready.kind == SYNC and tracker.idle


def test_a_query_has_as_many_results_as_it_has() -> None:
    tracker = asked(Ask(QUERY), Ask(QUERY))
    first = tracker.asked[0]
    assert all(tracker.answer(kind) is first for kind in b"TDCITDDCHddcC")
    assert tracker.ready("T") is first and not tracker.idle


@pytest.mark.parametrize("kinds", [b"2", b"D", b"T", b"C", b"Z", b"1D", b"x"])
def test_an_answer_that_does_not_fit_is_refused(kinds: bytes) -> None:
    tracker = asked(parse(), Ask(SYNC))
    with pytest.raises(ProtocolError):
        answers(tracker, kinds)


def test_an_answer_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(ProtocolError, match="expected none"):
        Tracker().answer(ord("D"))


def test_an_error_skips_to_the_next_sync() -> None:
    tracker = asked(parse(), bind(), Ask(EXECUTE), Ask(QUERY), Ask(SYNC), parse("b"), Ask(SYNC))
    failed = tracker.failed_ask()
    assert failed is not None and failed.kind == PARSE and not tracker.skipping
    assert [ask.kind for ask in tracker.asked] == [SYNC, PARSE, SYNC]
    tracker.ready("I")
    assert answers(tracker, b"1") == [PARSE]


def test_an_error_without_a_sync_yet_leaves_the_skipping_open() -> None:
    tracker = asked(parse(), bind())
    tracker.failed_ask()
    assert tracker.skipping and not tracker.asked and not tracker.idle


def test_an_error_in_a_query_skips_nothing() -> None:
    tracker = asked(Ask(QUERY), parse(), Ask(SYNC))
    tracker.failed_ask()
    tracker.ready("I")
    assert answers(tracker, b"1") == [PARSE]


def test_an_error_outside_of_any_message_belongs_to_none() -> None:
    assert Tracker().failed_ask() is None


def test_a_name_counts_as_asked_at_once_and_as_answered_later() -> None:
    ask = parse("s")
    tracker = asked(ask)
    assert tracker.statement("s") is ask.statement and not tracker.statements
    tracker.answer(ord("1"))
    assert tracker.statements["s"] is ask.statement is tracker.statement("s")


def test_a_failed_parse_leaves_the_old_statement() -> None:
    old, new = parse("s"), parse("s")
    tracker = asked(old)
    tracker.answer(ord("1"))
    tracker.ask(new)
    tracker.failed_ask()
    assert tracker.statement("s") is old.statement


def test_a_portal_is_of_the_statement_that_was_there_when_it_was_bound() -> None:
    """The second Parse of the name fails, so the Bind of the next pipeline is of the first."""
    old, new = parse("s"), parse("s")
    assert old.statement is not None and new.statement is not None
    old.statement.text, new.statement.text = b"old", b"new"
    bound = bind("p", "s")
    tracker = asked(old, Ask(SYNC))
    tracker.answer(ord("1"))
    tracker.ready("I")
    for ask in (new, Ask(SYNC), bound):
        tracker.ask(ask)
    tracker.failed_ask()
    tracker.ready("I")
    tracker.answer(ord("2"))
    assert tracker.portals["p"].text == b"old"


def test_closing_forgets_a_name() -> None:
    tracker = asked(parse("s"), Ask(CLOSE, "s", STATEMENT))
    assert tracker.statement("s") is None
    answers(tracker, b"13")
    assert tracker.statement("s") is None and not tracker.statements


def test_portals_end_with_their_transaction() -> None:
    tracker = asked(bind("p"), Ask(SYNC))
    tracker.answer(ord("2"))
    tracker.ready("T")
    assert tracker.portal("p") is not None
    tracker.ask(Ask(SYNC))
    tracker.ready("I")
    assert tracker.portal("p") is None


def test_a_query_ends_the_unnamed_statement() -> None:
    tracker = asked(parse(), Ask(SYNC), Ask(QUERY))
    answers(tracker, b"1")
    tracker.ready("T")
    assert tracker.statement("") is not None
    tracker.ready("T")
    assert tracker.statement("") is None


def test_nothing_is_taken_from_a_named_statement_after_an_opaque_one() -> None:
    facts = object()
    ask = Ask(PARSE, "s", statement=Statement(facts))  # type: ignore[arg-type]
    unnamed = Ask(PARSE, "", statement=Statement(facts))  # type: ignore[arg-type]
    tracker = asked(ask, unnamed, Ask(EXECUTE))
    tracker.sent_opaque(tracker.asked[-1])
    named, plain = bind("p", "s"), bind("q", "")
    tracker.ask(named)
    tracker.ask(plain)
    answers(tracker, b"11C22")
    assert tracker.portals["p"].facts is None and tracker.portals["q"].facts is facts


def test_an_opaque_statement_is_under_way_until_its_ready() -> None:
    opaque = Ask(EXECUTE)
    tracker = asked(opaque, Ask(SYNC))
    tracker.sent_opaque(opaque)
    tracker.answer(ord("C"))
    assert tracker.opaque_ask is opaque
    tracker.ready("I")
    assert tracker.opaque_ask is None


def test_syncs_inside_a_copy_are_not_answered() -> None:
    copy = Ask(EXECUTE)
    tracker = asked(copy, Ask(SYNC))
    tracker.answer(ord("G"))
    tracker.copy_in(copy)
    assert [ask.kind for ask in tracker.asked] == [EXECUTE] and tracker.copying
    tracker.copy_ended()
    tracker.ask(Ask(SYNC))
    assert answers(tracker, b"C") == [EXECUTE]
    assert tracker.ready("I") is not None and tracker.idle


def test_a_copy_whose_end_was_sent_ahead() -> None:
    copy = Ask(QUERY)
    tracker = asked(copy)
    tracker.copy_ended()
    tracker.copy_in(copy)
    assert not tracker.copying and [ask.kind for ask in tracker.asked] == [QUERY]


def test_the_end_of_a_copy_that_never_began_means_nothing() -> None:
    tracker = asked(Ask(QUERY))
    tracker.copy_ended()
    tracker.ask(Ask(QUERY))
    tracker.failed_ask()
    tracker.ready("I")
    assert answers(tracker, b"C") == [QUERY]


def test_a_sync_that_the_copy_did_not_live_to_see_is_answered_all_the_same() -> None:
    copy = Ask(EXECUTE)
    tracker = asked(copy, Ask(SYNC))
    tracker.copy_ended()
    tracker.ask(Ask(SYNC))
    tracker.copy_in(copy)
    tracker.failed_ask()
    assert tracker.ready("I") is not None
    assert tracker.ready("I") is None


@pytest.mark.parametrize(("status", "fails", "committed"), [("I", 0, True), ("T", 0, False), ("I", 1, False)])
def test_what_was_committed(status: str, fails: int, committed: bool) -> None:
    tracker = asked(Ask(EXECUTE), Ask(EXECUTE), Ask(SYNC))
    tracker.answer(ord("C"))
    tracker.wrote = True
    if fails:
        tracker.failed_ask()
    else:
        tracker.answer(ord("C"))
    tracker.ready(status)
    assert tracker.close_batch() is committed
    assert tracker.wrote is (status == "T")
