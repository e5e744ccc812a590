"""Probes: what is looked up, and what the register knows of it."""

from __future__ import annotations

import pytest

from language.persons import register_of, scan_of, specs_of
from muniment.table import Table
from muniment.trace import probes as module
from muniment.trace.probes import cuts, measure, probe

REGISTER = register_of(1_000)


def test_the_first_distinct_values_are_taken_with_their_counts() -> None:
    found = probe(["b", None, "a", "b", "", "c"], 2)
    assert found.values == ("b", "a")
    assert found.counts.tolist() == [2, 1]


@pytest.mark.parametrize(("value", "ways"), [
    ("Neumann, Michaela", (("neumann", "michaela"),)), ("Ann van Dyck", (("ann", "van dyck"), ("ann van", "dyck"))),
    ("王小明", (("王", "小明"), ("王小", "明"))), ("single", ()), ("", ()),
])
def test_cuts(value: str, ways: tuple[tuple[str, str], ...]) -> None:
    assert cuts(value) == ways


def test_share_and_likeness(monkeypatch: pytest.MonkeyPatch) -> None:
    leak = Table(("a", "b"), ([*REGISTER["surname"][:50], "Nobody"], ["Nowhere"] * 51))
    specs = specs_of(("surname", "town"))
    _, overlap = measure(leak, specs, scan_of(REGISTER))
    distinct = len(set(leak["a"]))
    assert overlap.share[0].tolist() == [(distinct - 1) / distinct, 0]
    assert overlap.share[1].tolist() == [0, 0]
    assert 0.5 < overlap.alike[0, 0] <= 1
    monkeypatch.setattr(module, "WHOLE_ROWS", 100)
    monkeypatch.setattr(module, "HITS", 2)
    _, sparse = measure(leak, specs, scan_of(REGISTER))
    assert 0 < sparse.share[0, 0] <= overlap.share[0, 0]
