import pytest

from language.marking import REGISTER, plan_of
from muniment.disclosure import Harm
from muniment.errors import InputError
from muniment.marks.carriers import CARRIERS
from muniment.marks.plan import OMISSION_SHARE, make_plan


def test_families_come_in_the_order_in_which_they_are_allowed() -> None:
    plan = plan_of(structural=["order", "decoy"])
    assert plan.keys == (
        ("street-type", "address"), ("ordinals", "address"), ("dither", "salary"), ("order", "rows"), ("decoy", "rows"),
    )  # fmt: skip
    assert plan.columns == ("address", "salary")
    assert [family.carrier.name for family in plan.on("address")] == ["street-type", "ordinals"]


def test_nothing_is_allowed_by_default() -> None:
    plan = plan_of({})
    assert plan.keys == ()
    assert plan.columns == ()
    assert plan.structure("order") is None


def test_laws_follow_from_the_register_and_the_kind_of_mark() -> None:
    plan = plan_of(structural=["order", "omission", "decoy"], decoy_share=0.1)
    assert {family.law.name for family in plan.cells} == {"arcsine-0.025"}
    assert [family.law.name for family in plan.structural] == [
        "arcsine-0.025", f"constant-{OMISSION_SHARE:g}", "constant-0.1",
    ]  # fmt: skip


def test_only_a_tolerance_carrier_keeps_the_tolerance() -> None:
    plan = plan_of()
    kept = {family.carrier.name: family.tolerance is not None for family in plan.cells}
    assert kept == {"street-type": False, "ordinals": False, "dither": True}
    assert {family.carrier.harm for family in plan.cells if family.tolerance} == {Harm.TOLERANCE}


@pytest.mark.parametrize(
    ("allowed", "wrong"),
    [
        ({"id": ["letter-case"]}, "part of the record key"),
        ({"name": ["hanzi-variants"]}, "does not fit column 'name' of kind name"),
        ({"town": ["hanzi-variants"]}, "does not fit column 'town' of kind place"),
        ({"address": ["phone-layout"]}, "does not fit"),
        ({"address": ["glitter"]}, "unknown carrier 'glitter'"),
        ({"street": ["street-type"]}, "no column 'street'"),
        ({"salary": ["trailing-zeros", "dither"]}, "each writes what the other reads"),
    ],
)
def test_what_must_not_be_marked_is_refused(allowed: dict, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        plan_of(allowed)


@pytest.mark.parametrize("name", sorted(CARRIERS))
def test_no_carrier_takes_a_name_or_a_place(name: str) -> None:
    assert not {"name", "place"} & {kind.value for kind in CARRIERS[name].kinds}


def test_a_tolerance_carrier_without_a_tolerance_says_what_to_write() -> None:
    with pytest.raises(InputError, match="needs a tolerance") as raised:
        make_plan(REGISTER, {"salary": ["dither"]}, {})
    assert "[registers.persons.columns.salary]" in raised.value.hint


def test_an_unknown_structural_carrier_is_refused() -> None:
    with pytest.raises(InputError, match="expected one of decoy, omission, order"):
        plan_of(structural=["shuffle"])
