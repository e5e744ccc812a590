"""`Workspace`: the folder that holds config, keys, journal and copies. It opens the parts and decides nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from muniment import config
from muniment.disclosure import Copy, Kind
from muniment.durable import check_target, replace_file
from muniment.errors import InputError
from muniment.keys import KeyRing
from muniment.ledger.copies import LedgerCopies
from muniment.ledger.declarations import log_commitments, log_verifiers, logged_keys, verifiers
from muniment.ledger.journal import Journal
from muniment.ledger.sets import SealedSets
from muniment.ledger.store import Ledger, LedgerKeys, Place
from muniment.workspace.parts import Clock, Parts
from muniment.workspace.results import KeyResult, RegisterEntry, RegisterResult, ReleaseResult

if TYPE_CHECKING:  # what an action needs is loaded by the action: a look-up must not wait for the code of a trace
    from muniment.marks.decoys import DecoyPlan
    from muniment.marks.suggest import Suggestion
    from muniment.trace.verdict import Verdict
    from muniment.workspace import affecting, doctoring, exchanging, planting, registering, subjects
    from muniment.workspace.bookkeeping import Books, Selection
    from muniment.workspace.gating import Gatehouse
    from muniment.workspace.measuring import Exposures
    from muniment.workspace.watching import Watching

SETTINGS, RING, LEDGER, SECOND = "muniment.toml", "keys/ring.json", "ledger", "ledger/second"
JOURNAL, ADDRESSES = "ledger/journal.bin", "ledger/addresses"

ROTATED = ("mark", "pseudonym", "segment")
"""What `Workspace.rotate` rotates."""


def _now() -> datetime:
    return datetime.now(UTC)


def init(
    folder: str | os.PathLike[str],
    passphrase: str,
    *,
    name: str | None = None,
    lang: str = "en",
    custodians: tuple[str, str] | None = None,
    second: str | os.PathLike[str] | None = None,
    clock: Clock = _now,
) -> Workspace:
    """Make a workspace: settings, a key ring under a passphrase, a ledger whose journal commits to every key.

    With `custodians`, two more passphrases wrap the mark key: nobody marks or traces without both. `second` is a folder
    on another disk for checkpoints (`ledger.second` in muniment.toml).

    Raises:
        InputError: the folder holds a workspace already (it stays), or a passphrase is too short.
        UnreachableError: the folder cannot be written.
    """
    path = Path(folder)
    check_free(path)
    ring = KeyRing.create(path / RING, passphrase, now=clock(), random_bytes=os.urandom, custodians=custodians)
    journal = Journal.create(path / JOURNAL, ring.all("segment"))
    log_commitments(journal, ring.commitments(), clock())
    log_verifiers(journal, ring.public_keys(), clock())
    away = None if second is None else str(Path(second).resolve())
    settings = config.render_config(name or path.resolve().name, lang=lang, second=away)
    _ledger(path, ring, journal, config.parse(settings, path / SETTINGS), clock).create()
    # The settings come last: without them there is no workspace, so a crash before this leaves none that half opens.
    replace_file(path / SETTINGS, [settings.encode()])
    return Workspace(open_parts(path, ring, journal, clock))


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
    return Workspace(open_parts(path, ring, journal, clock))


def check_free(folder: Path) -> None:
    """`InputError` where `init` would find a workspace; asked before a passphrase is."""
    if (folder / SETTINGS).exists():
        raise InputError(f"{folder}: there is a workspace already; it stays", hint="choose another folder")


def check_workspace(folder: Path) -> None:
    """`InputError` where there is no workspace to open; asked before a passphrase is."""
    if not (folder / SETTINGS).exists():
        raise InputError(f"{folder}: there is no workspace (no {SETTINGS})", hint=f"muniment init {folder}")


def open_parts(path: Path, ring: KeyRing, journal: Journal, clock: Clock) -> Parts:
    """The parts of a workspace whose key ring and journal are open already; its settings are read anew."""
    settings = config.load(path / SETTINGS)
    ledger = _ledger(path, ring, journal, settings, clock)
    sets = SealedSets(path / ADDRESSES, ring.all("segment"))
    return Parts(path, settings, ring, journal, sets, ledger, LedgerCopies(journal, ledger), clock)


def _ledger(path: Path, ring: KeyRing, journal: Journal, settings: config.Config, clock: Clock) -> Ledger:
    try:
        signing = ring.current("signing")
    except InputError:
        signing = None  # a ring without signing keys writes; who may sign seals what it wrote
    keys = LedgerKeys(ring.all("segment"), signing, verifiers(journal), settings.ledger.witnesses)
    return Ledger(Place(path / LEDGER, path / (settings.ledger.second or SECOND)), journal, keys, clock)


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
        from muniment.workspace import registering

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
        from muniment.workspace import registering

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
        from muniment.workspace import registering

        return registering.suggestions(self._parts, name)

    def accept_equivalent(self, name: str) -> RegisterResult:
        """Allow the meaning-preserving carriers that `suggest` proposes."""
        from muniment.workspace import registering

        result = registering.accept_equivalent(self._parts, name)
        self._reload()
        return result

    def check(self, name: str) -> RegisterResult:
        """Read a register again and check its key."""
        from muniment.workspace import registering

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
        basis: str = "",
        case: str = "",
    ) -> ReleaseResult:
        """Hand out one marked copy as a file (.csv, .parquet or .xlsx); it is on record before the file appears."""
        return self.release_many(
            register, to={to: out}, purpose=purpose, where=where, columns=columns, basis=basis, case=case
        )[0]

    def release_many(
        self,
        register: str,
        *,
        to: Mapping[str, str | os.PathLike[str]],
        purpose: str,
        where: str | None = None,
        columns: Sequence[str] | None = None,
        basis: str = "",
        case: str = "",
        progress: Callable[[int], None] = lambda rows: None,
    ) -> tuple[ReleaseResult, ...]:
        """Hand out one marked copy to each recipient (`to`: recipient -> file), in few passes over the register.

        `basis` is the legal basis, `case` the case or ticket; both stand in the ledger.
        """
        from muniment.workspace import releasing

        order = releasing.Order(
            register=register,
            recipients=tuple(to),
            outs=tuple(Path(out) for out in to.values()),
            purpose=purpose,
            where=where,
            columns=tuple(columns) if columns is not None else None,
            basis=basis,
            case=case,
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
        case: str = "",
        bundle: str | os.PathLike[str] | None = None,
        progress: Callable[[str], None] = lambda step: None,
    ) -> Verdict:
        """Find the copy that a leaked file came from; every call is an examination and is logged as one.

        `bundle` seals what a third party needs to recompute the verdict; what it opens reads as erased afterwards.
        """
        from muniment.workspace import tracing
        from muniment.workspace.bundling import seal_bundle

        if bundle is not None:
            check_target(Path(bundle), "--bundle")
        question = tracing.Question(Path(file), register, mapping, encoding, found, alpha, leads_purpose, case, edited)
        traced = tracing.trace(self._parts, question, progress)
        if bundle is not None:
            seal_bundle(self._parts, traced, Path(bundle))
        return traced.verdict

    # --- ledger ------------------------------------------------------------------------------------------------------

    @property
    def ledger(self) -> Books:
        """The disclosure ledger as its keeper handles it: show, verify, seal, reindex, prune, suspend."""
        from muniment.workspace.bookkeeping import Books

        return Books(self._parts)

    def who(
        self, key: Sequence[str] | str, *, purpose: str, register: str | None = None, keeper: bool = False
    ) -> subjects.WhoResult:
        """Every disclosure of one person; asking is itself one. `keeper` names accounts and shows what is withheld."""
        from muniment.workspace import subjects

        parts = (key,) if isinstance(key, str) else tuple(key)
        return subjects.who(self._parts, parts, register=register, purpose=purpose, keeper=keeper)

    def prove(self, key: Sequence[str] | str, *, purpose: str, register: str | None = None) -> dict[str, object]:
        """A proof for others that these are all disclosures of one person; asking is itself one."""
        from muniment.workspace import subjects

        parts = (key,) if isinstance(key, str) else tuple(key)
        return subjects.prove(self._parts, parts, register=register, purpose=purpose)

    def affected(
        self,
        file: str | os.PathLike[str],
        *,
        incident: str,
        register: str | None = None,
        mapping: Mapping[str, str] | None = None,
        encoding: str | None = None,
        out: str | os.PathLike[str] | None = None,
        progress: Callable[[str], None] = lambda step: None,
    ) -> affecting.AffectedResult:
        """How many persons are in a leaked file; `out` takes the list of them, sealed to the notice key.

        Fewer than 20 persons take a second one: both custodians' passphrases, given to `unlock`.
        """
        from muniment.workspace import affecting

        target = None if out is None else Path(out)
        asked = affecting.Incident(Path(file), incident, register, mapping, encoding, target)
        there = self._parts.ring.has_custodians and self._parts.ring.custody_open
        return affecting.affected(self._parts, asked, second_person=there, progress=progress)

    def import_log(
        self, wanted: exchanging.Import, progress: Callable[[int], None] = lambda done: None
    ) -> exchanging.ImportResult:
        """Append the disclosures of a foreign audit log."""
        from muniment.workspace import exchanging

        return exchanging.import_log(self._parts, wanted, progress)

    def export_log(
        self,
        form: exchanging.ExportForm,
        out: str | os.PathLike[str],
        selection: Selection | None = None,
        *,
        staff_named: bool = False,
    ) -> int:
        """Write disclosures as OCSF, FHIR AuditEvents or CSV; returns how many."""
        from muniment.workspace import exchanging
        from muniment.workspace.bookkeeping import Selection

        chosen = selection if selection is not None else Selection()
        return exchanging.export_log(self._parts, form, Path(out), chosen, staff_named=staff_named)

    def examine(self) -> tuple[doctoring.Check, ...]:
        """Whether the workspace is in a state that its keeper can rely on."""
        from muniment.workspace import doctoring

        found = doctoring.examine(self._parts)
        if not self.gate.there:
            return found
        from muniment.workspace import gate_doctoring

        return (*found, *gate_doctoring.examine(self._parts))

    @property
    def gate(self) -> Gatehouse:
        """The gate of this workspace: gate.toml, checks, running it, replaying what it let through."""
        from muniment.workspace.gating import Gatehouse

        return Gatehouse(self._parts)

    @property
    def watch(self) -> Watching:
        """The watch of this workspace: watch.toml, following the ledger, alerts, replays."""
        from muniment.workspace.watching import Watching

        return Watching(self._parts)

    @property
    def exposure(self) -> Exposures:
        """What an extract would give away, and safer tables in its place."""
        from muniment.workspace.measuring import Exposures

        return Exposures(self._parts)

    # --- keys and decoys ---------------------------------------------------------------------------------------------

    def keys(self) -> tuple[KeyResult, ...]:
        """The keys of the ring with their commitments, old ones first."""
        logged, public = logged_keys(self._parts.journal), self._parts.ring.public_keys()
        return tuple(
            KeyResult(key, commitment, str(logged[key].head) if key in logged else None, public.get(key))
            for key, commitment in self._parts.ring.commitments().items()
        )

    def rotate(self, purpose: str) -> KeyResult:
        """Add a new key of a purpose (`ROTATED`); what was written under an old one stays readable and traceable.

        `pseudonym`: every record that has an ordinal is made known under the new key; processes that have the workspace
        open must open it again. Raises `UnreachableError` where a register's source cannot be read.
        """
        from muniment.workspace import ordinals

        if purpose not in ROTATED:
            raise InputError(
                f"{purpose!r} keys are not rotated yet: expected {', '.join(ROTATED)}", hint="muniment keys rotate mark"
            )
        if purpose == "pseudonym":
            for register in self._parts.config.registers:
                self._parts.source(self._parts.register(register.name))  # before there is a key that cannot be revoked
        key = self._parts.ring.rotate(purpose, now=self._parts.clock(), random_bytes=os.urandom)
        log_commitments(self._parts.journal, self._parts.ring.commitments(), self._parts.clock())
        self._reload()
        if purpose == "pseudonym":
            ordinals.carry_over(self._parts)
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
        from muniment.marks.decoys import Consent
        from muniment.workspace import decoying

        agreed = Consent(owner, self._parts.clock(), consent)
        order = decoying.DecoyOrder(register, count, tuple(reserved), share, expires, agreed)
        return decoying.plan_decoys(self._parts, order)

    def decoy_exclusion(self, register: str) -> tuple[tuple[str, ...], ...]:
        """The keys of all decoys of a register, for statistics, service and billing to leave out."""
        from muniment.workspace import decoying

        found = decoying.plans(self._parts, self._parts.register(register))
        return tuple(key for plan in found for key in plan.exclusion())

    def plant_decoys(self, register: str, into: str) -> planting.PlantResult:
        """Write the decoys of the newest plan into the live table at a PostgreSQL location."""
        from muniment.workspace import planting

        return planting.plant(self._parts, register, into)

    def unplant_decoys(self, register: str, into: str) -> planting.PlantResult:
        """Take the decoys of a register out of the live table again."""
        from muniment.workspace import planting

        return planting.unplant(self._parts, register, into)

    def _reload(self) -> None:
        folder, ring = self._parts.folder, self._parts.ring
        journal = Journal.open(folder / JOURNAL, ring.all("segment"))  # a new segment key opens what it writes
        self._parts = open_parts(folder, ring, journal, self._parts.clock)


def _kind(column: str, kind: str) -> Kind:
    try:
        return Kind(kind)
    except ValueError as error:
        known = ", ".join(Kind)
        raise InputError(f"column {column!r}: unknown kind {kind!r}; expected one of {known}") from error


__all__ = ["Workspace", "init", "open_workspace"]
