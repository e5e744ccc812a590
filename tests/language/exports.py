"""Ledger entries for tests of exports: one of each kind, and strategies for any."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from muniment.disclosure import Channel, Delivery, Disclosure, Outcome, Party, Template
from muniment.ledger.export import Entry, View

SECRET = bytes(range(32))
STAFF_NAMED = View(SECRET, staff_named=True)
PSEUDONYMOUS = View(SECRET)

TEMPLATE = Template("people", 3, Channel.GATE, (1, 4), "assessment of 2025", "Tax Act s. 30", "mark-1")
DISCLOSURE = Disclosure(
    Party("Tax Office", "clerk.li", "10.0.0.7"), TEMPLATE, (9, 5, 70_000)[:1], "CASE-9", "aed03a77d19eb394", 1, 512, 1
)
ENTRY = Entry(4711, datetime(2026, 11, 24, 9, 0, 0, 123_000, tzinfo=UTC), DISCLOSURE, ("name", "city"))
"""One record, given through the gate."""
LIST = replace(ENTRY, sequence=4712, disclosure=replace(DISCLOSURE, records=tuple(range(5)), rows=5, released=5))
DUMP = replace(ENTRY, sequence=4713, disclosure=replace(DISCLOSURE, records=tuple(range(25_000)), rows=25_000))
REFUSED = replace(
    ENTRY,
    sequence=4714,
    columns=(),
    disclosure=Disclosure(
        Party("Tax Office"), replace(TEMPLATE, columns=(), basis="", mark_key="", outcome=Outcome.REFUSED), ()
    ),
)
UNATTRIBUTED = replace(
    ENTRY,
    sequence=4715,
    disclosure=replace(DISCLOSURE, template=replace(TEMPLATE, outcome=Outcome.UNATTRIBUTED), records=(), rows=250),
)
STOPPED = replace(
    LIST,
    sequence=4716,
    disclosure=replace(
        LIST.disclosure, template=replace(TEMPLATE, outcome=Outcome.STOPPED, delivery=Delivery.PARTIAL), released=2
    ),
)
ALL = (ENTRY, LIST, DUMP, REFUSED, UNATTRIBUTED, STOPPED)

_TEXTS = st.text(st.characters(categories=["L", "N", "P", "S"], include_characters=" "), max_size=20)
_NAMES = st.builds("{}{}".format, st.sampled_from(["Office", "財", "=x", "a,b"]), _TEXTS)
ENTRIES = st.builds(
    Entry,
    sequence=st.integers(1, 2**50),
    time=st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
        lambda time: time - timedelta(microseconds=time.microsecond % 1_000)
    ),
    disclosure=st.builds(
        Disclosure,
        party=st.builds(Party, _NAMES, _TEXTS, _TEXTS),
        template=st.builds(
            Template, _NAMES, st.integers(1, 9), st.sampled_from(Channel), st.just((1,)), _NAMES, _TEXTS, _TEXTS,
            st.sampled_from(Outcome), st.sampled_from(Delivery),
        ),
        records=st.lists(st.integers(0, 2**32 - 1), max_size=4, unique=True).map(lambda found: tuple(sorted(found))),
        case=_TEXTS,
        fingerprint=_TEXTS,
        rows=st.integers(0, 2**62),
        size=st.integers(0, 2**62),
        released=st.integers(0, 2**62),
    ),
    columns=st.lists(st.sampled_from(["name", "city", "戶籍"]), max_size=3, unique=True).map(tuple),
)  # fmt: skip
