"""How far estimates from samples of 1 % and 10 % are from the truth: match chance by set of columns, uniqueness of six.

    PYTHONPATH=src:tests:bench python bench/exposure/population.py [PERSONS] [SAMPLES]

The register is the population. Sets: all of four, five and six of its six quasi-identifiers, 22 of them. For each and
for each sample (the same for all sets) the match chance and its interval of 95 % are held against the truth. Printed
are the mean relative error over sets and samples, the share of intervals that hold the truth, the error of each set,
and a trial of each model of uniqueness.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from exposure.classes import said
from language import households
from muniment.exposure.classes import classes
from muniment.exposure.extract import Coded
from muniment.exposure.population import COPULA, PITMAN, match_chance, tried, true_match_chance

SETS: Final = tuple(names for size in (4, 5, 6) for names in combinations(households.Q6, size))
FRACTIONS: Final = (0.01, 0.1)


def errors(columns: Sequence[Coded], samples: Sequence[Any], fraction: float) -> list[tuple[float, bool]]:
    """Relative error of the match chance, and whether its interval holds the truth, by sample."""
    population = classes(columns)
    found = []
    for rows in samples:
        of = classes([Coded(one.name, one.codes[rows], one.size) for one in columns])
        first = np.empty(len(of.sizes), np.int64)
        first[of.ids] = rows
        told, truth = match_chance(of, fraction), true_match_chance(of, population.sizes[population.ids[first]])
        if told is not None:
            found.append((abs(told.value / truth - 1), told.low <= truth <= told.high))
    return found


def chances(extract: Any, fraction: float, count: int) -> None:
    """The match chance over all sets."""
    rng = np.random.default_rng(11)
    samples = [np.flatnonzero(rng.random(extract.rows) < fraction).astype(np.uint32) for _ in range(count)]
    begun = time.process_time()
    by_set = {names: errors(extract.chosen(names), samples, fraction) for names in SETS}
    spent = time.process_time() - begun
    pairs = [pair for found in by_set.values() for pair in found]
    worst = min(np.mean([held for _, held in found]) for found in by_set.values() if found)
    print(f"match chance at {fraction:.0%}: {len(SETS)} sets x {count} samples, {len(pairs)} estimates")
    print(
        f"    mean relative error {np.mean([error for error, _ in pairs]):.2%}, interval holds the truth in "
        f"{np.mean([held for _, held in pairs]):.1%} (worst set {worst:.0%})"
    )
    for names, found in by_set.items():
        mean = float(np.mean([error for error, _ in found])) if found else float("nan")
        print(f"    {mean:7.2%}  {len(found):3}  {', '.join(names)}")
    said("muniment", f"all of these at {fraction:.0%}", spent)


def main(persons: int, count: int) -> None:
    """Print the table of one size."""
    extract = households.extract(households.register(persons), households.Q6)
    six = extract.chosen(households.Q6)
    print(f"{persons:,} persons, uniqueness of six {classes(six).uniques / persons:.2%}", flush=True)
    for fraction in FRACTIONS:
        chances(extract, fraction, count)
        for model in (PITMAN, COPULA):
            begun = time.process_time()
            print(f"    {tried(model, six, fraction, 3, np.random.default_rng(7))}")
            said("muniment", f"{model.name} at {fraction:.0%}, three samples", time.process_time() - begun)


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if sys.argv[1:] else 1_000_000, int(sys.argv[2]) if sys.argv[2:] else 30)
