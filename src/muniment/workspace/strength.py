"""How many symbols it takes to trace a copy of a register: simulated on its law, for its number of recipients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muniment.disclosure import Register
from muniment.evidence import log10_threshold
from muniment.marks.plan import Plan
from muniment.trace.power import symbols_for
from muniment.trace.score import MIXTURES, Symbols
from muniment.workspace.parts import Parts

_SAMPLE = 4_096
_SEED = 1


@dataclass(frozen=True, slots=True)
class Strength:
    """Readable symbols from which a sole source is named with 95 % chance; 0 where no number suffices."""

    symbols_for_95: int


def strength_of(parts: Parts, register: Register, plan: Plan) -> Strength:
    """The strength of the next copies of a register, against all recipients numbered so far."""
    if not plan.cells:
        return Strength(0)
    rng = np.random.default_rng(_SEED)
    family = rng.integers(0, len(plan.cells), _SAMPLE).astype(np.uint16)
    tables = [np.asarray(cell.law.table, np.uint32) for cell in plan.cells]
    threshold = np.array([tables[f][rng.integers(0, len(tables[f]))] for f in family], np.uint32)
    ones = np.ones(_SAMPLE)
    symbols = Symbols(np.arange(_SAMPLE, dtype=np.uint32), family, threshold, ones, ones)
    candidates = max(2, len(parts.copies.known_recipients()))
    wanted = log10_threshold(candidates, parts.config.workspace.alpha)
    return Strength(symbols_for(0.95, symbols, 0.0, wanted, MIXTURES[register.coalition], rng))
