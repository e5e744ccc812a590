"""What a client is told, in both languages."""

from __future__ import annotations

import re

import pytest

from muniment.gate.policy.budgets import Exceeded
from muniment.gate.policy.rules import GRANT, LIFETIME, WINDOWS, Rules
from muniment.gate.policy.statements import Refusal
from muniment.gate.session import wording

MAINLAND = tuple("信息 數據 默認 用戶 軟件 程序 字符 文件夾 服務器 網絡 質量 賬 釋放".split())
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff）」][,;:!?.()]|[,;:!?()][\u4e00-\u9fff（「]")


def _foreign(text: str) -> list[str]:
    """What is not Taiwan's: words and characters of the mainland, half-width punctuation beside a character."""
    simplified = [char for char in text if "\u4e00" <= char <= "\u9fff" and not char.encode("big5", "ignore")]
    return [*(word for word in MAINLAND if word in text), *simplified, *HALF_WIDTH.findall(text)]


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
@pytest.mark.parametrize("window", [*WINDOWS, LIFETIME, GRANT, "rows"])
def test_a_stop_names_the_budget_and_whom_to_ask(window: str, lang: str) -> None:
    told = wording.stopped(Exceeded(window, 1_200, 1_200, 0), Rules("a", "a", contact="Lin, ext. 12"), lang)
    assert told.sqlstate == "57014" and "1,200" in told.message
    assert wording._WINDOWS[lang][window] in told.message
    assert "Lin, ext. 12" in told.hint


def test_the_languages_say_the_same_things() -> None:
    assert wording._TEXTS["en"].keys() == wording._TEXTS["zh-TW"].keys()
    assert wording._WINDOWS["en"].keys() == wording._WINDOWS["zh-TW"].keys()


@pytest.mark.parametrize("lang", ["en", "zh-TW", "de"])
def test_every_text_can_be_filled(lang: str) -> None:
    assert wording.warned(Exceeded("day", 1, 1, 0), Rules("a", "a"), lang).hint
    assert wording.ledger_down(lang).sqlstate == "MU001"
    assert wording.committed(Refusal("57014", "why"), lang).hint.find("why") >= 0
    assert wording.undescribed(lang).sqlstate == "42501"
    assert "1,000" in wording.text("long", lang, limit=1_000)


@pytest.mark.parametrize("chinese", [*wording._TEXTS["zh-TW"].values(), *wording._WINDOWS["zh-TW"].values()])
def test_chinese_is_that_of_taiwan(chinese: str) -> None:
    assert not _foreign(chinese)
