"""Tables of several registers and imports put together in the names that reads have."""

from __future__ import annotations

import numpy as np

from muniment.table import Table
from muniment.watch.context.assemble import DECOYS, Ruled, assemble
from muniment.watch.context.calendar import day_kinds, day_of
from muniment.watch.context.faults import Wrong
from muniment.watch.context.index import ContextIndex
from muniment.watch.context.parse import Ground, Parsed, parse
from muniment.watch.days import DayKind, Explanation
from muniment.watch.reads import Spaces


class Numbered:
    def __init__(self, first: int = 0) -> None:
        self.first = first

    def ordinals(self, keys: list[bytes]) -> np.ndarray:
        return np.array([self.first + int(key[4:]) for key in keys], np.uint32)


def table(name: str, header: str, *rows: str, first: int = 0) -> Parsed:
    cells = [[cell or None for cell in row.split("|")] for row in rows]
    return parse(name, [Table.from_rows(header.split("|"), cells)], "here", Ground("UTC", ("key",), Numbered(first)))


def test_nothing_given_is_missing_and_not_empty() -> None:
    found = assemble([], Spaces(), Ruled("Asia/Taipei"))
    assert len(found.context.missing) == 7
    assert found.context.calendar.zone == "Asia/Taipei"
    assert found.faults == ()


def test_codes_are_those_of_the_reads() -> None:
    spaces = Spaces()
    spaces.account.codes(["zhao", "lin"])
    staff = table("staff", "account|office", "lin|Tax", "wu|", "zhao|Tax")
    found = assemble([staff], spaces, Ruled()).context.staff
    assert found is not None
    assert found.account.tolist() == [1, 2, 0]
    assert found.office.tolist() == [0, -1, 0]
    assert spaces.account.texts == ("zhao", "lin", "wu")


def test_an_imported_context_explains() -> None:
    spaces = Spaces()
    found = assemble(
        [
            table("staff", "account|office", "lin|Tax", "wu|Tax"),
            table("cases", "case|type|opened|household", "c1|benefit|2025-01-01|", "c2|audit|2025-01-01|yes"),
            table("covers", "case|key", "c1|1", "c2|5", "c9|7"),
            table("assignments", "case|account|office", "c1|lin|", "c2||Tax", "c8|wu|"),
            table("households", "key|household", "1|a", "2|a", "5|b", "6|b"),
        ],
        spaces, Ruled(household_types={"benefit", "never seen"}),
    )  # fmt: skip
    unknown = [(one.kind, one.table, one.count) for one in found.faults]
    assert unknown == [(Wrong.UNKNOWN_CASE, "assignments", 1), (Wrong.UNKNOWN_CASE, "covers", 1)]
    index = ContextIndex(found.context)
    account = spaces.account.codes(["lin", "lin", "wu", "lin", "wu", "lin"])
    moment = np.full(6, day_of("2025-02-01") * 86_400_000)
    office, _ = index.offices(account, moment)
    why = index.explain(
        account, office, np.array([1, 2, 1, 6, 5, 7], np.uint32), np.full(6, -1, np.int32), moment, moment
    )
    own, others, its = Explanation.ASSIGNED, Explanation.OTHERS, Explanation.OFFICE
    assert why.tolist() == [own, own, others, its, its, Explanation.NONE]


def test_covers_without_cases_explain_nothing_and_say_so() -> None:
    found = assemble([table("covers", "case|key", "c1|1")], Spaces(), Ruled())
    assert found.context.cases is None
    assert found.faults == ()


def test_a_case_that_covers_too_many_is_said() -> None:
    covers = table("covers", "case|key", *(f"c1|{n}" for n in range(201)))
    found = assemble([table("cases", "case|opened", "c1|2025-01-01"), covers], Spaces(), Ruled())
    assert [(one.kind, one.count) for one in found.faults] == [(Wrong.MASS, 1)]


def test_tables_of_two_registers_stay_apart() -> None:
    homes = [table("households", "key|household", "1|a", "2|a"), table("households", "key|household", "1|a", first=100)]
    orders = [
        table("orders", "key|number|surname", "2|7|Lin", "1|8|Wu"),
        table("orders", "key|number", "1|1", first=100),
    ]
    context = assemble([*homes, *orders], Spaces(), Ruled()).context
    index = ContextIndex(context)
    assert index.neighbours(np.array([1, 101], np.uint32))[1].tolist() == [2]
    assert context.orders is not None
    assert context.orders.names == ("number", "surname")
    assert context.orders.record.tolist() == [1, 2, 101]
    assert context.orders.rank[:2].tolist() == [[1, 1], [0, 0]]
    assert context.orders.rank[2, 0] > 500
    assert context.orders.rank[2, 1] == -1
    assert context.orders.born.tolist() == [0, 0, 0]


def test_a_calendar_of_all_and_of_one_office() -> None:
    spaces = Spaces()
    days = table(
        "calendar", "date|kind|office", "2025-10-09|holiday|", "2025-10-08|busy|Tax", "2025-10-11|workday|Ward"
    )
    context = assemble([days, table("shifts", "office", "Night")], spaces, Ruled()).context
    offices = spaces.office.codes(["Tax", "Ward", "Night"])
    kinds = [day_kinds(context.calendar, day_of(f"2025-10-{n:02}"), offices).tolist() for n in (9, 8, 11)]
    rest, work, busy = DayKind.REST, DayKind.WORKDAY, DayKind.BUSY
    assert kinds == [[rest, rest, work], [busy, work, work], [rest, work, work]]


def test_decoys_of_several_registers_ascending() -> None:
    parts = [Parsed(DECOYS, {"record": np.array(one, np.uint32)}) for one in ([9, 4], [2])]
    assert assemble(parts, Spaces(), Ruled()).context.decoys.tolist() == [2, 4, 9]
