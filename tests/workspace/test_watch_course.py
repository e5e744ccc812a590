"""The course: ledger and decisions in one order, from any snapshot on, whatever is taken at a time."""

from __future__ import annotations

import pytest

from language.watched import copied, led, recorded
from muniment.workspace import watch_course, watch_files
from muniment.workspace.watch_course import Course
from muniment.workspace.watching import Watching


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watching:
    made = recorded(tmp_path_factory.mktemp("recorded"))
    return led(copied(made, tmp_path_factory.mktemp("led") / "here")[0])


def findings(course: Course, watch: Watching, until: int | None = None) -> list[object]:
    entries = watch_files.course(watch.parts).entries(after=course.entry)
    mine = [one for one in entries if until is None or int(str(one.body["after"])) <= until]
    return [one for part in course.advance(mine, until) for one in part]


@pytest.mark.parametrize("rows", [1, 37, 16_384])
def test_any_number_of_rows_at_a_time_finds_the_same(
    watch: Watching, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = findings(Course(watch.parts), watch)
    monkeypatch.setattr(watch_course, "ROWS", rows)
    assert findings(Course(watch.parts), watch) == whole and len(whole) > 3


@pytest.mark.parametrize("stop", [1, 300, 600])
def test_from_a_snapshot_it_goes_on_as_if_it_had_not_stopped(watch: Watching, stop: int) -> None:
    whole = findings(Course(watch.parts), watch)
    first = Course(watch.parts)
    before = findings(first, watch, stop)
    again = Course(watch.parts, first.snapshot(0))
    assert before + findings(again, watch) == whole
    assert again.snapshot(0).meta == watch.course().snapshot(0).meta


def test_nothing_is_due_twice(watch: Watching) -> None:
    course = watch.course()
    assert course.due(watch.now()) == -1 and course.due(10**15) <= course.newest
    assert "clerk" not in repr(course)
