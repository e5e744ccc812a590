"""What is sealed, and what never is."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from language.bundles import sealable
from muniment.trace.bundle import SYMBOL, Codeword, digest, make_bundle, to_bytes, write_bundle
from muniment.trace.verdict import Lead


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_members_and_their_digests(tmp_path: Path) -> None:
    made = sealable()
    stated = write_bundle(tmp_path / "a.zip", made.verdict, [made.part])
    members = _members(tmp_path / "a.zip")
    assert sorted(members) == ["codewords-1.json", "manifest.json", "symbols-1.bin", "verdict.json"]
    assert stated == digest(members["manifest.json"])
    manifest = json.loads(members["manifest.json"])
    assert manifest["members"]["verdict.json"]["sha256"] == digest(members["verdict.json"])
    assert manifest["input"]["sha256"] == made.verdict.file_digest
    assert len(members["symbols-1.bin"]) == len(made.part.symbols) * SYMBOL.itemsize


def test_the_same_examination_gives_the_same_bytes_in_any_order_of_symbols(tmp_path: Path) -> None:
    made = sealable()
    order = np.random.default_rng(1).permutation(len(made.part.symbols))
    shuffled = replace(
        made.part,
        record=made.part.record[order],
        column=made.part.column[order],
        carrier=made.part.carrier[order],
        symbols=made.part.symbols.take(order),
        codewords=tuple(Codeword(c.number, c.bits[order]) for c in made.part.codewords[::-1]),
    )
    write_bundle(tmp_path / "a.zip", made.verdict, [made.part])
    write_bundle(tmp_path / "b.zip", made.verdict, [shuffled])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_no_value_of_the_leak_and_no_lead_is_sealed(tmp_path: Path) -> None:
    made = sealable()
    verdict = replace(made.verdict, leads=(Lead("Somebody Else", 9, 1.0),))
    write_bundle(tmp_path / "a.zip", verdict, [made.part])
    data = (tmp_path / "a.zip").read_bytes()
    assert b"High St" not in data
    assert "113年".encode() not in data
    assert b"Somebody Else" not in data


def test_no_codeword_of_anybody_who_is_not_named(tmp_path: Path) -> None:
    made = sealable(named=1)
    both = replace(made.part, codewords=sealable(named=2).part.codewords)
    with pytest.raises(ValueError, match="not named"):
        write_bundle(tmp_path / "a.zip", made.verdict, [both])
    with pytest.raises(ValueError, match="not named"):
        write_bundle(tmp_path / "a.zip", made.verdict, [replace(made.part, mark_key="mk-2")])
    assert not list(tmp_path.iterdir())


def test_an_address_enters_once(tmp_path: Path) -> None:
    made = sealable()
    twice = made.part.record.copy()
    twice[2] = twice[0]
    with pytest.raises(ValueError, match="more than once"):
        write_bundle(tmp_path / "a.zip", made.verdict, [replace(made.part, record=twice)])


def test_a_number_that_is_not_finite_is_never_written() -> None:
    with pytest.raises(ValueError):
        to_bytes({"a": float("nan")})


def test_the_digest_is_known_before_the_file_appears(tmp_path: Path) -> None:
    made = sealable()
    bundle = make_bundle(made.verdict, [made.part])
    assert "codewords" not in repr(bundle)
    assert not list(tmp_path.iterdir())
    bundle.write(tmp_path / "a.zip")
    assert bundle.digest == digest(_members(tmp_path / "a.zip")["manifest.json"])
