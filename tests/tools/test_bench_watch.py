"""The benchmark of watch: thresholds from clean days alone, what counts as lost, differences, tables, baselines."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.watch.context.tables import Context
from muniment.watch.findings import Finding
from muniment.watch.reads import NOBODY, Names, Reads, Spaces
from watch import table
from watch.backgrounds import ROWS, Touches, context, ground
from watch.cads import deviations
from watch.calibration import alerts_of
from watch.daily import Daily
from watch.fixed_rules import SixRules, ValueCount
from watch.ground import Ground, Hit, Trial
from watch.metrics import Loss, Quiet, Row, clean_alerts, difference, loss, row
from watch.outliers import Outliers
from watch.tuning import hits, threshold
from watch.volume import Count, ZScore

DAY = 20_000
TRIAL = Trial("ten", (3,), 1, DAY, np.arange(100, 110), np.repeat([DAY, DAY + 1, DAY + 4], [4, 3, 3]), ("budget",))


# --- what is lost ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hit", "lost", "workdays"),
    [
        (Hit(DAY, account=3), 4, 1),
        (Hit(DAY, account=3, sequence=101), 2, 1),
        (Hit(DAY + 2, account=3), 7, 2),
        (Hit(DAY + 5, account=3), 10, 3),
    ],
)
def test_what_is_lost_is_counted_up_to_the_alert(hit: Hit, lost: int, workdays: int) -> None:
    one = loss(TRIAL, [Hit(DAY + 4, account=3), hit] if hit.day < DAY + 4 else [hit])
    assert (one.found, one.lost, one.workdays, one.total) == (True, lost, workdays, 10)


@pytest.mark.parametrize(
    "hit", [Hit(DAY - 1, account=3), Hit(DAY, account=2), Hit(DAY + 7, account=3), Hit(DAY, office=1)]
)
def test_alerts_before_after_or_on_others_find_nothing(hit: Hit) -> None:
    one = loss(TRIAL, [hit])
    assert (one.found, one.lost, one.workdays) == (False, 10, 3)


def test_an_alert_on_the_office_finds_an_attack_by_several() -> None:
    trial = replace(TRIAL, accounts=(3, 4))
    assert loss(trial, [Hit(DAY, office=1)]).found
    assert loss(trial, [Hit(DAY, account=4)]).found
    assert not loss(trial, [Hit(DAY, office=2)]).found


def test_the_reason_is_that_of_the_first_alert() -> None:
    late, early = Hit(DAY + 1, account=3, reason="budget"), Hit(DAY, account=3, reason="volume")
    assert loss(TRIAL, [late]).right_reason
    assert not loss(TRIAL, [late, early]).right_reason


def _losses(lost: list[int], total: int = 100) -> list[Loss]:
    return [Loss("ten", ("b", i // 2), one < total, one, total, 1, True) for i, one in enumerate(lost)]


def test_misses_count_with_all_they_took() -> None:
    made = row("volume", _losses([5, 100, 100, 100]), None)
    assert (made.found, made.share, made.median) == (1, 0.25, 100)
    assert made.found_interval[0] < 0.25 < made.found_interval[1] and made.difference is None


def test_a_difference_is_paired_and_one_within_its_interval_is_no_win() -> None:
    ours, theirs = _losses([10] * 12), _losses([60] * 12)
    assert difference(theirs, ours) == (50.0, 50.0, 50.0)
    assert row("volume", theirs, ours).beaten
    uneven = _losses([2, 2, 40, 40] * 3)
    assert not row("volume", uneven, ours).beaten and difference(ours, ours) == (0.0, 0.0, 0.0)


def test_the_interval_keeps_trials_of_one_background_together() -> None:
    random = np.random.default_rng(1)
    shared = np.repeat(random.integers(20, 60, 20), 2).tolist()
    together = difference(_losses(shared), _losses([10] * 40))
    apart = [replace(one, background=("b", i)) for i, one in enumerate(_losses(shared))]
    alone = difference(apart, _losses([10] * 40))
    assert together[2] - together[1] > alone[2] - alone[1]


def test_the_rate_of_clean_days_has_its_exact_interval() -> None:
    rate, low, high = Quiet("x", 10_000, 5).per_1000
    assert rate == 0.5 and low == pytest.approx(0.1624, abs=1e-3) and high == pytest.approx(1.1665, abs=1e-3)


# --- thresholds ------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 50), min_size=1, max_size=400), st.sampled_from([0.0, 0.001, 0.01, 0.1]))
def test_a_threshold_keeps_the_training_half_within_its_budget(scores: list[int], budget: float) -> None:
    values = np.array(scores, np.float64)
    above = (values > threshold(values, budget)).sum()
    assert above <= len(values) * budget
    lower = values[values < threshold(values, budget)]
    if len(lower):
        assert (values > lower.max()).sum() > len(values) * budget


def _rows(accounts: int = 12, days: int = 200, seed: int = 1) -> Daily:
    """Account-days with Poisson counts; each account reads records of its own group of three."""
    random = np.random.default_rng(seed)
    day, account = (one.ravel() for one in np.meshgrid(np.arange(days), np.arange(accounts), indexing="ij"))
    values = random.poisson(8.0, (len(day), 12)).astype(np.float64)
    owner = np.repeat(np.arange(len(day)), 4)
    record = account[owner] // 3 * 20 + random.integers(20, size=len(owner))
    pairs = np.stack([owner, account[owner], record], axis=1)
    return Daily(day, account, account // 3, values, day < days // 2, pairs)


def _ground(rows: Daily, trials: tuple[Trial, ...] = ()) -> Ground:
    made = Ground("test", 1, Reads.none(), Context(), Spaces(), 100, trials)
    made.__dict__["daily"] = rows
    return made


def test_no_score_of_the_second_half_moves_the_threshold() -> None:
    rows = _rows()
    scores = rows.of("distinct")[:, 0]
    louder = np.where(rows.train, scores, scores + 1_000)
    quiet, loud = hits(rows, scores, ""), hits(rows, louder, "")
    assert len(loud) == len([hit for hit in quiet if hit.day < 100]) + int((~rows.train).sum())


class _Sum:
    """A detector as PyOD has them: how far from the mean of the training rows."""

    def fit(self, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
        self.mean = values.mean(axis=0)

    def decision_function(
        self, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.asarray((values - self.mean).sum(axis=1))


@pytest.mark.parametrize(
    "detector",
    [Count("volume", "distinct"), ZScore(), Outliers("sum", _Sum, ("distinct",)), SixRules(), ValueCount()],
    ids=lambda one: one.name,
)
def test_baselines_see_what_is_loud_and_keep_their_budget(detector: Count) -> None:
    rows = _rows()
    loud = (rows.account == 5) & (rows.day == 150)
    rows.values[loud] = 500
    found = detector.detect(_ground(rows))
    assert [hit.account for hit in found if hit.day == 150] == [5]
    assert len([hit for hit in found if hit.day < 100]) <= rows.train.sum() * 0.001


def test_an_account_outside_every_community_deviates_from_its_neighbours() -> None:
    random = np.random.default_rng(2)
    pairs = [(account, account // 6 * 40 + int(random.integers(40))) for account in range(18) for _ in range(25)]
    pairs += [(18, int(one)) for one in random.choice(120, 25, replace=False)]
    row_, column = (np.array(one) for one in zip(*pairs, strict=True))
    found = deviations(row_, np.unique(column, return_inverse=True)[1])
    assert int(found.argmax()) == 18


def test_clean_days_leave_attackers_and_their_alerts_out() -> None:
    rows = _rows()
    trial = Trial("split5", (3, 4), 1, 120, np.arange(3), np.full(3, 120))
    alerts = [Hit(150, account=3), Hit(150, account=7), Hit(50, account=7), Hit(150, office=1), Hit(150, office=2)]
    clean, kept = clean_alerts(_ground(rows, (trial,)), alerts)
    assert kept == [Hit(150, account=7), Hit(150, office=2)]
    assert clean.sum() == 100 * 10 and not clean[rows.account == 3].any() and not clean[rows.train].any()


# --- real backgrounds ------------------------------------------------------------------------------------------------


def _touches() -> Touches:
    random = np.random.default_rng(3)
    found = np.stack([random.integers(0, 300, 6_000), random.integers(0, 25, 6_000), random.integers(0, 800, 6_000)])
    day, account, record = np.unique(found.T, axis=0).T
    return Touches("invented", day + DAY, account, record, np.arange(25) // 5, tuple(f"a{i}" for i in range(25)))


def test_attacks_lie_in_the_second_half_and_take_what_their_accounts_never_touched() -> None:
    touches = _touches()
    made = ground(touches, 1)
    assert {trial.attack for trial in made.trials} == {plan.attack for plan in ROWS}
    assert len({trial.accounts for trial in made.trials}) == len(made.trials)
    for trial in made.trials:
        rows = np.isin(made.reads.sequence, trial.sequence)
        assert (made.reads.account[rows] == trial.accounts[0]).all() and (trial.day >= made.split).all()
        own = touches.record[touches.account == trial.accounts[0]]
        assert not np.isin(made.reads.record[rows], own).any()
        assert len(np.unique(made.reads.record[rows])) == len(trial)
    assert len(made.reads) == len(touches.day) + sum(len(trial) for trial in made.trials)
    again = ground(touches, 1)
    assert (again.reads.record == made.reads.record).all()


def test_an_episode_explains_whoever_follows_and_not_the_first() -> None:
    touches = Touches("two", np.array([DAY, DAY + 3, DAY + 60]), np.array([0, 1, 1]), np.array([7, 7, 7]),
                      np.array([0, 0]), ("a", "b"))  # fmt: skip
    made = Ground("two", 1, _reads_of(touches), context(touches), _spaces(), DAY + 30)
    fresh = made.daily.of("fresh")[:, 0]
    assert fresh.tolist() == [1, 0, 0]  # the third is a repeat of the second
    assert made.daily.of("firsts")[:, 0].tolist() == [1, 1, 0]


def _reads_of(touches: Touches) -> Reads:
    n = len(touches.day)
    moment = touches.day * 86_400_000 + 43_200_000
    none, zeros = np.full(n, NOBODY, np.int32), np.zeros(n, np.int32)
    account, record = touches.account.astype(np.int32), touches.record.astype(np.uint32)
    return Reads(np.arange(1, n + 1), moment, moment, account, record, none, zeros, zeros, np.ones(n, np.uint64))


def _spaces() -> Spaces:
    return Spaces(account=Names(("a", "b")), office=Names(("0",)))


# --- tables ----------------------------------------------------------------------------------------------------------


def _row(attack: str, detector: str, found: int, median: float, difference: tuple[float, float, float] | None) -> Row:
    return Row(attack, detector, 10, found, (0.0, 1.0), median, median, 300, 5, 1.0, difference)


ROWS_MADE = (
    _row("ten", "muniment", 10, 40, None),
    _row("ten", "volume", 1, 300, (260.0, 200.0, 260.0)),
    _row("in_work", "muniment", 4, 200, None),
    _row("in_work", "volume", 5, 150, (-50.0, -90.0, -10.0)),
)


def test_misses_stand_first() -> None:
    lines = table.attack_table(ROWS_MADE, "muniment").splitlines()[2:]
    assert [line.split(" | ")[:2] for line in lines] == [
        ["| in_work", "muniment"], ["| in_work", "volume"], ["| ten", "muniment"], ["| ten", "volume"],
    ]  # fmt: skip
    claims = table.claims([one for one in ROWS_MADE if one.detector == "muniment"])
    assert [one.holds for one in claims] == [True, False]
    assert table.claim_table(claims).splitlines()[2].startswith("| in_work")


def test_only_what_passes_its_interval_counts_as_better_or_worse() -> None:
    one = table.better(ROWS_MADE, 1, ("ten", "in_work"))
    assert one.holds and one.measured.startswith("1 of 2; not beyond its interval in (baselines): in_work (1)")
    assert not table.better(ROWS_MADE, 2, ("ten", "in_work")).holds
    assert not table.not_worse(ROWS_MADE, "x").holds
    assert table.not_worse(ROWS_MADE[:2], "x").holds


def test_a_target_without_a_bound_on_records_asks_for_the_share_alone() -> None:
    assert math.isinf(table.TARGETS["three"].lost)
    made = table.claims([_row("three", "muniment", 6, 180, None)])
    assert made[0].holds and "lost in the median" not in made[0].wanted


def test_what_is_found_again_while_an_alert_is_open_joins_it() -> None:
    def finding(code: int, day: int, pattern: str = "budget") -> Finding:
        return Finding("account", code, "guaranteed", pattern, ((pattern, 1.0),), 4.0, 2_000.0, day, day, 0, ())

    found = [finding(1, 0), finding(1, 20), finding(1, 45), finding(1, 90), finding(2, 20), finding(1, 50, "burst")]
    assert [(one.code, one.day, one.pattern) for one in alerts_of(found)] == [
        (1, 0, "budget"), (2, 20, "budget"), (1, 50, "burst"), (1, 90, "budget")
    ]  # fmt: skip
