"""`muniment watch check`: whether the watch sees what it could, keeps up, and gets its alerts out; and what it bounds.

Rules
1. Nothing is changed. What was counted is as of the newest snapshot.
2. What cannot be seen is said by the tables that are missing: a watch without cases is half blind, and shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from muniment.errors import InputError, IntegrityError, MunimentError
from muniment.watch.alerts import ending, share_flagged
from muniment.watch.context.index import ContextIndex
from muniment.watch.context.tables import DAY_MS, Context
from muniment.watch.fold import FoldRules
from muniment.watch.haul import HORIZONS, NEEDS, Effort, Gate, Haul, hauls
from muniment.watch.rehearsal import WatchJudge
from muniment.watch.signals.declared import Budgets
from muniment.watch.signals.standard import standard_signals
from muniment.watch.suggest import suggested
from muniment.workspace import watch_files, watch_gate, watch_sinks
from muniment.workspace.doctoring import Check, State

if TYPE_CHECKING:
    from muniment.watch.settings import WatchSettings
    from muniment.workspace.parts import Parts
    from muniment.workspace.watch_course import Course
    from muniment.workspace.watching import Watching

Seen: TypeAlias = "Iterator[tuple[State, Mapping[str, object]]]"
STALE_DAYS: Final = 2
"""Days after which a snapshot says that nobody leads the watch."""
EFFORT: Final = Effort(sizes=6, passes=2, most=1_000.0)
REPLICAS: Final = 3
"""Accounts that rehearse each plan."""


class Bench:
    """What the checks of one run share."""

    def __init__(self, watching: Watching) -> None:
        self.watching = watching
        self.parts = watching.parts
        self.settings: WatchSettings = watching.settings()
        self.course: Course = watching.course()


def check(watching: Watching) -> tuple[Check, ...]:
    """Every check, in order. Settings or a state that cannot be read are one finding, and the last."""
    try:
        bench = Bench(watching)
    except IntegrityError as error:
        return (Check("settings", "broken", {"reason": error.message}),)
    except MunimentError as error:
        return (Check("settings", "fault", {"reason": error.message}),)
    found: list[Check] = []
    for name, action in CHECKS.items():
        try:
            found += [Check(name, state, dict(values)) for state, values in action(bench)]
        except IntegrityError as error:
            found.append(Check(name, "broken", {"reason": error.message}))
        except MunimentError as error:
            found.append(Check(name, "fault", {"reason": error.message}))
    return tuple(found)


def _settings(bench: Bench) -> Seen:
    settings = bench.settings
    share = round(100 * share_flagged(settings.alpha), 1)
    yield "ok", {"rate": f"{settings.alerts_per_1000:g}", "share": f"{share:g}"}


def _follows(bench: Bench) -> Seen:
    """Whether somebody leads it, and how far it has come."""
    head = bench.parts.ledger.acknowledged()
    behind = (head.point.sequence if head is not None else 0) - bench.course.after
    snapshot = watch_files.load(bench.parts)
    if snapshot is None:
        yield "warn", {"behind": behind, "reads": 0}
        return
    old = bench.watching.now() - int(snapshot.meta["at"]) > STALE_DAYS * DAY_MS
    state: State = "warn" if behind > 0 and old else "ok"
    yield state, {"behind": max(0, behind), "reads": bench.course.watch.tally.reads}


def _context(bench: Bench) -> Seen:
    context = bench.course.context
    missing = context.missing if context is not None else _ALL
    yield ("warn" if missing else "ok"), {"missing": ", ".join(missing) or "-", "version": bench.course.version}


def _blind(bench: Bench) -> Seen:
    """What cannot be seen without the tables that are missing."""
    context = bench.course.context
    missing = set(context.missing if context is not None else _ALL)
    blind = [one.about.name for one in bench.course.watch.signals if missing & set(one.about.needs)]
    if blind:
        yield "warn", {"signals": ", ".join(blind)}


def _faults(bench: Bench) -> Seen:
    faults = bench.course.faults
    yield ("warn" if faults else "ok"), {"count": len(faults), "first": str(faults[0]) if faults else "-"}


def _judged(bench: Bench) -> Seen:
    """What could not be judged, or not as it came."""
    tally = bench.course.watch.tally
    names = ("late", "ahead", "rewound", "unnamed")
    values = {name: getattr(tally, name) for name in names}
    yield ("warn" if tally.late or tally.rewound else "ok"), values


def _counted(bench: Bench) -> Seen:
    """Disclosures of which only counts are known: nothing that is told by records can be seen in them."""
    counts = bench.course.counts
    events = sum(events for events, _ in counts.counted.values())
    rows = sum(rows for _, rows in counts.counted.values())
    yield ("warn" if events else "ok"), {"events": events, "rows": rows, "unwatched": counts.unwatched}


def _sinks(bench: Bench) -> Seen:
    sinks = watch_sinks.sinks_of(bench.parts, bench.settings)
    failing = watch_sinks.faults(bench.parts)
    if not sinks:
        yield "warn", {"count": 0, "failing": 0, "first": "-"}
        return
    first = f"{failing[0].sink}: {failing[0].error}" if failing else "-"
    yield ("warn" if failing else "ok"), {"count": len(sinks), "failing": len(failing), "first": first}


def _alerts(bench: Bench) -> Seen:
    alerts = bench.watching.alerts.book().alerts
    waiting = sum(one.open for one in alerts)
    soon = ending(alerts, bench.watching.now(), bench.settings.alert_days)
    yield ("warn" if soon else "ok"), {"open": waiting, "ending": len(soon)}


def _gate(bench: Bench) -> Seen:
    """The budgets that are lowered just now."""
    now = bench.watching.now()
    held = [one for one in watch_gate.lowerings(bench.parts) if now < one.until and one.persons]
    if bench.settings.lower or held:
        yield "ok", {"lowered": len(held)}


def _haul(bench: Bench) -> Seen:
    """Whether what an insider may take is bounded at all; how much it is takes minutes (`haul_of`)."""
    context = bench.course.context
    missing = [name for name in NEEDS if name in (context.missing if context is not None else _ALL)]
    yield ("warn" if missing else "ok"), {"missing": ", ".join(missing) or "-"}


CHECKS: Final[Mapping[str, Callable[[Bench], Seen]]] = {
    "settings": _settings, "follows": _follows, "context": _context, "blind": _blind, "faults": _faults,
    "judged": _judged, "counted": _counted, "sinks": _sinks, "alerts": _alerts, "lowered": _gate, "haul": _haul,
}  # fmt: skip
_ALL: Final = ("staff", "cases", "assignments", "households", "family", "jobs", "orders")


def haul_of(
    parts: Parts, settings: WatchSettings, course: Course, horizons: Sequence[int] = HORIZONS
) -> tuple[Haul, ...]:
    """The most that an account under the default budget may take before its first alert, with the gate off and on.

    The plans of an insider who knows method and thresholds, rehearsed against this watch in an invented office
    (`watch.rehearsal`); "not bounded" where cases or assignments are missing. Takes minutes.
    """
    budgets, rules = Budgets(settings.budget), FoldRules(settings.alpha, settings.lag_ms)
    judge = WatchJudge(lambda: standard_signals(budgets), rules, replicas=REPLICAS)
    gates, limits = [Gate()], _gate_limits(parts)
    if limits:
        gates.append(Gate(limits.get("day"), limits.get("month")))
    return hauls(course.context or Context(), judge, gates, horizons, EFFORT)


@dataclass(frozen=True, slots=True)
class OfficeBudget:
    """A budget that may be declared: the office, accounts known long enough, the median of their means, the budget.

    `accounts`: those that need one of their own, by name.
    """

    name: str
    known: int
    mean: float
    a_day: float
    accounts: tuple[tuple[str, float], ...]


def budgets_of(course: Course) -> tuple[OfficeBudget, ...]:
    """Budgets that may be declared, by office; accounts that belong to none are left out."""
    watch = course.watch
    accounts = np.arange(len(watch.worked), dtype=np.int32)
    now = np.full(len(accounts), watch.clock, np.int64)
    office, _ = ContextIndex(course.context or Context()).offices(accounts, now)
    found = suggested(watch.worked, office)
    names, offices = watch.spaces.account, watch.spaces.office
    return tuple(
        OfficeBudget(
            offices.text(code), one.known, one.median, one.a_day,
            tuple((names.text(account), a_day) for account, _, a_day in one.accounts),
        )
        for code, one in found.items()
        if code >= 0
    )  # fmt: skip


def _gate_limits(parts: Parts) -> dict[str, Any]:
    """The default limits of persons at the gate, where it stops who goes beyond; none otherwise."""
    from muniment.workspace.gating import Gatehouse

    house = Gatehouse(parts)
    try:
        defaults = house.settings().defaults if house.there else {}
    except InputError:  # a gate that cannot be read stops nobody that could be counted on
        return {}
    if defaults.get("mode", "stop") != "stop":
        return {}
    return {name: limit for name, limit in (defaults.get("persons") or {}).items() if limit is not None}
