"""`muniment config`: what the keys of muniment.toml mean."""

from __future__ import annotations

from typing import Annotated

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    noun = typer.Typer(help="Settings: what the keys of muniment.toml mean.", rich_markup_mode=None)
    app.add_typer(noun, name="config")
    command(noun, "explain")(explain)


def explain(
    desk: Desk,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Such as registers.NAME.key; all by default.")
    ] = None,
) -> None:
    """Say what a key of muniment.toml means, what it takes and what it defaults to."""
    from muniment.config import SETTINGS
    from muniment.config import explain as explained

    keys = [key] if key is not None else [setting.key for setting in SETTINGS]
    texts = [explained(one, desk.lang) for one in keys]
    value = {"keys": [{"key": one, "text": said} for one, said in zip(keys, texts, strict=True)]}
    desk.result(value, "\n\n".join(texts), brief="\n\n".join(texts))
