"""The short ways of a page to its words."""

from __future__ import annotations

import pytest

from language import verdicts
from muniment.trace.page import Page


def test_words_come_in_the_language_of_the_page() -> None:
    english, chinese = (Page(verdicts.one_named(), lang, examples=True) for lang in ("en", "zh-TW"))
    assert english.words("recipient").text == "Recipient"
    assert chinese.words("recipient").text == "收受者"
    assert chinese.number("symbols").number
    assert english.over_n(verdicts.OFFICE) == pytest.approx(18.34)


def test_notes_are_set_small() -> None:
    page = Page(verdicts.one_named(), "en", examples=True)
    assert page.paragraph("scale.note").startswith('<p class="note">')
    assert page.paragraph("strength.none").startswith("<p>")
    assert page.bullets("limits", "claims").count("<li>") == 1
