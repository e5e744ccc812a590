"""The digests of a run's map are those of the rules, computed here once more by hand."""

from __future__ import annotations

from hashlib import sha256

from muniment.ledger.index.proof import RunProof, key_digest, value_digest
from muniment.ledger.ordinals.maps import MapProof


def test_digests_are_those_of_the_rules() -> None:
    salt = bytes(range(32))
    assert key_digest(salt, 258) == sha256(b"\x30" + salt + b"\0\0\1\2").digest()
    postings = ((3, 4), (2**40, 2**31))
    packed = b"".join(n.to_bytes(8, "big") for pair in postings for n in pair)
    assert value_digest(salt[:16], postings) == sha256(b"\x31" + salt[:16] + packed).digest()


def test_a_proof_comes_back_from_json() -> None:
    for proof in (
        RunProof(b"m" * 32, b"s" * 16, ((1, 2), (3, 4)), MapProof(())),
        RunProof(b"m" * 32, None, (), MapProof(())),
    ):
        assert RunProof.from_json(proof.to_json()) == proof
