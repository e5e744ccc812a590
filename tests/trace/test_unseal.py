"""A bundle is held against its own manifest before a number is computed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from language.bundles import resealed, sealable
from muniment.errors import IntegrityError
from muniment.trace.archive import read_archive, write_archive
from muniment.trace.bundle import SYMBOL, Signer, write_bundle
from muniment.trace.unseal import unseal

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer(KEY.public_key().public_bytes_raw(), KEY.sign)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    made = sealable()
    write_bundle(tmp_path / "a.zip", made.verdict, [made.part])
    return tmp_path / "a.zip"


def test_what_was_sealed_comes_back(bundle: Path) -> None:
    made = sealable()
    opened = unseal(bundle, None)
    (part,) = opened.parts
    assert len(part.symbols) == len(made.part.symbols)
    assert part.mixture == made.part.mixture
    assert {number: int(bits.sum()) for number, (bits, _) in part.codewords.items()} == {
        codeword.number: int(codeword.bits.sum()) for codeword in made.part.codewords
    }


@pytest.mark.parametrize("name", ["verdict.json", "symbols-1.bin", "codewords-1.json"])
def test_one_altered_byte_is_noticed(bundle: Path, name: str) -> None:
    members = read_archive(bundle)
    data = bytearray(members[name])
    data[len(data) // 2] ^= 1
    write_archive(bundle, {**members, name: bytes(data)})
    with pytest.raises(IntegrityError, match=f"{name} was altered"):
        unseal(bundle, None)


def test_members_more_or_fewer(bundle: Path) -> None:
    members = read_archive(bundle)
    write_archive(bundle, {**members, "more.bin": b""})
    with pytest.raises(IntegrityError, match="not those"):
        unseal(bundle, None)
    write_archive(bundle, {name: data for name, data in members.items() if name != "symbols-1.bin"})
    with pytest.raises(IntegrityError, match="not those"):
        unseal(bundle, None)
    write_archive(bundle, {"a": b""})
    with pytest.raises(IntegrityError, match=r"no manifest\.json"):
        unseal(bundle, None)


def _symbols(change: Callable[[np.ndarray], None]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        rows = np.frombuffer(members["symbols-1.bin"], SYMBOL).copy()
        change(rows)
        members["symbols-1.bin"] = rows.tobytes()

    return changed


def _set(name: str, place: int, value: object) -> Callable[[np.ndarray], None]:
    def change(rows: np.ndarray) -> None:
        rows[name][place] = value

    return change


def _swap(rows: np.ndarray) -> None:
    rows[[0, 1]] = rows[[1, 0]]


def _double(rows: np.ndarray) -> None:
    rows[1] = rows[0]


def _manifest(**changed: object) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **changed}).encode()

    return change


def _cut(members: dict[str, bytes]) -> None:
    members["symbols-1.bin"] = members["symbols-1.bin"][:-1]


def _short_codeword(members: dict[str, bytes]) -> None:
    words = json.loads(members["codewords-1.json"])
    words[0]["bits"] = words[0]["bits"][:-2]
    members["codewords-1.json"] = json.dumps(words).encode()


def _codeword_twice(members: dict[str, bytes]) -> None:
    words = json.loads(members["codewords-1.json"])
    members["codewords-1.json"] = json.dumps([words[0], *words]).encode()


FAULTS = {
    "share above 1": (_symbols(_set("share", 3, 1.5)), "out of range"),
    "share not a number": (_symbols(_set("share", 3, np.nan)), "out of range"),
    "weight below 0": (_symbols(_set("weight", 3, -0.5)), "out of range"),
    "bias of 0": (_symbols(_set("threshold", 3, 0)), "out of range"),
    "family out of range": (_symbols(_set("family", 3, 2)), "out of range"),
    "bias of another law": (_symbols(_set("threshold", 3, 12_345)), "law of family"),
    "an address twice": (_symbols(_double), "twice, or out of order"),
    "out of order": (_symbols(_swap), "twice, or out of order"),
    "cut short": (_cut, "expected 800 symbols"),
    "codeword too short": (_short_codeword, "another length"),
    "codeword twice": (_codeword_twice, "opens a codeword twice"),
    "other candidates": (_manifest(candidates=10), "differ in candidates"),
    "other commitment": (_manifest(key_commitments={}), "differ in key_commitments"),
    "other file": (_manifest(input={"name": "x", "sha256": "00"}), "differ in the file"),
    "other version": (_manifest(version=2), "not muniment-bundle version 1"),
    "unknown field": (_manifest(more=1), "manifest.json is not as expected"),
    "key without signature": (_manifest(public_key="00" * 32), "do not go together"),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_that_its_maker_sealed_with_good_digests(bundle: Path, fault: str) -> None:
    change, message = FAULTS[fault]
    resealed(bundle, change)
    with pytest.raises(IntegrityError, match=message):
        unseal(bundle, None)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"[" * 100_000, b'{"format": 1e999}', b"\xff"])
def test_json_that_is_none(bundle: Path, text: bytes) -> None:
    write_archive(bundle, {**read_archive(bundle), "manifest.json": text})
    with pytest.raises(IntegrityError, match=r"manifest\.json is not as expected"):
        unseal(bundle, None)


def test_the_error_never_repeats_what_the_file_says(bundle: Path) -> None:
    write_archive(bundle, {**read_archive(bundle), "manifest.json": b'{"Mary Smith 1970": "secret"}'})
    with pytest.raises(IntegrityError) as caught:
        unseal(bundle, None)
    assert "Mary" not in caught.value.message
    assert "secret" not in caught.value.message


def test_signatures(tmp_path: Path) -> None:
    made = sealable()
    path = tmp_path / "a.zip"
    write_bundle(path, made.verdict, [made.part], signer=SIGNER)
    assert unseal(path, SIGNER.public_key).public_key == SIGNER.public_key.hex()
    assert unseal(path, None).public_key == SIGNER.public_key.hex()
    with pytest.raises(IntegrityError, match="expected key"):
        unseal(path, bytes(32))
    members = read_archive(path)
    write_archive(path, {**members, "manifest.sig": bytes(64)})
    with pytest.raises(IntegrityError, match="not good"):
        unseal(path, None)
    write_archive(path, {name: data for name, data in members.items() if name != "manifest.sig"})
    with pytest.raises(IntegrityError, match="do not go together"):
        unseal(path, None)


def test_an_unsigned_bundle_where_a_signature_is_expected(bundle: Path) -> None:
    with pytest.raises(IntegrityError, match="expected key"):
        unseal(bundle, SIGNER.public_key)
