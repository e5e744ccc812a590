"""A whole row in one cell (`select p from person p`): its values, in both formats.

Source: `record_out` and `record_send` in src/backend/utils/adt/rowtypes.c; PostgreSQL documentation, "Composite Type
Input and Output Syntax". Only what a server writes is read: anything else is `None`, and names nobody.
"""

from __future__ import annotations

import re
import struct
from typing import Final

_VALUE: Final = re.compile(rb'"((?:[^"\\]|""|\\\\)*+)"|([^\s,()"\\]*+)')
_DOUBLED: Final = re.compile(rb'""|\\\\')
_COUNT: Final = struct.Struct(">i")
_HEAD: Final = struct.Struct(">Ii")


def values_of(cell: bytes, format: int, width: int) -> list[bytes | None] | None:
    """The values of a row of `width` columns; a value is `None` for NULL. `None`: it is no such row."""
    found = _text(cell) if format == 0 else _binary(cell)
    return found if found is not None and len(found) == width else None


def _text(cell: bytes) -> list[bytes | None] | None:
    if cell[:1] != b"(" or cell[-1:] != b")":
        return None
    found: list[bytes | None] = []
    at = 1
    while at < len(cell):
        match = _VALUE.match(cell, at)
        if match is None or cell[match.end() : match.end() + 1] not in (b",", b")"):
            return None
        quoted, plain = match.groups()
        found.append((plain or None) if quoted is None else _DOUBLED.sub(lambda two: two[0][:1], quoted))
        at = match.end() + 1
        if cell[at - 1 : at] == b")":
            return found if at == len(cell) else None
    return None


def _binary(cell: bytes) -> list[bytes | None] | None:
    found: list[bytes | None] = []
    try:
        (count,) = _COUNT.unpack_from(cell)
        at = _COUNT.size
        for _ in range(count):
            _, size = _HEAD.unpack_from(cell, at)
            at += _HEAD.size
            found.append(cell[at : at + size] if size >= 0 else None)
            at += max(size, 0)
    except struct.error:
        return None
    return found if at == len(cell) and count >= 0 else None
