"""Records that name their own fields."""

from __future__ import annotations

import pytest

from muniment.errors import LimitError
from muniment.ingest.leaks.builder import Budget
from muniment.ingest.leaks.records import Records
from muniment.limits import BATCH_ROWS, COLUMNS


def test_columns_in_order_of_appearance() -> None:
    records = Records("t", "f", Budget())
    for record in ({"b": "1"}, {}, {"a": "2", "b": None}):
        records.put(record)
    found = records.finish()
    assert found is not None
    assert found.table.columns == ("b", "a")
    assert list(found.table.iter_rows()) == [("1", None), (None, "2")]


def test_a_field_after_the_first_batch() -> None:
    records = Records("t", "f", Budget())
    for _ in range(BATCH_ROWS + 5):
        records.put({"a": "1"})
    records.put({"z": "2"})
    found = records.finish()
    assert found is not None
    assert (found.table["z"][0], found.table["z"][-1]) == (None, "2")


def test_beyond_the_budget_records_are_only_counted() -> None:
    records = Records("t", "f", Budget(rows=10))
    for _ in range(BATCH_ROWS + 5):
        records.put({"a": "1"})
    found = records.finish()
    assert found is not None
    assert (found.table.rows, found.left_out) == (10, BATCH_ROWS - 5)


def test_fields_are_bounded() -> None:
    records = Records("t", "f", Budget())
    with pytest.raises(LimitError, match="different fields"):
        records.put(dict.fromkeys(map(str, range(COLUMNS + 1)), "x"))


def test_no_record_is_no_table() -> None:
    assert Records("t", "f", Budget()).finish() is None
