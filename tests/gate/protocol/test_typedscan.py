"""The scan in byte arithmetic, from its source; tests/gate/protocol/test_scan.py holds it against the plain one."""

from language.messages import Cell, raw, row, source_module

scan = source_module("gate.protocol.typedscan").scan


def test_a_chunk_of_a_result() -> None:
    ends: list[int] = []
    cells: list[list[Cell]] = [[], []]
    data = row(b"1", b"Ann", None) + row(b"2", None, b"x") + raw(b"C", b"SELECT 2\0")
    stop = scan(data, 0, len(data), 68, (0, 1), ends, cells, 100)
    assert stop == ends[-1] == len(data) - 14
    assert cells == [[b"1", b"2"], [b"Ann", None]]


def test_an_end_beyond_the_data_is_the_end_of_the_data() -> None:
    ends: list[int] = []
    data = row(b"1")
    assert scan(data + data[:-1], 0, 10**6, 68, (), ends, [], 100) == len(data)
