"""What safer releases cost and leave: levels chosen over a lattice, and levels by rows; CPU seconds and peak.

    PYTHONPATH=src:tests:bench python bench/exposure/protect.py [PERSONS]   1,000,000 of tests/language/households.py

Beside each optimum stands the other side: every node of the lattice counted, one by one, by the same kernel, so that
the least loss is proved by hand and the nodes left out are seen to be no better. Figures of ARX 3.9.2 (optimal search
by Flash; local recoding) on the same register and hierarchies, measured beforehand on the same kind of machine, are
quoted in the last column; ARX is not run here. Adult: 30,162 rows without missing values, nine columns, 12,960 nodes.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from datasets import adult
from language import households
from muniment.exposure.extract import Coded, Extract, narrowed
from muniment.exposure.hierarchies import Bands, Hierarchy, Rule, Table, Whole, hierarchies
from muniment.exposure.lattice import ClassTable, Goal, checked, mean_losses, optimal, table_of
from muniment.exposure.recode import full_domain, local

GOAL: Final = Goal(k=5, limit=0.02)
ARX: Final = {
    "register, optimal": "ARX 22.3 s, 1,242 MB, [0, 2, 2, 0, 0, 2], 16,761 suppressed, 0.958",
    "Adult, optimal": "ARX 2.95 s, 482 MB, 0.604, 506 suppressed (by its own loss)",
    "Adult, local": "ARX 8.02 s, 715 MB, 0.932",
}


def _nations() -> Table:
    groups = {str(code): (f"group {min(code, 1) + code // 10}", "foreign" if code else "home") for code in range(61)}
    return Table(groups, ("group", "home or foreign"))


REGISTER_RULES: Final[dict[str, Rule]] = {
    "sex": Whole(),
    "birth_year": Bands((5, 10, 20)),
    "town": Bands((4, 16, 96)),
    "marital": Whole(),
    "edu": Bands((2, 4)),
    "nation": _nations(),
}


def _grouped(groups: dict[str, str], *names: str) -> Table:
    """A table from the texts of its groups: "coarse/coarser" to the values in it."""
    parents = {value: tuple(group.split("/")) for group, values in groups.items() for value in values.split()}
    return Table(parents, names)


YEARS: Final = (5, 10, 20)
ADULT_RULES: Final[dict[str, Rule]] = {
    "sex": Whole(),
    "age": Table({str(age): tuple(str((age - 1) // w) for w in YEARS) for age in range(1, 101)}, ("5", "10", "20")),
    "race": Whole(),
    "marital-status": _grouped(
        {
            "with spouse": "Married-civ-spouse Married-AF-spouse",
            "without": "Divorced Never-married Separated Widowed Married-spouse-absent",
        },
        "spouse",
    ),
    "education": _grouped(
        {
            "college/higher": "Bachelors Some-college",
            "trade/higher": "Prof-school Assoc-acdm Assoc-voc",
            "graduate/higher": "Masters Doctorate",
            "high school/secondary": "7th-8th 9th 10th 11th 12th HS-grad",
            "school/primary": "Preschool 1st-4th 5th-6th",
        },
        "kind",
        "stage",
    ),
    "native-country": _grouped(
        {
            "North America": "United-States Puerto-Rico Canada Outlying-US(Guam-USVI-etc) Cuba Honduras Jamaica Mexico "
            "Dominican-Republic Haiti Guatemala Nicaragua El-Salvador",
            "South America": "Ecuador Columbia Trinadad&Tobago Peru",
            "Asia": "Cambodia India Japan China Iran Philippines Vietnam Laos Taiwan Thailand Hong",
            "Europe": "England Germany Greece Italy Poland Portugal Ireland France Hungary Scotland Yugoslavia "
            "Holand-Netherlands",
            "Africa": "South",
        },
        "continent",
    ),
    "workclass": _grouped(
        {
            "private": "Private Self-emp-not-inc Self-emp-inc",
            "state": "Federal-gov Local-gov State-gov",
            "none": "Without-pay Never-worked",
        },
        "sector",
    ),
    "occupation": _grouped(
        {
            "technical": "Tech-support Craft-repair Prof-specialty Machine-op-inspct",
            "trade": "Sales Exec-managerial Handlers-cleaners",
            "other": "Other-service Adm-clerical Farming-fishing Transport-moving Priv-house-serv Protective-serv "
            "Armed-Forces",
        },
        "kind",
    ),
    "income": Whole(),
}


def adult_extract() -> Extract:
    """The nine columns of the rows without a missing value."""
    table = adult()
    cells = [table.cells[table.columns.index(name)] for name in ADULT_RULES]
    rows = [row for row in zip(*cells, strict=True) if not {"?", None} & set(row)]
    columns = []
    for name, values in zip(ADULT_RULES, zip(*rows, strict=True), strict=True):
        known, codes = np.unique(np.array(values), return_inverse=True)
        labels = tuple(map(str, known.tolist()))
        columns.append(Coded(name, narrowed(codes, len(known)), len(known), labels=labels))  # type: ignore[arg-type]
    return Extract(tuple(columns), len(rows))


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, and what it gave."""
    begun = time.process_time()
    given = call()
    return time.process_time() - begun, given


def said(what: str, seconds: float, result: str, beside: str = "") -> None:
    """One line of the table."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:28} {seconds:7.3f} s CPU {peak:6,.0f} MB   {result}{'   | ' if beside else ''}{beside}", flush=True)


def every_node(table: ClassTable, found: tuple[Hierarchy, ...]) -> tuple[int, float]:
    """How many nodes reach the goal, and the least loss of them: each one counted."""
    losses = mean_losses(table.codes, table.rows, found)
    most, reached = GOAL.most(table.total), []
    for levels in np.ndindex(losses.shape):
        check = checked(table, found, levels, GOAL.k)
        if check.suppressed <= most:
            reached.append(float(losses[levels]) + check.penalty / table.total)
    return len(reached), min(reached)


def measure(name: str, extract: Extract, rules: dict[str, Rule]) -> None:
    """All lines of one extract."""
    seconds, (found, table) = timed(lambda: (hierarchies(extract.columns, rules), table_of(extract.columns)))
    said(f"{name}, prepared", seconds, f"{extract.rows:,} rows, {len(table.rows):,} classes")
    seconds, choice = timed(lambda: optimal(table, found, GOAL))
    result = f"{list(choice.levels)}, {choice.suppressed} suppressed, {choice.granularity:.4f}"
    result = f"{result}, {choice.counted} of {choice.nodes:,} nodes"
    said(f"{name}, optimal", seconds, result, ARX.get(f"{name}, optimal", ""))
    seconds, (reached, least) = timed(lambda: every_node(table, found))
    same = "equal" if abs(1 - least - choice.granularity) < 1e-9 else "NOT EQUAL"
    said(f"{name}, every node counted", seconds, f"{reached:,} nodes reach the goal, best {1 - least:.4f}: {same}")
    seconds, recoded = timed(lambda: full_domain(extract, table, found, choice.levels, GOAL.k))
    said(f"{name}, recoded", seconds, f"{recoded.extract.rows:,} rows kept")
    seconds, recoded = timed(lambda: local(extract, table, found, GOAL))
    least_size = table_of(recoded.extract.columns).rows.min()
    result = f"{recoded.suppressed} suppressed, {recoded.granularity:.4f}, k reached: {least_size >= GOAL.k}"
    said(f"{name}, local", seconds, result, ARX.get(f"{name}, local", ""))


def main() -> None:
    """Both extracts, after a small one that compiles."""
    persons = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    small = households.extract(households.register(2_000), households.Q6)
    found, table = hierarchies(small.columns, REGISTER_RULES), table_of(small.columns)
    seconds, _ = timed(lambda: (optimal(table, found, GOAL), local(small, table, found, GOAL)))
    said("compiled, or from the cache", seconds, "")
    measure("register", households.extract(households.register(persons), households.Q6), REGISTER_RULES)
    measure("Adult", adult_extract(), ADULT_RULES)


if __name__ == "__main__":
    main()
