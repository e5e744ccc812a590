"""Rows of COPY TO STDOUT: where each message ends, and the cells that matter, for all three formats.

Source: PostgreSQL documentation, "COPY", section "File Formats", and "Frontend/Backend Protocol", section "COPY
Operations": a server sends each row in one CopyData, its line ended by a bare newline.

Rules
1. A message that holds anything but one whole row is `ValueError`: half a row, two of them, too few or too many cells.
2. Header and trailer are no rows. Their bytes belong to the row that follows, or to what `take` returns.
3. Text and CSV are read as bytes: sound only in client encodings whose further bytes never look like ASCII. SJIS, BIG5,
   GBK, UHC, GB18030 and JOHAB are none; the caller refuses them.
4. In text format a NULL option without a backslash makes NULL and that very text one: both are read as `None`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from muniment.gate.protocol.wire import HEAD_BYTES, MAX_LENGTH

Format: TypeAlias = Literal["text", "csv", "binary"]
_Cell: TypeAlias = bytes | None

COPY_DATA: Final = ord("d")
_HEAD: Final = struct.Struct(">BI").unpack_from
_COUNT: Final = struct.Struct(">h").unpack_from
_SIZE: Final = struct.Struct(">i").unpack_from
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_SIGNED: Final = struct.Struct(">11sIi")
_TRAILER: Final = b"\xff\xff"
_CRITICAL_FLAGS: Final = 0xFFFF_0000
_DELIMITER: Final[dict[Format, bytes]] = {"text": b"\t", "csv": b",", "binary": b""}
_NULL: Final[dict[Format, bytes]] = {"text": rb"\N", "csv": b"", "binary": b""}
_LINES: Final = "a message of COPY holds no whole line, or more than one"
_ESCAPE: Final = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class CopyRows:
    """Reads the CopyData messages of one COPY; one for each COPY, as it remembers whether the header was seen.

    `width` is the columns of the COPY (`CopyOutResponse.formats`), `fields` the columns wanted, ascending from 0. The
    rest are options of the statement; empty or `None` means PostgreSQL's default for the format.
    """

    __slots__ = (
        "_after_header", "_delimiter", "_ended", "_escaped", "_fields", "_inside", "_null",
        "_quote", "_read", "_signed", "_slashes", "_special", "_width",
    )  # fmt: skip

    def __init__(
        self,
        format: Format,
        *,
        width: int,
        fields: tuple[int, ...],
        delimiter: bytes = b"",
        null: bytes | None = None,
        quote: bytes = b'"',
        escape: bytes = b"",
        header: bool = False,
    ) -> None:
        if fields and fields[-1] >= width:
            raise ValueError(f"column {fields[-1]} of a COPY of {width} columns is asked for")
        readers: dict[Format, Callable[[bytes], list[_Cell] | None]] = {
            "text": self._text, "csv": self._csv, "binary": self._binary,
        }  # fmt: skip
        self._read = readers[format]
        self._signed = format == "binary"
        self._width = width
        self._fields = fields
        self._delimiter = delimiter or _DELIMITER[format]
        self._null = _NULL[format] if null is None else null
        self._slashes = 0 if self._null.endswith(b"\\") else self._null.count(b"\\")
        self._quote = quote
        if header or format == "binary":
            self._read = self._begin
        self._after_header = readers[format]
        self._ended = False
        q, e = re.escape(quote), re.escape(escape or quote)
        self._special = re.compile(re.escape(self._delimiter) + b"|" + q)
        self._inside = re.compile(b"((?:[^%b%b]++|%b[%b%b]|%b)*+)%b" % (q, e, e, q, e, e, q) if e != q else
                                  b"((?:[^%b]++|%b%b)*+)%b" % (q, q, q, q), re.DOTALL)  # fmt: skip
        self._escaped = re.compile(b"%b([%b%b])" % (e, q, e))

    def take(
        self, data: bytes, start: int, end: int, ends: list[int], cells: list[list[bytes | None]], limit: int
    ) -> int:
        """Take consecutive complete CopyData messages from `data[start:end]`, at most `limit` rows.

        `start` is a message boundary. Appends the offset after each row to `ends` and its cells, unescaped, to `cells`
        in the order of `fields`. Returns the offset after the last message taken, which lies behind the last of `ends`
        where a header or trailer came last. Raises `ValueError` (rule 1).
        """
        appends = [out.append for _, out in zip(self._fields, cells, strict=True)]
        while limit > 0 and start + HEAD_BYTES <= end:
            kind, length = _HEAD(data, start)
            if kind != COPY_DATA:
                break
            if not 4 <= length <= MAX_LENGTH:
                raise ValueError("a CopyData message is malformed: its length is out of range")
            after = start + 1 + length
            if after > end:
                break
            row = self._read(data[start + HEAD_BYTES : after])
            start = after
            if row is None:
                continue
            for append, cell in zip(appends, row):  # noqa: B905 - a row has the length of `fields`
                append(cell)
            ends.append(after)
            limit -= 1
        return start

    def _check(self, width: int) -> None:
        if width != self._width:
            raise ValueError(f"a row of COPY has {width} columns; expected {self._width}")

    def _cells(self, body: bytes) -> list[bytes]:
        """What lies between the delimiters of a line."""
        if body.find(b"\n") != len(body) - 1:
            raise ValueError(_LINES)
        if body == b"\n" and not self._width:
            return []
        return body[:-1].split(self._delimiter)

    def _text(self, body: bytes) -> list[_Cell]:
        found, null = self._cells(body), self._null
        slashes = body.count(b"\\")
        if slashes and slashes != self._slashes * found.count(null):  # one that is not part of a NULL
            chosen = self._chosen(_joined(found, self._delimiter))
            return [None if cell == null else _unescaped(cell) for cell in chosen]
        return [None if cell == null else cell for cell in self._chosen(found)]

    def _chosen(self, row: list[bytes]) -> list[bytes]:
        if len(row) != self._width:
            self._check(len(row))
        return [row[field] for field in self._fields]

    def _csv(self, body: bytes) -> list[_Cell]:
        if self._quote in body:
            row = self._quoted(body)
            self._check(len(row))
            return [row[field] for field in self._fields]
        null = self._null
        return [None if cell == null else cell for cell in self._chosen(self._cells(body))]

    def _quoted(self, body: bytes) -> list[_Cell]:
        if not body.endswith(b"\n"):
            raise ValueError(_LINES)
        line = body[:-1]
        found: list[_Cell] = []
        at = 0
        while at <= len(line):
            parts: list[bytes] = []
            at, quoted = self._quoted_cell(line, at, parts)
            cell = b"".join(parts)
            found.append(None if cell == self._null and not quoted else cell)
        return found

    def _quoted_cell(self, line: bytes, at: int, parts: list[bytes]) -> tuple[int, bool]:
        """Collect the parts of the cell at `at`; where the next one begins, and whether a part was quoted."""
        quoted = False
        while True:
            special = self._special.search(line, at)
            stop = special.start() if special else len(line)
            if line.find(b"\n", at, stop) >= 0:
                raise ValueError(_LINES)
            parts.append(line[at:stop])
            at = stop + 1
            if special is None or special.group() == self._delimiter:
                return at, quoted
            quoted = True
            inside = self._inside.match(line, at)
            if inside is None:
                raise ValueError("a quoted value of COPY has no end")
            parts.append(self._escaped.sub(rb"\1", inside[1]))
            at = inside.end()

    def _begin(self, body: bytes) -> list[_Cell] | None:
        """The first message where there is a header: a line of names, or a signature that a row may follow."""
        self._read = self._after_header
        if not self._signed:
            return None
        rest = body[_header_bytes(body) :]
        return self._read(rest) if rest else None

    def _binary(self, body: bytes) -> list[_Cell] | None:
        if self._ended:
            raise ValueError("a binary COPY goes on after its trailer")
        if body == _TRAILER:
            self._ended = True
            return None
        row = _binary_row(body)
        self._check(len(row))
        return [row[field] for field in self._fields]


def _joined(parts: list[bytes], delimiter: bytes) -> list[bytes]:
    """Parts of a line as cells: a delimiter that a backslash stands before is none."""
    found: list[bytes] = []
    cell: list[bytes] = []
    for part in parts:
        cell.append(part)
        if (len(part) - len(part.rstrip(b"\\"))) % 2 == 0:
            found.append(delimiter.join(cell))
            cell = []
    if cell:
        raise ValueError("a row of COPY ends in a backslash")
    return found


def _unescaped(cell: bytes) -> bytes:
    return _ESCAPE.sub(_meaning, cell) if b"\\" in cell else cell


def _meaning(escape: re.Match[bytes]) -> bytes:
    text = escape[1]
    if len(text) > 1 and text[:1] == b"x":
        return bytes((int(text[1:], 16),))
    if text.isdigit() and text < b"8":
        return bytes((int(text, 8) & 0xFF,))
    return _LETTERS.get(text, text)


def _header_bytes(body: bytes) -> int:
    if len(body) < _SIGNED.size:
        raise ValueError("a binary COPY does not begin with a whole header")
    signature, flags, extension = _SIGNED.unpack_from(body)
    if signature != _SIGNATURE or flags & _CRITICAL_FLAGS or not 0 <= extension <= len(body) - _SIGNED.size:
        raise ValueError("a binary COPY begins with an unknown header")
    size: int = _SIGNED.size + extension
    return size


def _binary_row(body: bytes) -> list[bytes | None]:
    try:
        (count,) = _COUNT(body)
        at = 2
        found: list[bytes | None] = []
        for _ in range(count):
            (size,) = _SIZE(body, at)
            at += 4
            found.append(body[at : at + size] if size >= 0 else None)
            if size < -1:
                raise ValueError("a row of a binary COPY is malformed: a length is below -1")
            at += max(size, 0)
    except struct.error:
        raise ValueError("a row of a binary COPY is malformed: it ends too early") from None
    if at != len(body) or count < 0:
        raise ValueError("a row of a binary COPY is malformed: its lengths do not add up")
    return found
