"""The table of settings: defaults are allowed values, `explain` finds keys, and TOML text is escaped."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.config.settings import REQUIRED, SETTINGS, explain, toml_key, toml_text, toml_value
from muniment.errors import InputError


def test_every_setting_has_both_languages_and_a_default_that_it_takes() -> None:
    for setting in SETTINGS:
        assert setting.english
        assert setting.chinese
        assert setting.expected
        if setting.default not in (REQUIRED, None):
            default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
            assert setting.parse(default) == setting.default


def test_explain_takes_real_and_placeholder_names() -> None:
    assert explain("registers.persons.coalition") == explain("registers.NAME.coalition")
    assert "default: 10" in explain("registers.NAME.coalition")
    assert "合謀" in explain("registers.NAME.coalition", "zh-TW")
    assert "positive number" in explain("registers.persons.columns.income.tolerance")


def test_explain_names_the_nearest_key() -> None:
    with pytest.raises(InputError) as caught:
        explain("workspace.alfa")
    assert caught.value.hint.endswith("workspace.alpha")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_text_and_key_are_read_back_by_toml(text: str) -> None:
    assert tomllib.loads(f"{toml_key(text)} = {toml_text(text)}") == {text: text}


@pytest.mark.parametrize("value", [(), ("a", "b"), 1e-6, 0.05, 10, "\x7f\n\"\\"])
def test_value_is_read_back_by_toml(value: object) -> None:
    expected = list(value) if isinstance(value, tuple) else value
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": expected}
