"""The outbox: nothing is lost, nothing holds up what works, and a sink that fails is told of."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.alerting import NOW, Store, message
from muniment.errors import InputError, IntegrityError, UnreachableError
from muniment.watch.sinks import Message, Outbox, PartlyTakenError, trial_message
from muniment.watch.sinks import outbox as module


class Flaky:
    """A sink that fails as often as told, and keeps what it took."""

    def __init__(self, fails: int = 0, error: Exception | None = None) -> None:
        self.fails, self.tried, self.taken = fails, 0, list[Message]()
        self._error = error or UnreachableError("host x: connection refused")

    def send(self, message: Message) -> None:
        self.tried += 1
        if self.fails > 0:
            self.fails -= 1
            raise self._error
        self.taken.append(message)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.taken]


class Killed(BaseException):
    """The process ends here."""


def alerts(count: int) -> list[Message]:
    return [replace(message(), id=f"A-{number}") for number in range(count)]


def drained(box: Outbox, sinks: dict[str, Flaky], now: int = NOW, rounds: int = 60) -> int:
    """Work until nothing waits, an hour at a time; the time then."""
    for _ in range(rounds):
        box.work(sinks, now)
        if box.next_due() is None:
            return now
        now += 3_600_000
    raise AssertionError("something still waits")


def test_what_is_put_is_stored_before_it_is_sent_and_sent_once() -> None:
    store, sinks = Store(), {"a": Flaky(), "b": Flaky()}
    box = Outbox(store)
    box.put(message(), sinks, NOW)
    assert store.times == 1 and message().id.encode() in store.data and box.waiting == 2
    assert box.work(sinks, NOW) == 2 and box.work(sinks, NOW) == 0
    assert sinks["a"].ids == sinks["b"].ids == [message().id] and box.next_due() is None and box.waiting == 0


def test_the_same_message_does_not_wait_twice() -> None:
    box = Outbox(Store())
    for _ in range(2):
        box.put(message(), ["a"], NOW)
    assert box.waiting == 1


def test_a_sink_that_fails_holds_no_other_up_and_is_tried_later_and_later() -> None:
    sinks = {"bad": Flaky(99), "good": Flaky()}
    box = Outbox(Store())
    for one in alerts(3):
        box.put(one, sinks, NOW)
    box.work(sinks, NOW)
    assert sinks["good"].ids == ["A-0", "A-1", "A-2"] and sinks["bad"].tried == 1
    due = []
    for _ in range(15):
        due.append(box.next_due() or 0)
        box.work(sinks, due[-1] - 1)
        box.work(sinks, due[-1])
    assert sinks["bad"].tried == 16
    waits = [after - before for before, after in pairwise(due)]
    assert waits[:4] == [2_000, 4_000, 8_000, 16_000] and waits[-1] == 3_600_000


def test_a_fault_is_shown_and_told_once_through_the_others_and_its_end_too() -> None:
    sinks = {"bad": Flaky(5), "good": Flaky()}
    box = Outbox(Store())
    box.put(message(), ["bad"], NOW)
    box.work(sinks, NOW)
    fault = box.faults()[0]
    assert (fault.sink, fault.since, fault.attempts, fault.waiting) == ("bad", NOW, 1, 1)
    assert fault.error == "host x: connection refused" and sinks["good"].ids == []
    drained(box, sinks, NOW + 1)
    assert box.faults() == () and sinks["bad"].ids == [message().id]
    kinds = [(one.kind, one.fields["fault"], one.severity) for one in sinks["good"].taken]
    assert kinds == [("fault", "yes", 3), ("fault", "no", 5)]
    assert "The sink bad has failed since 2025-10-09T08:53:20Z, 3 attempt(s)" in sinks["good"].taken[0].lines[0]


def test_a_short_outage_is_not_told() -> None:
    sinks = {"bad": Flaky(2), "good": Flaky()}
    box = Outbox(Store())
    box.put(message(), ["bad"], NOW)
    drained(box, sinks)
    assert sinks["good"].ids == [] and sinks["bad"].ids == [message().id]


def test_where_all_fail_nothing_piles_up() -> None:
    sinks = {"a": Flaky(50), "b": Flaky(50)}
    box = Outbox(Store())
    box.put(message(), sinks, NOW)
    now = NOW
    for _ in range(40):
        box.work(sinks, now)
        now += 3_600_000
    assert box.waiting == 2 and [one.sink for one in box.faults()] == ["a", "b"]
    drained(box, sinks, now)
    assert [one.kind for one in sinks["a"].taken][:1] == ["alert"]
    assert all(sink.ids.count(message().id) == 1 and len(sink.ids) <= 2 for sink in sinks.values())


def test_what_some_have_is_not_sent_again_and_told_at_once() -> None:
    sinks = {"mail": Flaky(2, PartlyTakenError("mail through x: 1 of 2 recipients were refused")), "good": Flaky()}
    box = Outbox(Store())
    for one in alerts(2):
        box.put(one, ["mail"], NOW)
    drained(box, sinks)
    assert sinks["mail"].tried == 2 and sinks["mail"].ids == []
    assert [one.subject for one in sinks["good"].taken] == ["muniment watch: the sink mail fails"]
    assert box.faults()[0].error.endswith("were refused") and box.faults()[0].attempts == 0
    box.put(message(), ["mail"], NOW + 1)
    drained(box, sinks, NOW + 1)
    assert box.faults() == () and sinks["good"].taken[-1].fields["fault"] == "no" and len(sinks["good"].taken) == 2


def test_a_sink_of_wrong_settings_is_a_fault_like_any_other() -> None:
    sinks = {"bad": Flaky(9, InputError("ca.pem: expected certificates")), "good": Flaky()}
    box = Outbox(Store())
    box.put(message(), sinks, NOW)
    box.work(sinks, NOW)
    assert sinks["good"].ids == [message().id] and box.faults()[0].error == "ca.pem: expected certificates"


def test_a_sink_that_is_no_longer_set_is_forgotten() -> None:
    box = Outbox(Store())
    box.put(message(), ["old"], NOW)
    box.work({"new": Flaky()}, NOW)
    assert box.waiting == 0 and box.faults() == () and box.next_due() is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 25), st.integers(1, 4), st.integers(0, 4))
def test_after_a_crash_at_any_write_or_send_every_message_comes(dies: int, count: int, fails: int) -> None:
    store = Store()
    left = [dies]

    def step() -> None:
        if left[0] == 0:
            left[0] = -1
            raise Killed
        left[0] -= 1

    def keep(data: bytes) -> None:
        step()
        store(data)
        step()

    class Mortal(Flaky):
        def send(self, message: Message) -> None:
            super().send(message)
            step()

    sinks = {"a": Mortal(fails), "b": Mortal()}
    promised = []
    box = Outbox(keep)
    try:
        for one in alerts(count):
            box.put(one, sinks, NOW)
            promised.append(one.id)
        drained(box, sinks)
    except Killed:
        box = Outbox(store, store.data)
    drained(box, sinks, NOW + 9 * 3_600_000)
    for sink in sinks.values():
        found = [one.id for one in sink.taken if one.kind == "alert"]
        assert set(promised) <= set(found)
        assert list(dict.fromkeys(found)) == sorted(set(found)) and len(found) <= len(set(found)) + 1


def test_where_storing_fails_memory_is_as_the_disk_is() -> None:
    def full(_: bytes) -> None:
        raise UnreachableError("disk full")

    box = Outbox(full)
    with pytest.raises(UnreachableError):
        box.put(message(), ["a"], NOW)
    assert box.waiting == 0


def test_too_many_waiting_messages_drop_the_oldest_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    sinks = {"a": Flaky(3)}
    box = Outbox(Store())
    for one in alerts(5):
        box.put(one, sinks, NOW)
    assert box.waiting == 3 and box.faults()[0].dropped == 2
    drained(box, sinks)
    assert sinks["a"].ids == ["A-2", "A-3", "A-4"]


def test_an_outbox_reads_back_and_anything_else_is_said() -> None:
    store, sinks = Store(), {"a": Flaky(1)}
    box = Outbox(store)
    box.put(trial_message("zh-TW", NOW), sinks, NOW)
    box.work(sinks, NOW)
    again = Outbox(store, store.data, lang="zh-TW")
    assert again.faults() == box.faults() and again.next_due() == box.next_due()
    for data in (b"[]", b"{", b'{"version": 2}', b'{"version": 1, "sinks": {"a": 3}}', b"\xff"):
        with pytest.raises(IntegrityError, match="outbox"):
            Outbox(store, data)


def test_faults_are_told_in_the_language_of_the_workspace() -> None:
    sinks = {"壞": Flaky(4), "好": Flaky()}
    box = Outbox(Store(), lang="zh-TW")
    box.put(message(), ["壞"], NOW)
    drained(box, sinks)
    assert "傳送管道「壞」自 2025-10-09T08:53:20Z 起失敗" in sinks["好"].taken[0].lines[0]
