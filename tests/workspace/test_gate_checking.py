"""`muniment gate check`: each thing that a gate stands on, as it should be and as it should not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from language.gated import Gated, gated
from language.offices import Office
from language.postgres import free_port
from language.rings import NOW
from language.servers import make_certificate
from muniment.workspace import doctoring
from muniment.workspace.doctoring import Check
from muniment.workspace.gate_checking import CHECKS, check

pytestmark = pytest.mark.live


@pytest.fixture
def live(office: Office, postgres_url: str) -> Iterator[Gated]:
    office.clock = lambda: NOW  # type: ignore[assignment]
    with gated(office, postgres_url) as made:
        made.settings()
        yield made


def seen(live: Gated) -> dict[str, Check]:
    return {one.name: one for one in check(live.office.parts)}


def change(live: Gated, old: str, new: str) -> None:
    path = live.office.folder / "office" / "gate.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_gate_needs_a_certificate_and_a_lesser_role(live: Gated) -> None:
    found = seen(live)
    assert list(found) == [name for name in CHECKS if name != "certificate"]
    warned = {name for name, one in found.items() if one.state != "ok"}
    assert warned == {"tls", "control"}
    assert found["registers"].values == {"registers": 1, "relations": 1}
    assert {one.state for one in found.values()} <= {"ok", "warn"}


def test_a_role_that_may_only_read_verifiers_is_enough(live: Gated) -> None:
    live.ask(
        "drop role if exists keeper; create role keeper login; grant select on pg_authid to keeper; "
        "grant usage on schema gated to keeper"
    )
    try:
        change(live, "user=postgres", "user=keeper")
        found = seen(live)
        assert (found["control"].state, found["registers"].state) == ("ok", "ok")
        live.ask("revoke select on pg_authid from keeper")
        assert "pg_authid" in str(seen(live)["control"].values["reason"])
    finally:
        live.ask("drop owned by keeper; drop role keeper")


def test_views_over_a_register_are_counted(live: Gated) -> None:
    live.ask("create view gated.towns as select address_zh from gated.persons")
    assert seen(live)["registers"].values["relations"] == 2


def test_a_missing_table_is_a_fault_of_that_check_alone(live: Gated) -> None:
    live.ask("drop table gated.persons")
    found = seen(live)
    assert found["registers"].state == "fault" and found["upstream"].state == "ok"
    assert "gated.persons" in str(found["registers"].values["reason"])


def test_an_upstream_that_does_not_answer_is_a_fault(live: Gated) -> None:
    port = live.url.rpartition(":")[2].partition("/")[0]
    change(live, f"upstream_port = {port}", f"upstream_port = {free_port()}")
    assert seen(live)["upstream"].state == "fault"


def test_a_control_connection_that_does_not_stand_is_told_by_each_check_that_needs_it(live: Gated) -> None:
    change(live, "user=postgres", "user=nobody_at_all")
    faults = {name for name, one in seen(live).items() if one.state == "fault"}
    assert faults == {"control", "database", "registers", "operators"}


def test_another_database_than_the_tables_is_a_fault(live: Gated) -> None:
    change(live, "[gate]", '[gate]\ndatabase = "elsewhere"')
    assert seen(live)["database"].state == "fault"


@pytest.mark.parametrize(
    ("secret", "state"), [("null", "warn"), ("'md5" + 32 * "a" + "'", "warn"), ("'five words'", "ok")]
)
def test_accounts_need_a_scram_secret(live: Gated, secret: str, state: str) -> None:
    live.ask(f"drop role if exists clerk; create role clerk login password {secret}")
    try:
        live.settings("[accounts.clerk]\nread_only = true\n")
        found = seen(live)["verifiers"]
        assert (found.state, found.values["first"]) == (state, "" if state == "ok" else "clerk")
    finally:
        live.ask("drop role clerk")


def test_a_gate_that_only_watches_is_said(live: Gated) -> None:
    live.settings('[defaults]\nmode = "observe"\n')
    assert seen(live)["settings"].state == "warn"


def certified(live: Gated, clock_days: int) -> Check:
    folder = live.office.folder / "office"
    made = make_certificate(folder)
    live.office.clock = lambda: NOW + timedelta(days=clock_days)  # type: ignore[assignment]
    live.office.reopen()
    change(live, "[gate]", f'[gate]\ncertificate = "{made.path}"\ncertificate_key = "{made.key}"')
    return seen(live)["certificate"]


def test_a_certificate_that_has_run_out_is_a_fault(live: Gated) -> None:
    assert certified(live, 100_000).state == "fault"


def test_a_key_of_another_certificate_is_a_fault(live: Gated, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, other = make_certificate(live.office.folder), make_certificate(tmp_path / "other")
    change(live, "[gate]", f'[gate]\ncertificate = "{one.path}"\ncertificate_key = "{other.key}"')
    assert seen(live)["certificate"].state == "fault"


def test_settings_that_are_not_right_are_the_only_finding(live: Gated) -> None:
    change(live, "[gate]", "[gate]\nspeed = 3")
    (found,) = check(live.office.parts)
    assert (found.name, found.state) == ("settings", "fault")


def test_every_text_that_a_check_can_ask_for_is_written() -> None:
    for path in (Path(doctoring.__file__).parents[1] / "messages").glob("*.toml"):
        texts = tomllib.loads(path.read_text(encoding="utf-8"))["gate_check"]
        for name in CHECKS:
            wanted = ["name", "ok"] if name in {"database", "registers"} else ["name", "ok", "warn"]
            assert not [one for one in wanted if f"{name}.{one}" not in texts], (path.name, name)
