import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.disclosure import (
    Channel,
    Column,
    Kind,
    Outcome,
    Party,
    Register,
    Template,
    canonical_key,
    canonical_keys,
    checked_name,
)
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


def test_party_and_template_come_back_from_their_canonical_text() -> None:
    party = Party("市公所", "u17", "10.0.0.9")
    assert Party.from_text(party.to_text()) == party
    assert party.to_text() == '{"account":"u17","device":"10.0.0.9","recipient":"市公所"}'
    template = Template("persons", 2, Channel.GATE, (1, 3, 4095), "case work", outcome=Outcome.STOPPED)
    assert Template.from_text(template.to_text()) == template
    assert Template.from_text(Template("p", 1, Channel.FILE, (), "").to_text()).columns == ()


@pytest.mark.parametrize("text", ["[]", "{}", '{"account":""}', "no json"])
def test_another_shape_is_no_party_and_no_template(text: str) -> None:
    with pytest.raises(ValueError):
        Party.from_text(text)
    with pytest.raises(ValueError):
        Template.from_text(text)
