"""The sealed bundle of an examination: what a stranger needs to recompute every number of the named.

A zip (see `archive`) of
    manifest.json        format, digests of the inputs and of every member, all parameters of the score
    verdict.json         the verdict as `--json` gives it, without examples of values and without leads
    symbols-1.bin        the symbols of one register under one mark key, a record of SYMBOL each, in order of addresses
    codewords-1.json     the codewords of those named under that key, and of nobody else
    manifest.sig         optional: Ed25519 signature of the manifest

Rules
1. No key, no register value, no value of the leak, no tie of a row to a record: an address names a record by a keyed
   64-bit digest, and symbols are sorted by address, so that the order of the leak's rows is gone.
2. Only codewords of the named are opened. What is opened reads as erased for that recipient in later examinations.
3. The same verdict gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.trace.archive import write_archive
from muniment.trace.score import Mixture, Symbols
from muniment.trace.verdict import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT: Final = "muniment-bundle"
VERSION: Final = 1
SIGNED_PREFIX: Final = b"muniment-bundle-v1\n"
"""Stands before the manifest in what is signed: the signature cannot be taken for one over anything else."""
SYMBOL: Final = np.dtype(
    [
        ("record", "<u8"),
        ("column", "<u2"),
        ("carrier", "u1"),
        ("family", "<u2"),
        ("threshold", "<u4"),
        ("share", "<f8"),
        ("weight", "<f8"),
    ]
)
"""One symbol, 33 bytes, little endian: the address (record, column, carrier), the family's index, the bias T with
p = T / 2**32, the share of readings that are 1, and the trust in the alignment."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family of a part: the law its biases follow, and the table of T it draws from (empty: not stated)."""

    carrier: str
    column: str
    law: str = ""
    table: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Codeword:
    """The opened bits of one named recipient: `bits` (uint8, shape (m,)) in the order of the part's symbols.

    `scored` (bool, shape (m,)) leaves out addresses that an earlier bundle opened for it; `None` means all are scored.
    """

    number: int
    bits: NDArray[np.uint8]
    scored: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """All symbols of one register under one mark key (arrays of length m), and the codewords of those named there.

    `record` is the 64-bit record of the address; the group of a symbol (`Symbols.record`) follows from it.
    """

    register: str
    mark_key: str
    families: tuple[Family, ...]
    mixture: Mixture
    record: NDArray[np.uint64]
    column: NDArray[np.uint16]
    carrier: NDArray[np.uint8]
    symbols: Symbols
    codewords: tuple[Codeword, ...]


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs the manifest: a raw Ed25519 public key (32 bytes) and what signs with its secret half."""

    public_key: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, repr=False)
class Bundle:
    """A bundle in memory; `digest` is the SHA-256 of its manifest (hex), to be logged before the file appears."""

    digest: str
    members: Mapping[str, bytes]

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all; `UnreachableError` where it cannot be written."""
        write_archive(path, self.members)


def make_bundle(verdict: Verdict, parts: Sequence[Part], *, signer: Signer | None = None) -> Bundle:
    """Seal an examination.

    `parts` holds one part for each register and mark key under which somebody is named, and the part with the most
    symbols, which is the one the verdict counts. Raises `ValueError` where an address enters twice or a codeword
    belongs to nobody named: both are faults of the caller.
    """
    members = {"verdict.json": to_bytes(replace(verdict, leads=None).to_json(examples=False))}
    described = []
    for place, part in enumerate(parts, 1):
        order = _order(part)
        members[f"symbols-{place}.bin"] = _symbol_bytes(part, order)
        members[f"codewords-{place}.json"] = to_bytes(_codewords(verdict, part, order))
        described.append(_part(part, place))
    manifest = to_bytes(_manifest(verdict, described, members, signer))
    members["manifest.json"] = manifest
    if signer:
        members["manifest.sig"] = signer.sign(SIGNED_PREFIX + manifest)
    return Bundle(digest(manifest), members)


def write_bundle(path: Path, verdict: Verdict, parts: Sequence[Part], *, signer: Signer | None = None) -> str:
    """Make a bundle, write it to `path` and return the digest of its manifest; raises what the two steps raise."""
    bundle = make_bundle(verdict, parts, signer=signer)
    bundle.write(path)
    return bundle.digest


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def to_bytes(value: object) -> bytes:
    """JSON as this module writes it: sorted keys, UTF-8, no number that is not finite."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n"


def _order(part: Part) -> NDArray[np.intp]:
    """The order of addresses; `ValueError` if one enters twice."""
    order = np.lexsort((part.carrier, part.column, part.record))
    keys = [array[order] for array in (part.record, part.column, part.carrier)]
    if len(order) and np.logical_and.reduce([key[1:] == key[:-1] for key in keys]).any():
        raise ValueError("an address enters the score more than once")
    return order


def _symbol_bytes(part: Part, order: NDArray[np.intp]) -> bytes:
    out = np.empty(len(order), SYMBOL)
    for name in ("record", "column", "carrier"):
        out[name] = getattr(part, name)[order]
    for name in ("family", "threshold", "share", "weight"):
        out[name] = getattr(part.symbols, name)[order]
    return out.tobytes()


def _codewords(verdict: Verdict, part: Part, order: NDArray[np.intp]) -> list[dict[str, object]]:
    """The opened codewords as packed bits in hexadecimal, first symbol in the highest bit."""
    named = {n.number for n in verdict.named if n.mark_key == part.mark_key and n.register in ("", part.register)}
    if not named.issuperset(codeword.number for codeword in part.codewords):
        raise ValueError("a codeword would be opened of a recipient that is not named")
    return [
        {
            "number": codeword.number,
            "bits": np.packbits(codeword.bits[order]).tobytes().hex(),
            "scored": None if codeword.scored is None else np.packbits(codeword.scored[order]).tobytes().hex(),
        }
        for codeword in sorted(part.codewords, key=lambda codeword: codeword.number)
    ]


def _part(part: Part, place: int) -> dict[str, object]:
    """What the manifest says of one part."""
    return {
        "register": part.register,
        "mark_key": part.mark_key,
        "symbols": f"symbols-{place}.bin",
        "codewords": f"codewords-{place}.json",
        "count": len(part.symbols),
        "mixture": part.mixture.to_json(),
        "families": [
            {"carrier": f.carrier, "column": f.column, "law": f.law, "table": list(f.table)} for f in part.families
        ],
    }


def _manifest(
    verdict: Verdict, parts: list[dict[str, object]], members: Mapping[str, bytes], signer: Signer | None
) -> dict[str, object]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "software": verdict.software,
        "time": verdict.time.isoformat(),
        "input": {"name": verdict.file, "sha256": verdict.file_digest},
        "register": verdict.register,
        "candidates": verdict.candidates,
        "examination": verdict.examination,
        "alpha": verdict.alpha,
        "log10_threshold": verdict.log10_threshold,
        "checkpoint": verdict.checkpoint,
        "key_commitments": dict(verdict.key_commitments),
        "members": {name: {"sha256": digest(data), "bytes": len(data)} for name, data in sorted(members.items())},
        "parts": parts,
        "public_key": signer.public_key.hex() if signer else None,
    }
