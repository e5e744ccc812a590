"""What a million disclosed records cost: one fold with every signal, in CPU seconds and memory above the reads."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from measurement import Measurement
from muniment.simulate.settings import WorldSettings
from muniment.simulate.world import simulate
from muniment.watch.fold import FoldRules, Watch
from muniment.watch.signals.declared import Budget, Budgets
from muniment.watch.signals.standard import standard_signals

ACCOUNTS: Final = 320
"""Accounts whose 260 days have some million reads."""
SECONDS: Final = 60.0
MIB: Final = 1_024
STATE: Final = 2_048


def measure(say: Callable[[str], None]) -> tuple[list[Measurement], str]:
    """Claims on time, memory and state, from a process of its own; no section."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        claims, told = pool.submit(_measured).result()
    say(told)
    return claims, ""


def _measured() -> tuple[list[Measurement], str]:
    world = simulate(WorldSettings(seed=77, accounts=ACCOUNTS, days=260, explained=0.84))
    watch = Watch(standard_signals(Budgets(Budget(share=0.5))), FoldRules(), world.spaces)
    begun = time.process_time()
    watch.use(world.context)
    found = [*watch.take(world.reads), *watch.finish()]
    took = (time.process_time() - begun) / len(world.reads) * 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MIB
    state = sum(array.nbytes for name, array in watch.state().items() if name.startswith("account/")) / ACCOUNTS
    days = watch.tally.total("account_days")
    told = f"speed: {len(world.reads):,} reads, {days:,} account-days, {len(found)} findings"
    return [
        Measurement("1 M disclosed records, CPU", f"<= {SECONDS:.0f} s", f"{took:.1f} s", took <= SECONDS),
        Measurement("memory of that process", f"<= {MIB} MiB", f"{peak:,} MiB, the reads included", peak <= MIB),
        Measurement("state an account", f"<= {STATE:,} bytes", f"{state:,.0f} bytes", state <= STATE),
    ], told
