"""The words of dumps: literals, names, and a cursor whose buffer ends anywhere."""

from __future__ import annotations

import io
import re

import pytest

from muniment.errors import LimitError
from muniment.ingest.leaks import sql_text
from muniment.ingest.leaks.sql_text import Cursor, Lexis, bare, copy_cell, plain_name, unescaped
from muniment.limits import LINE_CHARACTERS


def cursor(text: str) -> Cursor:
    return Cursor(io.StringIO(text, newline=""), "f")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (r"a\'b", "a'b"),
        (r"\n\t\0\Z", "\n\t\0\x1a"),
        (r"\%\_", r"\%\_"),
        (r"\x41\u00e9\U0001F600", "Aé😀"),
        (r"\ud800", "\ufffd"),
        ("''", "'"),
    ],
)
def test_backslash_escapes(found: str, expected: str) -> None:
    assert unescaped(found) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [("\\N", None), ("a\\tb", "a\tb"), ("\\\\N", "\\N"), ("\\101\\x42", "AB"), ("\\q", "q"), ("", "")],
)
def test_copy_escapes(found: str, expected: str | None) -> None:
    assert copy_cell(found) == expected


def test_values_without_quotes() -> None:
    words = {"null": None, "-1.5e3": "-1.5e3", "0x4142": "AB", "0xFF": "0xFF", "TRUE": "TRUE"}
    assert {word: bare(word) for word in words} == words


def test_names_without_quotes() -> None:
    assert [plain_name(name) for name in ("`a``b`", '"a""b"', "[a b]", "a")] == ["a`b", 'a"b', "a b", "a"]


@pytest.mark.parametrize("chunk", [1, 2, 7, 1_000])
def test_tokens_do_not_depend_on_the_buffer(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(sql_text, "_CHUNK", chunk)
    monkeypatch.setattr(sql_text, "_AHEAD", 1)
    text = "INSERT INTO `t a` VALUES ('it''s /* no */', E'\\'', 1.5); -- end\n/* c */ \"x\""
    place = cursor(text)
    found = []
    while match := place.token(Lexis(backslash=False)):
        found.append(match[0])
    assert "".join(found) == text
    assert {"`t a`", "'it''s /* no */'", "E'\\''", '"x"'} <= set(found)


def test_lines_before_an_end_that_never_comes() -> None:
    place = cursor("a\nb\r\nc")
    assert [line for lines in place.lines_before("\\.") for line in lines] == ["a", "b", "c"]
    assert place.cut


def test_lines_before_an_end() -> None:
    place = cursor("a\n\n\\.\nrest")
    assert [line for lines in place.lines_before("\\.") for line in lines] == ["a", ""]
    assert not place.cut
    assert place.match(re.compile("rest"))


def test_find_steps_behind() -> None:
    place = cursor("x" * 600_000 + "$$ after")
    assert place.find("$$")
    assert place.match(re.compile(" after"))
    assert not place.find("$$")
    assert place.at_end


def test_bounds() -> None:
    place = cursor("\n'" + "x" * 5_000_000)
    assert place.match(re.compile("\n"))
    with pytest.raises(LimitError, match="f: line 2"):
        place.token(Lexis(backslash=True))
    with pytest.raises(LimitError, match="characters"):
        list(cursor("x" * (LINE_CHARACTERS + 2**20)).lines_before("\\."))
