"""gate.toml: what it takes, what it refuses and how it says so, and a new file that reads back."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from language.policies import GATE, settings
from muniment.errors import InputError
from muniment.gate.policy.rules import Glass, Hours
from muniment.gate.policy.settings import GateSettings, explain, parse, render_settings
from muniment.gate.policy.table import BY_TABLE, KEYS

EVERYTHING = """
[registers."household members"]
table = '"Office"."Household"'
harmless = ["district"]
mean_row_bytes = 80
[defaults]
hours = { days = ["mon", "fri"], spans = ["08:00-18:00", "22:00-06:00"] }
columns = { persons = ["id", "surname"] }
break_glass = { persons = 20, minutes = 60 }
require = ["case"]
caseload_days = 14
[accounts.anna]
columns = "all"
hours = "always"
break_glass = "never"
certificates = ["anna.lin", "anna"]
[accounts.shared]
certificates = ["anna.lin"]
"""


def test_everything_is_read() -> None:
    found = settings(EVERYTHING)
    assert found.registers["household members"].table == '"Office"."Household"'
    assert found.defaults["hours"] == Hours(frozenset((0, 4)), ((480, 1080), (1320, 1440), (0, 360)))
    assert found.defaults["columns"] == {"persons": frozenset(("id", "surname"))}
    assert found.defaults["break_glass"] == Glass(20, 60)
    assert found.caseload_days == 14
    assert found.accounts["anna"] == {"columns": None, "hours": None, "break_glass": None}
    assert found.certificate_accounts == {"anna.lin": ("anna", "shared"), "anna": ("anna",)}


def test_defaults_of_the_file_are_those_of_the_value() -> None:
    """`GateSettings` made in a program is what an empty [gate] means."""
    bare = settings()
    made = GateSettings("db", "host=db user=gate", registers=bare.registers)
    assert bare == made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[defaults]\nstatments_per_minute = 3", "unknown key defaults.statments_per_minute"),
        ("[default]\nmode = 'stop'", "unknown key default"),
        ("[purposes.audit]\nrecipient = 'x'", "unknown key purposes.audit.recipient"),
        ("[accounts.a]\ncaseload_days = 0", "unknown key accounts.a.caseload_days"),
        ("[purposes.audit]\nguarded = false", "unknown key purposes.audit.guarded"),
        ("[defaults]\nmode = 'halt'", 'defaults.mode: expected "observe" or'),
        ("[defaults]\nmode = 3", "came 3"),
        ("[defaults]\npersons = { week = 3 }", "defaults.persons: expected a table of limits"),
        ("[defaults]\npersons = { day = -1 }", "came a table"),
        ("[defaults]\npersons = { day = true }", "defaults.persons"),
        ("[defaults]\npersons = { day = 1.5 }", "defaults.persons"),
        ("[defaults]\nhours = { days = ['mon'], spans = ['8-18'] }", "defaults.hours"),
        ("[defaults]\nhours = { days = ['mon'], spans = ['24:30-25:00'] }", "defaults.hours"),
        ("[defaults]\nhours = { days = [], spans = ['08:00-18:00'] }", "defaults.hours"),
        ("[defaults]\nhours = { days = ['mon'], spans = ['08:00-08:00'] }", "defaults.hours"),
        ("[defaults]\nrequire = ['actor']", "defaults.require"),
        ("[defaults]\nthrottle_seconds = nan", "defaults.throttle_seconds"),
        ("[defaults]\nactor_key = 'secret'", "defaults.actor_key"),
        ("[defaults]\ncolumns = { person = ['id'] }", "there is no [registers.person]"),
        ("[accounts.a]\npurposes = ['audit']", "there is no [purposes.audit]"),
        ("[registers.other]\ntable = 'a.b.c'", "registers.other.table"),
        ("[registers.other]\n", "registers.other.table is missing"),
        ("[registers]\npersons2 = 3", "registers.persons2: expected a table"),
        ("[defaults]\ncontact = '\\u001b[2J'", "not TOML"),
        ('[defaults]\ncontact = "\\u001b[2J"', "defaults.contact"),
    ],
)
def test_faults_name_file_key_and_what_was_expected(text: str, expected: str) -> None:
    text = text.replace("'\\u001b[2J'", "'\x01'")
    with pytest.raises(InputError) as caught:
        settings(text)
    assert expected in caught.value.message and caught.value.message.startswith("gate.toml: ")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('listen = ["6432"]', "gate.listen"),
        ('listen = ["::1:6432"]', "gate.listen"),
        ('listen = ["localhost:70000"]', "gate.listen"),
        ("listen = []", "gate.listen"),
        ("upstream_port = 0", "gate.upstream_port"),
        ('upstream_tls = "prefer"', "gate.upstream_tls"),
        ('methods = ["trust"]', "gate.methods"),
        ('certificate = "a.pem"', "gate.certificate needs gate.certificate_key"),
        ('certificate_key = "a.pem"', "gate.certificate_key needs gate.certificate"),
        ('client_ca = "a.pem"', "gate.client_ca needs gate.certificate"),
        ('upstream_login = "stored"', "needs gate.upstream_password_file"),
        ('time_zone = "../../etc/passwd"', "gate.time_zone"),
        ('password = "x"', "unknown key gate.password"),
        ("workers = true", "gate.workers"),
    ],
)
def test_faults_of_the_gate(line: str, expected: str) -> None:
    with pytest.raises(InputError, match=r"gate\.toml") as caught:
        parse(GATE.replace("[gate]", f"[gate]\n{line}"), Path("gate.toml"))
    assert expected in caught.value.message


@pytest.mark.parametrize("listen", ["0.0.0.0:5432", "[::1]:6432", "gate.office.example:6432", "/run/muniment/gate"])
def test_addresses(listen: str) -> None:
    found = parse(GATE.replace("[gate]", f'[gate]\nlisten = ["{listen}"]'), Path("gate.toml"))
    assert found.listen == (listen,)


@pytest.mark.parametrize(
    "control",
    [
        "host=db user=gate password=hunter2",
        "host=db PASSWORD = hunter2",
        "postgresql://gate:hunter2@db/office",
        "postgres://gate@db/office?password=hunter2",
        "sslpassword=hunter2 host=db",
    ],
)
def test_a_password_is_refused_and_never_shown(control: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(GATE.replace("host=db user=gate", control), Path("gate.toml"))
    shown = f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
    assert "hunter2" not in shown and "came a text" in shown


def test_the_control_connection_is_not_in_the_repr() -> None:
    assert "user=gate" not in repr(settings())


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_a_new_file_reads_back(lang: str) -> None:
    values = {"upstream_host": "db", "control": "host=db user=gate", "listen": ["0.0.0.0:5432"]}
    text = render_settings(values, {"persons": "public.person", "household members": '"A b"'}, lang)
    found = parse(text, Path("gate.toml"))
    assert found.listen == ("0.0.0.0:5432",) and found.registers["household members"].table == '"A b"'
    assert found.defaults["mode"] == "observe" and found.defaults["persons"]["day"] == 1_000


def test_every_line_of_a_new_file_that_is_only_a_comment_would_be_read() -> None:
    text = render_settings({"upstream_host": "db", "control": "host=db"}, {"persons": "person"})
    opened = "\n".join(
        line.removeprefix("# ") if line.startswith("# ") and line[2:].split(" = ")[0] in _NAMES else line
        for line in text.splitlines()
    )
    opened = opened.replace('certificate = ""', 'certificate = "a"').replace('certificate_key = ""', "#")
    with pytest.raises(InputError, match=r"needs gate\.certificate_key"):
        parse(opened, Path("gate.toml"))
    assert len(tomllib.loads(opened)["gate"]) > 15


_NAMES = {key.name for key in KEYS}


def test_a_new_file_needs_to_know_where_postgresql_is() -> None:
    with pytest.raises(InputError, match="upstream_host"):
        render_settings({}, {})


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_every_key_is_explained(lang: str) -> None:
    for table, keys in BY_TABLE.items():
        for name, key in keys.items():
            text = explain(f"{table}.{name}", lang)
            assert (key.chinese if lang == "zh-TW" else key.english) in text and key.expected in text


def test_explain_takes_real_names_and_knows_near_ones() -> None:
    assert explain("accounts.anna.mode") == explain("accounts.NAME.mode")
    with pytest.raises(InputError) as caught:
        explain("defaults.mod")
    assert caught.value.hint == "muniment gate explain defaults.mode"
