"""Reading muniment.toml: frozen values, or an error that names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment import limits
from muniment.config.read import (
    ColumnSettings,
    Config,
    LedgerSettings,
    RegisterSettings,
    WorkspaceSettings,
    load,
    parse,
)
from muniment.disclosure import Kind
from muniment.errors import InputError, LimitError

PATH = Path("muniment.toml")
WHOLE = """
[workspace]
name = "Household office"
lang = "zh-TW"
alpha = 1e-4

[registers.persons]
source = "persons.csv"
key = ["id", "part"]
encoding = "big5"
coalition = 1
structural = ["row-order"]

[registers.persons.columns.address]
kind = "address"
carriers = ["tai", "street-type"]

[registers.persons.columns."每月 收入"]
kind = "number"
tolerance = "0.50"
"""
REGISTER = '[workspace]\nname = "x"\n[registers.persons]\nsource = "a.csv"\nkey = ["id"]\n'
COLUMN = REGISTER + "[registers.persons.columns.address]\n"


def test_whole_file() -> None:
    assert parse(WHOLE, PATH) == Config(
        WorkspaceSettings("Household office", "zh-TW", 1e-4),
        (
            RegisterSettings(
                "persons",
                "persons.csv",
                ("id", "part"),
                (
                    ColumnSettings("address", Kind.ADDRESS, ("tai", "street-type")),
                    ColumnSettings("每月 收入", Kind.NUMBER, (), "0.50"),
                ),
                1,
                "big5",
                ("row-order",),
            ),
        ),
    )


def test_defaults() -> None:
    config = parse(REGISTER, PATH)
    assert config.workspace == WorkspaceSettings("x", "en", 1e-6)
    assert config.registers == (RegisterSettings("persons", "a.csv", ("id",), (), 10),)
    assert parse(COLUMN + 'kind = "code"\n', PATH).register("persons").column("address").carriers == ()


FAULTS = {
    "no name": ("[workspace]", "workspace.name is missing; expected a text of 1 to 200 characters"),
    "long name": (f'[workspace]\nname = "{"x" * 201}"', "workspace.name: expected a text .* came a text"),
    "language": ('[workspace]\nname="x"\nlang = "de"', "workspace.lang: expected .*zh-TW.*, came 'de'"),
    "alpha zero": ('[workspace]\nname="x"\nalpha = 0.0', "workspace.alpha: expected .*, came 0.0"),
    "alpha large": ('[workspace]\nname="x"\nalpha = 0.5', "workspace.alpha"),
    "alpha text": ('[workspace]\nname="x"\nalpha = "1e-6"', "workspace.alpha: expected .*, came '1e-6'"),
    "mistyped section": ('[workspace]\nname="x"\n[register.a]', "unknown key register; expected workspace, ledger,"),
    "mistyped key": (COLUMN + 'kind = "number"\ntolerence = "5"', "unknown key registers.persons.columns.address"),
    "table expected": ('registers = 3\n[workspace]\nname="x"', "registers: expected a table .* came a whole number"),
    "no source": ('[workspace]\nname="x"\n[registers.a]\nkey=["id"]', "registers.a.source is missing"),
    "empty key": (REGISTER.replace('["id"]', "[]"), r"registers.persons.key: expected .*, came a list"),
    "key twice": (REGISTER.replace('["id"]', '["id", "id"]'), "registers.persons.key"),
    "key as text": (REGISTER.replace('["id"]', '"id"'), "registers.persons.key: expected .*, came 'id'"),
    "coalition": (REGISTER + "coalition = 3", "registers.persons.coalition: expected 1 or 10, came 3"),
    "coalition true": (REGISTER + "coalition = true", "registers.persons.coalition: expected 1 or 10, came True"),
    "encoding": (REGISTER + 'encoding = "utf-9"', "registers.persons.encoding: .* came 'utf-9'"),
    "encoding of bytes": (REGISTER + 'encoding = "base64"', "registers.persons.encoding"),
    "kind": (COLUMN + 'kind = "adress"', 'address.kind: expected one of "name".*, came \'adress\''),
    "no kind": (COLUMN, "registers.persons.columns.address.kind is missing"),
    "carriers": (COLUMN + 'kind = "code"\ncarriers = ["A b"]', "address.carriers"),
    "tolerance zero": (COLUMN + 'kind = "number"\ntolerance = "0"', "tolerance: expected a positive number"),
    "tolerance infinite": (COLUMN + 'kind = "number"\ntolerance = "inf"', "tolerance"),
    "tolerance float": (COLUMN + 'kind = "number"\ntolerance = 0.1', "tolerance: .* in quotes.*, came 0.1"),
    "tolerance date": (COLUMN + 'kind = "number"\ntolerance = 2026-01-01', "came a date or time"),
    "not TOML": ("[workspace\n", r"not TOML: .* \(at line 1"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_fault_names_file_and_key(text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"muniment.toml: .*{message}"):
        parse(text, PATH)


@pytest.mark.parametrize(
    "source", ["postgresql://u:hunter2@host/db/table", "postgres://h/db/t?user=u&password=hunter2"]
)
def test_password_in_a_source_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(InputError, match="without a password, came a text") as caught:
        parse(REGISTER.replace("a.csv", source), PATH)
    assert caught.value.__cause__ is None
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert parse(REGISTER.replace("a.csv", "postgresql://u@h:5432/db/t"), PATH).registers


def test_hints() -> None:
    with pytest.raises(InputError) as caught:
        parse(FAULTS["mistyped key"][0], PATH)
    assert caught.value.hint == "did you mean tolerance?"
    with pytest.raises(InputError) as caught:
        parse(FAULTS["coalition"][0], PATH)
    assert caught.value.hint == "muniment config explain registers.NAME.coalition"


def test_unknown_register_and_column_list_what_there_is() -> None:
    config = parse(WHOLE, PATH)
    with pytest.raises(InputError, match="no register 'staff'; the registers are: persons"):
        config.register("staff")
    with pytest.raises(InputError, match="no column 'phone'; its columns are address, 每月 收入"):
        config.register("persons").column("phone")


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "muniment.toml"
    with pytest.raises(InputError, match="no such file"):
        load(path)
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    assert load(path) == parse(WHOLE, PATH)
    path.write_bytes(WHOLE.encode("utf-16"))
    with pytest.raises(InputError, match="not UTF-8 text at byte 0"):
        load(path)
    monkeypatch.setattr(limits, "CONFIG_BYTES", 10)
    with pytest.raises(LimitError, match="more than 10 bytes"):
        load(path)


def test_the_ledger_section() -> None:
    assert parse(WHOLE, PATH).ledger == LedgerSettings()
    witness = "witness.example/w1+0b2c3d4e+AQIDBA=="
    text = WHOLE + f'\n[ledger]\nsecond = "/mnt/b"\nretention_days = 2192\nwitnesses = ["{witness}"]\n'
    assert parse(text, PATH).ledger == LedgerSettings("/mnt/b", 2192, (witness,), None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("retention_days = 0", "a whole number of days"),
        ("retention_days = true", "a whole number of days"),
        ('witnesses = ["somebody"]', "verifier keys"),
        ('notice_key = "secret"', "64 hex digits"),
    ],
)
def test_faults_of_the_ledger_section(line: str, expected: str) -> None:
    with pytest.raises(InputError, match=f"ledger.*{expected}"):
        parse(f"{WHOLE}\n[ledger]\n{line}\n", PATH)
