"""Merged and split columns are found by their parts, and only where most values have two known parts."""

from __future__ import annotations

from language.persons import register_of, scan_of, specs_of
from muniment.disclosure import Kind
from muniment.table import Table
from muniment.trace.columns import ColumnSpec
from muniment.trace.merged import merged_columns, split_columns
from muniment.trace.probes import measure

REGISTER = register_of(1_000)
FULL = [f"{s}, {g}" for g, s in zip(REGISTER["given"], REGISTER["surname"], strict=True)]


def test_a_full_name_is_found_and_an_address_is_not_taken_apart() -> None:
    leak = Table(("who", "where"), (FULL[:200], REGISTER["address"][:200]))
    probes, overlap = measure(leak, specs_of(("town", "given", "surname")), scan_of(REGISTER))
    assert list(merged_columns(probes, overlap, range(3), range(2))) == [(0, 1, 2)]


def test_two_columns_make_up_a_register_column() -> None:
    register = Table(("name", "town"), (FULL, REGISTER["town"]))
    specs = [ColumnSpec("name", Kind.NAME, str, None), ColumnSpec("town", Kind.PLACE, str, None)]
    leak = REGISTER.take(range(300)).select(["sex", "surname", "given"])
    probes, overlap = measure(leak, specs, scan_of(register))
    assert list(split_columns(probes, overlap, range(2), range(3))) == [(0, 1, 2)]
