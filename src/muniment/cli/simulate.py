"""`muniment simulate`: invented offices and their reads as files, for trying watch out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command

_BEGINS: Final = 0.4
"""Part of the days after which attacks begin: a watch has learned by then."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "simulate")(simulate)


def simulate(
    desk: Desk,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="A new or empty folder for the files.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other offices.")] = 1,
    accounts: Annotated[int, typer.Option(min=8, help="How many accounts.")] = 60,
    days: Annotated[int, typer.Option(min=14, help="How many calendar days.")] = 260,
    explained: Annotated[float, typer.Option(help="Share of reads that the context explains, 0.5 to 0.95.")] = 0.94,
    attack: Annotated[list[str] | None, typer.Option(metavar="NAME", help="An attack; may be given often.")] = None,
) -> None:
    """Write invented offices that read a register: context tables, reads, and the truth about attacks.

    Everything is invented, and the same seed gives the same files.
    """
    from muniment.simulate.export import write
    from muniment.simulate.inject import inject_many
    from muniment.simulate.settings import WorldSettings
    from muniment.simulate.staging import staged
    from muniment.simulate.world import simulate as run

    world = run(WorldSettings(seed=seed, accounts=accounts, days=days, explained=explained))
    day = world.first_day + int(_BEGINS * days)
    plan = staged(world, attack or (), day, seed) if attack else ()
    written = write(inject_many(world, plan, seed), out)
    value = {"folder": str(out), "seed": seed, "files": written}
    desk.result(value, [f"{name}: {rows:,}" for name, rows in written.items()], brief=str(out))
