"""The map of tables as it is kept up to date: who waits for which reading, and what becomes of one that fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from language.servers import ScriptedControl, patience, run
from muniment.errors import UnreachableError
from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.server import directory as module
from muniment.gate.server.directory import Directory
from muniment.gate.server.logs import Log
from muniment.gate.server.metrics import Metrics

Told = list[tuple[int, frozenset[object]]]


class Slow(ScriptedControl):
    """Reads the map only as far as it is let; `faults` are raised first."""

    def __init__(self) -> None:
        super().__init__()
        self.let, self.begun, self.faults = threading.Semaphore(1), 0, list[Exception]()
        self.differs = False

    def catalogue(self) -> Catalogue:
        self.begun += 1
        assert self.let.acquire(timeout=10)
        if self.faults:
            raise self.faults.pop(0)
        return super().catalogue()

    def changed(self) -> bool:
        if self.faults:
            raise self.faults.pop(0)
        return self.differs


@asynccontextmanager
async def started(control: Slow, log: Path) -> AsyncIterator[tuple[Directory, Told]]:
    told: Told = []

    def changed(catalogue: Catalogue, late: Collection[object]) -> None:
        told.append((catalogue.version, frozenset(late)))

    lines = Log(lambda: 0, log)
    found = Directory(control, Metrics(), lines, changed)
    await found.start()
    try:
        yield found, told
    finally:
        found.close()
        lines.reopen()


def test_who_asks_while_a_map_is_read_waits_for_the_next_and_nobody_else_does(tmp_path: Path) -> None:
    async def main() -> None:
        control = Slow()
        async with started(control, tmp_path / "log") as (found, told):
            assert told == [(2, frozenset())]
            found.refresh("first")
            with patience() as wait:
                await wait(lambda: control.begun == 2)
                found.refresh("second")
                found.refresh("third")
                control.let.release()
                await wait(lambda: len(told) == 2)
                assert told[-1] == (3, frozenset({"second", "third"})) and found.catalogue.version == 3
                control.let.release()
                await wait(lambda: len(told) == 3)
            assert told[-1] == (4, frozenset()) and control.begun == 3, "two wishes were one reading"

    run(main())


@pytest.mark.parametrize("fault", [UnreachableError("nobody answers"), ValueError("a tree: secret")])
def test_a_map_that_could_not_be_read_is_read_again_for_those_who_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)

    async def main() -> None:
        control = Slow()
        async with started(control, tmp_path / "log") as (found, told):
            control.faults = [fault, fault]
            control.let.release(3)
            found.refresh("somebody")
            with patience() as wait:
                await wait(lambda: len(told) == 2)
            assert told[-1] == (3, frozenset()) and control.begun == 4
        logged = (tmp_path / "log").read_text()
        assert logged.count("catalogue-not-read") == 2 and "secret" not in logged

    run(main())


def test_a_look_that_finds_a_change_has_the_map_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)

    async def main() -> None:
        control = Slow()
        async with started(control, tmp_path / "log") as (found, told):
            control.faults = [UnreachableError("nobody answers")]
            watching = asyncio.create_task(found.watch())
            with patience() as wait:
                await wait(lambda: not control.faults)
                await asyncio.sleep(0.05)
                assert control.begun == 1, "nothing changed"
                control.differs = True
                control.let.release(1_000)
                await wait(lambda: len(told) > 1)
            watching.cancel()
        assert "catalogue-not-seen" in (tmp_path / "log").read_text()

    run(main())


def test_roles_are_those_of_an_account_that_exists(tmp_path: Path) -> None:
    async def main() -> None:
        control = Slow()
        async with started(control, tmp_path / "log") as (found, _):
            assert (await found.verifier("clerk")).secret == "secret"
            assert (await found.verifier("nobody")).secret is None
            assert found.roles("clerk") == ("clerk",) and found.roles("nobody") == ()
        with patience() as wait:
            await wait(lambda: control.closed)

    run(main())
