"""The ledger as a gate holds it: opened in one thread, kept open while the gate runs, opened anew when it broke.

Rules
1. A `Ledger` belongs to one thread: this one has its own, and everything but appending goes through that thread.
2. The appender it gives is safe in any thread, and is another one after `mend`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Final, TypeVar

import numpy as np

from muniment.errors import InputError, MunimentError, UnreachableError
from muniment.ledger.appender import Appender
from muniment.ledger.service import SharedWriter
from muniment.ledger.store import Ledger

MEND_SECONDS: Final = 2.0
"""Seconds between attempts to open a ledger anew that refuses everything."""
T = TypeVar("T")


class HeldLedger:
    """One ledger, open for appending. `start` before use, `close` at the end."""

    def __init__(self, open_ledger: Callable[[], Ledger]) -> None:
        """Opens nothing yet."""
        self._open_ledger = open_ledger
        self._thread = ThreadPoolExecutor(1, "muniment gate ledger")
        self._ledger: Ledger | None = None
        self._held = ExitStack()
        self._appender: Appender | None = None

    def __repr__(self) -> str:
        return "HeldLedger()"

    @property
    def appender(self) -> Appender:
        """What to append to; `UnreachableError` while there is none."""
        if self._appender is None:
            raise UnreachableError("the ledger is not open", hint="muniment ledger verify")
        return self._appender

    @property
    def remote(self) -> bool:
        """Whether another process writes: then every call waits for it."""
        appender = self._appender
        return isinstance(appender, SharedWriter) and appender.local is None

    async def start(self) -> None:
        """Open it. Errors as `Ledger.writing`: the gate must not start then."""
        await self.run(self._open)

    async def seal(self) -> int:
        """Seal what was appended; returns how many segments that made, 0 where another process writes.

        Errors as `Ledger.seal`; what was appended stays durable whatever happens.
        """
        return await self.run(self._seal)

    async def mend(self) -> bool:
        """Look whether the ledger takes disclosures; open it anew where it refuses them all. `False`: not yet."""
        return await self.run(self._mend)

    async def close(self) -> None:
        """Wait for what is outstanding, seal it, and let go. `UnreachableError`: it waits for the next opening."""
        try:
            await self.run(self._held.close)
        finally:
            self._thread.shutdown(wait=False)

    async def run(self, action: Callable[[], T]) -> T:
        """Have the ledger's thread do something."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)

    def _open(self) -> None:
        self._ledger = self._open_ledger()
        self._appender = self._held.enter_context(self._ledger.writing())

    def _seal(self) -> int:
        if self._ledger is None or self.remote or self._ledger.keys.signing is None:
            return 0
        with suppress(InputError):  # who writes changed meanwhile: that one seals
            return len(self._ledger.seal())
        return 0

    def _mend(self) -> bool:
        with suppress(MunimentError):
            self.appender.ordinals(np.zeros(0, np.uint64))
            return True
        self._appender = None
        with suppress(MunimentError):  # it broke, and cannot be closed in good order either
            self._held.close()
        self._held = ExitStack()
        with suppress(MunimentError):
            self._open()
            return True
        return False
