"""From a source to an extract: what the engine coded, as exposure sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from muniment.engine.coding import CodedColumn
from muniment.errors import InputError
from muniment.exposure.reading import as_extract, read_extract
from muniment.ingest.sources import open_source

ROWS = (("A", "7"), ("B", "10"), ("A", "007"), ("C", "7"))


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "some.csv"
    path.write_text("\n".join(["letter,number", *(",".join(row) for row in ROWS)]) + "\n", encoding="utf-8")
    return str(path)


def test_columns_come_as_asked_for_and_labels_give_the_texts_back(source: str) -> None:
    record = np.array([5, 3, 8, 1], np.uint32)
    extract = read_extract(open_source(source), ("number", "letter"), labels=True, record=record)
    assert extract.names == ("number", "letter") and extract.rows == 4
    assert extract.record is record
    texts = [[column.labels[code] for code in column.codes.tolist()] for column in extract.columns]
    assert list(zip(*reversed(texts), strict=True)) == list(ROWS)
    number = extract.column("number")
    assert number.codes[0] == number.codes[3] != number.codes[2]
    assert (number.size, number.null) == (3, -1)


def test_a_condition_chooses_rows_and_without_labels_there_is_no_text(source: str) -> None:
    extract = read_extract(open_source(source), where="letter = 'A'")
    assert extract.names == ("letter", "number") and extract.rows == 2 and extract.record is None
    assert all(column.labels == () for column in extract.columns)
    with pytest.raises(InputError, match="no column 'digit'"):
        read_extract(open_source(source), ("digit",))


def test_fields_of_a_coded_column_keep_their_places() -> None:
    made = as_extract([CodedColumn("a", np.array([1, 0, 1], np.uint8), 2, 0, True, (None, "x"))]).column("a")
    assert (made.name, made.size, made.null, made.ordered, made.labels) == ("a", 2, 0, True, (None, "x"))
    assert made.codes.tolist() == [1, 0, 1]
    assert as_extract([]).rows == 0
