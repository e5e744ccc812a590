"""`muniment decoys`."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

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


@pytest.mark.live
def test_decoys_go_into_a_live_table_and_out_again(own_office: Office, tmp_path: Path, postgres_url: str) -> None:
    file = tmp_path / "reserved.txt"
    file.write_text("\n".join(reserve_ids(200, seed=5, key=bytes(32))) + "\n")
    plan = ("--expires", "2090-01-31", "--owner", "Registrar", "--consent", "Agreed.", "--reserve", file)
    own_office.run("decoys", "plan", "people", "--count", "5", *plan)
    rows = own_office.people.read_text(encoding="utf-8").splitlines()
    columns = ", ".join(f"{name} text" for name in rows[0].split(","))
    where = f"{postgres_url}/planted.people"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("drop schema if exists planted cascade; create schema planted")
        connection.execute(f"create table planted.people ({columns}, primary key (person_id))")
        try:
            unsure = own_office.run("decoys", "plant", "people", "--into", where, "--json")
            assert unsure.code == 2 and "must be confirmed" in unsure.error()["error"]
            made = own_office.run("decoys", "plant", "people", "--into", where, "--yes", "--json").json("decoys-plant")
            assert (made["decoys"], made["view"]) == (5, "planted.people_without_decoys")
            assert connection.execute("select count(*) from planted.people").fetchone() == (5,)
            said = own_office.run("decoys", "unplant", "people", "--into", where, "--yes", "--lang", "zh-TW")
            assert "移除 5 筆誘餌紀錄" in said.out
            again = own_office.run("decoys", "unplant", "people", "--into", where, "--yes", "--json")
            assert again.json("decoys-plant")["decoys"] == 0
        finally:
            connection.execute("drop schema planted cascade; drop schema if exists muniment cascade")
