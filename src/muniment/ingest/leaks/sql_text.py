"""The words of an SQL dump: a cursor over a stream of any length, string literals and names of three dialects.

Rules
1. Patterns are possessive: none can go back, so none can blow up. A literal longer than limits.CELL_CHARACTERS is
   refused, so the buffer is bounded.
2. In MySQL a backslash escapes in every string; in standard SQL only in E'...'. The head of the dump tells which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TextIO

from muniment.errors import LimitError
from muniment.limits import CELL_CHARACTERS, LINE_CHARACTERS

_CHUNK: Final = 1 << 18
_AHEAD: Final = 1 << 16
"""Characters in the buffer before a pattern is tried, unless the stream ends: room for COLUMNS names of 15."""

NAME: Final = r'(?:`(?:[^`]|``)++`|"(?:[^"]|"")++"|\[[^\]\n]++\]|[\w$]++)'
_BACKSLASHED: Final = r"'((?:[^'\\]++|''|\\.)*+)'"
_PLAIN: Final = r"'((?:[^']++|'')*+)'"
_CAST: Final = r'(?:\s*+::\s*+[\w."\[\]]++(?:\s*+\(\s*+\d++\s*+\))?+)*+'
_COMMENT: Final = r"--[^\n]*+|\#[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/"

SPACE: Final = re.compile(r"\s++|--(?=[\s-])[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/|\#[^\n]*+")
"""White space or one comment."""


class Lexis:
    """The patterns of one dialect; `backslash`: a backslash escapes in plain strings (MySQL)."""

    def __init__(self, *, backslash: bool) -> None:
        self.backslash = backslash
        string = _BACKSLASHED if backslash else _PLAIN
        self.cell = re.compile(
            rf"\s*+(?:[Ee]{_BACKSLASHED}{_CAST}|([NnXxBb]|_\w++\s*+)?{string}{_CAST}|([^\s,()'\"`;\\/]++){_CAST})\s*+([,)])",
            re.S,
        )
        """A value and what ends it: groups E-string, prefix, string, bare word, end."""
        self.token = re.compile(
            rf"(?:{_COMMENT}|[Ee]{_BACKSLASHED}|{string}|{NAME}|(\$\w*+\$)|[^\w'\"`\[$/\#();,-]++|.)", re.S
        )
        """Anything; a dollar quote comes back as its opening mark."""

    def value(self, escaped: str | None, prefix: str | None, string: str | None, word: str | None) -> str | None:
        """The text of a match of `cell`: `E'it\\'s'`, `X'4A'`, `_binary 'a\\0b'`, `1.5`; `None` for NULL."""
        if string is not None:
            if prefix in {"X", "x"}:
                return _from_hex(string)
            if self.backslash and "\\" in string:
                return unescaped(string)
            return string.replace("''", "'") if "'" in string else string
        return bare(word) if word is not None else unescaped(escaped or "")


_ESCAPES: Final = {
    **{"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"},
    **{"0": "\0", "Z": "\x1a", "%": "\\%", "_": "\\_"},
}
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|''", re.S)


def unescaped(body: str) -> str:
    """The text of a string with backslash escapes (MySQL 8 string literals, PostgreSQL E'...')."""
    return _ESCAPE.sub(_escape, body)


def _escape(match: re.Match[str]) -> str:
    if match.group() == "''":
        return "'"
    code = match[1] or match[2] or match[3]
    if code is None:
        return _ESCAPES.get(match[4], match[4])
    number = int(code, 16)
    return chr(number) if number < 0xD800 or 0xDFFF < number <= 0x10FFFF else "\ufffd"


_COPY_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))", re.S)
_COPY_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def copy_cell(cell: str) -> str | None:
    r"""A cell of PostgreSQL's COPY text format: `\N` is NULL, other backslashes escape (PostgreSQL manual, COPY)."""
    if "\\" not in cell:
        return cell
    if cell == "\\N":
        return None
    return _COPY_ESCAPE.sub(_copy_escape, cell)


def _copy_escape(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if match[2]:
        return chr(int(match[2], 8) & 0xFF)
    return _COPY_ESCAPES.get(match[3], match[3])


def bare(word: str) -> str | None:
    """The text of a value without quotes: NULL, a number, true, or a hexadecimal string of MySQL."""
    if word.upper() == "NULL":
        return None
    return _from_hex(word[2:]) if word[:2] in {"0x", "0X"} else word


def _from_hex(digits: str) -> str:
    """The bytes as text where they are UTF-8, as hexadecimal digits otherwise."""
    try:
        return bytes.fromhex(digits).decode()
    except ValueError:
        return "0x" + digits


def plain_name(name: str) -> str:
    """A name without its quotes."""
    if name[:1] in "`\"[" and len(name) > 1:
        return name[1:-1].replace(name[0] * 2, name[0])
    return name


class Cursor:
    """A place in a stream of characters, with enough of what follows in `buffer`."""

    def __init__(self, stream: TextIO, file: str) -> None:
        self.file = file
        self.buffer = ""
        self.place = 0
        self.ended = False
        self.cut = False
        self._stream = stream
        self._line = 1

    @property
    def line(self) -> int:
        """The line of the place, from 1."""
        return self._line + self.buffer.count("\n", 0, self.place)

    @property
    def at_end(self) -> bool:
        """Whether nothing follows."""
        self._ahead()
        return self.place >= len(self.buffer)

    def fill(self) -> None:
        """Drop what is done and read on: at least as much as is left, so that the cost stays linear."""
        self._line += self.buffer.count("\n", 0, self.place)
        rest = self.buffer[self.place :]
        more = self._stream.read(max(_CHUNK, len(rest)))
        self.ended = not more
        self.buffer, self.place = rest + more, 0

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Match here and step over it; `None` (and no step) where it does not match."""
        while True:
            self._ahead()
            found = pattern.match(self.buffer, self.place)
            if found is None:
                return None
            if found.end() < len(self.buffer) or self.ended:
                self.place = found.end()
                return found
            self._more()

    def token(self, lexis: Lexis) -> re.Match[str] | None:
        """Step over the next token, whatever it is; `None` at the end. A literal that never ends comes as its quote."""
        while True:
            self._ahead()
            found = lexis.token.match(self.buffer, self.place)
            if found is None:
                return None
            cut = found.end() == len(self.buffer) or found[0] in {"'", '"', "`"} or self._comment_cut(found)
            if not cut or self.ended:
                self.place = found.end()
                return found
            self._more()

    def skip_space(self) -> None:
        """Step over white space and comments."""
        while True:
            while self.match(SPACE):
                pass
            if self.ended or not self.buffer.startswith("/*", self.place):
                return
            self._more()

    def step(self) -> str:
        """Step over one character."""
        self.place += 1
        return self.buffer[self.place - 1]

    def find(self, text: str) -> bool:
        """Step behind the next `text`; false at the end of the stream."""
        while True:
            found = self.buffer.find(text, self.place)
            if found >= 0:
                self.place = found + len(text)
                return True
            self.place = max(self.place, len(self.buffer) - len(text))
            if self.ended:
                self.place = len(self.buffer)
                return False
            self.fill()

    def lines_before(self, end: str) -> Iterator[list[str]]:
        """Batches of lines up to a line that is `end`, and step over it; `cut` says that the stream ended before it."""
        self.cut = False
        while not self.cut:
            last = self._whole_lines()
            raw = self.buffer[self.place : last].split("\n")
            lines = [line.removesuffix("\r") for line in raw]
            if end in lines:
                count = lines.index(end)
                self.place = min(self.place + sum(map(len, raw[: count + 1])) + count + 1, len(self.buffer))
                if count:
                    yield lines[:count]
                return
            self.place = min(last + 1, len(self.buffer))
            self.cut = self.ended and self.place >= len(self.buffer)
            if lines != [""] or not self.cut:
                yield lines

    def _whole_lines(self) -> int:
        """Where the last line end in the buffer is (the end of the buffer where the stream has ended)."""
        while True:
            self._ahead()
            last = self.buffer.rfind("\n", self.place)
            if last >= 0 or self.ended:
                return last if last >= 0 else len(self.buffer)
            if len(self.buffer) - self.place > LINE_CHARACTERS:
                raise LimitError(f"{self.file}: line {self.line:,} has more than {LINE_CHARACTERS:,} characters")
            self.fill()

    def _ahead(self) -> None:
        while len(self.buffer) - self.place < _AHEAD and not self.ended:
            self.fill()

    def _comment_cut(self, found: re.Match[str]) -> bool:
        return found[0] == "/" and self.buffer.startswith("/*", found.start())

    def _more(self) -> None:
        """Read on for a token that the end of the buffer cuts; `LimitError` where it is too long to be one."""
        if len(self.buffer) - self.place > 2 * CELL_CHARACTERS:
            what = f"a string, name or comment of more than {CELL_CHARACTERS:,} characters"
            hint = "a quote may be missing near that line; mend it, or save the table as CSV"
            raise LimitError(f"{self.file}: line {self.line:,}: {what}", hint=hint)
        self.fill()
