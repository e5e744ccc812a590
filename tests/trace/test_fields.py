"""Fields and their hashes: grouping of matches, missing cells, grids, and equal arrays whatever the batches."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from language.persons import matched, register_of, same_names, scan_of, specs_of
from muniment.disclosure import Kind
from muniment.table import Table
from muniment.trace import fields as module
from muniment.trace.columns import ColumnSpec
from muniment.trace.fields import (
    Encoder,
    fields_of,
    grid,
    leak_keys,
    most_telling,
    numbers_of,
    register_keys,
    texts,
    with_loose,
)
from muniment.trace.verdict import ColumnMatch

REGISTER = register_of(300)


def test_matches_that_share_a_column_are_one_field() -> None:
    matches = [*matched(("who", "given"), ("who", "surname"), ("d", "born")), ColumnMatch("x", None, 0.0, fixed=False)]
    fields = fields_of(matches, specs_of())
    assert [(field.leak, field.columns, field.merged) for field in fields] == [
        (("who",), ("given", "surname"), True), (("d",), ("born",), False)]


def test_batches_do_not_matter_and_sampled_texts_are_the_register_s() -> None:
    fields = fields_of(same_names("surname", "born"), specs_of())
    one, other = (register_keys(fields, scan_of(REGISTER, size)) for size in (7, 300))
    assert all((a == b).all() for a, b in zip(one.strict, other.strict, strict=True))
    asked = np.array([0, 6, 7, 299])
    loose, kept = with_loose(fields, scan_of(REGISTER, 7), one, asked)
    assert kept[0] == [REGISTER["surname"][row] for row in asked]
    assert (loose.loose[0] == leak_keys(fields, [REGISTER["surname"], REGISTER["born"]], loose=True).loose[0]).all()


def test_missing_is_zero_and_the_memory_is_bounded(monkeypatch: object) -> None:
    encode = Encoder(str.strip)
    before, module.CACHED_VALUES = module.CACHED_VALUES, 3  # type: ignore[misc]
    try:
        first = encode(["a", None, " ", "", "b", "c"])
        assert (first == 0).tolist() == [False, True, True, True, False, False]
        assert encode(["d", "e", None, "f", "g"])[2] == 0
        assert encode(["a"])[0] == first[0]
    finally:
        module.CACHED_VALUES = before  # type: ignore[misc]


@given(st.floats(-1e9, 1e9), st.floats(-1, 1), st.floats(0.01, 1000))
def test_numbers_within_two_tolerances_share_a_grid_cell(number: float, shift: float, tolerance: float) -> None:
    pair = np.array([number, number + shift * 1.999 * tolerance])
    if abs(pair[1] - pair[0]) <= 2 * tolerance:
        cells = [grid(pair, tolerance, offset) for offset in (False, True)]
        assert any(cell[0] == cell[1] != 0 for cell in cells)


def test_what_is_no_number_has_no_cell() -> None:
    numbers = numbers_of(["1,250.5", "x", None, "7", "1e999"])
    assert np.isnan(numbers[[1, 2]]).all()
    assert numbers[0] == 1250.5
    assert (grid(numbers, 1.0, offset=False) == 0).tolist() == [False, True, True, False, True]


def test_joined_cells_and_the_most_telling_fields() -> None:
    table = Table(("a", "b"), (["x", None, None], ["y", "z", None]))
    assert texts(table, ["a", "b"]) == ["x y", "z", None]
    names = [f"c{number}" for number in range(30)]
    wide = Table(tuple(names), tuple([str(row % (number + 1)) for row in range(40)] for number in range(30)))
    specs = [ColumnSpec(name, Kind.NUMBER, str, Decimal(0)) for name in names]
    kept = most_telling(fields_of(same_names(*names), specs), wide)
    assert [field.columns[0] for field in kept] == names[-module.FIELDS:]
    assert kept[0].tolerance is None
