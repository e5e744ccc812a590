"""The verdict of a trace as frozen values: what a report, a bundle and `--json` are made from.

Rules
1. Nothing here belongs to a candidate that is not named, except the nameless histogram.
2. No cell of the leak is kept beyond the examples of the column mapping, and no tie between a row and a record at all.
3. A score is a number; a verdict is the decision with its bound, and the bound is never printed without `assumptions`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from muniment.trace.assumptions import assumptions
from muniment.trace.scale import log10_e_over_n, phrase_key

JsonValue = object

HISTOGRAM_FLOOR: Final = 20
"""Fewest symbols read, and fewest candidates counted, at which a nameless histogram is shown: a count of one or two
would be the score of somebody (evidence.md section 2)."""
ONE_FORM: Final = 0.05
"""A family counts as rewritten to one form where the other form is seen in at most this share of what was expected."""
LEANING_SIGMAS: Final = 6.0
"""A family leans where its ones lie this many standard deviations from what an unmixed copy shows."""
ROWS: Final = "rows"
"""The column name of structural families (rows left out, put in, or put in order): they have no forms to rewrite."""
FEW: Final = 10
"""Below so many symbols nothing is said about a family."""


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """One column of the leak and the register column it was taken for. `overlap` is a share of distinct values."""

    leak_column: str
    column: str | None
    overlap: float
    fixed: bool
    """Fixed by the user with `--map`."""
    examples: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Up to three (leaked, register's normal form) pairs; empty where the user switched examples off."""

    def to_json(self, *, examples: bool = True) -> dict[str, JsonValue]:
        """The match as plain values; without examples no value of the leak is among them."""
        return {
            "leak_column": self.leak_column,
            "column": self.column,
            "overlap": self.overlap,
            "fixed": self.fixed,
            "examples": [list(pair) for pair in self.examples] if examples else [],
        }


@dataclass(frozen=True, slots=True)
class FamilyReading:
    """What was read of one family (carrier and column): counts of addresses, no bits."""

    carrier: str
    column: str
    slots: int
    """Addresses of aligned records where the register has a place for this mark."""
    read: int
    erased: int
    """No form left (normalised away), or changed in the register since (written back)."""
    ones: float
    """Share of the read symbols that show 1."""
    expected_ones: float
    """Mean bias of the read addresses: what an unmixed marked copy shows on average."""

    @property
    def state(self) -> str:
        """What happened to the family, from the readings and biases alone.

        `intact`, `one_form` (rewritten to one form), `leaning` (re-spelled in part towards one form), `gone` and
        `thinned` (normalised away, in whole or in part), `few` (too few to tell), `absent` (no place for a mark).
        Erased symbols and rewritten ones are told apart: the first count as nothing, the second were read.
        """
        if not self.slots:
            return "absent"
        if not self.read:
            return "gone"
        if self.read < FEW:
            return "few"
        if self.column == ROWS:
            return "intact"
        return self._reading_state() or ("thinned" if self.erased > self.read else "intact")

    def _reading_state(self) -> str:
        """`one_form` or `leaning` where the share of ones shows it, else the empty string."""
        rarer_expected = min(self.expected_ones, 1 - self.expected_ones)
        for seen, expected in ((self.ones, self.expected_ones), (1 - self.ones, 1 - self.expected_ones)):
            if expected * self.read >= FEW and seen <= ONE_FORM * expected:
                return "one_form"
        spread = math.sqrt(rarer_expected * (1 - rarer_expected) / self.read)
        return "leaning" if abs(self.ones - self.expected_ones) > LEANING_SIGMAS * spread else ""

    def to_json(self) -> dict[str, JsonValue]:
        """The counts and the state as plain values."""
        return {
            "carrier": self.carrier,
            "column": self.column,
            "slots": self.slots,
            "read": self.read,
            "erased": self.erased,
            "ones": self.ones,
            "expected_ones": self.expected_ones,
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class FamilyEvidence:
    """The share of a named recipient's evidence that one family brings; the shares add up to log10_e.

    With an empty carrier and column it is the rest: the price of averaging over noise and coalition sizes (negative),
    or the gain where whole rows explain the leak better.
    """

    carrier: str
    column: str
    symbols: int
    agreeing: int
    log10_e: float

    @property
    def mixing(self) -> bool:
        """Whether this is the mixing term and not a family."""
        return not self.carrier and not self.column

    def to_json(self) -> dict[str, JsonValue]:
        """The share as plain values; the mixing term has empty `carrier` and `column`."""
        return {
            "carrier": self.carrier,
            "column": self.column,
            "symbols": self.symbols,
            "agreeing": self.agreeing,
            "log10_e": self.log10_e,
        }


@dataclass(frozen=True, slots=True)
class Named:
    """A recipient whose codeword passed the threshold. `copies` hold the leaked rows: a lead without a bound."""

    recipient: str
    number: int
    log10_e: float
    copies: tuple[int, ...]
    evidence: tuple[FamilyEvidence, ...]
    mark_key: str
    register: str = ""
    """The register under which the codeword was scored, where one examination scored several."""

    def to_json(self, candidates: int) -> dict[str, JsonValue]:
        """The named recipient as plain values; `phrase` is a key of the verbal scale, read at log10 (E/n)."""
        over_n = log10_e_over_n(self.log10_e, candidates)
        return {
            "recipient": self.recipient,
            "number": self.number,
            "log10_e": self.log10_e,
            "log10_e_over_n": over_n,
            "phrase": phrase_key(over_n),
            "copies": list(self.copies),
            "evidence": [share.to_json() for share in self.evidence],
            "mark_key": self.mark_key,
            "register": self.register,
        }


@dataclass(frozen=True, slots=True)
class Power:
    """What this many readable symbols could have shown: P(a sole source would be named), from symbols alone."""

    symbols: int
    noise: float
    probability: float
    symbols_for_95: int

    def to_json(self) -> dict[str, JsonValue]:
        """The power as plain values."""
        return {
            "symbols": self.symbols,
            "noise": self.noise,
            "probability": self.probability,
            "symbols_for_95": self.symbols_for_95,
        }


@dataclass(frozen=True, slots=True)
class Histogram:
    """log10 E of the candidates that are not named, without names: `counts[i]` from `edges[i]` to `edges[i+1]`."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lead:
    """A recipient that received leaked records, beside what its office alone would explain. Not evidence."""

    recipient: str
    records_held: int
    expected_by_office: float

    def to_json(self) -> dict[str, JsonValue]:
        """The lead as plain values."""
        return {
            "recipient": self.recipient,
            "records_held": self.records_held,
            "expected_by_office": self.expected_by_office,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one leak, with everything that must be said beside it (evidence.md section 7)."""

    file: str
    file_digest: str
    register: str
    named: tuple[Named, ...]
    candidates: int
    examination: int
    alpha: float
    log10_threshold: float
    rows_read: int
    rows_aligned: int
    symbols_read: int
    symbols_erased: int
    families: tuple[FamilyReading, ...]
    mapping: tuple[ColumnMatch, ...]
    histogram: Histogram | None
    """None below 20 addresses."""
    power: Power
    checkpoint: str
    """Journal head that fixes the candidates: sequence number and digest."""
    key_commitments: Mapping[str, str]
    """Mark key id -> commitment logged when the key was made."""
    evidential: bool
    """False where a row was removed by hand after a score."""
    time: datetime
    software: str
    leads: tuple[Lead, ...] | None = None
    opened: int = 0
    """Recipients for whom symbols read here were opened by an earlier bundle: those read as erased for them."""

    @property
    def verdict(self) -> str:
        """`named` or `none`."""
        return "named" if self.named else "none"

    @property
    def ranked(self) -> tuple[Named, ...]:
        """The named in order of evidence, strongest first; equal evidence in order of recipient numbers."""
        return tuple(sorted(self.named, key=lambda named: (-named.log10_e, named.number)))

    @property
    def shown_histogram(self) -> Histogram | None:
        """The histogram if it counts enough candidates over enough symbols to belong to nobody, else `None`."""
        if self.histogram is None or self.symbols_read < HISTOGRAM_FLOOR:
            return None
        return self.histogram if sum(self.histogram.counts) >= HISTOGRAM_FLOOR else None

    def to_json(self, lang: str = "en", *, examples: bool = True) -> dict[str, JsonValue]:
        """The documented JSON of `muniment trace --json` (docs/json.md); `lang` is that of the assumptions' sentences.

        `leads` is there only when they were asked for; without `examples` no value of the leak is in it.
        """
        shown = self.shown_histogram
        value: dict[str, JsonValue] = {
            "verdict": self.verdict,
            "named": [named.to_json(self.candidates) for named in self.ranked],
            "candidates": self.candidates,
            "examination": self.examination,
            "alpha": self.alpha,
            "log10_threshold": self.log10_threshold,
            "rows": {"read": self.rows_read, "aligned": self.rows_aligned},
            "symbols": {"read": self.symbols_read, "erased": self.symbols_erased},
            "families": [family.to_json() for family in self.families],
            "mapping": [match.to_json(examples=examples) for match in self.mapping],
            "histogram": {"edges": list(shown.edges), "counts": list(shown.counts)} if shown else None,
            "power": self.power.to_json(),
            "assumptions": [assumption.to_json() for assumption in assumptions(self, lang)],
            "file": {"name": self.file, "sha256": self.file_digest},
            "register": self.register,
            "checkpoint": self.checkpoint,
            "key_commitments": dict(sorted(self.key_commitments.items())),
            "evidential": self.evidential,
            "opened": self.opened,
            "time": self.time.isoformat(),
            "software": self.software,
        }
        if self.leads is not None:
            value["leads"] = [lead.to_json() for lead in self.leads]
        return value
