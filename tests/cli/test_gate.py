"""`muniment gate`: set up, checked, run before a real PostgreSQL, and replayed."""

from __future__ import annotations

import contextlib
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from language.postgres import Server, ServerError, free_port, running
from language.program import muniment, started
from language.servers import make_certificate
from muniment.demo.numbers import reserve_ids
from muniment.gate.policy.settings import parse

if TYPE_CHECKING:
    from conftest import Office

ACCESS = """\
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
CONTROL = ("--upstream", "db.example:5433", "--control", "host=db.example user=gate dbname=office")
TABLE = ("--table", "people=public.people")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        with running(access=ACCESS) as one:
            yield one
    except ServerError as error:
        pytest.skip(str(error))


# --- init ------------------------------------------------------------------------------------------------------------


def test_a_new_gate_watches_and_stops_nobody(own_office: Office) -> None:
    said = own_office.run("gate", "init", *CONTROL, *TABLE, "--database", "office", "--json")
    assert said.json("gate-init")["registers"] == ["people"]
    path = own_office.folder / "gate.toml"
    settings = parse(path.read_text(encoding="utf-8"), path)
    assert (settings.upstream_host, settings.upstream_port, settings.database) == ("db.example", 5433, "office")
    assert settings.defaults["mode"] == "observe"
    assert settings.registers["people"].table == "public.people"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_gate_that_is_there_stays(own_office: Office) -> None:
    assert own_office.run("gate", "init", *CONTROL, *TABLE).code == 0
    before = (own_office.folder / "gate.toml").read_bytes()
    again = own_office.run("gate", "init", *CONTROL, *TABLE, "--json")
    assert (again.code, "it stays" in again.error()["error"]) == (2, True)
    assert (own_office.folder / "gate.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no register lies in PostgreSQL"),
        ((*CONTROL,), "no register lies in PostgreSQL"),
        ((*CONTROL, "--table", "nobody=public.x"), "nobody"),
        ((*CONTROL, "--table", "people"), "="),
        ((*CONTROL[2:], *TABLE, "--upstream", "db:port"), "HOST:PORT"),
    ],
)
def test_what_is_missing_is_said(own_office: Office, arguments: tuple[str, ...], said: str) -> None:
    outcome = own_office.run("gate", "init", *arguments, "--json")
    assert outcome.code == 2 and said in outcome.error()["error"]
    assert not (own_office.folder / "gate.toml").exists()


def test_a_password_is_never_written(own_office: Office) -> None:
    secret = ("--upstream", "db:5432", "--control", "host=db user=gate password=hunter2")
    outcome = own_office.run("gate", "init", *secret, *TABLE, "--json")
    assert outcome.code == 2 and "hunter2" not in outcome.err
    assert not (own_office.folder / "gate.toml").exists()


# --- explain, actor-key ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "said"), [("en", "must declare"), ("zh-TW", "須聲明")])
def test_explain_says_what_a_key_means(lang: str, said: str) -> None:
    outcome = muniment("gate", "explain", "accounts.clerk.require", "--lang", lang)
    assert outcome.code == 0 and said in outcome.out
    assert muniment("gate", "explain", "accounts.clerk.mode", "--json").json("gate-explain-key")["key"]
    assert muniment("gate", "explain", "speed").code == 2


def test_nothing_received_is_nothing_to_stop(own_office: Office) -> None:
    own_office.run("gate", "init", *CONTROL, *TABLE)
    outcome = own_office.run("gate", "explain", "--json")
    assert (outcome.code, outcome.json("gate-explain")) == (0, {"accounts": []})


def test_without_a_gate_everything_says_how_to_begin(own_office: Office) -> None:
    for action in (("run",), ("explain",)):
        outcome = own_office.run("gate", *action, "--json")
        assert outcome.code == 2 and "gate init" in outcome.error()["hint"]
    checked = own_office.run("gate", "check", "--json")
    assert (checked.code, checked.json("gate-check")["checks"][0]["state"]) == (1, "fault")


def test_a_key_pair_for_an_application(tmp_path: Path) -> None:
    out = tmp_path / "actor.pem"
    said = muniment("gate", "actor-key", "--out", out, "--json").json("gate-actor-key")
    private = load_pem_private_key(out.read_bytes(), None)
    assert private.public_key().public_bytes_raw().hex() == said["public"]  # type: ignore[union-attr]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    before = out.read_bytes()
    assert muniment("gate", "actor-key", "--out", out).code == 2
    assert out.read_bytes() == before
    assert muniment("gate", "actor-key", "--out", tmp_path / "other.pem", "--quiet").out.strip() != said["public"]


# --- before a real PostgreSQL ----------------------------------------------------------------------------------------


def set_up(office: Office, server: Server, folder: Path, policy: str) -> int:
    """A table, an account, a certificate and gate.toml; returns the gate's port."""
    made, port = make_certificate(folder), free_port()
    rows = office.people.read_text(encoding="utf-8").splitlines()
    columns = ", ".join(f"{name} text" for name in rows[0].split(","))
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("drop table if exists people cascade")
        connection.execute(f"create table people ({columns}, primary key (person_id))")
        with connection.cursor() as cursor, cursor.copy("copy people from stdin with (format csv, header)") as copy:
            copy.write("\n".join(rows) + "\n")
        connection.execute("drop role if exists clerk")
        connection.execute("create role clerk login password 'five words'; grant select on people to clerk")
    control = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
    upstream = ("--upstream", f"127.0.0.1:{server.port}", "--control", control, "--listen", f"127.0.0.1:{port}")
    pem = ("--certificate", made.path, "--certificate-key", made.key)
    assert office.run("gate", "init", *upstream, *TABLE, *pem).code == 0
    path = office.folder / "gate.toml"
    text = path.read_text(encoding="utf-8").replace('# upstream_tls = "require"', 'upstream_tls = "off"')
    path.write_text(text.replace('mode = "observe"', 'mode = "stop"') + policy, encoding="utf-8")
    return port


@contextlib.contextmanager
def gate_of(office: Office, port: int) -> Iterator[subprocess.Popen[str]]:
    """`muniment gate run` until the block ends."""
    with started("gate", "run", "--log", office.folder / "gate.log", "--workspace", office.folder) as process:
        try:
            end = time.monotonic() + 30
            while not (office.folder / "gate.log").exists() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            assert process.poll() is None, process.communicate()
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=40)


@pytest.mark.live
def test_a_gate_is_checked_run_replayed_and_what_got_out_is_traced(
    own_office: Office, server: Server, tmp_path: Path
) -> None:
    marks = '[accounts.clerk]\nread_only = true\nmarks = true\npersons = { minute = "none", hour = 120 }\n'
    port = set_up(own_office, server, tmp_path, marks)
    checks = own_office.run("gate", "check", "--json").json("gate-check")["checks"]
    states = {one["check"]: one["state"] for one in checks}
    assert set(states.values()) <= {"ok", "warn"} and states["upstream"] == "ok"
    columns = "person_id, name_zh, birth_date, address_zh, address_en, phone"
    with gate_of(own_office, port) as process:
        rows: list[tuple[str, ...]] = []
        with psycopg.connect(
            host="127.0.0.1", port=port, user="clerk", password="five words", dbname="postgres", autocommit=True,
            sslmode="require", channel_binding="require",
        ) as connection:  # fmt: skip
            with contextlib.suppress(psycopg.errors.QueryCanceled), connection.cursor() as cursor:
                for row in cursor.stream(f"select {columns} from people order by person_id"):
                    rows.append(row)
            assert connection.execute("select 1").fetchone() == (1,)
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    assert len(rows) == 120
    replayed = own_office.run("gate", "explain", "--json")
    assert replayed.json("gate-explain")["accounts"][0]["persons"] == 120
    stricter = tmp_path / "stricter.toml"
    stricter.write_text((own_office.folder / "gate.toml").read_text().replace("hour = 120", "hour = 50"))
    outcome = own_office.run("gate", "explain", "--rules", stricter, "--json")
    (found,) = outcome.json("gate-explain")["accounts"]
    assert (outcome.code, found["account"], found["withheld"]) == (1, "clerk", 70)
    assert "clerk" in own_office.run("gate", "explain", "--rules", stricter).out
    leak = tmp_path / "leak.csv"
    lines = [",".join(columns.split(", ")[1:]), *(",".join(f'"{cell or ""}"' for cell in row[1:]) for row in rows)]
    leak.write_text("\n".join(lines) + "\n", encoding="utf-8")
    verdict = own_office.run("trace", leak, "--json").json("trace")
    assert [one["recipient"] for one in verdict["named"]] == ["clerk"]


@pytest.mark.live
def test_a_decoy_that_is_named_through_the_gate_is_an_alarm(own_office: Office, server: Server, tmp_path: Path) -> None:
    port = set_up(own_office, server, tmp_path, "")
    reserved = tmp_path / "reserved.txt"
    reserved.write_text("\n".join(reserve_ids(200, seed=5, key=bytes(32))) + "\n")
    plan = ("--expires", "2090-01-31", "--owner", "Registrar", "--consent", "Agreed.", "--reserve", reserved)
    assert own_office.run("decoys", "plan", "people", "--count", "3", *plan).code == 0
    where = f"{server.url}/public.people"
    assert own_office.run("decoys", "plant", "people", "--into", where, "--yes").code == 0
    key = own_office.run("decoys", "exclusion", "people", "--json").json("decoys-exclusion")["exclusion"][0][0]
    with (
        gate_of(own_office, port),
        psycopg.connect(
            host="127.0.0.1", port=port, user="clerk", password="five words", dbname="postgres", autocommit=True,
            sslmode="require",
        ) as connection,
    ):  # fmt: skip
        assert len(connection.execute("select person_id from people limit 20").fetchall()) == 20
        quiet = (own_office.folder / "gate.log").read_text(encoding="utf-8")
        assert connection.execute("select * from people where person_id = %s", [key]).fetchone()
    log = (own_office.folder / "gate.log").read_text(encoding="utf-8")
    told = [line for line in log.splitlines() if '"decoy"' in line]
    assert '"decoy"' not in quiet
    assert len(told) == 1 and '"alarm": true' in told[0] and '"sort": "named"' in told[0]
    assert key not in log
