"""JSON in its shapes, streamed and whole, broken and hostile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.leak_files import PEOPLE, json_lines, leak_of, rows_of, table_of
from muniment.errors import InputError, LimitError
from muniment.ingest.leaks.json_text import flat, looks_like_json

RECORDS = [dict(zip(PEOPLE.columns, row, strict=True)) for row in PEOPLE.iter_rows()]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2, ensure_ascii=False),
        json_lines(PEOPLE),
        json_lines(PEOPLE).replace("\n", "\r\n"),
        json.dumps({"meta": {"count": 4}, "data": RECORDS}),
        json.dumps({"a": {"b": {"people": RECORDS}}, "ok": True}),
        json.dumps({name: list(PEOPLE[name]) for name in PEOPLE.columns}),
        json.dumps({name: dict(enumerate(PEOPLE[name])) for name in PEOPLE.columns}),
        json.dumps({"columns": PEOPLE.columns, "data": list(PEOPLE.iter_rows())}),
        json.dumps([PEOPLE.columns, *PEOPLE.iter_rows()]),
        "".join(json.dumps(row) + "\n" for row in [PEOPLE.columns, *PEOPLE.iter_rows()]),
    ],
    ids="array indented lines crlf inside deep columns numbered split rows row-lines".split(),
)
def test_shapes(tmp_path: Path, text: str) -> None:
    found = table_of(tmp_path, text)
    assert found.table == PEOPLE
    assert found.header


def test_numbers_keep_their_characters(tmp_path: Path) -> None:
    found = table_of(tmp_path, '[{"a": 1.10, "b": 00, "c": 1}]'.replace("00", "12345678901234567890"))
    assert rows_of(found) == [("1.10", "12345678901234567890", "1")]


def test_truth_null_and_missing_keys(tmp_path: Path) -> None:
    found = table_of(tmp_path, '[{"a": true}, {"b": null}, {"b": "x", "a": false}]')
    assert found.table.columns == ("a", "b")
    assert rows_of(found) == [("true", None), (None, None), ("false", "x")]


def test_nested_objects_become_dotted_columns() -> None:
    long = ["x"] * 9
    record = {"name": {"first": "A", "last": "B"}, "phones": ["1", "2"], "tags": [], "long": long}
    assert flat(record) == {
        **{"name.first": "A", "name.last": "B", "phones.0": "1", "phones.1": "2"},
        **{"tags": None, "long": json.dumps(long)},
    }


def test_what_lies_too_deep_stays_json() -> None:
    value: object = "x"
    for _ in range(20):
        value = {"a": value}
    ((path, cell),) = flat({"r": value}).items()
    assert path.count(".") <= 9
    assert cell is not None
    assert json.loads(cell)


def test_objects_under_keys_keep_the_key(tmp_path: Path) -> None:
    found = table_of(tmp_path, '{"k1": {"name": "A"}, "k2": {"name": "B"}}')
    assert found.table.columns == ("key", "name")
    assert rows_of(found) == [("k1", "A"), ("k2", "B")]


def test_several_lists_are_several_tables(tmp_path: Path) -> None:
    leak = leak_of(tmp_path, json.dumps({"staff": RECORDS, "guests": RECORDS[:1]}))
    assert [(table.name, table.table.rows) for table in leak.tables] == [("staff", 4), ("guests", 1)]


def test_mere_values_are_one_column(tmp_path: Path) -> None:
    found = table_of(tmp_path, '["a", "b", 3]')
    assert (found.table.columns, rows_of(found), found.header) == (("column 1",), [("a",), ("b",), ("3",)], False)


def test_late_keys(tmp_path: Path) -> None:
    lines = "".join(f'{{"a": "{i}"}}\n' for i in range(20_000)) + '{"z": "late"}\n'
    found = table_of(tmp_path, lines)
    assert found.table.columns == ("a", "z")
    assert rows_of(found)[-1] == (None, "late")


def test_bad_lines_are_counted(tmp_path: Path) -> None:
    found = table_of(tmp_path, json_lines(PEOPLE) * 5 + '{"id": broken\n' + json_lines(PEOPLE))
    assert (found.table.rows, found.unreadable) == (24, 1)


def test_records_longer_than_the_buffer(tmp_path: Path) -> None:
    records = [{"id": str(i), "note": "é" * 700_000} for i in range(4)]
    found = table_of(tmp_path, json.dumps(records, ensure_ascii=False))
    assert [dict(zip(found.table.columns, row, strict=True)) for row in rows_of(found)] == records


@pytest.mark.parametrize("cut", [5, 40, 200])
def test_a_list_that_breaks_off_is_refused_with_its_place(tmp_path: Path, cut: int) -> None:
    with pytest.raises(InputError, match=r"leak.bin: JSON breaks off or is damaged at character \d"):
        table_of(tmp_path, json.dumps(RECORDS)[:cut])


def test_depth_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="nested too deep"):
        table_of(tmp_path, '[{"a":' + "[" * 100_000)
    with pytest.raises(LimitError, match="nested too deep"):
        table_of(tmp_path, '{"a":' * 100_000)


def test_many_different_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="different fields"):
        table_of(tmp_path, "".join(f'{{"k{i}": 1}}\n' for i in range(5_000)))


def test_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    found = table_of(tmp_path, r'[{"a\ud800": "x\udfff"}]')
    assert found.table.columns[0].encode()
    assert rows_of(found) == [("x\ufffd",)]


def test_no_record(tmp_path: Path) -> None:
    for text in ("[]", "{}", "[[], {}]"):
        with pytest.raises(InputError, match="without a record"):
            table_of(tmp_path, text)


def test_other_texts_do_not_look_like_json() -> None:
    assert not looks_like_json("[Section]\nkey=1")
    assert not looks_like_json("{name}, hello")


_VALUE = st.none() | st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), _VALUE, min_size=1), min_size=1, max_size=8))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, str | None]]) -> None:
    folder = tmp_path_factory.getbasetemp()
    found = table_of(folder, json.dumps(records))
    back = [dict(zip(found.table.columns, row, strict=True)) for row in rows_of(found)]
    assert back == [{name: record.get(name) for name in found.table.columns} for record in records]
