"""Columns drawn from records alike: what goes with age, area and script still does."""

from collections import Counter

from language.decoy_registers import PLAIN, demo_decoys, demo_table, plain_table
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.dates import read_date
from muniment.marks.decoys.donors import Donors, _nearby
from muniment.marks.decoys.habits import learn


def shares(table, condition):
    """How often an occupation, the birthplace of the city, and so on, go with a condition."""
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.iter_rows()]
    chosen = [condition(row) for row in rows]
    known = [answer for answer in chosen if answer is not None]
    return sum(known) / len(known)


def test_birthplaces_go_with_the_city():
    def local(row):
        return row["birthplace"] == row["address_zh"][:3] if row["address_zh"] and row["name_zh"] else None

    assert abs(shares(demo_table(), local) - shares(demo_decoys(), local)) < 0.08


def test_pupils_are_young_and_the_retired_old():
    def age(row):
        born = read_date(row["birth_date"])
        return None if born is None else (read_date("2026-06-30").day - born.day) / 365.25

    for row in demo_decoys().iter_rows():
        cells = dict(zip(demo_decoys().columns, row, strict=True))
        if (years := age(cells)) is not None:
            assert cells["occupation"] != "學生" or years < 26
            assert cells["occupation"] != "退休" or years > 60


def test_foreign_names_come_with_foreign_birthplaces():
    records = zip(demo_table()["birthplace"], demo_table()["name_zh"], strict=True)
    countries = {place for place, name in records if not name}
    for place, name in zip(demo_decoys()["birthplace"], demo_decoys()["name_zh"], strict=True):
        assert (place in countries) == (name is None)


def test_numbers_are_near_those_of_others_and_some_are_new():
    old, new = Counter(demo_table()["points"]), demo_decoys()["points"]
    fresh = sum(cell is not None and cell not in old for cell in new)
    assert 0 < fresh < len(new) / 2


def test_a_number_nearby_keeps_decimals_and_round_endings():
    coins = Coins(b"d" * 32)
    for _ in range(50):
        assert _nearby("12500", coins, rounded=True).endswith("00")
        assert len(_nearby("40.25", coins, rounded=True).partition(".")[2]) == 2
        assert 35 < float(_nearby("40.25", coins, rounded=True)) < 45
        assert _nearby("-70", coins, rounded=True).startswith("-")
    assert _nearby("n/a", coins, rounded=True) == "n/a"
    assert _nearby("0", coins, rounded=True) in ("0", "1")


def test_where_numbers_are_not_rounded_no_more_end_in_zero_than_by_chance():
    coins = Coins(b"d" * 32)
    zeros = sum(_nearby(str(number), coins, rounded=False).endswith("0") for number in range(1_000, 3_000))
    assert 140 < zeros < 260


def test_prices_of_few_values_bring_no_new_ones():
    prices = plain_table().with_cells({"fee": ["9.99", "49.00", "120.50"] * 500})
    donors = Donors(learn(prices, PLAIN))
    made = {name: plain_table()[name][3] for name in ("town", "post")}
    coins = Coins(b"d" * 32)
    assert {donors.draw(3, 720_000, made, coins)["fee"] for _ in range(60)} == {"9.99", "49.00", "120.50"}


def test_a_record_alike_has_a_name_of_the_same_shape():
    habits, coins = learn(plain_table(), PLAIN), Coins(b"d" * 32)
    donors = Donors(habits)
    assert all(habits.shapes[donors.alike(3, habits.days[3], coins)] == habits.shapes[3] for _ in range(50))
    drawn = donors.draw(3, habits.days[3], {"town": "Winford", "post": "2000"}, coins)
    assert set(drawn) == {"fee"}
