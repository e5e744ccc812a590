"""`muniment trace` and `muniment recompute`: find the copy a leak came from, and check such a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.errors import InputError

if TYPE_CHECKING:
    from muniment.trace.verdict import Verdict

FINDING = 1
"""Exit code where a recipient is named."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "trace")(trace)
    command(app, "recompute")(recompute)


def trace(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file that was found, of any usual form.")],
    register: Annotated[str | None, typer.Option(help="Only this register; all with copies by default.")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="LEAK=COLUMN", help="Column of the file and the register's column it is."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file; told from it by default.")] = None,
    found: Annotated[
        str | None, typer.Option(metavar="DATE", help="When it was found: only copies on record before are candidates.")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Bound on the chance of naming any innocent; that of muniment.toml by default.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report (HTML, one file).")] = None,
    no_examples: Annotated[
        bool, typer.Option("--no-examples", help="No value of the file in report and JSON.")
    ] = False,
    bundle: Annotated[Path | None, typer.Option(help="Seal a bundle (zip) for `muniment recompute`.")] = None,
    leads: Annotated[
        bool, typer.Option("--leads", help="Also list who received these records: not evidence. Takes --purpose.")
    ] = False,
    purpose: Annotated[str | None, typer.Option(help="Why leads are asked for; it goes on record.")] = None,
    edited: Annotated[
        bool, typer.Option("--edited", help="Rows were taken out by hand after a score: the bound does not hold.")
    ] = False,
) -> int:
    """Find the copies that a leaked file came from.

    Every call is an examination of the leak and is logged as one: the threshold rises with their number. What a bundle
    opens reads as erased for the named from then on: write the report in the same call.

    Exit code 1 where a recipient is named, 0 where none is.
    """
    from muniment.cli.arguments import moment, pairs

    if leads != (purpose is not None):
        raise InputError("leads are asked for with a reason: expected both or none", hint="--leads --purpose TEXT")
    if report is not None:
        _ready(desk, report)
    office = desk.open(marks=True)
    with desk.working("tracing", file=file.name) as update:
        verdict = office.trace(
            file,
            register=register,
            mapping=pairs("--map", mapping),
            encoding=encoding,
            found=moment(found) if found is not None else None,
            alpha=alpha,
            leads_purpose=purpose,
            edited=edited,
            bundle=bundle,
            progress=update,
        )
    _print(desk, verdict, examples=not no_examples)  # before the report: a full disk must not cost the verdict
    if report is not None:
        _write_report(verdict, report, desk.lang, examples=not no_examples)
    for key, target in (("report_written", report), ("bundle_written", bundle)):
        if target is not None:
            desk.remark(key, file=target)
    return FINDING if verdict.named else 0


def _ready(desk: Desk, report: Path) -> None:
    """Refuse before the examination counts what would only be found out after it."""
    if not report.parent.is_dir():
        raise InputError(f"--report {report}: there is no folder {report.parent}", hint=f"mkdir -p {report.parent}")
    if report.exists():
        desk.confirm("overwrite", file=report)


def _write_report(verdict: Verdict, report: Path, lang: str, *, examples: bool) -> None:
    from muniment.durable import replace_file
    from muniment.trace.report import render

    replace_file(report, [render(verdict, lang, examples=examples).encode()])


def _print(desk: Desk, verdict: Verdict, *, examples: bool) -> None:
    from muniment.messages import text
    from muniment.trace.summary import answer, bound, summary

    brief = [answer(verdict, desk.lang), bound(verdict, desk.lang)]
    brief += [] if verdict.evidential else [text("answer.not_evidential", desk.lang)]
    brief += [text("summary.assumes", desk.lang)] if verdict.named else []
    desk.result(verdict.to_json(desk.lang, examples=examples), summary(verdict, desk.lang), brief=brief)


def recompute(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The sealed bundle of an examination.")],
    public_key: Annotated[
        str | None, typer.Option(metavar="HEX", help="The bundle must be signed by this Ed25519 key.")
    ] = None,
) -> None:
    """Check a sealed bundle: compute its numbers again.

    Every number of the named is computed without register, workspace or key, and compared with what is stated.

    Exit code 3 where something does not agree.
    """
    from muniment.cli.arguments import public_key as parsed
    from muniment.trace.recompute import recompute as computed
    from muniment.trace.summary import recomputed_summary

    found = computed(file, public_key=parsed(public_key) if public_key is not None else None)
    lines = recomputed_summary(found, desk.lang)
    desk.result(found.to_json(), lines, brief=lines.splitlines()[0])
