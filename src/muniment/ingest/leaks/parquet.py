"""Parquet, read by the engine. A member of an archive is handed over in memory where the system can (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from muniment.errors import InputError
from muniment.ingest.leaks.builder import Builder
from muniment.ingest.leaks.leak import LeakTable, printable
from muniment.ingest.leaks.source import Reading, Source
from muniment.limits import COLUMNS

_MAGIC: Final = b"PAR1"


def read_parquet(source: Source, reading: Reading) -> tuple[LeakTable, ...]:
    """Read a Parquet file as one table; `InputError` if it is cut short or damaged."""
    from muniment.engine.duck import open_parquet  # DuckDB is loaded only where it is needed

    with _on_path(source) as path:
        _check_end(path, source.name)
        try:
            relation = open_parquet(path)
            if not 0 < len(relation.columns) <= COLUMNS:
                raise InputError(f"{path}: {len(relation.columns):,} columns: expected 1 to {COLUMNS:,}")
            builder = Builder(source.title, source.name, reading.budget, relation.columns)
            for batch in relation.batches():
                builder.add(list(batch.iter_rows()))
        except InputError as error:
            # The engine's words may hold bytes of the file, and a path that exists in memory alone.
            message = printable(error.message.replace(str(path), source.name))
            raise InputError(message, hint=error.hint or "copy the file again and compare its size") from error
    if source.path is not None:
        source.meter.count(source.path.stat().st_size)
    return (builder.finish(),)


def _check_end(path: Path, name: str) -> None:
    """A Parquet file ends with the four bytes that it begins with."""
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - len(_MAGIC), 0))
        if file.read() != _MAGIC:
            hint = "copy the file again and compare its size"
            raise InputError(f"{name}: a Parquet file that is cut short", hint=hint)


@contextmanager
def _on_path(source: Source) -> Iterator[Path]:
    """A path under which DuckDB finds the bytes; those of a member never touch the disk."""
    if source.path is not None:
        yield source.path
        return
    if not hasattr(os, "memfd_create"):
        raise InputError(f"{source.name}: a Parquet file inside an archive", hint="unpack it and give the file itself")
    memory = os.memfd_create("leak", os.MFD_CLOEXEC)
    try:
        with open(memory, "wb", closefd=False) as file:
            file.write(source.whole())
        yield Path(f"/proc/self/fd/{memory}")
    finally:
        os.close(memory)
