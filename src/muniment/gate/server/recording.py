"""Appends of sessions -> the ledger -> events, with a bounded wait: nothing leaves before its disclosure is durable.

Rules
1. One `Append` is one batch. The ledger's thread makes one commit of all that wait; its answers come back to the event
   loop together, however many there are.
2. No more is handed to the ledger than it takes without waiting (`WINDOW`): the event loop never waits for the disk.
3. What is not durable in time has failed, for good: a late success is counted, and releases nothing.
4. With `spool`, and while the ledger takes nothing, the second place will do. Every `PROBE_SECONDS` one such append is
   tried on the ledger first. Ordinals that are provisional (`persons`) can only go there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from enum import Enum, auto
from functools import lru_cache, partial
from typing import Final, Protocol

import numpy as np

from muniment.disclosure import Outcome, Party, Template
from muniment.errors import InputError, MunimentError
from muniment.gate.server.metrics import Metrics
from muniment.gate.server.persons import PROVISIONAL
from muniment.gate.session.commands import Append, Entry
from muniment.gate.session.events import Appended, AppendFailed
from muniment.ledger.appender import Appender, Receipt
from muniment.ledger.batch import Batch, Texts

WINDOW: Final = 1_024
"""Disclosures that are handed to the ledger and not answered yet; see `ledger.intake.OUTSTANDING`."""
PROBE_SECONDS: Final = 2.0
Tell = Callable[[Appended | AppendFailed], None]


class Second(Protocol):
    """The second place, and the pseudonyms of persons whom the ledger does not know yet."""

    def append(self, entries: Sequence[Entry], pseudonyms: Mapping[int, tuple[str, tuple[int, ...]]]) -> None:
        """See `SpoolLike.append`."""
        ...


class _State(Enum):
    QUEUED = auto()
    UNDER_WAY = auto()
    ANSWERED = auto()


class _Waiting:
    """One append on its way."""

    __slots__ = ("batch", "begun", "command", "state", "tell", "weight")

    def __init__(self, command: Append, tell: Tell, batch: Batch | None, begun: float) -> None:
        self.command = command
        self.tell = tell
        self.batch = batch
        self.begun = begun
        self.weight = min(WINDOW // 2, len(command.entries))
        self.state = _State.QUEUED


class Recorder:
    """Records for every session of this process. Belongs to the event loop's thread."""

    def __init__(
        self, appender: Callable[[], Appender], seconds: float, metrics: Metrics, *, second: Second | None = None,
        pseudonyms: Callable[[Sequence[int]], Mapping[int, tuple[str, tuple[int, ...]]]] | None = None,
        changed: Callable[[bool], None] = lambda _: None,
    ) -> None:  # fmt: skip
        """`appender` is asked for each append (it may be another one after a fault). `seconds`: the bounded wait.

        `changed` is told when the ledger goes down (`True`) and when it is back.
        """
        self._loop = asyncio.get_running_loop()
        self._appender = appender
        self._seconds = seconds
        self._metrics = metrics
        self._second = second
        self._pseudonyms = pseudonyms or (lambda _: {})
        self._changed = changed
        self._queue: deque[_Waiting] = deque()
        self._order: deque[_Waiting] = deque()  # by deadline: the wait is the same for all
        self._outstanding = 0
        self._timer: asyncio.TimerHandle | None = None
        self._done: deque[tuple[_Waiting, Future[Receipt]]] = deque()  # filled by the ledger's thread
        self._woken = False
        self._down_since: float | None = None
        self._probed = 0.0
        self._spooling = 0
        self._thread: ThreadPoolExecutor | None = None

    @property
    def down(self) -> bool:
        """Whether the ledger took nothing when it was last asked."""
        return self._down_since is not None

    @property
    def outstanding(self) -> int:
        """Appends that were not answered yet."""
        return sum(one.state is not _State.ANSWERED for one in self._order) + self._spooling

    def append(self, command: Append, tell: Tell) -> None:
        """Record entries; `tell` gets `Appended` or `AppendFailed`, once, perhaps before this returns."""
        now = self._loop.time()
        if not command.entries:
            tell(Appended(command.token))
            return
        if self._wants_second(command, now):
            self._to_second(_Waiting(command, tell, None, now))
            return
        try:
            waiting = _Waiting(command, tell, batch_of(command.entries), now)
        except (MunimentError, ValueError) as error:
            self._metrics.add("append_failures_total")
            tell(AppendFailed(command.token, type(error).__name__))
            return
        self._queue.append(waiting)
        self._order.append(waiting)
        self._pump()
        self._arm()

    async def settle(self, seconds: float) -> None:
        """Wait until everything is answered, at most so long."""
        deadline = self._loop.time() + seconds
        while self.outstanding and self._loop.time() < deadline:
            await asyncio.sleep(0.01)
        self.tick()
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    def tick(self) -> None:
        """Bring the counters of time up to now: before they are shown."""
        self._metrics.put("appends_outstanding", self.outstanding)
        if self._down_since is not None:
            now = time.monotonic()
            self._metrics.add("ledger_down_seconds_total", now - self._down_since)
            self._down_since = now

    # --- the ledger ------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        while self._queue and self._outstanding + self._queue[0].weight <= WINDOW:
            waiting = self._queue.popleft()
            if waiting.state is not _State.QUEUED:
                continue
            assert waiting.batch is not None
            try:
                future = self._appender().append_many(waiting.batch)
            except MunimentError as error:
                self._fail(waiting, error)
                continue
            waiting.state, waiting.batch = _State.UNDER_WAY, None
            self._outstanding += waiting.weight
            future.add_done_callback(partial(self._settled, waiting))

    def _settled(self, waiting: _Waiting, future: Future[Receipt]) -> None:
        """In the ledger's thread: hand the answer over. One wake-up serves all that come before it is heard."""
        self._done.append((waiting, future))
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the gate has ended meanwhile
                self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        self._woken = False
        while self._done:
            waiting, future = self._done.popleft()
            self._outstanding -= waiting.weight
            error = future.exception()
            if error is not None:
                self._fail(waiting, error)
                continue
            self._came_back()
            if waiting.state is _State.ANSWERED:
                self._metrics.add("append_late_total")
                continue
            waiting.state = _State.ANSWERED
            self._metrics.appended(self._loop.time() - waiting.begun)
            count(waiting.command.entries, self._metrics)
            waiting.tell(Appended(waiting.command.token))
        while self._order and self._order[0].state is _State.ANSWERED:
            self._order.popleft()
        self._pump()

    def _fail(self, waiting: _Waiting, error: BaseException) -> None:
        """An append failed. Bad input is its own fault; anything else is the ledger's, for all."""
        if not isinstance(error, InputError):
            self._went_down()
        if waiting.state is _State.ANSWERED:
            return
        waiting.state = _State.ANSWERED
        if waiting.command.spool and self.down:
            self._to_second(waiting)
            return
        self._metrics.add("append_failures_total")
        waiting.tell(AppendFailed(waiting.command.token, type(error).__name__))

    def _arm(self) -> None:
        if self._timer is None and self._order:
            self._timer = self._loop.call_at(self._order[0].begun + self._seconds, self._expire)

    def _expire(self) -> None:
        self._timer = None
        due = self._loop.time() - self._seconds
        while self._order and (self._order[0].begun <= due or self._order[0].state is _State.ANSWERED):
            waiting = self._order.popleft()
            if waiting.state is not _State.ANSWERED:
                self._fail(waiting, TimeoutError())
        self._queue = deque(one for one in self._queue if one.state is _State.QUEUED)
        self._arm()

    # --- the second place ------------------------------------------------------------------------------------------

    def _wants_second(self, command: Append, now: float) -> bool:
        if not command.spool or self._second is None:
            return False
        if any(len(entry.ordinals) and int(entry.ordinals[-1]) >= PROVISIONAL for entry in command.entries):
            return True
        if not self.down or now - self._probed >= PROBE_SECONDS:
            self._probed = now
            return False
        return True

    def _to_second(self, waiting: _Waiting) -> None:
        if self._second is None:
            waiting.tell(AppendFailed(waiting.command.token, "no second place"))
            return
        self._thread = self._thread or ThreadPoolExecutor(1, "muniment gate spool")
        entries, second = waiting.command.entries, self._second
        pseudonyms = self._pseudonyms([o for entry in entries for o in entry.ordinals.tolist() if o >= PROVISIONAL])
        self._spooling += 1
        work = self._loop.run_in_executor(self._thread, second.append, entries, pseudonyms)
        work.add_done_callback(lambda done: self._spooled(waiting, done.exception()))

    def _spooled(self, waiting: _Waiting, error: BaseException | None) -> None:
        self._spooling -= 1
        token = waiting.command.token
        if error is not None:
            self._metrics.add("append_failures_total")
            waiting.tell(AppendFailed(token, type(error).__name__))
            return
        self._metrics.add("spooled_total")
        count(waiting.command.entries, self._metrics)
        waiting.tell(Appended(token))

    # --- down and back ---------------------------------------------------------------------------------------------

    def _went_down(self) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()
            self._changed(True)

    def _came_back(self) -> None:
        if self._down_since is not None:
            self.tick()
            self._down_since = None
            self._changed(False)


def batch_of(entries: Sequence[Entry]) -> Batch:
    """Entries in columns, not yet numbered. Errors as `Batch.of`."""
    ordinals = [entry.ordinals for entry in entries]
    starts = np.zeros(len(entries) + 1, np.int64)
    np.cumsum([len(one) for one in ordinals], out=starts[1:])
    zero = np.zeros(len(entries), np.int64)
    batch = Batch(
        sequence=zero,
        time=zero,
        rows=np.array([entry.rows for entry in entries], np.int64),
        size=np.array([entry.size for entry in entries], np.int64),
        released=np.array([entry.released for entry in entries], np.int64),
        occurred=zero,
        party=Texts.of([_party_text(entry.party) for entry in entries]),
        template=Texts.of([_template_text(entry.template) for entry in entries]),
        case=Texts.of([entry.case for entry in entries]),
        fingerprint=Texts.of([entry.fingerprint for entry in entries]),
        starts=starts,
        ordinals=ordinals[0] if len(ordinals) == 1 else np.concatenate(ordinals),
    )
    batch.check()
    return batch


def count(entries: Sequence[Entry], metrics: Metrics) -> None:
    """Count what was recorded: rows by outcome, persons, and the persons that nameless rows are charged as."""
    for entry in entries:
        metrics.add("rows_total", entry.released, entry.template.outcome.value)
        metrics.add("persons_total", len(entry.ordinals))
        if entry.template.outcome is Outcome.UNATTRIBUTED:
            metrics.add("nameless_persons_total", entry.rows)


@lru_cache(maxsize=4_096)
def _party_text(party: Party) -> str:
    return party.to_text()


@lru_cache(maxsize=4_096)
def _template_text(template: Template) -> str:
    return template.to_text()
