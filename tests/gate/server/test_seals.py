"""Seals in regular turns: what fails is told, and tried again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from language.servers import patience, run
from muniment.errors import UnreachableError
from muniment.gate.server.logs import Log
from muniment.gate.server.metrics import Metrics
from muniment.gate.server.seals import seal_regularly


class Failing:
    """A ledger whose first seal fails."""

    def __init__(self) -> None:
        self.calls = 0

    async def seal(self) -> int:
        self.calls += 1
        if self.calls == 1:
            raise UnreachableError("the disk is full")
        return 1


def test_a_seal_that_fails_is_told_and_the_next_one_comes(tmp_path: Path) -> None:
    async def main() -> None:
        ledger, metrics = Failing(), Metrics()
        log = Log(lambda: 0, tmp_path / "log")
        sealing = asyncio.create_task(seal_regularly(ledger, metrics, log, 0.001))
        with patience() as wait:
            await wait(lambda: ledger.calls >= 4)
        sealing.cancel()
        log.reopen()
        counted = metrics.values["seals_total"]
        assert counted["failed"] == 1 and counted["done"] >= 2
        assert '"alarm": true, "reason": "the disk is full"' in (tmp_path / "log").read_text()

    run(main())
