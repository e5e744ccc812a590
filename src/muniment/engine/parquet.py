"""Writing a release as Parquet, with the types of its source where they come back exactly.

Whether a type can be restored is known only after the last row, so the rows are gathered in a DuckDB file beside the
target (in a folder `<path>.rows` that its owner alone may enter; removed by `close` and `abort`). Memory stays bounded.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from muniment.engine.duck import connect, folded_names
from muniment.engine.tables import quoted
from muniment.engine.writing import SURROGATE, bad_cell, check_columns, disk_errors, leave, private, remove, sync
from muniment.table import Table

_RESTORED: Final = re.compile(
    r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|BOOLEAN|DATE|TIME|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?"
    r"|FLOAT|DOUBLE|DECIMAL\(\d{1,2}, ?\d{1,2}\)|UUID"
)
"""Types that a column may get back; all others, and whatever else a source calls a type, stay VARCHAR."""


class ParquetWriter:
    """Parquet with zstd, in row groups of DuckDB's default size."""

    def __init__(self, path: Path, columns: Sequence[str], types: Mapping[str, str]) -> None:
        self._path = path
        self._columns = tuple(columns)
        self._rows = 0
        wanted = [types.get(name, "VARCHAR") for name in columns]
        self._types = [kind if _RESTORED.fullmatch(kind) else "VARCHAR" for kind in wanted]
        self._fields = [f"c{number}" for number in range(len(self._columns))]
        self._beside = path.with_name(path.name + ".rows")
        folded_names(columns)
        with disk_errors(path):
            open(path, "wb", opener=private).close()  # fails now, not after the last row, where the folder is read-only
            self._remove_beside()
            self._beside.mkdir(mode=0o700)  # DuckDB's own files, one of them a log, follow the umask
            try:
                self._connection = connect(self._beside / "rows", files=[path], writable=True)
                fields = ", ".join(f"{field} VARCHAR" for field in self._fields)
                self._connection.execute(f"CREATE TABLE gathered ({fields})")
            except BaseException:
                self._remove_beside()
                raise

    def write(self, table: Table) -> None:
        """Append rows; `InputError` names a cell that is no valid Unicode."""
        check_columns(self._path, self._columns, table)
        if any(SURROGATE.search("".join([cell for cell in cells if cell])) for cells in table.cells):
            raise bad_cell(self._path, table, self._rows, SURROGATE, "half a surrogate pair")
        arrays = {field: np.array(cells, dtype=object) for field, cells in zip(self._fields, table.cells, strict=True)}
        self._connection.register("batch", arrays)
        try:
            with disk_errors(self._path):
                self._connection.execute("INSERT INTO gathered SELECT * FROM batch")
        finally:
            self._connection.unregister("batch")
        self._rows += table.rows

    def close(self) -> None:
        """Restore the types, write the Parquet file, remove what lies beside it, and fsync."""
        place = str(self._path).replace("'", "''")
        with disk_errors(self._path):
            chosen = [
                f"CAST({field} AS {kind}) AS {quoted(name)}"
                for field, kind, name in zip(self._fields, self._exact_types(), self._columns, strict=True)
            ]
            rows = f"SELECT {', '.join(chosen)} FROM gathered"
            options = "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false"  # the path is a temporary one already
            self._connection.execute(f"COPY ({rows}) TO '{place}' ({options})")
            self._connection.close()
            self._remove_beside()
            sync(self._path)

    def _exact_types(self) -> list[str]:
        """The type of each column, or VARCHAR where a cell would not come back as it went in."""
        tests = [
            f"bool_and({field} IS NOT DISTINCT FROM CAST(TRY_CAST({field} AS {kind}) AS VARCHAR))"
            for field, kind in zip(self._fields, self._types, strict=True)
        ]
        exact = self._connection.execute(f"SELECT {', '.join(tests)} FROM gathered").fetchone() or ()
        # NULL: no rows at all, which every type can hold.
        return [kind if good is not False else "VARCHAR" for kind, good in zip(self._types, exact, strict=True)]

    def abort(self) -> None:
        """Remove the partial file and what lies beside it."""
        self._connection.close()
        remove(self._path)
        self._remove_beside()

    def _remove_beside(self) -> None:
        remove(self._beside)
        shutil.rmtree(self._beside, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leave(self, kind)
