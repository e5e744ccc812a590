"""The table of keys: each told in both languages, each default one that its parser takes."""

from __future__ import annotations

import pytest

from muniment.config.settings import REQUIRED
from muniment.gate.policy.rules import LIFETIME, WINDOWS
from muniment.watch import settings_parsers
from muniment.watch.settings_table import BY_TABLE, KEYS, Key


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.tables[0]}.{key.name}")
def test_a_default_is_one_that_may_be_written(key: Key) -> None:
    if key.default is REQUIRED or key.default in (None, "", ()) or (key.name, key.default) == ("port", 0):
        return
    written = list(key.default) if isinstance(key.default, tuple) else key.default
    assert key.parse(written) == key.default


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.tables[0]}.{key.name}")
def test_a_key_is_told_in_both_languages(key: Key) -> None:
    assert key.english.endswith(".") and key.chinese.endswith("。") and key.expected
    assert any("\u4e00" <= char <= "\u9fff" for char in key.chinese)


def test_a_name_stands_once_in_a_table() -> None:
    assert sum(len(keys) for keys in BY_TABLE.values()) == sum(len(key.tables) for key in KEYS)


def test_windows_are_those_of_the_gate() -> None:
    assert set(settings_parsers.WINDOWS) == {*WINDOWS, LIFETIME}
