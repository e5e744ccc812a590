"""Fictitious households: shared what is shared, new what identifies."""

from collections import Counter, defaultdict

from language.decoy_registers import demo_decoys, demo_habits, demo_table
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.units import Drawer


def houses(table):
    found = defaultdict(list)
    for row in range(table.rows):
        found[table["household_id"][row]].append(row)
    return found


def test_households_share_and_are_new():
    decoys = demo_decoys()
    assert not set(decoys["household_id"]) & set(demo_table()["household_id"])
    for rows in houses(decoys).values():
        for name in ("address_zh", "address_en", "postcode", "phone"):
            assert len({decoys[name][row] for row in rows}) == 1


def test_households_are_of_realistic_sizes():
    real, ours = (Counter(map(len, houses(table).values())) for table in (demo_table(), demo_decoys()))
    for size in (1, 2, 3, 4):
        assert abs(real[size] / real.total() - ours[size] / ours.total()) < 0.1


def test_cells_are_filled_as_often_as_in_the_register():
    for name in demo_table().columns:
        real, ours = (sum(cell is None for cell in table[name]) / table.rows for table in (demo_table(), demo_decoys()))
        assert abs(real - ours) < 0.09, name


def test_members_keep_the_sex_of_those_whose_place_they_take_and_the_key_is_left_empty():
    drawer, coins = Drawer(demo_habits()), Coins(b"u" * 32)
    for number in range(30):
        unit = drawer.unit(number, coins)
        rows = demo_habits().units[number]
        assert [member["sex"] for member in unit] == [demo_table()["sex"][row] for row in rows]
        assert all(member["person_id"] is None for member in unit)
        assert all(set(member) == set(demo_table().columns) for member in unit)
