"""Claim: a single leaker is named although 40 % of the symbols of the file were re-spelled at random.

Data, leaks and trials as in b01_single_leaker.py; of the symbols of each leak 40 %, drawn at random, are written anew
with a bit drawn at random. Takes about 90 s.
"""

from __future__ import annotations

import numpy as np

from b01_single_leaker import SEED, THREE, leaks, named
from datasets import febrl
from measurement import Measurement
from trials import Office, trials

SYMBOLS = {1: 190, 10: 500}
SHARE = 0.4


def main() -> list[Measurement]:
    """Re-spelled files, for both coalition sizes."""
    found = []
    for coalition, symbols in SYMBOLS.items():
        office = Office(febrl(), "rec_id", coalition=coalition, seed=SEED + coalition, leakers=40)
        random = np.random.default_rng(SEED + 70 + coalition)
        for columns, left, count in ((THREE, "3 columns left", 200), (febrl().columns[1:], "all columns", 20)):
            claim = f"coalition {coalition}, 40 % of the symbols re-spelled: the leaker alone is named; {left}"
            done = list(leaks(office, random, columns, symbols, SHARE, trials(count)))
            found += named(claim, done, symbols)[: 2 if columns == THREE else 1]
    return found


if __name__ == "__main__":
    for measurement in main():
        print(measurement)
