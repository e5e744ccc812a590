"""Alerts on file: kept whole or not at all, each finding once, nothing left of what is deleted."""

from __future__ import annotations

import pytest

from language.watched import copied, led, recorded
from muniment.errors import IntegrityError
from muniment.workspace.watch_alerts import Kept
from muniment.workspace.watching import Watching


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watching:
    made = recorded(tmp_path_factory.mktemp("recorded"))
    return led(copied(made, tmp_path_factory.mktemp("led") / "here")[0])


def test_what_is_kept_comes_back(watch: Watching) -> None:
    kept = watch.alerts.kept()
    assert kept.events and Kept.from_bytes(kept.to_bytes()).to_bytes() == kept.to_bytes()
    assert "clerk" not in repr(kept) + repr(watch.alerts) and b"clerk" not in kept.to_bytes()


def test_a_finding_is_taken_once(watch: Watching) -> None:
    sightings = [one.sighting for one in watch.alerts.kept().events if one.sighting is not None]
    with watch.alerts.editing() as kept:
        assert watch.alerts.take(kept, sightings, watch.now()) == []
    assert len(watch.alerts.known(watch.alerts.kept())) == len(sightings)


def test_what_fails_leaves_the_file_as_it_was(watch: Watching) -> None:
    before = watch.alerts.kept().to_bytes()
    with pytest.raises(ZeroDivisionError), watch.alerts.editing() as kept:
        kept.events[:] = [kept.events[0]] * (1 // 0)
    assert watch.alerts.kept().to_bytes() == before


def test_a_change_says_whether_people_are_told(watch: Watching) -> None:
    id = watch.handling.listed()[-1].id
    with watch.alerts.editing() as kept:
        (seen,) = watch.alerts.say(kept, "acknowledged", id, watch.now(), by="Ann", reason="looking into it")
        (ended,) = watch.alerts.say(kept, "explained", id, watch.now(), by="Ann", reason="a list was checked")
    assert (seen.telling, ended.telling) == (False, True)


def test_an_altered_file_is_refused(watch: Watching) -> None:
    path = watch.parts.folder / "watch" / "alerts.bin"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(IntegrityError):
            watch.alerts.kept()
    finally:
        path.write_bytes(whole)
