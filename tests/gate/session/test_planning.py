"""Whose text a result is read by: portals, cursors, names that may mean something else by now."""

from __future__ import annotations

from language.conversations import relay, setup
from language.fake_postgres import _field
from language.playbook import Playbook
from muniment.disclosure import Outcome
from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.protocol import backend as be
from muniment.gate.protocol import frontend as fe
from muniment.gate.protocol.wire import message
from muniment.gate.session.commands import Append, Entry, RefreshCatalogue
from muniment.gate.session.events import CatalogueChanged, FromClient, FromUpstream

READY = be.ReadyForQuery("I").build()
OPEN = be.ReadyForQuery("T").build()
T = be.RowDescription((_field("id", "person"),)).build()
SURNAME = be.RowDescription((_field("surname", "person"),)).build()
ACCEPTED = message(ord("1"), b"") + message(ord("2"), b"")
SYNC = fe.Sync().build()


def query(text: str) -> bytes:
    return fe.Query(text).build()


def done(tag: str, ready: bytes = READY) -> bytes:
    return be.CommandComplete(tag).build() + ready


def said(play: Playbook, text: str, answer: bytes) -> list[Entry]:
    """A query and its answer; what was recorded of it."""
    play.when(FromClient(query(text))).rest()
    play.when(FromUpstream(answer))
    left = play.rest()
    for _ in [one for one in left if isinstance(one, RefreshCatalogue)]:
        play.when(CatalogueChanged(play.machine._conversation.catalogue)).rest()
    return [entry for one in left if isinstance(one, Append) for entry in one.entries]


def executed(play: Playbook, name: str, answer: bytes) -> list[Entry]:
    play.when(FromClient(fe.Bind("", name, (), (b"7",)).build() + fe.Execute("").build() + SYNC)).rest()
    play.when(FromUpstream(message(ord("2"), b"") + answer))
    return [entry for one in play.rest() if isinstance(one, Append) for entry in one.entries]


def prepared(name: str, text: str) -> Playbook:
    play = Playbook(relay(setup()))
    play.when(FromClient(fe.Parse(name, text).build() + SYNC)).rest()
    play.when(FromUpstream(ACCEPTED[:5] + READY)).rest()
    return play


ROW = be.DataRow((b"7",)).build()
NAME = be.DataRow((b"s7",)).build()


def test_a_parameter_pins_the_person_that_a_row_without_key_is_of() -> None:
    play = prepared("s", "select surname from person where id = $1")
    (entry,) = executed(play, "s", SURNAME + NAME + done("SELECT 1"))
    assert entry.ordinals.tolist() == [7] and entry.template.outcome is Outcome.GIVEN


def test_a_name_that_may_have_been_replaced_proves_nothing() -> None:
    """DO may have deallocated `s` and prepared a join of the table with itself under its name."""
    play = prepared("s", "select id from person")
    (entry,) = executed(play, "s", T + ROW + done("SELECT 1"))
    assert entry.template.outcome is Outcome.GIVEN
    said(play, "select unknown_function()", done("SELECT 1"))
    entries = executed(play, "s", T + ROW + done("SELECT 1"))
    assert entries != [] and not any(one.fingerprint == entry.fingerprint for one in entries)


def test_rows_of_a_cursor_are_read_by_its_declaration() -> None:
    play = Playbook(relay(setup()))
    said(play, "begin", done("BEGIN", OPEN))
    said(play, "declare c cursor for select surname from person where id = 7", done("DECLARE CURSOR", OPEN))
    (entry,) = said(play, "fetch 1 from c", SURNAME + NAME + done("FETCH 1", OPEN))
    assert entry.ordinals.tolist() == [7]


def test_rows_of_a_cursor_that_nobody_saw_declared_are_not_proved() -> None:
    play = Playbook(relay(setup()))
    (entry,) = said(play, "fetch 1 from c", SURNAME + NAME + done("FETCH 1", OPEN))
    assert entry.template.outcome is Outcome.UNATTRIBUTED


def test_rows_of_a_cursor_count_together() -> None:
    play = Playbook(relay(setup(rows_per_statement=3)))
    said(play, "begin", done("BEGIN", OPEN))
    said(play, "declare c cursor for select id from person", done("DECLARE CURSOR", OPEN))
    first = said(play, "fetch 2 from c", T + ROW * 2 + done("FETCH 2", OPEN))
    second = said(play, "fetch 2 from c", T + ROW * 2 + done("FETCH 2", OPEN))
    assert [entry.released for entry in (first[0], second[0])] == [2, 1]


def test_rows_that_nothing_describes_are_kept_back() -> None:
    play = Playbook(relay(setup()))
    play.when(FromClient(query("select id from person"))).rest()
    play.when(FromUpstream(ROW + done("SELECT 1")))
    (sent,) = play.rest()
    assert be.ErrorResponse.parse(bytes(sent.data)[5:-6]).sqlstate == "42501"


def test_a_table_that_the_map_lacks_is_charged_and_looked_up_once() -> None:
    surroundings = setup()
    machine = relay(surroundings)
    play = Playbook(machine)
    unknown = be.RowDescription((be.Field("x", 99_999, 1, 25),)).build()
    for expected in (1, 0):
        play.when(FromClient(query("select x from elsewhere"))).rest()
        play.when(FromUpstream(unknown + NAME + done("SELECT 1")))
        left = play.rest()
        assert sum(isinstance(one, RefreshCatalogue) for one in left) == expected
        assert any(isinstance(one, Append) for one in left)
        play.when(CatalogueChanged(surroundings.catalogue)).rest()


def test_prepared_statements_are_read_again_by_a_newer_map() -> None:
    play = prepared("s", "select id from plain")
    catalogue = play.machine._conversation.catalogue
    statement = play.machine._conversation.tracker.statements["s"]
    assert statement.facts is not None and statement.facts.register_free
    guarded = frozenset({"person", "plain"})
    newer = Catalogue(2, catalogue.relations, catalogue.registers, guarded, catalogue.scalar_functions, False)
    play.when(CatalogueChanged(newer)).rest()
    assert not statement.facts.register_free
