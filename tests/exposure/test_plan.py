"""Release plans: kept and read back, used again, and what they say when the next extract is another."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.generalised import generalised, goals, numbers
from muniment.errors import InputError
from muniment.exposure.extract import Extract
from muniment.exposure.floor import Count
from muniment.exposure.hierarchies import Bands, Hierarchy, Table, Whole
from muniment.exposure.lattice import Goal
from muniment.exposure.plan import Cause, ReleasePlan, applied, made


def office(rows: int = 2_000, seed: int = 1, spread: float = 12.0) -> Extract:
    """Ages, two sexes, a trade of ten and a sensitive code."""
    rng = np.random.default_rng(seed)
    return Extract(
        (
            numbers("age", rng.normal(45, spread, rows).clip(0, 99).astype(int).tolist()),
            numbers("sex", rng.integers(1, 3, rows).tolist()),
            numbers("trade", rng.zipf(1.7, rows).clip(1, 10).tolist()),
            numbers("secret", rng.integers(0, 50, rows).tolist()),
        ),
        rows,
        np.arange(rows, dtype=np.uint32),
    )


QUASI = ("age", "sex", "trade")
RULES = {"age": Bands((5, 10, 20)), "trade": Bands((3,))}


def texts(extract: Extract, names: tuple[str, ...] = QUASI) -> list[tuple[str | None, ...]]:
    columns = [[one.labels[code] for code in one.codes.tolist()] for one in extract.chosen(names)]
    return list(zip(*columns, strict=True))


@settings(deadline=None)
@given(generalised(), goals, st.booleans())
def test_a_plan_used_on_its_own_extract_fits_and_gives_what_it_expected(
    drawn: tuple[Extract, tuple[Hierarchy, ...]], goal: Goal, by_rows: bool
):
    extract = drawn[0]
    plan = made(extract, extract.names, {"c0": Bands((2, 4))}, goal, by_rows=by_rows)
    again = ReleasePlan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan and again.digest == plan.digest
    released = applied(again, extract)
    assert released.drift.fits and released.drift.suppressed == plan.expected.suppressed
    assert released.drift.granularity == pytest.approx(plan.expected.granularity)
    assert min(Counter(texts(released.extract, extract.names)).values()) >= goal.k


def test_a_plan_keeps_its_levels_and_k_on_the_next_extract():
    plan = made(office(), QUASI, RULES, others=("secret",))
    assert [one.level for one in plan.columns] != ["value"] * 3
    released = applied(plan, office(seed=2))
    assert released.drift.fits and released.extract.names == ("age", "sex", "trade", "secret")
    assert min(Counter(texts(released.extract)).values()) >= 5
    record = released.extract.record
    assert record is not None and len(record) == released.extract.rows
    assert made(office(), QUASI, RULES).names == QUASI
    assert applied(made(office(), QUASI, RULES), office()).extract.names == QUASI


def test_more_rows_left_out_than_allowed_is_drift_with_better_levels():
    plan = made(office(20_000), QUASI, RULES)
    drift = applied(plan, office(300, spread=30)).drift
    assert Cause.SUPPRESSION in drift.causes and not drift.fits
    assert Cause.GRANULARITY in drift.causes
    assert Cause.LEVELS not in drift.causes or len(drift.better) == 3


def test_values_that_the_hierarchy_does_not_know_are_drift():
    known = {str(code): ("low" if code < 5 else "high",) for code in range(1, 11)}
    rules = {"trade": Table(known, ("half",)), "age": Whole(), "sex": Whole()}
    plan = made(office(), QUASI, rules, Goal(5, 0.3))
    extract = office()
    trade = extract.column("trade")
    labels = tuple("new" if label == "1" else label for label in trade.labels)
    changed = replace(extract, columns=(*extract.columns[:2], replace(trade, labels=labels), extract.columns[3]))
    drift = applied(plan, changed).drift
    assert Cause.UNREAD in drift.causes and drift.unread[0].column == "trade"
    expected = made(changed, QUASI, rules, Goal(5, 0.3))
    assert expected.expected.unread == drift.unread and applied(expected, changed).drift.fits


def test_a_few_more_values_that_are_not_read_are_no_drift():
    known = Table({str(age): ("young" if age < 40 else "old",) for age in range(95)}, ("half",))
    values = [value % 90 for value in range(1_000)]
    plan = made(Extract((numbers("age", values),), 1_000), ["age"], {"age": known})
    for new, fits in ((15, True), (25, False)):
        drift = applied(plan, Extract((numbers("age", values[new:] + [97] * new),), 1_000)).drift
        assert drift.unread[0].rows == Count(new) and (Cause.UNREAD not in drift.causes) is fits


def test_few_rows_left_out_are_not_told():
    extract = Extract((numbers("a", [1] * 200 + [2] * 3),), 203)
    plan = made(extract, ["a"], {"a": Whole()})
    assert plan.expected.suppressed == Count(1, True)
    assert plan.to_json()["expected"]["suppressed"] == {"at_least": 1, "hidden": True, "floor": 10}
    assert "203" not in str(plan.to_json()["expected"]["granularity"])


@pytest.mark.parametrize(
    ("quasi", "others", "rules", "said"),
    [
        ((), (), {}, "without quasi-identifiers"),
        (("age", "age"), (), {}, "named twice: age"),
        (("age",), ("age",), {}, "named twice: age"),
        (("age",), (), {"sex": Whole()}, "not generalised: sex"),
        (("height",), (), {}, "no column 'height'"),
        (("age",), ("height",), {}, "no column 'height'"),
    ],
)
def test_a_plan_that_does_not_fit_the_table_is_refused(
    quasi: tuple[str, ...], others: tuple[str, ...], rules: dict[str, Any], said: str
):
    with pytest.raises(InputError, match=said):
        made(office(), quasi, rules, others=others)


def test_an_extract_without_a_column_of_the_plan_is_refused():
    plan = made(office(), QUASI, RULES)
    with pytest.raises(InputError, match="no column 'trade'"):
        applied(plan, replace(office(), columns=office().columns[:2]))


def test_a_level_that_is_none_is_refused():
    plan = made(office(), QUASI, RULES)
    broken = replace(plan, columns=(replace(plan.columns[0], level="bands of 7"), *plan.columns[1:]))
    with pytest.raises(InputError, match="no level 'bands of 7'; its levels are value, bands of 5"):
        applied(broken, office())


@pytest.mark.parametrize("kept", [None, [], {}, {"form": "muniment-release-plan/0"}])
def test_what_is_no_plan_is_refused(kept: object):
    with pytest.raises(InputError, match="no release plan"):
        ReleasePlan.from_json(kept)


@pytest.mark.parametrize("part", ["columns", "others", "goal", "local", "expected"])
def test_a_damaged_plan_is_refused(part: str):
    kept = made(office(), QUASI, RULES).to_json()
    del kept[part]
    with pytest.raises(InputError, match="damaged"):
        ReleasePlan.from_json(kept)


@pytest.mark.parametrize("part", ["columns", "others", "goal", "expected"])
@pytest.mark.parametrize("wrong", [3, None, "x", {"k": "many"}])
def test_a_plan_with_a_part_of_another_kind_is_refused(part: str, wrong: object):
    with pytest.raises(InputError, match="damaged"):
        ReleasePlan.from_json({**made(office(), QUASI, RULES).to_json(), part: wrong})


def test_the_digest_tells_plans_apart():
    plan = made(office(), QUASI, RULES)
    assert plan.digest == made(office(), QUASI, RULES).digest
    assert plan.digest != replace(plan, goal=Goal(6)).digest and len(plan.digest) == 64
