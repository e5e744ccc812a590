"""`muniment decoys`."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from muniment.demo.numbers import reserve_ids

if TYPE_CHECKING:
    from conftest import Office


def test_plan_and_exclusion(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "reserved.txt"
    file.write_text("\n".join(reserve_ids(200, seed=5, key=bytes(32))) + "\n")
    plan = (
        "decoys", "plan", "people", "--count", "5", "--expires", "2090-01-31", "--owner", "Registrar",
        "--consent", "Agreed in writing.", "--reserve", file, "--json",
    )  # fmt: skip
    outcome = office.run(*plan)
    value = outcome.json("decoys-plan")
    assert (value["decoys"], value["owner"]) == (5, "Registrar")
    listed = office.run("decoys", "exclusion", "people", "--json").json("decoys-exclusion")
    assert listed["key"] == ["person_id"]
    assert len(listed["exclusion"]) == 5
    assert not any(key in outcome.out for (key,) in listed["exclusion"])
    rows = list(csv.reader(io.StringIO(office.run("decoys", "exclusion", "people").out)))
    assert rows == [["person_id"], *listed["exclusion"]]


def test_wrong_date_and_empty_reserve(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "reserved.txt"
    file.write_text("\n")
    plan = ("decoys", "plan", "people", "--count", "5", "--owner", "R", "--consent", "c", "--reserve", file, "--json")
    assert "no record number" in office.run(*plan, "--expires", "2090-01-31").error()["error"]
    file.write_text("1\n2\n")
    assert "soon" in office.run(*plan, "--expires", "soon").error()["error"]
    assert office.run("decoys", "exclusion", "nobody").code == 2
