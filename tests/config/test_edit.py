"""Editing muniment.toml: what was asked for changes, and not one byte else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.faults import names_in
from muniment.config.edit import append_register, render_config, render_register, set_carriers, set_structural
from muniment.config.read import ColumnSettings, RegisterSettings, load, parse
from muniment.config.settings import SETTINGS
from muniment.disclosure import Kind
from muniment.errors import InputError

PERSONS = RegisterSettings(
    "persons",
    "persons.csv",
    ("id",),
    (ColumnSettings("name", Kind.NAME), ColumnSettings("戶籍 地址", Kind.ADDRESS, ("tai",))),
    10,
)
BY_HAND = """\
# my own remark
[workspace]
name = "office"

[registers.persons]  # all of them
source = "persons.csv"
key = ["id"]

# the legal department agreed on 3 May
[registers.persons.columns.address]
kind = "address"
carriers = ["tai"]  # only this one
# below: old ideas

[registers.persons.columns.city]
kind = "place"

[registers.persons.columns.phone]
carriers = [
    "phone-layout",  # first
    "digit-width",
]
kind = "phone"
[registers.staff]
source = "staff.csv"
key = ["id"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "muniment.toml").write_text(BY_HAND)
    return tmp_path / "muniment.toml"


def test_new_file_explains_every_key_and_is_read_back() -> None:
    text = render_config('戶政 "一"', lang="zh-TW", alpha=1e-4)
    config = parse(text, Path("muniment.toml"))
    assert config.workspace.name == '戶政 "一"'
    assert (config.workspace.lang, config.workspace.alpha, config.registers) == ("zh-TW", 1e-4, ())
    for setting in SETTINGS:
        assert f"{setting.name} = " in text
        assert setting.chinese in text
        assert all(line in text for line in setting.english.split("\n"))


def test_appended_register_is_read_back_and_the_rest_stays(path: Path) -> None:
    path.chmod(0o644)
    added = RegisterSettings("醫院 a.b", "a\\b.csv", ("id",), PERSONS.columns, 1, "big5", ("row-order",))
    append_register(path, added)
    assert path.read_text().startswith(BY_HAND + "\n[registers.")
    assert load(path).registers[-1] == added
    assert path.stat().st_mode & 0o777 == 0o644
    assert names_in(path.parent) == {"muniment.toml", ".muniment.toml.lock"}
    before = path.read_bytes()
    with pytest.raises(InputError, match="already"):
        append_register(path, added)
    assert path.read_bytes() == before


names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
columns = st.builds(
    ColumnSettings,
    names,
    st.sampled_from(Kind),
    st.lists(st.sampled_from(["tai", "a-b"]), unique=True).map(tuple),
    st.none() | st.sampled_from(["50", "0.1"]),
)
registers = st.builds(
    RegisterSettings,
    names,
    names,
    st.lists(names, min_size=1, max_size=3, unique=True).map(tuple),
    st.lists(columns, max_size=3, unique_by=lambda column: column.name).map(tuple),
    st.sampled_from([1, 10]),
    st.none() | st.just("big5"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(register=registers)
def test_any_register_survives_its_block(register: RegisterSettings) -> None:
    text = '[workspace]\nname = "x"\n' + render_register(register)
    assert parse(text, Path("muniment.toml")).registers == (register,)


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("address", 'carriers = ["tai"]  # only this one', 'carriers = ["a", "b"]  # only this one'),
        ("city", 'kind = "place"\n', 'kind = "place"\ncarriers = ["a", "b"]\n'),
        ("phone", 'carriers = [\n    "phone-layout",  # first\n    "digit-width",\n]', 'carriers = ["a", "b"]'),
    ],
)
def test_carriers_are_edited_in_place(path: Path, column: str, old: str, new: str) -> None:
    set_carriers(path, "persons", column, ["a", "b"])
    assert path.read_text() == BY_HAND.replace(old, new)
    set_carriers(path, "persons", column, [])
    assert load(path).register("persons").column(column).carriers == ()


def test_structural_is_edited_in_place(path: Path) -> None:
    set_structural(path, "persons", ["row-order"])
    assert path.read_text() == BY_HAND.replace('key = ["id"]\n', 'key = ["id"]\nstructural = ["row-order"]\n', 1)
    set_structural(path, "staff", ["omission"])
    assert load(path).register("staff").structural == ("omission",)


def test_windows_line_ends_stay(path: Path) -> None:
    path.write_bytes(BY_HAND.replace("\n", "\r\n").encode())
    set_carriers(path, "persons", "city", ["a"])
    append_register(path, RegisterSettings("more", "a.csv", ("id",), (), 10))
    assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")


def test_file_without_a_last_line_end(path: Path) -> None:
    path.write_text(BY_HAND.rstrip("\n"))
    set_structural(path, "staff", ["omission"])
    path.write_text(path.read_text().rstrip("\n"))
    append_register(path, RegisterSettings("more", "a.csv", ("id",), (), 10))
    assert [register.name for register in load(path).registers] == ["persons", "staff", "more"]


@pytest.mark.parametrize(
    "layout",
    [
        '[workspace]\nname = "x"\n[registers]\na = {source = "s", key = ["id"], columns = {c = {kind = "code"}}}\n',
        '[workspace]\nname = "x"\n[registers.a]\nsource = "s"\nkey = ["id"]\ncolumns.c.kind = "code"\n',
    ],
)
def test_layout_that_the_editor_does_not_follow_is_left_alone(path: Path, layout: str) -> None:
    path.write_text(layout)
    with pytest.raises(InputError, match="cannot be edited safely") as caught:
        set_carriers(path, "a", "c", ["tai"])
    assert 'carriers = ["tai"]' in caught.value.hint
    assert path.read_text() == layout


def test_values_that_would_not_be_read_back_are_refused(path: Path) -> None:
    with pytest.raises(InputError, match="not allowed"):
        set_carriers(path, "persons", "city", ["No Such Form"])
    with pytest.raises(InputError, match="not allowed"):
        append_register(path, RegisterSettings("more", "postgresql://u:secret@h/d/t", ("id",), (), 10))
    with pytest.raises(InputError, match="no column 'zip'"):
        set_carriers(path, "persons", "zip", [])
    with pytest.raises(InputError, match="no register 'none'"):
        set_structural(path, "none", [])
    assert path.read_text() == BY_HAND
