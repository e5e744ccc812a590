"""What became of an audit log: counts, faults by line, and what can no longer be answered from it.

Rules
1. A fault has a line number and a reason from this package's own words; nothing that stood in the line.
2. `Policy.STRICT` ends at the first fault; `Policy.SKIP` counts it and goes on. Only the first FAULTS_KEPT are kept.
3. Every entry is counted once: as a reading, as no disclosure, as unclear, as unnamed, as a repetition, or as a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from muniment.disclosure import Outcome
from muniment.errors import InputError
from muniment.ingest.audit.reading import Reading

FAULTS_KEPT: Final = 100
"""Faults that are kept with line and reason; the others are counted only. More than a person reads."""


class Policy(StrEnum):
    """What a malformed line does."""

    STRICT = "strict"
    SKIP = "skip"


class Question(StrEnum):
    """What a ledger is asked; the value is the name of the question in JSON."""

    WHO_RECEIVED = "who_received_person"
    """Who received one person's record."""
    OVERLAP = "overlap_with_leak"
    """How many of the persons in a leak a recipient had received."""
    RECEIVED = "records_of_account"
    """Which records one account received in a window."""
    GIVEN = "asked_or_given"
    """Whether a record that was asked for was also given."""
    ROWS = "rows"
    """How many rows left."""
    COLUMNS = "columns"
    """Which columns left; without an answer, all of them must be assumed."""
    RECIPIENT = "recipient"
    """To whom, beyond the account."""
    PURPOSE = "purpose"
    """What for."""
    CASE = "case"
    """For which case or ticket."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be read: its number, how many lines went with it, and why."""

    line: int
    reason: str
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over one log. `unanswered` holds, for each question, the readings that leave it open (0 left out)."""

    form: str
    readings: int
    keyed: int
    counted: int
    """Readings without keys: rows left, and nobody can tell whose."""
    other: int
    """Entries that are no disclosure: writes, connections, messages of the server."""
    unclear: int
    """Entries that do not say whether records left."""
    unnamed: int
    """Reads that name no relation of any register; a view or function may still have read one."""
    repeated: int
    """Further entries about one statement and register."""
    lost_lines: int
    reasons: tuple[tuple[str, int], ...]
    faults: tuple[Fault, ...]
    unanswered: tuple[tuple[Question, int], ...]

    @property
    def count_only(self) -> bool:
        """Whether this log, as a whole, names no record: it can be kept, but answers nothing about a person."""
        return self.readings > 0 and not self.keyed


@dataclass(slots=True)
class Tally:
    """The running counts of one log; owned by the reader, filled by its source."""

    name: str
    policy: Policy
    readings: int = 0
    keyed: int = 0
    other: int = 0
    unclear: int = 0
    unnamed: int = 0
    repeated: int = 0
    lost_lines: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    open: dict[Question, int] = field(default_factory=dict)

    def refuse(self, line: int, reason: str, lines: int = 1) -> None:
        """Count a fault; `InputError` with the line under `Policy.STRICT`."""
        if self.policy is Policy.STRICT:
            raise InputError(f"{self.name}: line {line}: {reason}", hint="mend the log, or skip what cannot be read")
        self.lost_lines += lines
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(Fault(line, reason, lines))

    def count(self, reading: Reading) -> None:
        """Count a reading, and the questions that it leaves open."""
        self.readings += 1
        self.keyed += reading.keys is not None
        for question in left_open(reading):
            self.open[question] = self.open.get(question, 0) + 1

    def summary(self, form: str) -> Summary:
        """The counts so far as a value."""
        return Summary(
            form=form,
            readings=self.readings,
            keyed=self.keyed,
            counted=self.readings - self.keyed,
            other=self.other,
            unclear=self.unclear,
            unnamed=self.unnamed,
            repeated=self.repeated,
            lost_lines=self.lost_lines,
            reasons=tuple(sorted(self.reasons.items())),
            faults=tuple(self.faults),
            unanswered=tuple((question, self.open[question]) for question in Question if question in self.open),
        )


def left_open(reading: Reading) -> tuple[Question, ...]:
    """The questions that one reading cannot answer. A refused request gave nothing, so nothing of that is open."""
    questions: list[Question] = []
    if reading.outcome is not Outcome.REFUSED:
        if reading.keys is None:
            questions += [Question.WHO_RECEIVED, Question.OVERLAP, Question.RECEIVED]
        elif reading.keys and not reading.exact:
            questions.append(Question.GIVEN)
        unknown = ((Question.ROWS, reading.rows), (Question.COLUMNS, reading.columns))
        questions += [question for question, value in unknown if value is None]
    named = (
        (Question.RECIPIENT, reading.party.recipient),
        (Question.PURPOSE, reading.purpose),
        (Question.CASE, reading.case),
    )
    return (*questions, *(question for question, text in named if not text))
