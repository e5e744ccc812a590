"""Counts by office and month, and their way through a snapshot."""

from __future__ import annotations

import json

from language.folds import START, fold, stream, watch
from muniment.watch.tally import Tally, month_of


def test_account_days_and_findings_are_counted_by_office_and_month() -> None:
    made = watch(6)
    found = fold(made, stream(1))
    tally = made.tally
    assert tally.total("estimated") == len(found)
    assert {office for office, _, _ in tally.months} == {0, 1}
    active = set(zip((stream(1).moment // 86_400_000).tolist(), stream(1).account.tolist(), strict=True))
    assert tally.total("account_days") == len(active)


def test_it_goes_through_json_unchanged() -> None:
    made = watch(6)
    fold(made, stream(2))
    assert Tally.from_json(json.loads(json.dumps(made.tally.to_json()))) == made.tally


def test_months_are_those_of_the_local_day() -> None:
    assert month_of(START) == "2024-10"
    assert month_of(0) == "1970-01"
