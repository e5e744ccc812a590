"""Dialects: every usual one, cut anywhere, with and without a header."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.ingest.dialect import ONE_COLUMN, looks_like_header, names_columns, sniff

SAMPLES = {
    # name: (text, delimiter, header)
    "comma": ("name,age\nAnna,31\nBert,9\n", ",", True),
    "semicolons with decimal commas": ("name;height;weight\nAnna;1,70;65,2\nBert;1,82;80,5\n", ";", True),
    "nothing but decimal commas": ("1,5;2,5;3,5\n2,5;3,5;4,5\n", ";", False),
    "quoted commas": ('name,address\n"Smith, Anna","12, High St"\n"Li ""Bo""","3, Low Rd, X"\n', ",", True),
    "quoted semicolons": ('name;x\n"a;b";1\n"c;d;e";2\n', ";", True),
    "pipes": ("a|b|c\n1|2,3|4\n5|6|7,8\n", "|", True),
    "tabs with commas inside": ("a\tb\n1,2\tx\n3\ty, z\n", "\t", True),
    "colons": ("root:x:0:0\nbin:x:1:1\n", ":", False),
    "times in a comma file": ("id,time\n1,10:05:03\n2,11:05:03\n", ",", True),
    "times without a header": ("1,10:05:03\n2,11:05:03\n", ",", False),
    "blank after the comma": ("a, b, c\nx, , z\nq, r, s\n", ",", True),
    "cells of several lines": ('a,b\n"x\ny",2\n"p\nq",3\n', ",", True),
    "one column": ("name\nAnna\nBert\n", ONE_COLUMN, True),
    "one column of addresses": ("address\n12 High St, Miami\n14 Low St, Ohio\n3 X Rd, Y\n", ONE_COLUMN, True),
    "one column of times": ("time\n10:05:03\n11:05:03\n", ONE_COLUMN, True),
    "one column of numbers": ("31\n9\n40\n", ONE_COLUMN, False),
    "Chinese header": ("姓名,地址\n陳小明,臺北市\n", ",", True),
    "Chinese records": ("陳小明,臺北市大安區,0912345678\n李大華,新竹市,0922333444\n", ",", False),
    "empty": ("", ONE_COLUMN, False),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_delimiter_and_header(name):
    text, delimiter, header = SAMPLES[name]
    dialect = sniff(text)
    assert (dialect.delimiter, dialect.header) == (delimiter, header)
    assert dialect.one_column == (delimiter == ONE_COLUMN)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    dialect = sniff(end.join(["a,b", "1,2", "3,4", ""]))
    assert (dialect.lineterminator, dialect.delimiter) == (end, ",")


def test_blank_after_the_delimiter_is_no_part_of_a_cell():
    text = SAMPLES["blank after the comma"][0]
    dialect = sniff(text)
    assert dialect.skip_initial_space
    assert list(dialect.reader(io.StringIO(text)))[1] == ["x", "", "z"]
    assert not sniff("a,b\nx, y\nz,w\n").skip_initial_space


def test_single_quotes():
    text = "a,b\n'x, y',2\n'p, q, r',3\n"
    dialect = sniff(text)
    assert dialect.quotechar == "'"
    assert list(dialect.reader(io.StringIO(text)))[1] == ["x, y", "2"]


def test_an_apostrophe_is_no_quote():
    assert sniff("name,town\nO'Hara,L'Aquila\nx,'s-Hertogenbosch\n").quotechar == '"'


def test_backslash_escapes():
    text = 'a,b\n"x \\"y\\", z",2\n"p",3\n'
    dialect = sniff(text)
    assert (dialect.escapechar, dialect.doublequote) == ("\\", False)
    assert list(dialect.reader(io.StringIO(text)))[1] == ['x "y", z', "2"]


def test_a_backslash_before_a_closing_quote_is_no_escape():
    assert sniff('path,n\n"C:\\dir\\",1\n"D:\\",2\n').escapechar is None


def test_stray_quotes_in_a_file_without_quoting():
    text = 'size\tn\n5" pipe\t1\n"x\t2\nplain\t3\n' * 5
    dialect = sniff(text)
    assert dialect.delimiter == "\t"
    assert dialect.quotechar is None


def test_a_ragged_file_keeps_its_delimiter():
    assert sniff("a,b\n1,2\n3\n").delimiter == ","


def test_the_end_of_a_sample_may_cut_a_record():
    text = "name;x;y\n" + "Anna;1,5;2\n" * 40
    assert {sniff(text[:cut]).delimiter for cut in range(60, len(text))} == {";"}


CELLS = st.text(st.sampled_from("ab1 ,;|\t:'\"\n台"), max_size=6)


@given(
    st.lists(st.tuples(CELLS, CELLS, st.integers(0, 99)), min_size=3, max_size=12),
    st.sampled_from(",;|\t"),
)
def test_what_the_csv_module_quotes_in_full_reads_back(rows, delimiter):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["name", "address", "age"])
    writer.writerows(rows)
    dialect = sniff(text.getvalue())
    found = list(dialect.reader(io.StringIO(text.getvalue(), newline=""), strict=True))
    assert found == [["name", "address", "age"], *[[a, b, str(n)] for a, b, n in rows]]


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text):
    assert sniff(text) == sniff(text)


def test_header_rules():
    assert looks_like_header([["colour", "fruit"], ["red", "apple"], ["red", "plum"]])
    assert not looks_like_header([["red", "apple"], ["blue", "apple"], ["red", "apple"]])
    assert not looks_like_header([["1", "2"], ["3", "4"]])
    assert not looks_like_header([["Anna", "anna@x.org"], ["Bert", "bert@x.org"]])
    assert looks_like_header([["name", ""], ["Anna", "1"]])
    assert not looks_like_header([["Anna", ""], ["Bert", "1"]])
    assert not looks_like_header([])


def test_a_header_of_years_still_names_columns():
    assert names_columns(["city", "2019", "2020"], [["Bonn", "1", "2"]])
    assert not names_columns(["Bonn", "2019", "2020"], [["Bonn", "1", "2"]])


def test_a_very_long_cell_costs_no_more_than_its_length() -> None:
    """The square of 400,000 steps would take many minutes: then this test hangs."""
    text = f"{'a' * 100_000},b\n1,2\n"
    assert len(list(sniff(text).reader(io.StringIO(text), strict=False))) >= 1
