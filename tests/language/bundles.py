"""A small examination to seal: real symbols, real codewords, the numbers of the score itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from language import verdicts
from muniment.evidence import log10_threshold
from muniment.trace.archive import read_archive, write_archive
from muniment.trace.bundle import Codeword, Family, Part, digest, to_bytes
from muniment.trace.score import MIXTURES, SCALE, Symbols, by_family, log10_e
from muniment.trace.verdict import FamilyEvidence, FamilyReading, Named, Verdict

FAMILIES = (("street-type", "address"), ("date-layout", "birth_date"))
SOURCES = {17: "Eastern District Office", 88: "臺北市戶政資訊中心（東區）"}


@dataclass(frozen=True, slots=True)
class Sealable:
    """A verdict and the part its numbers come from."""

    verdict: Verdict
    part: Part


def sealable(named: int = 2, records: int = 400, seed: int = 7, *, partly_opened: bool = False) -> Sealable:
    """An examination of a row-wise mixture in which the first `named` sources (0 to 2) are named.

    With `partly_opened`, a tenth of the addresses was opened before for the first source and is not scored for it.
    """
    rng = np.random.default_rng(seed)
    size = 2 * records
    rows = np.repeat(np.arange(records), 2)
    table = np.array([2**31 // 2, 2**31, 3 * (2**31 // 2)], np.uint32)
    threshold = rng.choice(table, size)
    words = (rng.random((2, size)) < threshold / SCALE).astype(np.uint8)
    taken = words[(rng.random(records) < 0.5).astype(int)[rows], np.arange(size)]
    share = np.where(rng.random(size) < 0.05, 0.5, taken)
    symbols = Symbols(
        rows.astype(np.uint32), np.tile([0, 1], records).astype(np.uint16), threshold, share, np.full(size, 0.9375)
    )
    scored = rng.random(size) < 0.9 if partly_opened else None
    codewords = tuple(
        Codeword(number, word, scored if place == 0 else None)
        for place, (number, word) in enumerate(zip(SOURCES, words, strict=True))
    )[:named]
    part = Part(
        register="residents",
        mark_key="mk-1",
        families=tuple(Family(*key, law="three", table=tuple(int(t) for t in table)) for key in FAMILIES),
        mixture=MIXTURES[10],
        record=rng.permutation(2**20)[:records].astype(np.uint64)[rows] << np.uint64(40),
        column=np.tile([3, 4], records).astype(np.uint16),
        carrier=np.tile([1, 6], records).astype(np.uint8),
        symbols=symbols,
        codewords=codewords,
    )
    return Sealable(_verdict(part), part)


def _verdict(part: Part) -> Verdict:
    symbols = part.symbols
    readings = []
    for number, key in enumerate(FAMILIES):
        chosen = symbols.family == number
        ones, expected = symbols.share[chosen].mean(), (symbols.threshold[chosen] / SCALE).mean()
        readings.append(FamilyReading(*key, int(chosen.sum()) + 5, int(chosen.sum()), 5, float(ones), float(expected)))
    return replace(
        verdicts.one_named(),
        named=tuple(_named(part, codeword) for codeword in part.codewords),
        log10_threshold=log10_threshold(1_000, 1e-6, 1),
        symbols_read=len(symbols),
        symbols_erased=10,
        families=tuple(readings),
    )


def _named(part: Part, codeword: Codeword) -> Named:
    everything = np.ones(len(part.symbols), np.bool_)
    chosen = np.flatnonzero(everything if codeword.scored is None else codeword.scored)
    symbols, bits = part.symbols.take(chosen), codeword.bits[chosen]
    evidence = tuple(
        FamilyEvidence(*(FAMILIES[s.family] if s.family >= 0 else ("", "")), s.symbols, s.agreeing, s.log10_e)
        for s in by_family(symbols, bits, part.mixture)
    )
    value = float(log10_e(symbols, bits[None], part.mixture)[0])
    return Named(SOURCES[codeword.number], codeword.number, value, (codeword.number,), evidence, part.mark_key)


def resealed(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change members of a bundle in place and make its digests good again: a forger who seals his own numbers."""
    members = read_archive(path)
    change(members)
    manifest = json.loads(members["manifest.json"])
    for name in manifest["members"]:
        manifest["members"][name] = {"sha256": digest(members[name]), "bytes": len(members[name])}
    members["manifest.json"] = to_bytes(manifest)
    write_archive(path, members)
