"""`muniment ledger export|import|prove|open`."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from language.audit_logs import audit, csvlog
from language.program import ROOT

if TYPE_CHECKING:
    from conftest import Office

MAPPING = 'register = "people"\ntime = "when"\nrecipient = "who"\naccount = "user"\nkey = ["id"]\npurpose = "why"\n'


def _numbers(office: Office) -> list[int]:
    shown = office.run("ledger", "show", "--newest", 1000, "--json").json("ledger-show")["disclosures"]
    return [one["sequence"] for one in shown]


# --- export ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["ocsf", "fhir", "csv"])
@pytest.mark.parametrize("staff", ["named", "pseudonymous"])
def test_export(own_office: Office, tmp_path: Path, form: str, staff: str) -> None:
    released = ("release", "people", "--to", "City", "--purpose", "p", "--out", tmp_path / "copy.csv", "--quiet")
    assert own_office.run(*released, LOGNAME="clerk-seven").code == 0
    out = tmp_path / "out"
    arguments = ("ledger", "export", out, "--form", form, "--staff", staff, "--recipient", "City", "--json")
    value = own_office.run(*arguments).json("ledger-export")
    assert (value["disclosures"], value["staff"]) == (1, staff)
    written = out.read_text(encoding="utf-8")
    assert "City" in written and "Tax office" not in written
    assert ("clerk-seven" in written) == (staff == "named")
    refused = own_office.run(*arguments)
    assert "a file already" in refused.error()["error"]
    assert out.read_text(encoding="utf-8") == written


def test_what_an_order_withholds_is_not_exported(own_office: Office, tmp_path: Path) -> None:
    own_office.run("ledger", "suspend", 1, "--until", "2100-01-01", "--order", "Court 9/2026")
    out = tmp_path / "out.csv"
    assert own_office.run("ledger", "export", out, "--form", "csv").code == 0
    with out.open(encoding="utf-8", newline="") as file:
        recipients = [row["recipient"] for row in csv.DictReader(file)]
    assert "Tax office" not in recipients and "市政府" in recipients


# --- import ----------------------------------------------------------------------------------------------------------


def test_a_csv_with_keys_answers_who(own_office: Office, tmp_path: Path) -> None:
    person = own_office.people.read_text(encoding="utf-8").splitlines()[1].partition(",")[0]
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    log = tmp_path / "log.csv"
    log.write_text(f"when,who,user,id,why\n2024-05-06 07:08:09,Clinic,nurse,{person},triage\n", encoding="utf-8")
    order = ("ledger", "import", log, "--form", "csv", "--mapping", tmp_path / "mapping.toml", "--json")
    assert own_office.run(*order).code == 2  # a time without a zone is nobody's time
    value = own_office.run(*order, "--zone", "+08:00").json("ledger-import")
    assert (value["appended"], value["keyed"], value["count_only"]) == (1, 1, False)
    told = own_office.run("who", person, "--purpose", "p", "--json").json("who")["disclosures"]
    found = next(one for one in told if one["channel"] == "imported")
    assert (found["recipient"], found["purpose"]) == ("Clinic", "triage")
    assert found["time"] == "2024-05-05T23:08:09.000+00:00"
    shown = own_office.run("ledger", "show", "--channel", "imported", "--until", "2024-12-31")
    assert "2024-05-05 23:08:09Z" in shown.out


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "who received one person's record: 1"), ("zh-TW", "誰收受了某一當事人的資料：1 筆")],
)
def test_a_log_that_only_counts_says_what_it_leaves_open(
    own_office: Office, tmp_path: Path, lang: str, said: str
) -> None:
    log = tmp_path / "log.csv"
    log.write_text(csvlog(audit("select * from people", rows=40)) + csvlog("checkpoint complete", number=2))
    order = ("ledger", "import", log, "--form", "pg-csvlog", "--register", "people", "--recipient", "Bureau")
    assert "no purpose" in own_office.run(*order, "--json").error()["error"]
    order += ("--purpose", "care")
    outcome = own_office.run(*order, "--lang", lang)
    assert outcome.code == 0
    assert said in outcome.out
    value = own_office.run(*order, "--json").json("ledger-import")
    assert value["count_only"] and value["unanswered"]["who_received_person"] == 1


def test_a_malformed_line_ends_an_import_before_it_began(own_office: Office, tmp_path: Path) -> None:
    before = _numbers(own_office)
    log = tmp_path / "log.json"
    log.write_text('{"torn\n{"timestamp": 3}\n', encoding="utf-8")
    order = ("ledger", "import", log, "--form", "pg-jsonlog", "--register", "people", "--json")
    refused = own_office.run(*order)
    assert refused.code == 2
    assert "line 1" in refused.error()["error"]
    assert _numbers(own_office) == before
    value = own_office.run(*order, "--skip").json("ledger-import")
    assert value["appended"] == 0 and value["first"] is None and value["lost_lines"] >= 1
    plain = own_office.run(*order[:-1], "--skip").out
    assert "Nothing was added" in plain and "could not be read" in plain


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--form", "ocsf"), "--register"),
        (("--form", "csv"), "--mapping"),
        (("--form", "csv", "--mapping", "nowhere.toml"), "nowhere.toml"),
        (("--form", "fhir", "--register", "nobody"), "nobody"),
        (("--form", "pg-csvlog", "--register", "people", "--zone", "noon"), "noon"),
        (("--form", "word"), "word"),
    ],
)
def test_wrong_imports(office: Office, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    log = tmp_path / "log"
    log.write_text("x\n")
    outcome = office.run("ledger", "import", log, *options, "--json")
    assert outcome.code == 2
    error = outcome.error()
    assert said in error["error"] + error["hint"]


# --- prove and open --------------------------------------------------------------------------------------------------


def test_a_proof_is_checked_without_muniment(own_office: Office, tmp_path: Path) -> None:
    person = own_office.people.read_text(encoding="utf-8").splitlines()[1].partition(",")[0]
    out = tmp_path / "proof.json"
    order = ("ledger", "prove", person, "--purpose", "court order", "--out", out)
    value = own_office.run(*order, "--json", LOGNAME="clerk-seven").json("ledger-prove")
    assert value["disclosures"] >= 4  # three copies, and the question itself
    script = [sys.executable, ROOT / "docs" / "verify_ledger.py"]
    keys = [word for key in value["verifiers"] for word in ("--key", key)]
    checked = subprocess.run([*script, out, *keys], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert f"{value['disclosures']} disclosures" in checked.stdout
    assert "clerk-seven" in own_office.run("ledger", "show").out
    assert "clerk-seven" not in out.read_text(encoding="utf-8")

    before = _numbers(own_office)
    assert "a file already" in own_office.run(*order, "--json").error()["error"]
    assert _numbers(own_office) == before

    told = own_office.run(*order[:-1], tmp_path / "second.json")
    assert f"verify_ledger.py {tmp_path / 'second.json'} {' '.join(keys)}" in told.err
    out.write_text(out.read_text(encoding="utf-8").replace("Tax office", "Max office"), encoding="utf-8")
    assert subprocess.run([*script, out, *keys], capture_output=True, check=False).returncode == 3


def test_a_segment_opens_for_other_tools(office: Office, tmp_path: Path) -> None:
    segment = sorted(path.stem for path in (office.folder / "ledger" / "segments").iterdir())[0]
    out = tmp_path / "segment.parquet"
    value = office.run("ledger", "open", segment[:12], "--out", out, "--json").json("ledger-open")
    assert value["segment"] == segment
    (rows,) = duckdb.sql(f"SELECT count(*), sum(len(records)) FROM read_parquet('{out}')").fetchall()
    assert rows == (value["disclosures"], value["records"])
    assert office.run("ledger", "open", segment, "--out", out).code == 2
    assert "0 segments" in office.run("ledger", "open", "zz", "--out", tmp_path / "b", "--json").error()["error"]
    assert "not encrypted" in office.run("ledger", "open", segment, "--out", tmp_path / "c").err


def test_the_key_of_one_segment_opens_that_one_without_the_program(office: Office, tmp_path: Path) -> None:
    office.run("who", "--register", "people", "nobody", "--purpose", "one more segment")
    paths = sorted((office.folder / "ledger" / "segments").iterdir())
    out, key = tmp_path / "segment.parquet", tmp_path / "segment.key"
    assert office.run("ledger", "open", paths[0].stem, "--out", out, "--key-out", key).code == 0
    assert key.stat().st_mode & 0o777 == 0o600
    script = [sys.executable, "-I", str(Path(__file__).parents[2] / "docs" / "open_segment.py"), str(key)]
    opened = subprocess.run([*script, str(paths[0])], capture_output=True, check=False)
    assert opened.stdout == out.read_bytes()
    assert subprocess.run([*script, str(paths[1])], capture_output=True, check=False).returncode == 1
