"""Facts of statements that were read before: by their text, and by their shape where only whole numbers differ.

Rules
1. A shape is taken only of texts without quotes, backslashes, dollars, comments or signs: there, digits between other
   characters are a number and nothing else.
2. Numbers may matter to the facts through `pins` alone. That is tried out with other numbers when a shape is first
   seen; a shape for which it does not hold is read each time.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from muniment.gate.attribution.text import Facts

TEXTS: Final = 512
"""Texts, and shapes, whose facts are kept."""
KEPT_TEXT_BYTES: Final = 16 << 10
"""Longer texts are read each time: keeping them would cost more memory than reading them costs time."""
_PLAIN: Final = re.compile(rb"[^'\"$\\/\x80-\xff-]*")
_NUMBER: Final = re.compile(rb"(?<![\w.])[0-9]{1,18}(?![\w.])")
_OTHER: Final = 7 * 10**15
"""Numbers from here on stand for those of a text when its shape is tried out."""


@dataclass(frozen=True, slots=True, repr=False)
class _Shape:
    """Facts of a shape without its pins, and the column that each number at a place pins."""

    facts: Facts
    places: tuple[tuple[str, int], ...]


class Texts:
    """The memory of one session. `read` reads a text."""

    def __init__(self, read: Callable[[bytes], Facts]) -> None:
        self._read = read
        self._texts: OrderedDict[bytes, Facts] = OrderedDict()
        self._shapes: OrderedDict[bytes, _Shape | None] = OrderedDict()

    def clear(self) -> None:
        """What was read does not hold any more."""
        self._texts.clear()
        self._shapes.clear()

    def facts(self, text: bytes) -> Facts:
        """The facts of a text."""
        found = self._texts.get(text)
        if found is not None:
            return found
        if len(text) > KEPT_TEXT_BYTES:
            return self._read(text)
        found = self._by_shape(text) or self._read(text)
        self._texts[text] = found
        if len(self._texts) > TEXTS:
            self._texts.popitem(last=False)
        return found

    def _by_shape(self, text: bytes) -> Facts | None:
        if _PLAIN.fullmatch(text) is None:
            return None
        numbers = _NUMBER.findall(text)
        if not numbers:
            return None
        key = _NUMBER.sub(b"0", text)
        if key not in self._shapes:
            self._shapes[key] = self._tried(text, len(numbers))
            if len(self._shapes) > TEXTS:
                self._shapes.popitem(last=False)
        shape = self._shapes[key]
        if shape is None or not shape.places:
            return None if shape is None else shape.facts
        return replace(shape.facts, pins={column: numbers[place].decode() for column, place in shape.places})

    def _tried(self, text: bytes, count: int) -> _Shape | None:
        """The shape of a text; `None` where other numbers would change more than its pins."""
        others = iter(range(_OTHER, _OTHER + count))
        found, tried = self._read(text), self._read(_NUMBER.sub(lambda _: b"%d" % next(others), text))
        plain = replace(found, pins={})
        places = _places(tried, count)
        if places is None or plain != replace(tried, pins={}) or found.pins.keys() != tried.pins.keys():
            return None
        return _Shape(plain, places)


def _places(tried: Facts, count: int) -> tuple[tuple[str, int], ...] | None:
    """Which number pins which column, by the numbers that were put in; `None` where another literal pins one."""
    places: Sequence[tuple[str, int]] = [
        (column, int(pin) - _OTHER if isinstance(pin, str) and pin.isdigit() else -1)
        for column, pin in tried.pins.items()
    ]
    return tuple(places) if all(0 <= place < count for _, place in places) else None
