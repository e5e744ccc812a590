"""Column numbers are for ever, the law never changes, and a key ring cannot be exchanged unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from language.rings import NOW, Clock, segment_keys
from muniment import limits
from muniment.disclosure import Column, Kind
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.ledger.declarations import (
    DeclaredRegister,
    declare_register,
    log_commitments,
    log_verifiers,
    logged_keys,
    registers,
    schema_version,
    verifiers,
)
from muniment.ledger.journal import Journal

NAME, ADDRESS = ("name", Kind.NAME), ("address", Kind.ADDRESS)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "journal.bin", segment_keys())


@pytest.fixture
def declare(journal: Journal):  # type: ignore[no-untyped-def]
    clock = Clock()

    def call(*columns: tuple[str, Kind], **changed: Any) -> DeclaredRegister:
        values: dict[str, Any] = {"key": ["id"], "coalition": 10, "law": "arcsine 1"} | changed
        return declare_register(journal, "persons", columns=columns, now=clock(), **values)

    return call


def test_register_is_read_back(declare, journal: Journal) -> None:  # type: ignore[no-untyped-def]
    declared = declare(NAME, ADDRESS)
    columns = (Column("name", Kind.NAME, 1), Column("address", Kind.ADDRESS, 2))
    assert declared == DeclaredRegister("persons", ("id",), columns, 10, "arcsine 1")
    assert registers(journal) == {"persons": declared}
    assert registers(journal, journal.head_at(0)) == {}


def test_numbers_stay_with_the_name_for_ever(declare, journal: Journal) -> None:  # type: ignore[no-untyped-def]
    declare(NAME, ADDRESS)
    declare(ADDRESS, ("phone", Kind.PHONE))
    declared = declare(("email", Kind.EMAIL), NAME, ("phone", Kind.TEXT))
    assert [(column.name, column.number) for column in declared.columns] == [("email", 4), ("name", 1), ("phone", 3)]
    assert declared.columns[2].kind is Kind.TEXT
    assert registers(journal)["persons"] == declared


def test_the_same_declaration_is_logged_once(declare, journal: Journal) -> None:  # type: ignore[no-untyped-def]
    declare(NAME)
    declare(NAME)
    assert len(journal.entries("register")) == 1


@pytest.mark.parametrize("changed", [{"key": ["id", "part"]}, {"coalition": 1}, {"law": "constant"}])
def test_key_coalition_and_law_never_change(declare, journal: Journal, changed: dict[str, object]) -> None:  # type: ignore[no-untyped-def]
    declare(NAME)
    with pytest.raises(InputError, match=f"{next(iter(changed))} was logged as .* cannot become"):
        declare(NAME, **changed)
    assert len(journal.entries("register")) == 1


def test_column_numbers_end(declare, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(limits, "COLUMNS", 3)
    declare(NAME, ADDRESS)
    with pytest.raises(LimitError, match="at most 2"):
        declare(NAME, ("phone", Kind.PHONE))


def test_commitments_are_logged_once_and_bind_the_ring(journal: Journal) -> None:
    clock = Clock()
    log_commitments(journal, {"mark-1": "aa", "segment-1": "bb"}, clock())
    log_commitments(journal, {"mark-1": "aa", "segment-1": "bb"}, clock())
    log_commitments(journal, {"mark-1": "aa", "mark-2": "cc"}, clock())
    logged = logged_keys(journal)
    assert list(logged) == ["mark-1", "segment-1", "mark-2"]
    assert [key.commitment for key in logged.values()] == ["aa", "bb", "cc"]
    assert logged["mark-2"].head == journal.head_at(3)
    assert list(logged_keys(journal, journal.head_at(1))) == ["mark-1"]
    with pytest.raises(IntegrityError, match="mark-1"):
        log_commitments(journal, {"mark-1": "dd", "mark-3": "ee"}, clock())
    assert len(journal.entries("key")) == 3


def test_public_keys_are_logged_once_and_never_exchanged(journal: Journal) -> None:
    log_verifiers(journal, {"signing-1": "ab" * 32}, NOW)
    log_verifiers(journal, {"signing-1": "ab" * 32, "signing-2": "cd" * 32}, NOW)
    assert verifiers(journal) == {"signing-1": "ab" * 32, "signing-2": "cd" * 32}
    with pytest.raises(IntegrityError, match="another public key"):
        log_verifiers(journal, {"signing-1": "ef" * 32}, NOW)


def test_the_schema_version_counts_what_was_logged(journal: Journal) -> None:
    assert schema_version(journal, "persons") == 0
    for columns in (["id"], ["id"], ["id", "name"]):
        declare_register(
            journal, "persons", key=["id"], columns=[(name, Kind.TEXT) for name in columns], coalition=1,
            law="fair", now=NOW,
        )  # fmt: skip
    assert schema_version(journal, "persons") == 2
