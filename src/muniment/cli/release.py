"""`muniment release` and `muniment copies`: hand out marked copies, and list those on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from muniment.cli.desk import Desk, Update
from muniment.cli.options import command
from muniment.errors import InputError

if TYPE_CHECKING:
    from muniment.workspace.results import ReleaseResult


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "release")(release)
    command(app, "copies")(copies)


def release(
    desk: Desk,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the register.")],
    purpose: Annotated[str, typer.Option(help="Why the copy is handed out; it goes on record.")],
    to: Annotated[str | None, typer.Option(help="Recipient of one copy.")] = None,
    out: Annotated[Path | None, typer.Option(help="File of that copy: .csv, .parquet or .xlsx.")] = None,
    to_file: Annotated[
        Path | None, typer.Option(help="CSV of recipients, one a line: recipient, or recipient,file below a header.")
    ] = None,
    out_dir: Annotated[Path | None, typer.Option(help="Folder of these copies; made where there is none.")] = None,
    form: Annotated[Literal["csv", "parquet", "xlsx"], typer.Option("--format", help="Form of these copies.")] = "csv",
    where: Annotated[str | None, typer.Option(metavar="SQL", help="Only records that fit this SQL condition.")] = None,
    columns: Annotated[str | None, typer.Option(metavar="A,B", help="Only these columns.")] = None,
    basis: Annotated[str, typer.Option(help="Legal basis; it goes on record.")] = "",
    case: Annotated[str, typer.Option(help="Case or ticket; it goes on record.")] = "",
) -> None:
    """Hand out marked copies.

    One with --to and --out, or one to each recipient of a file with --to-file and --out-dir. Every copy is on record
    before its file appears under its name. A file that is there already stays.
    """
    from muniment.cli.arguments import columns as named

    _either(to, out, to_file, out_dir)
    office = desk.open(marks=True)
    targets: dict[str, Path] = {to: out} if to is not None and out is not None else {}
    if to_file is not None and out_dir is not None:
        from muniment.workspace.recipients import read_recipients

        targets = read_recipients(to_file, out_dir, form)
    chosen = named(columns) if columns is not None else None
    with desk.working("releasing", count=len(targets)) as update:
        found = office.release_many(
            name,
            to=targets,
            purpose=purpose,
            where=where,
            columns=chosen,
            basis=basis,
            case=case,
            progress=_rows(update),
        )
    if to_file is None:
        desk.result(found[0].to_json(), _one(desk, found[0]))
    else:
        desk.result({"copies": [one.to_json() for one in found]}, _many(desk, found))
    for one in found:
        if one.warning:
            desk.remark("copy_warning", copy=one.copy, warning=one.warning)


def _either(to: str | None, out: Path | None, to_file: Path | None, out_dir: Path | None) -> None:
    given = tuple(value is not None for value in (to, out, to_file, out_dir))
    if given not in ((True, True, False, False), (False, False, True, True)):
        raise InputError(
            "expected --to with --out, or --to-file with --out-dir",
            hint="muniment release NAME --to RECIPIENT --purpose TEXT --out copy.csv",
        )


def _rows(update: Update) -> Callable[[int], None]:
    """The progress of `release_many`, which counts rows a batch, as a running count."""
    done = 0

    def add(rows: int) -> None:
        nonlocal done
        done += rows
        update(f"{done:,}")

    return add


def _one(desk: Desk, result: ReleaseResult) -> list[str]:
    """The lines about one copy: what was written, what it did to the data, what it takes to trace it."""
    lines = [
        desk.text("copy", copy=result.copy, recipient=result.recipient, file=result.path),
        "  " + desk.text("copy_counts", rows=result.rows, symbols=result.symbols),
    ]
    lines += [f"  {line}" for line in _effects(desk, result)]
    lines.append(f"  {_needed(desk, result)}")
    return [*lines, f"  SHA-256  {result.file_digest}"]


def _effects(desk: Desk, result: ReleaseResult) -> list[str]:
    lines = [
        desk.text("distortion", column=one.column, changed=one.changed, cells=one.cells) for one in result.distortion
    ]
    if result.rows_left_out or result.decoys:
        lines.append(desk.text("rows_marked", left_out=result.rows_left_out, decoys=result.decoys))
    return [*lines, desk.text("meaning", count=result.meaning_changed)]


def _needed(desk: Desk, result: ReleaseResult) -> str:
    if not result.symbols:
        return desk.text("unmarked")
    if not result.rows_to_trace:
        key = "too_few" if result.symbols_to_trace else "never_enough"
        return desk.text(key, symbols=result.symbols_to_trace)
    return desk.text("enough", rows=result.rows_to_trace, symbols=result.symbols_to_trace)


def _many(desk: Desk, results: Sequence[ReleaseResult]) -> list[str]:
    from muniment.cli.aligned import aligned

    head = [desk.text(f"head_{name}") for name in ("copy", "recipient", "rows", "symbols", "file")]
    rows = [(one.copy, one.recipient, one.rows, one.symbols, str(one.path)) for one in results]
    last = results[-1]
    changed = sum(one.meaning_changed for one in results)
    return [*aligned(head, rows), desk.text("meaning", count=changed), _needed(desk, last)]


def copies(
    desk: Desk,
    register: Annotated[str | None, typer.Option(help="Only copies of this register.")] = None,
) -> None:
    """List the copies on record, oldest first."""
    from muniment.cli.aligned import aligned
    from muniment.workspace.results import copy_json

    office = desk.open()
    found = office.copies(register)
    names = ("copy", "recipient", "register", "time", "rows", "symbols", "purpose")
    head = [desk.text(f"head_{name}") for name in names]
    rows = [
        (one.number, one.recipient.name, one.register, f"{one.time:%Y-%m-%d %H:%M}", one.rows, one.symbols, one.purpose)
        for one in found
    ]
    lines = aligned(head, rows) if rows else [desk.text("no_copies")]
    desk.result({"copies": [copy_json(one) for one in found]}, lines, brief=lines)
