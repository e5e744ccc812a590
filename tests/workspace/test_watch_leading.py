"""Leading a watch turn by turn: what goes into the course, when state is kept, and what a turn tells of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.offices import Office
from language.watched import LATE, Wall, copied, give, recorded, watching, working
from muniment.errors import InputError
from muniment.workspace import watch_files
from muniment.workspace.watch_leading import Leader, forget
from muniment.workspace.watching import Watching


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def here(made: Path, tmp_path: Path) -> tuple[Office, Wall]:
    return copied(made, tmp_path / "here")


def leader(office: Office) -> tuple[Watching, Leader]:
    watch = watching(office)
    if not watch.there:
        watch.init()
    return watch, Leader(watch.parts, watch.settings, lambda kept, changes: None)


def test_a_turn_says_what_it_did_and_the_next_has_nothing_to_do(here: tuple[Office, Wall]) -> None:
    watch, led = leader(here[0])
    first, second = led.turn(), led.turn()
    assert first.reads > 900 and first.opened == len(watch.handling.listed()) > 1
    assert (second.reads, second.changes) == (0, [])
    kinds = [one.kind for one in watch_files.course(watch.parts).entries()]
    assert kinds == ["settings"], "all days were closed by what was read"


def test_state_is_kept_when_something_was_found_and_when_it_is_asked_for(here: tuple[Office, Wall]) -> None:
    office, clock = here
    watch, led = leader(office)
    led.turn()
    kept = watch_files.load(watch.parts)
    assert kept is not None and kept.meta["after"] == led.course.after
    give(office, clock, working(42, 43))
    clock.at(LATE + 4)
    led.turn()
    assert watch_files.load(watch.parts).meta["after"] == kept.meta["after"], "too soon"  # type: ignore[union-attr]
    led.keep()
    assert watch_files.load(watch.parts).meta["after"] > kept.meta["after"]  # type: ignore[union-attr]
    assert len(watch_files.months(watch.parts)) == 1


def test_a_day_is_closed_by_the_clock_once_its_lag_is_over(here: tuple[Office, Wall]) -> None:
    office, clock = here
    clock.at(LATE - 1.6)
    _, led = leader(office)
    led.turn()
    newest = led.course.newest
    assert led.course.watch.closed < newest
    clock.at(LATE + 1.1)
    led.turn()
    assert led.course.watch.closed == newest
    clock.at(LATE + 900)
    led.turn()
    assert led.course.watch.closed == newest, "never a day of which nothing was read"


def test_a_term_below_a_day_is_refused(here: tuple[Office, Wall]) -> None:
    watch, _ = leader(here[0])
    with pytest.raises(InputError, match="1 or more"):
        forget(watch.alerts, watch.alerts.kept(), 0, 0)
