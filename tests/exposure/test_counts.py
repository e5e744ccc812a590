"""Counts that may leave: unbiased and alike for the same persons; private ones with the loss that was proved."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.generalised import numbers
from muniment.errors import InputError, LimitError, MissingExtraError
from muniment.exposure import counts
from muniment.exposure.counts import OpenDP, Perturbation, laplace_within, perturbed, private, record_keys
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.floor import Count

SECRET = bytes(range(16))


def people(*columns: Coded, record: Sequence[int] | None = None) -> Extract:
    rows = len(columns[0])
    record = range(rows) if record is None else record
    return Extract(columns, rows, np.array(record, np.uint32))


def drawn_evenly(many: int) -> np.ndarray:
    return (np.arange(many) + 0.5) / many


# --- perturbed -------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(1, 9), st.floats(0.05, 1.0), st.integers(2, 30))
def test_perturbation_is_unbiased_bounded_and_never_small(count: int, most: int, part: float, floor: int):
    how = Perturbation(most, part * most * (most + 1) / 3, floor)
    told = how.of(np.full(4_000, count), drawn_evenly(4_000))
    assert told.mean() == pytest.approx(count, abs=0.02)
    assert not ((told > 0) & (told < floor)).any()
    assert np.abs(told - count).max() <= (most if count >= floor else floor - 1)


def test_variance_is_the_one_asked_for_away_from_the_floor():
    told = Perturbation(5, 3.0).of(np.full(100_000, 50), drawn_evenly(100_000))
    assert told.var() == pytest.approx(3.0, abs=0.01)


def test_the_same_persons_give_the_same_count_in_every_table():
    rng = np.random.default_rng(3)
    place, trade = rng.integers(0, 5, 1_000).tolist(), rng.integers(0, 2, 1_000).tolist()
    twin = [value + 100 for value in place]
    both = people(numbers("place", place), numbers("twin", twin), numbers("trade", trade))
    first, second = perturbed(both, ["place"], SECRET), perturbed(both, ["twin", "place"], SECRET)
    assert first.counts == second.counts
    order = rng.permutation(1_000)
    mixed = people(numbers("place", [place[row] for row in order]), record=order.tolist())
    assert perturbed(mixed, ["place"], SECRET) == first
    assert perturbed(both, ["place"], b"another secret!!") != first
    assert first.cells == tuple((str(value),) for value in range(5)) and first.within == 9


def test_no_small_count_is_told_and_null_is_a_value():
    extract = people(numbers("c", [1] * 30 + [2] * 4 + [None] * 12))
    table = perturbed(extract, ["c"], SECRET)
    assert set(table.cells) <= {("1",), ("2",), (None,)} and ("1",) in table.cells and (None,) in table.cells
    assert all(count.at_least >= 10 and not count.hidden for count in table.counts)


def test_keys_of_records_do_not_hang_on_how_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch):
    records = np.arange(1_000, dtype=np.uint32)
    whole = record_keys(records, SECRET)
    monkeypatch.setattr(counts, "KEYED_AT_ONCE", 7)
    assert (record_keys(records, SECRET) == whole).all() and len(set(whole.tolist())) == 1_000


def test_perturbing_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch):
    column = numbers("c", [1] * 12)
    with pytest.raises(InputError, match="record of each row"):
        perturbed(Extract((column,), 12), ["c"], SECRET)
    with pytest.raises(InputError, match="fewer than 10 rows"):
        perturbed(people(numbers("c", [1] * 9)), ["c"], SECRET)
    with pytest.raises(InputError, match="labels"):
        perturbed(people(Coded("c", np.zeros(12, np.uint8), 1)), ["c"], SECRET)
    with pytest.raises(InputError, match="floor of 5"):
        perturbed(people(column), ["c"], SECRET, Perturbation(floor=5))
    for wrong in ((0, 1.0), (3, 4.1), (3, 0.0)):
        with pytest.raises(InputError, match="variance"):
            Perturbation(*wrong)
    monkeypatch.setattr(counts, "CELLS", 1)
    with pytest.raises(LimitError, match="2 cells"):
        perturbed(people(numbers("c", [1] * 12 + [2] * 12)), ["c"], SECRET)


# --- private ---------------------------------------------------------------------------------------------------


class Known:
    """Noise that is known beforehand, and how it was asked for."""

    def __init__(self, noise: Sequence[int], inexact: float = 0.0) -> None:
        self._noise, self._inexact = noise, inexact
        self.scales: list[float] = []

    def loss(self, scale: float, contributions: int) -> float:
        return contributions / scale * (1 + self._inexact)

    def laplace(self, counts: Sequence[int], scale: float) -> Sequence[int]:
        self.scales.append(scale)
        return [count + noise for count, noise in zip(counts, self._noise, strict=True)]


def test_every_declared_cell_has_a_count_and_no_other():
    extract = people(numbers("a", [1] * 20 + [2] * 15 + [9] * 5), numbers("b", [None] * 20 + [7] * 20))
    noise = Known([3, 0, 0, -2, 5, 12])
    table = private(extract, {"a": ("1", "2", "3"), "b": ("7", None)}, Decimal("0.5"), noise=noise)
    assert table.cells == (("1", "7"), ("1", None), ("2", "7"), ("2", None), ("3", "7"), ("3", None))
    assert table.counts == (Count(1, True), Count(20), Count(15), Count(0), Count(1, True), Count(12))
    assert noise.scales == [2.0] and table.epsilon == Decimal("0.5")


def test_a_person_counts_in_so_many_rows_and_no_more():
    extract = people(numbers("a", [1] * 30), record=[0] * 15 + list(range(1, 16)))
    told = [private(extract, {"a": ("1",)}, Decimal(1), contributions=few, noise=Known([0])) for few in (1, 4, 20)]
    assert [table.counts[0].at_least for table in told] == [16, 19, 30]
    alone = Extract(extract.columns, 30)
    assert private(alone, {"a": ("1",)}, Decimal(1), noise=Known([0])).counts[0].at_least == 30


def test_the_scale_is_raised_until_the_proved_loss_keeps_to_epsilon():
    noise = Known([0], inexact=2.0**-50)
    private(people(numbers("a", [1] * 12)), {"a": ("1",)}, Decimal("0.1"), noise=noise)
    assert noise.loss(noise.scales[0], 1) <= 0.1 and noise.scales[0] == pytest.approx(10)
    with pytest.raises(InputError, match="cannot be kept to"):
        private(people(numbers("a", [1] * 12)), {"a": ("1",)}, Decimal("0.1"), noise=Known([0], inexact=0.5))


@pytest.mark.parametrize("scale", [0.05, 0.5, 1.0, 3.7, 20.0])
def test_the_error_told_holds_for_95_of_100_and_the_next_smaller_does_not(scale: float):
    noise = np.arange(-2_000, 2_001)
    chances = np.exp(-np.abs(noise) / scale)
    chances /= chances.sum()
    within = laplace_within(scale)
    assert chances[np.abs(noise) <= within].sum() >= 0.95 - 1e-9
    assert within == 0 or chances[np.abs(noise) <= within - 1].sum() < 0.95


def test_private_counts_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch):
    extract = people(numbers("a", [1] * 12))
    domain = {"a": ("1", "2")}
    for epsilon, contributions in ((Decimal(0), 1), (Decimal(1), 0)):
        with pytest.raises(InputError, match="above 0"):
            private(extract, domain, epsilon, contributions=contributions, noise=Known([]))
    for wrong, said in (({}, "without cells"), ({"a": ()}, "without cells"), ({"a": ("1", "1")}, "twice")):
        with pytest.raises(InputError, match=said):
            private(extract, wrong, Decimal(1), noise=Known([]))
    with pytest.raises(InputError, match="no column 'b'"):
        private(extract, {"b": ("1",)}, Decimal(1), noise=Known([]))
    with pytest.raises(InputError, match="labels"):
        private(people(Coded("a", np.zeros(12, np.uint8), 1)), domain, Decimal(1), noise=Known([]))
    with pytest.raises(InputError, match="fewer than 10 rows"):
        private(people(numbers("a", [1] * 9)), domain, Decimal(1), noise=Known([]))
    monkeypatch.setattr(counts, "CELLS", 1)
    with pytest.raises(LimitError, match="2 cells"):
        private(extract, domain, Decimal(1), noise=Known([]))


def test_without_opendp_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(counts, "import_module", missing)
    with pytest.raises(MissingExtraError, match="opendp") as caught:
        private(people(numbers("a", [1] * 12)), {"a": ("1",)}, Decimal(1))
    assert "muniment[privacy]" in caught.value.hint


def test_opendp_draws_what_was_proved():
    pytest.importorskip("opendp")
    noise = OpenDP()
    assert noise.loss(2.0, 3) == pytest.approx(1.5)
    drawn = np.array(noise.laplace([100] * 4_000, 2.0)) - 100
    spread = 2 * np.exp(-0.5) / (1 - np.exp(-0.5)) ** 2
    assert abs(drawn.mean()) < 6 * (spread / 4_000) ** 0.5 and drawn.var() == pytest.approx(spread, rel=0.25)
    table = private(people(numbers("a", [1] * 5_000)), {"a": ("1", "2")}, Decimal("1.0"))
    assert abs(table.counts[0].at_least - 5_000) < 60 and table.within == 3


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 4), min_size=10, max_size=300))
def test_every_field_of_a_table_of_counts_may_leave(values: list[int]):
    extract = people(numbers("a", values))
    tables = [
        perturbed(extract, ["a"], SECRET),
        private(extract, {"a": tuple("01234")}, Decimal(1), noise=Known([-3, 2, 0, 9, 1])),
    ]
    for table in tables:
        assert all(count.hidden or count.at_least == 0 or count.at_least >= 10 for count in table.counts)
