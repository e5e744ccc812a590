"""Baselines from PyOD: IForest, ECOD and HBOS on the features of account-days, fitted on the training half.

Each runs twice: on what published detectors look at (`PLAIN`), and with what cases explain (`INFORMED`). PyOD is
installed by `make bench-watch` alone (requirements/bench.txt).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from watch.daily import INFORMED, PLAIN
from watch.tuning import hits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watch.ground import Ground, Hit

SEED: Final = 20_260_701


class Scorer(Protocol):
    """What is asked of a detector of PyOD."""

    def fit(self, values: NDArray[np.float64]) -> object:
        """Learn what is usual."""
        ...

    def decision_function(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How unusual each row is."""
        ...


@dataclass(frozen=True, slots=True)
class Outliers:
    """One detector on one set of features; counts are taken on a log scale."""

    name: str
    make: Callable[[], Scorer]
    features: tuple[str, ...]

    def detect(self, ground: Ground) -> list[Hit]:
        """Account-days that are unusual."""
        rows = ground.daily
        values = np.log1p(rows.of(*self.features))
        scorer = self.make()
        scorer.fit(values[rows.train])
        return hits(rows, np.asarray(scorer.decision_function(values), np.float64), "outlier")


MODELS: Final[Mapping[str, tuple[str, str, Mapping[str, object]]]] = {
    "IForest": ("pyod.models.iforest", "IForest", {"n_estimators": 100, "random_state": SEED}),
    "ECOD": ("pyod.models.ecod", "ECOD", {}),
    "HBOS": ("pyod.models.hbos", "HBOS", {"n_bins": "auto"}),
}


def _maker(name: str) -> Callable[[], Scorer]:
    module, kind, settings = MODELS[name]

    def make() -> Scorer:
        made: Scorer = getattr(importlib.import_module(module), kind)(**settings)
        return made

    return make


def outliers() -> list[Outliers]:
    """All of them, plain and informed."""
    sets = {"": PLAIN, " + cases": INFORMED}
    return [Outliers(name + more, _maker(name), features) for name in MODELS for more, features in sets.items()]
