"""From a source to an `Extract`: the engine codes the columns, here they become the values of exposure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from muniment.engine.coding import Batches, CodedColumn, read_codes
from muniment.exposure.extract import Coded, Extract

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_extract(
    source: Batches,
    columns: Sequence[str] | None = None,
    *,
    where: str | None = None,
    labels: bool = False,
    memory_limit: str | None = None,
    record: NDArray[np.uint32] | None = None,
) -> Extract:
    """The chosen columns of a source (`ingest.sources.open_source`) as codes; parameters and errors as `read_codes`."""
    coded = read_codes(source, columns, where=where, labels=labels, memory_limit=memory_limit)
    return as_extract(coded, record)


def as_extract(columns: Sequence[CodedColumn], record: NDArray[np.uint32] | None = None) -> Extract:
    """Coded columns of equal length as an extract."""
    return Extract(tuple(Coded(*column) for column in columns), len(columns[0].codes) if columns else 0, record)
