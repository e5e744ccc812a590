"""CSV and TSV files as a source: cells as they stand, faults by file and line."""

import gzip

import pytest

from muniment.errors import InputError, LimitError
from muniment.ingest.delimited import open_delimited
from muniment.limits import BATCH_ROWS, CELL_CHARACTERS, COLUMNS


@pytest.fixture
def file(tmp_path):
    """Write bytes or text to a file and give its path."""

    def write(content, name="x.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def rows(source, **kwargs):
    return [row for table in source.batches(**kwargs) for row in table.iter_rows()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,age\nAnna,31\nBert,\n", [("Anna", "31"), ("Bert", "")]),
        ("name;age\r\nAnna;1,5\r\nBert;2,5\r\n", [("Anna", "1,5"), ("Bert", "2,5")]),
        ("name\tage\nAn, na\t31\n", [("An, na", "31")]),
        ("name|age\rAnna|31\r", [("Anna", "31")]),
        ("name, age\nAnna, 31\nBert, \n", [("Anna", "31"), ("Bert", "")]),
        ('name,age\n"An\nna","3""1"\n', [("An\nna", '3"1')]),
        ("name,age\n\nAnna,31\n\n\nBert,9\n\n", [("Anna", "31"), ("Bert", "9")]),
        ("name,age\n Anna ,31 \n", [(" Anna ", "31 ")]),
        ("name,age\nAnna,31", [("Anna", "31")]),
        ("name,age\n", []),
    ],
)
def test_dialects(file, text, expected):
    source = open_delimited(file(text))
    assert source.columns == ("name", "age")
    assert rows(source) == expected
    assert rows(source) == expected  # a second pass sees the same


def test_one_column(file):
    source = open_delimited(file("address\n12 High St, Miami\n3 Low Rd, Ohio\n"))
    assert rows(source) == [("12 High St, Miami",), ("3 Low Rd, Ohio",)]


@pytest.mark.parametrize("encoding", ["big5", "gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings(file, encoding, packed):
    text = "姓名,地址\r\n陳小明,臺北市大安區信義路三段1號\r\n林美惠,新竹縣竹北市光明六路10號\r\n"
    data = text.encode(encoding)
    source = open_delimited(file(gzip.compress(data) if packed else data))
    assert source.columns == ("姓名", "地址")
    assert rows(source)[0] == ("陳小明", "臺北市大安區信義路三段1號")


def test_a_named_encoding_wins(file):
    path = file("name,x\nM\xfcller,1\n".encode("cp1252"))
    assert rows(open_delimited(path, encoding="latin2"))[0][0] == "Müller"


def test_everything_is_varchar(file):
    source = open_delimited(file("name,age\nAnna,31\n"))
    assert source.types == {"name": "VARCHAR", "age": "VARCHAR"}


def test_chosen_columns_in_the_order_asked_for(file):
    source = open_delimited(file("a,b,c\n1,2,3\n4,5,6\n"))
    assert rows(source, columns=["c", "a"]) == [("3", "1"), ("6", "4")]
    with pytest.raises(InputError, match="no column 'zz'; the columns are a, b, c"):
        rows(source, columns=["zz"])


def test_a_condition_may_use_columns_that_are_not_selected(file):
    source = open_delimited(file("name,age\nAnna,31\nBert,9\nCleo,40\n"))
    assert rows(source, columns=["name"], where="CAST(age AS INTEGER) > 30") == [("Anna",), ("Cleo",)]
    assert rows(source, where="age = ''") == []
    with pytest.raises(InputError, match="the columns are name, age"):
        rows(source, where="zz = 1")


def test_batches_are_bounded_and_in_order(file):
    count = 2 * BATCH_ROWS + 3
    source = open_delimited(file("n,x\n" + "".join(f"{n},x\n" for n in range(count))))
    tables = list(source.batches())
    assert [table.rows for table in tables] == [BATCH_ROWS, BATCH_ROWS, 3]
    assert [cell for table in tables for cell in table["n"]] == [str(n) for n in range(count)]


def test_a_batch_of_blank_lines_does_not_end_the_file(file):
    source = open_delimited(file("a,b\n1,2\n" + "\n" * (2 * BATCH_ROWS) + "3,4\n"))
    assert rows(source) == [("1", "2"), ("3", "4")]


# --- faults ----------------------------------------------------------------------------------------------------

FAULTS = {
    "empty": (b"", "the file is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf\r\n", "the file is empty"),
    "a field too few": (b"a,b\n1,2\n3\n", "line 3: expected 2 fields, found 1"),
    "a field too many": (b"a,b\n1,2\n1,2,3\n", "line 3: expected 2 fields, found 3"),
    "a quote never closed": (b'a,b\n1,2\n3,"x\n4,5\n', "line 3: a quote is opened and never closed"),
    "text after a quote": (b'a,b\n1,2\n1,"x"y\n3,4\n', "line 3: text follows a closing quote"),
    "two names alike": (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both named 'a'"),
    "a name missing": (b"a,,c\n1,2,3\n", "column 2 has no name"),
    "a name with a line break": (b'a,"b\nc"\n1,2\n', "control character"),
    "no header": (b"1,2\n3,4\n", "line 1 looks like a record"),
    "NUL bytes": (b"a,b\n1,\x00\n", "NUL bytes"),
    "gzip cut short": (gzip.compress(b"a,b\n" * 99)[:-9], "not a whole gzip file"),
    "not the encoding": (b"\xef\xbb\xbfa,b\n1,\xff\n", "byte 9 in line 2 is not utf-8-sig"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_name_the_file_and_the_place(file, fault):
    content, message = FAULTS[fault]
    path = file(content)
    with pytest.raises(InputError, match=message) as caught:
        rows(open_delimited(path))
    assert str(path) in str(caught.value)


def test_a_fault_far_in_is_named_by_its_line(file):
    lines = ["a,b"] + ["1,2"] * (BATCH_ROWS + 10) + ['"x', 'y",2', "3"]
    with pytest.raises(InputError, match=f"line {len(lines):,}: expected 2 fields, found 1"):
        rows(open_delimited(file("\n".join(lines))))


def test_wrong_encoding_far_in(file):
    path = file("a,b\n" + "1,é\n" * 100_000, "x.csv")
    with path.open("ab") as stream:
        stream.write(b"2,\xff\n")
    with pytest.raises(InputError, match="in line 100,002 is not utf-8"):
        rows(open_delimited(path))


def test_no_cell_is_quoted_in_an_error(file):
    with pytest.raises(InputError) as caught:
        rows(open_delimited(file("name,age\nSECRET,1\nSECRET\n")))
    assert "SECRET" not in str(caught.value)


def test_a_cell_too_long(file):
    with pytest.raises(LimitError, match="line 3: a cell has more than"):
        rows(open_delimited(file("a,b\n1,2\n3,x" + "x" * CELL_CHARACTERS + "\n")))


def test_too_many_columns(file):
    with pytest.raises(LimitError, match="columns: expected at most"):
        open_delimited(file(",".join(f"c{n}" for n in range(COLUMNS + 1)) + "\n"))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "columns", "count"),
    [("febrl_dataset4a.csv.gz", 11, 5_000), ("adult_train.csv.gz", 15, 32_561), ("fake_1000.csv", 7, 1_000)],
)
def test_reference_files(shared_data, name, columns, count):
    source = open_delimited(shared_data / name)
    assert len(source.columns) == columns
    assert sum(table.rows for table in source.batches()) == count
    assert not any(cell.startswith(" ") for table in source.batches() for cells in table.cells for cell in cells)
