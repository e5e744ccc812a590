"""The leaf of the index: one value has one form, and nothing else is read."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.rings import NOW
from muniment.errors import IntegrityError, LimitError
from muniment.ledger.index.leaf import IndexLeaf, LoggedDump, MapRoot, RunRoot, dump_digest, is_index

A_MAP = MapRoot(b"r" * 32, 7, b"s" * 32)
LEAF = IndexLeaf(5, (RunRoot(0, 3, A_MAP), RunRoot(5, 5, A_MAP)), A_MAP, 2, b"d" * 32, NOW)


def test_a_leaf_comes_back() -> None:
    assert IndexLeaf.from_leaf(LEAF.to_leaf()) == LEAF
    assert is_index(LEAF.to_leaf())
    empty = IndexLeaf(0, (), A_MAP, 0, dump_digest([]), NOW)
    assert IndexLeaf.from_leaf(empty.to_leaf()) == empty


def test_other_leaves_are_no_index() -> None:
    assert not any(map(is_index, (b"", b"{}", b"[]", b'{"kind":"segment"}', b"\xff", b"[" * 60_000, b" " * 70_000)))


FAULTS: dict[str, Any] = {
    "another kind": {"kind": "segment"},
    "a name too many": {"more": 1},
    "a negative number": {"segments": -1},
    "true for a number": {"segments": True},
    "a huge number": {"segments": 2**63},
    "runs out of order": {"runs": [{"first": 4, "last": 3, "root": "00" * 32, "entries": 1, "salt": "00" * 32}]},
    "no runs": {"runs": None},
    "no root": {"ordinals": {"root": "00", "entries": 1, "salt": "00" * 32}},
    "capital digits": {"ordinals": {"root": "AA" * 32, "entries": 1, "salt": "00" * 32}},
    "no zone": {"time": "2026-11-24T09:00:00"},
    "no time": {"time": 5},
    "no digest": {"dumps": {"count": 1}},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_malformed_leaves_are_refused(fault: str) -> None:
    value = json.loads(LEAF.to_leaf()) | FAULTS[fault]
    with pytest.raises(IntegrityError, match="no leaf of an index"):
        IndexLeaf.from_leaf(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def test_another_form_of_the_same_value_is_refused() -> None:
    with pytest.raises(IntegrityError):
        IndexLeaf.from_leaf(json.dumps(json.loads(LEAF.to_leaf())).encode())
    with pytest.raises(IntegrityError):
        IndexLeaf.from_leaf(b" " * 65_536)


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(0, len(LEAF.to_leaf())), st.integers(0, 60))
def test_any_bytes_are_read_or_refused(junk: bytes, start: int, cut: int) -> None:
    leaf = LEAF.to_leaf()
    altered = leaf[:start] + junk + leaf[start + cut :]
    if altered != leaf:
        with contextlib.suppress(IntegrityError):
            assert IndexLeaf.from_leaf(altered).to_leaf() == altered


def test_too_many_runs_do_not_fit_a_leaf() -> None:
    many = tuple(RunRoot(n, n, A_MAP) for n in range(1_000))
    with pytest.raises(LimitError, match="expected at most 65,535"):
        replace(LEAF, runs=many).to_leaf()


def test_the_digest_of_dumps_tells_every_part() -> None:
    one = LoggedDump(1, 2, 3, b"r" * 32)
    others = (LoggedDump(2, 2, 3, b"r" * 32), LoggedDump(1, 3, 3, b"r" * 32), LoggedDump(1, 2, 4, b"r" * 32))
    digests = {dump_digest([dump]) for dump in (one, *others, LoggedDump(1, 2, 3, b"q" * 32))}
    assert len(digests | {dump_digest([]), dump_digest([one, one])}) == 7


def test_a_salt_of_ones_own_is_refused() -> None:
    with pytest.raises(IntegrityError, match="salt"):
        A_MAP.check_salt(b"m" * 32)


def test_time_keeps_its_zone() -> None:
    local = replace(LEAF, time=datetime.fromisoformat("2026-11-24T23:30:00+08:00"))
    assert IndexLeaf.from_leaf(local.to_leaf()).time.isoformat() == "2026-11-24T23:30:00+08:00"
