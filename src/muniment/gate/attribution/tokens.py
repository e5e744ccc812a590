"""The text of a statement as tokens: quoting and comments read as PostgreSQL reads them, and no grammar.

Source: PostgreSQL documentation, 4.1 "Lexical Structure". Where it is not certain that the server reads a text in the
same way (`U&` escapes, a quote that never ends, names longer than the server keeps), `Doubt` says so.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple

NAME_BYTES: Final = 63
"""Bytes of a name that the server keeps (NAMEDATALEN - 1): a longer one becomes another."""


class Doubt(ValueError):
    """It is not certain how the server reads this text."""


class Sort(Enum):
    """What a token is."""

    WORD = "word"
    """A keyword or unquoted name, in lower case (ASCII letters alone, as the server does in every encoding)."""
    NAME = "name"
    """A quoted name, as it reads."""
    STRING = "string"
    """A plain string or one between dollars, as it reads."""
    ESCAPED = "escaped"
    """A string with backslash escapes, a bit string: as written, quotes included."""
    NUMBER = "number"
    PARAMETER = "parameter"
    """`$1`; the text is the number."""
    SIGN = "sign"
    """One character of an operator, a bracket, comma, semicolon, colon or point."""


class Token(NamedTuple):
    """One token; `start` and `end` are its place in the text. A tuple: there are many, and it is made fastest."""

    sort: Sort
    text: str
    start: int
    end: int

    def __repr__(self) -> str:
        """Without the text, which may be somebody's name."""
        return f"Token({self.sort.name}, {self.start}, {self.end})"


_LETTER: Final = "A-Za-z_\x80-\U0010ffff"
_TOKEN: Final = re.compile(
    rf"""
    (?P<space>[ \t\n\r\f\v]+ | --[^\n\r]*)
  | (?P<comment>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*+' | [bBxX]'[^']*+')
  | (?P<unicode>[uU]&['"])
  | (?P<string>[nN]?'(?:[^']|'')*+')
  | (?P<name>"(?:[^"]|"")++")
  | (?P<dollar>\$(?:[{_LETTER}][{_LETTER}0-9]*+)?\$)
  | (?P<parameter>\$[0-9]+)
  | (?P<word>[{_LETTER}][{_LETTER}0-9$]*+)
  | (?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)? | \.[0-9]+(?:[eE][+-]?[0-9]+)?)
  | (?P<sign>[-+*/<>=~!@\#%^&|`?()\[\],;:.])
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"/\*|\*/")
_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_SORTS: Final = {
    "word": Sort.WORD, "name": Sort.NAME, "string": Sort.STRING, "escaped": Sort.ESCAPED, "number": Sort.NUMBER,
    "parameter": Sort.PARAMETER, "sign": Sort.SIGN,
}  # fmt: skip


def tokens(text: str) -> list[Token]:
    """The tokens of a text, without space and comments. Raises `Doubt`."""
    found: list[Token] = []
    at, size, match_at = 0, len(text), _TOKEN.match
    while at < size:
        match = match_at(text, at)
        if match is None:
            raise Doubt("a character that begins no token, or a quote that does not end")
        sort, start, at = match.lastgroup, at, match.end()
        if sort == "space":
            continue
        if sort == "sign":
            found.append(Token(Sort.SIGN, match[0], start, at))
        elif sort == "comment":
            at = _after_comment(text, at)
        elif sort == "dollar":
            at = _after_dollar(text, match[0], at)
            found.append(Token(Sort.STRING, text[match.end() : at - len(match[0])], start, at))
        else:
            found.append(_token(sort or "", match[0], start, at, found))
    return found


def _token(sort: str, text: str, start: int, end: int, before: list[Token]) -> Token:
    if sort == "word":
        return Token(Sort.WORD, _read(sort, text), start, end)
    if sort == "unicode":
        raise Doubt("a text with Unicode escapes")
    if sort == "string" and before and before[-1].sort is Sort.ESCAPED:
        raise Doubt("a string that may go on with escapes")  # over a line break it does
    return Token(_SORTS[sort], _read(sort, text), start, end)


def _read(sort: str, text: str) -> str:
    if sort == "word":
        return _kept(text.lower() if text.isascii() else text.translate(_LOWER))
    if sort == "name":
        return _kept(text[1:-1].replace('""', '"'))
    if sort == "string":
        return text[text.index("'") + 1 : -1].replace("''", "'")
    return text[1:] if sort == "parameter" else text


def _kept(name: str) -> str:
    if len(name) > NAME_BYTES // 4 and len(name.encode("utf-8", "surrogateescape")) > NAME_BYTES:
        raise Doubt("a name that the server cuts off")
    return name


def _after_dollar(text: str, tag: str, at: int) -> int:
    close = text.find(tag, at)
    if close < 0:
        raise Doubt("a string between dollars does not end")
    return close + len(tag)


def _after_comment(text: str, at: int) -> int:
    """Where a comment ends; comments nest."""
    depth = 1
    while depth:
        match = _COMMENT.search(text, at)
        if match is None:
            raise Doubt("a comment that does not end")
        depth += 1 if match[0] == "/*" else -1
        at = match.end()
    return at
