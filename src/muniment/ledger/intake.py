"""The queue between the threads that append and the one thread that writes: bounded, and grouped for one commit each.

Rules
1. Everything is done in the order in which it came. What waits when a commit ends goes into the next one together: no
   delay is ever added to make a group larger.
2. At most `window` disclosures of the callers are outstanding; who appends more waits. A batch counts at most half.
3. Each future gets an answer. What fails for a reason of its own fails alone; what fails with the disk fails together.
4. After `refuse`, everything that waits and everything that comes is refused with that error.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from muniment.disclosure import Disclosure
from muniment.errors import InputError, MunimentError, UnreachableError
from muniment.ledger.appender import Receipt
from muniment.ledger.batch import Batch, concatenated

OUTSTANDING: Final = 1_024
"""Disclosures of one client that wait for the disk at most: some ten commits' worth, and a bound on memory."""
COMMIT_BYTES: Final = 64 * 1024**2
"""Bytes from which on a commit takes no more into it: the disk is then busy for long enough."""
_TEXT_BYTES = 512
"""Bytes of a disclosure apart from its records, for `COMMIT_BYTES`: rather too many."""

T = TypeVar("T")


class _Pending(Future[Receipt]):
    def cancel(self) -> bool:
        return False  # an append cannot be taken back


@dataclass(slots=True, eq=False)
class _Append:
    payload: Disclosure | Batch
    future: Future[Receipt]
    weight: int
    size: int


@dataclass(slots=True, eq=False)
class _Task:
    run: Callable[[], Any]
    future: Future[Any]
    weight: int = 0


class Intake:
    """A queue with its thread. `commit` makes one batch durable; `tick` is called at `wake` (monotonic) when idle."""

    def __init__(self, name: str, commit: Callable[[Batch], Receipt], tick: Callable[[], float | None]) -> None:
        """`tick` does what is due and returns the monotonic time at which to call it again, `None` for no time."""
        self._commit = commit
        self._tick = tick
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._settled = threading.Condition(self._lock)
        self._queue: deque[_Append | _Task] = deque()  # under the lock, like the two below
        self._outstanding = 0
        self._refusal: MunimentError | None = None
        self._closing = self._waiting = False
        self._taking = True  # neither closing nor refusing: spares each append the question why not
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    # --- callers -------------------------------------------------------------------------------------------------

    def append(self, payload: Disclosure | Batch, *, bounded: bool = True) -> Future[Receipt]:
        """Queue an append; waits for room where `bounded`. Raises the error of `refuse` after it was called."""
        weight = min(OUTSTANDING // 2, len(payload)) if isinstance(payload, Batch) else 1
        item = _Append(payload, _Pending(), weight if bounded else 0, _size(payload))
        with self._lock:
            while bounded and self._outstanding + weight > OUTSTANDING and self._taking:
                self._settled.wait()
            self._put(item)
        return item.future

    def run(self, action: Callable[[], T]) -> T:
        """Have the thread run an action after what is queued, and return its result."""
        task = _Task(action, Future())
        with self._lock:
            self._put(task)
        result: T = task.future.result()
        return result

    @property
    def idle(self) -> bool:
        """Whether nothing is outstanding or queued: the thread waits."""
        return self._waiting and not self._queue

    @property
    def refusal(self) -> MunimentError | None:
        """The error given to `refuse`, if any."""
        return self._refusal

    def refuse(self, error: MunimentError) -> None:
        """Refuse everything that waits or comes (rule 4). The first error stands."""
        with self._lock:
            self._refusal = self._refusal or error
            self._taking = False
            self._settled.notify_all()

    @property
    def refused(self) -> MunimentError | None:
        """The error with which an append would be refused now; `None` while appends are taken."""
        if self._refusal is None and self._closing:
            return UnreachableError("the writer of this ledger was closed", hint="open the ledger again")
        return self._refusal

    def close(self, last: Callable[[], None]) -> None:
        """Do what is queued, then `last`, in the thread; then end it. Raises what `last` raises."""
        with self._lock:
            if self._closing:
                return
            self._closing, self._taking = True, False
            future: Future[None] = Future()
            self._queue.append(_Task(last, future))
            self._arrived.notify()
            self._settled.notify_all()
        self._thread.join()
        future.result()

    def _put(self, item: _Append | _Task) -> None:
        if not self._taking and (refused := self.refused) is not None:
            raise again(refused)
        self._outstanding += item.weight
        self._queue.append(item)
        if self._waiting:
            self._arrived.notify()

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        wake = self._due()
        while (items := self._take(wake)) is not None:
            for group in _groups(items):
                if isinstance(group, _Task):
                    _answer(group)
                else:
                    self._answer_appends(group)
            wake = self._due()

    def _due(self) -> float | None:
        try:
            return self._tick()
        except MunimentError as error:
            self.refuse(error)
        except Exception as error:
            self._stop(error)
        return None

    def _take(self, wake: float | None) -> list[_Append | _Task] | None:
        """Everything that is queued; waits for something, at most until `wake`. `None` at the end."""
        with self._lock:
            while not self._queue:
                self._waiting = True
                if self._closing:
                    return None
                if not self._arrived.wait(None if wake is None else max(0.0, wake - time.monotonic())):
                    return []
            self._waiting = False
            items = list(self._queue)
            self._queue.clear()
            return items

    def _answer_appends(self, group: Sequence[_Append]) -> None:
        sound, batch, failed = _sorted_out(group)
        for item, error in failed:
            self._fail([item], error)
        if batch is None:
            return
        try:
            receipt = self._committed(batch)
        except InputError as error:
            if len(sound) == 1:
                self._fail(sound, error)
            for item in sound if len(sound) > 1 else ():  # nothing was written: find the one that is at fault
                self._answer_appends([item])
        except Exception as error:
            self._fail(sound, error)
        else:
            self._release(sound)
            _hand_out(receipt, sound)

    def _fail(self, items: Sequence[_Append], error: Exception) -> None:
        self._release(items)
        for item in items:
            item.future.set_exception(again(error))

    def _committed(self, batch: Batch) -> Receipt:
        if self._refusal is not None:
            raise again(self._refusal)
        try:
            return self._commit(batch)
        except MunimentError:
            raise
        except Exception as error:
            self._stop(error)
            raise

    def _stop(self, error: Exception) -> None:
        # A bug, and what it left behind is not known. Its text might hold a value, its kind does not.
        kind = type(error).__name__
        self.refuse(UnreachableError(f"the writer of this ledger stopped on a fault of its own ({kind})"))

    def _release(self, group: Sequence[_Append]) -> None:
        """Give their room in the window to others: before they are answered, as an answer may bring the next append."""
        with self._lock:
            self._outstanding -= sum(item.weight for item in group)
            self._settled.notify_all()


def again(error: Exception) -> Exception:
    """A fresh error like `error`: one that is raised in several threads would carry all their tracebacks."""
    if isinstance(error, MunimentError):
        return type(error)(error.message, hint=error.hint)
    return error


def _groups(items: Sequence[_Append | _Task]) -> Iterator[list[_Append] | _Task]:
    """Tasks alone; appends together, until `COMMIT_BYTES` are passed."""
    group: list[_Append] = []
    size = 0
    for item in items:
        if group and (isinstance(item, _Task) or size >= COMMIT_BYTES):
            yield group
            group, size = [], 0
        if isinstance(item, _Task):
            yield item
        else:
            group.append(item)
            size += item.size
    if group:
        yield group


def _size(payload: Disclosure | Batch) -> int:
    if isinstance(payload, Batch):
        return 4 * len(payload.ordinals) + _TEXT_BYTES * len(payload)
    return 4 * len(payload.records) + _TEXT_BYTES


def _sorted_out(
    group: Sequence[_Append],
) -> tuple[Sequence[_Append], Batch | None, Sequence[tuple[_Append, Exception]]]:
    """The appends that are sound, one batch of them, and those that are not, each with its error."""
    try:
        return group, _batch_of(group), ()
    except Exception:  # whatever a caller put into a value: it is his alone
        sound, failed = [], []
    for item in group:
        try:
            _batch_of([item])
            sound.append(item)
        except Exception as error:
            failed.append((item, error))
    return sound, _batch_of(sound) if sound else None, failed


def _hand_out(receipt: Receipt, items: Sequence[_Append]) -> None:
    first = receipt.first
    for item in items:
        last = first + (len(item.payload) if isinstance(item.payload, Batch) else 1) - 1
        item.future.set_result(Receipt(first, last, receipt.time))
        first = last + 1


def _batch_of(group: Sequence[_Append]) -> Batch:
    batches: list[Batch] = []
    singles: list[Disclosure] = []
    for item in group:
        if isinstance(item.payload, Disclosure):
            singles.append(item.payload)
            continue
        if singles:
            batches.append(Batch.of(singles))
            singles = []
        batches.append(item.payload)
    if singles:
        batches.append(Batch.of(singles))
    return concatenated(batches)


def _answer(task: _Task) -> None:
    try:
        task.future.set_result(task.run())
    except Exception as error:
        task.future.set_exception(error)
