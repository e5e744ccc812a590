"""The worklist of challenges: the same however the reads are cut, over restarts, and judged once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.folds import stream
from muniment.errors import InputError
from muniment.watch.challenges import Coin, Standing
from muniment.watch.context.calendar import local_days
from muniment.watch.context.tables import DAY_MS, Calendar
from muniment.watch.reads import Reads
from muniment.workspace.watch_worklist import KEPT_DAYS, Worklist, standing

COIN = Coin(bytes(32))
UTC = Calendar("UTC")
READS = stream(3, days=40)


def drawn(parts: list[Reads], chance: float = 0.1, *, restart: bool = False) -> Worklist:
    made = Worklist(COIN)
    for part in parts:
        made.draw(part, UTC, chance, 14)
        if restart:
            made = Worklist.from_json(COIN, made.to_json())
    return made


@given(st.lists(st.integers(0, len(READS)), max_size=4), st.booleans())
def test_any_cut_and_any_restart_draw_the_same(cuts: list[int], restart: bool) -> None:
    heads = np.flatnonzero(np.append(True, READS.sequence[1:] != READS.sequence[:-1]))
    edges = sorted({0, len(READS), *(int(heads[np.searchsorted(heads, cut) - 1]) for cut in cuts)})
    parts = [READS.take(slice(begin, end)) for begin, end in pairwise(edges)]
    assert drawn(parts, restart=restart).to_json() == drawn([READS]).to_json()


def test_about_the_share_that_was_asked_for_is_drawn() -> None:
    disclosures = len(np.unique(READS.sequence))
    assert 0.05 * disclosures < len(drawn([READS]).challenges) < 0.2 * disclosures
    assert not drawn([READS], 0.0).challenges
    assert len(drawn([READS], 1.0).challenges) == disclosures


def test_who_wakes_is_always_challenged() -> None:
    late = READS.take(slice(0, 1))
    late = Reads(
        late.sequence + 10**6, late.moment + 130 * DAY_MS, late.recorded + 130 * DAY_MS, late.account, late.record,
        late.case, late.device, late.register, late.columns,
    )  # fmt: skip
    made = drawn([READS], 1e-12)
    assert not made.challenges
    made.draw(late, UTC, 1e-12, 14)
    assert [one.sequence for one in made.challenges] == late.sequence.tolist()


def test_an_answer_is_final_and_counts_when_it_is_due() -> None:
    made = drawn([READS], 0.3)
    good, bad, left = made.challenges[:3]
    made.judge(good.sequence, True, by="Ann", reason="case 12 was seen", at=good.due - 1)
    made.judge(bad.sequence, False, by="Ann", reason="no case at all", at=bad.due - 1)
    with pytest.raises(InputError, match="final"):
        made.judge(good.sequence, False, by="Ann", reason="changed my mind", at=good.due - 1)
    with pytest.raises(KeyError):
        made.judge(10**9, True, by="Ann", reason="no such read", at=0)
    assert standing(left, left.due - 1) is Standing.OPEN and standing(left, left.due) is Standing.FAILED
    day = int(local_days(UTC, np.array([good.due]))[0])
    told = made.due(UTC, day)
    same_day = [one for one in made.challenges if one.due // DAY_MS == day]
    assert told.judged.sum() == len(same_day)
    assert told.failed.sum() == sum(one.state is not Standing.JUSTIFIED for one in same_day)


def test_what_is_long_over_is_forgotten() -> None:
    made = drawn([READS], 1.0)
    before = len(made.challenges)
    late = READS.take(slice(0, 1))
    later = (KEPT_DAYS + 100) * DAY_MS
    made.draw(
        Reads(
            late.sequence + 10**6, late.moment + later, late.recorded + later, late.account, late.record, late.case,
            late.device, late.register, late.columns,
        ),
        UTC, 1.0, 14,
    )  # fmt: skip
    assert before > 100 and len(made.challenges) == 1
