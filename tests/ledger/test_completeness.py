"""Proofs for one person: complete, about nobody else, and refused whatever is taken away, added or exchanged."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.proofs import SPAN, SealedLedger, sealed_ledger
from language.rings import NOW
from muniment.errors import IntegrityError
from muniment.ledger.completeness import PersonHistory, verify_person_proof
from muniment.ledger.log.note import Signer

Edit = Callable[[Any], object]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> SealedLedger:
    return sealed_ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def ordinal(ledger: SealedLedger) -> int:
    """Somebody who was in lists and in some of the dumps, but not in all of them."""
    rows = [set(ledger.batch.records(row).tolist()) for row in range(len(ledger.batch))]
    for number in range(SPAN):
        sizes = [len(row) for row in rows if number in row]
        if sum(size < 4096 for size in sizes) >= 3 and 1 <= sum(size >= 4096 for size in sizes) <= 2:
            return number
    raise AssertionError("the generated ledger holds nobody of that kind")


@pytest.fixture(scope="module")
def proof(ledger: SealedLedger, ordinal: int) -> Any:
    return json.loads(json.dumps(ledger.prover().prove(3 * ordinal + 1)))


def _verified(ledger: SealedLedger, proof: object) -> PersonHistory:
    return verify_person_proof(proof, ledger.vkeys)


def test_a_proof_shows_every_disclosure_of_the_person(ledger: SealedLedger, proof: Any, ordinal: int) -> None:
    found = _verified(ledger, proof)
    assert [one.numbers["sequence"] for one in found.disclosures] == ledger.holding(ordinal)
    assert (found.ordinal, found.pseudonym, found.segments) == (ordinal, 3 * ordinal + 1, 3)
    assert (found.index, found.size, found.checked) == (3, 4, NOW)
    assert found.statement == "complete relative to the pseudonym key; index checked against segments on 2026-11-24"
    for one in found.disclosures:
        row = int(one.numbers["sequence"]) - 1
        assert one.numbers["time"] == ledger.batch.time[row]
        assert one.fields["case"] == ledger.batch.case[row]
        assert set(one.fields) == {"recipient", "account", "device", "template", "case", "fingerprint"}


def test_proofs_of_anybody(ledger: SealedLedger) -> None:
    prover = ledger.prover()
    for number in (0, 63, 64, 4_097, SPAN - 1):
        found = _verified(ledger, prover.prove(3 * number + 1, ["recipient"]))
        assert [one.numbers["sequence"] for one in found.disclosures] == ledger.holding(number)
        assert all(set(one.fields) == {"recipient"} for one in found.disclosures)


def test_an_unknown_person_has_a_proof_of_absence(ledger: SealedLedger) -> None:
    value = ledger.prover().prove(2)
    found = _verified(ledger, value)
    assert (found.ordinal, found.disclosures) == (None, ())
    assert value["runs"] == value["events"] == value["manifests"] == []


def test_a_proof_names_no_other_ordinal(ledger: SealedLedger, proof: Any, ordinal: int) -> None:
    text = json.dumps([proof["runs"], proof["events"], proof["dumps"]])
    assert text.count('"ordinal"') == text.count(f'"ordinal": {ordinal},')
    assert all("value" not in one for run in proof["runs"] for one in run)


REFUSED: dict[str, tuple[Edit, str]] = {
    "an event left out": (lambda p: p["events"].pop(), "disclosures, not the"),
    "an event twice": (lambda p: p["events"].append(p["events"][0]), "disclosures, not the"),
    "an event of another row": (lambda p: p["events"][0]["event"].update(row=1), "inclusion proof|root"),
    "a posting left out": (lambda p: _run_with_postings(p)["postings"].pop(), "run proof"),
    "no postings": (lambda p: _run_with_postings(p).update(postings=[], salt=None), "run proof"),
    "a run left out": (lambda p: p["runs"].pop(), "runs"),
    "a dump left out": (lambda p: p["dumps"].pop(), "dumps"),
    "dumps in another order": (lambda p: p["dumps"].reverse(), "dumps"),
    "a bit turned off": (lambda p: _dump_that_holds(p)["opening"].update(bit=0), "root"),
    "a bit not opened": (lambda p: p["dumps"][0].update(opening=None), "malformed"),
    "another span": (lambda p: p["dumps"][0].update(span=64), "dumps"),
    "a manifest left out": (lambda p: p["manifests"].pop(), "manifest"),
    "a manifest twice": (lambda p: p["manifests"].append(p["manifests"][0]), "twice"),
    "a manifest altered": (lambda p: _alter(p["manifests"][0], '"rows":', '"rows":1'), "not in the log"),
    "an index leaf altered": (lambda p: _alter(p["index"], '"segments":3', '"segments":2'), "not in the log"),
    "a manifest for the index": (lambda p: p.update(index=p["manifests"][0]), "no leaf of an index"),
    "the index for a manifest": (lambda p: p["manifests"].append(p["index"]), "behind the index leaf"),
    "another time": (lambda p: p["events"][0]["event"]["numbers"].update(time=1), "root"),
    "another recipient": (lambda p: p["events"][0]["event"]["fields"]["recipient"].update(value="x"), "root"),
    "another record": (lambda p: p["events"][0]["record"].update(ordinal=7), "root|opens another"),
    "no record": (lambda p: p["events"][0].update(record=None), "malformed"),
    "another person": (lambda p: p["person"].update(pseudonym="00000000000000ff"), "proof"),
    "another ordinal": (lambda p: p["person"].update(ordinal=5), "not the one in the map"),
    "said to be unknown": (lambda p: p["person"].update(ordinal=None, salt=None), "does not show"),
    "another statement": (lambda p: p.update(statement="complete"), "statement"),
    "another day": (lambda p: _alter(p, "2026-11-24", "2026-11-25", "statement"), "statement"),
    "another format": (lambda p: p.update(format="muniment person proof 2"), "format"),
    "a checkpoint altered": (lambda p: _alter(p, "\n4\n", "\n5\n", "checkpoint"), "does not verify"),
    "a member too many": (lambda p: p.update(note="x"), "malformed"),
    "a member missing": (lambda p: p.pop("dumps"), "malformed"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_every_forgery_is_refused(ledger: SealedLedger, proof: Any, fault: str) -> None:
    edit, message = REFUSED[fault]
    forged = copy.deepcopy(proof)
    edit(forged)
    assert forged != proof
    with pytest.raises(IntegrityError, match=message):
        _verified(ledger, forged)


def test_no_value_anywhere_can_be_exchanged(ledger: SealedLedger, proof: Any) -> None:
    """Values of the JSON, one by one, replaced by others of their kind.

    But for the number of records of a list: a set root fixes its chunks, and nothing is said of that number.
    """
    places = [place for place in _places(proof, ()) if place[-2:] != ("record", "leaves")]
    assert len(places) > 500
    for place in places[:: max(1, len(places) // 400)]:
        forged = copy.deepcopy(proof)
        inner = forged
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = _other(inner[place[-1]])
        try:
            _verified(ledger, forged)
        except IntegrityError:
            continue
        raise AssertionError(f"accepted with another value at {place}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_malformed_proofs_are_refused_and_nothing_else_happens(
    ledger: SealedLedger, proof: Any, data: st.DataObject
) -> None:
    places = list(_places(proof, ())) + [(name,) for name in proof]
    junk = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    )
    place = data.draw(st.sampled_from([one for one in places if one[-2:] != ("record", "leaves")]))
    forged = copy.deepcopy(proof)
    inner = forged
    for step in place[:-1]:
        inner = inner[step]
    value = data.draw(junk)
    if value != inner[place[-1]]:
        inner[place[-1]] = value
        with pytest.raises(IntegrityError):
            _verified(ledger, forged)
    with pytest.raises(IntegrityError):
        _verified(ledger, value)


def test_another_keepers_key_does_not_open_it(ledger: SealedLedger, proof: Any) -> None:
    for signer in (Signer("muniment/0123456789abcdef", b"x" * 32), Signer("muniment/another", b"s" * 32)):
        with pytest.raises(IntegrityError):
            verify_person_proof(proof, [signer.verifier])


def test_a_proof_stays_valid_as_the_log_grows(ledger: SealedLedger, tmp_path: Path) -> None:
    grown = sealed_ledger(tmp_path, segments=1, rows=20)
    old = grown.prover().prove(1)
    grown.log.append([b'{"kind":"notice"}'])
    found = _verified(grown, grown.prover().prove(1))
    assert (found.index, found.size) == (1, 3)
    assert found.disclosures == _verified(grown, old).disclosures


def _run_with_postings(proof: Any) -> Any:
    return next(run for run in proof["runs"] if run["postings"])


def _dump_that_holds(proof: Any) -> Any:
    return next(dump for dump in proof["dumps"] if dump["opening"]["bit"])


def _alter(value: Any, old: str, new: str, name: str = "leaf") -> None:
    assert old in value[name]
    value[name] = value[name].replace(old, new, 1)


def _places(value: object, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield place
    for key, inner in items:
        yield from _places(inner, (*place, key))


def _other(value: object) -> object:
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    return 0
