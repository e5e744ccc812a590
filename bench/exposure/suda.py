"""Minimal sample uniques of six and of nine columns: CPU seconds and peak.

    PYTHONPATH=src:tests:bench python bench/exposure/suda.py [PERSONS]

The other side, sdcMicro 5.8.1 (C++), took 11.3 s (719 MB) and 50.5 s (960 MB) of CPU on the same register of 1,000,000
on the machine of these figures; it has no package for Python, so that it is not run here.
"""

from __future__ import annotations

import sys
import time

from exposure.classes import said
from language import households
from muniment.exposure.suda import suda


def main(persons: int) -> None:
    """Print the table."""
    warm = households.extract(households.register(2_000), households.Q9)
    begun = time.process_time()
    suda(warm.columns)
    said("muniment", "compiled, or fetched from the cache of code", time.process_time() - begun)
    extract = households.extract(households.register(persons), households.Q9)
    said("muniment", f"{persons:,} persons made and coded", 0.0)
    for names in (households.Q6, households.Q9):
        begun = time.process_time()
        told = suda(extract.chosen(names))
        said("muniment", f"{len(names)} columns, {2 ** len(names) - 1} sets", time.process_time() - begun)
        print(f"          within 1, 2, ... columns: {', '.join(map(str, told.within))}")
        print(f"          {', '.join(f'{one.column} {one.share:.0%}' for one in told.contributions)}")


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if sys.argv[1:] else 1_000_000)
