"""The text of a key, whatever format it came in: the same as `column::text` gives, by which registers are read.

Rules
1. `None` means: it cannot be told here. Then the row is not attributed by this cell, and never to somebody else.
2. No text that depends on a session's settings (DateStyle, IntervalStyle, TimeZone, bytea_output, extra_float_digits)
   is taken, unless its form shows that it is the usual one.
3. Both formats of one value give one text.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

BOOL, BYTEA, CHAR, NAME, INT8, INT2, INT4, TEXT, OID = 16, 17, 18, 19, 20, 21, 23, 25, 26
CIDR, FLOAT4, FLOAT8, MONEY, INET, BPCHAR, VARCHAR = 650, 700, 701, 790, 869, 1042, 1043
DATE, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ, NUMERIC, UUID_OID = 1082, 1114, 1184, 1186, 1266, 1700, 2950
"""`pg_type.oid` of the built-in types, which never change (src/include/catalog/pg_type.dat)."""

_ISO_DATE: Final = re.compile(r"\d{4,}-\d\d-\d\d( BC)?|-?infinity")
_ISO_TIMESTAMP: Final = re.compile(r"\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?( BC)?|-?infinity")
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - timestamp has no time zone
_NUMERIC: Final = struct.Struct(">HhHH")
_NEGATIVE: Final = 0x4000
_SPECIAL: Final = {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}
_DIGIT: Final = 10_000
"""The base in which numeric counts: four decimal digits to a word."""

CODECS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "UTF8": "utf-8", "LATIN1": "iso8859-1", "LATIN2": "iso8859-2", "LATIN3": "iso8859-3", "LATIN4": "iso8859-4",
        "LATIN5": "iso8859-9", "LATIN6": "iso8859-10", "LATIN7": "iso8859-13", "LATIN8": "iso8859-14",
        "LATIN9": "iso8859-15", "LATIN10": "iso8859-16", "WIN1250": "cp1250", "WIN1251": "cp1251", "WIN1252": "cp1252",
        "WIN1253": "cp1253", "WIN1254": "cp1254", "WIN1257": "cp1257", "KOI8R": "koi8-r", "KOI8U": "koi8-u",
    }
)  # fmt: skip
"""Python's codec by the `client_encoding` that a server reports: those where both tables agree on every byte."""


def canonical(type_oid: int, format: int, cell: bytes, encoding: str = "utf-8") -> str | None:
    """The text of one value. `format` is 0 (text) or 1 (binary), `encoding` Python's name of the client's encoding."""
    if format == 1:
        return _binary(type_oid, cell, encoding)
    return _text(type_oid, cell, encoding) if format == 0 else None


def canonical_many(
    type_oid: int, format: int, cells: Sequence[bytes | None], encoding: str = "utf-8"
) -> list[str | None]:
    """`canonical` of a column, several times as fast; NULL is `None` too."""
    known = _together(type_oid, format, cells, encoding) if format in (0, 1) else None
    if known is not None:
        return known
    return [None if cell is None else canonical(type_oid, format, cell, encoding) for cell in cells]


def _together(type_oid: int, format: int, cells: Sequence[bytes | None], encoding: str) -> list[str | None] | None:
    """A column at once; `None` where some cell needs to be looked at by itself."""
    if None in cells:
        return None
    whole: Sequence[bytes] = cells  # type: ignore[assignment]  # none of them is None
    if format == 1 and type_oid in _INTEGERS:
        letter, size = _INTEGERS[type_oid]
        joined = b"".join(whole)
        if len(joined) == size * len(whole) and set(map(len, whole)) <= {size}:
            return list(map(str, struct.unpack(f">{len(whole)}{letter}", joined)))
    elif type_oid in _STRINGS if format else type_oid not in _OF_TEXT:
        return _decoded_together(whole, encoding)
    return None


def _decoded_together(cells: Sequence[bytes], encoding: str) -> list[str | None] | None:
    try:
        texts = b"\0".join(cells).decode(encoding).split("\0")
    except UnicodeDecodeError:
        return None
    return list(texts) if len(texts) == len(cells) else None


# --- text format ---------------------------------------------------------------------------------------------------


def _text(type_oid: int, cell: bytes, encoding: str) -> str | None:
    text = _decoded(cell, encoding)
    rule = _OF_TEXT.get(type_oid)
    return text if text is None or rule is None else rule(text)


def _decoded(cell: bytes, encoding: str) -> str | None:
    try:
        return None if 0 in cell else cell.decode(encoding)
    except UnicodeDecodeError:
        return None


def _truth(text: str) -> str | None:
    return {"t": "true", "f": "false"}.get(text)


def _unpadded(text: str) -> str | None:
    return text.rstrip(" ")


def _of_form(form: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: text if form.fullmatch(text) else None


def _address(text: str) -> str | None:
    return text if "/" in text else text + ("/128" if ":" in text else "/32")


def _never(text: str) -> str | None:
    return None


_OF_TEXT: Final[Mapping[int, Callable[[str], str | None]]] = MappingProxyType(
    {
        BOOL: _truth, BPCHAR: _unpadded, INET: _address,
        DATE: _of_form(_ISO_DATE), TIMESTAMP: _of_form(_ISO_TIMESTAMP),
        BYTEA: _of_form(re.compile(r"\\x[0-9a-f]*")),
        FLOAT4: _never, FLOAT8: _never, MONEY: _never, TIMESTAMPTZ: _never, INTERVAL: _never, TIMETZ: _never,
    }
)  # fmt: skip
"""What is done to the text of a type; of any other type the text is the key."""


# --- binary format -------------------------------------------------------------------------------------------------

_STRINGS: Final = frozenset({TEXT, VARCHAR, NAME})
_INTEGERS: Final = {INT2: ("h", 2), INT4: ("i", 4), INT8: ("q", 8), OID: ("I", 4)}


def _binary(type_oid: int, cell: bytes, encoding: str) -> str | None:
    if type_oid in _STRINGS:
        return _decoded(cell, encoding)
    if type_oid == BPCHAR:
        return _text(BPCHAR, cell, encoding)
    rule = _OF_BINARY.get(type_oid)
    try:
        return rule(cell) if rule else None
    except (struct.error, ValueError, OverflowError):
        return None  # not the length or range of the type


def _integer(letter: str) -> Callable[[bytes], str]:
    layout = struct.Struct(f">{letter}")
    return lambda cell: str(layout.unpack(cell)[0])


def _day(cell: bytes) -> str | None:
    (days,) = struct.unpack(">i", cell)
    return date.fromordinal(_EPOCH.toordinal() + days).isoformat()


def _moment(cell: bytes) -> str | None:
    (microseconds,) = struct.unpack(">q", cell)
    text = (_EPOCH + timedelta(microseconds=microseconds)).isoformat(" ")
    return text.rstrip("0") if "." in text else text


def _uuid(cell: bytes) -> str | None:
    return str(UUID(bytes=cell))


def _flag(cell: bytes) -> str | None:
    return {b"\0": "false", b"\1": "true"}.get(cell)


def _hex(cell: bytes) -> str | None:
    return "\\x" + cell.hex()


def _numeric(cell: bytes) -> str | None:
    """A number from its words: value = sum of words[i] * 10000 ** (weight - i), shown with `scale` decimals.

    Source: `numeric_send` in src/backend/utils/adt/numeric.c.
    """
    count, weight, sign, scale = _NUMERIC.unpack_from(cell)
    words = struct.unpack(f">{count}H", cell[_NUMERIC.size :])
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if sign not in (0, _NEGATIVE) or any(word >= _DIGIT for word in words):
        return None
    places = "".join(f"{word:04d}" for word in words)
    before = 4 * (weight + 1)
    whole = places[: max(before, 0)].ljust(max(before, 0), "0").lstrip("0") or "0"
    fraction = "0" * max(-before, 0) + places[max(before, 0) :]
    decimals = "." + fraction[:scale].ljust(scale, "0") if scale else ""
    return ("-" if sign else "") + whole + decimals


_OF_BINARY: Final[Mapping[int, Callable[[bytes], str | None]]] = MappingProxyType(
    {
        **{type_oid: _integer(letter) for type_oid, (letter, _) in _INTEGERS.items()},
        BOOL: _flag, BYTEA: _hex, DATE: _day, TIMESTAMP: _moment, NUMERIC: _numeric, UUID_OID: _uuid,
    }
)  # fmt: skip
