"""What an account received before, from the ledger into the budgets: once, before its first session of this gate.

Rules
1. Budgets are a function of the ledger: `History` reads every disclosure of the channel `gate` that names the
   recipient, sealed or not. A nameless one (UNATTRIBUTED) counts as its `rows`.
2. One recipient is read once, however many sessions wait for it; what fails is tried again by the next one. Nobody
   begins before it is done: a restart forgets no person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from muniment.disclosure import Channel, Outcome, Template
from muniment.gate.server.parts import Received, Restorable
from muniment.ledger.store import Ledger


class History:
    """Reads the ledger in a thread of its own."""

    def __init__(self, open_ledger: Callable[[], Ledger]) -> None:
        """Opens nothing yet."""
        self._open_ledger = open_ledger
        self._ledger: Ledger | None = None
        self._thread = ThreadPoolExecutor(1, "muniment gate history")

    def __repr__(self) -> str:
        return "History()"

    async def of(self, recipient: str) -> list[Received]:
        """What a recipient received through the gate, in order.

        Raises `IntegrityError` where the ledger does not verify, `UnreachableError` where it cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, recipient)

    def close(self) -> None:
        """Wait for nobody any more."""
        self._thread.shutdown(wait=False)

    def _read(self, recipient: str) -> list[Received]:
        if self._ledger is None:
            self._ledger = self._open_ledger()
        return received(self._ledger, recipient)


def received(ledger: Ledger, recipient: str) -> list[Received]:
    """The past of a recipient as `LocalBudgets.restore` takes it; errors as `Ledger.reader`."""
    reader = ledger.reader()
    batch = reader.batch(reader.select(recipient=recipient, channel=Channel.GATE), records=True)
    nameless = np.array(
        [Template.from_text(text).outcome is Outcome.UNATTRIBUTED for text in batch.template.values], bool
    )
    charged = np.where(nameless[batch.template.codes], batch.rows, 0) if len(batch) else np.zeros(0, np.int64)
    moments = np.where(batch.occurred > 0, batch.occurred, batch.time)
    return [
        (moment, batch.records(row), persons)
        for row, (moment, persons) in enumerate(zip(moments.tolist(), charged.tolist(), strict=True))
    ]


class Accounts:
    """Who is known to the budgets of this process. Belongs to the event loop's thread."""

    def __init__(self, budgets: Restorable, history: Callable[[str], Awaitable[list[Received]]]) -> None:
        """`history`: see `History.of`."""
        self._budgets = budgets
        self._history = history
        self._known: dict[str, asyncio.Task[None]] = {}

    async def prepare(self, recipient: str) -> None:
        """Have the budgets know a recipient. Errors as `History.of`."""
        task = self._known.get(recipient)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._known[recipient] = asyncio.get_running_loop().create_task(self._restore(recipient))
        await asyncio.shield(task)

    async def _restore(self, recipient: str) -> None:
        self._budgets.restore(recipient, await self._history(recipient))
