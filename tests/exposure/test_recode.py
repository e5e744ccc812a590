"""Recoded extracts: k holds in the texts themselves, what is told is true, and the figures are those of the rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.generalised import counted, generalised, goals, numbers, told
from muniment.errors import InputError, LimitError
from muniment.exposure import recode
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.floor import Count
from muniment.exposure.hierarchies import TOP, Bands, Hierarchy, Whole, hierarchies
from muniment.exposure.lattice import Goal, optimal, table_of
from muniment.exposure.recode import full_domain, local

Drawn = tuple[Extract, tuple[Hierarchy, ...]]


def texts(extract: Extract) -> list[tuple[str | None, ...]]:
    """The rows as a recipient reads them."""
    columns = [[column.labels[code] for code in column.codes.tolist()] for column in extract.columns]
    return list(zip(*columns, strict=True))


def with_records(extract: Extract) -> Extract:
    return Extract(extract.columns, extract.rows, np.arange(extract.rows, dtype=np.uint32))


@settings(deadline=None)
@given(generalised(), st.data())
def test_full_domain_tells_each_row_at_its_levels_or_not_at_all(drawn: Drawn, data: st.DataObject):
    extract, found = with_records(drawn[0]), drawn[1]
    levels = tuple(data.draw(st.integers(0, one.height - 1)) for one in found)
    k = data.draw(st.integers(1, 8))
    expected = told(extract, found, levels)
    sizes = Counter(expected)
    kept = [row for row in range(extract.rows) if sizes[expected[row]] >= k]
    if not kept:
        with pytest.raises(InputError, match="no row would be left"):
            full_domain(extract, table_of(extract.columns), found, levels, k, floor=2)
        return
    recoded = full_domain(extract, table_of(extract.columns), found, levels, k, floor=2)
    assert texts(recoded.extract) == [expected[row] for row in kept]
    assert recoded.extract.record is not None and recoded.extract.record.tolist() == kept
    suppressed, loss = counted(extract, found, levels, k)
    assert recoded.suppressed == Count.of(suppressed, 2)
    if not recoded.suppressed.hidden:
        assert recoded.granularity == pytest.approx(1 - loss, abs=1e-9)


@settings(deadline=None)
@given(generalised(), goals)
def test_local_recoding_reaches_k_within_the_limit_and_tells_the_truth(drawn: Drawn, goal: Goal):
    extract, found = with_records(drawn[0]), drawn[1]
    recoded = local(extract, table_of(extract.columns), found, goal, floor=2)
    rows = texts(recoded.extract)
    assert min(Counter(rows).values()) >= goal.k
    assert extract.rows - len(rows) <= goal.most(extract.rows)
    record = recoded.extract.record
    assert record is not None
    for row, cells in zip(record.tolist(), rows, strict=True):
        for column, one, cell in zip(extract.columns, found, cells, strict=True):
            code = column.codes[row]
            assert cell in {labels[codes[code]] for labels, codes in zip(one.labels, one.maps, strict=True)}


@settings(deadline=None)
@given(generalised(), goals)
def test_labels_are_those_of_the_rows_kept_alone(drawn: Drawn, goal: Goal):
    extract, found = drawn
    recoded = local(extract, table_of(extract.columns), found, goal)
    for column in recoded.extract.columns:
        assert sorted(set(column.codes.tolist())) == list(range(column.size)) and len(column.labels) == column.size
        assert column.null == (column.labels.index(None) if None in column.labels else -1)


def test_other_columns_go_along_without_the_values_of_rows_left_out():
    quasi, other = numbers("q", [1] * 20 + [2]), numbers("o", [*range(20), 777])
    recoded = local(Extract((other, quasi), 21), table_of([quasi]), hierarchies([quasi], {"q": Whole()}), Goal(5, 0.1))
    assert recoded.extract.names == ("o", "q") and "777" not in recoded.extract.columns[0].labels
    assert recoded.suppressed == Count(1, True) and recoded.extract.rows == 20
    bare = Coded("o", other.codes, other.size)
    recoded = local(Extract((bare, quasi), 21), table_of([quasi]), hierarchies([quasi], {"q": Whole()}), Goal(5, 0.1))
    assert recoded.extract.columns[0].codes.tolist() == list(range(20))


def test_without_suppression_the_last_rows_take_others_up_with_them():
    quasi = numbers("q", [1] * 10 + [2])
    recoded = local(Extract((quasi,), 11), table_of([quasi]), hierarchies([quasi], {"q": Whole()}), Goal(5, 0.0))
    assert texts(recoded.extract) == [(TOP,)] * 11


@settings(deadline=None)
@given(generalised(), goals)
def test_local_recoding_is_deterministic(drawn: Drawn, goal: Goal):
    extract, found = drawn
    first, again = (local(extract, table_of(extract.columns), found, goal) for _ in range(2))
    assert texts(first.extract) == texts(again.extract) and first.granularity == again.granularity


def test_local_recoding_leaves_more_than_full_domain():
    rng = np.random.default_rng(7)
    columns = [numbers(f"c{place}", rng.zipf(1.5, 2_000).clip(1, 60).tolist()) for place in range(4)]
    extract, found = Extract(tuple(columns), 2_000), hierarchies(columns, {c.name: Bands((4, 16)) for c in columns})
    table = table_of(columns)
    assert local(extract, table, found, Goal()).granularity > optimal(table, found, Goal()).granularity


def test_what_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch):
    quasi = numbers("q", list(range(12)))
    extract, table, found = Extract((quasi,), 12), table_of([quasi]), hierarchies([quasi], {"q": Whole()})
    for levels in ((2,), (-1,), (0, 0)):
        with pytest.raises(InputError, match="do not fit"):
            full_domain(extract, table, found, levels, 5)
    with pytest.raises(InputError, match="k = 13"):
        local(extract, table, found, Goal(13))
    monkeypatch.setattr(recode, "LOCAL_NODES", 1)
    with pytest.raises(LimitError, match="2 combinations"):
        local(extract, table, found, Goal())
