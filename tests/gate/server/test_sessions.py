"""How sessions are made: credentials of the gate's own, the office's time, and what a client is permitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from language.servers import CATALOGUE, PSEUDONYM_KEYS
from muniment.errors import InputError, UnreachableError
from muniment.gate.identity.login import Identity
from muniment.gate.policy.budgets import LocalBudgets
from muniment.gate.policy.settings import GateSettings
from muniment.gate.protocol.startup import VERSION_3_0, StartupMessage
from muniment.gate.server.parts import Door, Kit
from muniment.gate.server.sessions import Sessions, credentials, zone
from muniment.gate.session.opening import Permit, StoredCredential

SETTINGS = GateSettings(
    upstream_host="db", upstream_port=5432, upstream_tls="off", control="", listen=(), database="office"
)
SUMMER, WINTER = 1_783_000_000_000, 1_767_600_000_000
STARTUP = StartupMessage(VERSION_3_0, {"user": "clerk"})


class Nobody:
    """Persons that are never asked for."""

    def ordinals(self, register: str, columns: object) -> Any:
        raise AssertionError(register, columns)


def kit(**settings: Any) -> Kit:
    one = replace(SETTINGS, **settings)
    return Kit(
        one, CATALOGUE, LocalBudgets(one.caseload_days), Nobody(), None, str, {}, lambda: SUMMER, bytes, "en"
    )  # fmt: skip


def with_lines(folder: Path, text: str) -> GateSettings:
    (folder / "passwords").write_text(text, encoding="utf-8")
    return replace(SETTINGS, upstream_password_file="passwords")


def test_a_line_is_an_account_and_its_password(tmp_path: Path) -> None:
    assert credentials(SETTINGS, tmp_path) == {}
    found = credentials(with_lines(tmp_path, "clerk:with: colons \n\n  \n*:others\n"), tmp_path)
    assert found == {"clerk": "with: colons ", "*": "others"}


@pytest.mark.parametrize("line", ["no colon", ":no account", "no password:"])
def test_a_line_that_is_none_is_named_by_its_number_only(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match="line 2 is no credential") as raised:
        credentials(with_lines(tmp_path, f"clerk:a secret\n{line}\n"), tmp_path)
    assert line not in str(raised.value) and "secret" not in str(raised.value)
    (tmp_path / "passwords").unlink()
    with pytest.raises(UnreachableError, match="FileNotFoundError"):
        credentials(replace(SETTINGS, upstream_password_file="passwords"), tmp_path)


@pytest.mark.parametrize("name", ["Nowhere/Land", "../../etc/passwd", ""])
def test_a_time_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="Asia/Taipei"):
        zone(replace(SETTINGS, time_zone=name))


@pytest.mark.parametrize(
    ("name", "now", "minutes"),
    [("UTC", SUMMER, 0), ("Asia/Taipei", SUMMER, 480), ("Europe/Berlin", SUMMER, 120), ("Europe/Berlin", WINTER, 60)],
)
def test_office_hours_follow_the_zone_and_the_season(tmp_path: Path, name: str, now: int, minutes: int) -> None:
    sessions = Sessions(tmp_path, PSEUDONYM_KEYS, bytes)
    sessions(kit(time_zone=name), Door("local", 1, bytes(32)))
    assert sessions._offset(now) == minutes


def permit(folder: Path, kit: Kit, identity: Identity) -> Permit:
    session = Sessions(folder, PSEUDONYM_KEYS, bytes)(kit, Door("local", 1, bytes(32)))
    return session._setup.opening.permits(identity, STARTUP)


@pytest.mark.parametrize(
    ("account", "guarded", "replication", "notices"), [("clerk", True, False, False), ("backup", False, True, True)]
)
def test_what_the_rules_permit(tmp_path: Path, account: str, guarded: bool, replication: bool, notices: bool) -> None:
    accounts = {account: {"guarded": guarded, "redact": True}}
    found = permit(tmp_path, kit(accounts=accounts), Identity(account, (account,), "scram-sha-256"))
    assert (found.replication, found.notices) == (replication, notices) and found.credential is None


def test_a_client_without_keys_of_its_own_gets_a_stored_credential(tmp_path: Path) -> None:
    lines = with_lines(tmp_path, "clerk:his\n*:others\n")
    own = kit(upstream_password_file=lines.upstream_password_file)
    for account, password in (("clerk", "his"), ("somebody", "others")):
        found = permit(tmp_path, own, Identity(account, (account,), "certificate"))
        assert found.credential == StoredCredential(account, password)


def test_settings_that_were_read_anew_bring_new_credentials_and_the_mock_key_stays(tmp_path: Path) -> None:
    sessions, door = Sessions(tmp_path, PSEUDONYM_KEYS, bytes), Door("local", 1, bytes(32))
    own, identity = kit(), Identity("clerk", ("clerk",), "certificate")
    before = sessions(own, door)._setup.opening
    assert before.permits(identity, STARTUP).credential is None
    own.settings = with_lines(tmp_path, "clerk:his\n")
    after = sessions(own, door)._setup.opening
    assert after.permits(identity, STARTUP).credential == StoredCredential("clerk", "his")
    assert after.login.server_key == before.login.server_key
