"""The compact protocol of Thrift, as far as the metadata of Parquet needs it. Pure.

A struct is a dict from field number to value. The type of a value says its type on the wire: `bool`, `Byte` (i8), `int`
(i32), `Long` (i64), `bytes` (binary), `list` (of one type, never empty here), `dict` (struct). Source: the Thrift
project's "Thrift compact protocol encoding".

Reading is bounded and closed: it takes what is listed above, no deeper than 12 levels, no longer than the bytes at
hand; everything else is `IntegrityError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from muniment.errors import IntegrityError
from muniment.ledger.segments.bits import read_varint, unzigzag, varint, zigzag

Struct: TypeAlias = Mapping[int, Any]

DEPTH: Final = 12
"""Levels of structs and lists inside one another: a footer of Parquet has seven."""
_TRUE, _FALSE, _BYTE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 3, 5, 6, 8, 9, 12
_LONG_LIST = 15


class Byte(int):
    """An i8."""


class Long(int):
    """An i64."""


_TYPES: Final = {
    bool: _TRUE, Byte: _BYTE, int: _I32, Long: _I64, bytes: _BINARY, list: _LIST, dict: _STRUCT,
}  # fmt: skip


def encode(struct: Struct) -> bytes:
    """The bytes of a struct; fields in ascending order."""
    out = bytearray()
    before = 0
    for number in sorted(struct):
        value = struct[number]
        wire = _FALSE if value is False else _TYPES[type(value)]
        out += bytes([number - before << 4 | wire]) if 0 < number - before < 16 else _long_head(number, wire)
        before = number
        if not isinstance(value, bool):
            out += _encoded(value)
    out.append(0)
    return bytes(out)


def _long_head(number: int, wire: int) -> bytes:
    return bytes([wire]) + varint(zigzag(number))


def _encoded(value: Any) -> bytes:
    if isinstance(value, dict):
        return encode(value)
    if isinstance(value, bytes):
        return varint(len(value)) + value
    if isinstance(value, Byte):
        return bytes([value & 0xFF])
    if isinstance(value, list):
        wire = _TYPES[type(value[0])]
        head = [len(value) << 4 | wire] if len(value) < _LONG_LIST else [_LONG_LIST << 4 | wire]
        length = b"" if len(value) < _LONG_LIST else varint(len(value))
        return bytes(head) + length + b"".join(map(_encoded, value))
    return varint(zigzag(value))


def decode(data: bytes, at: int = 0) -> tuple[dict[int, Any], int]:
    """The struct that begins at a place, and the place behind it. Raises `IntegrityError` (see above)."""
    return _struct(data, at, DEPTH)


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    out: dict[int, Any] = {}
    number = 0
    while True:
        head, at = _byte(data, at)
        if head == 0:
            return out, at
        wire, step = head & 0x0F, head >> 4
        if step == 0:
            folded, at = read_varint(data, at)
            step = unzigzag(folded) - number
        number += step
        if step <= 0 or number > 0x7FFF:
            raise IntegrityError("metadata is malformed: its fields are out of order")
        if wire in (_TRUE, _FALSE):
            out[number] = wire == _TRUE
        else:
            out[number], at = _value(data, at, wire, depth)


def _value(data: bytes, at: int, wire: int, depth: int) -> tuple[Any, int]:
    read = _READERS.get(wire)
    if read is None or depth == 0:
        raise IntegrityError("metadata is malformed: a type that is not expected, or too many levels")
    return read(data, at, depth - 1)


def _byte(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise IntegrityError("metadata is cut short")
    return data[at], at + 1


def _read_byte(data: bytes, at: int, _depth: int) -> tuple[Byte, int]:
    value, at = _byte(data, at)
    return Byte(value - 256 if value > 127 else value), at


def _read_int(data: bytes, at: int, _depth: int) -> tuple[int, int]:
    folded, at = read_varint(data, at)
    return unzigzag(folded), at


def _read_long(data: bytes, at: int, _depth: int) -> tuple[Long, int]:
    folded, at = read_varint(data, at)
    return Long(unzigzag(folded)), at


def _read_binary(data: bytes, at: int, _depth: int) -> tuple[bytes, int]:
    length, at = read_varint(data, at)
    if length > len(data) - at:
        raise IntegrityError("metadata is cut short")
    return data[at : at + length], at + length


def _read_list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    head, at = _byte(data, at)
    length, wire = head >> 4, head & 0x0F
    if length == _LONG_LIST:
        length, at = read_varint(data, at)
    if length > len(data) - at:  # every element takes a byte at least
        raise IntegrityError("metadata is cut short")
    out = []
    for _ in range(length):
        value, at = _value(data, at, wire, depth)
        out.append(value)
    return out, at


_READERS: Final[Mapping[int, Callable[[bytes, int, int], tuple[Any, int]]]] = {
    _BYTE: _read_byte,
    _I32: _read_int,
    _I64: _read_long,
    _BINARY: _read_binary,
    _LIST: _read_list,
    _STRUCT: _struct,
}
