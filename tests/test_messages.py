"""The two catalogues say the same things, in the right words."""

from __future__ import annotations

import re
import string

import pytest

from muniment import messages
from muniment.errors import InputError

LANGS = messages.LANGUAGES
KEYS = sorted(messages.catalogue("en"))
MAINLAND = tuple("信息 數據 默認 用戶 軟件 程序 字符 文件夾 服務器 網絡 質量 賬 釋放".split())
"""Words of the mainland, written in traditional characters, that a converter leaves behind."""


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    assert set(messages.catalogue("en")) == set(messages.catalogue("zh-TW"))


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_have_the_same_places_for_values(key: str) -> None:
    english, chinese = (messages.catalogue(lang)[key] for lang in LANGS)
    assert _places(english) == _places(chinese)
    assert english.strip()
    assert chinese.strip()


@pytest.mark.parametrize("key", KEYS)
def test_no_placeholder_is_left_over(key: str) -> None:
    for lang in LANGS:
        values = dict.fromkeys(_places(messages.catalogue(lang)[key]), "7")
        assert not re.search(r"[{}]", messages.text(key, lang, **values))


@pytest.mark.parametrize("key", KEYS)
def test_chinese_is_that_of_taiwan(key: str) -> None:
    text = messages.catalogue("zh-TW")[key]
    for char in text:
        if "\u4e00" <= char <= "\u9fff":
            char.encode("big5")  # Taiwan's own character set holds no Simplified-only character
    assert not [word for word in MAINLAND if word in text]


def test_a_simplified_character_would_be_caught() -> None:
    with pytest.raises(UnicodeEncodeError):
        "标".encode("big5")


def test_a_missing_value_or_key_is_a_fault_of_the_program() -> None:
    with pytest.raises(KeyError):
        messages.text("answer.one", "en", recipient="A")
    with pytest.raises(KeyError):
        messages.text("answer.nothing", "en")


def test_a_value_is_not_read_as_a_template() -> None:
    assert "{file}" in messages.text("answer.one", "en", recipient="{file}", file="a.csv")


def test_an_unknown_language_lists_the_known() -> None:
    with pytest.raises(InputError, match="zh-CN") as caught:
        messages.text("answer.none", "zh-CN", file="a")
    assert "zh-TW" in caught.value.hint


@pytest.mark.parametrize(
    ("number", "places", "written"),
    [(1234.5, 1, "1,234.5"), (-1.638, 2, "\u22121.64"), (-0.001, 2, "0.00"), (3.0, 0, "3")],
)
def test_decimal(number: float, places: int, written: str) -> None:
    assert messages.decimal(number, places) == written


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.99997, "> 99.9 %"), (0.00002, "< 0.1 %"), (0.071, "7.1 %")],
)
def test_percent_never_rounds_to_certainty(share: float, written: str) -> None:
    assert messages.percent(share) == written


def test_count() -> None:
    assert messages.count(1_000_000) == "1,000,000"
