"""Two custodians: both are needed, and the one whose passphrase is wrong is named."""

from __future__ import annotations

import os

import pytest

from language.rings import CUSTODIANS, PASSPHRASE
from muniment import custody
from muniment.errors import IntegrityError, PassphraseError


@pytest.fixture(scope="module")
def made() -> tuple[custody.Locks, custody.Keks]:
    return custody.make(CUSTODIANS, PASSPHRASE, os.urandom)


def test_wrap_needs_both_keys_and_the_place(made: tuple[custody.Locks, custody.Keks]) -> None:
    _, (first, second) = made
    box = custody.wrap(b"secret", (first, second), b"mark-1")
    assert b"secret" not in box
    assert custody.unwrap(box, (first, second), b"mark-1", what="it") == b"secret"
    for keks, place, whose in (
        ((second, second), b"mark-1", "custodian 1"),
        ((first, first), b"mark-1", "custodian 2"),
        ((first, second), b"mark-2", "custodian 1"),
    ):
        with pytest.raises(IntegrityError, match=whose):
            custody.unwrap(box, keks, place, what="it")


def test_locks_open_to_the_same_keys(made: tuple[custody.Locks, custody.Keks]) -> None:
    locks, keks = made
    assert custody.open_locks(locks, *CUSTODIANS) == keks


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (None, None, "custodian 1 is missing"),
        ("wrong", None, "custodian 2 is missing"),
        (CUSTODIANS[0], "wrong", "custodian 2 is wrong"),
        ("wrong", CUSTODIANS[1], "custodian 1 is wrong"),
        (CUSTODIANS[1], CUSTODIANS[0], "custodian 1 is wrong"),
    ],
)
def test_error_names_the_custodian(
    made: tuple[custody.Locks, custody.Keks], first: str | None, second: str | None, message: str
) -> None:
    with pytest.raises(PassphraseError, match=message):
        custody.open_locks(made[0], first, second)


@pytest.mark.parametrize("pair", [(CUSTODIANS[0], CUSTODIANS[0]), (PASSPHRASE, CUSTODIANS[1])])
def test_passphrases_must_differ(pair: tuple[str, str]) -> None:
    with pytest.raises(PassphraseError, match="three different"):
        custody.make(pair, PASSPHRASE, os.urandom)
