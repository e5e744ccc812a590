"""Where a passphrase comes from, and what a lock refuses."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from muniment import limits
from muniment.errors import PassphraseError
from muniment.passphrase import PassphraseLock, decode, encode, find_custodians, find_passphrase

WORDS = "correct horse battery staple"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_bytes(b"from a file\r\nsecond line\n")
    path.chmod(0o600)
    return path


def test_order_of_the_sources(file: Path) -> None:
    env = {"MUNIMENT_PASSPHRASE": "from the environment", "MUNIMENT_PASSPHRASE_FILE": str(file)}
    assert find_passphrase(env, file, lambda: "typed") == "from a file"
    assert find_passphrase(env, None, lambda: "typed") == "from the environment"
    assert find_passphrase({"MUNIMENT_PASSPHRASE_FILE": str(file)}, None, lambda: "typed") == "from a file"
    assert find_passphrase({}, None, lambda: "typed") == "typed"


@pytest.mark.parametrize("prompt", [None, lambda: ""])
def test_no_source_names_what_to_set(prompt) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PassphraseError, match="no passphrase") as caught:
        find_passphrase({"MUNIMENT_PASSPHRASE": ""}, None, prompt)
    assert "MUNIMENT_PASSPHRASE_FILE" in caught.value.hint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_file_that_others_may_touch_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(PassphraseError, match=f"mode {mode:03o}") as caught:
        find_passphrase({}, file)
    assert caught.value.hint == f"chmod 600 {file}"


def test_unusable_files(file: Path, tmp_path: Path) -> None:
    with pytest.raises(PassphraseError, match="no such passphrase file"):
        find_passphrase({}, tmp_path / "none")
    file.write_bytes(b"\nfirst line is empty")
    with pytest.raises(PassphraseError, match="is empty"):
        find_passphrase({}, file)
    file.write_bytes(b"sec\xffret")
    with pytest.raises(PassphraseError, match="not UTF-8") as caught:
        find_passphrase({}, file)
    assert caught.value.__cause__ is None


def test_custodians_are_found_one_by_one() -> None:
    assert find_custodians({}) == (None, None)
    assert find_custodians({"MUNIMENT_CUSTODIAN_1": "a", "MUNIMENT_CUSTODIAN_2": "b"}) == ("a", "b")
    assert find_custodians({"MUNIMENT_CUSTODIAN_1": "a"}, lambda number: f"typed {number}") == ("a", "typed 2")


def test_lock_opens_with_its_passphrase_in_any_unicode_form() -> None:
    lock, key = PassphraseLock.make("Stra\u00dfe caf\u00e9 \u53f0\u5317", os.urandom, whose="it")
    assert PassphraseLock.from_json(lock.to_json()) == lock
    assert lock.open("Stra\u00dfe cafe\u0301 \u53f0\u5317", whose="it") == key
    assert len(key) == 32
    assert repr(lock.check) not in repr(lock)


def test_wrong_or_missing_passphrase_says_whose_and_what_still_works() -> None:
    lock, _ = PassphraseLock.make(WORDS, os.urandom, whose="it")
    for wrong in (WORDS + "r", "x" * 2_000):
        with pytest.raises(PassphraseError, match="the passphrase of a test is wrong; nothing was changed") as caught:
            lock.open(wrong, whose="the passphrase of a test")
        assert "cannot be recovered" in caught.value.hint
        assert "still works" in caught.value.hint
        assert wrong not in caught.value.message + caught.value.hint
    with pytest.raises(PassphraseError, match="a test is missing"):
        lock.open(None, whose="the passphrase of a test")


@pytest.mark.parametrize("passphrase", ["", "seven77", "x" * 1_025])
def test_new_passphrase_has_bounds(passphrase: str) -> None:
    with pytest.raises(PassphraseError, match="expected 8 to 1,024 characters"):
        PassphraseLock.make(passphrase, os.urandom, whose="it")


@pytest.mark.parametrize(
    "forged",
    [
        {"n": 2**10}, {"n": 2**15 + 1}, {"n": 2**40}, {"n": "32768"}, {"n": True}, {"r": 1}, {"r": 2**30}, {"p": 0},
        {"p": 17}, {"salt": encode(b"short")}, {"salt": 3}, {"check": "?"},
    ],
)  # fmt: skip
def test_forged_parameters_are_refused_before_they_cost_anything(forged: dict[str, object]) -> None:
    lock = PassphraseLock(2**15, 8, 1, bytes(32), bytes(40))
    assert PassphraseLock.from_json(lock.to_json()) == replace(lock)
    with pytest.raises((ValueError, TypeError)):
        PassphraseLock.from_json(lock.to_json() | forged)


def test_default_parameters_are_within_the_bounds_for_reading() -> None:
    lock, _ = PassphraseLock.make(WORDS, os.urandom, whose="it")
    assert (lock.n, lock.r, lock.p) == (2**15, 8, 1)
    assert 128 * lock.n * lock.r <= limits.SCRYPT_BYTES
    assert decode(encode(lock.salt)) == lock.salt
