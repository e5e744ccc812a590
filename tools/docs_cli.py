"""Write docs/cli.md from the command line itself, so that the reference never says what the program does not do.

Run as `python tools/docs_cli.py` to write the page, `--check` to exit 1 where the page is not what would be written.
The page is made by walking the commands of `muniment.cli.main:app` (names, help, arguments, options); nothing is run.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

APP: Final = "muniment.cli.main:app"
PROGRAM: Final = "muniment"
HEAD: Final = """# The command line

Made by `make docs` from the program's own help; do not edit. Every command also takes `--help`.
"""


def load_command(app: str) -> Any:
    """The command object of a typer app named as `module:attribute`. Its type is the one typer brings along."""
    import typer.main

    module, _, attribute = app.partition(":")
    return typer.main.get_command(getattr(importlib.import_module(module), attribute))


def page(command: Any, name: str) -> str:
    """The whole reference page for a command and everything below it."""
    blocks = [HEAD.rstrip(), *(section(item, path) for path, item in walk(command, name))]
    return "\n\n".join(blocks) + "\n"


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The command and all commands below it that are not hidden, in the order of `--help`, with their full names."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from walk(child, f"{path} {name}")


def section(command: Any, path: str) -> str:
    """Heading, usage, help text and a table of what one command takes."""
    shown = [param for param in command.params if not getattr(param, "hidden", False) and param.name != "help"]
    arguments = [param for param in shown if param.param_type_name == "argument"]
    options = [param for param in shown if param.param_type_name == "option"]
    children = [item for item in getattr(command, "commands", {}).items() if not item[1].hidden]
    parts = [
        f"## {path}",
        f"    {usage(path, arguments, options, bool(children))}",
        inspect.cleandoc(command.help or ""),
        table(("Command", "What it does"), [(f"`{name}`", summary(child.help)) for name, child in children]),
        table(("Argument", "Meaning"), [(f"`{metavar(item)}`", meaning(item)) for item in arguments]),
        table(("Option", "Meaning"), [(f"`{flags(item)}`", meaning(item)) for item in options]),
    ]
    return "\n\n".join(part for part in parts if part)


def usage(path: str, arguments: Sequence[Any], options: Sequence[Any], group: bool) -> str:
    """One line: required options by name, the optional ones as `[options]`."""
    words = [path, *(f"{item.opts[0]} {metavar(item)}" for item in options if item.required)]
    if any(not item.required for item in options):
        words.append("[options]")
    words += [metavar(item) if item.required else f"[{metavar(item)}]" for item in arguments]
    return " ".join(words + (["COMMAND"] if group else []))


def metavar(param: Any) -> str:
    """The word that stands for a value, in capitals."""
    name = str(param.metavar or param.name or "value").upper().replace("_", "-")
    return name + ("..." if param.nargs == -1 else "")


def flags(param: Any) -> str:
    """All spellings of an option, with the word for its value where it takes one."""
    spellings = ", ".join([*param.opts, *param.secondary_opts])
    return spellings if getattr(param, "is_flag", False) else f"{spellings} {metavar(param)}"


def meaning(param: Any) -> str:
    """Help text, and default, environment variable and `required` behind it."""
    notes = []
    if param.required:
        notes.append("required")
    elif isinstance(param.default, str | int | float) and param.default not in (False, ""):
        notes.append(f"default: `{getattr(param.default, 'value', param.default)}`")
    if isinstance(param.envvar, str) and param.envvar:
        notes.append(f"or `{param.envvar}` in the environment")
    text = summary(param.help)
    return f"{text} ({'; '.join(notes)})" if notes else text


def summary(text: str | None) -> str:
    """The first paragraph on one line, safe within a Markdown table."""
    first = inspect.cleandoc(text or "").split("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


def table(head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    """A Markdown table of two columns; nothing where it would have no rows."""
    if not rows:
        return ""
    lines = [f"| {head[0]} | {head[1]} |", "| --- | --- |", *(f"| {left} | {right} |" for left, right in rows)]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` compare it and print the difference; 1 where it is out of date."""
    target = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
    wanted = page(load_command(APP), PROGRAM)
    if "--check" not in arguments:
        target.write_text(wanted, encoding="utf-8")
        print(f"wrote docs/cli.md: {len(wanted.splitlines())} lines")
        return 0
    present = target.read_text(encoding="utf-8") if target.exists() else ""
    names = ("docs/cli.md", "the program")
    difference = list(difflib.unified_diff(present.splitlines(), wanted.splitlines(), *names, n=1))
    if difference:
        print("\n".join(difference[:40]) + "\ndocs/cli.md is out of date: type `make docs`")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
