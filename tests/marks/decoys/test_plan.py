"""Plans: consent is required, expiry is kept, nothing shows, and the sealed text reads back."""

from datetime import UTC, date, datetime

import pytest

from language.decoy_registers import demo_decoys
from muniment.errors import InputError, IntegrityError
from muniment.marks.decoys import Consent, DecoyPlan

CONSENT = Consent("Head of registry", datetime(2026, 11, 1, 9, tzinfo=UTC), "500 invented persons for one year")
EXPIRES = date(2027, 11, 1)


def plan(**changes):
    values = {"register": "people", "key": ("person_id",), "decoys": demo_decoys(), "share": 0.02, "expires": EXPIRES,
              "consent": CONSENT} | changes  # fmt: skip
    return DecoyPlan(**values)


def test_a_plan_reads_back_from_its_text():
    again = DecoyPlan.from_json(plan().to_json())
    assert again == plan()


def test_expired_decoys_are_never_written():
    assert plan().active(EXPIRES).rows == demo_decoys().rows
    assert plan().active(date(2027, 11, 2)).rows == 0
    assert plan().active(date(2027, 11, 2)).columns == demo_decoys().columns


def test_the_exclusion_list_holds_numbers_alone_and_outlives_the_plan():
    assert plan().exclusion() == tuple((number,) for number in demo_decoys()["person_id"])


def test_colliding_decoys_are_taken_out():
    left = plan().without([0, 2])
    assert left.decoys.rows == demo_decoys().rows - 2
    assert demo_decoys()["person_id"][0] not in left.decoys["person_id"]


def test_nothing_of_a_decoy_shows():
    assert repr(plan()) == f"DecoyPlan({demo_decoys().rows} decoys)"


@pytest.mark.parametrize(("owner", "text"), [("", "text"), ("  ", "text"), ("owner", ""), ("owner", "x" * 3_000)])
def test_consent_needs_who_and_what(owner, text):
    with pytest.raises(InputError, match="consent"):
        Consent(owner, CONSENT.given, text)


def test_consent_needs_a_moment():
    with pytest.raises(InputError, match="time zone"):
        Consent("owner", datetime(2026, 11, 1), "text")


@pytest.mark.parametrize("share", [0, 1, -0.5, 2.0, float("nan")])
def test_a_share_lies_between(share):
    with pytest.raises(InputError, match="between 0 and 1"):
        plan(share=share)


def test_two_decoys_of_one_number_are_refused():
    with pytest.raises(InputError, match="same record number"):
        plan(decoys=demo_decoys().take([0, 0]))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2}', "null"])
def test_a_damaged_plan_is_refused(text):
    with pytest.raises(IntegrityError):
        DecoyPlan.from_json(text)


def test_a_cut_plan_is_refused():
    with pytest.raises(IntegrityError):
        DecoyPlan.from_json(plan().to_json()[:-10])
