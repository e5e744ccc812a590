"""Markup that cannot be broken by foreign text: elements that escape whatever they are not sure of.

Rules
1. `Html` is text that is markup already; everything else that goes into an element or attribute is escaped.
2. Foreign text loses control characters and the marks that turn the direction of writing: a name must not be able to
   rewrite the line it stands in, neither on a page nor on a terminal.
3. No inline style, no script, no address of anything outside: the content security policy of the page forbids them.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

VOID: Final = frozenset({"meta", "br", "rect", "line", "path", "circle"})
"""Elements that hold nothing and are closed at once."""
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_NEEDED_IN_WORDS: Final = frozenset({"\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}"})


class Html(str):
    """Text that is markup already and goes into a page as it is."""

    __slots__ = ()


def plain(foreign: str) -> str:
    """Return foreign text with every control and direction character replaced by U+FFFD."""
    return "".join(
        _REPLACED if unicodedata.category(char) in _HIDDEN_CATEGORIES and char not in _NEEDED_IN_WORDS else char
        for char in foreign
    )


def shorten(foreign: str, width: int, cut: str = "…") -> str:
    """Cut `foreign` to a display width, wide characters (CJK) counted as two; `cut` marks where."""
    used = 0
    for place, char in enumerate(foreign):
        used += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if used > width:
            return foreign[: max(place - 1, 0)] + cut
    return foreign


def escape(value: object) -> Html:
    """Return a value as markup: `Html` as it is, anything else cleaned and escaped."""
    return value if isinstance(value, Html) else Html(html.escape(plain(str(value)), quote=True))


def join(parts: Iterable[object]) -> Html:
    """Return parts one after the other, each escaped unless it is markup."""
    return Html("".join(escape(part) for part in parts))


def element(tag: str, *children: object, **attributes: object) -> Html:
    """Return `<tag attributes>children</tag>`.

    A trailing underscore in an attribute's name is dropped (`class_`), other underscores become hyphens
    (`stroke_width`); an attribute with the value `None` is left out.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID and not children:
        return Html(f"<{tag}{written}>" if tag in ("meta", "br") else f"<{tag}{written}/>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


class Heading(NamedTuple):
    """The heading of one column of a table; numbers stand to the right."""

    text: str
    number: bool = False


def table(
    caption: object,
    headings: Sequence[Heading],
    rows: Iterable[Sequence[object]],
    *,
    foot: int = 0,
    quiet: bool = False,
) -> Html:
    """Return a table with a caption, scoped headings (the first cell of a row is its heading) and `foot` last rows.

    A `quiet` caption is there for readers of the structure only: a heading right above says the same.
    """
    head = element("tr", *(element("th", h.text, scope="col", class_="n" if h.number else None) for h in headings))
    lines = [_row(headings, row) for row in rows]
    body, last = (lines[:-foot], lines[-foot:]) if foot else (lines, [])
    return element(
        "div",
        element(
            "table",
            element("caption", caption, class_="quiet" if quiet else None),
            element("thead", head),
            element("tbody", *body),
            element("tfoot", *last) if last else "",
        ),
        class_="scroll",
    )


def _row(headings: Sequence[Heading], row: Sequence[object]) -> Html:
    cells = []
    for place, (heading, cell) in enumerate(zip(headings, row, strict=True)):
        kind = "n" if heading.number else None
        head = place == 0
        cells.append(element("th" if head else "td", cell, scope="row" if head else None, class_=kind))
    return element("tr", *cells)


def pairs(caption: object, rows: Iterable[tuple[object, object]]) -> Html:
    """Return a table of two columns, name and value, without headings of columns; its caption is quiet."""
    lines = [element("tr", element("th", name, scope="row"), element("td", value)) for name, value in rows]
    name = element("caption", caption, class_="quiet")
    return element("div", element("table", name, element("tbody", *lines), class_="pairs"), class_="scroll")
