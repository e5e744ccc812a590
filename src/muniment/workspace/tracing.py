"""Trace: from a leaked file to a verdict.

Steps (evidence.md section 3)
1. Read the leak into tables; fix the candidates at the journal head before the finding of the leak.
2. For each register: map columns and align rows - by the leak and the register only.
3. Fetch the aligned records once more; read symbols under each mark key; erase what changed in form only.
4. Record who looked at these records here, as a disclosure; log the examination, with its number; only then derive a
   single bit.
5. Score, decide, veto; put the verdict together. What is not named leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from muniment.disclosure import Recipient, Register
from muniment.errors import InputError
from muniment.evidence import log10_threshold
from muniment.ingest.leaks import Leak, read_leak
from muniment.ledger.declarations import registers
from muniment.ledger.examinations import begin_examination
from muniment.ledger.journal import Head
from muniment.trace.examine import Examination, Finding, Group, as_scored, examine
from muniment.trace.power import power_of
from muniment.trace.score import MIXTURES, Symbols
from muniment.trace.verdict import FamilyEvidence, Lead, Named, Power, Verdict
from muniment.workspace.aligning import Aligned, align_leak
from muniment.workspace.leading import check_leads, leads_of
from muniment.workspace.opening import opened_addresses
from muniment.workspace.ordinals import given_ordinals, known_ordinals
from muniment.workspace.parts import Parts
from muniment.workspace.reading import KeyReading, read_under_key
from muniment.workspace.subjects import own_disclosure

_POWER_SEED = 2


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a leak. `found` is when it was found: only copies on record before it are candidates."""

    file: Path
    register: str | None = None
    mapping: Mapping[str, str] | None = None
    encoding: str | None = None
    found: datetime | None = None
    alpha: float | None = None
    leads_purpose: str | None = None
    case: str = ""
    edited: bool = False
    """Rows were taken out by hand after an earlier score: the verdict is then marked as not evidential."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A verdict with what a sealed bundle needs: the findings with the codewords of the named. Never printed."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    groups: tuple[Group, ...]
    readings: tuple[KeyReading, ...]
    main: KeyReading
    """The reading whose symbols the verdict counts: the one with most symbols."""

    def __repr__(self) -> str:
        return f"Traced(verdict={self.verdict.verdict!r})"


Progress = Callable[[str], None]


def trace(parts: Parts, question: Question, progress: Progress = lambda step: None) -> Traced:
    """Examine a leak.

    Raises:
        InputError: the file cannot be read, no register has a copy on record, or the mapping names no column.
        PassphraseError: the mark keys are wrapped for two custodians who have not given theirs.
        UnreachableError: the examination, or that these records were looked at, cannot be put on record, so nothing is
            scored.
    """
    alpha = parts.config.workspace.alpha if question.alpha is None else question.alpha
    log10_threshold(1, alpha)  # refuses what is none before the leak is looked at
    parts.journal.refresh()
    progress("read the leak")
    leak = read_leak(question.file, encoding=question.encoding)
    before = parts.journal.head_before(question.found) if question.found else parts.journal.head()
    chosen = _registers(parts, question.register, before)
    alignments = []
    for register in chosen:
        progress(f"align with {register.name}")
        alignments.append(align_leak(parts, register, leak, question.mapping or {}, before))
    if question.leads_purpose is not None:
        check_leads(alignments, question.leads_purpose)
    progress("read the symbols")
    readings = [reading for aligned in alignments for reading in _readings(parts, aligned, before)]
    _on_record(parts, question, leak, alignments)
    examination = begin_examination(
        parts.journal,
        parts.ring.all("segment")[0],
        file_digest=leak.digest,
        aligned={aligned.register.name: aligned.pseudonyms for aligned in alignments},
        now=parts.clock(),
    )
    progress("score")
    groups = [_group(parts, reading) for reading in readings]
    outcome = examine(groups, alpha, examination.number)
    case = _Case(parts, question, leak, before, alignments, readings, groups, outcome, examination.number, alpha)
    return Traced(case.verdict(), outcome.findings, tuple(groups), tuple(readings), case.main)


def _registers(parts: Parts, name: str | None, before: Head) -> list[Register]:
    """The registers with a copy on record before the leak was found."""
    with_copies = {copy.register for copy in parts.copies.copies(before=before)}
    known = registers(parts.journal)
    if name is not None:
        register = parts.register(name)
        if name not in with_copies:
            raise InputError(f"register {name!r}: no copy is on record before the leak was found; nobody can be named")
        return [register]
    if not with_copies:
        raise InputError("no copy of any register is on record before the leak was found; nobody can be named")
    return [parts.register(register) for register in known if register in with_copies]


def _on_record(parts: Parts, question: Question, leak: Leak, alignments: Sequence[Aligned]) -> None:
    """Record, durable, which persons this office looked at: one disclosure to itself for each register."""
    real = [[aligned.keys[row] for row in np.flatnonzero(~aligned.is_decoy).tolist()] for aligned in alignments]
    if not any(real):
        return
    with parts.ledger.writing() as appender:
        for aligned, keys in zip(alignments, real, strict=True):
            if keys:
                ordinals = np.unique(given_ordinals(parts, appender, aligned.register.name, keys))
                purpose = f"trace: {leak.digest[:16]}"
                appender.append(own_disclosure(parts, aligned.register, purpose, ordinals, case=question.case)).result()


def _readings(parts: Parts, aligned: Aligned, before: Head) -> list[KeyReading]:
    """The symbols of one register under each mark key that has copies of it."""
    used = {copy.mark_key for copy in parts.copies.copies(register=aligned.register.name, before=before)}
    keys = [key for key in parts.ring.all("mark") if key.id in used]
    return [
        read_under_key(parts, aligned, key, before, _candidates(parts, aligned.register, key.id, before))
        for key in keys
    ]


def _candidates(parts: Parts, register: Register, mark_key: str, before: Head) -> tuple[Recipient, ...]:
    copies = parts.copies.copies(register=register.name, before=before)
    found = {copy.recipient.number: copy.recipient for copy in copies if copy.mark_key == mark_key}
    return tuple(found[number] for number in sorted(found))


def _group(parts: Parts, reading: KeyReading) -> Group:
    return Group(
        register=reading.register.name,
        mark_key=reading.mark_key,
        codebook=reading.codebook,
        candidates=reading.candidates,
        symbols=reading.symbols,
        on_register=reading.on_register,
        mixture=MIXTURES[reading.register.coalition],
        opened=opened_addresses(parts, reading.candidates),
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything a verdict is put together from."""

    parts: Parts
    question: Question
    leak: Leak
    before: Head
    alignments: Sequence[Aligned]
    readings: Sequence[KeyReading]
    groups: Sequence[Group]
    outcome: Examination
    number: int
    alpha: float

    @property
    def main(self) -> KeyReading:
        """The reading with most symbols."""
        return max(self.readings, key=lambda reading: len(reading.symbols))

    def verdict(self) -> Verdict:
        """Step 5: the values that may be shown."""
        main = self.main
        commitments = self.parts.ring.commitments()
        return Verdict(
            file=self.leak.file,
            file_digest=self.leak.digest,
            register=", ".join(aligned.register.name for aligned in self.alignments),
            named=tuple(self._named(finding) for finding in self.outcome.findings),
            candidates=self.outcome.candidates,
            examination=self.number,
            alpha=self.alpha,
            log10_threshold=self.outcome.log10_threshold,
            rows_read=sum(table.table.rows for table in self.leak.tables),
            rows_aligned=sum(aligned.rows for aligned in self.alignments),
            symbols_read=len(main.symbols),
            symbols_erased=sum(family.erased for family in main.families),
            families=main.families,
            mapping=tuple(match for aligned in self.alignments for match in aligned.matches),
            histogram=self.outcome.histogram,
            power=self._power(main),
            checkpoint=str(self.before),
            key_commitments={reading.mark_key: commitments[reading.mark_key] for reading in self.readings},
            evidential=not self.question.edited,
            time=self.parts.clock(),
            software=_software(),
            leads=self._leads(),
            opened=self._opened(),
        )

    def _opened(self) -> int:
        """Recipients for whom some of the symbols read were opened before."""
        return len(
            {
                number
                for group in self.groups
                for number, addresses in group.opened.items()
                if np.isin(group.symbols.addresses.numbers, addresses).any()
            }
        )

    def _named(self, finding: Finding) -> Named:
        reading = next(
            r
            for r in self.readings
            if (r.register.name, r.mark_key) == (finding.group.register, finding.group.mark_key)
        )
        keys = (*reading.plan.keys, ("", ""))
        evidence = tuple(
            FamilyEvidence(*keys[share.family], share.symbols, share.agreeing, share.log10_e)
            for share in finding.shares
        )
        copies = self._copies_with_rows(finding.recipient, reading)
        return Named(
            recipient=finding.recipient.name,
            number=finding.recipient.number,
            log10_e=finding.log10_e,
            copies=copies,
            evidence=evidence,
            mark_key=reading.mark_key,
            register=reading.register.name,
        )

    def _copies_with_rows(self, recipient: Recipient, reading: KeyReading) -> tuple[int, ...]:
        """The recorded copies of a named recipient that hold most of the leaked records: a lead without a bound.

        Of a copy whose disclosure was pruned nobody knows the records any more.
        """
        aligned = next(a for a in self.alignments if a.register.name == reading.register.name)
        found = known_ordinals(self.parts, aligned.register, aligned.keys)
        self.parts.ledger.segments()  # only then the ledger knows what was pruned
        pruned = self.parts.ledger.pruned
        held = {}
        for copy in self.parts.copies.copies(reading.register.name, recipient, self.before):
            if copy.mark_key == reading.mark_key and copy.disclosure > pruned:
                held[copy.number] = int(np.isin(found, self.parts.copies.records(copy)).sum())
        most = max(held.values(), default=0)
        return tuple(number for number, count in held.items() if count == most and most)

    def _power(self, main: KeyReading) -> Power:
        symbols: Symbols = as_scored(main.symbols)
        mixture = MIXTURES[main.register.coalition]
        return power_of(symbols, 0.0, self.outcome.log10_threshold, mixture, _POWER_SEED)

    def _leads(self) -> tuple[Lead, ...] | None:
        if self.question.leads_purpose is None:
            return None
        return tuple(
            lead
            for aligned in self.alignments
            for lead in leads_of(self.parts, aligned, self.question.leads_purpose, self.question.found)
        )


def _software() -> str:
    try:
        return f"muniment {version('muniment')}"
    except PackageNotFoundError:
        return "muniment (not installed)"
