"""`muniment keys`: list the keys, add a new mark key, change the passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command

NEW_PASSPHRASE: Final = "MUNIMENT_NEW_PASSPHRASE"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    noun = typer.Typer(help="Keys: list, rotate, change the passphrase, share the ring.", rich_markup_mode=None)
    app.add_typer(noun, name="keys")
    command(noun, "list")(list_keys)
    command(noun, "rotate")(rotate)
    command(noun, "passphrase")(passphrase)
    command(noun, "export-without-signing")(export_without_signing)


def list_keys(desk: Desk) -> None:
    """List the keys with their commitments, never their secrets.

    Under a signing key stands its public key, by which others check the bundles of this workspace.
    """
    from muniment.cli.aligned import aligned

    keys = desk.open().keys()
    head = [desk.text(f"head_{name}") for name in ("id", "commitment", "logged")]
    lines = aligned(head, [(key.id, key.commitment, key.logged_at or desk.text("not_logged")) for key in keys])
    lines += [desk.text("public_key", id=key.id, key=key.public_key) for key in keys if key.public_key]
    desk.result({"keys": [key.to_json() for key in keys]}, lines, brief=lines)


def rotate(
    desk: Desk,
    purpose: Annotated[str, typer.Argument(metavar="PURPOSE", help="Which key: mark.")],
) -> None:
    """Add a new key.

    New copies are marked under it; old copies stay traceable under the old one.
    """
    office = desk.open(marks=True)
    desk.confirm("rotate", purpose=purpose)
    key = office.rotate(purpose)
    desk.result(key.to_json(), desk.text("rotated", key=key.id, commitment=key.commitment))


def passphrase(desk: Desk) -> None:
    """Put another passphrase on the key ring.

    It comes from MUNIMENT_NEW_PASSPHRASE, or is typed twice. Whoever has an old copy of the ring and its old passphrase
    still opens that copy.
    """
    office = desk.open()
    office.change_passphrase(desk.new_passphrase(NEW_PASSPHRASE))
    desk.result({"changed": True}, desk.text("passphrase_changed"))


def export_without_signing(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File of the new ring; it must not be there yet.")],
) -> None:
    """Write the key ring without its signing key.

    It is for someone who releases and traces but never signs. The file opens with the same passphrase. Put it at
    keys/ring.json of their copy of the workspace.
    """
    office = desk.open()
    office.export_without_signing(file)
    desk.result({"file": str(file)}, desk.text("ring_written", file=file))
