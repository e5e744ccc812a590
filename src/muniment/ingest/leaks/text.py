"""`Text`: a source read as characters, in bounded chunks of whole lines.

A register must decode strictly; a leak is dirty, so stray bytes become U+FFFD. Only where more than one character in a
hundred of the beginning does not fit is the encoding called wrong, and the file refused.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TextIO, cast

from muniment.errors import InputError, LimitError
from muniment.ingest.encoding import detect
from muniment.ingest.leaks.source import Source
from muniment.limits import DETECT_BYTES, DETECT_SCAN_BYTES, LINE_CHARACTERS, SNIFF_CHARACTERS

EXPECTED: Final = "expected CSV, TSV, XLSX, JSON, Parquet, an SQL dump, text with one person a line, or a zip of these"

_CHUNK: Final = 1 << 20
_WRONG_SHARE: Final = 0.01
_CONTROLS: Final = [chr(code) for code in range(32) if chr(code) not in "\t\n\v\f\r\x1a\x1b"]


@dataclass(frozen=True, slots=True)
class Text:
    """A source with its encoding, and the characters it begins with."""

    source: Source
    encoding: str
    sample: str

    @classmethod
    def of(cls, source: Source, encoding: str | None) -> Text:
        """Detect the encoding (unless given) and look at the beginning.

        Raises `InputError` for an unknown encoding, for bytes that are no text, and for an encoding that does not fit.
        """
        name = encoding or _detected(source)
        try:
            head = source.head(DETECT_BYTES).decode(name, "replace")
            io.TextIOWrapper(io.BytesIO(), encoding=name)
        except (LookupError, ValueError) as error:
            hint = "--encoding utf-8, big5, gb18030, ..."
            raise InputError(f"{source.name}: {name[:40]!r} is no text encoding for it", hint=hint) from error
        sample = head[:-4] if len(head) > SNIFF_CHARACTERS else head  # the last character may be cut in two
        if sum(map(sample.count, _CONTROLS)) > len(sample) * _WRONG_SHARE:
            raise binary(source.name)
        if sample.count("\ufffd") > len(sample) * _WRONG_SHARE:
            hint = "name the encoding with --encoding NAME, such as big5, gb18030, cp1252"
            raise InputError(f"{source.name}: many bytes do not fit the encoding {name}", hint=hint)
        return cls(source, name, head[:SNIFF_CHARACTERS].removeprefix("\ufeff"))

    def stream(self) -> TextIO:
        """The characters from the first one, line ends untouched."""
        stream = io.TextIOWrapper(self.source.open(), encoding=self.encoding, errors="replace", newline="")
        return cast(TextIO, stream)

    def chunks(self) -> Iterator[list[str]]:
        """The lines, line ends kept, some 1 M characters at a time; `LimitError` for a line above LINE_CHARACTERS."""
        with self.stream() as stream:
            tail, first = "", True
            while chunk := stream.read(_CHUNK):
                if first:
                    chunk, first = chunk.removeprefix("\ufeff"), False
                # StringIO splits at \n, \r and \r\n only; str.splitlines would also split at U+2028 inside a cell.
                lines = list(io.StringIO(tail + chunk, newline=""))
                # The last line may go on, and "\r" may be the first half of "\r\n".
                tail = "" if not lines or lines[-1].endswith("\n") else lines.pop()
                if len(tail) > LINE_CHARACTERS:
                    raise LimitError(f"{self.source.name}: a line has more than {LINE_CHARACTERS:,} characters")
                if lines:
                    yield lines
            if tail:
                yield [tail]


def binary(name: str, what: str = "binary data", hint: str = "") -> InputError:
    """The error for a file that is no table of text."""
    return InputError(f"{name}: {what}: {EXPECTED}", hint=hint or "open it with its own program and save it as CSV")


def _detected(source: Source) -> str:
    """The encoding, looking on (within a bound) until bytes beyond ASCII turn up."""
    with source.peek() as stream:
        head = stream.read(DETECT_BYTES)
        seen = len(head)
        while head.isascii() and b"\0" not in head and seen < DETECT_SCAN_BYTES and (more := stream.read(DETECT_BYTES)):
            seen += len(more)
            if not more.isascii():
                # Cut at a line end, so that a two-byte character is not entered in its middle.
                head = head[-4096:].rpartition(b"\n")[2] + more + stream.read(DETECT_BYTES)
    return detect(head).name
