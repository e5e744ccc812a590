"""The words of a statement: as PostgreSQL cuts them, or unclear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.ingest.audit.tokens import Sort, Token, Unclear, fingerprint, tokens


def words(statement: str) -> list[str]:
    """The texts of all tokens."""
    return [token.text for token in tokens(statement)]


def test_the_sorts_of_words() -> None:
    found = list(tokens("""SELECT "Na""me", 'it''s', 7 , 1.5e3 FROM a.b -- end\nWHERE x<>$12 /* c */ ::int[]"""))
    assert [(token.sort, token.text) for token in found[:8]] == [
        (Sort.NAME, "select"), (Sort.QUOTED_NAME, 'Na"me'), (Sort.MARK, ","), (Sort.STRING, "it's"), (Sort.MARK, ","),
        (Sort.NUMBER, "7"), (Sort.MARK, ","), (Sort.NUMBER, "1.5e3"),
    ]  # fmt: skip
    assert words("a.b") == ["a", ".", "b"]
    assert Token(Sort.OPERATOR, "<>") in found and Token(Sort.PARAMETER, "12") in found
    assert [token.text for token in found[-4:]] == ["::", "int", "[", "]"]


def test_a_quoted_name_is_no_keyword() -> None:
    (token,) = tokens('"or"')
    assert token.is_name() and not token.is_word("or")


@pytest.mark.parametrize(
    "statement",
    [
        r"select '\' or true -- '",  # a backslash: two readings
        "select E'a'", "select e'\\''", "select U&'a'", "select x'1f'", "select n'a'",
        "select $$a$$", "select $tag$ ' $tag$",
        "select /* /* nested */ 1", "select a <-- comment", "select a */* b",
        "select 'open", 'select "open', "select /* open",
        "select $1a", "select 1a", "select 'a'\n'b'", "select \x00", "select Ätsch",
    ],
)  # fmt: skip
def test_what_has_another_reading_is_unclear(statement: str) -> None:
    with pytest.raises(Unclear):
        list(tokens(statement))


def test_a_fingerprint_holds_the_shape_and_no_value() -> None:
    def shape(statement: str) -> str:
        return fingerprint(list(tokens(statement)))

    one = shape("select * from person where id = 7")
    assert one == shape("SELECT *\n FROM Person  WHERE id = 4711 ; -- what for") == shape(
        "select * from person where id = $1"
    )
    assert shape("select a from b where c in (1, 2)") == shape("select a from b where c in ('x','y','z')")
    assert len({one, shape("select * from person where no = 7"), shape('select * from "person" where id = 7')}) == 3
    assert len(one) == 16


def test_a_long_statement_is_read_to_its_end() -> None:
    """A pattern that could go back would not come to an end here."""
    long = "select /* a */ 'x''y' from b where " + "c = 1 and " * 10_000
    assert len(words(long + "d")) == 40_006
    with pytest.raises(Unclear):
        list(tokens(long + "'open"))


@given(st.text(max_size=80) | st.text(alphabet="'\"$/*-\\ae1 \n", max_size=30))
def test_every_text_is_tokens_or_unclear(statement: str) -> None:
    try:
        found = list(tokens(statement))
    except Unclear:
        return
    assert fingerprint(found)
