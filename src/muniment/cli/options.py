"""What every command takes, written once: `command` adds it to the options of the command itself.

An option of this list may stand before or behind the command's name: `muniment --json trace x.csv` and
`muniment trace x.csv --json` are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, get_type_hints

import typer

from muniment.cli.desk import Desk
from muniment.cli.faults import guarded

Action: TypeAlias = Callable[..., int | None]
"""A command: takes a `Desk` and its own options, returns the exit code (`None` for 0)."""
_PANEL: Final = "Every command"


@dataclass(frozen=True, slots=True)
class Options:
    """What every command takes."""

    workspace: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the workspace; the current folder by default.",
            envvar="MUNIMENT_WORKSPACE",
            rich_help_panel=_PANEL,
        ),
    ] = None
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the passphrase on its first line; else MUNIMENT_PASSPHRASE, or a prompt on a terminal.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    lang: Annotated[
        Literal["en", "zh-TW"] | None,
        typer.Option(help="Language of texts; that of the workspace by default.", rich_help_panel=_PANEL),
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.", rich_help_panel=_PANEL)
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", help="No remarks, no progress, no more than the answer.", rich_help_panel=_PANEL)
    ] = False
    yes: Annotated[
        bool, typer.Option("--yes", help="Answer yes where something final is asked.", rich_help_panel=_PANEL)
    ] = False
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show where a fault of the program happened; may show values of a file.",
            rich_help_panel=_PANEL,
        ),
    ] = False

    def over(self, other: Options | None) -> Options:
        """These options, and where one was not given the `other`'s (those before the command's name)."""
        if other is None:
            return self
        return Options(*(getattr(self, f.name) or getattr(other, f.name) for f in fields(self)))


_NAMES: Final = tuple(field.name for field in fields(Options))


def command(app: typer.Typer, name: str) -> Callable[[Action], Action]:
    """Add a function to `app` as the command `name`: its options, the common ones, a `Desk`, and an exit code."""

    def add(action: Action) -> Action:
        @wraps(action)
        def run(ctx: typer.Context, **values: Any) -> None:
            options = Options(*(values.pop(common) for common in _NAMES)).over(_before(ctx))
            code = guarded(lambda: action(Desk(options), **values) or 0, json=options.json, debug=options.debug)
            raise typer.Exit(code)

        hints = get_type_hints(action, include_extras=True)
        own = list(signature(action).parameters.values())[1:]
        _describe(run, [_keyword(p.name, hints[p.name], p.default) for p in own])
        app.command(name)(run)
        return action

    return add


def root(app: typer.Typer, version: Callable[[], str], text: str) -> None:
    """Let the common options stand before the command's name as well, and `--version`."""

    def before(ctx: typer.Context, **values: Any) -> None:
        values.pop("version")
        ctx.obj = Options(**values)

    def show(wanted: bool) -> None:
        if wanted:
            typer.echo(version())
            raise typer.Exit

    before.__doc__ = text
    shown = Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=show)]
    _describe(before, [_keyword("version", shown, False)])
    app.callback()(before)


def _before(ctx: typer.Context) -> Options | None:
    return ctx.obj if isinstance(ctx.obj, Options) else None


def _describe(function: Callable[..., None], own: list[Parameter]) -> None:
    """Give a function the signature that typer reads: the context, its own options, the common ones."""
    hints = get_type_hints(Options, include_extras=True)
    common = [_keyword(field.name, hints[field.name], field.default) for field in fields(Options)]
    parameters = [_keyword("ctx", typer.Context, Parameter.empty), *own, *common]
    function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def _keyword(name: str, annotation: Any, default: object) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
