"""The lexer: quoting and comments as PostgreSQL reads them, and doubt where that is not certain."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.attribution.tokens import Doubt, Sort, tokens


def _read(text: str) -> list[tuple[str, str]]:
    return [(token.sort.value, token.text) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT Id", [("word", "select"), ("word", "id")]),
        ('"Per""son"', [("name", 'Per"son')]),
        ("'it''s'", [("string", "it's")]),
        ("N'x'", [("string", "x")]),
        (r"E'a\'b'", [("escaped", r"E'a\'b'")]),
        ("$$it's$$", [("string", "it's")]),
        ("$t$a $$ b$t$", [("string", "a $$ b")]),
        ("a$b$c", [("word", "a$b$c")]),
        ("$12", [("parameter", "12")]),
        ("1.5e3 .5", [("number", "1.5e3"), ("number", ".5")]),
        ("a -- 'x\nb", [("word", "a"), ("word", "b")]),
        ("a /* ' /* */ ' */ b", [("word", "a"), ("word", "b")]),
        ("a<--'\n1", [("word", "a"), ("sign", "<"), ("number", "1")]),
        ("ÄB", [("word", "Äb")]),
        ("type'x'", [("word", "type"), ("string", "x")]),
    ],
)
def test_what_is_written_is_read_as_the_server_reads_it(text: str, expected: list[tuple[str, str]]) -> None:
    assert _read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "select 'a", 'select "a', "select $$a", "select $t$ $$", "/* /* */", "U&'d'", 'U&"d"', '""', "\\", "a" * 64,
        '"' + "é" * 32 + '"', "E'x'\n'y\\' from person --'", "E'x' /* c */ 'y'", "x'1'\n'2'",
    ],
)  # fmt: skip
def test_what_may_be_read_otherwise_is_in_doubt(text: str) -> None:
    with pytest.raises(Doubt):
        tokens(text)


@given(st.text(alphabet="ab'\"$/*-\\ \n;eEuU&x1(", max_size=40))
def test_any_text_is_read_or_in_doubt(text: str) -> None:
    try:
        found = tokens(text)
    except Doubt:
        return
    assert all(text[one.start : one.end] for one in found)
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


def test_places_lead_back_to_the_text() -> None:
    text = "copy (select 'a b') to stdout"
    assert [text[one.start : one.end] for one in tokens(text) if one.sort is Sort.STRING] == ["'a b'"]
