"""The tables of the benchmark, misses first: what was wanted of muniment, then every attack under every detector."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from measurement import Measurement

if TYPE_CHECKING:
    from watch.metrics import Quiet, Row

HEAD: Final = (
    "attack", "detector", "n", "found (95 % interval)", "lost: median", "p90", "of", "workdays", "reason right",
    "median lost beyond muniment's (95 %)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted of an attack: the share found at least, and records lost in the median at most (`inf`: any)."""

    share: float
    lost: float = math.inf


TARGETS: Final = {
    "bulk500": Target(1.0),
    "fifty": Target(1.0, 60),
    "ten": Target(0.95, 80),
    "three": Target(0.60),
    "copenhagen": Target(0.90, 60),
    "half_hidden": Target(0.60),
    "in_work": Target(0.70),
    "split5": Target(0.80, 200),
    "enumerate": Target(0.95, 60),
}
REASON: Final = 0.9
"""The share of alerts whose stated reason is the injected one, at least."""


def claims(ours: Iterable[Row]) -> list[Measurement]:
    """One line an attack with a target: is it met?"""
    made = []
    for row in ours:
        target = TARGETS.get(row.attack)
        if target is not None:
            most = "" if math.isinf(target.lost) else f", <= {target.lost:.0f} lost in the median"
            measured = f"{row.found} of {row.trials} found, {row.median:.0f} lost of {row.total:.0f}"
            holds = row.share >= target.share and row.median <= target.lost
            made.append(Measurement(f"{row.attack}", f">= {target.share:.0%} found{most}", measured, holds))
    return made


def better(rows: Sequence[Row], wanted: int, of: Sequence[str]) -> Measurement:
    """In how many of the attacks named every baseline loses more than muniment, beyond the difference's interval."""
    others = [row for row in rows if row.difference is not None and row.attack in of]
    beaten = {attack: [row.beaten for row in others if row.attack == attack] for attack in of}
    won = [attack for attack, each in beaten.items() if each and all(each)]
    missed = ", ".join(
        f"{attack} ({sum(not one for one in each)})" for attack, each in beaten.items() if not (each and all(each))
    )
    text = f"{len(won)} of {len(of)}; not beyond its interval in (baselines): {missed or 'none'}"
    claim = "better than every baseline on median records lost"
    return Measurement(claim, f">= {wanted} rows", text, len(won) >= wanted)


def not_worse(rows: Sequence[Row], background: str) -> Measurement:
    """Whether no baseline loses less than muniment, beyond the difference's interval; and where all lose more."""
    others = [row for row in rows if row.difference is not None]
    worse = [f"{row.attack} ({row.detector})" for row in others if row.difference and row.difference[2] < 0]
    names = dict.fromkeys(row.attack for row in others)
    won = [name for name in names if all(row.beaten for row in others if row.attack == name)]
    text = f"worse: {', '.join(worse) or 'nowhere'}; better than all: {', '.join(won) or 'nowhere'}"
    return Measurement(f"{background}: no baseline loses less", "in no row beyond its interval", text, not worse)


def claim_table(measurements: Sequence[Measurement]) -> str:
    """Claims as a table, those that do not hold first."""
    rows = [
        (one.claim, one.wanted, one.measured, "yes" if one.holds else "**no**")
        for one in sorted(measurements, key=lambda one: one.holds)
    ]
    return _table(("claim", "wanted", "measured", "holds"), rows)


def attack_table(rows: Sequence[Row], ours: str) -> str:
    """Every attack under every detector: attacks that muniment misses most first; within one, muniment first."""
    share = {row.attack: (row.share, -row.median) for row in rows if row.detector == ours}

    def place(row: Row) -> tuple[object, ...]:
        return (*share.get(row.attack, (0.0, 0.0)), row.attack, row.detector != ours, row.median)

    ordered = sorted(rows, key=place)
    return _table(HEAD, [_cells(row) for row in ordered])


def quiet_table(quiets: Sequence[Quiet]) -> str:
    """Alerts on clean account-days by detector, the noisiest first."""
    rows = []
    for one in sorted(quiets, key=lambda one: -one.per_1000[0]):
        rate, low, high = one.per_1000
        rows.append((one.detector, f"{one.account_days:,}", str(one.alerts), f"{rate:.2f} ({low:.2f} to {high:.2f})"))
    return _table(("detector", "clean account-days", "alerts", "per 1,000 (95 % interval)"), rows)


def _cells(row: Row) -> tuple[str, ...]:
    low, high = row.found_interval
    beyond = "" if row.difference is None else "{:+.0f} ({:+.0f} to {:+.0f})".format(*row.difference)
    reason = "" if math.isnan(row.reason_right) else f"{row.reason_right:.0%}"
    return (
        row.attack, row.detector, str(row.trials), f"{row.share:.0%} ({low:.0%} to {high:.0%})", f"{row.median:.0f}",
        f"{row.p90:.0f}", f"{row.total:.0f}", f"{row.workdays:.0f}", reason, beyond,
    )  # fmt: skip


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
