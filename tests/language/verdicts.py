"""Verdicts to look at: one named, a mixture of two, none, and one whose every text is hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from muniment.trace.verdict import (
    ColumnMatch,
    FamilyEvidence,
    FamilyReading,
    Histogram,
    Lead,
    Named,
    Power,
    Verdict,
)

HOSTILE = '"><script>alert(1)</script>\x1b[2J\u202e</style><svg onload=x>&amp; \'{recipient}\''
"""A name that tries markup, the terminal, the direction of writing and the format language of the catalogue."""
TAIPEI = timezone(timedelta(hours=8))

FAMILIES = (
    FamilyReading("street-type", "address", slots=498, read=471, erased=27, ones=0.462, expected_ones=0.455),
    FamilyReading("tai-variant", "address", slots=180, read=180, erased=0, ones=0.0, expected_ones=0.517),
    FamilyReading("phone-layout", "phone", slots=402, read=0, erased=402, ones=0.0, expected_ones=0.0),
    FamilyReading("date-layout", "birth_date", slots=120, read=44, erased=76, ones=0.52, expected_ones=0.48),
)
MAPPING = (
    ColumnMatch("addr", "address", 0.97, fixed=False, examples=(("12 High St.", "12 high street"),)),
    ColumnMatch("生日", "birth_date", 0.88, fixed=False, examples=(("113年5月3日", "2024-05-03"),)),
    ColumnMatch("tel", "phone", 0.61, fixed=True),
    ColumnMatch("remarks", None, 0.0, fixed=False),
)
EDGES = (-1000.0, -100.0, -30.0, -10.0, -5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0)
HISTOGRAM = Histogram(EDGES, (12, 71, 160, 231, 213, 149, 98, 41, 16, 6, 2, 0, 0, 0, 0, 0))
OFFICE = Named(
    recipient="Eastern District Office",
    number=17,
    log10_e=21.34,
    copies=(17, 204),
    evidence=(
        FamilyEvidence("street-type", "address", 471, 402, 19.62),
        FamilyEvidence("tai-variant", "address", 180, 93, 0.31),
        FamilyEvidence("date-layout", "birth_date", 44, 36, 3.05),
        FamilyEvidence("", "", 0, 0, -1.64),
    ),
    mark_key="mk-1",
)
AGENCY = Named(
    recipient="臺北市戶政資訊中心（東區）",
    number=88,
    log10_e=11.02,
    copies=(88,),
    evidence=(
        FamilyEvidence("street-type", "address", 471, 341, 10.9),
        FamilyEvidence("tai-variant", "address", 180, 90, 0.02),
        FamilyEvidence("date-layout", "birth_date", 44, 31, 1.92),
        FamilyEvidence("", "", 0, 0, -1.82),
    ),
    mark_key="mk-1",
)


def one_named() -> Verdict:
    """One recipient of 1,000 named from half of a copy."""
    return Verdict(
        file="leak.csv",
        file_digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        register="residents",
        named=(OFFICE,),
        candidates=1_000,
        examination=1,
        alpha=1e-6,
        log10_threshold=9.30103,
        rows_read=531,
        rows_aligned=506,
        symbols_read=695,
        symbols_erased=505,
        families=FAMILIES,
        mapping=MAPPING,
        histogram=HISTOGRAM,
        power=Power(symbols=695, noise=0.1, probability=0.99997, symbols_for_95=86),
        checkpoint="1042 sha256:5b3f0c1d",
        key_commitments={"mk-2": "b2" * 32, "mk-1": "a1" * 32},
        evidential=True,
        time=datetime(2026, 11, 24, 9, 30, tzinfo=TAIPEI),
        software="muniment 0.1.0",
    )


def mixture() -> Verdict:
    """Two recipients named, listed in the wrong order; the second examination; with leads."""
    leads = (Lead("Eastern District Office", 506, 31.4), Lead("Statistics", 506, 506.0))
    return replace(one_named(), named=(AGENCY, OFFICE), examination=2, log10_threshold=9.778151, leads=leads)


def none() -> Verdict:
    """Nobody named, too few symbols for it."""
    return replace(
        one_named(),
        file="found on a stick.xlsx",
        named=(),
        rows_read=60,
        rows_aligned=22,
        symbols_read=25,
        symbols_erased=4,
        families=(FamilyReading("street-type", "address", 29, 25, 4, 0.44, 0.45),),
        histogram=Histogram(EDGES, (0, 0, 0, 3, 38, 221, 430, 218, 77, 11, 2, 0, 0, 0, 0, 0)),
        power=Power(symbols=25, noise=0.1, probability=0.071, symbols_for_95=86),
        time=datetime(2026, 11, 24, 1, 30, tzinfo=UTC),
    )


def unreadable() -> Verdict:
    """Nobody named because nothing could be read; a row was removed by hand."""
    return replace(
        none(), rows_aligned=0, symbols_read=0, symbols_erased=0, families=(), histogram=None, evidential=False
    )


def hostile() -> Verdict:
    """Every foreign text is an attack."""
    named = replace(OFFICE, recipient=HOSTILE, evidence=tuple(replace(e, column=HOSTILE) for e in OFFICE.evidence))
    return replace(
        one_named(),
        file=HOSTILE,
        file_digest=HOSTILE,
        register=HOSTILE,
        named=(named,),
        families=tuple(replace(f, carrier=HOSTILE, column=HOSTILE) for f in FAMILIES),
        mapping=(ColumnMatch(HOSTILE, HOSTILE, 0.5, fixed=False, examples=((HOSTILE, HOSTILE),)),),
        checkpoint=HOSTILE,
        key_commitments={HOSTILE: HOSTILE},
        software=HOSTILE,
        leads=(Lead(HOSTILE, 3, 1.0),),
    )


ALL = {"one": one_named, "mixture": mixture, "none": none, "unreadable": unreadable, "hostile": hostile}
