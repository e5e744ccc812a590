"""Reading muniment.toml: bytes -> frozen values, or `InputError` naming the file, the key and what was expected.

A key that is not in the table of settings is an error, not ignored: a mistyped `tolerence` must not pass for "none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muniment import limits
from muniment.config.settings import BY_TABLE, REQUIRED, Setting
from muniment.config.tables import TableReader, stored_tables
from muniment.disclosure import Kind
from muniment.durable import read_file
from muniment.errors import InputError


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """`[workspace]`."""

    name: str
    lang: str
    alpha: float


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """`[ledger]`. `second` is a path, relative to the workspace's folder where it is not absolute."""

    second: str | None = None
    retention_days: int | None = None
    witnesses: tuple[str, ...] = ()
    notice_key: str | None = None


@dataclass(frozen=True, slots=True)
class ExposureSettings:
    """`[exposure]`. `epsilon` and `delta` are the texts of decimals."""

    on_release: str = "off"
    k: int = 5
    share_below_k: float = 0.05
    epsilon: str = "1"
    delta: str = "0.000001"


@dataclass(frozen=True, slots=True)
class ColumnSettings:
    """`[registers.NAME.columns.COL]`. `tolerance` is the text of a positive number."""

    name: str
    kind: Kind
    carriers: tuple[str, ...] = ()
    tolerance: str | None = None


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """`[registers.NAME]`, its columns in the order of the file."""

    name: str
    source: str
    key: tuple[str, ...]
    columns: tuple[ColumnSettings, ...]
    coalition: int
    encoding: str | None = None
    structural: tuple[str, ...] = ()
    quasi: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()

    def column(self, name: str) -> ColumnSettings:
        """The settings of a column; `InputError` lists what there is."""
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(column.name for column in self.columns)
        raise InputError(f"register {self.name!r} has no column {name!r}; its columns are {known}")


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    workspace: WorkspaceSettings
    registers: tuple[RegisterSettings, ...]
    ledger: LedgerSettings = LedgerSettings()
    exposure: ExposureSettings = ExposureSettings()

    def register(self, name: str) -> RegisterSettings:
        """The settings of a register; `InputError` lists what there is."""
        for register in self.registers:
            if register.name == name:
                return register
        known = ", ".join(register.name for register in self.registers) or "none so far"
        raise InputError(
            f"there is no register {name!r}; the registers are: {known}",
            hint=f"muniment register add {name} SOURCE --key COLUMN",
        )


def load(path: Path) -> Config:
    """Read muniment.toml. Raises `InputError` where it is missing or wrong, `LimitError` where it is too long."""
    data = read_file(path, limits.CONFIG_BYTES)
    if data is None:
        raise InputError(f"{path}: there is no such file", hint="muniment init DIR makes a workspace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text at byte {error.start:,}", hint="save the file as UTF-8") from error
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """Read the text of muniment.toml; `path` is for messages only. Raises `InputError`."""
    stored = stored_tables(text, path)
    reader = _Reader(path, hidden="source", explain="muniment config explain")
    reader.only_known(stored, ("workspace", "ledger", "exposure", "registers"), "")
    workspace = reader.values("workspace", "workspace", stored.get("workspace", {}))
    ledger = LedgerSettings(**reader.values("ledger", "ledger", stored.get("ledger", {})))
    exposure = ExposureSettings(**reader.values("exposure", "exposure", stored.get("exposure", {})))
    registers = tuple(reader.register(*item) for item in reader.table("registers", stored.get("registers", {})).items())
    return Config(WorkspaceSettings(**workspace), registers, ledger, exposure)


class _Reader(TableReader):
    """Reads the tables of muniment.toml."""

    __slots__ = ()

    def register(self, name: str, stored: object) -> RegisterSettings:
        place = f"registers.{name}"
        table = dict(self.table(place, stored))
        columns = self.table(f"{place}.columns", table.pop("columns", {}))
        values = self.values("registers.NAME", place, table, also=("columns",))
        found = tuple(self.column(place, *item) for item in columns.items())
        return RegisterSettings(name=name, columns=found, **values)

    def column(self, place: str, name: str, stored: object) -> ColumnSettings:
        values = self.values("registers.NAME.columns.COL", f"{place}.columns.{name}", stored)
        return ColumnSettings(name=name, **values)

    def values(self, kind: str, place: str, stored: object, also: tuple[str, ...] = ()) -> dict[str, Any]:
        table, settings = self.table(place, stored), BY_TABLE[kind]
        self.only_known(table, (*settings, *also), place)
        return {name: self.value(place, setting, table) for name, setting in settings.items()}

    def value(self, place: str, setting: Setting, table: Mapping[str, object]) -> Any:
        if setting.name not in table:
            if setting.default is REQUIRED:
                raise InputError(f"{self.path}: {place}.{setting.name} is missing; expected {setting.expected}")
            return setting.default
        return self.parsed(place, setting, setting.key, table[setting.name])
