"""Seal the bundle of an examination: log what it opens first, then let it appear."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from muniment.errors import InputError
from muniment.trace.bundle import Family, Part, Signer, make_bundle
from muniment.trace.seal import part_of
from muniment.workspace.opening import log_openings
from muniment.workspace.parts import Parts
from muniment.workspace.reading import KeyReading
from muniment.workspace.tracing import Traced


def seal_bundle(parts: Parts, traced: Traced, path: Path) -> str:
    """Write the bundle and return the digest of its manifest; signed where the ring holds a signing key."""
    bundle = make_bundle(traced.verdict, _parts_of(traced), signer=_signer(parts))
    log_openings(parts, traced.findings, bundle.digest)
    bundle.write(path)
    return bundle.digest


def _parts_of(traced: Traced) -> list[Part]:
    """One part for each group that names somebody, and always that of the main reading, whose symbols are counted."""
    chosen = [
        (reading, group)
        for reading, group in zip(traced.readings, traced.groups, strict=True)
        if reading is traced.main or any(finding.group is group for finding in traced.findings)
    ]
    return [
        part_of(group, _families(reading), [finding for finding in traced.findings if finding.group is group])
        for reading, group in chosen
    ]


def _families(reading: KeyReading) -> list[Family]:
    laws = [*(family.law for family in reading.plan.cells), *(family.law for family in reading.plan.structural)]
    return [Family(*key, law.name, law.table) for key, law in zip(reading.plan.keys, laws, strict=True)]


def _signer(parts: Parts) -> Signer | None:
    try:
        secret = parts.ring.current("signing").secret
    except InputError:
        return None  # a ring without signing keys releases and traces; its bundles are unsigned
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return Signer(_public(key), key.sign)


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
