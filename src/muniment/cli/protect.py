"""`muniment protect`: a safer table in place of an extract, by a plan that is kept, or as counts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from muniment.cli.desk import Desk
from muniment.cli.exposure import (
    Case,
    Columns,
    Hierarchies,
    Purpose,
    Quasi,
    Sensitive,
    To,
    What,
    Where,
    files,
    question,
)
from muniment.cli.options import command

FINDING: Final = 1
"""Exit code where the safer table is still not to be released, or a kept plan no longer fits."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "protect")(protect)


def protect(
    desk: Desk,
    what: What,
    purpose: Purpose,
    out: Annotated[Path, typer.Option(help="File of the safer table: .csv, .parquet or .xlsx; a new one.")],
    to: To = None,
    quasi: Quasi = None,
    sensitive: Sensitive = None,
    columns: Columns = None,
    where: Where = None,
    k: Annotated[
        int | None, typer.Option("--k", min=2, help="Persons who must look alike; as in muniment.toml by default.")
    ] = None,
    limit: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of rows that may be left out.")] = 0.02,
    by_rows: Annotated[bool, typer.Option("--by-rows", help="Coarsen each row only as far as it needs.")] = False,
    hierarchy: Hierarchies = None,
    keep_plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the plan here (JSON).")] = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Apply a plan that was kept.")] = None,
    counts: Annotated[
        str | None, typer.Option(metavar="A,B", help="Write noisy counts by these columns in place of rows.")
    ] = None,
    epsilon: Annotated[
        str, typer.Option(metavar="LOSS", help="Make the counts differentially private; needs muniment[privacy].")
    ] = "",
    values: Annotated[
        list[str] | None,
        typer.Option("--values", metavar="COLUMN=FILE", help="Values of a column, one a line, for private counts."),
    ] = None,
    case: Case = "",
) -> int:
    """Write a safer table: coarser columns for all rows, or by rows, or counts.

    The columns that others may know are coarsened as little as leaves everybody at least k who look alike. A plan that
    is kept can be applied to the next extract, and says where it no longer fits. The run is on record as a disclosure
    to whoever runs it; handing the table on is a release of its own. Needs muniment[exposure].

    Exit code 1 where the table is still not to be released, or a kept plan no longer fits.
    """
    from muniment.cli.arguments import columns as named
    from muniment.exposure.report.summary import protected_summary
    from muniment.workspace.measuring import read_rules, read_values
    from muniment.workspace.protecting import Wish

    wish = Wish(
        out=out,
        k=k,
        limit=limit,
        by_rows=by_rows,
        keep=keep_plan,
        plan=plan,
        counts=named(counts) if counts is not None else (),
        epsilon=epsilon,
        domain=read_values(files("--values", values)),
        rules=read_rules(files("--hierarchy", hierarchy)),
    )
    asked = question(what, purpose, (to,), quasi, sensitive, columns, where, case)
    office = desk.open()
    with desk.working("protecting", what=what) as update:
        done = office.exposure.protect(asked, wish, update)
    lines = protected_summary(done, desk.lang)
    desk.result(done.to_json(), lines, brief=str(out))
    for key, target in (("table_written", out), ("plan_written", keep_plan)):
        if target is not None:
            desk.remark(key, file=target)
    return FINDING if done.drift or done.decision.verdict != "release" else 0
