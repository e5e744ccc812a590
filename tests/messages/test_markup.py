"""Markup that foreign text cannot break."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from muniment.messages.markup import Heading, Html, element, escape, join, pairs, plain, shorten, table


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(), st.text())
def test_no_text_becomes_a_tag_or_an_attribute(inside: str, attribute: str) -> None:
    parser = _Tags()
    parser.feed(element("p", inside, title=attribute))
    parser.close()
    assert parser.tags == ["p"]
    assert parser.attributes == ["title"]
    assert parser.text == plain(inside)


def test_markup_is_not_escaped_twice() -> None:
    assert element("p", element("b", "a & b")) == "<p><b>a &amp; b</b></p>"
    assert escape(Html("<br>")) == "<br>"
    assert join(["<", Html("<br>")]) == "&lt;<br>"


def test_attributes() -> None:
    assert element("rect", stroke_width=2, class_="a", fill=None) == '<rect stroke-width="2" class="a"/>'


def test_control_and_direction_characters_are_replaced() -> None:
    assert plain("a\x1b[2J\u202eb\u2066c\nd") == "a\ufffd[2J\ufffdb\ufffdc\ufffdd"
    assert plain("क्\u200dष 臺北") == "क्\u200dष 臺北"


def test_shorten_counts_wide_characters_twice() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert shorten("臺北市戶政", 6) == "臺北…"


def test_tables_have_captions_and_scoped_headings() -> None:
    made = table("Cap", [Heading("A"), Heading("N", number=True)], [("x", 1), ("sum", 1)], foot=1)
    assert "<caption>Cap</caption>" in made
    assert '<th scope="col">A</th><th scope="col" class="n">N</th>' in made
    assert '<tfoot><tr><th scope="row">sum</th>' in made
    assert '<th scope="row">k</th><td>v</td>' in pairs("Cap", [("k", "v")])
