"""The small text files that a person hands over: who receives a copy, and which numbers are reserved for decoys.

A file name is never made from a recipient's name: a name can hold a path, or be one that a system refuses.
"""

from __future__ import annotations

import csv
from pathlib import Path

from muniment.durable import read_file, storage_faults
from muniment.errors import InputError
from muniment.limits import RECIPIENT_FILE_BYTES

_HEADERS = (["recipient"], ["recipient", "file"])


def read_recipients(path: Path, out_dir: Path, form: str = "csv") -> dict[str, Path]:
    """Recipient -> file below `out_dir`, in the order of a CSV with one recipient a line, and makes the folder.

    A file that the CSV does not name is `copy-0001.FORM`, numbered by its line among the recipients.

    Raises:
        InputError: the file cannot be read, names nobody, names somebody twice, or names a file outside `out_dir`.
        UnreachableError: the folder cannot be made.
    """
    rows = _rows(path)
    if rows and [cell.strip().lower() for cell in rows[0][1]] in _HEADERS:
        rows = rows[1:]
    if not rows:
        raise InputError(f"{path}: no recipient: expected one a line")
    digits = max(4, len(str(len(rows))))
    found: dict[str, Path] = {}
    for number, (line, cells) in enumerate(rows, 1):
        recipient = cells[0].strip()
        if not recipient or len(cells) > 2:
            raise InputError(f"{path}: line {line:,}: expected a recipient, or a recipient, a comma and a file")
        if recipient in found:
            raise InputError(f"{path}: line {line:,}: this recipient stands there twice: expected each once")
        named = cells[1].strip() if len(cells) == 2 else ""
        found[recipient] = out_dir / (_inside(path, line, named) if named else f"copy-{number:0{digits}}.{form}")
    with storage_faults(out_dir, "make the folder"):
        out_dir.mkdir(parents=True, exist_ok=True)
    return found


def read_reserve(path: Path) -> tuple[str, ...]:
    """The record numbers of a text file, one a line; `InputError` where there is none or a number stands twice."""
    numbers = tuple(line.strip() for line in _text(path).splitlines() if line.strip())
    if not numbers:
        raise InputError(f"{path}: no record number: expected one a line")
    if len(set(numbers)) < len(numbers):
        raise InputError(f"{path}: a record number stands there twice: expected each once")
    return numbers


def _inside(path: Path, line: int, named: str) -> str:
    """A file name as it stands in the CSV: one name, without a folder, so that nothing is written elsewhere."""
    if "\0" in named or named == ".." or Path(named).name != named:
        raise InputError(f"{path}: line {line:,}: expected the name of a file without a folder")
    return named


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    reader = csv.reader(_text(path).splitlines(), strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num:,}: not CSV ({error})") from error


def _text(path: Path) -> str:
    data = read_file(path, RECIPIENT_FILE_BYTES)
    if data is None:
        raise InputError(f"{path}: there is no such file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Without the cause: a decoding error carries the bytes of the file.
        raise InputError(f"{path}: expected UTF-8 text") from None
