"""From an examination to a bundle and back, with real codewords."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from language import verdicts
from muniment.disclosure import Recipient
from muniment.marks.codebook import Addresses, Codebook
from muniment.marks.laws import half
from muniment.marks.read import MergedSymbols
from muniment.trace.bundle import Family, write_bundle
from muniment.trace.examine import Examination, Group, examine
from muniment.trace.recompute import recompute
from muniment.trace.score import MIXTURES, SCALE
from muniment.trace.seal import part_of
from muniment.trace.verdict import FamilyEvidence, FamilyReading, Named, Verdict

KEY = ("street-type", "address")
FAMILY = Family(*KEY, law="half", table=half().table)


def _group(*, opened: int = 0) -> Group:
    """Two hundred symbols of recipient 3's own copy, of which `opened` were opened for it before."""
    codebook = Codebook(bytes(32), "residents")
    addresses = Addresses.of(codebook.records([b"%d" % n for n in range(200)]), 3, 1)
    threshold, phase = codebook.biases(addresses, half())
    seen = codebook.bits(addresses, threshold, [3])[0].astype(float)
    symbols = MergedSymbols(addresses, np.zeros(200, np.uint16), threshold, phase, seen, np.ones(200))
    return Group(
        register="residents",
        mark_key="mk-1",
        codebook=codebook,
        candidates=tuple(Recipient(number, f"office {number}") for number in range(1, 31)),
        symbols=symbols,
        on_register=symbols.take(np.zeros(0, np.intp)),
        mixture=MIXTURES[1],
        opened={3: addresses.numbers[:opened]} if opened else {},
    )


def _verdict(group: Group, examination: Examination) -> Verdict:
    bias = float((group.symbols.threshold / SCALE).mean())
    named = tuple(
        Named(
            finding.recipient.name,
            finding.recipient.number,
            finding.log10_e,
            (),
            tuple(
                FamilyEvidence(*(KEY if s.family >= 0 else ("", "")), s.symbols, s.agreeing, s.log10_e)
                for s in finding.shares
            ),
            group.mark_key,
        )
        for finding in examination.findings
    )
    reading = FamilyReading(*KEY, 200, 200, 0, float(group.symbols.share.mean()), bias)
    return replace(
        verdicts.one_named(),
        named=named,
        candidates=examination.candidates,
        log10_threshold=examination.log10_threshold,
        symbols_read=200,
        symbols_erased=0,
        families=(reading,),
    )


def _sealed(path: Path, group: Group) -> Examination:
    examination = examine([group], 1e-6, 1)
    write_bundle(path, _verdict(group, examination), [part_of(group, [FAMILY], examination.findings)])
    return examination


def test_an_examination_is_recomputed(tmp_path: Path) -> None:
    examination = _sealed(tmp_path / "a.zip", _group())
    (named,) = recompute(tmp_path / "a.zip").named
    assert (named.number, named.log10_e) == (3, examination.findings[0].log10_e)


def test_what_was_opened_before_is_not_opened_again(tmp_path: Path) -> None:
    group = _group(opened=50)
    examination = _sealed(tmp_path / "a.zip", group)
    (codeword,) = part_of(group, [FAMILY], examination.findings).codewords
    assert codeword.scored is not None
    assert int(codeword.scored.sum()) == 150
    assert not codeword.bits[~codeword.scored].any()
    (named,) = recompute(tmp_path / "a.zip").named
    assert named.evidence[0].symbols == 150


def test_only_the_named_are_opened() -> None:
    group = _group()
    assert part_of(group, [FAMILY], []).codewords == ()
    assert part_of(group, [FAMILY], examine([_group()], 1e-6, 1).findings).codewords == ()
