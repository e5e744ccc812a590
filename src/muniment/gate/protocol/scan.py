"""Many rows at once: where each message ends, and the cells that matter. The hot path of the gate.

`scan` is `typedscan.scan` where that was compiled (`make compile`), else `scan_plain`; both give the same.

Rules
1. Every offset is proved: from a message boundary, a length leads to the next one. Nothing is searched for, so no
   content of a cell can pass for a message.
2. A row is checked as far as it is read: up to the last cell that is asked for, and to its very end where that cell is
   the last. What is behind does not move the next boundary.
3. What does not fit is `ValueError`; the lists then hold the rows before, and nothing of them should be used.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from muniment.gate.protocol import typedscan
from muniment.gate.protocol.wire import HEAD_BYTES, MAX_LENGTH

COMPILED: Final = not (typedscan.__file__ or "").endswith(".py")
"""Whether the compiled scan is in use."""
_HEAD: Final = struct.Struct(">BI").unpack_from
_ROW: Final = struct.Struct(">BIH").unpack_from
_FIRST: Final = struct.Struct(">BIHi").unpack_from
_SIZE: Final = struct.Struct(">i").unpack_from
_ROW_BYTES: Final = 7
_FIRST_BYTES: Final = 11
_MALFORMED: Final = "a row is malformed: its lengths do not add up"


def scan_plain(
    data: bytes,
    start: int,
    end: int,
    kind: int,
    fields: tuple[int, ...],
    ends: list[int],
    cells: list[list[bytes | None]],
    limit: int,
) -> int:
    """Take consecutive complete messages of type `kind` (68, DataRow) from `data[start:end]`.

    `start` is a message boundary. For each message, appends the offset after it to `ends`, and the cell in column
    `fields[i]` (0 first, ascending) to `cells[i]`, `None` for NULL. Stops at another type, at a message that is not all
    there, and after `limit` messages. Returns the offset after the last one taken. Raises `ValueError` for a length
    below 4 or above `MAX_LENGTH`, for cells that do not add up, and for fewer columns than are asked for.
    """
    try:
        if not fields:
            return _boundaries(data, start, end, kind, ends, limit)
        if fields != (0,):
            return _some(data, start, end, kind, fields, ends, cells, limit)
        return _first(data, start, end, kind, ends, cells, limit)
    except struct.error:
        raise ValueError(_MALFORMED) from None


def _boundaries(data: bytes, start: int, end: int, kind: int, ends: list[int], limit: int) -> int:
    while limit > 0 and start + HEAD_BYTES <= end:
        found, length = _HEAD(data, start)
        if found != kind:
            break
        if not 4 <= length <= MAX_LENGTH:
            raise ValueError(_MALFORMED)
        after = start + 1 + length
        if after > end:
            break
        ends.append(after)
        start = after
        limit -= 1
    return start


def _first(
    data: bytes, start: int, end: int, kind: int, ends: list[int], cells: list[list[bytes | None]], limit: int
) -> int:
    """Rows of which only the first cell is wanted; the odd one (NULL, short, malformed) is left to `_some`."""
    known, most = len(ends), limit
    while True:
        start = _quick(data, start, end, kind, ends, cells[0], most)
        before = start
        start = _some(data, start, end, kind, (0,), ends, cells, min(1, limit - len(ends) + known))
        most = limit - len(ends) + known
        if start == before:
            return start


def _quick(data: bytes, start: int, end: int, kind: int, ends: list[int], cells: list[bytes | None], limit: int) -> int:
    last = end - _FIRST_BYTES
    append_end, append_cell = ends.append, cells.append
    while limit > 0 and start <= last:
        found, length, columns, size = _FIRST(data, start)
        after = start + 1 + length
        cell = start + _FIRST_BYTES
        stop = cell + size
        # The last comparison: a cell that ends before its row must not be the only one.
        if found != kind or after > end or size < 0 or stop > after or columns <= (stop != after):
            break
        append_cell(data[cell:stop])
        append_end(after)
        start = after
        limit -= 1
    return start


def _some(
    data: bytes,
    start: int,
    end: int,
    kind: int,
    fields: tuple[int, ...],
    ends: list[int],
    cells: list[list[bytes | None]],
    limit: int,
) -> int:
    needed = fields[-1] + 1
    steps = _steps(fields, cells)
    while limit > 0 and start + HEAD_BYTES <= end:
        found, length = _HEAD(data, start)
        if found != kind:
            break
        after = start + 1 + length
        if not _ROW_BYTES - 1 <= length <= MAX_LENGTH:
            raise ValueError(_MALFORMED)
        if after > end:
            break
        columns = data[start + 5] << 8 | data[start + 6]
        stop = _cells(data, start + _ROW_BYTES, steps)
        if columns < needed or stop > after or (columns == needed and stop != after):
            raise ValueError(_MALFORMED)
        ends.append(after)
        start = after
        limit -= 1
    return start


def _steps(
    fields: tuple[int, ...], cells: list[list[bytes | None]]
) -> list[tuple[int, Callable[[bytes | None], None]]]:
    """For each wanted cell: how many to hop over before it, and where it goes."""
    before = (-1, *fields[:-1])
    return [(field - last - 1, out.append) for last, field, out in zip(before, fields, cells, strict=True)]


def _cells(data: bytes, at: int, steps: list[tuple[int, Callable[[bytes | None], None]]]) -> int:
    """Hand out the wanted cells of the row whose first length is at `at`; the offset after the last of them.

    Offsets only grow, so one comparison of the result with the end of the row proves every step of it.
    """
    size: int
    for hops, append in steps:
        while hops:
            (size,) = _SIZE(data, at)
            at += 4
            if size > 0:
                at += size
            elif size < -1:
                raise ValueError(_MALFORMED)
            hops -= 1
        (size,) = _SIZE(data, at)
        at += 4
        if size >= 0:
            append(data[at : at + size])
            at += size
        elif size == -1:
            append(None)
        else:
            raise ValueError(_MALFORMED)
    return at


scan: Final = typedscan.scan if COMPILED else scan_plain
