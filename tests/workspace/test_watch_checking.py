"""What a check says of a watch: what it cannot see, whether it keeps up, and what it bounds."""

from __future__ import annotations

import numpy as np
import pytest

from language.watched import copied, led, recorded
from muniment.watch.context.tables import Assignments, Cases, Context
from muniment.workspace.watch_checking import check, haul_of
from muniment.workspace.watching import Watching


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watching:
    made = recorded(tmp_path_factory.mktemp("recorded"))
    return led(copied(made, tmp_path_factory.mktemp("led") / "here")[0])


def test_a_check_says_what_cannot_be_seen(watch: Watching) -> None:
    found = {one.name: one for one in check(watch)}
    assert found["context"].state == "warn" and "assignments" in str(found["context"].values["missing"])
    assert "caseload" in str(found["blind"].values["signals"])
    assert (found["haul"].state, found["haul"].values["missing"]) == ("warn", "cases, assignments")
    assert found["follows"].state == "ok" and found["settings"].values["share"] == "19.8"


def test_with_cases_and_assignments_a_bound_is_given(watch: Watching) -> None:
    none = np.zeros(0, np.int32)
    never = np.zeros(0, np.int64)
    course = watch.course()
    course.context = Context(
        cases=Cases(none, none, never, never, none, none, np.zeros(0, np.bool_), never, np.zeros(0, np.uint32)),
        assignments=Assignments(none, none, none, never, never),
    )
    (found,) = haul_of(watch.parts, watch.settings(), course, (1,))
    assert (found.horizon, found.gated) == (1, False)
    assert found.records is not None and 0 < found.records < 500


def test_a_check_changes_nothing(watch: Watching) -> None:
    folder = watch.parts.folder / "watch"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.bin")}
    assert {one.name for one in check(watch)} >= {"settings", "follows", "context", "judged", "sinks", "haul"}
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.bin")} == before
