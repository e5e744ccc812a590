"""Many rows at once: the plain scan, the typed one (interpreted, and compiled where it was built) and a slow reader."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.messages import CELLS, Cell, raw, read_rows, row, source_module
from muniment.gate.protocol import scan as module
from muniment.gate.protocol.scan import scan, scan_plain
from muniment.gate.protocol.wire import MAX_LENGTH

Scan = Callable[[bytes, int, int, int, tuple[int, ...], list[int], list[list[Cell]], int], int]
TYPED: Scan = source_module("gate.protocol.typedscan").scan
SCANS: list[Scan] = [scan_plain, TYPED, *([scan] if module.COMPILED else [])]
ROW = ord("D")
SHAPES = ((), (0,), (2,), (0, 2), (0, 1, 2), (1,))


def taken(
    function: Scan, data: bytes, fields: Sequence[int], *, start: int = 0, end: int | None = None, limit: int = 10**6
) -> tuple[int, list[int], list[list[Cell]]] | None:
    """Where the scan stopped, the ends and the cells by column; `None` where it raised `ValueError`."""
    ends: list[int] = []
    cells: list[list[Cell]] = [[] for _ in fields]
    try:
        stop = function(data, start, len(data) if end is None else end, ROW, tuple(fields), ends, cells, limit)
    except ValueError:
        return None
    return stop, ends, cells


@pytest.fixture(params=SCANS, ids=["plain", "typed", "compiled"][: len(SCANS)])
def one(request: pytest.FixtureRequest) -> Scan:
    function: Scan = request.param
    return function


@pytest.mark.parametrize("fields", SHAPES)
def test_rows_are_taken_with_their_ends_and_cells(one: Scan, fields: tuple[int, ...]) -> None:
    rows = [[b"a", None, b"ccc"], [b"", b"bb", None], [None, None, b""], [b"D\0\0\0\x04", b"x" * 300, b"c"]]
    parts = [row(*cells) for cells in rows]
    lengths = [sum(map(len, parts[: i + 1])) for i in range(len(parts))]
    assert taken(one, b"".join(parts), fields) == (
        lengths[-1], lengths, [[cells[field] for cells in rows] for field in fields],
    )  # fmt: skip


def test_what_is_there_already_is_kept(one: Scan) -> None:
    ends, cells = [7], [[b"before"]]
    data = b"skipped" + row(b"a")
    assert one(data, 7, len(data), ROW, (0,), ends, cells, 9) == len(data)
    assert ends == [7, len(data)] and cells == [[b"before", b"a"]]


@pytest.mark.parametrize("fields", SHAPES)
def test_another_type_ends_the_run(one: Scan, fields: tuple[int, ...]) -> None:
    first = row(b"a", b"b", b"c")
    for other in (raw(b"C", b"SELECT 1\0"), raw(b"Z", b"I"), b"C", row(b"a", b"b", b"c", kind=b"d")):
        answer = taken(one, first + other + first, fields)
        assert answer is not None and answer[0] == len(first)
    assert taken(one, raw(b"Z", b"I"), fields) == (0, [], [[] for _ in fields])


@pytest.mark.parametrize("fields", SHAPES)
@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_no_more_rows_than_asked_for(one: Scan, fields: tuple[int, ...], limit: int) -> None:
    part = row(b"a", b"b", b"c")
    answer = taken(one, part * 3, fields, limit=limit)
    assert answer is not None and answer[0] == len(part) * limit and len(answer[1]) == limit


@pytest.mark.parametrize("fields", SHAPES)
@pytest.mark.parametrize("first", [b"a", None, b""])
def test_a_limit_holds_where_a_row_is_odd(one: Scan, fields: tuple[int, ...], first: Cell) -> None:
    parts = row(b"a", b"b", b"c") + row(first, b"b", b"c") * 3
    answer = taken(one, parts, fields, limit=3)
    assert answer is not None and len(answer[1]) == 3 and answer[0] == answer[1][-1]


@pytest.mark.parametrize("fields", SHAPES)
def test_every_place_where_a_chunk_may_end(one: Scan, fields: tuple[int, ...]) -> None:
    first, second = row(b"a", None, b"ccc"), row(b"bb", b"", None)
    data = first + second
    for end in range(len(data) + 1):
        whole = len(data) if end == len(data) else len(first) if end >= len(first) else 0
        for answer in (taken(one, data[:end], fields), taken(one, data, fields, end=end)):
            assert answer is not None and answer[0] == whole


@pytest.mark.parametrize("fields", SHAPES)
@pytest.mark.parametrize("length", [0, 1, 3, MAX_LENGTH + 1, 2**31 - 1, 2**31, 2**32 - 1])
def test_lengths_out_of_range_are_refused(one: Scan, fields: tuple[int, ...], length: int) -> None:
    good = row(b"a", b"b", b"c")
    assert taken(one, raw(b"D", b"", length=length), fields) is None
    assert taken(one, good + raw(b"D", b"\0\3" + bytes(40), length=length), fields) is None


@pytest.mark.parametrize("length", [4, 5])
def test_a_row_without_a_column_count_has_no_cells(one: Scan, length: int) -> None:
    assert taken(one, raw(b"D", bytes(length - 4)), ()) == (length + 1, [length + 1], [])
    assert taken(one, raw(b"D", bytes(length - 4)) + bytes(20), (0,)) is None


MALFORMED = {
    "no columns": row(),
    "too few columns": row(b"a", b"b"),
    "last cell longer than the row": raw(b"D", b"\0\3\0\0\0\1a\0\0\0\1b\0\0\0\5c"),
    "last cell shorter than the row": raw(b"D", b"\0\3\0\0\0\1a\0\0\0\1b\0\0\0\1cd"),
    "a length of -2": raw(b"D", b"\0\3\0\0\0\1a\0\0\0\1b\xff\xff\xff\xfe"),
    "a length of -2**31": raw(b"D", b"\0\3\0\0\0\1a\0\0\0\1b\x80\0\0\0"),
    "a length of 2**31 - 1": raw(b"D", b"\0\3\0\0\0\1a\0\0\0\1b\x7f\xff\xff\xff"),
    "a length cut off": raw(b"D", b"\0\3\0\0\0\1a\0\0\0\1b\0\0\0"),
}


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("fields", [(2,), (0, 2), (0, 1, 2)])
def test_cells_that_do_not_add_up_are_refused(one: Scan, name: str, fields: tuple[int, ...]) -> None:
    good = row(b"a", b"b", b"c")
    for data in (MALFORMED[name], good + MALFORMED[name] + good, MALFORMED[name] + bytes(300)):
        assert taken(one, data, fields) is None


@pytest.mark.parametrize(
    "body",
    [b"\0\0", b"\0\1", b"\0\1\0\0\0", b"\0\1\0\0\0\2a", b"\0\1\0\0\0\0a", b"\0\1\xff\xff\xff\xffa",
     b"\0\1\xff\xff\xff\xfe", b"\0\2\0\0\0\2a", b"\0\2\x7f\xff\xff\xffa"],
)  # fmt: skip
def test_a_first_cell_that_does_not_fit_is_refused(one: Scan, body: bytes) -> None:
    for data in (raw(b"D", body), raw(b"D", body) + row(b"a") * 3, row(b"a", b"b") + raw(b"D", body) + bytes(30)):
        assert taken(one, data, (0,)) is None


def test_a_malformed_row_is_refused_only_once_it_is_all_there(one: Scan) -> None:
    data = raw(b"D", b"\0\1\0\0\0\5a" + bytes(9))
    for end in range(len(data)):
        assert taken(one, data[:end], (0,)) == (0, [], [[]])
    assert taken(one, data, (0,)) is None


STREAMS = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6))


@given(STREAMS, st.data())
def test_the_scans_agree_with_a_slow_reader(rows: list[list[Cell]], data: st.DataObject) -> None:
    stream = b"".join(row(*cells) for cells in rows)
    assert read_rows(stream) == rows
    width = len(rows[0]) if rows else 1
    fields = data.draw(st.sets(st.integers(0, width - 1)).map(sorted).map(tuple))
    for function in SCANS:
        answer = taken(function, stream, fields)
        assert answer is not None and answer[0] == len(stream) and len(answer[1]) == len(rows)
        assert answer[2] == [[cells[field] for cells in rows] for field in fields]


PARTS = st.one_of(
    st.lists(CELLS, max_size=4).map(lambda cells: row(*cells)),
    st.binary(max_size=14).map(lambda body: raw(b"D", body)),
    st.builds(lambda body, length: raw(b"D", body, length=length), st.binary(max_size=14), st.integers(0, 24)),
    st.binary(max_size=9).map(lambda body: raw(b"C", body)),
)


@given(st.lists(PARTS, max_size=5).map(b"".join), st.integers(0, 6), st.sampled_from(SHAPES), st.integers(0, 60))
def test_the_scans_agree_on_anything(data: bytes, limit: int, fields: tuple[int, ...], cut: int) -> None:
    end = max(0, len(data) - cut)
    answers = [taken(function, data, fields, end=end, limit=limit) for function in SCANS]
    assert answers.count(answers[0]) == len(answers)
    if answers[0] is not None:
        stop, ends, cells = answers[0]
        assert stop == (ends[-1] if ends else 0) and len(ends) <= limit
        assert all(len(column) == len(ends) for column in cells)


def mutated(stream: bytearray, dice: random.Random) -> bytes:
    """The stream with up to three bytes changed, towards values that look like headers."""
    for _ in range(dice.randrange(4)):
        stream[dice.randrange(len(stream))] = dice.choice((0, 1, 2, 3, 4, 5, 6, 7, 11, 0x44, 0x7F, 0x80, 0xFE, 0xFF))
    return bytes(stream)


@pytest.mark.soak
def test_the_scans_agree_on_a_million_damaged_streams() -> None:
    dice = random.Random(4)
    odd = 0
    for _ in range(1_000_000):
        width = dice.randrange(1, 5)
        rows = [
            [None if dice.random() < 0.2 else dice.randbytes(dice.randrange(6)) for _ in range(width)]
            for _ in range(dice.randrange(1, 5))
        ]
        data = mutated(bytearray(b"".join(row(*cells) for cells in rows)), dice)
        fields = tuple(sorted(dice.sample(range(width), dice.randrange(width + 1))))
        end = dice.randrange(len(data) + 1)
        answers = [taken(function, data, fields, end=end, limit=3) for function in SCANS]
        assert answers.count(answers[0]) == len(answers), (data.hex(), fields, end)
        odd += answers[0] is None
    assert odd > 10_000  # or the streams are not damaged enough to show anything


def test_the_source_in_use_is_told() -> None:
    assert (scan is scan_plain) is not module.COMPILED
