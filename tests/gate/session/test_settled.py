"""What a statement that ended changes."""

from __future__ import annotations

import pytest

from language.conversations import NOW, PARAMETERS, setup
from muniment.gate.session.commands import RefreshCatalogue, Report
from muniment.gate.session.conversation import Conversation
from muniment.gate.session.settled import Settled
from muniment.gate.session.standing import Standing
from muniment.gate.session.tracker import QUERY, Ask, Statement


def conversation(**rules: object) -> Conversation:
    surroundings = setup(**rules)
    standing = Standing(surroundings, "clerk", (), {}, lambda: NOW)
    return Conversation(surroundings, standing, PARAMETERS, lambda: NOW, bytes)


def ended(one: Conversation, text: str, *tags: str) -> Settled:
    """These statements of one text ended with these tags."""
    settled = Settled(one)
    ask = Ask(QUERY, facts=one.facts(text.encode()), text=text.encode())
    for tag in tags:
        settled.completed(ask, tag)
    return settled


def test_labels_follow_set_reset_and_rollback() -> None:
    one = conversation()
    labels = one.standing.labels
    ended(one, "set muniment.case = 'A'", "SET").ready("I")
    ended(one, "begin", "BEGIN").ready("T")
    settled = ended(one, "set muniment.case = 'B'", "SET")
    assert labels.case == "B"
    settled.ready("T")
    ended(one, "rollback", "ROLLBACK").ready("I")
    assert labels.case == "A"
    ended(one, "reset muniment.case", "RESET").ready("I")
    assert labels.case == ""


def test_several_declarations_in_one_text() -> None:
    one = conversation()
    ended(one, "set muniment.case = 'A'; select 1; set muniment.purpose = 'p'", "SET", "SELECT 1", "SET")
    assert (one.standing.labels.case, one.standing.labels.purpose) == ("A", "p")


def test_a_declaration_that_failed_does_not_count() -> None:
    one = conversation()
    ended(one, "set muniment.case = 'A'; nonsense", "SET").failed()
    assert one.standing.labels.case == ""


@pytest.mark.parametrize("tag", ["CREATE VIEW", "ALTER TABLE", "DROP TABLE", "REFRESH MATERIALIZED VIEW"])
def test_after_a_change_of_tables_the_map_is_read_anew(tag: str) -> None:
    one = conversation()
    settled = ended(one, "select 1", tag)
    assert one.doubtful
    settled.ready("T")
    assert not one.commands
    settled.ready("I")
    assert one.commands == [RefreshCatalogue()] and one.hold


def test_a_cursor_is_known_by_its_declaration() -> None:
    one = conversation()
    ended(one, "declare c cursor for select id from person", "DECLARE CURSOR")
    cursor = one.tracker.cursors["c"]
    assert cursor.facts is not None and cursor.facts.single


def test_a_cursor_declared_among_others_proves_nothing() -> None:
    one = conversation()
    ended(one, "declare c cursor for select id from person; select 1", "DECLARE CURSOR", "SELECT 1")
    assert all(cursor.facts is None for cursor in one.tracker.cursors.values())


def test_what_sql_prepares_proves_nothing_and_is_forgotten() -> None:
    one = conversation()
    statements = one.tracker.statements
    statements["s"] = Statement(one.facts(b"select id from plain"))
    ended(one, "prepare s as select id from person", "PREPARE")
    assert statements["s"].facts is None
    ended(one, "deallocate s", "DEALLOCATE")
    assert "s" not in statements
    statements["t"] = Statement(None)
    ended(one, "discard all", "DISCARD ALL")
    assert not statements


def test_a_refused_declaration_is_told_and_reported() -> None:
    one = conversation()
    ended(one, "set muniment.break_glass = 'emergency call 12'", "SET")
    assert [one_.event for one_ in one.commands if isinstance(one_, Report)] == ["declaration-refused"]
    assert b"WARNING" in bytes(one.outbox.flush()[0].data)


def test_channels_that_are_listened_to() -> None:
    one = conversation(redact=True)
    assert one.redaction is not None
    ended(one, "listen news", "LISTEN")
    assert one.redaction.notification("news", "", NOW) is not None
    assert one.redaction.notification("other", "", NOW) is None
