"""Addresses and numbers of decoys: consistent renderings, the area's own postcode, new tails behind common heads."""

import re
from collections import Counter, defaultdict

from language.decoy_registers import PLAIN, demo_decoys, demo_habits, demo_table, plain_table
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.habits import learn
from muniment.marks.decoys.places import Digits, Placer, _shared_head


def numbers(text):
    return sorted(re.findall(r"\d+", text))


def test_both_renderings_hold_the_same_numbers():
    for zh, en in zip(demo_decoys()["address_zh"], demo_decoys()["address_en"], strict=True):
        if zh is not None and en is not None:
            section = "一二三四五".index(found[1]) + 1 if (found := re.search(r"(.)段", zh)) else None
            listed = numbers(en)
            if section:
                assert f"Section {section}" in en or "Section" in en
                listed.remove(re.search(r"Section (\d+)", en)[1])
            assert listed == numbers(zh)


def test_postcode_city_and_area_code_fit():
    streets = defaultdict(list)
    areas = defaultdict(Counter)
    for code, address, phone in zip(*(demo_table()[name] for name in ("postcode", "address_zh", "phone")), strict=True):
        if address:
            streets[code].append(address)
        if phone:
            areas[code][re.sub(r"\D", "", phone)[:3]] += 1
    drawn = zip(*(demo_decoys()[name] for name in ("postcode", "address_zh", "phone")), strict=True)
    for code, address, phone in drawn:
        assert address is None or address.startswith(_shared_head(streets[code]))
        assert phone is None or re.sub(r"\D", "", phone)[:3] in areas[code]


def test_columns_that_go_together_are_found():
    assert Placer(demo_habits()).groups == [("address_zh", "address_en", "postcode", "phone")]
    assert Placer(learn(plain_table(), PLAIN)).groups == [("street",), ("town", "post")]


def test_heads_of_numbers_are_where_digits_depend_on_one_another():
    coins = Coins(b"p" * 32)
    phones = Digits([f"0{area}-{area}{tail:04}" for area in (2, 3, 7) for tail in range(0, 10_000, 13)])
    assert phones.head("02-21234") == "022"
    new = {phones.renew("02-21234", coins) for _ in range(50)}
    assert len(new) > 45
    assert all(re.fullmatch(r"02-2\d{4}", number) for number in new)
    assert phones.head(None) is None
    assert phones.renew("12", coins) == "12", "a length that was never seen stays as it is"


def test_mobile_numbers_are_free_behind_the_prefix():
    assert Digits(demo_table()["mobile"]).head("0912-345-678") == "09"


def test_streets_are_now_and_then_new_to_their_area_but_of_its_form():
    known = {re.match(r".*?(?:路|街|大道)", cell)[0] for cell in demo_table()["address_zh"] if cell}
    streets = [re.match(r".*?(?:路|街|大道)", cell)[0] for cell in demo_decoys()["address_zh"] if cell]
    new = [street for street in streets if street not in known]
    assert 0 < len(new) < len(streets) / 3
    assert all({street[6:] for street in known} >= {street[6:]} for street in new)
