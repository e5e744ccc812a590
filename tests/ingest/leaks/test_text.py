"""Characters of a source: encodings, line ends, chunks."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment.errors import InputError
from muniment.ingest.leaks.source import Meter, Source
from muniment.ingest.leaks.text import Text
from muniment.limits import DETECT_BYTES


def text_of(folder: Path, content: bytes, encoding: str | None = None) -> Text:
    (folder / "f.txt").write_bytes(content)
    return Text.of(Source.of_file(folder / "f.txt", Meter("f.txt")), encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp950", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    lines = ["姓名,地址\n", *["王小明,台北市中山路一段\n"] * 50]
    text = text_of(tmp_path, "".join(lines).encode(encoding))
    assert [line for chunk in text.chunks() for line in chunk] == lines
    assert text.sample == "".join(lines)


def test_bytes_beyond_ascii_that_come_late(tmp_path: Path) -> None:
    content = b"id,name\n" * (DETECT_BYTES // 4) + "王小明,臺北市中山區\n".encode("cp950") * 30
    lines = [line for chunk in text_of(tmp_path, content).chunks() for line in chunk]
    assert lines[-1] == "王小明,臺北市中山區\n"


def test_lines_end_as_they_do_and_nowhere_else(tmp_path: Path) -> None:
    lines = ["a\r\n", "b\u2028c\x0bd\n", "e\r", "f"]
    assert [line for chunk in text_of(tmp_path, "".join(lines).encode()).chunks() for line in chunk] == lines


def test_a_line_end_across_two_chunks(tmp_path: Path) -> None:
    content = b"x" * (2**20 - 1) + b"\r\ny\n"
    lines = [line for chunk in text_of(tmp_path, content).chunks() for line in chunk]
    assert [len(line) for line in lines] == [2**20 + 1, 2]


def test_a_mark_named_by_the_user_is_no_character(tmp_path: Path) -> None:
    text = text_of(tmp_path, "\ufeffid\n".encode(), "utf-8")
    assert text.sample == "id\n"
    assert list(text.chunks()) == [["id\n"]]


def test_binary_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"f\.txt: binary data: expected CSV"):
        text_of(tmp_path, bytes(range(32)) * 10)
