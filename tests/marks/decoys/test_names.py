"""Names of decoys: pieces that belong together stay together, families keep their pattern of surnames."""

from collections import defaultdict

from language.decoy_registers import PLAIN, demo_decoys, demo_habits, demo_table, plain_table
from muniment.demo import words
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.habits import learn
from muniment.marks.decoys.names import Namer, NearDonors

SPELLED = dict(words.SURNAMES_ZH)
for _sex in words.GIVEN_ZH.values():
    for _cohort in _sex:
        SPELLED |= dict(_cohort[0]) | dict(_cohort[1])


def test_both_scripts_say_the_same_name():
    for zh, en in zip(demo_decoys()["name_zh"], demo_decoys()["name_en"], strict=True):
        if zh is not None and en is not None:
            assert en.replace("-", " ").split() == [SPELLED[character] for character in zh]


def test_strands_and_surnames_are_found():
    full = Namer(demo_habits()).strands[((3, False), (3, True))]
    assert full.surname == (("name_zh", 0), ("name_en", 0))
    assert full.given == ((("name_zh", 1), ("name_en", 1)), (("name_zh", 2), ("name_en", 2)))
    western = Namer(demo_habits()).strands[(None, (2, True))]
    assert western.surname == (("name_en", 1),)


def test_a_unit_exchanges_its_surnames_one_for_one():
    namer, habits, coins = Namer(demo_habits()), demo_habits(), Coins(b"n" * 32)
    names = demo_table()["name_zh"]
    unit = next(rows for rows in habits.units
                if len(rows) >= 4 and len({names[row][:1] for row in rows if names[row]}) == 2)  # fmt: skip
    shared: dict = {}
    new = [namer.draw(row, habits.days[row], shared, coins)["name_zh"] for row in unit]
    for a, one in zip(unit, new, strict=True):
        for b, two in zip(unit, new, strict=True):
            if demo_table()["name_zh"][a][0] == demo_table()["name_zh"][b][0]:
                assert one[0] == two[0]


def test_given_names_fit_the_sex():
    seen = defaultdict(set)
    for name, sex in zip(demo_table()["name_zh"], demo_table()["sex"], strict=True):
        if name:
            seen[name[-1]].add(sex)
    drawn = zip(demo_decoys()["name_zh"], demo_decoys()["sex"], strict=True)
    wrong = sum(sex not in seen[name[-1]] for name, sex in drawn if name)
    assert wrong == 0


def test_names_in_separate_columns_are_recombined():
    habits, coins = learn(plain_table(), PLAIN), Coins(b"n" * 32)
    drawn = [Namer(habits).draw(row, habits.days[row], {}, coins) for row in range(40)]
    assert {one["given"] for one in drawn} <= set(plain_table()["given"])
    assert len({(one["given"], one["surname"]) for one in drawn}) > 20


def test_near_donors_are_of_the_bucket_and_of_about_the_same_day():
    days = list(range(1_000))
    near = NearDonors(["even" if day % 2 == 0 else "odd" for day in days], days)
    coins = Coins(b"n" * 32)
    for day in (0, 500, 999):
        drawn = [near.draw("odd", day, coins) for _ in range(200)]
        assert all(donor % 2 == 1 and abs(donor - day) <= 125 for donor in drawn)
        assert len(set(drawn)) > 30
    assert near.near("odd", 500) == 400
    assert near.near("none", 500) == 0


def test_undated_rows_are_donors_only_where_there_are_no_others():
    near, coins = NearDonors(["both", "both", "alone"], [5, 5, 5], frozenset({1, 2})), Coins(b"n" * 32)
    assert {near.draw("both", 5, coins) for _ in range(50)} == {0}
    assert near.draw("alone", 5, coins) == 2
