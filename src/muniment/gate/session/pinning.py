"""Parameters in the place of the literals that pin a key: `where id = $1` with the value that was bound.

Rules
1. A parameter means what its type says. Its type is the one that Parse declares; where it declares none and the
   parameter stands once in the text, PostgreSQL takes that of the column it is compared with.
2. Only types that are compared with a key without loss are taken: 7 as a float of four bytes may be another person.
3. What is not certain pins nothing.
"""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from muniment.gate.protocol.frontend import Bind
from muniment.gate.protocol.values import INT2, INT4, INT8, TEXT, UUID_OID, VARCHAR
from muniment.gate.protocol.wire import ProtocolError

if TYPE_CHECKING:
    from muniment.gate.attribution.text import Facts
    from muniment.gate.session.tracker import Portal

_INTEGERS: Final = {INT2: struct.Struct(">h"), INT4: struct.Struct(">i"), INT8: struct.Struct(">q")}
_TEXTS: Final = frozenset((TEXT, VARCHAR))
_UUID_BYTES: Final = 16


def with_values(facts: Facts, portal: Portal, encoding: str) -> Facts:
    """The same facts with the literals that a portal was bound to; a pin without one is dropped.

    `encoding`: Python's name of the client's encoding.
    """
    numbers = {column: pin for column, pin in facts.pins.items() if isinstance(pin, int)}
    if not numbers:
        return facts
    pins: dict[str, str | int] = {column: pin for column, pin in facts.pins.items() if isinstance(pin, str)}
    for column, number in numbers.items():
        value = _value(portal, number, encoding)
        if value is not None:
            pins[column] = value
    return replace(facts, pins=pins)


def bound(values: bytes) -> Bind | None:
    """The parameters of a Bind, from what follows its names; `None` where PostgreSQL will not read it either."""
    try:
        return Bind.parse(b"\0\0" + values)
    except ProtocolError:
        return None


def _value(portal: Portal, number: int, encoding: str) -> str | None:
    """The text of a parameter (1 first)."""
    sent = bound(portal.values) if portal.values else None
    if sent is None or not 1 <= number <= len(sent.values):
        return None
    cell = sent.values[number - 1]
    formats = sent.formats * number if len(sent.formats) == 1 else sent.formats
    format = _at(formats, number)
    type_oid = _at(portal.types, number)
    if cell is None:
        return None
    if type_oid == 0 and format == 0 and _stands_once(portal.text, number):
        return _decoded(cell, encoding)
    return (_binary if format else _text)(type_oid, cell, encoding)


def _at(numbers: tuple[int, ...], number: int) -> int:
    return numbers[number - 1] if number <= len(numbers) else 0


def _text(type_oid: int, cell: bytes, encoding: str) -> str | None:
    known = type_oid in _INTEGERS or type_oid in _TEXTS or type_oid == UUID_OID
    return _decoded(cell, encoding) if known else None


def _binary(type_oid: int, cell: bytes, encoding: str) -> str | None:
    layout = _INTEGERS.get(type_oid)
    if layout is not None:
        return str(layout.unpack(cell)[0]) if len(cell) == layout.size else None
    if type_oid == UUID_OID:
        return str(UUID(bytes=cell)) if len(cell) == _UUID_BYTES else None
    return _decoded(cell, encoding) if type_oid in _TEXTS else None


def _decoded(cell: bytes, encoding: str) -> str | None:
    try:
        return cell.decode(encoding)
    except UnicodeDecodeError:
        return None


def _stands_once(text: bytes, number: int) -> bool:
    return len(re.findall(rb"\$%d(?![0-9])" % number, text)) == 1
