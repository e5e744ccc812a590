"""`muniment init`: make a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.errors import InputError


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "init")(init)


def init(
    desk: Desk,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new workspace.")],
    name: Annotated[str | None, typer.Option(help="Name of the workspace; that of the folder by default.")] = None,
    custodians: Annotated[int, typer.Option(help="2: the mark key opens only with two more passphrases.")] = 0,
    second: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder on another disk for checkpoints: a restored backup is then refused."),
    ] = None,
) -> None:
    """Make a workspace: settings, key ring and journal.

    The passphrase comes from --passphrase-file, MUNIMENT_PASSPHRASE or a prompt; those of two custodians from
    MUNIMENT_CUSTODIAN_1 and MUNIMENT_CUSTODIAN_2 or prompts. A lost passphrase cannot be recovered.
    """
    from muniment.passphrase import ENVIRONMENT
    from muniment.workspace import office

    if custodians not in (0, 2):
        raise InputError(f"--custodians {custodians}: expected 2")
    office.check_free(folder)  # before a passphrase is asked for in vain
    passphrase = desk.new_passphrase(ENVIRONMENT, desk.options.passphrase_file)
    both = desk.new_custodians() if custodians else None
    made = office.init(folder, passphrase, name=name, lang=desk.lang, custodians=both, second=second)
    keys = made.keys()
    value = {
        "workspace": str(made.folder),
        "lang": made.lang,
        "custodians": custodians,
        "second": None if second is None else str(second.resolve()),
        "keys": [key.to_json() for key in keys],
    }
    desk.result(value, [desk.text("made", folder=made.folder), *(f"  {key.id}  {key.commitment}" for key in keys)])
    desk.remark("made_next", folder=made.folder)
