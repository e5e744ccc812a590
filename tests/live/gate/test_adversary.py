"""An adversary with an account of its own and a case-load never holds more persons than it is charged for.

Both sides are counted apart: the observer looks for secret cells in the bytes that came, the charge is in the ledger.
Whoever was charged once may be read again for nothing, so what counts is distinct persons over the whole run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest

from gate.corpus.everything import SHAPES
from language.adversary import Adversary
from language.gates import OPEN, GateBed, gate_running
from language.guarded_registers import person_key
from language.observer import Client, ClosedByServerError, Messages, seen
from muniment.disclosure import Outcome

pytestmark = pytest.mark.live
BUDGETS = (0, 5, 60, 250)
POLICY = OPEN + "".join(f"\n[accounts.poor_{n}]\npersons = {{ day = {n} }}\n" for n in BUDGETS)
HARMFUL = [shape for shape in SHAPES if not shape.honest and shape.account in ("insider", "clerk")]
STATEMENTS = 120
CASELOAD = 4
"""Persons whom the adversary reads honestly before it begins."""


@pytest.fixture(scope="module")
def bed() -> Iterator[GateBed]:
    with gate_running(policy=POLICY) as made:
        for n in BUDGETS:
            made.account(f"poor_{n}", "insider")
        yield made


class Haul:
    """Everything that one account got, over all its sessions."""

    def __init__(self, bed: GateBed, account: str) -> None:
        self.bed, self.account = bed, account
        self.seen: set[tuple[str, int]] = set()
        self.client: Client | None = None
        self.said: list[object] = []

    def ask(self, *steps: str | Messages) -> None:
        """Run steps in the session under way, or in a new one where there is none."""
        self.said.append(steps)
        if self.client is None:
            self.client = self.bed.client(self.account).__enter__()
        del self.client.received[:], self.client.cells[:]
        try:
            for step in steps:
                self.client.run(step)
        except (ClosedByServerError, OSError):
            self.leave()
            return
        finally:
            if self.client is not None:
                self.seen |= seen(self.client.everything)
        with suppress(ClosedByServerError, OSError):
            self.client.run("ROLLBACK")

    def leave(self) -> None:
        if self.client is not None:
            self.seen |= seen(self.client.everything)
            self.client.vanish()
        self.client = None

    def charged(self) -> int:
        records = self.bed.recorded(self.account)
        named = {one for record in records if record.outcome is not Outcome.REFUSED for one in record.ordinals}
        return len(named) + sum(one.rows for one in records if one.outcome is Outcome.UNATTRIBUTED)


def attack(haul: Haul, chance: Random, statements: int) -> None:
    """A random run: case-load first, then statements of the grammar and shapes of the corpus in any order."""
    keys = ", ".join(str(person_key(n)) for n in range(CASELOAD))
    haul.ask(f"SELECT id, surname, address FROM office.person WHERE id IN ({keys})")
    adversary = Adversary(chance)
    for _ in range(statements):
        if chance.random() < 0.15:
            haul.leave()
        if chance.random() < 0.4:
            haul.ask(*chance.choice(HARMFUL).steps)
        else:
            haul.ask(*adversary.steps())
    haul.leave()


@pytest.mark.parametrize("seed", range(3))
def test_never_more_than_charged(bed: GateBed, seed: int) -> None:
    haul = Haul(bed, bed.account(f"rich_{seed}", "insider"))
    attack(haul, Random(seed), STATEMENTS)
    assert len(haul.seen) <= haul.charged(), haul.said[-3:]


@pytest.mark.parametrize("seed", range(40))
def test_no_single_statement_is_under_charged(bed: GateBed, seed: int) -> None:
    haul = Haul(bed, bed.account(f"single_{seed}", "insider"))
    steps = Adversary(Random(seed + 1_000)).steps()
    haul.ask(*steps)
    haul.leave()
    assert len(haul.seen) <= haul.charged(), steps


@pytest.mark.parametrize("budget", BUDGETS)
def test_never_past_its_budget(bed: GateBed, budget: int) -> None:
    haul = Haul(bed, f"poor_{budget}")
    attack(haul, Random(budget), STATEMENTS)
    assert len(haul.seen) <= budget
    assert len(haul.seen) <= haul.charged()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(30))
def test_never_more_than_charged_for_long(bed: GateBed, seed: int) -> None:
    haul = Haul(bed, bed.account(f"long_{seed}", "insider"))
    attack(haul, Random(seed + 50_000), 10 * STATEMENTS)
    assert len(haul.seen) <= haul.charged()
