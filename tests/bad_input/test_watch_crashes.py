"""A watch that is killed between course, alerts, state and sinks. Nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from language.offices import Office
from language.program import started
from language.rings import PASSPHRASE
from language.watched import copied, led, recorded, told, watching
from muniment.ledger import journal
from muniment.watch.sinks import file as file_sink
from muniment.workspace import watch_alerts, watch_files, watch_gate, watch_sinks

TOML = '[sinks.log]\nkind = "file"\npath = "alerts.jsonl"\n[gate]\nlower = true\n'


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def clean(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[set[tuple[object, ...]], set[str], int]:
    """Findings, messages by shape, and durable steps of a run that nothing disturbs."""
    office, _ = copied(made, tmp_path_factory.mktemp("clean") / "here")
    watch = watching(office)
    watch.init()
    watch.path.write_text(TOML, encoding="utf-8")
    with killing(10**9) as steps:
        watch.run(follow=False)
    return told(watch), shapes(office), steps[0]


def messages(office: Office) -> list[dict[str, Any]]:
    path = office.folder / "office" / "alerts.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line]


def shapes(office: Office) -> set[str]:
    """What was sent, but for pseudonyms."""
    return {"/".join(one["fields"][name] for name in ("pattern", "kind", "findings")) for one in messages(office)}


@contextmanager
def killing(at: int, *, after: bool = False) -> Iterator[list[int]]:
    """End the process at the `at`-th durable step, before it or right after it was done."""
    done = [0]

    def step(act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*arguments: Any, **named: Any) -> Any:
            done[0] += 1
            if done[0] == at and not after:
                raise Killed
            result = act(*arguments, **named)
            if done[0] == at:
                raise Killed
            return result

        return acted

    with (
        patch.object(watch_files, "write_sealed", step(watch_files.write_sealed)),
        patch.object(watch_alerts, "write_sealed", step(watch_alerts.write_sealed)),
        patch.object(watch_gate, "write_sealed", step(watch_gate.write_sealed)),
        patch.object(watch_sinks, "write_sealed", step(watch_sinks.write_sealed)),
        patch.object(journal.Journal, "append_many", step(journal.Journal.append_many)),
        patch.object(file_sink.FileSink, "send", step(file_sink.FileSink.send)),
    ):
        yield done


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_step_loses_and_doubles_nothing(
    made: Path, clean: tuple[set[tuple[object, ...]], set[str], int], after: bool, tmp_path: Path
) -> None:
    found, sent, steps = clean
    assert steps > 8
    office, _ = copied(made, tmp_path / "here")
    watch = watching(office)
    watch.init()
    watch.path.write_text(TOML, encoding="utf-8")
    for at in range(1, steps + 1):  # each run goes a little further than the one before
        with killing(at, after=after):
            try:
                watching(office).run(follow=False)
            except Killed:
                continue
    watch = led(office)
    assert told(watch) == found
    assert shapes(office) == sent
    opened = [one for one in watch.alerts.kept().events if one.kind == "opened"]
    assert len({one.alert for one in opened}) == len(opened)
    assert watch.replay(whole=True).equal
    by_alert = {one.alert for one in watch_gate.lowerings(watch.parts)}
    sure = {one.id for one in watch.handling.listed() if one.kind == "guaranteed"}
    assert by_alert == sure and len(watch_gate.lowerings(watch.parts)) == len(sure)


@pytest.mark.parametrize("at", [2, 4, 6, 8])
def test_a_crash_then_a_restart(
    made: Path, clean: tuple[set[tuple[object, ...]], set[str], int], at: int, tmp_path: Path
) -> None:
    office, _ = copied(made, tmp_path / "here")
    watch = watching(office)
    watch.init()
    watch.path.write_text(TOML, encoding="utf-8")
    with killing(at), pytest.raises(Killed):
        watch.run(follow=False)
    watch = led(office)
    assert told(watch) == clean[0] and shapes(office) == clean[1]
    assert watch.replay(whole=True).equal


def test_killed_for_real_while_it_follows(
    made: Path, clean: tuple[set[tuple[object, ...]], set[str], int], tmp_path: Path
) -> None:
    office, _ = copied(made, tmp_path / "here")
    watch = watching(office)
    watch.init()
    watch.path.write_text(TOML, encoding="utf-8")
    env = {"MUNIMENT_WORKSPACE": str(office.folder / "office"), "MUNIMENT_PASSPHRASE": PASSPHRASE}
    for wait in (0.0, 0.05, 0.4):
        with started("watch", "run", env=env) as running:
            deadline = time.monotonic() + 60
            while not (watch.parts.folder / "watch" / ".run.lock").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(wait)
            os.kill(running.pid, signal.SIGKILL)
            running.communicate()
    watch = led(office)
    assert told(watch) == clean[0] and shapes(office) == clean[1]
    assert watch.replay(whole=True).equal
