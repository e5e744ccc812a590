"""The scan over rows once more, in byte arithmetic: quick when mypyc has compiled it, slow when Python interprets it.

`scan` says what it does, and takes this one where it is compiled. It is written apart from `scan.scan_plain`, so each
is the other's test. Nothing of it is imported but by `scan` and the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64

_MAX_LENGTH: Final = 0x3FFF_FFFF
_NULL: Final = 0xFFFF_FFFF
_MALFORMED: Final = "a row is malformed: its lengths do not add up"


def scan(
    data: bytes,
    start: int,
    end: int,
    kind: int,
    fields: tuple[int, ...],
    ends: list[int],
    cells: list[list[bytes | None]],
    limit: int,
) -> int:
    """As `scan.scan_plain`."""
    at: i64 = start
    stop: i64 = min(end, len(data))
    left: i64 = limit
    wanted: i64 = kind
    needed: i64 = max(fields, default=-1) + 1
    least: i64 = 6 if needed > 0 else 4
    while left > 0 and at + 5 <= stop and data[at] == wanted:
        length: i64 = _unsigned(data, at + 1)
        after: i64 = at + 1 + length
        if length > _MAX_LENGTH or length < least:
            raise ValueError(_MALFORMED)
        if after > stop:
            break
        if needed > 0 and _row(data, at + 5, after, needed, fields, cells) > after:
            raise ValueError(_MALFORMED)
        ends.append(after)
        at = after
        left -= 1
    return at


def _row(
    data: bytes, at: i64, after: i64, needed: i64, fields: tuple[int, ...], cells: list[list[bytes | None]]
) -> i64:
    """Hand out the wanted cells of one row, whose column count is at `at`.

    Returns where the last of them ends; what is behind `after` where the row is malformed.
    """
    columns: i64 = data[at] * 256 + data[at + 1]
    at += 2
    column: i64 = 0
    chosen: i64 = 0
    field: i64 = fields[0]
    while column < needed and at + 4 <= after:
        size: i64 = _unsigned(data, at)
        at += 4
        if size == _NULL:
            size = -1
        if column == field:
            cells[chosen].append(data[at : at + size] if size >= 0 else None)
            chosen += 1
            field = fields[chosen] if chosen < len(fields) else -1
        at += max(size, 0)
        column += 1
    return after + 1 if column < needed else _checked(at, after, columns - needed)


def _checked(at: i64, after: i64, further: i64) -> i64:
    """`at`, or what is behind `after` where `further` columns cannot follow there."""
    if further < 0 or (further == 0 and at != after):
        return after + 1
    return at


def _unsigned(data: bytes, at: i64) -> i64:
    return data[at] * 16777216 + data[at + 1] * 65536 + data[at + 2] * 256 + data[at + 3]
