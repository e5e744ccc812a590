"""Invented dwellings: both renderings of an address hold the same numbers, telephones the area code of the district."""

import re

import numpy as np
import pytest

from muniment.demo import dwellings
from muniment.demo.places import DISTRICTS


@pytest.fixture(scope="module")
def homes():
    return dwellings.draw(np.random.default_rng(3), 3_000)


def test_both_renderings_hold_the_same_numbers(homes):
    for zh, en in zip(homes.zh, homes.en, strict=True):
        section = "一二三四五".index(found[1]) + 1 if (found := re.search(r"(.)段", zh)) else None
        there = sorted(map(int, re.findall(r"\d+", zh))) + ([section] if section else [])
        assert sorted(there) == sorted(map(int, re.findall(r"\d+", en)))


def test_addresses_have_the_form_of_the_post(homes):
    form = re.compile(r"(\w+[市縣])(\w+[區市鎮鄉])(\w+?)(.段)?(\d+巷)?(\d+弄)?\d+(之\d+)?號(\d+樓(之\d+)?)?")
    assert all(form.fullmatch(address) for address in homes.zh)
    assert any("樓之" in address for address in homes.zh)
    assert any("弄" in address for address in homes.zh)


def test_telephones_have_the_area_code_of_the_district(homes):
    for district, phone in zip(homes.district.tolist(), homes.phone, strict=True):
        assert re.sub(r"\D", "", phone).startswith(DISTRICTS[district].area)
    layouts = {re.sub(r"\d+", "9", phone) for phone in homes.phone}
    assert layouts == {"9-9-9", "(9)9-9", "(9) 9-9", "9"}
