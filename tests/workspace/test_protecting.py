"""A safer table of an extract: as the goal wants it, by a kept plan, as counts; and never over another file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from language.offices import Office, read_table
from muniment.errors import InputError
from muniment.exposure.result import Protected
from muniment.workspace.exposing import Question
from muniment.workspace.measuring import Exposures
from muniment.workspace.protecting import Wish, read_plan

QUASI = ("sex", "birth_date")


def _protected(office: Office, out: Path, question: Mapping[str, object] | None = None, **wish: object) -> Protected:
    asked: dict[str, object] = {"what": "persons", "purpose": "p", "quasi": QUASI, "columns": (*QUASI, "points")}
    return Exposures(office.parts).protect(Question(**asked | dict(question or {})), Wish(out, **wish))  # type: ignore[arg-type]


def test_the_table_that_is_written_reaches_the_goal(office: Office, tmp_path: Path) -> None:
    for by_rows in (False, True):
        out = tmp_path / f"{by_rows}.csv"
        found = _protected(office, out, k=8, limit=0.1, by_rows=by_rows)
        table = read_table(out)
        sizes = Counter(zip(table["sex"], table["birth_date"], strict=True))
        assert min(sizes.values()) >= 8
        assert table.columns == (*QUASI, "points")
        assert found.way == ("local" if by_rows else "full_domain")
        assert found.after is not None and found.after.rows == table.rows >= 135
        assert found.after.below_k.at_least == 0 < found.before.below_k.at_least
        assert set(table["points"]) <= set(office.persons["points"])
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_kept_plan_tells_the_next_extract_the_same_way(office: Office, tmp_path: Path) -> None:
    plan, one, other = tmp_path / "plan.json", tmp_path / "one.csv", tmp_path / "other.csv"
    first = _protected(office, one, k=7, keep=plan)
    second = _protected(office, other, plan=plan)
    assert one.read_bytes() == other.read_bytes()
    assert second.changes == first.changes and second.drift == () and second.plan == str(plan)
    assert read_plan(plan).goal.k == 7
    plan.write_text(json.dumps({"form": "another"}), encoding="utf-8")
    with pytest.raises(InputError, match="no release plan"):
        _protected(office, tmp_path / "third.csv", plan=plan)
    plan.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="it is no JSON"):
        read_plan(plan)


def test_what_the_recipient_holds_counts_against_the_safer_table(office: Office, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    office.workspace.release("persons", to="A", purpose="study", out=out, columns=("birth_date",))
    asked = {"columns": ("sex",), "quasi": ("sex",), "to": ("A",)}
    found = _protected(office, tmp_path / "held.csv", asked)
    assert [one.code for one in found.decision.reasons] == ["held"]
    assert found.after is not None and found.after.below_k.at_least == 0


def test_keyed_counts_are_near_and_hang_on_who_is_counted(office: Office, tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    found = _protected(office, one, counts=("sex",))
    office.reopen()
    _protected(office, other, counts=("sex",))
    assert found.way == "perturbed" and found.after is None
    assert one.read_bytes() == other.read_bytes()
    table, true = read_table(one), Counter(office.persons["sex"])
    assert table.columns == ("sex", "count")
    told = {sex: int(count or 0) for sex, count in zip(table["sex"], table["count"], strict=True)}
    assert told.keys() == true.keys()
    assert all(abs(told[sex] - count) < 10 for sex, count in true.items())


def test_wishes_that_cannot_be_met_are_refused_before_the_run_is_on_record(office: Office, tmp_path: Path) -> None:
    there = tmp_path / "there.csv"
    there.write_text("kept", encoding="utf-8")
    before = len(office.parts.ledger.reader().select(recipient=office.parts.office))
    for out, wish in (
        (there, {}),
        (tmp_path / "a.doc", {}),
        (tmp_path / "a.csv", {"keep": there}),
        (tmp_path / "a.csv", {"epsilon": "1"}),
        (tmp_path / "a.csv", {"counts": ("sex",), "by_rows": True}),
        (tmp_path / "a.csv", {"counts": ("sex",), "epsilon": "1"}),
        (tmp_path / "a.csv", {"plan": tmp_path / "nowhere.json"}),
    ):
        with pytest.raises(InputError):
            _protected(office, out, **wish)
    assert there.read_text(encoding="utf-8") == "kept"
    assert len(office.parts.ledger.reader().select(recipient=office.parts.office)) == before
