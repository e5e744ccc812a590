"""Every text, in both languages."""

from __future__ import annotations

from string import Formatter

import pytest

from muniment.gate.policy.texts import _TEXTS, LANGUAGES, text


def _names(template: tuple[str, str]) -> set[str]:
    return {name for part in template for _, name, _, _ in Formatter().parse(part) if name}


@pytest.mark.parametrize("key", _TEXTS)
def test_both_languages_name_the_same_things(key: str) -> None:
    assert set(_TEXTS[key]) == set(LANGUAGES)
    english, chinese = (_TEXTS[key][language] for language in LANGUAGES)
    assert _names(english) == _names(chinese)
    assert english[0] and chinese[0] and bool(english[1]) == bool(chinese[1])


def test_whoever_keeps_the_register_is_asked_where_nobody_is_named() -> None:
    assert "whoever keeps" in text("copy", "en", contact="")[1]
    assert "Ms Lin" in text("copy", "en", contact="Ms Lin")[1]
    assert text("copy", "fr") == text("copy", "en")
