"""The words of one SQL statement, as PostgreSQL's own lexer would cut it; `Unclear` wherever another reading exists.

Rules
1. Nothing is repaired: a backslash in a plain literal (its meaning hangs on standard_conforming_strings), an escape or
   Unicode literal that needs decoding, dollar quotes, nested comments, a parameter glued to a word: unclear.
2. Names: unquoted ones in lower case. Only ASCII is folded; other capitals are left to the database, so unclear.
3. Patterns are possessive: linear in the length of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256
from typing import Final


class Unclear(Exception):
    """The text can be read in more than one way, or is not of the narrow shape that is understood."""


class Sort(Enum):
    """What a token is."""

    NAME = auto()
    QUOTED_NAME = auto()
    STRING = auto()
    NUMBER = auto()
    PARAMETER = auto()
    OPERATOR = auto()
    MARK = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `text` is the value: quotes taken off, names folded, a parameter as its number."""

    sort: Sort
    text: str

    def is_word(self, word: str) -> bool:
        """Whether it is this keyword (lower case), not in double quotes."""
        return self.text == word and self.sort is Sort.NAME

    def is_any(self, words: frozenset[str]) -> bool:
        """Whether it is one of these keywords."""
        return self.text in words and self.sort is Sort.NAME

    def is_mark(self, mark: str) -> bool:
        """Whether it is this bracket, comma, point or other mark."""
        return self.text == mark and self.sort is Sort.MARK

    def is_name(self) -> bool:
        """Whether it is a name, quoted or not."""
        return self.sort is Sort.NAME or self.sort is Sort.QUOTED_NAME


_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n\f\v]++ | --[^\r\n]*+ | /\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/)
    | (?P<string>'(?:[^'\\]++|'')*+')
    | (?P<quoted>"(?:[^"]++|"")++")
    | (?P<number>(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][-+]?+[0-9]++)?+(?![\w.$"']))
    | (?P<name>[^\W\d][\w$]*+(?!'|&['"]))
    | \$(?P<parameter>[0-9]{1,5}(?![\w$]))
    | (?P<mark>::|[()\[\],;.])
    | (?P<operator>[-+*/<>=~!@\#%^&|`?]++)
    """,
    re.VERBOSE,
)
_SORTS: Final = {
    "string": Sort.STRING,
    "quoted": Sort.QUOTED_NAME,
    "number": Sort.NUMBER,
    "name": Sort.NAME,
    "parameter": Sort.PARAMETER,
    "mark": Sort.MARK,
    "operator": Sort.OPERATOR,
}
_LITERALS: Final = (Sort.STRING, Sort.NUMBER, Sort.PARAMETER)
_COMMENT_INSIDE: Final = re.compile(r"--|/\*")


def tokens(statement: str) -> Iterator[Token]:
    """The tokens of a statement, comments and blanks left out.

    Raises `Unclear` by the rules above, at the token where it shows.
    """
    place = 0
    joined = False  # whether the last token was a string: SQL glues two that stand on two lines
    while place < len(statement):
        match = _TOKEN.match(statement, place)
        if not match:
            raise Unclear
        place = match.end()
        kind = str(match.lastgroup)
        if kind == "space":
            continue
        if kind == "string" and joined:
            raise Unclear
        joined = kind == "string"
        yield Token(_SORTS[kind], _value(kind, match[kind]))


def _value(kind: str, found: str) -> str:
    if kind in {"string", "quoted"}:
        return found[1:-1].replace(found[0] * 2, found[0])
    if kind == "name":
        if not found.isascii() and found != found.lower():
            raise Unclear
        return found.lower()
    if kind == "operator" and _COMMENT_INSIDE.search(found):
        raise Unclear
    return found


def fingerprint(found: list[Token]) -> str:
    """A name for the shape of a statement: 16 hex digits over its tokens, every literal and parameter as `?`.

    A list of literals counts as one, so that `IN (1, 2)` and `IN (1, 2, 3)` have one shape. It holds no value of a
    record, unless somebody put one where names stand.
    """
    shape: list[str] = []
    for token in found:
        word = "?" if token.sort in _LITERALS else token.text
        if word == "?" and shape[-2:] == ["?", ","]:
            shape.pop()
            continue
        shape.append(f'"{word}"' if token.sort is Sort.QUOTED_NAME else word)
    while shape and shape[-1] == ";":
        shape.pop()
    return sha256("\0".join(shape).encode("utf-8", "surrogatepass")).hexdigest()[:16]
