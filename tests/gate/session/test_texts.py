"""Facts that are kept by text and by shape are those that reading the text gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.conversations import catalogue
from muniment.gate.attribution.text import Facts, facts
from muniment.gate.session.texts import KEPT_TEXT_BYTES, TEXTS, Texts

CATALOGUE = catalogue()


class Reader:
    """Reads texts, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, text: bytes) -> Facts:
        self.count += 1
        return facts(text.decode(), CATALOGUE, conforming=True, safe_encoding=True)


SHAPES = [
    "select surname from person where id = {};", "select surname from person where id={} and surname = {}",
    "select {}, surname from person where {} = id limit {}", "select id from plain where id in ({}, {}, {})",
    "select surname from person where id = 1.{}", "select surname from person where id = {}e5",
    "select p{}.surname from person p{}", "set statement_timeout = {}", "select surname from person -- {}",
    "select '{}' from person where id = {}", "select $t{}$ where id = {} $t{}$",
    "select 0x{} from person where id = {}",
    "fetch {} from c", "select surname from person where id = -{}", 'select "{}" from person where id = {}',
    "select {}; select {}", "values ({}, {})", "select surname from person where id = {} or id = {}",
]  # fmt: skip


@given(st.sampled_from(SHAPES), st.lists(st.lists(st.integers(0, 10**18 - 1), min_size=3, max_size=3), max_size=4))
def test_by_text_or_shape_the_facts_are_the_same(shape: str, numbers: list[list[int]]) -> None:
    texts, read = Texts(Reader()), Reader()
    for some in numbers:
        text = shape.format(*some).encode()
        assert texts.facts(text) == read(text)


def test_a_text_is_read_once() -> None:
    reader = Reader()
    texts = Texts(reader)
    first = texts.facts(b"select 'a' from plain")
    assert texts.facts(b"select 'a' from plain") is first and reader.count == 1


def test_a_shape_is_tried_once_and_its_pin_follows_the_number() -> None:
    reader = Reader()
    texts = Texts(reader)
    pins = [texts.facts(b"select surname from person where id = %d" % number).pins["id"] for number in range(50)]
    assert pins == [str(number) for number in range(50)] and reader.count == 2


def test_what_was_read_is_forgotten_when_it_does_not_hold_any_more() -> None:
    reader = Reader()
    texts = Texts(reader)
    texts.facts(b"select 'a' from plain")
    texts.clear()
    texts.facts(b"select 'a' from plain")
    assert reader.count == 2


@pytest.mark.parametrize("text", [b"select '%d' from plain", b"select id%d from plain"])
def test_memory_is_bounded(text: bytes) -> None:
    texts = Texts(Reader())
    for number in range(TEXTS + 100):
        texts.facts(text % number)
    assert len(texts._texts) <= TEXTS and len(texts._shapes) <= TEXTS
    texts.facts(b"select '%b'" % (b"x" * KEPT_TEXT_BYTES))
    assert max(map(len, texts._texts)) <= KEPT_TEXT_BYTES
