"""Messages of the PostgreSQL protocol for tests: rows, streams and the ways to cut them, and a slow second reader."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from hypothesis import strategies as st

from muniment.gate.protocol import wire

Cell = bytes | None

# Bytes that headers are made of come often, so that content looks like messages.
HEADERLIKE = st.sampled_from(
    [b"D", b"d", b"T", b"Z", b"\0", b"\0\0\0\x04", b"\0\0\0\x05I", b"D\0\0\0\x06\0\0", b"\xff\xff"]
)
CONTENT = st.one_of(st.binary(max_size=12), st.lists(HEADERLIKE, max_size=6).map(b"".join))
CELLS = st.one_of(st.none(), CONTENT)


def row(*cells: Cell, kind: bytes = b"D") -> bytes:
    """A DataRow, written by hand rather than by the code under test."""
    body = len(cells).to_bytes(2, "big")
    for cell in cells:
        body += b"\xff\xff\xff\xff" if cell is None else len(cell).to_bytes(4, "big") + cell
    return raw(kind, body)


def raw(kind: bytes, body: bytes, *, length: int | None = None) -> bytes:
    """A message, with a false length where one is given."""
    return kind + (len(body) + 4 if length is None else length).to_bytes(4, "big") + body


def read_rows(data: bytes) -> list[list[Cell]]:
    """All DataRows of a well-formed stream, one value after another: what `scan` must agree with."""
    rows = []
    while data:
        length = int.from_bytes(data[1:5], "big")
        body, data = wire.Reader("row", data[5 : 1 + length]), data[1 + length :]
        rows.append(list(body.cells()))
        body.close()
    return rows


def chunks(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    """The data cut at the places given, in any order; nothing is lost, and no chunk is empty."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        yield data[start:end]


def source_module(name: str) -> ModuleType:
    """A module of muniment executed from its source, whether or not a compiled one lies beside it."""
    path = Path(wire.__file__).parents[2].joinpath(*name.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(f"plain_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
