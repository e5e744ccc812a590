"""The survey of a register: rows, kinds, and whether its key is a key."""

import pytest

from muniment.disclosure import Kind
from muniment.errors import InputError
from muniment.ingest.delimited import open_delimited
from muniment.ingest.survey import survey
from muniment.limits import BATCH_ROWS
from muniment.table import Table


class Rows:
    """A source of given tables; notes which columns were read."""

    location = "rows"

    def __init__(self, *tables):
        self._tables = tables
        self.columns = tables[0].columns
        self.types = dict.fromkeys(self.columns, "VARCHAR")
        self.asked = []

    def batches(self, columns=None, where=None):
        self.asked.append(columns)
        for table in self._tables:
            yield table if columns is None else table.select(columns)


def people(*ids, names=None):
    return Table(("id", "name"), (list(ids), list(names or ["x"] * len(ids))))


def test_a_good_register():
    source = Rows(people("1", "2"), people("3"))
    found = survey(source, ["id"])
    assert (found.rows, found.columns) == (3, ("id", "name"))
    assert found.kinds == {"id": Kind.CODE, "name": Kind.NAME}
    assert source.asked == [None, ("id",)]  # after the first batch, the key alone


def test_repeated_keys_are_named_by_row():
    with pytest.raises(InputError, match=r"the key \(id\) is not unique: it repeats in rows 4, 5$") as caught:
        survey(Rows(people("SECRET1", "b", "c"), people("SECRET1", "c")), ["id"])
    assert "SECRET" not in str(caught.value)
    assert "--key" in caught.value.hint


def test_at_most_five_rows_are_named():
    with pytest.raises(InputError, match=r"rows 2, 3, 4, 5, 6 and more$"):
        survey(Rows(people(*["a"] * 50)), ["id"])


@pytest.mark.parametrize("empty", [None, "", "  ", "\u3000"])
def test_missing_keys_are_named_by_row(empty):
    with pytest.raises(InputError, match=r"the key \(id\) is NULL or empty in row 3$"):
        survey(Rows(people("1", "2"), people(empty, "4")), ["id"])


def test_a_key_of_two_columns():
    table = people("1", "1", "2", names=["a", "b", "a"])
    assert survey(Rows(table), ["id", "name"]).rows == 3
    with pytest.raises(InputError, match=r"row 2$"):
        survey(Rows(table), ["id"])


def test_parts_of_a_key_do_not_run_together():
    assert survey(Rows(people("ab", "a", names=["c", "bc"])), ["id", "name"]).rows == 2


def test_keys_are_not_folded():
    assert survey(Rows(people("a", "A", "a ", "0", "00")), ["id"]).rows == 5


def test_hashes_that_collide_accuse_nobody(monkeypatch):
    monkeypatch.setattr("muniment.ingest.survey.hash", lambda value: 7, raising=False)
    assert survey(Rows(people("1", "2", "3"), people("4", "5")), ["id"]).rows == 5
    with pytest.raises(InputError, match=r"row 5$"):
        survey(Rows(people("1", "2", "3"), people("4", "2")), ["id"])


@pytest.mark.parametrize("key", [[], ["id", "id"]])
def test_no_key(key):
    with pytest.raises(InputError, match="names no column, or one twice"):
        survey(Rows(people("1")), key)


def test_an_unknown_key_column():
    with pytest.raises(InputError, match="no key column 'zz'; the columns are id, name"):
        survey(Rows(people("1")), ["zz"])


def test_no_rows(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,name\n")
    with pytest.raises(InputError, match="no rows"):
        survey(open_delimited(path), ["id"])


def test_rows_are_counted_over_batches(tmp_path):
    path = tmp_path / "x.csv"
    count = 2 * BATCH_ROWS + 3
    path.write_text("id,name\n" + "".join(f"{n},x\n" for n in range(count)) + f"{BATCH_ROWS},x\n")
    with pytest.raises(InputError, match=f"row {count + 1:,}$"):
        survey(open_delimited(path), ["id"])
