"""Reading TOML tables: what every file of ours says of a fault (the files themselves: test_read, gate.policy)."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment.config.settings import Setting
from muniment.config.tables import TableReader, stored_tables
from muniment.errors import InputError

PATH = Path("x.toml")
READER = TableReader(PATH, hidden="control", explain="muniment gate explain")


def _refuse(value: object) -> object:
    raise ValueError(f"with {value} in it")


def _key(name: str) -> Setting:
    return Setting("gate", name, "a port", "", "", _refuse)


def test_a_text_that_is_no_toml_is_named() -> None:
    with pytest.raises(InputError, match=r"x\.toml: not TOML: "):
        stored_tables("a = ", PATH)
    assert stored_tables("[a]\nb = 1", PATH) == {"a": {"b": 1}}


def test_an_unknown_key_is_named_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"unknown key gate\.lissten; expected listen, workers") as caught:
        READER.only_known({"lissten": 1}, ("listen", "workers"), "gate")
    assert caught.value.hint == "did you mean listen?"
    READER.only_known({"listen": 1}, ("listen",), "gate")


def test_what_is_no_table_is_named() -> None:
    with pytest.raises(InputError, match=r"gate: expected a table \[gate\], came a whole number"):
        READER.table("gate", 7)
    assert READER.table("gate", {"a": 1}) == {"a": 1}


@pytest.mark.parametrize(
    ("name", "came", "said"),
    [("port", "x", "came 'x'"), ("port", "x" * 90, "came a text"), ("port", [1], "came a list"),
     ("control", "password=y", "came a text")],
)  # fmt: skip
def test_a_wrong_value_is_shown_where_it_is_short_and_no_secret(name: str, came: object, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        READER.parsed("gate", _key(name), f"gate.{name}", came)
    assert caught.value.hint == f"muniment gate explain gate.{name}"
    assert caught.value.__cause__ is None
