"""The ledger as a gate holds it: sealed while it is open, opened anew where it broke."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from language.ledgers import LedgerFolder
from language.servers import entry, run
from muniment.errors import UnreachableError
from muniment.gate.server.holding import HeldLedger
from muniment.gate.server.logs import Log
from muniment.gate.server.metrics import Metrics
from muniment.gate.server.recording import batch_of
from muniment.gate.server.seals import seal_regularly
from muniment.ledger.service import SharedWriter


def test_it_seals_while_it_is_open_and_at_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        made = LedgerFolder.made(tmp_path / "office")
        held = HeldLedger(made.open)
        with pytest.raises(UnreachableError):
            _ = held.appender
        await held.start()
        held.appender.ordinals(np.arange(1, 9, dtype=np.uint64))
        held.appender.append_many(batch_of([entry(1)])).result()
        assert await held.seal() == 1 and await held.seal() == 0
        held.appender.append_many(batch_of([entry(2, case="case 2")])).result()
        await held.close()
        assert [one.manifest.rows for one in made.open().segments()] == [1, 1] and made.cases() == [1, 2]

    run(main())


def test_a_writer_that_refuses_everything_is_opened_anew(tmp_path: Path) -> None:
    async def main() -> None:
        made = LedgerFolder.made(tmp_path / "office")
        held = HeldLedger(made.open)
        await held.start()
        assert await held.mend(), "nothing is wrong: nothing is done"
        broken = held.appender
        assert isinstance(broken, SharedWriter) and broken.local is not None
        broken.local._intake.refuse(UnreachableError("the disk failed"))
        with pytest.raises(UnreachableError):
            broken.append_many(batch_of([entry(1)])).result()
        assert await held.mend() and held.appender is not broken
        held.appender.ordinals(np.arange(1, 9, dtype=np.uint64))
        held.appender.append_many(batch_of([entry(1)])).result()
        await held.close()
        assert made.cases() == [1]

    run(main())


def test_a_second_holder_is_a_client_and_leaves_the_seals_to_the_first(tmp_path: Path) -> None:
    async def main() -> None:
        made = LedgerFolder.made(tmp_path / "office")
        first, second = HeldLedger(made.open), HeldLedger(made.open)
        await first.start()
        await second.start()
        assert not first.remote and second.remote
        second.appender.ordinals(np.arange(1, 9, dtype=np.uint64))
        second.appender.append_many(batch_of([entry(1)])).result()
        assert await second.seal() == 0 and await first.seal() == 1
        await second.close()
        await first.close()

    run(main())


def test_a_seal_that_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    class Failing:
        calls = 0

        async def seal(self) -> int:
            self.calls += 1
            if self.calls == 1:
                raise UnreachableError("the disk is full")
            return 1

    async def main() -> None:
        metrics, log = Metrics(), Log(lambda: 0, tmp_path / "log")
        with suppress(TimeoutError):
            await asyncio.wait_for(seal_regularly(Failing(), metrics, log, 0.01), 0.2)
        log.reopen()
        assert metrics.values["seals_total"]["failed"] == 1 and metrics.values["seals_total"]["done"] > 1
        assert '"seal-failed"' in (tmp_path / "log").read_text()

    run(main())
