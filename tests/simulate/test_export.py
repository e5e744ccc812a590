"""Files of a world: every table, keys that fit together, the truth apart, and nothing overwritten."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from language.simulated import world
from muniment.errors import InputError
from muniment.simulate.export import write
from muniment.simulate.inject import Injected, inject_many
from muniment.simulate.staging import staged


@pytest.fixture(scope="module")
def injected() -> Injected:
    one = world(4, accounts=12, days=60)
    return inject_many(one, staged(one, ["ten"], one.first_day + 25, 1), 1)


@pytest.fixture(scope="module")
def folder(injected: Injected, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("files") / "out"
    write(injected, out)
    return out


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_table_is_written(folder: Path) -> None:
    names = "staff cases covers assignments households family calendar shifts jobs orders reads truth"
    found = {path.name for path in folder.iterdir()}
    assert {f"{name}.csv" for name in names.split()} <= found
    assert {"covers-businesses.csv", "orders-businesses.csv"} <= found


def test_reads_are_all_there_and_their_keys_are_known(injected: Injected, folder: Path) -> None:
    reads = rows(folder, "reads.csv")
    assert len(reads) == len(injected.world.reads)
    known = {row["id"] for name in ("orders.csv", "orders-businesses.csv") for row in rows(folder, name)}
    assert {row["id"] for row in reads} <= known
    assert len(known) == injected.world.persons
    assert [row["recorded"] for row in reads] == sorted(row["recorded"] for row in reads)


def test_covers_and_assignments_speak_of_cases_that_are_there(folder: Path) -> None:
    cases = {row["case"] for row in rows(folder, "cases.csv")}
    for name in ("covers.csv", "covers-businesses.csv", "assignments.csv"):
        assert {row["case"] for row in rows(folder, name)} <= cases
    assert all(bool(row["account"]) != bool(row["office"]) for row in rows(folder, "assignments.csv"))


def test_the_truth_is_in_one_file_alone(injected: Injected, folder: Path) -> None:
    truth = rows(folder, "truth.csv")
    harvested = [row for row in truth if row["name"] == "ten"]
    assert len(harvested) == int((injected.harvest == 0).sum())
    assert {row["sequence"] for row in harvested} == set(
        np.unique(injected.world.reads.sequence[injected.harvest == 0]).astype(str)
    )
    for path in folder.iterdir():
        assert path.name == "truth.csv" or "attack" not in path.read_text(encoding="utf-8").splitlines()[0]


def test_a_folder_that_holds_something_is_refused(injected: Injected, folder: Path) -> None:
    with pytest.raises(InputError, match="empty folder"):
        write(injected, folder)


def test_the_files_are_those_that_watch_imports(folder: Path) -> None:
    from muniment.watch.context.schema import SHAPES

    for name, shape in SHAPES.items():
        header = set(rows(folder, f"{name}.csv")[0] if rows(folder, f"{name}.csv") else ())
        plain = {one.name for one in shape.columns if one.required and one.name.isidentifier() and one.name.islower()}
        assert not header or plain <= header, name
