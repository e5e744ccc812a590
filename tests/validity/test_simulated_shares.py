"""The asked-for share of reads is explained: by cases, assignments, households and jobs, looked up read by read."""

from __future__ import annotations

import numpy as np
import pytest

from language.simulated import EXPLAINED_FROM, AccountDays, reasons, world


@pytest.mark.parametrize("share", [0.94, 0.84, 0.60])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_share_that_was_asked_for_is_explained(seed: int, share: float) -> None:
    one = world(seed, explained=share)
    days = AccountDays(one, reasons(one))
    assert (days.reason >= EXPLAINED_FROM).mean() == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_read_for_the_first_time_is_explained_less_often_than_one_that_comes_again(seed: int) -> None:
    one = world(seed)
    days = AccountDays(one, reasons(one))
    explained, settled = days.reason >= EXPLAINED_FROM, days.day >= 90
    first, again = explained[settled & days.first].mean(), explained[settled & ~days.first].mean()
    assert 0.75 < first < again - 0.02


def test_without_grace_for_late_entries_somewhat_less_is_explained() -> None:
    one = world(1)
    generous, strict = (
        (AccountDays(one, reasons(one, grace)).reason >= EXPLAINED_FROM).mean() for grace in (7 * 86_400_000, 0)
    )
    assert 0.0 < generous - strict < 0.03


def test_accounts_differ_in_what_is_explained() -> None:
    one = world(2, accounts=40)
    days = AccountDays(one, reasons(one))
    shares = [(days.reason[days.account == account] >= EXPLAINED_FROM).mean() for account in range(40)]
    assert np.percentile(shares, 95) - np.percentile(shares, 5) > 0.05


def test_every_way_not_to_be_explained_occurs() -> None:
    one = world(1)
    assert (np.bincount(reasons(one), minlength=5) > 0).all()


def test_some_cases_are_named_by_reads_but_were_never_entered() -> None:
    one = world(1, explained=0.84)
    named = np.unique(one.reads.case[one.reads.case >= 0])
    assert 0 < (~np.isin(named, one.context.cases.case)).sum() < len(named) / 2
