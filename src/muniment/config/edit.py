"""Writing muniment.toml: a new file, a new register's block, another list of carriers.

Rules
1. The file is the owner's: everything that is not asked for stays as it was, comments, order and line ends included.
2. Every edit is checked before it is written: the new text is read again, and must differ from the old one in what was
   asked for and in nothing else. Where the file is laid out in a way that this editor does not follow (inline tables,
   dotted keys), it says what to write by hand.
3. The file is replaced as a whole, under a lock, with the mode it had.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from muniment.config.read import Config, RegisterSettings, load, parse
from muniment.config.settings import BY_TABLE, REQUIRED, Setting, toml_key, toml_value
from muniment.durable import locked, replace_file, storage_faults
from muniment.errors import InputError

_HEAD = """\
# muniment.toml - what is declared about the registers of this workspace. It holds no secret.
# `muniment config explain KEY` says more about a key. 本檔說明各登記簿的設定,不含任何秘密。
"""


def render_config(name: str, *, lang: str = "en", alpha: float = 1e-6, second: str | None = None) -> str:
    """The text of a new muniment.toml: every key explained, in English and zh-TW.

    The keys of registers and columns stand below as comments; `append_register` adds the real ones.
    """
    given = {"name": name, "lang": lang, "alpha": alpha}
    lines = [_HEAD, "[workspace]"]
    for setting in BY_TABLE["workspace"].values():
        lines += [*_comment(setting), f"{setting.name} = {toml_value(given[setting.name])}"]
    lines += ["", "[ledger]"]
    for setting in BY_TABLE["ledger"].values():
        lines += [*_comment(setting), _line(setting, second if setting.name == "second" else setting.default)]
    lines += ["", "[exposure]"]
    for setting in BY_TABLE["exposure"].values():
        lines += [*_comment(setting), _line(setting, setting.default)]
    lines += ["", "# `muniment register add NAME SOURCE --key COLUMN` adds a register below. Its keys:", "#"]
    for table in ("registers.NAME", "registers.NAME.columns.COL"):
        lines.append(f"# [{table}]")
        for setting in BY_TABLE[table].values():
            lines += [f"#   {line.removeprefix('# ')}" for line in _comment(setting)]
            lines.append(f"#   {setting.name} = {_example(setting)}")
        lines.append("#")
    return "\n".join(lines) + "\n"


def render_register(register: RegisterSettings) -> str:
    """The block of one register. Optional keys stand as comments where they are not set."""
    place = f"registers.{toml_key(register.name)}"
    lines = [f"[{place}]"]
    for setting in BY_TABLE["registers.NAME"].values():
        lines.append(_line(setting, getattr(register, setting.name)))
    for column in register.columns:
        lines += ["", f"[{place}.columns.{toml_key(column.name)}]"]
        for setting in BY_TABLE["registers.NAME.columns.COL"].values():
            if setting.name != "tolerance" or column.tolerance is not None:
                lines.append(_line(setting, getattr(column, setting.name)))
    return "\n".join(lines) + "\n"


def append_register(path: Path, register: RegisterSettings) -> None:
    """Add a register's block at the end of the file.

    Raises `InputError` where there is one of that name, or where the block would not be read back as `register`.
    """

    def edit(text: str, config: Config) -> tuple[str, Config]:
        if any(known.name == register.name for known in config.registers):
            raise InputError(
                f"{path}: there is a register {register.name!r} already", hint="choose another name, or edit its block"
            )
        newline = _newline(text)
        block = newline.join(render_register(register).split("\n"))
        gap = "" if text.endswith("\n") else newline
        return text + gap + newline + block, replace(config, registers=(*config.registers, register))

    _edit(path, edit, f"add the block of register {register.name!r}")


def set_carriers(path: Path, register: str, column: str, carriers: Sequence[str]) -> None:
    """Allow exactly these carriers in a column. Raises `InputError` where there is no such register or column."""

    def edit(text: str, config: Config) -> tuple[str, Config]:
        known = config.register(register)
        changed = replace(known.column(column), carriers=tuple(carriers))
        columns = tuple(changed if old.name == column else old for old in known.columns)
        new = _set(text, ("registers", register, "columns", column), "carriers", toml_value(tuple(carriers)))
        return new, _with(config, replace(known, columns=columns))

    _edit(path, edit, f"write `carriers = {toml_value(tuple(carriers))}` for {register}, column {column}")


def set_structural(path: Path, register: str, carriers: Sequence[str]) -> None:
    """Allow exactly these carriers on the rows of a register. Raises `InputError` where there is no such register."""

    def edit(text: str, config: Config) -> tuple[str, Config]:
        changed = replace(config.register(register), structural=tuple(carriers))
        new = _set(text, ("registers", register), "structural", toml_value(tuple(carriers)))
        return new, _with(config, changed)

    _edit(path, edit, f"write `structural = {toml_value(tuple(carriers))}` for {register}")


def _edit(path: Path, edit: Callable[[str, Config], tuple[str, Config]], by_hand: str) -> None:
    with locked(path.with_name(f".{path.name}.lock")):
        config = load(path)
        with storage_faults(path, "read"):
            text, mode = path.read_bytes().decode("utf-8-sig"), path.stat().st_mode & 0o777
        new, wanted = edit(text, config)
        if _read_back(new, path) != wanted:
            raise InputError(
                f"{path}: laid out in a way that cannot be edited safely, or the new value is not allowed",
                hint=f"{by_hand}, in your editor",
            )
        replace_file(path, [new.encode()], mode=mode)


def _read_back(text: str, path: Path) -> Config | None:
    try:
        return parse(text, path)
    except InputError:
        return None


def _with(config: Config, changed: RegisterSettings) -> Config:
    registers = tuple(changed if old.name == changed.name else old for old in config.registers)
    return replace(config, registers=registers)


def _set(text: str, table: tuple[str, ...], name: str, value: str) -> str:
    """Replace `name = ...` in a table, or put it at its end; the text as it was where there is no such table."""
    lines = text.splitlines(keepends=True)
    headers = [(number, header) for number, line in enumerate(lines) if (header := _header(line)) is not None]
    start = next((number + 1 for number, header in headers if header == table), None)
    if start is None:
        return text
    end = next((number for number, _ in headers if number >= start), len(lines))
    for first in range(start, end):
        if re.match(rf"\s*{name}\s*=", lines[first]):
            last = _end_of_value(lines, first, end)
            lines[first:last] = [_replaced(lines[first:last], name, value, _newline(text))]
            return "".join(lines)
    while end > start and re.match(r"\s*(#|$)", lines[end - 1]):  # a remark there is about what follows
        end -= 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += _newline(text)
    lines.insert(end, f"{name} = {value}{_newline(text)}")
    return "".join(lines)


def _replaced(old: Sequence[str], name: str, value: str, newline: str) -> str:
    """The new line, with the remark that stood behind a list of one line."""
    remark = re.fullmatch(r"[^\[\]]*\[[^\[\]#]*\](\s*#.*?)?\s*", old[0]) if len(old) == 1 else None
    indent = old[0][: len(old[0]) - len(old[0].lstrip())]
    return f"{indent}{name} = {value}{(remark and remark[1]) or ''}{newline}"


def _header(line: str) -> tuple[str, ...] | None:
    """The path of a `[table]` line; `None` for any other line."""
    if not line.lstrip().startswith("["):
        return None
    try:
        table: object = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    path: list[str] = []
    while isinstance(table, dict) and table:
        (name, table), *_ = table.items()
        path.append(name)
    return tuple(path)


def _end_of_value(lines: Sequence[str], first: int, end: int) -> int:
    """The line after a value that may run over several lines."""
    for last in range(first + 1, end + 1):
        try:
            tomllib.loads("".join(lines[first:last]))
        except tomllib.TOMLDecodeError:
            continue
        return last
    return first + 1


def _line(setting: Setting, value: object) -> str:
    if value is None:
        return f"# {setting.name} = {_example(setting)}"
    return f"{setting.name} = {toml_value(value)}"


def _comment(setting: Setting) -> list[str]:
    return [f"# {line}" for line in (*setting.english.split("\n"), setting.chinese, f"Expected: {setting.expected}.")]


def _example(setting: Setting) -> str:
    examples = {
        "source": "persons.csv", "key": ("id",), "encoding": "utf-8", "kind": "address", "tolerance": "50",
        "second": "/mnt/other-disk/muniment", "retention_days": 2192, "notice_key": "0" * 64,
    }  # fmt: skip
    return toml_value(examples[setting.name] if setting.default in (REQUIRED, None) else setting.default)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
