"""What must be said beside every bound (evidence.md section 7): sentences with a key, in both languages.

Rules
1. Whoever prints a bound prints these sentences with it; nothing here depends on whether somebody was named.
2. Where a row was removed by hand after a score, the sentence that the bound does not hold comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from muniment.messages import count, percent, text


class PowerFacts(Protocol):
    """What this many symbols could have shown; `verdict.Power` is one."""

    @property
    def symbols(self) -> int: ...
    @property
    def noise(self) -> float: ...
    @property
    def probability(self) -> float: ...
    @property
    def symbols_for_95(self) -> int: ...


class Facts(Protocol):
    """The facts of a verdict that its assumptions name; `verdict.Verdict` has them."""

    @property
    def candidates(self) -> int: ...
    @property
    def examination(self) -> int: ...
    @property
    def alpha(self) -> float: ...
    @property
    def checkpoint(self) -> str: ...
    @property
    def evidential(self) -> bool: ...
    @property
    def power(self) -> PowerFacts: ...


@dataclass(frozen=True, slots=True)
class Assumption:
    """One sentence: `key` is stable and part of `--json`, `text` is for people."""

    key: str
    text: str

    def to_json(self) -> dict[str, object]:
        """The key and the sentence."""
        return {"key": self.key, "text": self.text}


def chance(power: PowerFacts, lang: str) -> str:
    """The probability of naming a sole source, in words where a simulation of some 200 runs says no more than that."""
    if power.probability >= 1.0:
        return text("power.nearly_one", lang)
    if power.probability <= 0.0:
        return text("power.nearly_zero", lang)
    return percent(power.probability)


def needed(power: PowerFacts, lang: str) -> str:
    """How many symbols give 95 %, or that no number of them does (`symbols_for_95` of 0)."""
    if not power.symbols_for_95:
        return text("power.never", lang)
    return text("power.needed", lang, needed=count(power.symbols_for_95))


def assumptions(facts: Facts, lang: str) -> tuple[Assumption, ...]:
    """Return every sentence that must stand beside the bound of this verdict, in order."""
    values: dict[str, dict[str, object]] = {
        "key_secret": {},
        "copy_not_person": {},
        "aes_random": {},
        "counted": {
            "candidates": count(facts.candidates),
            "examination": facts.examination,
            "checkpoint": facts.checkpoint,
            "thousand": f"{1000 * facts.alpha:g}",
        },
        "power": {
            "symbols": count(facts.power.symbols),
            "noise": percent(facts.power.noise),
            "probability": chance(facts.power, lang),
            "needed": needed(facts.power, lang),
        },
    }
    if not facts.evidential:
        values = {"not_evidential": {}, **values}
    return tuple(Assumption(key, text(f"assumption.{key}", lang, **given)) for key, given in values.items())
