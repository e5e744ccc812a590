"""From disclosures to reads: what counts, whose it is, when it was; and the same however the batches are cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from muniment.disclosure import Channel, Disclosure, Outcome, Party, Template
from muniment.ledger.batch import Batch
from muniment.watch.from_ledger import Counts, reads_of
from muniment.watch.reads import NOBODY, Reads, Spaces

ALL = ("gate", "application", "imported")
COLUMNS = (1, 5, 62, 63, 700)


def terms(channel: Channel = Channel.GATE, outcome: Outcome = Outcome.GIVEN, register: str = "people") -> Template:
    return Template(register, 1, channel, COLUMNS, "work", outcome=outcome)


def batch(disclosures: Sequence[Disclosure], first: int = 1, time: int = 1_000) -> Batch:
    return Batch.of(disclosures).numbered(first, time)


def test_one_row_a_record_in_the_order_of_the_ledger() -> None:
    spaces = Spaces()
    reads, counts = reads_of(
        batch(
            [
                Disclosure(Party("office", "ann", "10.1"), terms(), (3, 9), "case 1", occurred=500),
                Disclosure(Party("agency"), terms(register="dogs"), (3,)),
            ],
            first=7,
        ),
        spaces, ALL,
    )  # fmt: skip
    assert reads.sequence.tolist() == [7, 7, 8] and reads.record.tolist() == [3, 9, 3]
    assert [spaces.account.text(code) for code in reads.account] == ["ann", "ann", "agency"]
    assert [spaces.register.text(code) for code in reads.register] == ["people", "people", "dogs"]
    assert [spaces.case.text(code) for code in reads.case] == ["case 1", "case 1", ""]
    assert reads.case[2] == NOBODY and reads.device[2] == NOBODY
    assert reads.moment.tolist() == [500, 500, 1_000] and reads.recorded.tolist() == [1_000] * 3
    assert set(reads.columns.tolist()) == {1 << 1 | 1 << 5 | 1 << 62 | 1 << 63}
    assert counts == Counts()


def test_what_was_refused_is_no_read_and_what_only_counts_is_counted() -> None:
    reads, counts = reads_of(
        batch(
            [
                Disclosure(Party("o", "a"), terms(outcome=Outcome.REFUSED), ()),
                Disclosure(Party("o", "a"), terms(outcome=Outcome.UNATTRIBUTED), (), rows=12, released=40),
                Disclosure(Party("o", "a"), terms(Channel.IMPORTED), (), rows=5),
                Disclosure(Party("o", "a"), terms(), (), rows=0),
                Disclosure(Party("o", "a"), terms(Channel.FILE), (1, 2)),
                Disclosure(Party("o", "a"), terms(outcome=Outcome.STOPPED), (4,)),
            ]
        ),
        Spaces(), ALL,
    )  # fmt: skip
    assert reads.record.tolist() == [4]
    assert counts.counted == {"gate": (1, 40), "imported": (1, 5)} and counts.unwatched == 1
    assert Counts.from_json(counts.to_json()) == counts
    counts.add(counts)
    assert counts.counted["gate"] == (2, 80) and counts.unwatched == 2


def test_nothing_is_nothing() -> None:
    reads, counts = reads_of(Batch.of([]), Spaces(), ALL)
    assert len(reads) == 0 and counts == Counts()


_parties = st.builds(Party, st.sampled_from("pq"), st.sampled_from(("", "a", "b", "c")), st.sampled_from(("", "d")))
_terms = st.builds(terms, st.sampled_from(list(Channel)), st.sampled_from(list(Outcome)), st.sampled_from("xy"))
_records = st.sets(st.integers(0, 30), max_size=4).map(lambda found: tuple(sorted(found)))
_given = st.builds(Disclosure, _parties, _terms, _records, st.sampled_from(("", "k1", "k2")))


@given(st.lists(_given, max_size=20), st.lists(st.integers(0, 20), max_size=4))
def test_any_cut_gives_the_same(disclosures: list[Disclosure], cuts: list[int]) -> None:
    one, many = Spaces(), Spaces()
    whole, passed = reads_of(batch(disclosures), one, ALL)
    full = batch(disclosures)
    parts, counts = [Reads.none()], Counts()
    edges = sorted({0, len(disclosures), *(min(cut, len(disclosures)) for cut in cuts)})
    for begin, end in pairwise(edges):
        reads, more = reads_of(full.take(np.arange(begin, end)), many, ALL)
        parts.append(reads)
        counts.add(more)
    again = Reads.joined(parts)
    for name in Reads.__slots__:
        assert getattr(whole, name).tolist() == getattr(again, name).tolist()
    assert counts == passed
    assert all(getattr(one, name).texts == getattr(many, name).texts for name in Spaces.__slots__)
