"""`muniment register`: add registers, see which marks they could carry, check their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command

if TYPE_CHECKING:
    from muniment.marks.suggest import Suggestion
    from muniment.workspace.results import RegisterResult

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the register.")]
Accept = Annotated[
    Literal["equivalent"] | None,
    typer.Option(help="Allow every suggested carrier that keeps the meaning of a cell, and no other."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    noun = typer.Typer(help="Registers: add, list, suggest marks, check.", rich_markup_mode=None)
    app.add_typer(noun, name="register")
    command(noun, "add")(add)
    command(noun, "suggest")(suggest)
    command(noun, "check")(check)
    command(noun, "list")(list_registers)


def add(
    desk: Desk,
    name: Name,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="CSV, TSV, Parquet, DuckDB or SQLite file (FILE::TABLE), or postgresql://HOST/DATABASE/TABLE.",
        ),
    ],
    key: Annotated[str, typer.Option(metavar="COL[,COL]", help="Columns that identify a record.")],
    coalition: Annotated[int, typer.Option(help="How many recipients may pool their copies: 1 or 10.")] = 10,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file; told from it by default.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(metavar="COL=KIND", help="Kind of a column, where the guess is wrong.")
    ] = None,
    accept: Accept = None,
) -> None:
    """Add a register from a file or a PostgreSQL table.

    The source is read, never written. Without --accept no mark is allowed yet: see `muniment register suggest`.
    """
    from muniment.cli.arguments import columns, pairs

    office = desk.open()
    with desk.working("reading", what=name):
        result = office.register(
            name,
            source,
            key=columns(key),
            coalition=coalition,
            accept=accept or "nothing",
            encoding=encoding,
            kinds=pairs("--kind", kind),
        )
    desk.result(result.to_json(), _register(desk, result, "added"))
    desk.remark("added_next" if accept else "added_suggest", name=name)


def suggest(desk: Desk, name: Name, accept: Accept = None) -> None:
    """Show which marks each column could bear, with examples.

    Nothing is allowed without --accept.
    """
    office = desk.open()
    with desk.working("reading", what=name):
        found = office.suggest(name)
        accepted = office.accept_equivalent(name) if accept else None
    value: dict[str, object] = {"register": name, "suggestions": [one.to_json() for one in found]}
    if accepted is not None:
        value["accepted"] = {column: list(names) for column, names in accepted.carriers.items()}
    desk.result(value, [*_suggestions(desk, found), *(_register(desk, accepted, "allowed") if accepted else ())])
    if accepted is None:
        desk.remark("suggest_next", name=name)


def check(desk: Desk, name: Name) -> None:
    """Read a register again and check its key.

    Rows without a key, and rows that share one, are named by their numbers.
    """
    office = desk.open()
    with desk.working("reading", what=name):
        result = office.check(name)
    desk.result(result.to_json(), _register(desk, result, "checked"))


def list_registers(desk: Desk) -> None:
    """List the registers with their keys, sources and numbers of copies."""
    from muniment.cli.aligned import aligned

    found = desk.open().registers()
    rows = [(one.name, ", ".join(one.key), one.coalition, one.copies, one.source) for one in found]
    head = [desk.text(f"head_{name}") for name in ("register", "key", "coalition", "copies", "source")]
    lines = aligned(head, rows) if rows else [desk.text("no_registers")]
    desk.result({"registers": [one.to_json() for one in found]}, lines, brief=[one.name for one in found])


def _register(desk: Desk, result: RegisterResult, key: str) -> list[str]:
    """The lines about a register: its counts, its columns, and what is allowed on them."""
    from muniment.cli.aligned import aligned

    register = result.register
    rows = [
        (column.name, column.kind.value, ", ".join(result.carriers.get(column.name, ())))
        for column in register.columns
    ]
    head = [desk.text(f"head_{name}") for name in ("column", "kind", "carriers")]
    first = desk.text(key, name=register.name, rows=result.rows, key=", ".join(register.key))
    return [first, *(f"  {line}" for line in aligned(head, rows))]


def _suggestions(desk: Desk, found: Sequence[Suggestion]) -> Iterator[str]:
    """The lines of `suggest`: each column once, its carriers below it, then cells before and after."""
    shown = ""
    for one in found:
        if one.column != shown:
            yield f"{desk.text('column', column=one.column, kind=one.kind.value)}"
            shown = one.column
        if one.carrier is None:
            yield "  " + desk.text("never", reason=_reason(desk, one))
            continue
        harm = one.harm.value if one.harm else ""
        yield "  " + desk.text("carrier", carrier=one.carrier, harm=harm, symbols=one.symbols)
        yield "    " + desk.text("groups", before=one.groups_before, after=one.groups_after)
        if one.tolerance is not None:
            yield "    " + desk.text("tolerance", tolerance=one.tolerance)
        yield "    " + (desk.text("taken") if one.accepted else desk.text("not_taken", reason=_reason(desk, one)))
        yield from (
            "    " + desk.text("example", before=e.before, zero=e.zero, one=e.one) for e in one.examples
        )


def _reason(desk: Desk, suggestion: Suggestion) -> str:
    """Why a column or carrier is not taken, in the language of the desk."""
    from muniment.marks.suggest import LEAST_SLOTS

    return desk.text(f"reason_{suggestion.reason_code}", least=f"{LEAST_SLOTS:.0%}")
