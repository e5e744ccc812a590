"""The opened parts of a workspace: what every action needs, and nothing that decides."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from muniment.config import Config
from muniment.disclosure import Register
from muniment.errors import InputError
from muniment.keys import KeyRing
from muniment.ledger.copies import LedgerCopies
from muniment.ledger.declarations import registers
from muniment.ledger.journal import Journal
from muniment.ledger.sets import SealedSets
from muniment.ledger.store import Ledger

if TYPE_CHECKING:
    from muniment.ingest.sources import Source

Clock = Callable[[], datetime]
ACCOUNT = "MUNIMENT_ACCOUNT"
"""Environment variable that names who acts, where several persons share an account of the operating system."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One workspace, open: its folder, its settings as read, its keys, its ledger and what stands on it."""

    folder: Path
    config: Config
    ring: KeyRing
    journal: Journal
    sets: SealedSets
    ledger: Ledger
    copies: LedgerCopies
    clock: Clock

    def register(self, name: str) -> Register:
        """The register of that name: columns as logged, source as configured; `InputError` lists what there is."""
        settings = self.config.register(name)
        declared = registers(self.journal).get(name)
        if declared is None:
            raise InputError(
                f"register {name!r} stands in muniment.toml, but was never logged",
                hint=f"take its block out of muniment.toml, then: muniment register add {name} SOURCE --key COLUMN",
            )
        for setting in ("key", "coalition"):
            asked, logged = getattr(settings, setting), getattr(declared, setting)
            if asked != logged:
                raise InputError(
                    f"register {name!r}: {setting} is {asked!r} in muniment.toml, but was logged as {logged!r}: "
                    "another one would leave every earlier copy untraceable",
                    hint="put the old value back, or add the source as a register of another name",
                )
        return Register(name, settings.source, declared.key, declared.columns, declared.coalition, settings.encoding)

    def source(self, register: Register) -> Source:
        """The source of a register, opened; a relative path is taken from the workspace's folder."""
        from muniment.ingest.sources import open_source

        return open_source(located(self.folder, register.source), encoding=register.encoding)

    @property
    def account(self) -> str:
        """Who acts, as the ledger records it: `MUNIMENT_ACCOUNT`, else the account of the operating system."""
        try:
            return os.environ.get(ACCOUNT) or getpass.getuser()
        except (OSError, KeyError):  # a process of a user that the system does not know
            return f"uid {os.getuid()}"

    @property
    def office(self) -> str:
        """The recipient of what is looked up here: the keeper of this workspace, by its name in muniment.toml."""
        return self.config.workspace.name

    @property
    def baseline_folder(self) -> Path:
        """Where the sealed baselines lie."""
        return self.folder / "baseline"

    @property
    def decoy_folder(self) -> Path:
        """Where the sealed decoy plans lie."""
        return self.folder / "decoys"


def located(folder: Path, source: str) -> str:
    """A source as given in muniment.toml, with a relative path made one from the workspace's folder."""
    if "://" in source or Path(source).is_absolute():
        return source
    return str(folder / source)
