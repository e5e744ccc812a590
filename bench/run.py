"""Run the benchmarks and print one Markdown table: a claim a line, with the time and memory it took.

Each `bench/bNN_name.py` has `main() -> list[Measurement]`. It runs in a process of its own, so that its peak memory is
its own and a crash of one leaves the others. The table is printed and written to bench/RESULTS.md with the versions it
was measured with; a file that fails is a line of its own. Exit code 1 where a claim does not hold.

    python bench/run.py             all of them, and write bench/RESULTS.md
    python bench/run.py b03 b07     only those; nothing is written
"""

from __future__ import annotations

import datetime
import importlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from measurement import Measurement

BENCH: Final = Path(__file__).resolve().parent
SECONDS: Final = 3_600
"""Seconds one benchmark file may take before it is ended: the slowest claims trace 200 leaks."""
PACKAGES: Final = ("muniment", "numpy", "duckdb", "cryptography")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one benchmark file gave. `error` is the last line of its standard error where it failed, else empty."""

    name: str
    measurements: tuple[Measurement, ...]
    seconds: float
    peak_mib: int
    error: str = ""

    @property
    def holds(self) -> bool:
        """Whether every claim of the file holds."""
        return not self.error and all(item.holds for item in self.measurements)


def benchmark_files(only: Sequence[str], folder: Path = BENCH) -> list[Path]:
    """The files `bNN_*.py` in order; with `only`, those whose name starts with one of the words given."""
    files = sorted(folder.glob("b[0-9]*.py"))
    return [file for file in files if not only or file.stem.startswith(tuple(only))]


def run_here(file: Path) -> None:
    """Run one benchmark in this process and print its measurements as one line of JSON, the last of the output."""
    sys.path.insert(0, str(file.parent))
    measurements: list[Measurement] = importlib.import_module(file.stem).main()
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    kib = peak // 1024 if sys.platform == "darwin" else peak
    print(json.dumps({"measurements": [asdict(item) for item in measurements], "peak_mib": kib // 1024}))


def run_apart(file: Path) -> Outcome:
    """Run one benchmark in a process of its own; a failure becomes an outcome, never an exception."""
    start = time.perf_counter()
    command = [sys.executable, str(BENCH / "run.py"), "--here", str(file)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(BENCH.parent / "src"), str(BENCH)])}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return Outcome(file.stem, (), time.perf_counter() - start, 0, f"ended after {SECONDS} s")
    seconds = time.perf_counter() - start
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return Outcome(file.stem, (), seconds, 0, lines[-1])
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    measurements = tuple(Measurement(**item) for item in answer["measurements"])
    return Outcome(file.stem, measurements, seconds, answer["peak_mib"])


def table(outcomes: Sequence[Outcome]) -> str:
    """The Markdown table; time and memory stand on the first line of each file."""
    lines = ["| benchmark | claim | wanted | measured | holds | seconds | peak MiB |", "| --- " * 7 + "|"]
    for outcome in outcomes:
        cost = [f"{outcome.seconds:.1f}", str(outcome.peak_mib)]
        if outcome.error:
            lines.append(_row([outcome.name, "did not finish", "", outcome.error, "**no**", *cost]))
        for item in outcome.measurements:
            holds = "yes" if item.holds else "**no**"
            lines.append(_row([outcome.name, item.claim, item.wanted, item.measured, holds, *cost]))
            cost = ["", ""]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def conditions() -> str:
    """One line on what the numbers were measured with."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    day = datetime.datetime.now(datetime.UTC).date()
    return f"{day}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {packages}."


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 1 where a claim does not hold or nothing was found to run."""
    if arguments[:1] == ["--here"]:
        run_here(Path(arguments[1]))
        return 0
    files = benchmark_files(arguments)
    outcomes = []
    for file in files:
        print(f"{file.stem} ...", file=sys.stderr, flush=True)
        outcomes.append(run_apart(file))
    report = table(outcomes)
    print(report)
    if files and not arguments:
        text = f"# Results\n\nWritten by `make bench`: {conditions()}\n\n{report}\n"
        (BENCH / "RESULTS.md").write_text(text, encoding="utf-8")
    return 0 if files and all(outcome.holds for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
