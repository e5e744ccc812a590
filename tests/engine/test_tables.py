"""Names of tables: the one that is meant, and quoting."""

from pathlib import Path

import pytest

from muniment.engine.tables import chosen_table, quoted
from muniment.errors import InputError

FILE = Path("people.sqlite")


def test_quotes_are_doubled():
    assert quoted('we"ird') == '"we""ird"'


def test_the_only_table_needs_no_name():
    assert chosen_table(FILE, None, ["people"]) == "people"


def test_several_tables_are_listed():
    with pytest.raises(InputError, match="holds 2 tables: a, b") as caught:
        chosen_table(FILE, None, ["a", "b"])
    assert caught.value.hint == "name one: people.sqlite::TABLE"


def test_no_table_at_all():
    with pytest.raises(InputError, match="holds 0 tables: none"):
        chosen_table(FILE, None, [])


def test_a_missing_table_is_named_beside_what_there_is():
    with pytest.raises(InputError, match="no table 'x'; its tables are a, b"):
        chosen_table(FILE, "x", ["a", "b"])
