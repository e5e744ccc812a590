"""What a benchmark hands to the runner: one claim, what was wanted, what was measured, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table. `wanted` and `measured` carry their units; `holds` is the benchmark's own judgement."""

    claim: str
    wanted: str
    measured: str
    holds: bool
