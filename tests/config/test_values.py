"""Values that all settings files share: what is taken as what, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from muniment.config import values


@pytest.mark.parametrize(
    ("parse", "given", "found"),
    [
        (values.text, " a b ", "a b"),
        (values.optional_text, "", ""),
        (values.texts, ["a", "b"], ("a", "b")),
        (values.choices_of("a", "b"), ["b"], ("b",)),
        (values.switch, False, False),
        (values.choice("x", "y"), "y", "y"),
        (values.whole(1, 9), 9, 9),
        (values.number(0, 1), 1, 1.0),
        (values.time_zone, "Asia/Taipei", "Asia/Taipei"),
    ],
)
def test_what_is_taken(parse: Callable[[object], Any], given: object, found: object) -> None:
    assert parse(given) == found


@pytest.mark.parametrize(
    ("parse", "given"),
    [
        (values.text, ""),
        (values.text, "a\nb"),
        (values.text, 7),
        (values.text, "x" * 1_001),
        (values.choices_of("a"), []),
        (values.texts, ["a", "a"]),
        (values.texts, "ab"),
        (values.choices_of("a"), ["b"]),
        (values.switch, 1),
        (values.choice("x"), ["x"]),
        (values.whole(1, 9), 0),
        (values.whole(0, 9), True),
        (values.whole(0, 9), 3.0),
        (values.number(0, 1), float("nan")),
        (values.number(0, 1), True),
        (values.time_zone, "/etc/localtime"),
        (values.time_zone, "a/b/c/d"),
    ],
)
def test_what_is_refused(parse: Callable[[object], Any], given: object) -> None:
    with pytest.raises(ValueError):
        parse(given)
