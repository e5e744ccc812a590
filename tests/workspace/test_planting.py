"""Decoys in a live table: in and out in one transaction, seen by nobody who may not, kept where one became real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from language.gated import Gated, gated
from language.offices import Office
from language.rings import NOW
from muniment.errors import InputError, UnreachableError
from muniment.workspace.planting import PLANTED, UPROOTED, planted, watched_decoys

RESERVED = tuple(f"RR{number:010}" for number in range(0, 400, 7))
DECOYS = 12
pytestmark = pytest.mark.live


@pytest.fixture
def live(office: Office, postgres_url: str) -> Iterator[Gated]:
    office.workspace.plan_decoys(
        "persons", count=DECOYS, reserved=RESERVED, expires=NOW.date() + timedelta(days=30), owner="the keeper",
        consent="for one year",
    )  # fmt: skip
    with gated(office, postgres_url) as made:
        yield made


def rows(live: Gated, relation: str = "persons") -> int:
    return int(live.ask(f"select count(*) from gated.{relation}")[0][0])


def test_decoys_stand_in_the_table_and_not_in_the_view(live: Gated) -> None:
    before = rows(live)
    made = live.office.workspace.plant_decoys("persons", live.location)
    assert (made.decoys, made.left, made.view) == (DECOYS, 0, "gated.persons_without_decoys")
    assert rows(live) == before + DECOYS
    assert rows(live, "persons_without_decoys") == before
    keys = {key for (key,) in live.office.workspace.decoy_exclusion("persons")}
    assert {key for (key,) in live.ask("select person_id from gated.persons")} >= keys


def test_nothing_that_everybody_may_read_names_a_decoy(live: Gated) -> None:
    live.office.workspace.plant_decoys("persons", live.location)
    (definition,) = live.ask("select pg_get_viewdef('gated.persons_without_decoys'::regclass)")[0]
    assert "RR0" not in definition
    live.ask("drop role if exists nosy; create role nosy login; grant usage on schema gated to nosy")
    try:
        with psycopg.connect(live.url, user="nosy") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from muniment.decoys")
        with psycopg.connect(live.url, user="nosy") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from gated.persons_without_decoys")
    finally:
        live.ask("drop owned by nosy; drop role nosy")


def test_the_journal_says_that_there_are_decoys_and_not_which(live: Gated) -> None:
    live.office.workspace.plant_decoys("persons", live.location)
    (entry,) = live.office.parts.journal.entries(PLANTED)
    assert entry.body["table"] == "gated.persons" and entry.body["owner"] == "the keeper"
    assert "RR0" not in str(entry.body)
    assert planted(live.office.parts) == ("persons",)
    live.office.workspace.unplant_decoys("persons", live.location)
    assert len(live.office.parts.journal.entries(UPROOTED)) == 1
    assert planted(live.office.parts) == ()


def test_planting_twice_plants_once(live: Gated) -> None:
    live.office.workspace.plant_decoys("persons", live.location)
    assert live.office.workspace.plant_decoys("persons", live.location).decoys == 0
    assert rows(live) == live.office.persons.rows + DECOYS


def test_what_was_planted_comes_out_again_and_nothing_else(live: Gated) -> None:
    before = live.ask("select * from gated.persons order by 1")
    live.office.workspace.plant_decoys("persons", live.location)
    made = live.office.workspace.unplant_decoys("persons", live.location)
    assert (made.decoys, made.left) == (DECOYS, 0)
    assert live.ask("select * from gated.persons order by 1") == before
    assert live.ask("select to_regclass('gated.persons_without_decoys')") == [(None,)]
    assert live.office.workspace.unplant_decoys("persons", live.location).decoys == 0


def test_a_row_that_became_somebody_stays(live: Gated) -> None:
    live.office.workspace.plant_decoys("persons", live.location)
    key = live.office.workspace.decoy_exclusion("persons")[0][0]
    live.ask("update gated.persons set name_zh = '王小明' where person_id = %s", key)
    made = live.office.workspace.unplant_decoys("persons", live.location)
    assert (made.decoys, made.left) == (DECOYS - 1, 1)
    assert live.ask("select name_zh from gated.persons where person_id = %s", key) == [("王小明",)]


def test_a_decoy_whose_number_was_given_out_is_not_planted(live: Gated) -> None:
    key = live.office.workspace.decoy_exclusion("persons")[0][0]
    live.ask("insert into gated.persons (person_id, name_zh) values (%s, '王小明')", key)
    made = live.office.workspace.plant_decoys("persons", live.location)
    assert made.decoys + made.left == DECOYS and made.left >= 1


def test_a_row_that_postgresql_refuses_leaves_nothing_behind(live: Gated) -> None:
    live.ask("alter table gated.persons add column must text not null default 'x'")
    live.ask("alter table gated.persons alter column must drop default")
    before = len(live.office.parts.journal.entries())
    with pytest.raises(InputError, match="23502; must") as caught:
        live.office.workspace.plant_decoys("persons", live.location)
    assert "RR0" not in str(caught.value)
    assert rows(live) == live.office.persons.rows
    assert live.ask("select to_regclass('gated.persons_without_decoys')") == [(None,)]
    assert len(live.office.parts.journal.entries()) == before


def test_expired_or_missing_plans_and_wrong_places_are_refused(live: Gated) -> None:
    office = live.office
    with pytest.raises(InputError, match="no table or view"):
        office.workspace.plant_decoys("persons", f"{live.url}/gated.nothing")
    live.ask("create view gated.seen as select * from gated.persons")
    with pytest.raises(InputError, match="not in a view"):
        office.workspace.unplant_decoys("persons", f"{live.url}/gated.seen")
    with pytest.raises(UnreachableError):
        office.workspace.plant_decoys("persons", "postgresql://postgres@127.0.0.1:1/postgres/gated.persons")
    office.clock = lambda: NOW + timedelta(days=60)  # type: ignore[assignment]
    with pytest.raises(InputError, match="expired"):
        office.reopen().plant_decoys("persons", live.location)


def test_the_gate_knows_them(live: Gated) -> None:
    found = watched_decoys(live.office.parts, "persons")
    keys = live.office.workspace.decoy_exclusion("persons")
    assert len(found) == DECOYS
    assert all(found.holds(key) for key in keys)
    assert not found.holds((live.office.persons["person_id"][0] or "",))
    assert keys[0][0] not in repr(found)
