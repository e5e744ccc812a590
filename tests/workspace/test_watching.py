"""The watch of a workspace over a real ledger: it finds a harvest, survives restarts, and replays what it found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from language.offices import Office
from language.watched import (
    LATE,
    MONDAY,
    PERSONS,
    Read,
    Wall,
    copied,
    findings,
    give,
    harvest,
    led,
    recorded,
    story,
    together,
    told,
    wall,
    watching,
    working,
)
from muniment.disclosure import Channel
from muniment.errors import InputError, UnreachableError
from muniment.notice.envelope import new_notice_key, open_envelope, open_notice_key
from muniment.workspace import watch_files
from muniment.workspace.watch_alerts import Alerts
from muniment.workspace.watching import Watching

FIRST = (MONDAY.date().toordinal()) - 719_163
"""Local day of the first Monday."""


@pytest.fixture(scope="module")
def recorded_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def once(recorded_office: Path, tmp_path_factory: pytest.TempPathFactory) -> set[tuple[object, ...]]:
    """What one run over the whole story finds."""
    office, _ = copied(recorded_office, tmp_path_factory.mktemp("once") / "here")
    return told(led(office))


@pytest.fixture
def storied(recorded_office: Path, tmp_path: Path) -> Office:
    """An office whose ledger holds the story; its clock stands a day after."""
    return copied(recorded_office, tmp_path / "storied")[0]


def in_pieces(office: Office, clock: Wall, reads: Sequence[Read], ends: Sequence[float]) -> Watching:
    """Record and lead the watch by turns: up to each of these days, then all the rest."""
    before = -1.0
    for end in (*ends, LATE):
        give(office, clock, [one for one in reads if before <= one.day < end])
        watch = led(office, clock=clock, at=end)
        before = end
    return watch


def test_a_harvest_and_a_bulk_are_found(storied: Office) -> None:
    watch = led(storied)
    found = watch.handling.listed()
    names = watch.alerts.names
    assert {one.pseudonym for one in found if one.unit == "account"} == {
        names.of("account", "clerk1"), names.of("account", "clerk2")
    }  # fmt: skip
    sure = [one for one in found if one.kind == "guaranteed"]
    assert sure and sure[0].pattern == "budget"
    burst = [one for one in found if one.pseudonym == names.of("account", "clerk2")]
    assert any(sighting.sequence for one in burst for sighting in one.sightings), "inside of the disclosure"


def test_nothing_is_found_twice(storied: Office) -> None:
    before = findings(led(storied))
    watch = led(storied)
    assert findings(watch) == before and len(before) > 3
    assert watch.run(follow=False).changes == []


@pytest.mark.parametrize("ends", [(20.0,), (3.5, 22.45, 29.6, 30.0), tuple(float(day) for day in range(20, 32))])
def test_any_restarts_find_the_same(office: Office, ends: tuple[float, ...], once: set[tuple[object, ...]]) -> None:
    pieces = in_pieces(office, wall(office), story(), ends)
    assert told(pieces) == once
    assert pieces.replay(whole=True).equal
    assert pieces.replay(since=FIRST + 25).equal


def test_a_replay_says_what_is_missing_and_what_is_new(storied: Office) -> None:
    watch = led(storied)
    with watch.alerts.editing() as kept:
        gone = kept.events.pop()
    replayed = watch.replay()
    assert not replayed.equal and len(replayed.new) == 1 and not replayed.missing
    assert gone.sighting is not None
    with watch.alerts.editing() as kept:
        kept.events.append(gone)
    assert watch.replay().equal
    part = watch.replay(since=FIRST + 28, until=FIRST + 30)
    assert part.equal and 0 < part.same < len(findings(watch))


def test_changed_settings_and_context_are_replayed_at_their_places(office: Office) -> None:
    clock = wall(office)
    watch = watching(office)
    watch.init()
    reads = story()
    give(office, clock, [one for one in reads if one.day < 23])
    led(office, clock=clock, at=23)
    watch.path.write_text("[watch]\nalerts_per_1000 = 4\n[budget]\na_day = 30\n[accounts.clerk2]\na_day = 1\n")
    staff = office.folder / "staff.csv"
    staff.write_text("account,office\nclerk0,tax\nclerk1,tax\nclerk2,care\n", encoding="utf-8")
    watching(office).import_table("staff", str(staff))
    give(office, clock, [one for one in reads if 23 <= one.day < 30])
    led(office, clock=clock, at=30)
    watch.path.write_text('[watch]\ntime_zone = "Asia/Taipei"\nlag_hours = 12\n')
    give(office, clock, [one for one in reads if one.day >= 30])
    watch = led(office, clock=clock, at=LATE)
    kinds = [one.kind for one in watch_files.course(watch.parts).entries() if one.kind != "closed"]
    assert kinds == ["settings", "settings", "context", "settings"]
    replayed = watch.replay(whole=True)
    assert replayed.equal and replayed.same == len(findings(watch)) > 0


def test_what_is_not_watched_is_counted(office: Office) -> None:
    clock = wall(office)
    give(office, clock, harvest(0, 12), channel=Channel.FILE)
    watch = led(office, clock=clock, at=LATE)
    assert not findings(watch) and watch.course().counts.unwatched == 250


def test_one_person_read_by_many_is_a_count_and_a_sealed_pointer(office: Office, tmp_path: Path) -> None:
    public = new_notice_key(tmp_path / "notice.key", "five more words of mine", os.urandom)
    toml = office.folder / "office" / "muniment.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("[ledger]", f'[ledger]\nnotice_key = "{public.hex()}"', 1), encoding="utf-8")
    clock = wall(office)
    singer = [Read(3.4 + place / 50, f"clerk{place}", (4_321,)) for place in range(7)]
    give(office, clock, together(working(0, 12, accounts=7), singer))
    watch = led(office, clock=clock, at=15)
    (crowd,) = [one for one in watch.handling.listed() if one.unit == "record"]
    assert (crowd.pattern, crowd.last.readers, crowd.pseudonym) == ("crowd", 7, "")
    page = "\n".join(watch.handling.page(crowd.id, "en"))
    with watch.parts.ledger.writing() as appender:
        ordinal = int(appender.ordinals(np.array([PERSONS + 4_321], np.uint64))[0])
    assert str(ordinal) not in page and f"{ordinal:,}" not in page
    key = open_notice_key(tmp_path / "notice.key", "five more words of mine")
    assert int.from_bytes(open_envelope(crowd.last.pointer, key), "big") == ordinal
    assert watch.replay(whole=True).equal


def test_one_process_leads_at_a_time(office: Office) -> None:
    watch = led(office)
    with watch_files.leading(watch.parts), pytest.raises(UnreachableError, match="held by another process"):
        watch.run(follow=False)


def test_following_ends_when_it_is_told_to_and_keeps_its_state(office: Office) -> None:
    clock = wall(office)
    watch = watching(office)
    watch.init()
    waits = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            give(office, clock, story())
            clock.at(LATE)
        if len(waits) == 3:
            raise KeyboardInterrupt

    total = watch.run(follow=True, pause=pause)
    assert total.opened >= 2 and total.reads > 900
    assert watch.course().after == watch.parts.ledger.whole()[0][-1].manifest.last


def test_a_watch_that_is_there_stays_and_without_one_everything_says_how_to_begin(office: Office) -> None:
    watch = watching(office)
    for action in (watch.settings, watch.course, watch.replay, lambda: watch.run(follow=False)):
        with pytest.raises(InputError) as caught:
            action()
        assert caught.value.hint == "muniment watch init"
    watch.init()
    before = watch.path.read_bytes()
    with pytest.raises(InputError, match="it stays"):
        watch.init()
    assert watch.path.read_bytes() == before


def test_nothing_lies_in_clear(storied: Office) -> None:
    watch = led(storied)
    watch.handling.say("acknowledged", watch.handling.listed()[0].id, "looking into it")
    for path in (watch.parts.folder / "watch").rglob("*"):
        if path.is_file():
            assert b"clerk" not in path.read_bytes() and b"looking" not in path.read_bytes(), path


def test_alerts_are_deleted_after_their_term(storied: Office) -> None:
    watch = led(storied)
    assert watch.handling.listed()
    storied.clock.at(LATE + 366)  # type: ignore[attr-defined]
    watch = led(storied)
    assert not watch.handling.listed(closed=True)
    assert {one.kind for one in Alerts(watch.parts).kept().events} == {"deleted"}
    assert watch.replay(whole=True).equal
