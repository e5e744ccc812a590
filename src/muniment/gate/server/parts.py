"""What the server is given, and the few things that it asks of others: values and Protocols, no I/O here.

Rules
1. The server knows no rule, no SQL and no message: it moves bytes, keeps time, and does what a session asks for.
2. Whatever may wait for a disk or another process runs in a thread, or is bounded in time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from muniment.gate.attribution.catalogue import Catalogue, RegisterShape
from muniment.gate.policy.budgets import Budgets
from muniment.gate.policy.settings import GateSettings
from muniment.gate.session.commands import Command, Entry
from muniment.gate.session.events import Event, TlsStarted, VerifierFound
from muniment.keys import Key
from muniment.ledger.appender import Appender
from muniment.ledger.store import Ledger

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Received: TypeAlias = "tuple[int, NDArray[np.uint32], int]"
"""One disclosure of an account's past: its time (ms since 1970, UTC), who was in it, and how many nameless persons."""


class SessionLike(Protocol):
    """One client's conversation as a pure machine (`gate.session.session.Session`)."""

    def receive(self, event: Event) -> list[Command]:
        """Take an event, and say what is to be done, in order."""
        ...

    @property
    def congested(self) -> bool:
        """Whether nothing more is to be read from PostgreSQL for now."""
        ...

    @property
    def hold(self) -> bool:
        """Whether nothing more is to be read from the client for now."""
        ...

    @property
    def account(self) -> str:
        """The account that has authenticated; empty until then."""
        ...

    @property
    def idle(self) -> bool:
        """Whether neither a statement nor a transaction is under way."""
        ...


class Control(Protocol):
    """What is asked over the control connection to PostgreSQL. Every call may block; all come from one thread.

    Each raises `UnreachableError` where PostgreSQL cannot be asked; the next call connects anew.
    """

    def catalogue(self) -> Catalogue:
        """The map of tables and views as it is now."""
        ...

    def changed(self) -> bool:
        """Whether tables changed since `catalogue` was last called, by a cheap look."""
        ...

    def verifier(self, account: str) -> VerifierFound:
        """The stored secret and the roles of an account."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class SpoolLike(Protocol):
    """The second place, for what is released while the ledger is down (`gate.server.spool`). Used by one thread."""

    def append(self, entries: Sequence[Entry], pseudonyms: Mapping[int, tuple[str, tuple[int, ...]]]) -> None:
        """Record entries; durable when it returns, `UnreachableError` where it could not be.

        `pseudonyms`: for each provisional ordinal in them the register, and the pseudonyms under every epoch.
        """
        ...

    def drain(self, appender: Appender) -> int:
        """Move what is spooled into the ledger; returns how many entries. `UnreachableError`: it stays spooled."""
        ...


class Asked(Protocol):
    """Whose ordinals these are (`attribution.classify.Persons`)."""

    def ordinals(self, register: str, columns: Sequence[Sequence[str]]) -> NDArray[np.uint32]:
        """See `KeptPersons.ordinals`."""
        ...


class Restorable(Protocol):
    """Budgets that can be given an account's past (`policy.budgets.LocalBudgets`)."""

    def restore(self, account: str, batches: Iterable[Received]) -> None:
        """Take up what the ledger says that this account received, in the order of time."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Door:
    """What is known of a client before it spoke, for making its session.

    `device`: the peer's address without its port, `local` for a unix socket. `process` and `secret` (32 bytes): the key
    that the client is to be given for CancelRequest. `tls`: TLS that stands already (direct TLS). `certificate`:
    whether TLS can be offered.
    """

    device: str
    process: int
    secret: bytes = field(repr=False)
    tls: TlsStarted | None = None
    certificate: bool = False


@dataclass(slots=True, repr=False)
class Kit:
    """What sessions of one process share. `settings` and `catalogue` are exchanged while it runs: take them anew.

    `spooled`: persons for releases that may go to the second place; `None` without one. `recipient`: under whose name
    an account is recorded and charged.
    """

    settings: GateSettings
    catalogue: Catalogue
    budgets: Budgets
    persons: Asked
    spooled: Asked | None
    recipient: Callable[[str], str]
    registers: Mapping[str, RegisterShape]
    clock: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    lang: str


NewSession: TypeAlias = Callable[[Kit, Door], SessionLike]


@dataclass(frozen=True, slots=True, repr=False)
class GateParts:
    """Everything that a gate is made of.

    `open_ledger` opens the same ledger anew: each thread and worker has one of its own. `pseudonym_keys`: every epoch,
    old ones first. `clock`: ms since 1970, UTC. `folder`: where paths of the settings begin. `new_session` makes the
    session of one client (without it: `sessions.Sessions`). `new_control` makes a control connection, `new_spool` opens
    the second place; each is called once a process. `reload` reads the settings anew (SIGHUP).
    """

    settings: GateSettings
    open_ledger: Callable[[], Ledger]
    pseudonym_keys: tuple[Key, ...]
    registers: Mapping[str, RegisterShape]
    clock: Callable[[], int]
    lang: str
    folder: Path
    new_control: Callable[[], Control]
    new_session: NewSession | None = None
    random_bytes: Callable[[int], bytes] = os.urandom
    log_file: Path | None = None
    new_spool: Callable[[], SpoolLike] | None = None
    reload: Callable[[], GateSettings] | None = None
