"""Questions of checks: answered, refused in PostgreSQL's own words, and never able to change anything."""

from __future__ import annotations

import pytest

from language.postgres import free_port
from muniment.errors import UnreachableError
from muniment.workspace.gate_asking import asked


@pytest.mark.live
def test_rows_come_back_and_nothing_can_be_written(postgres_url: str) -> None:
    assert asked(postgres_url, None, "select %s::int + 1, current_setting('application_name')", 1) == [
        (2, "muniment check")
    ]
    with pytest.raises(UnreachableError, match="read-only transaction"):
        asked(postgres_url, None, "create table public.written (a int)")


@pytest.mark.live
def test_what_the_role_may_not_is_said(postgres_url: str) -> None:
    with pytest.raises(UnreachableError, match="does not exist"):
        asked(postgres_url, None, "select * from nothing_of_that_name")


def test_a_server_that_is_away_is_said_without_the_password() -> None:
    with pytest.raises(UnreachableError) as caught:
        asked(f"host=127.0.0.1 port={free_port()} user=x dbname=x", "hunter2", "select 1")
    assert "hunter2" not in str(caught.value) + repr(caught.value)
