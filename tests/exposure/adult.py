"""Adult (Census Income, UCI, 1996) as an extract: 30,162 rows without an empty cell, codes in the order of values."""

import csv
import gzip
from pathlib import Path

import numpy as np

from muniment.exposure.extract import Coded, Extract, narrowed

EIGHT = "age workclass education marital-status occupation race sex native-country".split()
NUMBERS = {"age", "hours-per-week"}


def adult(shared_data: Path) -> Extract:
    with gzip.open(shared_data / "adult_train.csv.gz", "rt") as file:
        head, *rows = list(csv.reader(file, skipinitialspace=True))
    kept = [row for row in rows if "?" not in row]
    columns = zip(head, zip(*kept, strict=True), strict=True)
    return Extract(tuple(_coded(name, values) for name, values in columns), len(kept))


def _coded(name: str, values: tuple[str, ...]) -> Coded:
    ordered = name in NUMBERS
    known, codes = np.unique(np.array(values, np.int64 if ordered else np.str_), return_inverse=True)
    labels = tuple(map(str, known.tolist()))
    return Coded(name, narrowed(codes, len(known)), len(known), ordered=ordered, labels=labels)
