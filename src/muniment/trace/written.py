"""The members of a bundle as frozen values: bytes are parsed into these, or refused; nothing half-checked is kept.

Types are strict and numbers finite; a manifest or codeword with a field that nobody knows is refused, because its
writer meant something that this reader would miss. A verdict may hold more than what is recomputed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from muniment.errors import IntegrityError
from muniment.trace import score

_EXACT: Final = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_PARTIAL: Final = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)
Count = Annotated[int, Field(ge=0, lt=2**63)]
Hex = Annotated[str, Field(pattern=r"\A(?:[0-9a-f]{2})*\z")]
Digest = Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]
Bias = Annotated[int, Field(ge=1, lt=2**32)]
Share01 = Annotated[float, Field(ge=0, le=1)]
Alpha = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(ge=1, lt=2**63)]
_Pair = Annotated[tuple[float, Share01], Field()]


@dataclass(frozen=True, slots=True)
class Input:
    """The leaked file by name and digest."""

    __pydantic_config__ = _EXACT
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Member:
    """Digest and length of a member."""

    __pydantic_config__ = _EXACT
    sha256: Digest
    bytes: Count


@dataclass(frozen=True, slots=True)
class Family:
    """A family of a part and the law of its biases."""

    __pydantic_config__ = _EXACT
    carrier: str
    column: str
    law: str
    table: tuple[Bias, ...]


@dataclass(frozen=True, slots=True)
class Mixture:
    """The alternatives of the score as written; `checked` gives the score's own value."""

    __pydantic_config__ = _EXACT
    coalitions: Annotated[tuple[tuple[Annotated[int, Field(ge=1, le=10_000)], Share01], ...], Field(max_length=100)]
    noises: Annotated[tuple[tuple[Share01, Share01], ...], Field(max_length=100)]
    shared_noise: Share01
    rowwise: Share01

    def checked(self) -> score.Mixture:
        """The mixture, if its weights make an e-value: positive, adding up to 1. Else `IntegrityError`."""
        for pairs in (self.coalitions, self.noises):
            weights = [weight for _, weight in pairs]
            if not math.isclose(sum(weights), 1.0, rel_tol=1e-9) or min(weights) <= 0:
                raise IntegrityError("bundle: the weights of the mixture do not add up to 1")
        return score.Mixture(self.coalitions, self.noises, self.shared_noise, self.rowwise)


@dataclass(frozen=True, slots=True)
class Part:
    """Symbols and codewords of one register under one mark key: members, count, and the parameters of the score."""

    __pydantic_config__ = _EXACT
    register: str
    mark_key: str
    symbols: str
    codewords: str
    count: Count
    mixture: Mixture
    families: Annotated[tuple[Family, ...], Field(max_length=65_535)]


@dataclass(frozen=True, slots=True)
class Manifest:
    """manifest.json."""

    __pydantic_config__ = _EXACT
    format: str
    version: int
    software: str
    time: str
    input: Input
    register: str
    candidates: Positive
    examination: Positive
    alpha: Alpha
    log10_threshold: float
    checkpoint: str
    key_commitments: dict[str, str]
    members: dict[str, Member]
    parts: tuple[Part, ...]
    public_key: Digest | None


@dataclass(frozen=True, slots=True)
class Codeword:
    """An opened codeword: bits, and which symbols were scored (`None`: all), packed, in hexadecimal."""

    __pydantic_config__ = _EXACT
    number: Count
    bits: Hex
    scored: Hex | None


@dataclass(frozen=True, slots=True)
class Share:
    """One family's share of a named recipient's evidence."""

    __pydantic_config__ = _PARTIAL
    carrier: str
    column: str
    symbols: Count
    agreeing: Count
    log10_e: float


@dataclass(frozen=True, slots=True)
class Named:
    """A named recipient as the verdict states it."""

    __pydantic_config__ = _PARTIAL
    recipient: str
    number: Count
    log10_e: float
    log10_e_over_n: float
    phrase: str
    evidence: tuple[Share, ...]
    mark_key: str
    register: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The symbols of one family as the verdict counts them."""

    __pydantic_config__ = _PARTIAL
    carrier: str
    column: str
    read: Count


@dataclass(frozen=True, slots=True)
class SymbolCounts:
    """Symbols read and erased."""

    __pydantic_config__ = _PARTIAL
    read: Count
    erased: Count


@dataclass(frozen=True, slots=True)
class Verdict:
    """The part of verdict.json that is checked."""

    __pydantic_config__ = _PARTIAL
    verdict: str
    named: tuple[Named, ...]
    candidates: Positive
    examination: Positive
    alpha: Alpha
    log10_threshold: float
    symbols: SymbolCounts
    families: tuple[Reading, ...]
    file: Input
    register: str
    checkpoint: str
    key_commitments: dict[str, str]
    time: str
    software: str
