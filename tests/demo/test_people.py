"""The demo register: the same rows however they are asked for, plausible households, frequencies as in real life."""

from collections import Counter, defaultdict
from itertools import chain

import pytest

from muniment.demo import people
from muniment.disclosure import Kind
from muniment.errors import InputError
from muniment.marks.decoys.dates import read_date

PERSONS = 20_000


@pytest.fixture(scope="module")
def register():
    return people.register(PERSONS, 7)


def test_batches_hold_the_same_rows(register):
    batches = list(people.stream(PERSONS, 7, 3_333))
    assert [batch.rows for batch in batches] == [3_333] * 6 + [2]
    assert list(chain.from_iterable(batch.iter_rows() for batch in batches)) == list(register.iter_rows())


def test_a_smaller_register_is_the_head_of_a_larger_one(register):
    assert list(people.register(777, 7).iter_rows()) == list(register.iter_rows())[:777]


def test_another_seed_gives_other_persons(register):
    other = people.register(1_000, 8)
    assert not set(other["person_id"]) & set(register["person_id"])


def test_numbers_are_unique_and_every_column_has_its_kind(register):
    assert len(set(register["person_id"])) == PERSONS
    described = people.describe()
    assert [column.name for column in described.columns] == list(register.columns)
    assert described.key == ("person_id",)
    assert {column.kind for column in described.columns} >= {Kind.NAME, Kind.ADDRESS, Kind.PHONE, Kind.NUMBER}


def test_households_share_what_households_share(register):
    shared = ("address_zh", "address_en", "postcode", "phone")
    houses = defaultdict(list)
    for house, *cells in zip(register["household_id"], *(register[name] for name in shared), strict=True):
        houses[house].append(tuple(cells))
    assert all(len(set(rows)) == 1 for rows in houses.values())
    sizes = Counter(len(rows) for rows in houses.values())
    assert sizes[1] > sizes[3] > sizes[5] > sizes[7] > 0


def test_names_fall_off_as_real_ones_do(register):
    surnames = Counter(name[0] for name in register["name_zh"] if name)
    assert [name for name, _ in surnames.most_common(2)] == ["陳", "林"]
    assert 0.08 < surnames["陳"] / surnames.total() < 0.16
    assert len(surnames) > 80
    names = Counter(name for name in register["name_zh"] if name)
    assert names.most_common(1)[0][1] >= 5
    assert sum(count == 1 for count in names.values()) > len(names) / 2


def test_both_languages_have_places_for_marks(register):
    assert sum("臺" in (cell or "") for cell in register["address_zh"]) > PERSONS * 0.3
    assert sum("號" in (cell or "") for cell in register["address_zh"]) > PERSONS * 0.9
    types = ("Street", "Road", "Avenue", "Boulevard")
    assert sum(any(kind in (cell or "") for kind in types) for cell in register["address_en"]) > PERSONS * 0.6
    assert "Goldfinch Street" in " ".join(filter(None, register["address_en"]))


def test_cells_are_missing_in_places_and_never_empty(register):
    for name in ("name_zh", "name_en", "phone", "mobile", "email", "occupation", "birth_date", "points"):
        assert 0 < sum(cell is None for cell in register[name]) < PERSONS * 0.7, name
    assert not any(cell == "" for cells in register.cells for cell in cells)


def test_nobody_is_registered_before_birth(register):
    for born, stamp in zip(register["birth_date"], register["registered_at"], strict=True):
        if born is not None:
            assert read_date(born).day <= read_date(stamp).day


def test_mail_leads_nowhere(register):
    domains = {cell.partition("@")[2] for cell in register["email"] if cell}
    assert all(domain.split(".")[-1] == "example" or domain.split(".")[0] == "example" for domain in domains)


@pytest.mark.parametrize("persons", [0, -1, 10**9])
def test_an_impossible_number_of_persons_is_refused(persons):
    with pytest.raises(InputError, match="persons: expected 1 to"):
        people.register(persons, 7)
