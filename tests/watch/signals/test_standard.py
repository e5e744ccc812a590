"""All signals together on a simulated office: exact under any batching, small in state, whatever is missing."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from muniment.simulate.inject import Injected, inject_many
from muniment.simulate.settings import WorldSettings
from muniment.simulate.staging import staged
from muniment.simulate.world import simulate
from muniment.watch.context.tables import Context
from muniment.watch.findings import Finding
from muniment.watch.fold import FoldRules, Watch
from muniment.watch.reads import Names
from muniment.watch.signals.declared import Budget, Budgets
from muniment.watch.signals.standard import standard_signals

ALPHA = 0.02
"""Twenty times the default, so that a short run has findings enough."""


@lru_cache
def attacked() -> Injected:
    world = simulate(WorldSettings(seed=11, accounts=24, days=70, explained=0.84))
    plan = staged(world, ("bulk500", "ten", "three"), world.first_day + 40, seed=1)
    return inject_many(world, plan, seed=2)


def watching() -> Watch:
    """A watch with names of its own, so that one run does not see what another added."""
    spaces = attacked().world.spaces
    own = replace(spaces, account=Names(spaces.account.texts))
    made = Watch(standard_signals(Budgets(Budget(1.8, 0.5))), FoldRules(ALPHA), own)
    made.use(attacked().world.context)
    return made


def fold(made: Watch, cuts: list[int], strangers: int = 0) -> list[Finding]:
    """All findings of the reads in pieces; before each piece some more accounts become known."""
    reads, found = attacked().world.reads, []
    edges = [0, *np.unique(np.searchsorted(reads.sequence, np.array(cuts, np.int64))).tolist(), len(reads)]
    for number, (begin, end) in enumerate(pairwise(edges)):
        made.spaces.account.codes(f"stranger {number} {one}" for one in range(strangers))
        found += made.take(reads.take(slice(begin, end)))
    return found + made.finish()


def test_pieces_of_any_size_give_the_same_findings_bit_for_bit() -> None:
    whole = fold(watching(), [])
    assert {one.kind for one in whole} == {"guaranteed", "estimated"}
    last = int(attacked().world.reads.sequence[-1])
    cuts = np.random.default_rng(1).integers(1, last, 400).tolist()
    assert fold(watching(), cuts) == whole


def test_accounts_that_are_named_sooner_or_later_change_nothing() -> None:
    whole = fold(watching(), [])
    last = int(attacked().world.reads.sequence[-1])
    assert fold(watching(), [last // 3, last // 2], strangers=37) == whole


def test_state_survives_and_is_small() -> None:
    reads = attacked().world.reads
    cut = int(reads.sequence[len(reads) // 2])
    before = watching()
    head = reads.take(reads.sequence <= cut)
    found = before.take(head)
    state = {name: array.copy() for name, array in before.state().items()}
    accounts = len(before.spaces.account)
    kept = sum(array.nbytes for name, array in state.items() if name.startswith("account/"))
    assert kept / accounts <= 2_048
    after = Watch.restore(standard_signals(Budgets(Budget(1.8, 0.5))), FoldRules(ALPHA), state)
    after.use(attacked().world.context)
    after.recall(head.take(head.moment >= after.recall_since))
    found += after.take(reads.take(reads.sequence > cut)) + after.finish()
    assert found == fold(watching(), [])


@pytest.mark.parametrize("missing", ["staff", "cases", "assignments", "households", "family", "orders", "everything"])
def test_what_is_missing_breaks_nothing(missing: str) -> None:
    made = watching()
    context = attacked().world.context
    made.use(Context() if missing == "everything" else replace(context, **{missing: None}))
    found = fold(made, [])
    assert all(np.isfinite(one.log10) for one in found)


def test_bulk_is_found_within_its_own_disclosures() -> None:
    world, harvest = attacked().world, attacked().harvest
    account = attacked().plan[0].accounts[0]
    rows = np.flatnonzero(harvest == 0)
    found = [one for one in fold(watching(), []) if one.unit == "account" and one.code == account and one.sequence]
    inside = [one for one in found if world.reads.sequence[rows[0]] <= one.sequence <= world.reads.sequence[rows[-1]]]
    assert inside, "at a disclosure of the bulk day, not after it"
