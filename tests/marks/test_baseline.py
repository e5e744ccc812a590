"""The baseline: what was changed in form only is told from what really changed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.marks.baseline import Baseline, CellDigest, State, baseline_column

DIGEST = CellDigest(b"d" * 16)
TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\0\1"), max_size=6), max_size=8)


def baseline(forms: list[str], plains: list[str]) -> Baseline:
    """The baseline of column 3 of records 10, 20, 30 ..."""
    pseudonyms = np.arange(1, len(forms) + 1, dtype=np.uint64) * np.uint64(10)
    return Baseline((3,), pseudonyms, DIGEST(forms)[:, None], DIGEST(plains)[:, None])


def states(known: Baseline, forms: list[str], plains: list[str], column: int = 3) -> list[State]:
    pseudonyms = np.arange(1, len(forms) + 1, dtype=np.uint64) * np.uint64(10)
    return [State(s) for s in known.states(pseudonyms, column, DIGEST(forms), DIGEST(plains))]


KNOWN = baseline(["1 Mill Road", "2 Mill Rd"], ["1 Mill Road", "2 Mill Road"])


@pytest.mark.parametrize(
    ("form", "plain", "state"),
    [
        ("1 Mill Road", "1 Mill Road", State.SAME),
        ("1 Mill Rd", "1 Mill Road", State.FORM_ONLY),
        ("1 Hill Road", "1 Hill Road", State.CHANGED),
        (None, None, State.SAME),
    ],
)
def test_what_has_become_of_a_cell(form: str, plain: str, state: State) -> None:
    assert states(KNOWN, [form], [plain]) == [state]


def test_a_cell_or_column_without_a_baseline_is_new() -> None:
    assert states(KNOWN, ["a", "b", "c"], ["a", "b", "c"])[2] == State.NEW
    assert states(KNOWN, ["1 Mill Rd"], ["1 Mill Road"], column=4) == [State.NEW]
    assert states(Baseline.empty(), ["a"], ["a"]) == [State.NEW]


def test_what_other_carriers_knew_is_new_where_its_form_stayed_and_erased_where_it_did_not() -> None:
    """`plain` of other carriers folds other forms, so it cannot tell a change from a mark that was written back."""
    before, after = baseline_column(3, ["street-type"]), baseline_column(3, ["ordinals", "street-type"])
    known = replace(KNOWN, columns=(before,))
    assert states(known, ["1 Mill Road", "3 Hill Road"], ["1 Mill Road", "3 Hill Road"], after) == [
        State.NEW,
        State.FORM_ONLY,
    ]
    assert states(known, ["3 Hill Road"], ["3 Hill Road"], before) == [State.CHANGED]
    assert states(known, ["3 Hill Road"], ["3 Hill Road"], baseline_column(4, ["street-type"])) == [State.NEW]
    both = known.merged(replace(baseline(["3 Hill Road"], ["3 Hill Road"]), columns=(after,)))
    assert states(both, ["3 Hill Rd"], ["3 Hill Road"], after) == [State.FORM_ONLY]
    assert states(both, ["9 Mill Road"], ["9 Mill Road"], after) == [State.CHANGED]


def test_the_order_of_carriers_makes_no_other_column() -> None:
    assert baseline_column(3, ["a", "b"]) == baseline_column(3, ["b", "a"]) != baseline_column(3, ["a"])
    assert baseline_column(4095, ["a"]) % 4096 == 4095


def test_a_tolerance_column_has_one_plain_for_all_so_any_change_is_one_in_form() -> None:
    ones = np.ones(1, np.uint32)
    known = Baseline((3,), np.array([10], np.uint64), DIGEST(["100"])[:, None], ones[:, None])
    assert known.states(known.pseudonyms, 3, DIGEST(["900"]), ones).tolist() == [State.FORM_ONLY]
    assert known.states(known.pseudonyms, 3, DIGEST(["100"]), ones).tolist() == [State.SAME]


def test_merging_puts_the_newer_digests_over_the_old_ones_and_keeps_the_rest() -> None:
    news = Baseline((4,), np.array([20, 25], np.uint64), DIGEST(["x", "y"])[:, None], DIGEST(["x", "y"])[:, None])
    both = KNOWN.merged(news)
    assert both.columns == (3, 4)
    assert both.pseudonyms.tolist() == [10, 20, 25]
    assert states(both, ["1 Mill Road", "2 Mill Rd"], ["1 Mill Road", "2 Mill Road"]) == [State.SAME, State.SAME]
    assert both.form[:, 1].tolist() == [0, *DIGEST(["x", "y"]).tolist()]
    again = both.merged(baseline(["1 Hill Road"], ["1 Hill Road"]))
    assert states(again, ["1 Mill Road"], ["1 Mill Road"]) == [State.CHANGED]


@given(st.lists(st.integers(1, 30), max_size=6, unique=True), st.lists(st.integers(1, 5), max_size=3, unique=True))
def test_it_is_read_as_it_was_written(records: list[int], columns: list[int]) -> None:
    form = np.arange(len(records) * len(columns), dtype=np.uint32).reshape(len(records), len(columns))
    kept = Baseline(tuple(columns), np.array(sorted(records), np.uint64), form, form + 1)
    again = Baseline.from_bytes(kept.to_bytes())
    assert again.columns == kept.columns
    for name in ("pseudonyms", "form", "plain"):
        np.testing.assert_array_equal(getattr(again, name), getattr(kept, name))


@pytest.mark.parametrize("data", [b"", b"MUNB1", b"\0" * 64, KNOWN.to_bytes()[:-1], KNOWN.to_bytes()[:30]])
def test_bytes_that_are_no_baseline_are_an_integrity_error(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        Baseline.from_bytes(data)


# --- the digest --------------------------------------------------------------------------------------------------


@given(TEXTS)
def test_the_digest_of_a_cell_does_not_depend_on_its_neighbours(cells: list) -> None:
    together = DIGEST(cells).tolist()
    assert together == [int(DIGEST([cell])[0]) for cell in cells]
    assert [digest == 0 for digest in together] == [cell is None for cell in cells]


@given(TEXTS)
def test_different_cells_have_different_digests(cells: list) -> None:
    distinct = list(dict.fromkeys(cells))
    assert len(set(DIGEST(distinct).tolist())) == len(distinct)


@pytest.mark.parametrize(
    ("first", "second"), [("ab", "ba"), ("a" * 300, "a" * 299), ("x" * 256 + "ab", "x" * 256 + "ba")]
)
def test_place_and_length_count(first: str, second: str) -> None:
    assert DIGEST([first])[0] != DIGEST([second])[0]


def test_a_cell_with_a_nul_byte_disturbs_no_other() -> None:
    assert DIGEST(["a\0b", "c"])[1] == DIGEST(["c"])[0]


def test_another_key_gives_other_digests_and_shows_in_no_repr() -> None:
    assert CellDigest(b"e" * 16)(["a"])[0] != DIGEST(["a"])[0]
    assert repr(DIGEST) == "CellDigest()"
