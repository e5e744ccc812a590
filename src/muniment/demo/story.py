"""The demo: one invented register, two hundred copies, three found files with their verdicts, a release that is
refused for what it adds, and a day at the gate.

Everything is made with the same public functions that a keeper uses; only the leaks are made here.
"""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from muniment.demo import adding, leaks, people, working_day
from muniment.engine.duck import matching_rows
from muniment.errors import InputError
from muniment.messages import count, percent, text
from muniment.table import Table
from muniment.trace.report import render
from muniment.trace.summary import summary
from muniment.trace.verdict import Verdict
from muniment.workspace.office import Workspace, init

PASSPHRASE = "demo only: no secret"
NAME = "people"
LEAKER, MIXED = 17, (23, 41)
"""The recipients whose copies turn up."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a demo is; `where` selects the extract that every recipient gets."""

    persons: int
    recipients: int
    where: str


FULL = Size(50_000, 200, "registered_at >= '2026-05-01'")
SMALL = Size(6_000, 50, "registered_at >= '2025-07-01'")

Echo = Callable[[str], None]


def run(folder: Path | None, *, small: bool, seed: int, lang: str, echo: Echo) -> int:
    """Tell the story in `folder` (default: a new one in the system's temporary folder); 0 if every verdict is right.

    Raises `InputError` where the folder is there already; otherwise as the actions that are shown.
    """
    home = _home(folder)
    size = SMALL if small else FULL
    start = time.perf_counter()
    echo(text("demo.title", lang, persons=count(size.persons), recipients=count(size.recipients)))
    register = people.register(size.persons, seed)
    source = _write(home / "register.csv", register)
    workspace = init(home / "office", PASSPHRASE, name="Demo", lang=lang)
    added = workspace.register(NAME, source, key=people.KEY, accept="equivalent")
    echo(text("demo.registered", lang, columns=", ".join(added.carriers)))
    copies = _hand_out(workspace, home / "copies", size, lang, echo)
    verdicts = [
        _show(workspace, file, expected, lang, echo)
        for file, expected in _leaked(home / "found", register, copies, size, seed)
    ]
    key = str(register[people.KEY][next(iter(matching_rows(register, size.where)))])
    complete = _ask(workspace, key, size, lang, echo)
    weighed = _add(home, lang, echo)
    guarded = _live(workspace, register, home, lang, echo)
    report = home / "report.html"
    report.write_text(render(verdicts[1][0], lang, examples=True), encoding="utf-8")
    right = complete and weighed and guarded and all(agrees for _, agrees in verdicts)
    echo(text("demo.done", lang, seconds=f"{time.perf_counter() - start:.1f}", report=str(report)))
    echo(
        text(
            "demo.next",
            lang,
            folder=str(home / "office"),
            found=str(home / "found" / "retyped.csv"),
            passphrase=PASSPHRASE,
            key=key,
        )
    )
    return 0 if right else 1


def _home(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="muniment-demo-"))
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: the folder is not empty; it stays", hint="choose another --folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _hand_out(workspace: Workspace, folder: Path, size: Size, lang: str, echo: Echo) -> dict[str, Path]:
    """Release one extract to every recipient; returns recipient -> file."""
    folder.mkdir()
    to = {
        f"{text('demo.office', lang)} {number:03}": folder / f"{number:03}.csv"
        for number in range(1, size.recipients + 1)
    }
    start = time.perf_counter()
    results = workspace.release_many(NAME, to=to, purpose=text("demo.purpose", lang), where=size.where)
    seconds = time.perf_counter() - start
    rows = sum(result.rows for result in results)
    echo(
        text(
            "demo.released",
            lang,
            copies=count(len(results)),
            rows=count(results[0].rows),
            symbols=count(results[0].symbols),
            changed=str(results[0].meaning_changed),
            enough=str(results[0].rows_to_trace),
            speed=count(int(rows / seconds)),
        )
    )
    return to


def _leaked(
    folder: Path, register: Table, copies: dict[str, Path], size: Size, seed: int
) -> list[tuple[Path, set[str]]]:
    """The three found files, each with the recipients that a right verdict may name (none: must name nobody)."""
    folder.mkdir()
    names = list(copies)
    first, second = names[MIXED[0] - 1], names[MIXED[1] - 1]
    leaker = names[LEAKER - 1]
    rows = matching_rows(register, size.where)
    return [
        (_write(folder / "retyped.csv", leaks.retyped(_read(copies[leaker]), seed)), {leaker}),
        (_write(folder / "mixed.csv", leaks.mixed(_read(copies[first]), _read(copies[second]), seed)), {first, second}),
        (_write(folder / "innocent.csv", leaks.unmarked(register, rows, seed)), set()),
    ]


def _show(workspace: Workspace, file: Path, expected: set[str], lang: str, echo: Echo) -> tuple[Verdict, bool]:
    verdict = workspace.trace(file)
    echo("")
    echo(text("demo.found", lang, file=file.name))
    echo(summary(verdict, lang))
    named = {one.recipient for one in verdict.named}
    return verdict, bool(named) == bool(expected) and named <= expected


def _ask(workspace: Workspace, key: str, size: Size, lang: str, echo: Echo) -> bool:
    """Who received one of the persons that were handed out, and whether the ledger verifies."""
    start = time.perf_counter()
    told = workspace.who(key, purpose=text("demo.request", lang)).disclosures
    seconds = time.perf_counter() - start
    checked = workspace.ledger.verify()
    echo("")
    echo(text("demo.who", lang, key=key, disclosures=count(len(told)), seconds=f"{seconds:.2f}"))
    echo(text("demo.ledger", lang, disclosures=count(checked.disclosures), records=count(checked.records)))
    return checked.ok and sum(one["channel"] == "file" for one in told) == size.recipients


def _add(home: Path, lang: str, echo: Echo) -> bool:
    """A release that is refused for what it adds to an earlier one, and the fix."""
    echo("")
    recipient, purpose = text("demo.institute", lang), text("demo.study", lang)
    done = adding.run(home / "office", home, PASSPHRASE, NAME, recipient, purpose, lang)
    columns = {name: ", ".join(getattr(adding, name.upper())) for name in ("first", "second", "mended")}
    shares = {"itself": percent(done.itself), "together": percent(done.together)}
    echo(text("demo.exposure", lang, recipient=recipient, **columns, **shares))
    echo(text("demo.refused", lang, said=done.said))
    echo(text("demo.mended", lang, **columns, report=str(done.report)))
    return bool(done.said) and done.given and done.together > done.itself


def _live(workspace: Workspace, register: Table, home: Path, lang: str, echo: Echo) -> bool:
    """A working day at the gate, and the trace of what the harvester got before the stop."""
    echo("")
    echo(text("demo.gate", lang, budget=count(working_day.BUDGET)))
    day = working_day.run(home / "office", register, home, PASSPHRASE)
    echo(text("demo.clerks", lang, lookups=count(day.lookups), clerks=count(len(working_day.CLERKS))))
    echo(text("demo.harvest", lang, wanted=count(day.wanted), rows=count(day.harvested), said=day.stopped))
    echo(text("demo.enumeration", lang, rows=count(day.enumerated)))
    _, named = _show(workspace, day.leak, {working_day.HARVESTER}, lang, echo)
    within = day.harvested <= working_day.BUDGET and day.enumerated <= working_day.BUDGET
    return named and day.usable and within and bool(day.stopped)


def _write(path: Path, table: Table) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows(table.iter_rows())
    return path


def _read(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return Table.from_rows(rows[0], rows[1:])
