"""Blocking: keys, the choice of passes, and that a row with one wrong column still meets its record."""

from __future__ import annotations

import numpy as np

from language.persons import changed, register_of, same_names, scan_of, specs_of
from muniment.table import Table
from muniment.trace.blocking import BLOCK_MOST, PASSES, candidates, choose_passes, chunks, collision, combined, forms_of
from muniment.trace.fields import Keys, fields_of, leak_keys, register_keys, texts, with_loose

REGISTER = register_of(2_000)
COLUMNS = ("given", "surname", "born", "address")
FIELDS = fields_of(same_names(*COLUMNS), specs_of())


def sides(leak: Table) -> tuple[Keys, Keys]:
    scan = scan_of(REGISTER)
    register, _ = with_loose(FIELDS, scan, register_keys(FIELDS, scan), np.zeros(0, np.int64))
    return leak_keys(FIELDS, [texts(leak, field.leak) for field in FIELDS], loose=True), register


def test_a_key_of_several_is_missing_where_one_is() -> None:
    one, other = np.array([1, 1, 0, 5]), np.array([2, 2, 2, 0])
    key = combined([one, other])
    assert (key == 0).tolist() == [False, False, True, True]
    assert key[0] == key[1]
    assert combined([other, one])[0] != key[0]


def test_collision_is_the_chance_that_two_share_a_value() -> None:
    assert collision(np.array([1, 1, 2, 3, 0, 0])) == 2 / (4 * 3)
    assert collision(np.array([0, 0])) == 1
    assert collision(np.arange(1, 11)) == 1 / 90


def test_every_single_wrong_column_leaves_the_true_pair() -> None:
    rows = list(range(0, 2_000, 20))
    for column in COLUMNS:
        leak = changed(REGISTER.take(rows), column, lambda _: "Quite 7 Other 1").select(COLUMNS)
        mine, register = sides(leak)
        passes = choose_passes(forms_of(FIELDS, mine, register), register.rows)
        assert 1 <= len(passes) <= PASSES
        pairs = set(zip(*(side.tolist() for side in candidates(passes, np.arange(100), 2_000)), strict=True))
        assert sum((number, row) in pairs for number, row in enumerate(rows)) >= 97, column
        assert len(pairs) <= 100 * PASSES * BLOCK_MOST


def test_frequent_keys_are_not_followed() -> None:
    same = Table.from_rows(REGISTER.columns, [next(REGISTER.take([0]).iter_rows())] * (BLOCK_MOST + 1))
    scan = scan_of(same)
    register, _ = with_loose(FIELDS, scan, register_keys(FIELDS, scan), np.zeros(0, np.int64))
    mine = leak_keys(FIELDS, [texts(same, field.leak) for field in FIELDS], loose=True)
    passes = [(form,) for form in forms_of(FIELDS, mine, register)]
    assert len(candidates(passes, np.arange(3), same.rows)[0]) == 0


def test_chunks_cover_all_rows_once() -> None:
    assert [part.tolist() for part in chunks(np.arange(5), 2)] == [[0, 1], [2, 3], [4]]
