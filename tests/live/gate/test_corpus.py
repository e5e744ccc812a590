"""The written corpus of statement shapes through a real gate: every result classed, nobody under-charged.

The observer finds a person in what a client received wherever a secret cell of that person is in the bytes. What the
gate charged is read from the ledger, under an account that ran this one shape alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gate.corpus.everything import REVEALS, SHAPES
from language.corpus_runs import Run, run, with_records
from language.gates import GateBed, gate_running, office_bed
from language.tls_server import versions

pytestmark = pytest.mark.live
HONEST_ATTRIBUTED = 0.95
"""Share of honest shapes with persons in them that must be attributed."""


@pytest.fixture(scope="module", params=sorted(versions()))
def runs(request: pytest.FixtureRequest) -> Iterator[list[Run]]:
    """Every shape through a gate, on each PostgreSQL that is here."""
    with gate_running(versions()[request.param]) as bed:
        done = [run(bed, shape) for shape in SHAPES]
        yield list(with_records(bed, done))


def listed(runs: list[Run]) -> str:
    return "\n".join(map(str, runs))


def test_the_corpus_has_its_size_and_each_name_once() -> None:
    assert len(SHAPES) >= 200
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) == len(REVEALS)


def test_without_a_gate_each_shape_reveals_whom_it_should(bare: GateBed) -> None:
    found = {shape.name: len(run(bare, shape, direct=True).seen) for shape in SHAPES}
    assert {name: (n, REVEALS[name]) for name, n in found.items() if n != REVEALS[name]} == {}


@pytest.fixture
def bare() -> Iterator[GateBed]:
    with office_bed(versions()["system"]) as bed:
        yield bed


def test_nobody_is_under_charged(runs: list[Run]) -> None:
    short = [one for one in runs if one.charged < len(one.seen)]
    assert not short, listed(short)


def test_every_shape_ends_in_a_class_that_is_right(runs: list[Run]) -> None:
    wrong = [one for one in runs if one.classed not in one.shape.expected]
    assert not wrong, listed(wrong)


def test_honest_shapes_are_attributed(runs: list[Run]) -> None:
    asked = [one for one in runs if one.shape.honest and REVEALS[one.shape.name]]
    attributed = [one for one in asked if one.classed == "attributed"]
    rest = [one for one in asked if one.classed != "attributed"]
    assert len(attributed) >= HONEST_ATTRIBUTED * len(asked), listed(rest)


def test_honest_shapes_give_what_postgresql_gives(runs: list[Run]) -> None:
    short = [one for one in runs if one.shape.honest and len(one.seen) != REVEALS[one.shape.name]]
    assert not short, listed(short)


def test_named_persons_are_the_ones_seen(runs: list[Run]) -> None:
    """Of an attributed result, everybody seen is recorded, so as many as are seen at least; and honest ones no more
    than the rows could hold."""
    odd = [one for one in runs if one.classed == "attributed" and one.shape.honest and len(one.named) > 3 * one.rows]
    assert not odd, listed(odd)


def test_no_session_ends_unasked(runs: list[Run]) -> None:
    ended = [one for one in runs if one.closed and not one.shape.ends]
    assert not ended, listed(ended)
