"""The table as a Merkle map: one person is opened, nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.ordinals import persons
from muniment.ledger.ordinals.persons import PersonMap, PersonProof

SECRET = b"s" * 32


def _map(entries: dict[int, int], secret: bytes = SECRET) -> PersonMap:
    pseudonyms = sorted(entries)
    ordinals = np.array([entries[pseudonym] for pseudonym in pseudonyms], np.uint32)
    return PersonMap(np.array(pseudonyms, np.uint64), ordinals, secret)


@settings(max_examples=40)
@given(
    entries=st.dictionaries(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), max_size=30),
    others=st.lists(st.integers(0, 2**64 - 1), max_size=5),
)
def test_every_pseudonym_is_proved_present_or_absent(entries: dict[int, int], others: list[int]) -> None:
    built = _map(entries)
    for pseudonym in (*entries, *others):
        proof = PersonProof.from_json(json.loads(json.dumps(built.prove(pseudonym).to_json())))
        assert proof.verify(built.root, len(built)) == entries.get(pseudonym)


def test_the_digests_are_what_the_rules_say() -> None:
    built = _map({5: 50, 6: 60})
    proof = built.prove(5)
    assert proof.salt is not None
    (leaf,) = proof.proof.leaves
    assert leaf.key == sha256(b"\x21" + proof.map_salt + (5).to_bytes(8, "big")).digest()
    assert leaf.value == sha256(b"\x22" + proof.salt + (50).to_bytes(4, "big")).digest()
    assert built.prove(6).salt != proof.salt


def test_a_proof_shows_no_other_ordinal() -> None:
    built = _map({n * 2**40: n for n in range(100)})
    text = json.dumps(built.prove(5 * 2**40).to_json())
    others = {n: built.prove(n * 2**40) for n in range(100) if n != 5}
    assert not any(other.salt is None or other.salt.hex() in text for other in others.values())


def test_secrets_give_unrelated_maps() -> None:
    first, second = _map({5: 50}), _map({5: 50}, b"t" * 32)
    assert first.root != second.root
    assert _map({5: 50}).root == first.root
    with pytest.raises(IntegrityError):
        first.prove(5).verify(second.root, 1)


def test_lies_about_the_ordinal_are_refused() -> None:
    built = _map({n * 7: n for n in range(30)})
    proof, absent = built.prove(49), built.prove(50)
    for lie in (
        replace(proof, ordinal=8),
        replace(proof, salt=bytes(16)),
        replace(proof, ordinal=None, salt=None),
        replace(proof, pseudonym=56),
        replace(proof, map_salt=bytes(32)),
        replace(proof, proof=absent.proof),
        replace(absent, ordinal=7, salt=bytes(16)),
        replace(absent, pseudonym=49),
    ):
        with pytest.raises(IntegrityError):
            lie.verify(built.root, len(built))


@pytest.mark.parametrize(
    "change",
    [
        {"map_salt": "00"}, {"pseudonym": 5}, {"pseudonym": "zz" * 8}, {"ordinal": None}, {"ordinal": -1},
        {"ordinal": 2**32}, {"ordinal": True}, {"salt": None}, {"salt": "00"}, {"proof": {}}, {"more": 1},
    ],
)  # fmt: skip
def test_malformed_proofs_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="malformed"):
        PersonProof.from_json(_map({5: 50}).prove(5).to_json() | change)
    with pytest.raises(IntegrityError, match="malformed"):
        PersonProof.from_json([])


def test_keys_that_agree_in_64_bits_are_ordered_by_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {n: n for n in range(40)}
    expected = _map(entries).root
    monkeypatch.setattr(persons, "_heads", lambda keys: (keys[:, 0] // 64).astype(np.uint64) << np.uint64(62))
    coarse = _map(entries)
    assert coarse.root == expected


def test_nothing_shows_in_a_repr() -> None:
    assert repr(_map({5: 50})) == "PersonMap(size=1)"
