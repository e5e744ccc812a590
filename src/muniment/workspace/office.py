"""`Workspace`: the folder that holds config, keys, journal and copies. It opens the parts and decides nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from muniment import config
from muniment.disclosure import Copy, Kind
from muniment.durable import check_target, replace_file
from muniment.errors import InputError
from muniment.keys import KeyRing
from muniment.ledger.copies import JournalCopies
from muniment.ledger.declarations import log_commitments, logged_keys
from muniment.ledger.journal import Journal
from muniment.ledger.sets import SealedSets
from muniment.marks.decoys import Consent, DecoyPlan
from muniment.marks.suggest import Suggestion
from muniment.trace.verdict import Verdict
from muniment.workspace import decoying, registering, releasing, tracing
from muniment.workspace.bundling import public_keys, seal_bundle
from muniment.workspace.parts import Clock, Parts
from muniment.workspace.results import KeyResult, RegisterEntry, RegisterResult, ReleaseResult

SETTINGS, RING, JOURNAL, RECORDS = "muniment.toml", "keys/ring.json", "ledger/journal.bin", "ledger/records"


def _now() -> datetime:
    return datetime.now(UTC)


def init(
    folder: str | os.PathLike[str],
    passphrase: str,
    *,
    name: str | None = None,
    lang: str = "en",
    custodians: tuple[str, str] | None = None,
    clock: Clock = _now,
) -> Workspace:
    """Make a workspace: settings, a key ring under a passphrase, a journal that commits to every key.

    With `custodians`, two more passphrases wrap the mark key: nobody marks or traces without both.

    Raises:
        InputError: the folder holds a workspace already (it stays), or a passphrase is too short.
        UnreachableError: the folder cannot be written.
    """
    path = Path(folder)
    check_free(path)
    ring = KeyRing.create(path / RING, passphrase, now=clock(), random_bytes=os.urandom, custodians=custodians)
    journal = Journal.create(path / JOURNAL, ring.all("segment"))
    log_commitments(journal, ring.commitments(), clock())
    # The settings come last: without them there is no workspace, so a crash before this leaves none that half opens.
    replace_file(path / SETTINGS, [config.render_config(name or path.resolve().name, lang=lang).encode()])
    return Workspace(_parts(path, ring, journal, clock))


def open_workspace(
    folder: str | os.PathLike[str],
    passphrase: str,
    *,
    custodians: tuple[str | None, str | None] | None = None,
    clock: Clock = _now,
) -> Workspace:
    """Open a workspace; raises `PassphraseError`, `IntegrityError` or `InputError` and changes nothing."""
    path = Path(folder)
    check_workspace(path)
    ring = KeyRing.open(path / RING, passphrase)
    if ring.has_custodians and custodians is not None and any(custodians):
        ring.unlock_custody(*custodians)
    journal = Journal.open(path / JOURNAL, ring.all("segment"))
    return Workspace(_parts(path, ring, journal, clock))


def check_free(folder: Path) -> None:
    """`InputError` where `init` would find a workspace; asked before a passphrase is."""
    if (folder / SETTINGS).exists():
        raise InputError(f"{folder}: there is a workspace already; it stays", hint="choose another folder")


def check_workspace(folder: Path) -> None:
    """`InputError` where there is no workspace to open; asked before a passphrase is."""
    if not (folder / SETTINGS).exists():
        raise InputError(f"{folder}: there is no workspace (no {SETTINGS})", hint=f"muniment init {folder}")


def _parts(path: Path, ring: KeyRing, journal: Journal, clock: Clock) -> Parts:
    sets = SealedSets(path / RECORDS, ring.all("segment"))
    return Parts(path, config.load(path / SETTINGS), ring, journal, sets, JournalCopies(journal, sets), clock)


class Workspace:
    """An open workspace. One object belongs to one thread; several processes may work on one folder."""

    def __init__(self, parts: Parts) -> None:
        """For `init` and `open` only."""
        self._parts = parts

    def __repr__(self) -> str:
        return f"Workspace({str(self._parts.folder)!r})"

    @property
    def folder(self) -> Path:
        """The folder of the workspace."""
        return self._parts.folder

    @property
    def lang(self) -> str:
        """The language of messages and reports: `en` or `zh-TW`."""
        return self._parts.config.workspace.lang

    @property
    def locked(self) -> bool:
        """Whether the mark keys wait for the passphrases of two custodians."""
        return self._parts.ring.has_custodians and not self._parts.ring.custody_open

    def unlock(self, first: str | None, second: str | None) -> None:
        """Open the mark keys with both custodians' passphrases; `PassphraseError` says whose is missing or wrong."""
        self._parts.ring.unlock_custody(first, second)

    # --- registers ---------------------------------------------------------------------------------------------------

    def registers(self) -> tuple[RegisterEntry, ...]:
        """The registers of this workspace, in the order of muniment.toml; no source is read."""
        return registering.entries(self._parts)

    def register(
        self,
        name: str,
        source: str | os.PathLike[str],
        *,
        key: Sequence[str] | str,
        coalition: int = 10,
        accept: registering.Accept = "nothing",
        encoding: str | None = None,
        kinds: Mapping[str, str] | None = None,
    ) -> RegisterResult:
        """Add a register from a file or a PostgreSQL table; `accept="equivalent"` allows meaning-preserving marks."""
        new = registering.NewRegister(
            name=name,
            source=str(source),
            key=(key,) if isinstance(key, str) else tuple(key),
            coalition=coalition,
            encoding=encoding,
            kinds={column: _kind(column, kind) for column, kind in (kinds or {}).items()},
            accept=accept,
        )
        result = registering.add_register(self._parts, new)
        self._reload()
        return result

    def suggest(self, name: str) -> tuple[Suggestion, ...]:
        """Which carriers could be allowed on which column, with examples; nothing is allowed by it."""
        return registering.suggestions(self._parts, name)

    def accept_equivalent(self, name: str) -> RegisterResult:
        """Allow the meaning-preserving carriers that `suggest` proposes."""
        result = registering.accept_equivalent(self._parts, name)
        self._reload()
        return result

    def check(self, name: str) -> RegisterResult:
        """Read a register again and check its key."""
        return registering.check_register(self._parts, name)

    # --- copies ------------------------------------------------------------------------------------------------------

    def release(
        self,
        register: str,
        *,
        to: str,
        purpose: str,
        out: str | os.PathLike[str],
        where: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> ReleaseResult:
        """Hand out one marked copy as a file (.csv, .parquet or .xlsx); it is on record before the file appears."""
        return self.release_many(register, to={to: out}, purpose=purpose, where=where, columns=columns)[0]

    def release_many(
        self,
        register: str,
        *,
        to: Mapping[str, str | os.PathLike[str]],
        purpose: str,
        where: str | None = None,
        columns: Sequence[str] | None = None,
        progress: Callable[[int], None] = lambda rows: None,
    ) -> tuple[ReleaseResult, ...]:
        """Hand out one marked copy to each recipient (`to`: recipient -> file), in few passes over the register."""
        order = releasing.Order(
            register=register,
            recipients=tuple(to),
            outs=tuple(Path(out) for out in to.values()),
            purpose=purpose,
            where=where,
            columns=tuple(columns) if columns is not None else None,
        )
        return releasing.release(self._parts, order, progress)

    def copies(self, register: str | None = None) -> tuple[Copy, ...]:
        """The copies on record, oldest first."""
        return self._parts.copies.copies(register)

    # --- trace -------------------------------------------------------------------------------------------------------

    def trace(
        self,
        file: str | os.PathLike[str],
        *,
        register: str | None = None,
        mapping: Mapping[str, str] | None = None,
        encoding: str | None = None,
        found: datetime | None = None,
        alpha: float | None = None,
        leads_purpose: str | None = None,
        edited: bool = False,
        bundle: str | os.PathLike[str] | None = None,
        progress: Callable[[str], None] = lambda step: None,
    ) -> Verdict:
        """Find the copy that a leaked file came from; every call is an examination and is logged as one.

        `bundle` seals what a third party needs to recompute the verdict; what it opens reads as erased afterwards.
        """
        if bundle is not None:
            check_target(Path(bundle), "--bundle")
        question = tracing.Question(Path(file), register, mapping, encoding, found, alpha, leads_purpose, edited)
        traced = tracing.trace(self._parts, question, progress)
        if bundle is not None:
            seal_bundle(self._parts, traced, Path(bundle))
        return traced.verdict

    # --- keys and decoys ---------------------------------------------------------------------------------------------

    def keys(self) -> tuple[KeyResult, ...]:
        """The keys of the ring with their commitments, old ones first."""
        logged, public = logged_keys(self._parts.journal), public_keys(self._parts)
        return tuple(
            KeyResult(key, commitment, str(logged[key].head) if key in logged else None, public.get(key))
            for key, commitment in self._parts.ring.commitments().items()
        )

    def rotate(self, purpose: str) -> KeyResult:
        """Add a new key of a purpose (`mark`); old copies stay traceable under the old one."""
        if purpose != "mark":
            raise InputError(f"{purpose!r} keys are not rotated yet: expected mark", hint="muniment keys rotate mark")
        key = self._parts.ring.rotate(purpose, now=self._parts.clock(), random_bytes=os.urandom)
        log_commitments(self._parts.journal, self._parts.ring.commitments(), self._parts.clock())
        return next(result for result in self.keys() if result.id == key.id)

    def change_passphrase(self, new: str) -> None:
        """Put another passphrase on the key ring; `PassphraseError` where it is too short or too long."""
        self._parts.ring.change_passphrase(new, random_bytes=os.urandom)

    def export_without_signing(self, file: str | os.PathLike[str]) -> None:
        """Write the key ring without its signing key, under the same passphrase; a file that is there stays."""
        path = Path(file)
        if path.exists():
            raise InputError(f"{path}: there is a file already; it stays", hint="choose another file")
        self._parts.ring.write_without_signing(path)

    def plan_decoys(
        self,
        register: str,
        *,
        count: int,
        reserved: Sequence[str],
        expires: date,
        owner: str,
        consent: str,
        share: float = 0.05,
    ) -> DecoyPlan:
        """Draw fictitious records from a register's own distributions; they enter copies once `decoy` is allowed."""
        agreed = Consent(owner, self._parts.clock(), consent)
        order = decoying.DecoyOrder(register, count, tuple(reserved), share, expires, agreed)
        return decoying.plan_decoys(self._parts, order)

    def decoy_exclusion(self, register: str) -> tuple[tuple[str, ...], ...]:
        """The keys of all decoys of a register, for statistics, service and billing to leave out."""
        found = decoying.plans(self._parts, self._parts.register(register))
        return tuple(key for plan in found for key in plan.exclusion())

    def _reload(self) -> None:
        self._parts = _parts(self._parts.folder, self._parts.ring, self._parts.journal, self._parts.clock)


def _kind(column: str, kind: str) -> Kind:
    try:
        return Kind(kind)
    except ValueError as error:
        known = ", ".join(Kind)
        raise InputError(f"column {column!r}: unknown kind {kind!r}; expected one of {known}") from error


__all__ = ["Workspace", "init", "open_workspace"]
