"""What PostgreSQL is asked on the gate's own account: secrets of accounts, and the map of tables, kept up to date.

Rules
1. All of it runs in one thread: a slow catalogue never holds up a session but the one that asked.
2. The map is read anew when a session asks for it (DDL was seen) and when a cheap look every `POLL_SECONDS` finds that
   tables changed. Several wishes at once are one reading. Who asked while a map was being read waits for the next one:
   that map may be of before his change. Everybody else gets it, or steady traffic would put it off for ever.
3. A map that could not be read anew stays in force, and an alarm says so: what is not in it stays unattributed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from muniment.errors import MunimentError
from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.server.logs import Log
from muniment.gate.server.metrics import Metrics
from muniment.gate.server.parts import Control
from muniment.gate.session.events import VerifierFound

POLL_SECONDS: Final = 10.0
"""Seconds between looks for changes that did not come through the gate."""
RETRY_SECONDS: Final = 1.0
"""Seconds after which a map that could not be read is read again."""
T = TypeVar("T")
Changed = Callable[[Catalogue, Collection[object]], None]
"""Told of each new map, and of those for whom it is too old (rule 2)."""


class Directory:
    """The control connection, and the newest map. Belongs to the event loop's thread."""

    def __init__(self, control: Control, metrics: Metrics, log: Log, changed: Changed) -> None:
        """`changed` is told of each new map."""
        self._control = control
        self._metrics = metrics
        self._log = log
        self._changed = changed
        self._thread = ThreadPoolExecutor(1, "muniment gate control")
        self._catalogue: Catalogue | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: set[object] = set()
        self._roles: dict[str, tuple[str, ...]] = {}

    @property
    def catalogue(self) -> Catalogue:
        """The newest map; there is one after `start`."""
        assert self._catalogue is not None
        return self._catalogue

    def roles(self, account: str) -> tuple[str, ...]:
        """The roles of an account as they were when it was last asked for."""
        return self._roles.get(account, ())

    async def start(self) -> None:
        """Read the map. `UnreachableError` where PostgreSQL cannot be asked: the gate must not start then."""
        self._take(await self._run(self._control.catalogue), ())

    async def verifier(self, account: str) -> VerifierFound:
        """The stored secret of an account. `UnreachableError` where PostgreSQL cannot be asked."""
        found = await self._run(lambda: self._control.verifier(account))
        if found.secret is not None:
            self._roles[account] = found.roles
        return found

    def refresh(self, asker: object) -> None:
        """Have the map read anew: at once, and once more where it was being read already (rule 2)."""
        self._asked.add(asker)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._refresh())

    async def watch(self) -> None:
        """Look for changes for ever."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                changed = await self._run(self._control.changed)
            except MunimentError as error:
                self._log.write("catalogue-not-seen", (("reason", error.message),), alarm=True)
                continue
            if changed:
                self.refresh(self)

    def close(self) -> None:
        """Close the connection."""
        self._thread.submit(self._control.close)
        self._thread.shutdown(wait=False)

    async def _refresh(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, set()
            try:
                found = await self._run(self._control.catalogue)
            except Exception as error:  # sessions that asked wait for it, whatever went wrong
                reason = error.message if isinstance(error, MunimentError) else type(error).__name__
                self._log.write("catalogue-not-read", (("reason", reason),), alarm=True)
                self._asked |= asked
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._take(found, self._asked)

    def _take(self, catalogue: Catalogue, late: Collection[object]) -> None:
        self._catalogue = catalogue
        self._metrics.put("catalogue_version", catalogue.version)
        self._changed(catalogue, frozenset(late))

    async def _run(self, action: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)
