"""Open a sealed bundle and hold it against its own manifest: checks 1, 2, 3 and 5 of `recompute`.

Nothing is believed before it is checked: sizes before bytes, digests before parsing, ranges before arithmetic. What
comes out is verified; everything else is `IntegrityError`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

from muniment.errors import IntegrityError
from muniment.limits import BUNDLE_JSON_BYTES
from muniment.trace import written
from muniment.trace.archive import read_archive
from muniment.trace.bundle import FORMAT, SIGNED_PREFIX, SYMBOL, VERSION, digest
from muniment.trace.score import Mixture, Symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

Value = TypeVar("Value")
_FIXED: Final = ("manifest.json", "manifest.sig", "verdict.json")


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """A part whose symbols passed check 5; `codewords` maps a recipient number to (bits, scored), each (m,)."""

    register: str
    mark_key: str
    families: tuple[written.Family, ...]
    mixture: Mixture
    symbols: Symbols
    codewords: Mapping[int, tuple[NDArray[np.uint8], NDArray[np.bool_]]]


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A bundle that agrees with its manifest; its numbers are not yet checked."""

    verdict: written.Verdict
    parts: tuple[Part, ...]
    manifest_digest: str
    public_key: str | None


def unseal(path: Path, public_key: bytes | None) -> Unsealed:
    """Return what the bundle at `path` holds, after checks 1, 2, 3 and 5.

    Raises `InputError`, `LimitError` and `IntegrityError` as `recompute.recompute` does.
    """
    members = read_archive(path)
    manifest = _parse(written.Manifest, members, "manifest.json")
    _check_members(manifest, members)
    _check_signature(manifest, members, public_key)
    verdict = _parse(written.Verdict, members, "verdict.json")
    _check_same(manifest, verdict)
    parts = tuple(_read_part(part, members) for part in manifest.parts)
    return Unsealed(verdict, parts, digest(members["manifest.json"]), manifest.public_key)


# --- checks 1 to 3: the container --------------------------------------------------------------------------------


def _parse(kind: type[Value], members: Mapping[str, bytes], name: str) -> Value:
    """Parse a JSON member into a verified value; the error names the place, never the content."""
    if name not in members:
        raise IntegrityError(f"bundle: has no {name}")
    if len(members[name]) > BUNDLE_JSON_BYTES:
        raise IntegrityError(f"bundle: {name} has {len(members[name]):,} bytes, expected at most {BUNDLE_JSON_BYTES:,}")
    try:
        return TypeAdapter(kind).validate_json(members[name])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = "/".join(str(step) for step in first["loc"] if isinstance(step, int) or step.isidentifier())[:200]
        raise IntegrityError(f"bundle: {name} is not as expected at {place or 'the start'}: {first['type']}") from None


def _check_members(manifest: written.Manifest, members: Mapping[str, bytes]) -> None:
    """Checks 1 and 2: the members are those of the manifest, byte for byte."""
    if (manifest.format, manifest.version) != (FORMAT, VERSION):
        raise IntegrityError(
            f"bundle: its format is not {FORMAT} version {VERSION}", hint="use the release of muniment that made it"
        )
    expected = {"verdict.json", *(name for part in manifest.parts for name in (part.symbols, part.codewords))}
    unsigned = set(members) - {"manifest.json", "manifest.sig"}
    if len(expected) != 1 + 2 * len(manifest.parts) or expected.intersection(_FIXED) != {"verdict.json"}:
        raise IntegrityError("bundle: two parts share a member")
    if unsigned != expected or set(manifest.members) != expected:
        raise IntegrityError("bundle: its members are not those that the manifest lists")
    for name, stated in manifest.members.items():
        if stated.sha256 != digest(members[name]) or stated.bytes != len(members[name]):
            raise IntegrityError(f"bundle: {name} was altered: its digest is not the one in the manifest")


def _check_signature(manifest: written.Manifest, members: Mapping[str, bytes], public_key: bytes | None) -> None:
    """Check 2: a bundle that names a public key is signed by it, and one that must be signed is."""
    signature = members.get("manifest.sig")
    if (manifest.public_key is None) != (signature is None):
        raise IntegrityError("bundle: public key and signature do not go together")
    if public_key is not None and manifest.public_key != public_key.hex():
        raise IntegrityError("bundle: is not signed by the expected key")
    if manifest.public_key is None or signature is None:
        return
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(manifest.public_key))
        key.verify(signature, SIGNED_PREFIX + members["manifest.json"])
    except (InvalidSignature, ValueError) as error:
        raise IntegrityError("bundle: the signature of the manifest is not good") from error


def _check_same(manifest: written.Manifest, verdict: written.Verdict) -> None:
    """Check 3: what manifest and verdict both state is the same."""
    if manifest.input != verdict.file:
        raise IntegrityError("bundle: manifest and verdict differ in the file")
    for name in (
        "register",
        "candidates",
        "examination",
        "alpha",
        "log10_threshold",
        "checkpoint",
        "key_commitments",
        "time",
        "software",
    ):
        if getattr(manifest, name) != getattr(verdict, name):
            raise IntegrityError(f"bundle: manifest and verdict differ in {name}")


# --- check 5: the symbols ----------------------------------------------------------------------------------------


def _read_part(part: written.Part, members: Mapping[str, bytes]) -> Part:
    data = members[part.symbols]
    if len(data) != part.count * SYMBOL.itemsize:
        raise IntegrityError(f"bundle: {part.symbols} has {len(data):,} bytes, expected {part.count:,} symbols")
    rows = np.frombuffer(data, SYMBOL)
    _check_symbols(part, rows)
    _, group = np.unique(rows["record"], return_inverse=True)
    plain = [np.ascontiguousarray(rows[name]) for name in ("family", "threshold", "share", "weight")]
    codewords = _parse(list[written.Codeword], members, part.codewords)
    opened = {c.number: (_bits(c.bits, part), _scored(c.scored, part)) for c in codewords}
    if len(opened) != len(codewords):
        raise IntegrityError(f"bundle: {part.codewords} opens a codeword twice")
    symbols = Symbols(group.astype(np.uint32), *plain)
    return Part(part.register, part.mark_key, part.families, part.mixture.checked(), symbols, opened)


def _check_symbols(part: written.Part, rows: NDArray[np.void]) -> None:
    """Check 5: addresses distinct and in order, values in range, biases from the tables of their laws."""
    order = np.lexsort((rows["carrier"], rows["column"], rows["record"]))
    keys = [rows[name] for name in ("record", "column", "carrier")]
    twice = np.logical_and.reduce([key[1:] == key[:-1] for key in keys]).any()
    if twice or (order != np.arange(len(rows))).any():
        raise IntegrityError(f"bundle: {part.symbols} holds an address twice, or out of order")
    inside = [(rows[name] >= 0).all() and (rows[name] <= 1).all() for name in ("share", "weight")]
    if not all(inside) or (rows["threshold"] == 0).any() or (rows["family"] >= max(len(part.families), 1)).any():
        raise IntegrityError(f"bundle: {part.symbols} holds a share, weight, bias or family out of range")
    for number, family in enumerate(part.families):
        drawn = rows["threshold"][rows["family"] == number]
        if family.table and not np.isin(drawn, np.array(family.table, np.uint64)).all():
            raise IntegrityError(f"bundle: {part.symbols} holds a bias that the law of family {number} does not have")


def _bits(packed: str, part: written.Part) -> NDArray[np.uint8]:
    """Unpack bits; exactly as many bytes as the part's symbols need."""
    if len(packed) != 2 * math.ceil(part.count / 8):
        raise IntegrityError(f"bundle: {part.codewords} holds a codeword of another length")
    return np.unpackbits(np.frombuffer(bytes.fromhex(packed), np.uint8), count=part.count)


def _scored(packed: str | None, part: written.Part) -> NDArray[np.bool_]:
    return np.ones(part.count, np.bool_) if packed is None else _bits(packed, part).astype(np.bool_)
