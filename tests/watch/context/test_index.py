"""What a context says about reads: single rules by hand, all of them together against the plain way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.contexts import DAY, NO_END, NOBODY, Case, Work, World
from muniment.watch.context import index as subject
from muniment.watch.context.index import ContextIndex, Tie
from muniment.watch.context.tables import Context
from muniment.watch.days import Explanation

TODAY = 20_000 * DAY
NOW = TODAY + DAY // 2


def told(world: World, *, account: int = 0, office: int = NOBODY, record: int = 1, case: int = NOBODY,
         moment: int = NOW) -> Explanation:  # fmt: skip
    """What the index says of one read."""
    return Explanation(
        ContextIndex(world.context()).explain(
            np.array([account], np.int32), np.array([office], np.int32), np.array([record], np.uint32),
            np.array([case], np.int32), np.array([moment], np.int64), TODAY,
        )[0]
    )  # fmt: skip


def one_case(**about: object) -> World:
    return World([Case(7, opened=TODAY - 30 * DAY, persons=(1,), **about)])  # type: ignore[arg-type]


# --- cases -----------------------------------------------------------------------------------------------------------


def test_nothing_explains_where_nothing_covers() -> None:
    assert told(World(cases=None)) is Explanation.NONE
    assert told(World()) is Explanation.NONE
    assert told(one_case(), record=2) is Explanation.NONE


def test_a_case_in_which_the_reader_has_no_part_is_others_work() -> None:
    assert told(one_case()) is Explanation.OTHERS


def test_an_assignment_explains_to_whom_it_names_while_it_lasts() -> None:
    world = replace(one_case(), work=[Work(7, account=0, since=TODAY, until=TODAY + DAY)], staff=[])
    assert told(world) is Explanation.ASSIGNED
    assert told(world, account=1) is Explanation.OTHERS
    assert told(world, moment=TODAY + DAY) is Explanation.OTHERS
    assert told(world, moment=TODAY - 7 * DAY) is Explanation.ASSIGNED
    assert told(world, moment=TODAY - 7 * DAY - 1) is Explanation.OTHERS


def test_an_assignment_of_an_office_explains_to_all_of_it() -> None:
    world = replace(one_case(), work=[Work(7, office=3)], staff=[])
    assert told(world, office=3) is Explanation.OFFICE
    assert told(world, office=4) is Explanation.OTHERS
    assert told(world, office=NOBODY) is Explanation.OTHERS


def test_a_case_without_assignment_belongs_to_its_office() -> None:
    world = replace(one_case(office=3), staff=[])
    assert told(world, office=3) is Explanation.OFFICE
    assert told(replace(world, work=[Work(7, account=5)]), office=3) is Explanation.OTHERS


def test_what_was_never_told_is_not_held_against_anybody() -> None:
    assert told(replace(one_case(), work=None)) is Explanation.OPEN
    assert told(replace(one_case(office=3), staff=None)) is Explanation.OPEN
    assert told(replace(one_case(), work=[Work(7, account=5)], staff=None)) is Explanation.OTHERS


def test_a_case_counts_from_a_week_before_it_was_opened_until_it_is_closed() -> None:
    world = World([Case(7, opened=NOW + 7 * DAY, closed=NOW + 8 * DAY, persons=(1,))], work=None)
    assert told(world) is Explanation.OPEN
    assert told(world, moment=NOW - 1) is Explanation.NONE
    assert told(world, moment=NOW + 8 * DAY) is Explanation.NONE


@pytest.mark.parametrize("opened", [TODAY, NOW - 1, NOW + DAY])
def test_nobody_explains_a_read_to_himself(opened: int) -> None:
    world = World([Case(7, opened=opened, opener=0, persons=(1,))], work=[Work(7, account=0)])
    assert told(world) is Explanation.SELF
    assert told(world, account=1) is Explanation.OTHERS


def test_a_case_that_was_opened_on_an_earlier_day_is_work() -> None:
    world = World([Case(7, opened=TODAY - 1, opener=0, persons=(1,))], work=[Work(7, account=0)])
    assert told(world) is Explanation.ASSIGNED


def test_an_unknown_reader_opened_no_case() -> None:
    world = World([Case(7, opened=NOW, persons=(1,))], work=None)
    assert told(world, account=NOBODY) is Explanation.OPEN


def test_a_read_is_judged_by_the_case_that_it_names() -> None:
    both = [Case(7, persons=(1,)), Case(8, persons=(1,))]
    world = World(both, work=[Work(8, account=0)])
    assert told(world) is Explanation.ASSIGNED
    assert told(world, case=7) is Explanation.OTHERS
    assert told(world, case=8) is Explanation.ASSIGNED


@pytest.mark.parametrize("named", [9, 1_000_000, 6])
def test_a_case_that_does_not_cover_the_record_judges_nothing(named: int) -> None:
    world = World([Case(6, persons=(2,)), Case(8, persons=(1,))], work=[Work(8, account=0)])
    assert told(world, case=named) is Explanation.ASSIGNED


def test_a_case_that_was_opened_again_explains_at_both_times() -> None:
    again = [Case(7, 0, 10 * DAY, persons=(1,)), Case(7, TODAY, NO_END, persons=(1,))]
    world = World(again, work=[Work(7, account=0)])
    assert told(world) is told(world, moment=DAY) is Explanation.ASSIGNED
    assert told(world, moment=100 * DAY) is Explanation.NONE


def test_a_household_is_covered_where_the_case_says_so() -> None:
    homes = [(1, 5), (2, 5), (3, 6)]
    world = World([Case(7, persons=(1,), household=True)], work=None, homes=homes)
    assert [told(world, record=record) for record in (1, 2, 3)] == [4 - 1, 3, 0]
    narrow = World([Case(7, persons=(1,))], work=None, homes=homes)
    assert [told(narrow, record=record) for record in (1, 2)] == [Explanation.OPEN, Explanation.NONE]


@pytest.mark.parametrize(("persons", "level"), [(200, Explanation.OPEN), (201, Explanation.OTHERS)])
def test_a_case_that_covers_too_many_explains_nothing(persons: int, level: Explanation) -> None:
    assert told(World([Case(7, persons=tuple(range(persons)))], work=None)) is level


def test_households_count_towards_what_a_case_covers() -> None:
    homes = [(record, record // 3) for record in range(300)]
    world = World([Case(7, persons=tuple(range(0, 210, 3)), household=True)], work=None, homes=homes)
    assert told(world) is Explanation.OTHERS
    few = World([Case(7, persons=tuple(range(0, 150, 3)), household=True)], work=None, homes=homes)
    assert told(few) is Explanation.OPEN


def test_an_institution_is_no_household() -> None:
    homes = [(record, 5) for record in range(201)]
    world = World([Case(7, persons=(1,), household=True)], work=None, homes=homes, family=[])
    assert told(world, record=2) is Explanation.NONE
    assert told(world, record=1) is Explanation.OPEN
    assert not len(ContextIndex(world.context()).neighbours(np.array([1], np.uint32))[0])


# --- all together ----------------------------------------------------------------------------------------------------

CODES, RECORDS = st.integers(-1, 3), st.integers(0, 5)
TIMES = st.sampled_from([-NO_END, 0, 5 * DAY, 9 * DAY, 15 * DAY, 16 * DAY, NO_END])
CASES = st.builds(Case, st.integers(0, 3), TIMES, TIMES, CODES, CODES, st.lists(RECORDS, max_size=4).map(tuple),
                  st.booleans())  # fmt: skip
WORK = st.builds(Work, st.integers(0, 4), CODES, CODES, TIMES, TIMES).filter(
    lambda w: (w.account, w.office) != (-1, -1)
)
WORLDS = st.builds(
    World, st.none() | st.lists(CASES, max_size=5), st.none() | st.lists(WORK, max_size=6),
    st.none() | st.lists(st.tuples(RECORDS, st.integers(0, 3)), max_size=6, unique=True),
    staff=st.none() | st.just([]),
)  # fmt: skip
READS = st.lists(st.tuples(CODES, CODES, RECORDS, st.integers(-1, 5), st.integers(0, 40)), max_size=15)


@given(WORLDS, READS)
def test_quick_and_plain_say_the_same(world: World, reads: list[tuple[int, int, int, int, int]]) -> None:
    reads = [(*read[:4], read[4] * DAY // 2) for read in reads]
    account, office, record, case, moment = (np.array([read[i] for read in reads], np.int64) for i in range(5))
    found = ContextIndex(world.context()).explain(
        account.astype(np.int32), office.astype(np.int32), record.astype(np.uint32), case.astype(np.int32), moment,
        moment // DAY * DAY,
    )  # fmt: skip
    assert found.tolist() == [world.explained(*read, read[4] // DAY * DAY) for read in reads]


def test_reads_are_explained_alike_however_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(1)
    cases = [
        Case(n, int(chance.integers(0, 40)) * DAY, int(chance.integers(41, 80)) * DAY, office=n % 3,
             household=n % 2 == 0, persons=tuple(chance.integers(0, 60, 3).tolist()))
        for n in range(80)
    ]  # fmt: skip
    work = [Work(n, account=int(chance.integers(0, 9))) for n in range(0, 80, 2)]
    index = ContextIndex(World(cases, work, homes=[(r, r // 4) for r in range(60)], staff=[]).context())
    account, office = chance.integers(0, 9, 500).astype(np.int32), chance.integers(0, 3, 500).astype(np.int32)
    record, moment = chance.integers(0, 70, 500).astype(np.uint32), chance.integers(0, 80 * DAY, 500)
    case = chance.integers(-1, 80, 500).astype(np.int32)
    whole = index.explain(account, office, record, case, moment, 0)
    assert set(whole.tolist()) == {0, 1, 4, 5}
    monkeypatch.setattr(subject, "_CANDIDATES", 50)
    assert index.explain(account, office, record, case, moment, 0).tolist() == whole.tolist()


def test_an_empty_context_and_no_reads() -> None:
    index = ContextIndex(Context())
    none = np.zeros(0, np.int32)
    assert index.explain(none, none, none.astype(np.uint32), none, none.astype(np.int64), 0).shape == (0,)
    assert [column.shape for column in index.neighbours(none.astype(np.uint32))] == [(0,), (0,)]
    assert [column.tolist() for column in index.offices(np.array([3], np.int32), np.array([0]))] == [[-1], [-1]]
    assert index.in_case(np.array([1], np.uint32), np.array([0])).tolist() == [False]


# --- staff -----------------------------------------------------------------------------------------------------------

STAYS = st.lists(st.tuples(st.integers(0, 3), CODES, CODES, TIMES, TIMES), max_size=9)


@given(STAYS, st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 20)), max_size=10))
def test_of_stays_the_one_that_began_last_counts(
    stays: list[tuple[int, int, int, int, int]], asked: list[tuple[int, int]]
) -> None:
    index = ContextIndex(World(staff=stays).context())
    office, role = index.offices(
        np.array([a for a, _ in asked], np.int32), np.array([t * DAY for _, t in asked], np.int64)
    )
    for place, (account, day) in enumerate(asked):
        there = [s for s in stays if s[0] == account and s[3] <= day * DAY < s[4]]
        last = [s for s in there if s[3] == max(s[3] for s in there)][-1:] or [(0, NOBODY, NOBODY)]
        assert (office[place], role[place]) == last[0][1:3]


# --- who belongs to whom ---------------------------------------------------------------------------------------------


def test_ties_in_both_directions_each_once_and_how() -> None:
    world = World(homes=[(1, 0), (2, 0), (3, 1), (1, 1)], family=[(1, 2), (2, 1), (4, 1), (5, 5)])
    index = ContextIndex(world.context())
    owner, neighbour, tie = index.ties(np.array([1, 9, 2, 1, 5], np.uint32))
    both, family, household = Tie.FAMILY | Tie.HOUSEHOLD, Tie.FAMILY, Tie.HOUSEHOLD
    of_one = [(2, both), (3, household), (4, family)]
    expected = [(0, *one) for one in of_one] + [(2, 1, both)] + [(3, *one) for one in of_one]
    assert list(zip(owner.tolist(), neighbour.tolist(), tie.tolist(), strict=True)) == expected


def test_kin_of_pairs() -> None:
    index = ContextIndex(World(homes=[(1, 0), (2, 0)], family=[(3, 1), (3, 4), (4, 1)]).context())
    one, other = np.array([1, 2, 2, 1, 4, 3], np.uint32), np.array([2, 1, 3, 1, 3, 1], np.uint32)
    assert index.kin(one, other).tolist() == [True, True, False, False, True, True]


def test_records_in_any_open_case() -> None:
    world = World([Case(7, 0, 10 * DAY, persons=(1,))], work=[])
    found = ContextIndex(world.context()).in_case(np.array([1, 1, 2], np.uint32), np.array([DAY, 11 * DAY, DAY]))
    assert found.tolist() == [True, False, False]


def test_a_repr_shows_no_data() -> None:
    assert repr(ContextIndex(Context())).startswith("ContextIndex(without staff, cases")
    assert repr(ContextIndex(one_case().context())) == "ContextIndex(without staff, households, family, jobs, orders)"
