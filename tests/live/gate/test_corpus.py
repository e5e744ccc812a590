"""The corpus through a real gate: rows classed, honest statements attributed, nobody charged for less than came.

Each shape runs under an account of its own. What came is told by an observer who knows which byte is whose; what it was
charged is read from the ledger, as an auditor would.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from gate.corpus.everything import REVEALS, SHAPES
from language.gates import GateBed, Recorded, gate_running
from language.observer import ClosedByServerError, seen
from language.shapes import Shape
from muniment.disclosure import Outcome

pytestmark = pytest.mark.live

HONEST_SHARE = 0.95
REFUSALS = {"42501", "0A000", "08P01"}


@dataclass
class Trial:
    """What became of one shape."""

    shape: Shape
    shown: set[tuple[str, int]]
    rows: int
    states: list[str]
    ended: bool
    recorded: list[Recorded] = field(default_factory=list)

    @property
    def named(self) -> set[int]:
        """Persons that the ledger names, by ordinal."""
        return {one for entry in self.recorded for one in entry.ordinals}

    @property
    def nameless(self) -> int:
        """Persons that were charged without a name."""
        return sum(entry.rows for entry in self.recorded if entry.outcome is Outcome.UNATTRIBUTED)

    @property
    def kind(self) -> str:
        """The class of what came."""
        refused = any(entry.outcome is Outcome.REFUSED for entry in self.recorded) or REFUSALS & set(self.states)
        if self.nameless:
            return "unattributed"
        if self.named:
            return "attributed"
        if refused:
            return "refused"
        return "error" if self.states else "free"


def _run(bed: GateBed, shape: Shape, account: str) -> Trial:
    ended = False
    client = bed.client(account, **dict(shape.options))
    try:
        with client:
            for step in shape.steps:
                client.run(step)
    except (ClosedByServerError, OSError):
        ended = True
    return Trial(shape, seen(client.everything), client.rows, client.states, ended)


@pytest.fixture(scope="module")
def trials() -> Iterator[dict[str, Trial]]:
    with gate_running() as bed:
        accounts = {shape.name: bed.account(f"c_{at}", shape.account) for at, shape in enumerate(SHAPES)}
        found = {shape.name: _run(bed, shape, accounts[shape.name]) for shape in SHAPES}
        assert bed.metrics().get('muniment_gate_reports_total{event="gap"}', 0) >= 0
        bed.stop()
        by_account = defaultdict(list)
        for entry in bed.recorded():
            by_account[entry.account].append(entry)
        for name, trial in found.items():
            trial.recorded = by_account[accounts[name]]
        yield found


def test_there_are_more_than_two_hundred_shapes_and_they_are_sharp(trials: dict[str, Trial]) -> None:
    assert len(trials) >= 200
    assert sum(not shape.honest for shape in SHAPES) >= 80
    assert {shape.name for shape in SHAPES if REVEALS.get(shape.name)} <= trials.keys()
    assert sum(bool(trial.shown) for trial in trials.values()) >= 120


def test_nobody_is_charged_for_less_than_came(trials: dict[str, Trial]) -> None:
    under = {
        name: (len(trial.shown), len(trial.named), trial.nameless)
        for name, trial in trials.items()
        if len(trial.shown) > len(trial.named) + trial.nameless
    }
    assert under == {}


def test_honest_statements_are_attributed(trials: dict[str, Trial]) -> None:
    meant = [trial for trial in trials.values() if trial.shape.honest and "attributed" in trial.shape.expected]
    lost = {trial.shape.name: (trial.kind, trial.states, len(trial.shown), trial.nameless) for trial in meant
            if trial.kind not in trial.shape.expected}  # fmt: skip
    assert len(meant) >= 100
    assert len(lost) <= (1 - HONEST_SHARE) * len(meant), lost


def test_every_shape_ends_as_one_of_its_classes(trials: dict[str, Trial]) -> None:
    wrong = {
        name: (trial.kind, trial.shape.expected, trial.states[:2], len(trial.shown))
        for name, trial in trials.items()
        if trial.kind not in trial.shape.expected and not (trial.kind == "attributed" and not trial.shape.honest)
    }
    assert len(wrong) <= 0.05 * len(trials), wrong
    assert all(trial.shape.ends or not trial.ended for trial in trials.values()), [
        (name, trial.states) for name, trial in trials.items() if trial.ended and not trial.shape.ends
    ]


def test_what_comes_is_of_every_class(trials: dict[str, Trial]) -> None:
    assert set(Counter(trial.kind for trial in trials.values())) >= {"attributed", "unattributed", "refused", "free"}
