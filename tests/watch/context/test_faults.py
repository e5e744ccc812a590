"""Faults: joined they lose nothing, and they say where to look without a word of what stands there."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from muniment.watch.context.faults import Fault, Wrong, joined

FAULTS = st.lists(
    st.builds(
        Fault, st.sampled_from(Wrong), st.sampled_from(["cases", "staff"]), st.sampled_from(["a.csv", "b.csv"]),
        st.integers(1, 9), st.integers(0, 2_000), st.sampled_from(["", "until"]),
    ),
    max_size=25,
)  # fmt: skip


@given(FAULTS)
def test_joined_counts_add_up_and_the_first_place_stays(faults: list[Fault]) -> None:
    expected: Counter[tuple[Wrong, str, str]] = Counter()
    first: dict[tuple[Wrong, str, str], Fault] = {}
    for fault in faults:
        key = (fault.kind, fault.table, fault.source)
        expected[key] += fault.count
        first.setdefault(key, fault)
    found = {(one.kind, one.table, one.source): one for one in joined(faults)}
    assert {key: one.count for key, one in found.items()} == dict(expected)
    assert all((one.row, one.column) == (first[key].row, first[key].column) for key, one in found.items())


@given(FAULTS)
def test_joined_stand_by_table_source_and_kind_and_joining_again_changes_nothing(faults: list[Fault]) -> None:
    found = joined(faults)
    order = list(Wrong)
    keys = [(one.table, one.source, order.index(one.kind)) for one in found]
    assert keys == sorted(set(keys))
    assert joined(found) == found


def test_a_fault_says_source_number_row_and_column_where_it_knows_them() -> None:
    whole = Fault(Wrong.BAD_DATE, "cases", "cases.csv", 1_234, 5_678, "opened")
    assert str(whole).startswith("cases.csv: 1,234 x no date") and str(whole).endswith("row 5,678, column opened")
    nowhere = Fault(Wrong.MASS, "covers", "covers.csv", 1, 0, "")
    assert "row" not in str(nowhere) and "column" not in str(nowhere)
    assert nowhere.kept and not whole.kept
