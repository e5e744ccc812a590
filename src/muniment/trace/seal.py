"""From an examination to the parts of a bundle: the one place where codewords leave the score, of the named only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from muniment.marks.codebook import Addresses
from muniment.trace.bundle import Codeword, Family, Part
from muniment.trace.examine import Finding, Group, as_scored


def part_of(group: Group, families: Sequence[Family], findings: Sequence[Finding]) -> Part:
    """The part of one group: its symbols, and the codewords of those of `findings` that were named under it.

    `families` are in the order of family numbers. Addresses that an earlier bundle opened for a recipient were not
    scored for it: their bits are written as 0 and marked as not scored.
    """
    addresses = group.symbols.addresses
    return Part(
        register=group.register,
        mark_key=group.mark_key,
        families=tuple(families),
        mixture=group.mixture,
        record=addresses.record,
        column=addresses.column,
        carrier=addresses.carrier,
        symbols=as_scored(group.symbols),
        codewords=tuple(_codeword(finding, addresses) for finding in findings if finding.group is group),
    )


def _codeword(finding: Finding, addresses: Addresses) -> Codeword:
    """The codeword of a finding over all addresses of its group."""
    if len(finding.symbols) == len(addresses):
        return Codeword(finding.recipient.number, finding.codeword)
    scored = np.isin(addresses.numbers, finding.symbols.addresses.numbers)
    bits = np.zeros(len(addresses), np.uint8)
    bits[scored] = finding.codeword
    return Codeword(finding.recipient.number, bits, scored)
