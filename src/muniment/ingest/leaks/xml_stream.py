"""Foreign XML as a stream of events, for workbooks. No tree, no entities, no namespaces, no memory that grows.

Rules
1. A document type is refused: it is the way to entities (billion laughs, external files), and no writer of workbooks
   makes one. Undefined entities are errors of the parser itself.
2. Depth, and the length of one tag or comment, are bounded: expat keeps both in memory, and parses a long one again
   with each piece that arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO, Final
from xml.parsers import expat

from muniment.errors import InputError, LimitError
from muniment.limits import XML_DEPTH, XML_TOKEN_BYTES

_CHUNK: Final = 1 << 16

OnStart = Callable[[str, Mapping[str, str]], None]
OnEnd = Callable[[str], None]
OnText = Callable[[str], None]


def local(name: str) -> str:
    """A tag or attribute without its namespace prefix."""
    return name.rpartition(":")[2]


class _Events:
    """Bounds around the handlers; `seen` counts events, so that a piece of XML without any is noticed."""

    def __init__(self, file: str, on_start: OnStart, on_end: OnEnd, on_text: OnText) -> None:
        self.file = file
        self.seen = 0
        self.depth = 0
        self._start, self._end, self._text = on_start, on_end, on_text

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.seen += 1
        self.depth += 1
        if self.depth > XML_DEPTH:
            raise LimitError(f"{self.file}: XML of more than {XML_DEPTH} levels")
        self._start(local(name), attributes)

    def end(self, name: str) -> None:
        self.seen += 1
        self.depth -= 1
        self._end(local(name))

    def text(self, text: str) -> None:
        self.seen += 1
        self._text(text)

    def other(self, *_: object) -> None:
        self.seen += 1

    def doctype(self, *_: object) -> None:
        raise InputError(
            f"{self.file}: XML with a document type, which no workbook has: refused, it may hold entities",
            hint="open it in a spreadsheet program and save it again as XLSX or CSV",
        )


def read_xml(stream: BinaryIO, file: str, on_start: OnStart, on_end: OnEnd, on_text: OnText) -> None:
    """Feed an XML document to the handlers; tags come without prefix, attributes as they stand.

    Raises `InputError` for XML that is damaged, cut short or has a document type, `LimitError` beyond the bounds.
    """
    events = _Events(file, on_start, on_end, on_text)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = events.start
    parser.EndElementHandler = events.end
    parser.CharacterDataHandler = events.text
    parser.CommentHandler = events.other
    parser.ProcessingInstructionHandler = events.other
    parser.StartDoctypeDeclHandler = events.doctype
    quiet, seen = 0, 0
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
            quiet = quiet + len(chunk) if events.seen == seen else 0
            seen = events.seen
            if quiet > XML_TOKEN_BYTES:
                raise LimitError(f"{file}: a tag or comment of more than {XML_TOKEN_BYTES:,} bytes")
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise InputError(f"{file}: damaged XML: {error}", hint="copy the file again and compare its size") from error
