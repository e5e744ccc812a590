"""Replay recorded traffic against other rules: what they would have stopped, before they stop anybody.

The ledger holds sets, not rows in order: how many persons would have been withheld is exact, which of them is not.
What was stopped at the time is not in it either, so a looser policy is only told from below.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from muniment.gate.policy.budgets import NONE, LocalBudgets
from muniment.gate.policy.rules import Policies, Rules, resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False)
class Traffic:
    """One disclosure of the ledger: ms since 1970, who, the persons (n,), and those that nobody could be named for."""

    time: int
    account: str
    ordinals: NDArray[np.uint32]
    anonymous: int = 0
    case: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a policy makes of one account's traffic.

    `disclosures` and `persons` (charged by the new rules, beyond the case-load) in all; `stopped` disclosures that
    would not have passed whole, `withheld` persons in them; `first`: when it would have begun, ms since 1970, or -1.
    `reasons`: disclosures by what stops them: a window of a budget, `rows`, `hours`, `case` or `purpose`.
    """

    account: str
    disclosures: int
    persons: int
    stopped: int
    withheld: int
    first: int
    reasons: Mapping[str, int]


@dataclass(slots=True)
class _Sums:
    disclosures: int = 0
    persons: int = 0
    withheld: int = 0
    first: int = -1
    reasons: Counter[str] = field(default_factory=Counter)


def replay(
    policies: Policies, traffic: Iterable[Traffic], roles: Callable[[str], Sequence[str]] = lambda _: (), *,
    caseload_days: int = 30, offset_minutes: Callable[[int], int] = lambda _: 0,
) -> tuple[Finding, ...]:  # fmt: skip
    """What `policies` would have stopped, by account, those with the most withheld first.

    `traffic` in the order of the ledger. `roles`: of an account. Modes do not matter: what a milder one would only have
    told counts as stopped. Accounts that are not guarded are left out.
    """
    budgets = LocalBudgets(caseload_days)
    sums: dict[str, _Sums] = {}
    for one in traffic:
        rules = resolve(policies, one.account, roles(one.account), one.purpose)
        if rules.guarded:
            local = one.time + offset_minutes(one.time) * 60_000
            _take(sums.setdefault(one.account, _Sums()), one, replace(rules, mode="stop"), budgets, local)
    found = [
        Finding(
            account, sum_.disclosures, sum_.persons, sum_.reasons.total(), sum_.withheld, sum_.first,
            dict(sum_.reasons),
        )
        for account, sum_ in sums.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.withheld, -one.stopped, one.account)))


def _take(sums: _Sums, one: Traffic, rules: Rules, budgets: LocalBudgets, local: int) -> None:
    sums.disclosures += 1
    rows = len(one.ordinals) + one.anonymous
    reason = _shut(one, rules, local)
    allowed = 0
    if not reason:
        ordinals = np.full((rows, 1), NONE, np.uint32)
        ordinals[: len(one.ordinals), 0] = one.ordinals
        anonymous = np.ones(rows, np.int64)
        anonymous[: len(one.ordinals)] = 0
        charge = budgets.charge(rules.recipient, rules, one.time, ordinals, anonymous)
        allowed = charge.allowed
        sums.persons += charge.new_persons
        reason = charge.exceeded.window if charge.exceeded else ""
    if reason:
        sums.reasons[reason] += 1
        sums.withheld += rows - allowed
        sums.first = one.time if sums.first < 0 else sums.first


def _shut(one: Traffic, rules: Rules, local: int) -> str:
    """What refuses the statement itself; empty where nothing does."""
    if rules.hours is not None and not rules.hours.open(local):
        return "hours"
    if "case" in rules.require and not one.case:
        return "case"
    return "purpose" if "purpose" in rules.require and not one.purpose else ""
