"""What is wrong with rows of a context, counted by kind, with the place of the first. Nothing of a cell is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Wrong(StrEnum):
    """What can be wrong; which kinds cost the row stands in `KEPT`."""

    EMPTY = "empty"
    BAD_DATE = "bad date"
    BAD_COUNT = "bad count"
    BAD_CHOICE = "bad choice"
    BAD_NAME = "bad name"
    ENDS_FIRST = "ends before it begins"
    NOBODY = "nobody"
    SELF = "tied to itself"
    TWICE = "twice"
    TOO_LARGE = "too large a household"
    NO_OFFICE = "no office"
    REOPENED = "opened again"
    SEVERAL_KINDS = "several kinds"
    UNKNOWN_CASE = "unknown case"
    MASS = "mass case"


KEPT: Final = frozenset({Wrong.NO_OFFICE, Wrong.REOPENED, Wrong.SEVERAL_KINDS, Wrong.MASS})
"""What is said, but costs no row."""

TEXTS: Final[Mapping[Wrong, tuple[str, str]]] = {
    Wrong.EMPTY: ("a cell that is needed is empty: left out", "必填的欄位是空的：略過"),
    Wrong.BAD_DATE: ("no date, such as 2025-03-31: left out", "不是日期（例如 2025-03-31）：略過"),
    Wrong.BAD_COUNT: ("no whole number from 1: left out", "不是 1 以上的整數：略過"),
    Wrong.BAD_CHOICE: ("none of the words that may stand here: left out", "不是此欄可用的字詞：略過"),
    Wrong.BAD_NAME: ("a name that is too long or cannot be printed: left out", "名稱過長或含控制字元：略過"),
    Wrong.ENDS_FIRST: ("ends before it begins: left out", "結束早於開始：略過"),
    Wrong.NOBODY: ("names neither an account nor an office: left out", "既無帳號也無單位：略過"),
    Wrong.SELF: ("ties a record to itself: left out", "記錄與自己相連：略過"),
    Wrong.TWICE: ("says again what a row before it says: left out", "與前面的列重複：略過"),
    Wrong.TOO_LARGE: ("in a household that is too large for one: left out", "同戶人數過多，不視為一戶：略過"),
    Wrong.NO_OFFICE: ("an account without an office: kept", "帳號沒有單位：保留"),
    Wrong.REOPENED: ("a case that was given before, with other times: both kept", "案件重複出現而時間不同：兩者皆保留"),
    Wrong.SEVERAL_KINDS: ("a day of several kinds: kept, mass work first", "同一天有多種類別：保留，以大量作業為先"),
    Wrong.UNKNOWN_CASE: ("a case that the table of cases does not have: without effect", "案件表中沒有此案件：不生效"),
    Wrong.MASS: ("a case that covers too many persons to explain a read", "案件涵蓋人數過多，無法說明讀取理由"),
}
"""Each kind in English and in Chinese as written in Taiwan."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault in one table: how often, and where first. `row`: from 1, below the header; 0: in no one row."""

    kind: Wrong
    table: str
    source: str
    count: int
    row: int
    column: str

    @property
    def kept(self) -> bool:
        """Whether the rows still count."""
        return self.kind in KEPT

    def __str__(self) -> str:
        place = f", first in row {self.row:,}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.source}: {self.count:,} x {TEXTS[self.kind][0]}{place}{column}"


def joined(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Faults of one kind, table and source together, in the order of `Wrong`; the first place stays."""
    found: dict[tuple[str, str, str], Fault] = {}
    for fault in faults:
        name = (fault.kind.value, fault.table, fault.source)
        before = found.get(name)
        found[name] = fault if before is None else replace(before, count=before.count + fault.count)
    order = list(Wrong)
    return tuple(sorted(found.values(), key=lambda one: (one.table, one.source, order.index(one.kind))))
