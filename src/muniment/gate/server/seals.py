"""Sealing while the gate runs: each minute what was appended becomes a segment of the log, and once more at the end."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from muniment.errors import MunimentError
from muniment.gate.server.logs import Log
from muniment.gate.server.metrics import Metrics

SEAL_SECONDS: Final = 60.0
"""Seconds between seals: what is not sealed yet is durable and chained, but not in the log."""


class Sealable(Protocol):
    """A ledger that is held open."""

    async def seal(self) -> int:
        """See `HeldLedger.seal`."""
        ...


async def seal_regularly(ledger: Sealable, metrics: Metrics, log: Log, seconds: float = SEAL_SECONDS) -> None:
    """Seal for ever; what fails is reported, and tried again the next time."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await ledger.seal()
        except MunimentError as error:
            metrics.add("seals_total", label="failed")
            log.write("seal-failed", (("reason", error.message),), alarm=True)
        else:
            metrics.add("seals_total", label="done")
