"""Values of watch.toml: what is taken as what, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from muniment.watch import settings_parsers as parsers


@pytest.mark.parametrize(
    ("parse", "given", "found"),
    [
        (parsers.texts, ["a", "b"], ("a", "b")),
        (parsers.weight, 3, 3.0),
        (parsers.persons, {"day": 0, "lifetime": 7}, {"day": 0, "lifetime": 7}),
    ],
)
def test_what_is_taken(parse: Callable[[object], Any], given: object, found: object) -> None:
    assert parse(given) == found


@pytest.mark.parametrize(
    ("parse", "given"),
    [
        (parsers.texts, []),
        (parsers.texts, ["a", "a"]),
        (parsers.texts, "ab"),
        (parsers.weight, -0.1),
        (parsers.weight, float("inf")),
        (parsers.persons, {}),
        (parsers.persons, {"week": 3}),
        (parsers.persons, {"day": -1}),
    ],
)
def test_what_is_refused(parse: Callable[[object], Any], given: object) -> None:
    with pytest.raises(ValueError):
        parse(given)
