"""Rows of a result, scanned: nanoseconds a row, in plain Python and compiled.

Run as `PYTHONPATH=bench:tools python bench/gate/scan.py`.

Claim: taking the key of each row costs less than 100 ns compiled, and less than 400 ns in plain Python; so the scan is
not what bounds a bulk read. Rows are generated: seven columns of a register of persons, 112 bytes a row, a NULL in one
column; chunks of 256 KiB as a socket gives them. CPU time of this process, best of five. The compiled scan is built for
the run in a temporary folder (mypy, setuptools, a C compiler); where that cannot be done only plain Python is measured.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from typing import Final, TypeAlias

from measurement import Measurement
from muniment.gate.protocol.backend import DataRow
from muniment.gate.protocol.copyscan import CopyRows
from muniment.gate.protocol.scan import scan_plain
from muniment.gate.protocol.wire import message

ROWS: Final = 200_000
CHUNK: Final = 256 * 1024
ROUNDS: Final = 5
COLUMNS: Final = 7
SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "boundaries alone": (), "key in the first column": (0,), "key in the third column": (2,),
    "all seven columns": tuple(range(COLUMNS)),
}  # fmt: skip
WANTED: Final[dict[tuple[str, tuple[int, ...]], int]] = {
    ("plain", (0,)): 400, ("compiled", (0,)): 100, ("compiled", (2,)): 100,
}  # fmt: skip
"""Nanoseconds a row that are promised; the rest is for information."""

Cells: TypeAlias = list[list[bytes | None]]
Scan: TypeAlias = Callable[[bytes, int, int, int, tuple[int, ...], list[int], Cells, int], int]
Take: TypeAlias = Callable[[bytes, list[int], Cells], int]


def persons() -> Iterator[tuple[bytes | None, ...]]:
    """The rows, from a formula: a run needs no seed."""
    for i in range(ROWS):
        yield (
            b"A%09d" % i, b"Surname%d" % (i % 977), b"1970-01-%02d" % (i % 28 + 1), b"Some Street %d" % (i % 311),
            None, b"x" * 30, b"%d" % (i % 100),
        )  # fmt: skip


def chunks(stream: bytes, take: Take, columns: int) -> float:
    """CPU seconds of taking all rows of a stream, chunk by chunk; what a chunk leaves over begins the next one."""
    seconds, at = 0.0, 0
    while at < len(stream):
        chunk = stream[at : at + CHUNK]
        ends: list[int] = []
        cells: Cells = [[] for _ in range(columns)]
        start = time.process_time()
        taken = take(chunk, ends, cells)
        seconds += time.process_time() - start
        if not taken:
            raise AssertionError("the scan took nothing")
        at += taken
    return seconds


def measured(how: str, what: str, stream: bytes, make: Callable[[], Take], fields: tuple[int, ...]) -> Measurement:
    """One line: nanoseconds a row, the best of some rounds."""
    best = min(chunks(stream, make(), len(fields)) for _ in range(ROUNDS)) / ROWS * 1e9
    wanted = WANTED.get((how, fields))
    return Measurement(
        f"{how}: {what}",
        f"<= {wanted} ns/row" if wanted else "(for information)",
        f"{best:.0f} ns/row",
        wanted is None or best <= wanted,
    )


def taking(scan: Scan, fields: tuple[int, ...]) -> Callable[[], Take]:
    """The scan of DataRows as `chunks` calls it."""
    return lambda: lambda chunk, ends, cells: scan(chunk, 0, len(chunk), 68, fields, ends, cells, ROWS)


def copying(fields: tuple[int, ...], width: int) -> Callable[[], Take]:
    """The scan of CopyData in text format as `chunks` calls it."""

    def make() -> Take:
        reader = CopyRows("text", width=width, fields=fields)
        return lambda chunk, ends, cells: reader.take(chunk, 0, len(chunk), ends, cells, ROWS)

    return make


def compiled() -> Scan | None:
    """The compiled scan, built now; `None` where it cannot be."""
    try:
        from compile import compile_into
    except ImportError:
        return None
    with tempfile.TemporaryDirectory(prefix="muniment-bench-") as name:
        try:
            built = compile_into(Path(name))
        except Exception as error:
            print(f"not compiled: {error}", file=sys.stderr)
            return None
        for path in sorted(built, key=lambda path: "__mypyc" not in path.name):  # the shared code first
            full = "muniment.gate.protocol." + path.name.partition(".")[0]
            spec = importlib.util.spec_from_loader(full, ExtensionFileLoader(full, str(path)))
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[full] = module
            spec.loader.exec_module(module)
        scan: Scan = sys.modules["muniment.gate.protocol.typedscan"].scan
        return scan


def main() -> list[Measurement]:
    """Scan in both ways, and the rows of a COPY beside them."""
    stream = b"".join(DataRow(cells).build() for cells in persons())
    scans: dict[str, Scan | None] = {"plain": scan_plain, "compiled": compiled()}
    lines = [
        measured(how, what, stream, taking(scan, fields), fields)
        for how, scan in scans.items()
        for what, fields in SHAPES.items()
        if scan is not None
    ]
    copied = b"".join(
        message(100, b"\t".join(cell or rb"\N" for cell in cells) + b"\n") for cells in persons()
    )  # fmt: skip
    lines += [
        measured("COPY in text format", what, copied, copying(fields, COLUMNS), fields)
        for what, fields in SHAPES.items()
        if fields
    ]
    return lines


if __name__ == "__main__":
    for line in main():
        print(f"{'ok ' if line.holds else 'NO '} {line.claim:<60} {line.measured:>12}   {line.wanted}")
