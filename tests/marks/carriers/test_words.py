"""Case styles, and the words that tell the case of a cell."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.words import AFTER_STREET, ORDINALS, context, is_ordinal, style_of, styled, western


def test_every_style_of_both_words() -> None:
    table = styled({"street": "st"})
    assert table["Street"] == ("Street", "St", 0)
    assert table["ST."] == ("STREET", "ST", 1)
    assert "sT" not in table
    assert len(table) == 9


@pytest.mark.parametrize(
    ("word", "style"),
    [("avenue", "lower"), ("Avenue", "title"), ("AVE", "upper"), ("McIntyre", None), ("A", None), ("1st", None)],
)
def test_style(word: str, style: str | None) -> None:
    assert style_of(word) == style


@pytest.mark.parametrize(
    ("cell", "style"),
    [
        ("SMITH & SONS", "upper"),
        ("Smith & Sons", "lower"),
        ("3 & 5", None),
        ("UNIT 3 AND FIRST", None),
        ("ST.", "upper"),
        ("U3 & st.", "lower"),
        ("中山 & 大安", None),
    ],
)
def test_context_comes_from_words_that_no_carrier_touches(cell: str, style: str | None) -> None:
    assert context(cell.split(" ")) == style


def test_scripts_and_ordinals() -> None:
    assert western("Château 3")
    assert not western("中山路3號")
    assert is_ordinal("42nd")
    assert not is_ordinal("42")
    assert ORDINALS.keys() <= AFTER_STREET
