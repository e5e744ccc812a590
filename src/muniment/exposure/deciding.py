"""The decision: release, change first, or do not release, by a policy of two numbers.

Rules
1. A share of persons in classes of fewer than k counts alike whatever makes the class small: the columns alone, the
   household, the register, or what the recipient holds already.
2. Above the share that is allowed the release is not made as it is. *Change first* where one of the fixes that were
   counted brings the columns' own share down far enough, and nothing else is above it.
3. A count that can be worked out from counts handed out before is never mended by a change of columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muniment.errors import InputError
from muniment.exposure.result import Decision, Measures, Reason

if TYPE_CHECKING:
    from muniment.exposure.cumulative import Cumulative
    from muniment.exposure.differences import Differences
    from muniment.exposure.fixes import Fix
    from muniment.exposure.household import Household


@dataclass(frozen=True, slots=True)
class Policy:
    """`k`: persons who must look alike; `share`: the share of persons that may be in classes of fewer."""

    k: int = 5
    share: float = 0.05

    def __post_init__(self) -> None:
        """`InputError` where these are no numbers to decide by."""
        if self.k < 2 or not 0 <= self.share <= 1:
            raise InputError(f"k is {self.k} and the share {self.share}: expected k from 2 on and a share from 0 to 1")


def decide(
    policy: Policy,
    measures: Measures,
    fixes: Sequence[Fix] = (),
    household: Sequence[Household] = (),
    cumulative: Cumulative | None = None,
    differences: Differences | None = None,
) -> Decision:
    """Judge what was measured; the counts below k must have been made with the k of the policy."""
    worst: dict[str, Reason] = {}
    for one in _reasons(policy, measures, household, cumulative, differences):
        worst[one.code] = max(one, worst.get(one.code, one), key=lambda reason: reason.found)
    reasons = sorted(worst.values(), key=lambda one: (-one.found, one.code))
    if not reasons:
        return Decision("release")
    mended = any(one.after.share(measures.rows) <= policy.share for one in fixes)
    own = set(worst) <= {"columns", "told"}
    return Decision("change_first" if own and mended else "do_not_release", tuple(reasons))


def _reasons(
    policy: Policy,
    measures: Measures,
    household: Sequence[Household],
    cumulative: Cumulative | None,
    differences: Differences | None,
) -> Iterator[Reason]:
    rows = measures.rows
    yield from _above("columns", measures.share_below_k, policy)
    for column in measures.sensitive:
        yield from _above("told", column.certain.share(rows), policy)
    for one in household:
        yield from _above("household", one.joint_share, policy)
    if cumulative is not None and cumulative.held:
        yield from _above("held", cumulative.together.share_below, policy)
        if cumulative.surviving:
            yield from _above("intersection", cumulative.surviving[-1].share, policy)
    if differences is not None and not differences.safe:
        yield Reason("differences", 1.0, 0.0)


def _above(code: str, found: float, policy: Policy) -> Iterator[Reason]:
    if found > policy.share:
        yield Reason(code, found, policy.share)
