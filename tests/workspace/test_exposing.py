"""Exposure at work: what goes on record, what is refused, what is kept, and what a release adds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from language.offices import Office, write_table
from language.rings import NOW
from muniment.errors import InputError, IntegrityError
from muniment.exposure.cumulative import Cumulative
from muniment.workspace.exposing import Question, Taken, run
from muniment.workspace.keeping import forget_pruned, held_by

WHY = "before the yearly release"
YOUNG = "birth_date > '1990'"


def _ask(office: Office, **given: object) -> tuple[Taken, Cumulative | None]:
    settings: dict[str, object] = {"what": "persons", "purpose": WHY, "quasi": ("sex", "birth_date")} | given
    return run(office.parts, Question(**settings), lambda taken, found: (taken, found))  # type: ignore[arg-type]


def _policy(office: Office, on_release: str, share: float = 0.05, register: str = "") -> None:
    settings = office.folder / "office" / "muniment.toml"
    text = settings.read_text(encoding="utf-8")
    text = text.replace('on_release = "off"', f'on_release = "{on_release}"')
    text = text.replace("share_below_k = 0.05", f"share_below_k = {share}")
    if register:
        text = "\n".join(line for line in text.split("\n") if not line.startswith(("quasi =", "sensitive =")))
        text = text.replace("[registers.persons]\n", f"[registers.persons]\n{register}\n")
    settings.write_text(text, encoding="utf-8")
    office.reopen()


def _release(office: Office, name: str, *columns: str, where: str | None = None, to: str = "A") -> object:
    out = office.folder / name
    return office.workspace.release("persons", to=to, purpose="study", out=out, columns=columns, where=where)


def _runs(office: Office) -> list[tuple[str, int]]:
    reader = office.parts.ledger.reader()
    batch = reader.batch(reader.select(recipient=office.parts.office), records=True)
    rows = [row for row in range(len(batch)) if batch.fingerprint[row] == "exposure"]
    return [(batch.disclosure(row).template.outcome.value, len(batch.records(row))) for row in rows]


# --- an oracle -------------------------------------------------------------------------------------------------------


def test_a_run_is_a_disclosure_of_its_runner(office: Office) -> None:
    taken, found = _ask(office)
    assert found is None and taken.extract.rows == 150
    assert _runs(office) == [("given", 150)]
    assert taken.extract.record is not None and len(np.unique(taken.extract.record)) == 150


def test_fewer_rows_than_the_floor_are_refused_and_recorded(office: Office) -> None:
    some = ", ".join(f"'{key}'" for key in office.persons["person_id"][:9])
    with pytest.raises(InputError, match="fewer than 10 rows"):
        _ask(office, where=f"person_id IN ({some})")
    with pytest.raises(InputError, match="fewer than 10 rows"):
        _ask(office, where="person_id = 'nobody'")
    assert _runs(office) == [("refused", 0), ("refused", 0)]


def test_runs_that_differ_by_less_than_the_floor_are_refused_the_same_rows_are_not(office: Office) -> None:
    one, *_ = office.persons["person_id"]
    _ask(office)
    _ask(office, quasi=("sex",))
    with pytest.raises(InputError, match="fewer than 10 persons"):
        _ask(office, where=f"person_id <> '{one}'")
    assert [outcome for outcome, _ in _runs(office)] == ["given", "given", "refused"]


def test_another_runner_has_earlier_runs_of_their_own(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    one, *_ = office.persons["person_id"]
    _ask(office)
    monkeypatch.setenv("MUNIMENT_ACCOUNT", "somebody else")
    _ask(office, where=f"person_id <> '{one}'")


@pytest.mark.parametrize("where", ["points > '5'", "POINTS IS NULL", "COLUMNS('p.*') > '5'", "1 = (SELECT 1)"])
def test_conditions_on_what_is_secret_are_refused_before_anything_is_read(office: Office, where: str) -> None:
    with pytest.raises(InputError, match="may not use points"):
        _ask(office, where=where, sensitive="points")
    assert _runs(office) == []


def test_what_is_not_there_is_named(office: Office) -> None:
    for given, message in (
        ({"quasi": ("sx",)}, "no column 'sx'"),
        ({"quasi": ("sex", "sex")}, "named twice"),
        ({"what": "release:7"}, "no release 7"),
        ({"what": "nowhere.csv"}, "no such file"),
        ({"purpose": " "}, "purpose"),
        ({"to": ("Nobody",)}, "no recipient 'Nobody'"),
    ):
        with pytest.raises(InputError, match=message):
            _ask(office, **given)


def test_a_file_is_measured_by_itself_and_leaves_an_entry(office: Office) -> None:
    path = write_table(office.folder / "other.csv", office.persons)
    taken, _ = _ask(office, what=str(path))
    assert taken.register is None and taken.extract.record is None
    assert [entry.body["rows"] for entry in office.parts.journal.entries("exposure-run")] == [150]
    _release(office, "a.csv", "sex")
    with pytest.raises(InputError, match="of no register"):
        _ask(office, what=str(path), to=("A",))


# --- memory of the recipient -----------------------------------------------------------------------------------------


def test_what_a_recipient_holds_is_made_up_from_the_ledger(office: Office) -> None:
    _release(office, "a.csv", "birth_date")
    _, found = _ask(office, quasi=("sex",), to=("A",))
    assert found is not None and found.held == 1
    assert found.itself.alone.at_least == 0 and found.together.alone.at_least > 100


def test_kept_classes_give_what_made_up_ones_give(office: Office) -> None:
    _policy(office, "warn", 1.0)
    _release(office, "a.csv", "birth_date", where=YOUNG)
    parts = office.parts
    (kept,) = held_by(parts, parts.register("persons"), ["A"])
    assert not kept.made_up
    _, told = _ask(office, quasi=("sex",), to=("A",))
    next((office.folder / "office" / "exposure").iterdir()).unlink()
    (made,) = held_by(parts, parts.register("persons"), ["A"])
    assert made.made_up and np.array_equal(made.kept.records, kept.kept.records)
    assert sorted(made.kept.keys.tolist()) == sorted(kept.kept.keys.tolist())
    assert _ask(office, quasi=("sex",), to=("A",))[1] == told


def test_a_coalition_pools_what_it_holds(office: Office) -> None:
    _policy(office, "warn", 1.0)
    _release(office, "a.csv", "sex", to="A")
    _release(office, "b.csv", "birth_date", to="B")
    alone = _ask(office, quasi=("sex",), to=("A",))[1]
    pooled = _ask(office, quasi=("sex",), to=("A", "B"))[1]
    assert alone is not None and pooled is not None
    assert (alone.held, pooled.held) == (1, 2)
    assert pooled.together.alone.at_least > alone.together.alone.at_least


def test_a_release_is_not_held_against_itself(office: Office) -> None:
    _release(office, "a.csv", "sex")
    _, found = _ask(office, what="release:1", quasi=(), to=("A",))
    assert found is not None and found.held == 0


# --- releases --------------------------------------------------------------------------------------------------------


def test_a_release_is_refused_for_what_it_adds(office: Office) -> None:
    _policy(office, "refuse")
    _release(office, "a.csv", "sex")
    with pytest.raises(InputError, match=r"for 'A' \(.* % without the 1 that they hold already\)"):
        _release(office, "b.csv", "birth_date")
    assert not (office.folder / "b.csv").exists()
    assert _runs(office) == [("refused", 0)]
    assert len(office.workspace.copies()) == 1


def test_a_release_may_also_be_warned_of(office: Office) -> None:
    _policy(office, "warn")
    result = _release(office, "a.csv", "birth_date")
    assert "expected at most 5 %" in result.to_json()["warning"]  # type: ignore[attr-defined]
    assert (office.folder / "a.csv").exists()


def test_columns_of_the_owner_decide_what_is_judged(office: Office) -> None:
    _policy(office, "refuse", register='quasi = ["sex"]\nsensitive = ["points"]')
    _release(office, "a.csv", "sex", "birth_date", "points")
    parts = office.parts
    (held,) = held_by(parts, parts.register("persons"), ["A"])
    assert (held.kept.columns, held.kept.sensitive) == (("sex",), "points")


def test_off_keeps_nothing(office: Office) -> None:
    _release(office, "a.csv", "birth_date")
    assert not (office.folder / "office" / "exposure").exists()


# --- kept files ------------------------------------------------------------------------------------------------------


def _kept_file(office: Office) -> Path:
    _policy(office, "warn", 1.0)
    _release(office, "a.csv", "sex", "birth_date")
    return next((office.folder / "office" / "exposure").iterdir())


def test_kept_files_hold_nothing_in_clear_and_do_not_open_when_altered_or_renamed(office: Office) -> None:
    path = _kept_file(office)
    data = path.read_bytes()
    assert all(word not in data for word in (b"birth_date", b"persons", b"classes"))
    other = path.with_name("000000000777.bin")
    path.rename(other)
    parts = office.parts
    with pytest.raises(IntegrityError):
        held_by(parts, parts.register("persons"), ["A"])
    other.rename(path)
    path.write_bytes(data[:-1])
    with pytest.raises(IntegrityError):
        held_by(parts, parts.register("persons"), ["A"])


def test_kept_classes_go_with_the_disclosures_they_belong_to(office: Office) -> None:
    path = _kept_file(office)
    assert forget_pruned(office.parts) == 0 and path.exists()
    office.workspace.ledger.prune(NOW + timedelta(days=1), reason="term")
    assert not path.exists()
    parts = office.parts
    assert held_by(parts, parts.register("persons"), ["A"]) == []
