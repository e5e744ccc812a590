"""muniment.toml: what the owner declares - the registers, and what may be done to their columns.

- `settings`  the table of all keys: what each takes, its default, and what it means (English and zh-TW)
- `read`      the file -> frozen values, or an error that names file and key
- `edit`      a new file, a new register's block, another list of carriers: comments and all else stay as they were
"""

from muniment.config.edit import append_register, render_config, set_carriers, set_structural
from muniment.config.read import (
    ColumnSettings,
    Config,
    ExposureSettings,
    LedgerSettings,
    RegisterSettings,
    WorkspaceSettings,
    load,
    parse,
)
from muniment.config.settings import SETTINGS, Setting, explain

__all__ = [
    "SETTINGS",
    "ColumnSettings",
    "Config",
    "ExposureSettings",
    "LedgerSettings",
    "RegisterSettings",
    "Setting",
    "WorkspaceSettings",
    "append_register",
    "explain",
    "load",
    "parse",
    "render_config",
    "set_carriers",
    "set_structural",
]
