"""False alarms of muniment: clean simulated worlds with three explained shares, drift, mergers and surges, by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from measurement import Measurement
from muniment.watch.audit import audit, interval, seen_by
from muniment.watch.fold import FoldRules, Watch
from muniment.watch.signals.standard import standard_signals
from muniment.watch.tally import month_of
from watch import worlds
from watch.ours import from_training
from watch.tuning import BUDGET

if TYPE_CHECKING:
    from muniment.watch.findings import Finding
    from watch.ground import Ground

DAYS: Final = 330
"""Days of a world; alerts count from the split on, since budgets are declared by what came before."""
SURGES: Final = 5
"""One world in so many has twice the load for a month, undeclared."""
UPPER: Final = 1.2
OPEN_DAYS: Final = 30
"""Days that an alert stays open: what is found of the same account and pattern meanwhile joins it."""


def measure(seeds: int, accounts: int, say: Callable[[str], None], offset: int = 0) -> tuple[list[Measurement], str]:
    """Claims and the section: alerts per 1,000 clean account-days by kind, share, pattern, and office and month."""
    cells: Counter[tuple[str, str]] = Counter()
    patterns: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for number in range(offset + 1, offset + seeds + 1):
        share = worlds.SHARES[number % len(worlds.SHARES)]
        run = worlds.Run(number, share, accounts, DAYS, surge=number % SURGES == 0)
        ground = worlds.clean(run)
        watch, found = watched(ground)
        days, alone = int((~ground.daily.train).sum()), len(found)
        found = alerts_of(found)
        patterns.update(f"{one.pattern} ({one.unit})" for one in found)
        words.update(_words(watch, month_of(ground.split)))
        for name in ("all", f"{share:.0%} explained", *(["surge"] if run.surge else [])):
            cells[name, "account_days"] += days
            cells[name, "findings"] += alone
            for one in found:
                cells[name, one.kind] += 1
        say(f"clean {number}: {len(found)} alerts ({alone} findings) in {days:,} account-days")
    return [_claim(cells), _guaranteed(cells)], _section(cells, patterns, words)


def watched(ground: Ground) -> tuple[Watch, list[Finding]]:
    """A background under the standard signals, with budgets declared from its first half; findings after the split."""
    watch = Watch(standard_signals(from_training(ground)), FoldRules(alpha=BUDGET), ground.spaces)
    watch.use(ground.context)
    found = [*watch.take(ground.reads), *watch.finish()]
    return watch, [one for one in found if one.day >= ground.split]


def alerts_of(found: Sequence[Finding]) -> list[Finding]:
    """The findings that open an alert: a person is told once of the same account and pattern, not at every crossing."""
    last: dict[tuple[str, int, str], int] = {}
    opening = []
    for one in sorted(found, key=lambda one: (one.day, one.code)):
        group = (one.unit, one.code, one.pattern)
        if group not in last or one.day - last[group] > OPEN_DAYS:
            opening.append(one)
        last[group] = one.day
    return opening


def _words(watch: Watch, after: str) -> list[str]:
    seen = [one for one in seen_by(watch.tally) if one.month > after]
    lines = audit(seen, {"guaranteed": BUDGET / 2, "estimated": BUDGET / 2})
    return [line.verdict for line in lines if line.office is not None and line.month is not None]


def _claim(cells: Counter[tuple[str, str]]) -> Measurement:
    days = cells["all", "account_days"]
    alerts = cells["all", "guaranteed"] + cells["all", "estimated"]
    low, high = (1_000 * one for one in interval(alerts, days))
    rate = 1_000 * alerts / max(days, 1)
    text = f"{rate:.2f} ({low:.2f} to {high:.2f}) over {days:,} account-days; {cells['all', 'findings']} findings"
    wanted = f"<= 1, upper limit <= {UPPER}, over >= 100,000 account-days"
    holds = rate <= 1 and high <= UPPER and days >= 100_000
    return Measurement("alerts per 1,000 clean account-days", wanted, text, holds)


def _guaranteed(cells: Counter[tuple[str, str]]) -> Measurement:
    days, alerts = cells["all", "account_days"], cells["all", "guaranteed"]
    low = interval(alerts, days)[0]
    text = f"{alerts} in {days:,} account-days, lower limit {1_000 * low:.3f} per 1,000"
    wanted = f"{500 * BUDGET:g} per 1,000 not refuted"
    return Measurement("guaranteed alerts keep their bound", wanted, text, low <= BUDGET / 2)


def _section(cells: Counter[tuple[str, str]], patterns: Counter[str], words: Counter[str]) -> str:
    head = "| worlds | account-days | guaranteed | estimated | per 1,000 (95 %) |"
    lines = ["", "## Clean worlds (muniment)", "", head, "| --- " * 5 + "|"]
    for name in dict.fromkeys(name for name, _ in cells):
        days, sure, rest = (cells[name, one] for one in ("account_days", "guaranteed", "estimated"))
        low, high = (1_000 * one for one in interval(sure + rest, days))
        rate = 1_000 * (sure + rest) / max(days, 1)
        lines.append(f"| {name} | {days:,} | {sure} | {rest} | {rate:.2f} ({low:.2f} to {high:.2f}) |")
    said = ", ".join(f"{name} {count}" for name, count in patterns.most_common()) or "none"
    cell = ", ".join(f"{name} {count}" for name, count in words.most_common())
    lines += ["", f"Alerts by pattern: {said}.", f"Cells of office and month, by the audit: {cell}.", ""]
    return "\n".join(lines)
