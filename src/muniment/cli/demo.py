"""`muniment demo`: an invented register, two hundred copies, three found files and their verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "demo")(demo)


def demo(
    desk: Desk,
    small: Annotated[bool, typer.Option("--small", help="A smaller register, for a quick look.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed gives other persons.")] = 1,
    folder: Annotated[Path | None, typer.Option(help="Folder to keep what the demo makes.")] = None,
) -> int:
    """Walk through everything with invented persons.

    A register, its copies, three found files with their verdicts, and a report.
    """
    from muniment.demo.story import run

    lines: list[str] = []

    def echo(line: str) -> None:
        lines.append(line)
        if not desk.options.json and not desk.quiet:
            desk.line(line)

    code: int = run(folder, small=small, seed=seed, lang=desk.lang, echo=echo)
    if desk.options.json:
        desk.result({"exit_code": code, "small": small, "seed": seed, "lines": lines}, ())
    return code
