"""Appends with a bounded wait: durable, failed, late, spooled; and batches made straight from entries."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import numpy as np
import pytest

from language.servers import entry, patience, run
from muniment.disclosure import Disclosure, Outcome
from muniment.errors import InputError, UnreachableError
from muniment.gate.server.metrics import Metrics
from muniment.gate.server.persons import PROVISIONAL
from muniment.gate.server.recording import WINDOW, Recorder, batch_of
from muniment.gate.session.commands import Append, Entry
from muniment.gate.session.events import Appended, AppendFailed
from muniment.ledger.appender import Receipt
from muniment.ledger.batch import Batch, encode


class Ledger:
    """An appender whose futures the test resolves. `refuse`: appends fail at once."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.futures: list[Future[Receipt]] = []
        self.refuse: Exception | None = None

    def append_many(self, batch: Batch) -> Future[Receipt]:
        if self.refuse is not None:
            raise self.refuse
        self.batches.append(batch)
        self.futures.append(Future())
        return self.futures[-1]


class Second:
    """A second place in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.pseudonyms: dict[int, tuple[str, tuple[int, ...]]] = {}
        self.full = False

    def append(self, entries: Sequence[Entry], pseudonyms: Mapping[int, tuple[str, tuple[int, ...]]]) -> None:
        if self.full:
            raise UnreachableError("full")
        self.entries += entries
        self.pseudonyms.update(pseudonyms)


class Bench:
    """A recorder, its ledger, and what it told; to be made inside of a loop."""

    def __init__(self, seconds: float = 5.0, second: Second | None = None) -> None:
        self.ledger, self.metrics = Ledger(), Metrics()
        self.told: list[Appended | AppendFailed] = []
        self.down: list[bool] = []
        self.recorder = Recorder(
            lambda: self.ledger, seconds, self.metrics, second=second, changed=self.down.append,  # type: ignore[arg-type,return-value]
            pseudonyms=lambda ordinals: {one: ("persons", (one,)) for one in ordinals},
        )  # fmt: skip

    def append(self, token: int, *entries: Entry, spool: bool = False) -> None:
        self.recorder.append(Append(token, entries or (entry(token),), spool), self.told.append)

    async def heard(self, count: int) -> None:
        with patience() as wait:
            await wait(lambda: len(self.told) >= count)

    def counted(self, name: str, label: str = "") -> float:
        return self.metrics.values.get(name, {}).get(label, 0)


def test_a_batch_of_entries_is_the_batch_of_the_same_disclosures() -> None:
    entries = [
        entry(3, 5, 9), entry(outcome=Outcome.UNATTRIBUTED, rows=7), entry(1, account="another", case="戶籍 7"),
        entry(2),
    ]  # fmt: skip
    disclosures = [
        Disclosure(one.party, one.template, tuple(one.ordinals.tolist()), one.case, one.fingerprint, one.rows, one.size,
                   one.released)
        for one in entries
    ]  # fmt: skip
    assert encode(batch_of(entries)) == encode(Batch.of(disclosures))
    assert encode(batch_of(entries[:1])) == encode(Batch.of(disclosures[:1]))
    with pytest.raises(ValueError, match="ascending"):
        batch_of([entry(3, 3)])


def test_it_tells_what_is_durable_and_what_failed_and_counts() -> None:
    async def main() -> None:
        bench = Bench()
        for token in (1, 2, 3):
            bench.append(token, entry(token, token + 10), entry(outcome=Outcome.UNATTRIBUTED, rows=4))
        assert not bench.told and bench.recorder.outstanding == 3
        bench.ledger.futures[0].set_result(Receipt(1, 2, 0))
        bench.ledger.futures[1].set_exception(UnreachableError("the disk is full"))
        await bench.heard(2)
        assert bench.down == [True] and bench.recorder.down
        bench.ledger.futures[2].set_result(Receipt(3, 4, 0))
        await bench.heard(3)
        assert bench.told == [Appended(1), AppendFailed(2, "UnreachableError"), Appended(3)]
        assert bench.down == [True, False] and bench.recorder.outstanding == 0
        assert bench.counted("persons_total") == 4 and bench.counted("nameless_persons_total") == 8
        assert bench.counted("append_failures_total") == 1 and sum(bench.metrics.appends[:-1]) == 2

    run(main())


def test_bad_input_fails_alone_and_the_ledger_is_not_down() -> None:
    async def main() -> None:
        bench = Bench()
        bench.append(1, entry(3, 2))
        bench.append(2)
        bench.ledger.futures[0].set_exception(InputError("never given"))
        await bench.heard(2)
        assert bench.told == [AppendFailed(1, "ValueError"), AppendFailed(2, "InputError")]
        assert not bench.down

    run(main())


def test_what_is_not_durable_in_time_has_failed_for_good() -> None:
    async def main() -> None:
        bench = Bench(seconds=0.05)
        bench.append(1)
        await bench.heard(1)
        assert bench.told == [AppendFailed(1, "TimeoutError")] and bench.recorder.down
        bench.ledger.futures[0].set_result(Receipt(1, 1, 0))
        with patience() as wait:
            await wait(lambda: bench.counted("append_late_total") == 1)
        assert len(bench.told) == 1 and not bench.recorder.down
        bench.append(2)
        bench.ledger.futures[1].set_result(Receipt(2, 2, 0))
        await bench.heard(2)
        assert bench.told[1] == Appended(2)

    run(main())


def test_the_loop_never_waits_for_the_window_and_what_expired_unsent_is_never_sent() -> None:
    async def main() -> None:
        bench = Bench(seconds=0.1)
        for token in range(WINDOW + 50):
            bench.append(token)
        assert len(bench.ledger.futures) == WINDOW
        await bench.heard(WINDOW + 50)
        assert {type(one) for one in bench.told} == {AppendFailed}
        for future in list(bench.ledger.futures):
            future.set_result(Receipt(1, 1, 0))
        with patience() as wait:
            await wait(lambda: bench.counted("append_late_total") == WINDOW)
        assert len(bench.ledger.futures) == WINDOW

    run(main())


def test_with_spool_the_second_place_takes_what_the_ledger_does_not() -> None:
    async def main() -> None:
        second = Second()
        bench = Bench(seconds=0.05, second=second)
        bench.append(1, spool=True)
        await bench.heard(1)
        assert bench.told == [Appended(1)] and len(second.entries) == 1 and bench.recorder.down
        bench.append(2, spool=False)
        await bench.heard(2)
        assert bench.told[1] == AppendFailed(2, "TimeoutError"), "without spool nothing leaves"
        bench.ledger.refuse = UnreachableError("closed")
        for token in (3, 4):
            bench.append(token, spool=True)
        await bench.heard(4)
        assert bench.told[2:] == [Appended(3), Appended(4)] and len(second.entries) == 3
        second.full = True
        bench.append(5, spool=True)
        await bench.heard(5)
        assert bench.told[4] == AppendFailed(5, "UnreachableError")
        await bench.recorder.settle(0.2)

    run(main())


def test_provisional_ordinals_go_to_the_second_place_alone() -> None:
    async def main() -> None:
        second = Second()
        bench = Bench(second=second)
        bench.append(1, entry(5, PROVISIONAL + 2), spool=True)
        await bench.heard(1)
        assert second.pseudonyms == {PROVISIONAL + 2: ("persons", (PROVISIONAL + 2,))}
        assert not bench.ledger.batches and bench.told == [Appended(1)]

    run(main())


def test_a_thousand_answers_wake_the_loop_once() -> None:
    async def main() -> None:
        bench = Bench()
        woken = 0
        real = bench.recorder._collect

        def counted() -> None:
            nonlocal woken
            woken += 1
            real()

        bench.recorder._collect = counted  # type: ignore[method-assign]
        for token in range(1_000):
            bench.append(token)
        for future in list(bench.ledger.futures):
            future.set_result(Receipt(1, 1, 0))
        await bench.heard(1_000)
        await asyncio.sleep(0)
        assert woken == 1 and len(np.unique([one.token for one in bench.told])) == 1_000

    run(main())
