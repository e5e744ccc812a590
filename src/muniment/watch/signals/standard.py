"""The signals of a watch, in the order in which alerts list them; adding one is a line here and its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from muniment.watch.signals.budget import BudgetSignal
from muniment.watch.signals.burst import Burst
from muniment.watch.signals.caseload import CaseloadSignal
from muniment.watch.signals.challenge import ChallengeSignal
from muniment.watch.signals.coverage import Coverage
from muniment.watch.signals.decoy import DecoySignal
from muniment.watch.signals.expected import ExpectedSignal
from muniment.watch.signals.pursuit import Pursuit
from muniment.watch.signals.share import ShareSignal
from muniment.watch.signals.split import Split
from muniment.watch.signals.takeover import Takeover
from muniment.watch.signals.volume import Volume
from muniment.watch.signals.waking import Waking

if TYPE_CHECKING:
    from muniment.watch.signals import Signal
    from muniment.watch.signals.challenge import Due
    from muniment.watch.signals.declared import Budgets


@dataclass(frozen=True, slots=True)
class Declared:
    """What an owner declares beside budgets. `due`: outcomes of challenges by local day, `None` where none are drawn.

    `coin`: whether every decoy was drawn for its account by a logged coin.
    """

    due: Due | None = None
    coin: bool = False


def standard_signals(budgets: Budgets, declared: Declared = Declared()) -> tuple[Signal, ...]:
    """All signals that these declarations allow; a joined value is a mean over them."""
    declares = (budgets.default, *budgets.offices.values(), *budgets.accounts.values())
    share = (ShareSignal(budgets),) if any(one.share is not None for one in declares) else ()
    challenge = () if declared.due is None else (ChallengeSignal(declared.due),)
    return (
        BudgetSignal(budgets),
        *share,
        *challenge,
        DecoySignal(coin=declared.coin),
        ExpectedSignal(),
        CaseloadSignal(),
        Volume(),
        Burst(),
        Takeover(),
        Waking(),
        Coverage(),
        Pursuit(),
        Split(),
    )
