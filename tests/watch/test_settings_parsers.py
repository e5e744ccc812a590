"""Values of watch.toml: what is taken as what, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from muniment.watch import settings_parsers as parsers


@pytest.mark.parametrize(
    ("parse", "given", "found"),
    [
        (parsers.text, " a b ", "a b"),
        (parsers.optional_text, "", ""),
        (parsers.texts, ["a", "b"], ("a", "b")),
        (parsers.texts_of("a", "b"), ["b"], ("b",)),
        (parsers.switch, False, False),
        (parsers.choice("x", "y"), "y", "y"),
        (parsers.whole(1, 9), 9, 9),
        (parsers.number(0, 1), 1, 1.0),
        (parsers.weight, 3, 3.0),
        (parsers.persons, {"day": 0, "lifetime": 7}, {"day": 0, "lifetime": 7}),
        (parsers.time_zone, "Asia/Taipei", "Asia/Taipei"),
    ],
)
def test_what_is_taken(parse: Callable[[object], Any], given: object, found: object) -> None:
    assert parse(given) == found


@pytest.mark.parametrize(
    ("parse", "given"),
    [
        (parsers.text, ""),
        (parsers.text, "a\nb"),
        (parsers.text, 7),
        (parsers.text, "x" * 1_001),
        (parsers.texts, []),
        (parsers.texts, ["a", "a"]),
        (parsers.texts, "ab"),
        (parsers.texts_of("a"), ["b"]),
        (parsers.switch, 1),
        (parsers.choice("x"), ["x"]),
        (parsers.whole(1, 9), 0),
        (parsers.whole(0, 9), True),
        (parsers.whole(0, 9), 3.0),
        (parsers.number(0, 1), float("nan")),
        (parsers.number(0, 1), True),
        (parsers.weight, -0.1),
        (parsers.weight, float("inf")),
        (parsers.persons, {}),
        (parsers.persons, {"week": 3}),
        (parsers.persons, {"day": -1}),
        (parsers.time_zone, "/etc/localtime"),
        (parsers.time_zone, "a/b/c/d"),
    ],
)
def test_what_is_refused(parse: Callable[[object], Any], given: object) -> None:
    with pytest.raises(ValueError):
        parse(given)
