"""Every text, in both languages."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from muniment.gate.policy.texts import _TEXTS, LANGUAGES, text

MAINLAND = tuple("信息 數據 默認 用戶 軟件 程序 字符 文件夾 服務器 網絡 質量 賬 釋放".split())
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff）」][,;:!?.()]|[,;:!?()][\u4e00-\u9fff（「]")


def _foreign(text: str) -> list[str]:
    """What is not Taiwan's: words and characters of the mainland, half-width punctuation beside a character."""
    simplified = [char for char in text if "\u4e00" <= char <= "\u9fff" and not char.encode("big5", "ignore")]
    return [*(word for word in MAINLAND if word in text), *simplified, *HALF_WIDTH.findall(text)]


def _names(template: tuple[str, str]) -> set[str]:
    return {name for part in template for _, name, _, _ in Formatter().parse(part) if name}


@pytest.mark.parametrize("key", _TEXTS)
def test_both_languages_name_the_same_things(key: str) -> None:
    assert set(_TEXTS[key]) == set(LANGUAGES)
    english, chinese = (_TEXTS[key][language] for language in LANGUAGES)
    assert _names(english) == _names(chinese)
    assert english[0] and chinese[0] and bool(english[1]) == bool(chinese[1])


@pytest.mark.parametrize("key", _TEXTS)
def test_chinese_is_that_of_taiwan(key: str) -> None:
    assert not [fault for part in _TEXTS[key]["zh-TW"] for fault in _foreign(part)]


@pytest.mark.parametrize("text", ["用戶端", "请", "讀取,寫入", "(案號)", "額度:无"])
def test_what_is_not_taiwans_would_be_caught(text: str) -> None:
    assert _foreign(text)


def test_whoever_keeps_the_register_is_asked_where_nobody_is_named() -> None:
    assert "whoever keeps" in text("copy", "en", contact="")[1]
    assert "Ms Lin" in text("copy", "en", contact="Ms Lin")[1]
    assert text("copy", "fr") == text("copy", "en")
