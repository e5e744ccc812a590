"""The words of findings: pseudonyms and names of columns, never the name of an account or a number of a record."""

from __future__ import annotations

import pytest

from language.watched import copied, led, recorded
from muniment.watch.alerts import Weights
from muniment.watch.findings import Finding, Stake
from muniment.workspace.watch_words import Words
from muniment.workspace.watching import Watching


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watching:
    made = recorded(tmp_path_factory.mktemp("recorded"))
    return led(copied(made, tmp_path_factory.mktemp("led") / "here")[0])


def test_a_finding_in_words(watch: Watching) -> None:
    course = watch.course()
    words = Words(watch.parts, course, watch.alerts.names)
    code, register = course.watch.spaces.account.known("clerk1"), course.watch.spaces.register.known("persons")
    stakes = (Stake(register, 1 << 1 | 1 << 40, 3), Stake(-1, 0, 1))
    one = Finding("account", code, "guaranteed", "budget", (("budget", 1.0),), 3.5, 2_000.0, 20_500, 20_510, 0, stakes)
    (told,) = words.sighted([one], Weights({"persons.person_id": 4.0}))
    assert told.pseudonym == watch.alerts.names.of("account", "clerk1") and told.office == ""
    assert (told.stakes[0].columns, told.stakes[0].weight) == (("person_id", "column 40"), 4.0)
    assert words.accounts == {told.pseudonym: "clerk1"}
    assert "clerk" not in repr(told) + repr(words)
