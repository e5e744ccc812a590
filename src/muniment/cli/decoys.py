"""`muniment decoys`: draw fictitious records, and list their keys for those who must leave them out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command

Into = Annotated[
    str, typer.Option(metavar="LOCATION", help="The live table: postgresql://USER@HOST/DATABASE/[SCHEMA.]TABLE.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the register.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    noun = typer.Typer(help="Decoys: fictitious records that only the keeper knows.", rich_markup_mode=None)
    app.add_typer(noun, name="decoys")
    command(noun, "plan")(plan)
    command(noun, "exclusion")(exclusion)
    command(noun, "plant")(plant)
    command(noun, "unplant")(unplant)


def plan(
    desk: Desk,
    name: Name,
    count: Annotated[int, typer.Option(help="How many decoys.")],
    reserve: Annotated[Path, typer.Option(help="File of record numbers that will never be given out, one a line.")],
    expires: Annotated[str, typer.Option(metavar="DATE", help="Last day on which a copy may hold them.")],
    owner: Annotated[str, typer.Option(help="Who answers for the register and agreed.")],
    consent: Annotated[str, typer.Option(help="What was agreed to, in writing.")],
    share: Annotated[float, typer.Option(metavar="Q", help="Chance that a copy holds a given decoy.")] = 0.05,
) -> None:
    """Draw fictitious records from a register's own distributions.

    They are kept sealed and not shown. They enter copies once `structural = ["decoy"]` stands in muniment.toml.
    """
    from muniment.cli.arguments import day
    from muniment.workspace.recipients import read_reserve

    office = desk.open(marks=True)
    with desk.working("drawing", count=count):
        made = office.plan_decoys(
            name,
            count=count,
            reserved=read_reserve(reserve),
            expires=day("--expires", expires),
            owner=owner,
            consent=consent,
            share=share,
        )
    value = {
        "register": made.register,
        "decoys": made.decoys.rows,
        "share": made.share,
        "expires": made.expires.isoformat(),
        "owner": made.consent.owner,
    }
    desk.result(value, desk.text("decoys_drawn", count=made.decoys.rows, name=name, expires=made.expires))
    desk.remark("decoys_next", name=name)


def exclusion(desk: Desk, name: Name) -> None:
    """Print the keys of all decoys as CSV.

    For statistics, service and billing to leave out. Keep it secret: it tells decoys from records.
    """
    import csv
    import io

    office = desk.open()
    keys = office.decoy_exclusion(name)
    columns = next(one.key for one in office.registers() if one.name == name)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *keys])
    value = {"register": name, "key": list(columns), "exclusion": [list(key) for key in keys]}
    lines = out.getvalue().splitlines()
    desk.result(value, lines, brief=lines)


def plant(desk: Desk, name: Name, into: Into) -> None:
    """Write the decoys of a plan into the live table.

    One transaction: the rows, a list of their keys that the table's owner alone may read, and a view
    `TABLE_without_decoys` for statistics, service and billing. Whoever names a decoy, or counts through to one, is an
    alarm of the gate. The plan holds the owner's consent and the day on which it ends.
    """
    office = desk.open()
    desk.confirm("plant_sure", name=name)
    with desk.working("planting"):
        made = office.plant_decoys(name, into)
    desk.result(made.to_json(), desk.text("planted", count=made.decoys, table=made.table, view=made.view))
    if made.left:
        desk.remark("plant_left", count=made.left)
    desk.remark("plant_next", name=name, view=made.view, expires=made.expires)


def unplant(desk: Desk, name: Name, into: Into) -> None:
    """Take every decoy out of the live table again, and its exclusion view away.

    A row that was changed since it was planted stays: somebody may have been given its number.
    """
    office = desk.open()
    desk.confirm("unplant_sure", name=name)
    with desk.working("planting"):
        made = office.unplant_decoys(name, into)
    desk.result(made.to_json(), desk.text("unplanted", count=made.decoys, table=made.table))
    if made.left:
        desk.remark("unplant_left", count=made.left)
