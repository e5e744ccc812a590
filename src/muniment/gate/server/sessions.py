"""How sessions of this gate are made: settings and shared services on one side, one client's door on the other.

Rules
1. The key for mock secrets is derived from the first pseudonym key: an account that does not exist looks the same after
   a restart, and in every worker.
2. `upstream_password_file` holds a line `ACCOUNT:PASSWORD` for each account that logs in upstream with a credential of
   the gate's own; `*` stands for all others. It is read once, at the start, and again on SIGHUP.
3. Persons get provisional ordinals only where their disclosure may go to the second place: by choice in the settings,
   or while a break-glass grant lasts.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict

from muniment.errors import InputError, UnreachableError
from muniment.gate.identity.login import Identity, LoginSettings
from muniment.gate.policy.breakglass import Grants
from muniment.gate.policy.decoys import DecoyWatch
from muniment.gate.policy.rules import resolve
from muniment.gate.policy.settings import GateSettings
from muniment.gate.policy.statements import Rates
from muniment.gate.protocol.startup import StartupMessage
from muniment.gate.server.parts import Door, Kit
from muniment.gate.session.opening import OpeningSetup, Permit, StoredCredential
from muniment.gate.session.session import Session
from muniment.gate.session.setup import Doubt, Marking, Setup
from muniment.keys import Key
from muniment.prf import hkdf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIGEST_KEY_BYTES = 32


class Sessions:
    """Makes sessions; a `parts.NewSession`. One object a process."""

    def __init__(
        self, folder: Path, pseudonym_keys: Sequence[Key], random_bytes: Callable[[int], bytes], *,
        marker: Marking | None = None, decoys: DecoyWatch | None = None,
        observe: Callable[[int, str, int, int], None] | None = None,
        lowered: Callable[[str], Mapping[str, int]] = lambda _: {},
    ) -> None:  # fmt: skip
        """`folder`: where paths of the settings begin. `lowered`: see `Setup`."""
        self._folder = folder
        self._mock_key = hkdf(pseudonym_keys[0].secret, "muniment gate mock secrets 1", length=32)
        self._digest_key = random_bytes(DIGEST_KEY_BYTES)
        self._marker = marker
        self._decoys = decoys or DecoyWatch(())
        self._observe = observe
        self._lowered = lowered
        self._rates, self._grants, self._doubt = Rates(), Grants(), Doubt()
        self._read: GateSettings | None = None  # the settings that the two below were made from
        self._credentials: Mapping[str, str] = {}
        self._zone: zoneinfo.ZoneInfo = zoneinfo.ZoneInfo("UTC")

    def __call__(self, kit: Kit, door: Door) -> Session:
        """A session for a client. Errors as `credentials`, where settings were read anew."""
        settings = kit.settings
        if settings is not self._read:
            self._credentials = credentials(settings, self._folder)
            self._zone = zone(settings)
            self._read = settings
        persons = _PersonsOf(kit, self._grants)
        setup = Setup(
            opening=self._opening(kit, door),
            policies=settings,
            catalogue=kit.catalogue,
            budgets=kit.budgets,
            persons=persons,
            digest_key=self._digest_key,
            rates=self._rates,
            grants=self._grants,
            doubt=self._doubt,
            device=door.device,
            spool=settings.ledger_down == "spool",
            lang=kit.lang,
            offset_minutes=self._offset,
            marker=self._marker,
            decoys=self._decoys,
            observe=self._observe,
            lowered=self._lowered,
        )
        session = Session(setup, kit.clock, kit.random_bytes)
        persons.session = session
        return session

    def _opening(self, kit: Kit, door: Door) -> OpeningSetup:
        settings, credentials_ = kit.settings, self._credentials

        def permits(identity: Identity, startup: StartupMessage) -> Permit:
            del startup
            rules = resolve(settings, identity.account, identity.roles)
            password = credentials_.get(identity.account, credentials_.get("*"))
            stored = settings.upstream_login == "stored" or identity.keys is None
            credential = StoredCredential(identity.account, password) if stored and password is not None else None
            return Permit(credential, replication=not rules.guarded, notices=not (rules.guarded and rules.redact))

        login = LoginSettings(settings.methods, settings.certificate_accounts, self._mock_key)
        return OpeningSetup(
            login, (door.process, door.secret), certificate=door.certificate, tls=door.tls,
            database=only_database(settings), permits=permits,
        )  # fmt: skip

    def _offset(self, now: int) -> int:
        offset = datetime.fromtimestamp(now / 1000, UTC).astimezone(self._zone).utcoffset()
        return 0 if offset is None else int(offset.total_seconds() // 60)


class _PersonsOf:
    """The persons of one session (rule 3)."""

    def __init__(self, kit: Kit, grants: Grants) -> None:
        self._kit = kit
        self._grants = grants
        self.session: Session | None = None

    def ordinals(self, register: str, columns: Sequence[Sequence[str]]) -> NDArray[np.uint32]:
        """See `KeptPersons.ordinals`."""
        kit = self._kit
        try:
            return kit.persons.ordinals(register, columns)
        except UnreachableError:
            if kit.spooled is None or not self._may_spool():
                raise
        return kit.spooled.ordinals(register, columns)

    def _may_spool(self) -> bool:
        kit = self._kit
        if kit.settings.ledger_down == "spool":
            return True
        account = self.session.account if self.session is not None else ""
        return self._grants.active(kit.recipient(account), kit.clock()) is not None


def credentials(settings: GateSettings, folder: Path) -> Mapping[str, str]:
    """The gate's own credentials by account (rule 2). `InputError` for a line that is none, naming its number only."""
    if not settings.upstream_password_file:
        return {}
    path = folder / settings.upstream_password_file
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UnreachableError(f"{path}: could not read it ({type(error).__name__})") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        account, colon, password = line.partition(":")
        if line.strip() and not (account and colon and password):
            raise InputError(f"{path}: line {number} is no credential; expected ACCOUNT:PASSWORD")
        if line.strip():
            found[account] = password
    return found


def only_database(settings: GateSettings) -> str:
    """The database that clients may open: table numbers mean nothing in another one.

    Raises `InputError` where neither `database` nor `control` names it.
    """
    found = settings.database or conninfo_to_dict(settings.control).get("dbname")
    if not found:
        raise InputError("gate.toml names no database", hint='write database = "NAME" into [gate]')
    return str(found)


def zone(settings: GateSettings) -> zoneinfo.ZoneInfo:
    """The office's time zone. `InputError` where the system does not know it."""
    try:
        return zoneinfo.ZoneInfo(settings.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"time_zone is {settings.time_zone!r}; expected a name like Asia/Taipei") from error
