import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.disclosure import Column, Kind, Register, canonical_key, canonical_keys, checked_name
from muniment.errors import InputError
from muniment.limits import NAME_CHARACTERS

PARTS = st.lists(st.text(max_size=4), min_size=2, max_size=2)


def test_the_encoding_of_a_key_never_changes() -> None:
    assert canonical_key(["ab", "號"]).hex() == "00000002616200000003e8999f"


@given(PARTS, PARTS)
def test_different_keys_have_different_encodings(first: list[str], second: list[str]) -> None:
    assert (canonical_key(first) == canonical_key(second)) == (first == second)


@given(st.lists(PARTS, max_size=5))
def test_many_keys_are_encoded_as_one_by_one(keys: list[list[str]]) -> None:
    columns = [[key[i] for key in keys] for i in range(2)]
    assert canonical_keys(columns) == [canonical_key(key) for key in keys]
    assert canonical_keys(columns[:1]) == [canonical_key(key[:1]) for key in keys]


def test_a_register_names_the_columns_it_has() -> None:
    register = Register("persons", "p.csv", ("id",), (Column("id", Kind.CODE, 1),), 10)
    assert register.column("id").number == 1
    with pytest.raises(InputError, match="register 'persons' has no column 'town'; its columns are id"):
        register.column("town")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("", "empty"), (" \t", "empty"), ("x" * (NAME_CHARACTERS + 1), "201 characters"), ("a\nb", "control character")],
)
def test_a_name_that_cannot_stand_in_a_table_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong) as raised:
        checked_name("the name of a recipient", name)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("name", ["Tax office", "稅務局", "x" * NAME_CHARACTERS])
def test_other_names_come_back_as_they_are(name: str) -> None:
    assert checked_name("name", name) == name
