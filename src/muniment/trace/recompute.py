"""Recompute every number of the named from a sealed bundle, without the register and without a key.

The checks, in order (docs/json.md uses the same numbers)
1. The file is a bundle of bounded size, and its members are those of the manifest, no more and no fewer.
2. Every member has the digest that the manifest states; the manifest's signature, if there is one, is good.
3. Manifest and verdict state the same file, register, candidates, examination, bound, checkpoint and commitments.
4. The threshold is log10 (n k(k+1) / alpha).
5. The symbols are well formed: each address once, in order; every bias from the table of its law.
6. For each named recipient, and for nobody else, one codeword is opened; log10 E, log10 (E/n), the phrase and the share
   of every family follow from the symbols, and log10 E reaches the threshold.
7. The counts of symbols are those of the verdict.

What this does not show: that the codeword is the one the mark key gives at these addresses. The holder of the key, or
its custodians, can show that; the commitment of the key ties it to the day on which the key was made.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from muniment.errors import IntegrityError
from muniment.evidence import log10_threshold
from muniment.trace import written
from muniment.trace.scale import log10_e_over_n, phrase_key
from muniment.trace.score import by_family, log10_e
from muniment.trace.unseal import Part, unseal

TOLERANCE: Final = 1e-9
"""Largest relative difference of a recomputed number: far below every digit that is printed, above what another order
of summation does."""


@dataclass(frozen=True, slots=True)
class RecomputedShare:
    """The recomputed share of one family (the mixing term has empty names)."""

    carrier: str
    column: str
    symbols: int
    agreeing: int
    log10_e: float


@dataclass(frozen=True, slots=True)
class RecomputedNamed:
    """The recomputed numbers of one named recipient."""

    recipient: str
    number: int
    log10_e: float
    log10_e_over_n: float
    phrase: str
    evidence: tuple[RecomputedShare, ...]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a bundle yields when all checks agree; `public_key` (hex) is `None` where it is not signed."""

    file: str
    file_digest: str
    manifest_digest: str
    named: tuple[RecomputedNamed, ...]
    candidates: int
    examination: int
    alpha: float
    log10_threshold: float
    symbols: int
    public_key: str | None

    def to_json(self) -> dict[str, object]:
        """The documented JSON of `muniment recompute --json` (docs/json.md)."""
        return {
            "agrees": True,
            "verdict": "named" if self.named else "none",
            "named": [_named_json(named) for named in self.named],
            "candidates": self.candidates,
            "examination": self.examination,
            "alpha": self.alpha,
            "log10_threshold": self.log10_threshold,
            "symbols": {"read": self.symbols},
            "file": {"name": self.file, "sha256": self.file_digest},
            "manifest_sha256": self.manifest_digest,
            "public_key": self.public_key,
        }


def _named_json(named: RecomputedNamed) -> dict[str, object]:
    return {
        "recipient": named.recipient,
        "number": named.number,
        "log10_e": named.log10_e,
        "log10_e_over_n": named.log10_e_over_n,
        "phrase": named.phrase,
        "evidence": [{name: getattr(share, name) for name in share.__slots__} for share in named.evidence],
    }


def recompute(path: str | os.PathLike[str], *, public_key: bytes | None = None) -> Recomputed:
    """Return the numbers of the named, computed again from the bundle at `path`.

    With `public_key` (raw Ed25519, 32 bytes) the bundle must be signed by that key.

    Raises:
        InputError: there is no such file.
        LimitError: the bundle is larger than a bundle may be.
        IntegrityError: something does not agree; the message says which check failed, and nothing of it holds.
    """
    bundle = unseal(Path(path), public_key)
    verdict, parts = bundle.verdict, bundle.parts
    threshold = log10_threshold(verdict.candidates, verdict.alpha, verdict.examination)
    _agree("threshold", verdict.log10_threshold, threshold)
    named = tuple(_recompute_named(verdict, one, parts) for one in verdict.named)
    _check_named(verdict, named, parts)
    _check_counts(verdict, parts)
    return Recomputed(
        file=verdict.file.name,
        file_digest=verdict.file.sha256,
        manifest_digest=bundle.manifest_digest,
        named=named,
        candidates=verdict.candidates,
        examination=verdict.examination,
        alpha=verdict.alpha,
        log10_threshold=threshold,
        symbols=verdict.symbols.read,
        public_key=bundle.public_key,
    )


def _recompute_named(verdict: written.Verdict, named: written.Named, parts: tuple[Part, ...]) -> RecomputedNamed:
    """Check 6 for one named recipient."""
    who = f"recipient number {named.number}"
    found = [part for part in parts if _opens(part, named)]
    if len(found) != 1:
        raise IntegrityError(f"bundle: {who} is named, but its codeword is not opened")
    bits, scored = found[0].codewords[named.number]
    chosen = np.flatnonzero(scored)
    symbols, bits = found[0].symbols.take(chosen), bits[chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(log10_e(symbols, bits[None], found[0].mixture)[0])
        shares = by_family(symbols, bits, found[0].mixture)
    over_n = log10_e_over_n(value, verdict.candidates)
    _agree(f"log10 E of {who}", named.log10_e, value)
    _agree(f"log10 (E/n) of {who}", named.log10_e_over_n, over_n)
    evidence = tuple(
        RecomputedShare(*_names(found[0], share.family), share.symbols, share.agreeing, share.log10_e)
        for share in shares
    )
    _check_shares(who, named.evidence, evidence)
    if value < verdict.log10_threshold - TOLERANCE:
        raise IntegrityError(f"bundle: {who} is named below the threshold")
    if named.phrase != phrase_key(named.log10_e_over_n):
        raise IntegrityError(f"bundle: the phrase of {who} is not the one of the scale")
    return RecomputedNamed(named.recipient, named.number, value, over_n, named.phrase, evidence)


def _opens(part: Part, named: written.Named) -> bool:
    """Whether this part holds the codeword of that named recipient."""
    same = part.mark_key == named.mark_key and named.register in ("", part.register)
    return same and named.number in part.codewords


def _names(part: Part, family: int) -> tuple[str, str]:
    return ("", "") if family < 0 else (part.families[family].carrier, part.families[family].column)


def _check_shares(who: str, stated: tuple[written.Share, ...], computed: tuple[RecomputedShare, ...]) -> None:
    """The waterfall of one recipient: the same families with the same counts and shares, in any order."""
    first = sorted(stated, key=lambda share: (share.carrier, share.column))
    second = sorted(computed, key=lambda share: (share.carrier, share.column))
    if [(s.carrier, s.column, s.symbols, s.agreeing) for s in first] != [
        (s.carrier, s.column, s.symbols, s.agreeing) for s in second
    ]:
        raise IntegrityError(f"bundle: the families of {who} do not agree in their counts of symbols")
    for one, other in zip(first, second, strict=True):
        _agree(f"a family's share for {who}", one.log10_e, other.log10_e)


def _check_named(verdict: written.Verdict, named: tuple[RecomputedNamed, ...], parts: tuple[Part, ...]) -> None:
    """Check 6 as a whole: in order of evidence, each once, and no codeword of anybody else opened."""
    values = [one.log10_e for one in verdict.named]
    if values != sorted(values, reverse=True) or verdict.verdict != ("named" if named else "none"):
        raise IntegrityError("bundle: the named are not in order of evidence, or the verdict is not theirs")
    opened = sorted((part.mark_key, number) for part in parts for number in part.codewords)
    if opened != sorted((one.mark_key, one.number) for one in verdict.named):
        raise IntegrityError("bundle: the opened codewords are not those of the named")


def _check_counts(verdict: written.Verdict, parts: tuple[Part, ...]) -> None:
    """Check 7: the part with the most symbols is the one the verdict counts, in total and by family."""
    if not parts:
        return
    main = max(parts, key=lambda part: len(part.symbols))
    if len(main.symbols) != verdict.symbols.read:
        raise IntegrityError("bundle: the count of symbols is not the verdict's")
    counts = np.bincount(main.symbols.family, minlength=len(main.families)).tolist()
    stated = {(family.carrier, family.column): family.read for family in verdict.families}
    for number, family in enumerate(main.families):
        if stated.get((family.carrier, family.column), 0) != counts[number]:
            raise IntegrityError(f"bundle: the count of symbols of family {number} is not the verdict's")


def _agree(what: str, stated: float, computed: float) -> None:
    """`IntegrityError` unless two numbers agree to `TOLERANCE`."""
    if not math.isclose(stated, computed, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
        raise IntegrityError(f"bundle: {what} is stated as {stated:.12g}, recomputed {computed:.12g}")
