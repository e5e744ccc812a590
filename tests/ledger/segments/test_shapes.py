"""How rows are arranged: by shape, in bounded groups, with nothing lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.segments import a_batch, rows_of
from muniment.errors import IntegrityError
from muniment.ledger.segments import shapes
from muniment.ledger.segments.shapes import Lists, Shape


def _lists(rows: list[list[int]]) -> Lists:
    starts = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64)
    return Lists(starts, np.array([value for row in rows for value in row], np.uint32))


def test_a_dump_holds_enough_and_a_share_of_the_span() -> None:
    counts = np.array([0, 1, 2, 4_095, 4_096, 9_999, 10_000, 10_001])
    small = [Shape.SINGLE, Shape.SINGLE, Shape.LIST, Shape.LIST, Shape.DUMP, Shape.DUMP, Shape.DUMP, Shape.DUMP]
    large = [Shape.SINGLE, Shape.SINGLE, *[Shape.LIST] * 4, Shape.DUMP, Shape.DUMP]
    assert shapes.shapes_of(counts, 5_000).tolist() == small
    assert shapes.shapes_of(counts, 80_000).tolist() == large


@pytest.mark.parametrize("group_values", [shapes.GROUP_VALUES, 500])
def test_rows_are_arranged_and_none_is_lost(group_values: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "GROUP_VALUES", group_values)
    batch = a_batch(rows=400, dumps=4)
    ordered, groups = shapes.arranged(batch, 10_000)
    assert rows_of(ordered) == rows_of(batch)
    assert [group.start for group in groups] == [0, *(group.stop for group in groups[:-1])]
    assert groups[-1].stop == len(batch)
    assert [group.shape for group in groups] == sorted(group.shape for group in groups)
    for group in groups:
        rows = np.arange(group.start, group.stop)
        assert set(shapes.shapes_of(ordered.counts[rows], 10_000).tolist()) == {group.shape}
        assert (np.diff(ordered.sequence[rows]) > 0).all()
        if group.shape != Shape.DUMP and len(rows) > 1:
            assert int(np.maximum(ordered.counts[rows], 1)[:-1].sum()) <= group_values + int(ordered.counts[rows].max())
    if group_values == 500:
        assert len(groups) > 8


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=5), max_size=12))
@settings(max_examples=60)
def test_every_second_row_is_turned_and_turned_back(rows: list[list[int]]) -> None:
    turned = shapes.alternated(_lists(rows))
    expected = [row[::-1] if i % 2 else row for i, row in enumerate(rows)]
    assert turned.values.tolist() == [value for row in expected for value in row]
    assert shapes.alternated(turned).values.tolist() == _lists(rows).values.tolist()


def test_dumps_are_runs_and_come_back() -> None:
    ordered, groups = shapes.arranged(a_batch(rows=3, dumps=3), 10_000)
    (group,) = (group for group in groups if group.shape == Shape.DUMP)
    firsts, lengths = shapes.runs_of(ordered, group)
    assert len(firsts.values) < len(ordered.ordinals)
    back = shapes.expanded(firsts, lengths)
    start = ordered.starts[group.start]
    assert np.array_equal(back.values, ordered.ordinals[start:])
    assert np.array_equal(back.starts, ordered.starts[group.start :] - start)


@pytest.mark.parametrize(
    ("firsts", "lengths"),
    [
        ([[5]], [[0]]),  # a run of nothing
        ([[5, 9]], [[1]]),  # runs without length
        ([[2**32 - 1]], [[2]]),  # beyond 32 bits
        ([[0, 0]], [[2**30, 1]]),  # more than a segment holds
    ],
)
def test_runs_that_cannot_be_are_refused(firsts: list[list[int]], lengths: list[list[int]]) -> None:
    with pytest.raises(IntegrityError):
        shapes.expanded(_lists(firsts), _lists(lengths))
