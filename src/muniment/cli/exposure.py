"""`muniment exposure`: what an extract would give away, on top of what its recipient already holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.errors import InputError

if TYPE_CHECKING:
    from muniment.exposure.result import Exposure
    from muniment.workspace.exposing import Question

FINDING: Final = 1
"""Exit code where the decision is another than to release."""
What: TypeAlias = Annotated[
    str, typer.Argument(metavar="WHAT", help="A register's name, release:NUMBER, or the location of a table.")
]
Purpose: TypeAlias = Annotated[str, typer.Option(help="Why it is asked; it goes on record.")]
To: TypeAlias = Annotated[str | None, typer.Option(metavar="RECIPIENT", help="Who would receive it.")]
Where: TypeAlias = Annotated[
    str | None, typer.Option(metavar="SQL", help="Only records that fit this SQL condition; no sensitive column in it.")
]
Columns: TypeAlias = Annotated[str | None, typer.Option(metavar="A,B", help="Only these columns are handed out.")]
Quasi: TypeAlias = Annotated[
    str | None, typer.Option(metavar="A,B", help="Columns that others may know; as in muniment.toml by default.")
]
Sensitive: TypeAlias = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="A sensitive column; as in muniment.toml by default.")
]
Hierarchies: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--hierarchy", metavar="COLUMN=FILE", help="How a column is coarsened: a CSV of value and levels."),
]
Case: TypeAlias = Annotated[str, typer.Option(help="Case or ticket; it goes on record.")]


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "exposure")(exposure)


def exposure(
    desk: Desk,
    what: What,
    purpose: Purpose,
    to: To = None,
    together: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="RECIPIENT", help="Another recipient who would pool what they hold."),
    ] = None,
    quasi: Quasi = None,
    sensitive: Sensitive = None,
    columns: Columns = None,
    where: Where = None,
    relations: Annotated[
        list[str] | None,
        typer.Option("--relation", metavar="TIE", help="Who belongs together: A,B or A->KEY or heads:A or runs:A,B."),
    ] = None,
    hierarchy: Hierarchies = None,
    sample: Annotated[
        float | None, typer.Option(metavar="SHARE", help="The table is a random sample of this share of a population.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Minimal sample uniques too; takes longer.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write a report (HTML, one file).")] = None,
    case: Case = "",
) -> int:
    """Say what an extract gives away: release, change first, or do not release.

    Looks at three attackers, column sets, households, what the recipient holds already, simulated attacks, and the
    cheapest changes. No row, no key and no count of fewer than 10 persons is in the answer. Every run is on record as a
    disclosure to whoever runs it. Needs muniment[exposure].

    Exit code 1 where the decision is another than to release.
    """
    from muniment.workspace.measuring import Depth, read_rules

    if together and to is None:
        raise InputError("--with needs --to: expected the recipient first", hint="--to RECIPIENT --with RECIPIENT")
    if report is not None:
        _ready(desk, report)
    rules = read_rules(files("--hierarchy", hierarchy))
    asked = question(what, purpose, (to, *(together or ())), quasi, sensitive, columns, where, case)
    office = desk.open()
    with desk.working("exposing", what=what) as update:
        found = office.exposure.examine(asked, Depth(tuple(relations or ()), deep, sample), rules, update)
    _print(desk, found)
    if report is not None:
        _write(desk, found, report)
    return 0 if found.decision.verdict == "release" else FINDING


def question(
    what: str,
    purpose: str,
    to: tuple[str | None, ...],
    quasi: str | None,
    sensitive: str | None,
    columns: str | None,
    where: str | None,
    case: str,
) -> Question:
    """The options as one value; `InputError` where a list of columns is none."""
    from muniment.cli.arguments import columns as named
    from muniment.workspace.exposing import Question

    return Question(
        what=what,
        purpose=purpose,
        where=where,
        columns=named(columns) if columns is not None else None,
        quasi=named(quasi) if quasi is not None else (),
        sensitive=sensitive or "",
        to=tuple(name for name in to if name is not None),
        case=case,
    )


def files(option: str, typed: list[str] | None) -> dict[str, Path]:
    """`COLUMN=FILE` texts as a mapping."""
    from muniment.cli.arguments import pairs

    return {column: Path(file) for column, file in pairs(option, typed).items()}


def _ready(desk: Desk, report: Path) -> None:
    """Refuse before the run is on record what would only be found out after it."""
    if not report.parent.is_dir():
        raise InputError(f"--report {report}: there is no folder {report.parent}", hint=f"mkdir -p {report.parent}")
    if report.exists():
        desk.confirm("overwrite", file=report)


def _print(desk: Desk, found: Exposure) -> None:
    from muniment.exposure.report.summary import answer, reasons, summary

    brief = [answer(found, desk.lang), *reasons(found.decision, found.subject.k, desk.lang)]
    desk.result(found.to_json(), summary(found, desk.lang), brief=brief)


def _write(desk: Desk, found: Exposure, report: Path) -> None:
    from muniment.durable import replace_file
    from muniment.exposure.report.render import render

    replace_file(report, [render(found, desk.lang).encode()])
    desk.remark("report_written", file=report)
