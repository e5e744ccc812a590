"""Encodings: told from a head, read strictly, bad bytes named by their place."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError, LimitError
from muniment.ingest.encoding import detect, detect_file, line_chunks, open_text
from muniment.limits import DETECT_BYTES, LINE_CHARACTERS

TRADITIONAL = (
    "姓名,地址,電話\r\n陳小明,臺北市大安區信義路三段134巷12號4樓,02-2700-1234\r\n林美惠,新竹縣竹北市光明六路10號,03-551-8101\r\n"
)
SIMPLIFIED = "姓名,地址,电话\n陈小明,北京市海淀区中关村大街27号,010-6251\n刘伟,上海市浦东新区世纪大道100号,021-5000\n"
JAPANESE = "氏名,住所\n山田太郎,東京都千代田区丸の内一丁目\n佐藤はなこ,大阪府大阪市きた区\n"
LATIN = "name,ort\nMüller,Köln\nFrançois,Besançon\n“quoted” – €5,x\n"
HONG_KONG = "姓名,地址\n陳大文,香港深水埗南昌街1號\n李嘅,九龍𨋢\n"

CASES = [
    (TRADITIONAL, "big5", "cp950"),
    (TRADITIONAL, "cp950", "cp950"),
    (TRADITIONAL, "gb18030", "gb18030"),
    (TRADITIONAL, "utf-8", "utf-8"),
    (TRADITIONAL, "utf-8-sig", "utf-8-sig"),
    (TRADITIONAL, "utf-16", "utf-16"),
    (TRADITIONAL, "utf-16-le", "utf-16-le"),
    (TRADITIONAL, "utf-16-be", "utf-16-be"),
    (TRADITIONAL, "utf-32", "utf-32"),
    (HONG_KONG, "big5hkscs", "big5hkscs"),
    (SIMPLIFIED, "gb18030", "gb18030"),
    (SIMPLIFIED, "gbk", "gb18030"),
    (SIMPLIFIED, "utf-16-le", "utf-16-le"),
    (JAPANESE, "shift_jis", "shift_jis"),
    (LATIN, "cp1252", "cp1252"),
    (LATIN, "utf-8", "utf-8"),
    (LATIN, "utf-16-be", "utf-16-be"),
]


@pytest.mark.parametrize(("text", "written", "found"), CASES)
def test_encodings_are_told(text, written, found):
    told = detect(text.encode(written))
    assert (told.name, told.certain) == (found, True)
    assert told.bom == (written in {"utf-8-sig", "utf-16", "utf-32"})


@pytest.mark.parametrize(("text", "written", "found"), CASES)
def test_a_head_that_cuts_a_character_tells_the_same(text, written, found):
    data = text.encode(written)
    assert {detect(data[:cut]).name for cut in range(len(data) - 8, len(data))} == {found}


@pytest.mark.parametrize("word", ["陳", "臺北市", "王小明,李大華"])
def test_little_text_is_enough(word):
    assert detect(f"{word}\n".encode("big5")).name == "cp950"


def test_plain_ascii_and_nothing_are_utf_8():
    assert detect(b"name,age\nx,1\n").name == "utf-8"
    assert detect(b"").name == "utf-8"


def test_stray_nul_bytes_do_not_make_utf_16():
    assert detect(b"a,b\n1,\x00\n").name == "utf-8"
    assert detect(b"name,note\nx,\x00\x00\x00\ny,some text\n" * 20).name == "utf-8"


def test_nonsense_is_not_certain():
    assert not detect(b"\xff\x81\x8d\x00\xfe\x80abc\xff\xff").certain


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(data):
    assert detect(data).name


@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_valid_utf_8_is_told(text):
    if not text.startswith("\ufeff") and "\0" not in text:
        assert detect(text.encode()).name == "utf-8"


@pytest.mark.parametrize(("text", "written", "found"), CASES)
def test_files_read_back(tmp_path, text, written, found):
    plain, packed = tmp_path / "x.csv", tmp_path / "x.csv.gz"
    plain.write_bytes(text.encode(written))
    packed.write_bytes(gzip.compress(text.encode(written)))
    for path in (plain, packed):
        with open_text(path) as stream:
            assert stream.read() == text
        assert "".join(line for chunk in line_chunks(path) for line in chunk) == text


def test_bytes_beyond_ascii_that_come_late_are_found(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"id,name\n" + b"1,x\n" * (DETECT_BYTES // 3) + "2,陳小明\n".encode("big5"))
    assert detect_file(path).name == "cp950"


def test_wrong_bytes_are_named_by_offset_and_line(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("id,姓名\n1,陳\n".encode() + "2,臺北市\n".encode("big5"))
    place = "byte 18 in line 3 is not utf-8"
    with open_text(path, "utf-8") as stream, pytest.raises(InputError, match=place) as caught:
        stream.read()
    assert "--encoding" in caught.value.hint


READERS = {
    "lines": list,
    "readline": lambda stream: list(iter(stream.readline, "")),
    "read": lambda stream: stream.read(),
    "chunks": lambda stream: list(line_chunks(Path(stream.name), "utf-8")),
}


@pytest.mark.parametrize("how", READERS)
def test_wrong_bytes_far_in(tmp_path, how):
    path = tmp_path / "x.csv"
    head = "a,é\n".encode() * 1_000_000
    path.write_bytes(head + b"\xff\n")
    place = f"byte {len(head):,} in line 1,000,001 is not utf-8"
    with open_text(path, "utf-8") as stream, pytest.raises(InputError, match=place):
        READERS[how](stream)


def test_the_message_says_what_the_file_looks_like(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(TRADITIONAL.encode("big5"))
    with open_text(path, "ascii") as stream, pytest.raises(InputError, match="looks like cp950"):
        stream.read()


def test_a_character_cut_by_the_end_of_the_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("a,é".encode()[:-1])
    with open_text(path, "utf-8") as stream, pytest.raises(InputError, match="byte 2 in line 1"):
        stream.read()


@pytest.mark.parametrize("name", ["nope", "base64", "rot13"])
def test_an_unknown_encoding(tmp_path, name):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a\n")
    with pytest.raises(InputError, match="unknown encoding"):
        open_text(path, name)


def test_gzip_that_is_cut_short(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * 100_000)[:-20])
    with pytest.raises(InputError, match="not a whole gzip file"):
        list(line_chunks(path, "utf-8"))
    with pytest.raises(InputError, match="not a whole gzip file"):
        detect_file(path)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        open_text(tmp_path / "none.csv")
    with pytest.raises(InputError, match="no such file"):
        open_text(tmp_path)


def test_line_ends_are_kept_and_only_they_divide(tmp_path):
    path = tmp_path / "x.csv"
    text = "a\r\nb\nc\rd\u2028e\x0bf\x85g"
    path.write_bytes(text.encode())
    assert [line for chunk in line_chunks(path) for line in chunk] == ["a\r\n", "b\n", "c\r", "d\u2028e\x0bf\x85g"]


def test_a_line_end_on_the_border_of_two_chunks(tmp_path):
    path = tmp_path / "x.csv"
    line = "x" * ((1 << 20) - 1) + "\r\n"  # "\r" ends the first chunk that is read
    path.write_bytes((line * 2).encode())
    assert [len(found) for chunk in line_chunks(path) for found in chunk] == [len(line)] * 2


def test_a_file_that_is_one_endless_line(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"x" * (LINE_CHARACTERS + 2))
    with pytest.raises(LimitError, match="a line has more than"):
        list(line_chunks(path, "ascii"))
    with open_text(path, "ascii") as stream, pytest.raises(LimitError, match="a line has more than"):
        next(stream)


def test_nul_bytes_are_no_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n1,\x00\n")
    with pytest.raises(InputError, match="NUL"):
        list(line_chunks(path))
