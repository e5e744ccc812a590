"""What every `Appender` does: the writer in this process, a client of its socket, and whichever `open_writer` gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from language.appends import KEYS, RESERVED, MemoryStore, Table, cases, disclosure, opened, tail
from language.rings import NOW
from muniment.errors import InputError, LimitError, UnreachableError
from muniment.ledger.appender import Appender, Receipt
from muniment.ledger.batch import Batch
from muniment.ledger.service import Service, SocketWriter, open_writer
from muniment.ledger.wal.files import read_tail

MILLISECONDS = int(NOW.timestamp() * 1000)


def _local(folder: Path, stack: ExitStack) -> Appender:
    return opened(folder, MemoryStore())


def _socket(folder: Path, stack: ExitStack) -> Appender:
    writer = opened(folder, MemoryStore())
    stack.callback(writer.close)
    stack.callback(Service(writer, folder, KEYS).close)
    return SocketWriter.connect(folder, KEYS)


def _shared(folder: Path, stack: ExitStack) -> Appender:
    return open_writer(folder, KEYS, second=MemoryStore(), table=Table, clock=lambda: NOW)


def _shared_client(folder: Path, stack: ExitStack) -> Appender:
    stack.callback(_shared(folder, stack).close)
    return _shared(folder, stack)


@pytest.fixture(params=[_local, _socket, _shared, _shared_client])
def appender(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Appender]:
    make: Callable[[Path, ExitStack], Appender] = request.param
    with ExitStack() as stack:
        made = make(tmp_path, stack)
        stack.callback(made.close)
        yield made


def test_one_disclosure_is_on_disk_when_its_future_resolves(appender: Appender, tmp_path: Path) -> None:
    assert appender.append(disclosure(7)).result() == Receipt(1, 1, MILLISECONDS)
    batch = read_tail(tmp_path / "wal", KEYS)
    assert cases(batch) == [7]
    assert batch.disclosure(0) == disclosure(7)
    assert (int(batch.sequence[0]), int(batch.time[0])) == (1, MILLISECONDS)


def test_singles_and_batches_keep_the_order_in_which_they_came(appender: Appender, tmp_path: Path) -> None:
    first = appender.append(disclosure(0))
    many = appender.append_many(Batch.of([disclosure(n) for n in range(1, 6)]))
    last = appender.append(disclosure(6))
    receipts = [future.result() for future in (first, many, last)]
    assert [(one.first, one.last) for one in receipts] == [(1, 1), (2, 6), (7, 7)]
    assert tail(tmp_path) == list(range(7))


def test_more_than_the_window_is_taken_by_waiting(appender: Appender, tmp_path: Path) -> None:
    futures = [appender.append(disclosure(n)) for n in range(3000)]
    assert [future.result().first for future in futures] == list(range(1, 3001))
    large = Batch.of([disclosure(n) for n in range(2000)])
    receipts = [future.result() for future in [appender.append_many(large) for _ in range(3)]]
    assert [one.last for one in receipts] == [5000, 7000, 9000]
    assert len(tail(tmp_path)) == 9000


def test_threads_share_one_appender(appender: Appender, tmp_path: Path) -> None:
    numbers: list[int] = []

    def work(start: int) -> None:
        numbers.extend(appender.append(disclosure(n)).result().first for n in range(start, start + 50))

    threads = [threading.Thread(target=work, args=[1000 * i]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 201))
    assert sorted(tail(tmp_path)) == sorted(1000 * i + n for i in range(4) for n in range(50))


def test_what_is_wrong_fails_alone(appender: Appender, tmp_path: Path) -> None:
    futures = [
        appender.append(one)
        for one in (
            disclosure(0),
            disclosure(1, [5, 4]),
            disclosure(2),
            disclosure(3, [RESERVED]),
            disclosure(4, [2**40]),
            disclosure(5),
        )
    ]
    with pytest.raises(ValueError, match="ascending"):
        futures[1].result()
    with pytest.raises(InputError, match="never given: the table has reserved"):
        futures[3].result()
    with pytest.raises(OverflowError):
        futures[4].result()
    assert [futures[n].result().first for n in (0, 2, 5)] == [1, 2, 3]
    assert tail(tmp_path) == [0, 2, 5]


def test_texts_that_are_too_long_and_empty_batches_are_refused(appender: Appender) -> None:
    long = disclosure(0).__class__(disclosure(0).party, disclosure(0).template, case="x" * 20_000)
    with pytest.raises(LimitError, match="case"):
        appender.append(long).result()
    with pytest.raises(ValueError, match="one disclosure or more"):
        appender.append_many(Batch.of([]))


def test_an_append_cannot_be_taken_back(appender: Appender, tmp_path: Path) -> None:
    future = appender.append(disclosure(0))
    assert not future.cancel()
    future.result()
    assert tail(tmp_path) == [0]


def test_ordinals_are_given_once(appender: Appender) -> None:
    pseudonyms = np.array([2**64 - 1, 5, 7, 5], np.uint64)
    ordinals = appender.ordinals(pseudonyms)
    assert ordinals.dtype == np.uint32
    assert ordinals[1] == ordinals[3]
    assert np.array_equal(appender.ordinals(pseudonyms), ordinals)
    assert appender.ordinals(np.array([], np.uint64)).shape == (0,)
    renewed = np.array([101, 102, 103, 104], np.uint64)
    assert np.array_equal(appender.ordinals(renewed, [pseudonyms]), ordinals)
    with pytest.raises(ValueError, match=r"records|argument"):
        appender.ordinals(renewed, [pseudonyms[:2]])


def test_closing_makes_durable_what_is_queued_and_takes_no_more(appender: Appender, tmp_path: Path) -> None:
    futures = [appender.append(disclosure(n)) for n in range(200)]
    appender.close()
    assert [future.result().first for future in futures] == list(range(1, 201))
    assert tail(tmp_path) == list(range(200))
    with pytest.raises(UnreachableError, match="closed"):
        appender.append(disclosure(200))
    appender.close()
