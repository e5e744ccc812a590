"""`Records`: rows that name their own fields (JSON objects, labelled blocks) into one table.

Fields may turn up late or be missing; a missing one is `None`.
"""

from __future__ import annotations

from collections.abc import Mapping

from muniment.errors import LimitError
from muniment.ingest.leaks.builder import Budget, Builder
from muniment.ingest.leaks.leak import LeakTable
from muniment.limits import BATCH_ROWS, COLUMNS


class Records:
    """Collects records; the columns stand in order of first appearance."""

    def __init__(self, name: str, file: str, budget: Budget) -> None:
        self._new = (name, file, budget)
        self._keys: dict[str, None] = {}
        self._known = 0
        self._builder: Builder | None = None
        self._batch: list[Mapping[str, str | None]] = []
        self.unreadable = 0

    def put(self, record: Mapping[str, str | None]) -> None:
        """Take one record; one without fields is none."""
        if not record:
            return
        if self._builder is not None and self._builder.full:
            self._builder.leave_out(1)
            return
        self._keys.update(dict.fromkeys(record))
        if len(self._keys) > COLUMNS:
            hint = "check that each record is one row"
            raise LimitError(f"{self._new[1]}: more than {COLUMNS:,} different fields", hint=hint)
        self._batch.append(record)
        # Records of many different fields cost the width of the table each: hand them on sooner.
        if len(self._batch) >= max(BATCH_ROWS // (1 + len(self._keys) // 64), 64):
            self._flush()

    def finish(self) -> LeakTable | None:
        """The table, or `None` where there was no record."""
        self._flush()
        if self._builder is None:
            return None
        self._builder.unreadable += self.unreadable
        return self._builder.finish()

    def _flush(self) -> None:
        if not self._batch:
            return
        keys = list(self._keys)
        if self._builder is None:
            self._builder = Builder(*self._new, keys)
        elif len(keys) > self._known:
            self._builder.widen(keys[self._known :])
        self._known = len(keys)
        self._builder.add([[record.get(key) for key in keys] for record in self._batch])
        self._batch = []
