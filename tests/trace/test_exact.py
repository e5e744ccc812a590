"""The exact step, and how far a unique match may be trusted."""

from __future__ import annotations

from language.persons import register_of, same_names, scan_of, specs_of
from muniment.table import Table
from muniment.trace.exact import Exact, match_exactly
from muniment.trace.fields import fields_of, leak_keys, register_keys


def matching(leak: Table, register: Table, *columns: str) -> Exact:
    fields = fields_of(same_names(*columns), specs_of())
    return match_exactly(fields, leak_keys(fields, [leak[name] for name in columns], loose=False),
                         register_keys(fields, scan_of(register)))


def test_only_a_single_equal_record_counts() -> None:
    register = Table(("given", "town"), (["Ann", "Ann", "Bo", None], ["Goole", "Goole", "Goole", "Ashby"]))
    leak = Table(("given", "town"), (["ANN", "bo", "Cy", None, None], ["Goole", "goole", "Goole", "Ashby", None]))
    exact = matching(leak, register, "given", "town")
    assert exact.record.tolist() == [-1, 2, -1, 3, -1]
    assert exact.matches.tolist() == [2, 1, 0, 1, 0]


def test_the_weight_falls_where_a_stranger_would_be_unique_too() -> None:
    register = register_of(2_000)
    strong = matching(register_of(200, seed=5), register, "surname", "born")
    weak = matching(register_of(200, seed=5), register, "given", "surname", "town")
    assert strong.weight > 0.95
    assert weak.weight < 0.6
    assert strong.share == 0.05
    assert matching(register.take(range(50)), register, "surname", "born").share == 0.95
