"""Doctor for a gate: each way past it and each thing that it cannot see through, made on a real server and found."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from language.gated import Gated, gated
from language.offices import Office
from language.postgres import ServerError, running
from muniment.errors import UnreachableError
from muniment.workspace import doctoring, gate_doctoring
from muniment.workspace.doctoring import Check
from muniment.workspace.gate_doctoring import CHECKS, _lets_in, _Rule, exercise
from muniment.workspace.gating import spool_folder

pytestmark = pytest.mark.live
ACCESS = """\
host all postgres 127.0.0.1/32 trust
host all open_door 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:
        with running(access=ACCESS) as one:
            yield one.url
    except ServerError as error:
        pytest.skip(str(error))


@pytest.fixture
def live(office: Office, server: str) -> Iterator[Gated]:
    with gated(office, server) as made:
        made.settings("[accounts.clerk]\nread_only = true\nbreak_glass = { persons = 5, minutes = 10 }\n")
        with role(made, "clerk"):
            made.ask("grant usage on schema gated to clerk; grant select on gated.persons to clerk")
            yield made


@contextmanager
def role(live: Gated, name: str, *, more: str = "") -> Iterator[None]:
    live.ask(f"drop role if exists {name}; create role {name} login password 'secret' {more}")
    try:
        yield
    finally:
        live.ask(f"drop owned by {name}; drop role {name}")


def seen(live: Gated) -> dict[str, Check]:
    return {check.name: check for check in gate_doctoring.examine(live.office.parts)}


def state(live: Gated, name: str) -> tuple[str, object]:
    found = seen(live)[name]
    return found.state, found.values.get("first", found.values.get("reason", ""))


def test_a_server_that_only_the_gate_reaches_is_in_order(live: Gated) -> None:
    found = seen(live)
    assert list(found) == list(CHECKS)
    assert {name: check.state for name, check in found.items() if check.state != "ok"} == {}
    assert found["gate-grants"].values["roles"] == 1
    assert found["gate-reach"].values == {"count": 1}


def test_a_role_that_gets_in_without_a_password_is_found_by_trying(live: Gated) -> None:
    with role(live, "open_door"):
        found = seen(live)["gate-reach"]
    assert (found.state, found.values["reason"]) == ("fault", "open_door gets in without a password")


def test_grants_that_gate_toml_does_not_guard_are_listed(live: Gated) -> None:
    with role(live, "stranger"):
        live.ask("grant select (name_zh) on gated.persons to stranger")
        assert state(live, "gate-grants") == ("warn", "stranger (persons)")
    live.settings("[accounts.clerk]\nguarded = false\n")
    assert state(live, "gate-grants") == ("warn", "clerk (persons)")


def test_a_view_granted_to_everybody_is_found(live: Gated) -> None:
    live.ask("create view gated.towns as select household_id from gated.persons; grant select on gated.towns to public")
    assert state(live, "gate-public") == ("warn", "towns")


def test_a_function_with_somebody_elses_rights_is_found(live: Gated) -> None:
    live.ask(
        "create function gated.all_of_it() returns setof gated.persons language sql security definer"
        " as 'select * from gated.persons'"
    )
    assert state(live, "gate-definers") == ("warn", "gated.all_of_it()")


def test_members_of_roles_that_read_everything_are_found(live: Gated) -> None:
    with role(live, "auditor"):
        live.ask("grant pg_read_server_files to auditor")
        assert state(live, "gate-rights") == ("warn", "auditor (pg_read_server_files)")


def test_replication_is_found(live: Gated) -> None:
    with role(live, "copier", more="replication"):
        assert state(live, "gate-replication") == ("warn", "role copier")
    live.ask("create publication away for table gated.persons")
    try:
        assert state(live, "gate-replication") == ("warn", "publication away")
    finally:
        live.ask("drop publication away")


def test_superusers_and_large_objects_are_found(live: Gated) -> None:
    with role(live, "chief", more="superuser"):
        assert state(live, "gate-superusers") == ("warn", "chief")
    ((number,),) = live.ask("select lo_from_bytea(0, 'x')")
    try:
        assert seen(live)["gate-large-objects"].values["count"] == 1
    finally:
        live.ask("select lo_unlink(%s)", number)


def test_nobody_may_break_the_glass(live: Gated) -> None:
    live.settings()
    assert seen(live)["gate-break-glass"].state == "warn"


def test_a_second_place_that_takes_nothing_is_a_fault(live: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> float:
        raise UnreachableError("the disk is full")

    monkeypatch.setattr(gate_doctoring, "exercise", broken)
    found = seen(live)["gate-break-glass"]
    assert (found.state, found.values["reason"]) == ("fault", "the disk is full")


def test_the_exercise_leaves_nothing_behind_and_reaches_no_ledger(live: Gated) -> None:
    before = sorted(path for path in (live.office.folder / "office").rglob("*"))
    assert exercise(live.office.parts) > 0
    assert sorted(path for path in (live.office.folder / "office").rglob("*")) == before
    assert not spool_folder(live.office.parts).exists()


def test_a_server_that_cannot_be_asked_is_one_fault(live: Gated) -> None:
    live.settings()
    path = live.office.folder / "office" / "gate.toml"
    path.write_text(path.read_text().replace("user=postgres", "user=nobody_at_all"))
    (found,) = gate_doctoring.examine(live.office.parts)
    assert (found.name, found.state) == ("gate-reach", "fault")


# --- pg_hba.conf -----------------------------------------------------------------------------------------------------


def rule(address: str | None, mask: str | None = None, *, type: str = "host", method: str = "scram-sha-256") -> _Rule:
    return _Rule(7, type, ["all"], ["all"], address, mask, method)


@pytest.mark.parametrize(
    ("one", "gate", "past"),
    [
        (rule("10.0.0.5", "255.255.255.255"), "10.0.0.5", False),
        (rule("10.0.0.5", "255.255.255.255"), "10.0.0.6", True),
        (rule("10.0.0.0", "255.255.255.0"), "10.0.0.5", True),
        (rule("127.0.0.1", "255.255.255.255"), "127.0.0.1", False),
        (rule("127.0.0.1", "255.255.255.255"), "10.0.0.5", True),
        (rule("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "127.0.0.1", False),
        (rule("fd00::", "ffff:ffff:ffff:ffff::"), "fd00::1", True),
        (rule("all"), "10.0.0.5", True),
        (rule("samenet"), "10.0.0.5", True),
        (rule("samehost"), "127.0.0.1", False),
        (rule("db.example"), "10.0.0.5", True),
        (rule("0.0.0.0", "0.0.0.0", method="reject"), "10.0.0.5", False),
        (rule(None, type="local"), "10.0.0.5", True),
        (rule(None, type="local"), None, False),
        (rule("10.0.0.5", "255.255.255.255"), None, True),
    ],
)
def test_lines_of_pg_hba(one: _Rule, gate: str | None, past: bool) -> None:
    assert _lets_in(one, gate, "office") is past


def test_a_line_for_another_database_does_not_count() -> None:
    assert not _lets_in(rule("all")._replace(database=["other"]), "10.0.0.5", "office")


# --- texts -----------------------------------------------------------------------------------------------------------


def test_every_text_that_a_check_can_ask_for_is_written() -> None:
    always_ok = {"gate-reach"}
    for path in (Path(doctoring.__file__).parents[1] / "messages").glob("*.toml"):
        texts = tomllib.loads(path.read_text(encoding="utf-8"))["gate_check"]
        for name in CHECKS:
            wanted = ["name", "ok"] if name in always_ok else ["name", "ok", "warn"]
            assert not [one for one in wanted if f"{name}.{one}" not in texts], (path.name, name)


def test_doctor_of_the_workspace_has_them_only_where_there_is_a_gate(live: Gated) -> None:
    names = [check.name for check in live.office.workspace.examine()]
    assert names[-len(CHECKS) :] == list(CHECKS)
    (live.office.folder / "office" / "gate.toml").unlink()
    assert [check.name for check in live.office.workspace.examine()] == list(doctoring.CHECKS)
