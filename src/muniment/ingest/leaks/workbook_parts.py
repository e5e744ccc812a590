"""What a workbook says about its cells before any sheet is read: sheet names, texts, and what numbers mean.

XLSX is Office Open XML (ECMA-376 part 1, chapter 18). Numbers are text with a style; only the number format of the
style tells a date from a quantity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import BinaryIO, Final

from muniment.errors import InputError, LimitError
from muniment.ingest.leaks.xml_stream import local, read_xml
from muniment.limits import CELL_CHARACTERS, ZIP_MEMBERS

_DATE_IDS: Final = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
"""Built-in number formats that show a date (ECMA-376 18.8.30, the East Asian ones included)."""
_TIME_IDS: Final = frozenset({18, 19, 20, 21, 45, 47})
_ELAPSED_IDS: Final = frozenset({46})
_NO_FORMAT: Final = re.compile(r'"[^"]*+"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*+\]', re.I)
"""Parts of a number format that are literal text, colours, locales and conditions."""
_PLAIN_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - workbooks know no time zone
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001

OpenPart = Callable[[str], BinaryIO | None]
"""Opens a part of the workbook by its name; `None` where there is none."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its title and the part that holds its cells."""

    title: str
    part: str


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a workbook that all sheets need. `formats` has one entry a cell style."""

    sheets: tuple[Sheet, ...]
    texts: list[str]
    formats: list[str]
    epoch: datetime


def read_parts(open_part: OpenPart, file: str) -> Parts:
    """Read workbook, relations, shared texts and styles; `InputError` where there is no workbook inside."""
    sheets, date1904 = _sheets(open_part, file)
    return Parts(sheets, _texts(open_part, file), _formats(open_part, file), _EPOCH_1904 if date1904 else _EPOCH)


def _nothing(_: str) -> None:
    return None


def _sheets(open_part: OpenPart, file: str) -> tuple[tuple[Sheet, ...], bool]:
    found: list[tuple[str, str]] = []
    targets: dict[str, str] = {}
    flags: list[str] = []

    def workbook(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "sheet":
            identifier = next((value for key, value in attributes.items() if local(key) == "id" and ":" in key), "")
            found.append((attributes.get("name", ""), identifier))
            if len(found) > ZIP_MEMBERS:
                raise LimitError(f"{file}: more than {ZIP_MEMBERS:,} sheets")
        elif tag == "workbookPr":
            flags.append(attributes.get("date1904", "0"))

    def relations(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            target = attributes.get("Target", "")
            targets[attributes.get("Id", "")] = target[1:] if target.startswith("/") else f"xl/{target}"

    for part, handler in (("xl/workbook.xml", workbook), ("xl/_rels/workbook.xml.rels", relations)):
        stream = open_part(part)
        if stream is None:
            raise InputError(f"{file}: a workbook without {part}", hint="save it again as XLSX or CSV")
        with stream:
            read_xml(stream, file, handler, _nothing, _nothing)
    parts = {targets[identifier]: title for title, identifier in reversed(found) if identifier in targets}
    # A part that two sheets name is read once: a thousand names for one large part would be a bomb of time.
    return tuple(Sheet(title, part) for part, title in reversed(parts.items())), flags[-1:] in (["1"], ["true"])


def _texts(open_part: OpenPart, file: str) -> list[str]:
    """The shared texts; phonetic readings (`rPh`) are not part of the text."""
    texts: list[str] = []
    pieces: list[str] = []
    state = {"t": 0, "rPh": 0}
    length = 0

    def start(tag: str, _: Mapping[str, str]) -> None:
        if tag in state:
            state[tag] += 1

    def end(tag: str) -> None:
        nonlocal length
        if tag in state:
            state[tag] -= 1
        elif tag == "si":
            texts.append(unescaped("".join(pieces)))
            pieces.clear()
            length = 0

    def text(piece: str) -> None:
        nonlocal length
        if state["t"] and not state["rPh"]:
            length += len(piece)
            if length > CELL_CHARACTERS:
                raise LimitError(f"{file}: a cell of more than {CELL_CHARACTERS:,} characters")
            pieces.append(piece)

    if (stream := open_part("xl/sharedStrings.xml")) is not None:
        with stream:
            read_xml(stream, file, start, end, text)
    return texts


def _formats(open_part: OpenPart, file: str) -> list[str]:
    """For each cell style what its numbers are: `date`, `time`, `elapsed`, a row of zeros (`00000`), or nothing."""
    custom: dict[str, str] = {}
    styles: list[str] = []
    inside = [False]

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "numFmt":
            custom[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            inside[0] = True
        elif tag == "xf" and inside[0]:
            styles.append(attributes.get("numFmtId", "0"))

    def end(tag: str) -> None:
        if tag == "cellXfs":
            inside[0] = False

    if (stream := open_part("xl/styles.xml")) is not None:
        with stream:
            read_xml(stream, file, start, end, _nothing)
    meanings = {identifier: _meaning(identifier, custom.get(identifier)) for identifier in set(styles)}
    return [meanings[identifier] for identifier in styles]


_PATTERNS: Final = (
    (re.compile(r"general|.*0e[+-].*"), ""),
    (re.compile(r".*\[.*"), "elapsed"),
    (re.compile(r".*(?:[dye]|mmm).*|m+"), "date"),
    (re.compile(r".*[hs].*"), "time"),
)
"""What a custom number format shows, the first that fits; its literal texts are taken out before."""


def _meaning(identifier: str, code: str | None) -> str:
    if code is None:
        number = int(identifier) if re.fullmatch(r"[0-9]{1,3}", identifier) else 0
        kinds = ((_DATE_IDS, "date"), (_TIME_IDS, "time"), (_ELAPSED_IDS, "elapsed"))
        return next((kind for numbers, kind in kinds if number in numbers), "")
    bare = _NO_FORMAT.sub("", code[:200].partition(";")[0]).lower().strip()
    shown = next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(bare)), None)
    if shown is not None:
        return shown
    return bare if re.fullmatch("0{2,20}", bare) else ""


def unescaped(text: str) -> str:
    """The text with `_x000D_` and the like turned into characters (ECMA-376 22.9.2.19)."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return "\ufffd" if 0xD800 <= number <= 0xDFFF else chr(number)


def number_text(found: str, meaning: str, epoch: datetime) -> str:
    """A stored number as a person would write it: `5`, `0.1`, `2020-01-02`, `03:04:05`; as found if it is none."""
    if not meaning and _PLAIN_NUMBER.fullmatch(found):
        return found
    try:
        number = float(found)
        if abs(number) > 1e300 or number != number:
            return found
        if meaning in {"date", "time", "elapsed"}:
            return _moment(number, meaning, epoch)
    except (ValueError, OverflowError):
        return found
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number)).zfill(len(meaning))
    text = repr(number)
    return format(Decimal(text), "f") if "e" in text else text


def _moment(days: float, meaning: str, epoch: datetime) -> str:
    """Days since the epoch as ISO text; the year 1900 has a 29 February in workbooks, as Lotus 1-2-3 had."""
    seconds = round(days * 86_400)
    if meaning == "elapsed" or (meaning == "time" and 0 <= days < 1):
        minutes, second = divmod(seconds, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"
    moment = epoch + timedelta(seconds=seconds)
    if epoch == _EPOCH and 0 < days < 60:
        moment += timedelta(days=1)
    return moment.date().isoformat() if seconds % 86_400 == 0 else moment.isoformat(" ")
