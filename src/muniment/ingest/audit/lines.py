"""A log as bounded lines of text, and JSON values out of them. Every byte here is foreign.

Rules
1. A line is UTF-8, at most LINE_BYTES; a longer one is refused and read over, never held.
2. A JSON object names each field once: two readers could otherwise see two different events in one line.
3. Nested values are taken only in the type that the format gives them; another type counts as absent (`text`, `whole`,
   `fields`, `items`).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn, Protocol, TypeAlias

from muniment.ingest.audit.tally import Tally

LINE_BYTES: Final = 16 * 1024**2
"""Bytes in one line or record of an audit log: a statement that names a million keys still fits."""
_SKIP_BYTES: Final = 1 << 20

JsonObject: TypeAlias = Mapping[str, object]


class LineStream(Protocol):
    """A stream that gives its lines; every `BinaryIO` is one."""

    def readline(self, size: int, /) -> bytes:
        """The next line, at most `size` bytes of it; empty at the end."""
        ...


def bounded_lines(stream: LineStream, tally: Tally) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of each line, with its line end; a byte order mark is taken off."""
    number = 0
    while line := stream.readline(LINE_BYTES + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(_SKIP_BYTES)
            tally.refuse(number, f"line of more than {LINE_BYTES:,} bytes")
            continue
        yield number, line


def json_lines(stream: LineStream, tally: Tally) -> Iterator[tuple[int, JsonObject]]:
    """Number and object of each line that is not blank; others are refused."""
    for number, line in bounded_lines(stream, tally):
        if line.isspace() or not line:
            continue
        try:
            value = json_value(line)
        except ValueError as error:
            tally.refuse(number, str(error))
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            tally.refuse(number, "no JSON object")


def json_value(data: bytes) -> object:
    """The JSON value that fills `data`; `ValueError` with a reason in this module's own words."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_constant)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except _Twice:
        raise ValueError("JSON object that names a field twice") from None
    except RecursionError:
        raise ValueError("JSON nested too deep") from None
    except ValueError:
        raise ValueError("no JSON") from None


class _Twice(ValueError):
    """A name stands twice in one object."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Twice
    return value


def _constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def text(value: JsonObject, *path: str) -> str:
    """The text at a path, or a whole number as text; "" where there is none."""
    found = _at(value, path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if abs(found) < 2**64 else ""
    return found if isinstance(found, str) else ""


def whole(value: JsonObject, *path: str) -> int | None:
    """The whole number at a path; `None` where there is none."""
    found = _at(value, path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def fields(value: JsonObject, *path: str) -> JsonObject:
    """The object at a path; empty where there is none."""
    found = _at(value, path)
    return found if isinstance(found, dict) else {}


def items(value: JsonObject, *path: str) -> list[JsonObject]:
    """The objects of the list at a path; an object that stands for a list of one counts as such."""
    found = _at(value, path)
    if isinstance(found, dict):
        return [found]
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _at(value: JsonObject, path: tuple[str, ...]) -> object:
    found: object = value
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
