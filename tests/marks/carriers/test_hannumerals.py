"""Chinese numerals to 99."""

from __future__ import annotations

from muniment.marks.carriers.hannumerals import HAN_NUMERALS, HAN_VALUES


def test_known_numerals() -> None:
    known = {1: "一", 10: "十", 12: "十二", 20: "二十", 99: "九十九"}
    assert {number: HAN_NUMERALS[number] for number in known} == known


def test_there_and_back() -> None:
    assert all(HAN_VALUES[numeral] == number for number, numeral in HAN_NUMERALS.items())
    assert len(HAN_VALUES) == 99
