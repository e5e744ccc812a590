"""The adaptive insider against the standard signals: the largest haul found, by horizon, gate off and on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from measurement import Measurement
from muniment.watch.context.tables import Assignments, Cases, Context
from muniment.watch.fold import FoldRules
from muniment.watch.haul import Effort, Gate, Haul, hauls
from muniment.watch.rehearsal import Office, WatchJudge
from muniment.watch.signals.declared import Budgets
from muniment.watch.signals.standard import standard_signals
from watch.tuning import BUDGET

if TYPE_CHECKING:
    from muniment.watch.haul import Judge, Judged

GATES: Final = (Gate(), Gate(a_day=20), Gate(a_day=20, a_month=40))
"""Off; 20 records without a case a day; and 40 of them in 20 workdays."""
GATE_NAMES: Final = ("off", "20 a day", "20 a day, 40 a month")
EFFORT: Final = Effort(sizes=6, passes=2, most=1_000.0, rounds=1, tries=24)
YEAR, MOST = 220, 440
"""The horizon with a target, and the records that may be lost in it."""


class _Told:
    """A judge that says how it goes."""

    def __init__(self, judge: Judge, say: Callable[[str], None]) -> None:
        self._judge, self._say = judge, say

    def judge(self, plans: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Judged:
        judged = self._judge.judge(plans)
        self._say(f"  haul: {plans.shape[0]} plans over {plans.shape[1]} workdays")
        return judged


def measure(say: Callable[[str], None]) -> tuple[list[Measurement], str]:
    """The claim and the section."""
    office = Office(own=4.0)
    judge = _Told(WatchJudge(lambda: standard_signals(Budgets()), FoldRules(alpha=BUDGET), office, 3), say)
    found = hauls(_known(), judge, GATES, effort=EFFORT, random=np.random.default_rng(1))
    unknown = hauls(Context(cases=_known().cases), judge, GATES[:1], (YEAR,))
    year = [haul for haul in found if haul.horizon == YEAR]
    told = zip(GATE_NAMES, year, strict=True)
    measured = ", ".join(f"gate {name}: {haul.text} ({haul.shape})" for name, haul in told)
    holds = all(haul.records is not None and haul.records <= MOST for haul in year)
    claims = [
        Measurement(f"adaptive haul over {YEAR} workdays", f"<= {MOST}", measured, holds),
        Measurement(
            "adaptive haul without assignments", "not bounded", unknown[0].text, unknown[0].text == "not bounded"
        ),
    ]
    return claims, _section([*found, *unknown])


def _known() -> Context:
    """A context that has cases and assignments; what is in them is not asked."""
    none = np.zeros(0, np.int64)
    few, some, no = none.astype(np.int32), none.astype(np.uint32), none.astype(bool)
    cases = Cases(few, few, none, none, few, few, no, none, some)
    return Context(cases=cases, assignments=Assignments(few, few, few, none, none))


def _section(found: list[Haul]) -> str:
    head = "| workdays | gate | records | plan | chance of an alert |"
    lines = ["", "## Adaptive haul", "", head, "| --- " * 5 + "|"]
    for number, haul in enumerate(found):
        gate = GATE_NAMES[number % len(GATE_NAMES)]
        plan = haul.shape or f"missing: {', '.join(haul.why)}"
        lines.append(f"| {haul.horizon} | {gate} | {haul.text} | {plan} | {haul.alert:.0%} |")
    return "\n".join([*lines, "", "The largest haul found by search; a better plan may exist.", ""])
