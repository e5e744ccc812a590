"""Whole conversations: equal to direct ones where nothing is stopped, and never a row ahead of its record."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from language.conversations import Exchange, direct, follow, relay, rows_of, setup
from muniment.gate.protocol import frontend as fe

TEXTS = [
    "select id, surname from person limit 4", "select surname from person", "select id from plain limit 9", "",
    "select id, surname from person where id = 7", "insert into plain", "delete from person returning id",
    "begin", "commit", "rollback", "set application_name = 'x'", "set muniment.case = 'C1'", "nonsense here",
    "notice", "raise", "declare c cursor for select id from person limit 6", "fetch 2 from c",
    "copy person to stdout", "copy (select id, surname from person) to stdout", "create table t",
    "set standard_conforming_strings = off", "select id from plain limit 2; select surname, id from plain limit 3",
    "begin; insert into plain; select id from plain; commit", "select id from plain; raise",
]  # fmt: skip
SEVERAL = [
    "select id, surname from person limit 2; select surname, id from person limit 3 offset 40",
    "begin; insert into plain; select id from person; commit", "select id from person; raise",
    "select id from person; copy person from stdin; select surname from person",
]  # fmt: skip
EXTENDED = [text for text in TEXTS if ";" not in text] + ["select id, surname from person where id = $1"]
NAMES = st.sampled_from(["", "s", "t"])


def query(text: str) -> bytes:
    return fe.Query(text).build()


PIECES = st.one_of(
    st.sampled_from(TEXTS).map(query),
    st.sampled_from(TEXTS).map(query),
    st.builds(lambda name, text: fe.Parse(name, text).build(), NAMES, st.sampled_from(EXTENDED)),
    st.builds(lambda portal, name: fe.Bind(portal, name, (), (b"3",)).build(), NAMES, NAMES),
    st.builds(lambda target, name: fe.Describe(target, name).build(), st.sampled_from(b"PS"), NAMES),
    st.builds(lambda name, rows: fe.Execute(name, rows).build(), NAMES, st.sampled_from([0, 0, 1, 2])),
    st.builds(lambda target, name: fe.Close(target, name).build(), st.sampled_from(b"PS"), NAMES),
    st.just(fe.Sync().build()),
    st.just(fe.Flush().build()),
    st.builds(lambda name, text, rows: b"".join([
        fe.Parse(name, text).build(), fe.Bind("", name, (), (b"5",)).build(), fe.Describe(80, "").build(),
        fe.Execute("", rows).build(), fe.Sync().build(),
    ]), NAMES, st.sampled_from(EXTENDED), st.sampled_from([0, 2])),
    st.builds(lambda name, text: b"".join([
        fe.Parse(name, text).build(), fe.Bind("p", name, (), (b"5",)).build(), fe.Execute("p", 1).build(),
        fe.Execute("p", 0).build(), fe.Sync().build(),
    ]), NAMES, st.sampled_from(EXTENDED)),
    st.builds(lambda bad: query("copy person from stdin") + fe.CopyData(bad).build() + fe.CopyDone().build(),
              st.sampled_from([b"1\tx\n", b"bad\n"])),
    st.builds(lambda bad, end: b"".join([
        fe.Parse("", "copy person from stdin").build(), fe.Bind("", "").build(), fe.Execute("").build(),
        fe.Sync().build(), fe.CopyData(bad).build(), end, fe.Sync().build(),
    ]), st.sampled_from([b"1\tx\n", b"bad\n"]), st.sampled_from([fe.CopyDone().build(), fe.CopyFail("no").build()])),
)  # fmt: skip


@st.composite
def scripts(draw: st.DrawFn, several: bool = True) -> list[bytes]:
    """What a client sends, cut anywhere; it ends with a Sync and a rollback, so that everything is answered."""
    pieces = draw(st.lists(PIECES | st.sampled_from(SEVERAL).map(query) if several else PIECES, max_size=8))
    data = b"".join(pieces) + fe.CopyDone().build() + fe.Sync().build() + query("rollback")
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]


def play(rules: dict[str, object], chunks: list[bytes], random, failing: set[int] = frozenset()) -> Exchange:  # type: ignore[no-untyped-def, assignment]
    """One conversation to its end, with what holds of each."""
    played = Exchange(relay(setup(**rules)), chunks, random.randrange)
    played.refuse = failing.__contains__
    came = played.play()
    assert not [one for one in played.reports if one.event == "gap"]
    if not played.fake.dead:
        assert played.machine.idle
        assert follow(chunks, came).idle
    return played


@settings(max_examples=300)
@given(scripts(several=False), st.randoms(use_true_random=False))
def test_a_conversation_that_nothing_stops_is_the_direct_one(chunks: list[bytes], random) -> None:  # type: ignore[no-untyped-def]
    played = play({"mode": "observe"}, chunks, random)
    assert played.client == direct(chunks)
    assert not [one for one in played.reports if one.event == "refused"]


@settings(max_examples=300)
@given(scripts(), st.randoms(use_true_random=False), st.integers(0, 6))
def test_with_a_small_budget_nobody_gets_more_than_that(chunks: list[bytes], random, limit: int) -> None:  # type: ignore[no-untyped-def]
    persons, keyless = rows_of(bytes(play({"persons": {"lifetime": limit}}, chunks, random).client))
    assert len(persons) + keyless <= limit


@settings(max_examples=300)
@given(scripts(), st.randoms(use_true_random=False), st.sets(st.integers(1, 12)))
def test_where_the_ledger_fails_nothing_leaves_unrecorded(chunks: list[bytes], random, failing: set[int]) -> None:  # type: ignore[no-untyped-def]
    play({"mode": "observe"}, chunks, random, failing)


@settings(max_examples=200)
@given(scripts(), st.randoms(use_true_random=False), st.sets(st.integers(1, 12)), st.integers(0, 6))
def test_budget_and_ledger_together(chunks: list[bytes], random, failing: set[int], limit: int) -> None:  # type: ignore[no-untyped-def]
    play({"persons": {"day": limit}}, chunks, random, failing)
