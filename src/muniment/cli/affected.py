"""`muniment affected`, `muniment notice-key`: how many persons are in a leak, and a list for those who notify them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command

if TYPE_CHECKING:
    from muniment.workspace.affecting import AffectedResult

NOTICE_PASSPHRASE: Final = "MUNIMENT_NOTICE_PASSPHRASE"
ENVELOPE_BYTES: Final = 2**31 - 1
"""Bytes of an envelope: the most that AES-GCM of `cryptography` takes in one call."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "affected")(affected)
    noun = typer.Typer(help="The notice key: it opens lists of affected persons.", rich_markup_mode=None)
    app.add_typer(noun, name="notice-key")
    command(noun, "new")(new)
    command(noun, "open")(open_list)


def affected(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="LEAK", help="The file that was found, of any usual form.")],
    incident: Annotated[str, typer.Option(metavar="ID", help="The incident it belongs to; it goes on record.")],
    register: Annotated[str | None, typer.Option(metavar="NAME", help="Only this register; all by default.")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="LEAK=COLUMN", help="Column of the file and the register's column it is."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file; told from it by default.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="New file for the list, sealed to the notice key.")
    ] = None,
    second_person: Annotated[
        bool, typer.Option("--second-person", help="Both custodians are here: needed for fewer than 20 persons.")
    ] = False,
) -> None:
    """Count the persons in a leaked file.

    Whoever runs this sees the count. The list of them (--out) is sealed: only the holder of the notice key opens it.
    Asking is itself on record.
    """
    from muniment.cli.arguments import pairs

    office = desk.open(marks=second_person)
    with desk.working("aligning", file=file.name) as update:
        result = office.affected(
            file,
            incident=incident,
            register=register,
            mapping=pairs("--map", mapping),
            encoding=encoding,
            out=out,
            progress=update,
        )
    desk.result(result.to_json(), _counted(desk, file, result), brief=_persons(desk, file, result))
    if out is not None:
        desk.remark("affected_open", file=out)


def _counted(desk: Desk, file: Path, result: AffectedResult) -> list[str]:
    lines = _persons(desk, file, result)
    lines.append("  " + desk.text("affected_rows", rows=result.rows, aligned=result.rows_aligned))
    return lines if result.file is None else [*lines, "  " + desk.text("affected_sealed", file=result.file)]


def _persons(desk: Desk, file: Path, result: AffectedResult) -> list[str]:
    counts = result.persons.items()
    return [desk.text("affected", file=file.name, register=register, count=count) for register, count in counts]


def new(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File of the new private key.")],
) -> None:
    """Make a notice key: the private half goes into a file, the public half into muniment.toml.

    It takes no workspace. The passphrase comes from --passphrase-file, MUNIMENT_NOTICE_PASSPHRASE or a prompt. Keep the
    file away from the workspace: who holds both reads every list.
    """
    from muniment.durable import check_target
    from muniment.notice.envelope import new_notice_key

    check_target(file, "FILE")  # before a passphrase is asked for in vain
    passphrase = desk.new_passphrase(NOTICE_PASSPHRASE, desk.options.passphrase_file, ask="new_notice_passphrase")
    public = new_notice_key(file, passphrase, os.urandom).hex()
    desk.result({"file": str(file), "public_key": public}, desk.text("notice_key", file=file, key=public), brief=public)
    desk.remark("notice_key_next", key=public)


def open_list(
    desk: Desk,
    envelope: Annotated[Path, typer.Argument(metavar="LIST", help="A list that `muniment affected --out` wrote.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="File of the private notice key.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The new CSV, not encrypted.")],
) -> None:
    """Open a list of affected persons with the notice key.

    It takes no workspace. The passphrase comes from --passphrase-file, MUNIMENT_NOTICE_PASSPHRASE or a prompt.
    """
    from muniment.durable import check_target, read_file, replace_file
    from muniment.errors import InputError
    from muniment.notice.envelope import open_envelope, open_notice_key

    check_target(out, "--out")
    data = read_file(envelope, ENVELOPE_BYTES)
    if data is None:
        raise InputError(f"{envelope}: there is no such file; expected a list that `muniment affected --out` wrote")
    opened = open_notice_key(key, desk.other_passphrase(NOTICE_PASSPHRASE, ask="notice_passphrase"))
    replace_file(out, [open_envelope(data, opened, what=str(envelope))])
    desk.result({"file": str(out)}, desk.text("list_opened", file=out))
