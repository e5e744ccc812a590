"""Other people's suites: asyncpg's, pg8000's and SQLAlchemy's own tests, direct and through the gate; same passes?

    PYTHONPATH=src:tests:bench:tools python bench/gate/foreign.py FOLDER [--python PYTHON] [--only NAME] [--direct]

`FOLDER` holds the unpacked source archives (`asyncpg-*`, `pg8000-*`, `sqlalchemy-*`); `--python` an interpreter that
has the packages and pytest, pytest-timeout, pytest-mock, pytz, python-dateutil and distro installed. Nothing is
downloaded. Both runs are over TLS with SCRAM, by an account that the gate does not guard: a developer's. Each suite
runs in a folder that holds its tests alone, so that the installed package is what is tested.

A suite holds if no test that passes direct fails through the gate, or the other way round. Tests that pass by luck
(timing) are run again on both sides, and only what differs twice counts.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from measurement import Measurement

PASSWORD: Final = "scramsecret"
USER: Final = "suite"
SECONDS: Final = 1_800
AGAIN: Final = 2
"""How often a test that differs is run again on both sides."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One package's tests: which folders to copy, what to run, and how it learns where the server is."""

    name: str
    copied: tuple[str, ...]
    arguments: tuple[str, ...]
    uri: str = ""
    """A SQLAlchemy address to be filled in; elsewhere PGHOST and its like do."""


SUITES: Final = (
    Suite("asyncpg", ("tests",), (
        "tests", "--timeout=30", "--deselect=tests/test__sourcecode.py",
    )),
    Suite("pg8000", ("test",), (
        "test", "--timeout=30", "--ignore=test/test_readme.py", "--ignore-glob=*auth*", "--ignore-glob=*benchmark*",
    )),
    Suite("sqlalchemy", ("test", "setup.cfg", "pyproject.toml", "lib"), (
        "test/dialect/postgresql", "test/dialect/test_suite.py", "--timeout=60", "-p", "no:warnings", "--backend-only",
    ), "postgresql+psycopg://{user}:{password}@127.0.0.1:{port}/{database}?sslmode=require"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run goes."""

    label: str
    port: int
    database: str


def main(words: Sequence[str]) -> list[Measurement]:
    """Run what was asked for."""
    asked = arguments(words)
    folder, python = Path(asked.folder), Path(asked.python)
    from language.gates import foreign_bed

    lines = []
    for suite in SUITES:
        archive = next(iter(sorted(folder.glob(f"{suite.name}-*/"))), None)
        if archive is None or (asked.only and suite.name not in asked.only):
            continue
        with foreign_bed(USER, PASSWORD, gate=not asked.direct) as (direct, through):
            places = [Place("direct", direct, "postgres")]
            places += [Place("gate", through, "postgres")] if through else []
            lines.append(compared(suite, archive, python, places))
            print(shown(lines[-1]), flush=True)
    return lines


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--direct", action="store_true", help="only direct: what the suite does on this machine")
    return parser.parse_args(words)


def compared(suite: Suite, archive: Path, python: Path, places: Sequence[Place]) -> Measurement:
    """Run one suite at each place, and again what differs."""
    with tempfile.TemporaryDirectory(prefix="muniment-foreign-") as name:
        folder = prepared(suite, archive, Path(name))
        results = {place.label: outcomes(suite, folder, python, place, ()) for place in places}
        direct, gate = results["direct"], results.get("gate", results["direct"])
        differing = differences(direct, gate)
        for _ in range(AGAIN):
            if not differing:
                break
            print(f"{suite.name}: {len(differing)} differ, run again: {sorted(differing)[:10]}", file=sys.stderr)
            for place in places:
                results[place.label] |= outcomes(suite, folder, python, place, sorted(differing))
            differing = differences(direct, gate)
    for test in sorted(differing):
        print(f"  differs: {test}: direct {direct.get(test)}, gate {gate.get(test)}", file=sys.stderr)
    passed = sum(one == "passed" for one in direct.values())
    return Measurement(
        f"{suite.name} ({archive.name}), {len(direct)} tests, TLS and SCRAM",
        "the same tests pass direct and through the gate",
        f"{passed} pass direct, {sum(one == 'passed' for one in gate.values())} through the gate, "
        f"{len(differing)} differ",
        not differing and passed > 0,
    )


def prepared(suite: Suite, archive: Path, folder: Path) -> Path:
    """A folder with the suite's tests alone. Its pytest settings are left out where they name what is not there."""
    for name in suite.copied:
        source = archive / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.exists():
            shutil.copy(source, folder / name)
    return folder


def outcomes(
    suite: Suite, folder: Path, python: Path, place: Place, only: Sequence[str]
) -> dict[str, str]:
    """Outcome by test: passed, failed or skipped. `only`: names as a former run gave them."""
    report = folder / f"report-{place.label}.xml"
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-o", "addopts="]
    command += list(suite.arguments)
    if suite.uri:
        command += ["--dburi", suite.uri.format(user=USER, password=PASSWORD, port=place.port, database=place.database)]
    if only:
        names = {re.match(r"\w*", name.rpartition("::")[2]).group() for name in only}  # type: ignore[union-attr]
        command += ["-k", " or ".join(sorted(names - {"", "None", "not", "and", "or"}))]
    done = subprocess.run(
        command, cwd=folder, env=environment(place), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if not report.exists():
        raise RuntimeError(f"{suite.name} did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    print(f"{suite.name} {place.label}: {done.stdout.strip().splitlines()[-1]}", flush=True)
    return read_report(report)


def environment(place: Place) -> Mapping[str, str]:
    """What tells libpq and its like where to go."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "PYTHON"))}
    return kept | {
        "PGHOST": "127.0.0.1", "PGPORT": str(place.port), "PGUSER": USER, "PGPASSWORD": PASSWORD,
        "PGDATABASE": place.database, "PGSSLMODE": "require",
    }  # fmt: skip


def read_report(path: Path) -> dict[str, str]:
    """Outcome by `class::name` of a JUnit report; a test that both failed and errored failed."""
    found: dict[str, str] = {}
    for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314 - written by the pytest that we started
        name = f"{case.get('classname')}::{case.get('name')}"
        tags = {child.tag for child in case}
        outcome = "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"
        found[name] = "failed" if "failed" in (outcome, found.get(name)) else outcome
    return found


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    """Tests whose passing differs."""
    return {name for name in {*one, *other} if (one.get(name) == "passed") != (other.get(name) == "passed")}


def shown(line: Measurement) -> str:
    """One line for the terminal."""
    return f"{'ok ' if line.holds else 'NO '} {line.claim}: {line.measured}"


if __name__ == "__main__":
    found: list[Any] = main(sys.argv[1:])
    sys.exit(0 if found and all(line.holds for line in found) else 1)
