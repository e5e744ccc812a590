"""The outbox: order, waiting, dropping."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.session.outbox import HELD_BYTES, SMALL_BYTES, Outbox, Part

READY = b"Z\0\0\0\x05I"


def left(outbox: Outbox) -> bytes:
    return b"".join(bytes(command.data) for command in outbox.flush())


def failing(error: bytes):
    return lambda committed: error + (b"!" if committed else b"")


def test_bytes_leave_at_once_where_nothing_waits() -> None:
    outbox = Outbox()
    outbox.send(b"a")
    outbox.send(b"b")
    assert [bytes(one.data) for one in outbox.flush()] == [b"ab"] and outbox.empty


def test_what_is_held_and_what_follows_waits_for_the_token() -> None:
    outbox = Outbox()
    outbox.hold(7, b"rows")
    outbox.send(b"done")
    assert left(outbox) == b"" and outbox.held == 8
    outbox.settle(7)
    assert left(outbox) == b"rowsdone" and outbox.held == 0


def test_a_later_token_does_not_let_an_earlier_one_go() -> None:
    outbox = Outbox()
    outbox.hold(1, b"first")
    outbox.hold(2, b"second")
    outbox.settle(2)
    assert left(outbox) == b""
    outbox.settle(1)
    assert left(outbox) == b"firstsecond"


def test_a_little_that_was_about_to_leave_waits_with_the_rows() -> None:
    outbox = Outbox()
    outbox.send(b"description")
    outbox.hold(1, b"row")
    assert left(outbox) == b""
    outbox.settle(1)
    assert left(outbox) == b"descriptionrow"


def test_much_that_was_about_to_leave_does_not() -> None:
    outbox = Outbox()
    outbox.send(b"x" * (SMALL_BYTES + 1))
    outbox.hold(1, b"row")
    assert left(outbox) == b"x" * (SMALL_BYTES + 1)


def test_a_failure_drops_the_rows_and_what_follows_up_to_ready() -> None:
    outbox = Outbox()
    outbox.hold(1, b"kept")
    outbox.hold(2, b"rows")
    outbox.send(b"notice", Part.APART)
    outbox.send(b"complete")
    outbox.send(READY, Part.READY)
    outbox.send(b"next")
    assert outbox.fail(2, failing(b"error")) is True
    assert left(outbox) == b""
    outbox.settle(1)
    assert left(outbox) == b"keptnoticeerror" + READY + b"next"


def test_a_failure_tells_whether_something_was_committed() -> None:
    outbox = Outbox()
    outbox.hold(2, b"rows")
    outbox.send(READY, Part.READY, committed=True)
    outbox.fail(2, failing(b"error"))
    assert left(outbox) == b"error!" + READY


def test_a_failure_before_ready_leaves_the_error_to_the_caller() -> None:
    outbox = Outbox()
    outbox.send(b"description")
    outbox.hold(2, b"rows")
    outbox.hold(3, b"more")
    assert outbox.fail(2, failing(b"error")) is False
    assert left(outbox) == b"description" and outbox.empty


def test_a_failure_of_a_token_that_nothing_stands_behind_changes_nothing() -> None:
    outbox = Outbox()
    outbox.hold(1, b"rows")
    assert outbox.fail(5, failing(b"error")) is None
    outbox.settle(1)
    assert left(outbox) == b"rows"


def test_a_token_of_dropped_bytes_may_still_be_answered() -> None:
    outbox = Outbox()
    outbox.hold(1, b"a")
    outbox.hold(2, b"b")
    outbox.send(READY, Part.READY)
    outbox.fail(1, failing(b"e"))
    outbox.settle(2)
    assert left(outbox) == b"e" + READY
    assert outbox.fail(2, failing(b"x")) is None


def test_congested_beyond_the_bound() -> None:
    outbox = Outbox()
    outbox.hold(1, b"x" * (HELD_BYTES + 1))
    assert outbox.congested
    outbox.settle(1)
    assert not outbox.congested


def test_large_pieces_are_not_copied() -> None:
    outbox = Outbox()
    large = b"x" * (SMALL_BYTES * 2)
    for piece in (b"a", b"b", large, b"c"):
        outbox.send(piece)
    commands = outbox.flush()
    assert [len(one.data) for one in commands] == [2, len(large), 1] and commands[1].data is large


def test_clear_lets_nothing_leave() -> None:
    outbox = Outbox()
    outbox.hold(1, b"rows")
    outbox.clear()
    outbox.settle(1)
    assert left(outbox) == b"" and outbox.empty and outbox.held == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from(Part)),
        st.tuples(st.just("hold"), st.none()),
        st.tuples(st.just("settle"), st.integers(0, 30)),
        st.tuples(st.just("fail"), st.integers(0, 30)),
        st.tuples(st.just("flush"), st.none()),
    ),
    max_size=40,
)


@given(STEPS)
def test_nothing_leaves_before_its_token_and_order_is_kept(steps: list[tuple[str, object]]) -> None:
    outbox = Outbox()
    settled: set[int] = set()
    tokens: list[int] = []
    owner: dict[int, int] = {}
    came = bytearray()
    for count, (what, value) in enumerate(steps, 1):
        if what == "send":
            outbox.send(count.to_bytes(2, "big"), value)  # type: ignore[arg-type]
        elif what == "hold":
            tokens.append(count)
            owner[count] = count
            outbox.hold(count, count.to_bytes(2, "big"))
        elif what in {"settle", "fail"} and tokens:
            token = tokens[int(value) % len(tokens)]  # type: ignore[call-overload]
            if what == "settle":
                settled.add(token)
                outbox.settle(token)
            elif token not in settled:
                outbox.fail(token, lambda _: b"")
                tokens.remove(token)
        came += left(outbox)
    numbers = [int.from_bytes(came[at : at + 2], "big") for at in range(0, len(came), 2)]
    assert numbers == sorted(numbers)
    assert all(number in settled for number in numbers if number in owner)
    assert outbox.held == sum(len(piece.data) for piece in outbox._queue)
