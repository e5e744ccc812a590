"""The benchmark of watch: attacks under every detector at one alert budget; false alarms; the adaptive haul.

    make bench-watch                                all parts (about half an hour); writes bench/watch/RESULTS.md
    make bench-watch ARGS="attacks --runs 2"        some of it; prints, writes nothing

Parts: `attacks` (simulator), `real` (hospital and billing logs), `clean` (false alarms of muniment), `haul`,
`speed`.
Exit code 1 where a claim does not hold.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from measurement import Measurement
from watch import backgrounds, table
from watch.cads import Cads
from watch.fixed_rules import SixRules, ValueCount
from watch.ground import Detector, Ground
from watch.metrics import Loss, Quiet, Row, clean_alerts, losses, row
from watch.ours import OURS, Muniment
from watch.outliers import outliers
from watch.volume import Count, ZScore

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
WANTED: Final = 8
"""Of ten rows on the simulator."""
ROWS: Final = tuple("bulk500 fifty ten three copenhagen half_hidden in_work split5 enumerate padding".split())
"""The ten rows of the comparison, named before any of them was run; all others are printed beside them."""


@dataclass(slots=True)
class Tally:
    """What detectors did on several backgrounds."""

    losses: dict[str, list[Loss]] = field(default_factory=dict)
    clean: dict[str, tuple[int, int]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, ground: Ground, detectors: Iterable[Detector]) -> None:
        """Run every detector on one background."""
        for detector in detectors:
            begun = time.perf_counter()
            hits = detector.detect(ground)
            self.losses.setdefault(detector.name, []).extend(losses(ground, hits))
            clean, alerts = clean_alerts(ground, hits)
            days, count = self.clean.get(detector.name, (0, 0))
            self.clean[detector.name] = days + int(clean.sum()), count + len(alerts)
            if detector.name == OURS:
                self.reasons.update(hit.reason for hit in alerts)
            say(f"  {detector.name}: {len(hits)} alerts, {time.perf_counter() - begun:.1f} s")

    def rows(self) -> list[Row]:
        """One line an attack and detector."""
        made = []
        for attack in dict.fromkeys(one.attack for one in self.losses[OURS]):
            ours = [one for one in self.losses[OURS] if one.attack == attack]
            for name, all_losses in self.losses.items():
                mine = [one for one in all_losses if one.attack == attack]
                made.append(row(name, mine, None if name == OURS else ours))
        return made

    def quiet(self) -> list[Quiet]:
        """Alerts on clean account-days, by detector."""
        return [Quiet(name, *counts) for name, counts in self.clean.items()]


def baselines() -> list[Detector]:
    """All that muniment is compared with."""
    counts = [Count("volume", "distinct"), Count("unexplained per day", "fresh")]
    return [*counts, ZScore(), *outliers(), Cads(), SixRules(), ValueCount()]


def attacks(options: argparse.Namespace) -> tuple[list[Measurement], str]:
    """Every attack on the simulator."""
    from watch import worlds

    tally = Tally()
    for number in range(1, options.runs + 1):
        explained = worlds.SHARES[number % len(worlds.SHARES)]
        ground = worlds.attacked(worlds.Run(10_000 + options.offset + number, explained, options.accounts))
        say(f"attacks {number}: {ground.name}, {len(ground.reads):,} reads")
        tally.add(ground, [Muniment(), *baselines()])
    rows = tally.rows()
    ours = [one for one in rows if one.detector == OURS]
    held = [*table.claims(ours), table.better(rows, WANTED, ROWS), _reasons(tally)]
    return held, _sections("Attacks on the simulator", rows, tally) + _said(tally)


def real(options: argparse.Namespace) -> tuple[list[Measurement], str]:
    """The rows that real backgrounds can carry."""
    held, text = [], ""
    for make in (backgrounds.hospital, backgrounds.billing):
        touches, tally = make(), Tally()
        for number in range(1, options.real + 1):
            ground = backgrounds.ground(touches, number)
            say(f"real {number}: {ground.name}, {len(ground.reads):,} reads")
            tally.add(ground, [Muniment(whole_days=True), *baselines()])
        rows = tally.rows()
        held.append(table.not_worse(rows, touches.name))
        text += _sections(f"Real background: {touches.name}", rows, tally)
    return held, text


def clean(options: argparse.Namespace) -> tuple[list[Measurement], str]:
    """False alarms of muniment on worlds without any attack: seeds, three explained shares, drift, mergers, surges."""
    from watch import calibration

    return calibration.measure(options.seeds, options.accounts, say, options.offset)


def haul(options: argparse.Namespace) -> tuple[list[Measurement], str]:
    """What an insider who knows everything can take."""
    from watch import adaptive

    return adaptive.measure(say)


def speed(options: argparse.Namespace) -> tuple[list[Measurement], str]:
    """What a million records cost."""
    from watch import speed

    return speed.measure(say)


PARTS: Final[dict[str, Callable[[argparse.Namespace], tuple[list[Measurement], str]]]] = {
    "attacks": attacks,
    "real": real,
    "clean": clean,
    "haul": haul,
    "speed": speed,
}


def _reasons(tally: Tally) -> Measurement:
    found = [one for one in tally.losses[OURS] if one.found]
    right = sum(one.right_reason for one in found)
    share = right / len(found) if found else 0.0
    wanted, measured = f">= {table.REASON:.0%} of alerts", f"{right} of {len(found)}"
    return Measurement("the stated reason is the injected one", wanted, measured, share >= table.REASON)


def _said(tally: Tally) -> str:
    """What muniment's first alert gave as its reason, by attack; wrong ones in brackets."""
    lines = ["", "| attack | reason that muniment's first alert gave (wrong ones in brackets) |", "| --- | --- |"]
    for attack in dict.fromkeys(one.attack for one in tally.losses[OURS]):
        mine = [one for one in tally.losses[OURS] if one.attack == attack and one.found]
        words = Counter(one.reason if one.right_reason else f"({one.reason})" for one in mine)
        said = ", ".join(f"{word} {count}" for word, count in words.most_common()) or "none was found"
        lines.append(f"| {attack} | {said} |")
    return "\n".join([*lines, ""])


def _sections(title: str, rows: Sequence[Row], tally: Tally) -> str:
    quiet = table.quiet_table(tally.quiet())
    reasons = ", ".join(f"{word} {count}" for word, count in tally.reasons.most_common()) or "none"
    alerts = f"Alerts on clean accounts beside them:\n\n{quiet}\n\nMuniment's, by reason: {reasons}."
    return f"\n## {title}\n\n{table.attack_table(rows, OURS)}\n\n{alerts}\n"


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def _conditions() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("muniment", "numpy", "scikit-learn", "pyod"))
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {packages}"


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(prog="make bench-watch", description="the benchmark of watch")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[], help="which parts (default: all)")
    parser.add_argument("--runs", type=int, default=24, help="simulated worlds with every attack in it")
    parser.add_argument("--real", type=int, default=4, help="runs of each real background, two attackers a row")
    parser.add_argument("--seeds", type=int, default=20, help="clean worlds")
    parser.add_argument("--offset", type=int, default=0, help="added to all seeds: worlds that nobody has looked at")
    parser.add_argument("--accounts", type=int, default=60, help="accounts of a world")
    options = parser.parse_args(arguments)
    begun, held, text = time.perf_counter(), list[Measurement](), ""
    for part in [PARTS[name] for name in options.parts or PARTS]:
        measured, section = part(options)
        held += measured
        text += section
    took = f"{time.perf_counter() - begun:.0f} s; {_conditions()}."
    report = f"# Results of watch\n\nWritten by `make bench-watch`: {took}\n\n{table.claim_table(held)}\n{text}"
    print(report)
    if not arguments:
        RESULTS.write_text(report, encoding="utf-8")
    return 0 if all(one.holds for one in held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
