from language.offices import MARKED, PURPOSE, Office, read_table
from muniment.workspace.plans import allowed_plan
from muniment.workspace.strength import Strength, strength_of


def strength(office: Office) -> Strength:
    register = office.parts.register("persons")
    return strength_of(office.parts, register, allowed_plan(office.parts, register, None))


def test_forty_symbols_name_a_sole_source_where_one_leaker_is_withstood(office: Office) -> None:
    assert 20 <= strength(office).symbols_for_95 <= 40


def test_more_recipients_take_more_symbols(office: Office) -> None:
    few = strength(office).symbols_for_95
    office.parts.copies.recipients([f"Office {number}" for number in range(5_000)], office.clock())
    assert strength(office).symbols_for_95 > few


def test_a_register_that_withstands_ten_leakers_takes_more(office: Office) -> None:
    office.workspace.register("ten", office.source, key="person_id", coalition=10, accept="equivalent")
    register = office.parts.register("ten")
    ten = strength_of(office.parts, register, allowed_plan(office.parts, register, None)).symbols_for_95
    assert strength(office).symbols_for_95 < ten <= 130


def test_rows_alone_have_no_figure(office: Office) -> None:
    for column in MARKED:
        office.allow(column)
    office.allow_rows("order")
    assert strength(office) == Strength(0)


def test_the_promise_holds_for_a_copy(office: Office) -> None:
    """Three times as many rows as name it with a chance of 95 % are cut out of the copy, and name it."""
    result = office.workspace.release("persons", to="Tax", purpose=PURPOSE, out=office.out("t.csv"))
    assert 0 < result.rows_to_trace < 20
    part = read_table(office.out("t.csv")).take(range(3 * result.rows_to_trace))
    assert office.named(office.leak(part)) == ["Tax"]


def test_the_figure_is_the_same_every_time(office: Office) -> None:
    assert strength(office) == strength(office)
