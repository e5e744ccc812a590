"""What a client declared, followed through transactions, savepoints and startup packets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.session.labels import CHARACTERS, SAVEPOINTS, Labels


def played(*steps: tuple[str, ...], startup: dict[str, str] | None = None) -> Labels:
    """`("set", case)`, `("local", case)`, `("ready", status)`, or a tag with its savepoint."""
    labels = Labels(startup)
    for word, *rest in steps:
        if word in ("set", "local"):
            labels.said("muniment.case", rest[0], word == "local")
        elif word == "ready":
            labels.transaction(rest[0])
        else:
            labels.transaction("", word, *rest)
    return labels


@pytest.mark.parametrize(
    ("steps", "case"),
    [
        ((), ""),
        ((("set", "A"),), "A"),
        ((("set", "A"), ("ready", "I"), ("set", "B"), ("ready", "I")), "B"),
        # LOCAL ends with the transaction, with or without BEGIN
        ((("local", "A"),), "A"),
        ((("local", "A"), ("ready", "I")), ""),
        ((("BEGIN",), ("local", "A"), ("ready", "T")), "A"),
        ((("BEGIN",), ("local", "A"), ("COMMIT",)), ""),
        ((("BEGIN",), ("local", "A"), ("PREPARE TRANSACTION",)), ""),
        # ROLLBACK takes back, COMMIT keeps
        ((("set", "A"), ("ready", "I"), ("BEGIN",), ("set", "B"), ("ROLLBACK",)), "A"),
        ((("set", "A"), ("ready", "I"), ("BEGIN",), ("set", "B"), ("COMMIT",)), "B"),
        ((("set", "A"), ("ready", "I"), ("START TRANSACTION",), ("set", "B"), ("ready", "T"), ("ROLLBACK",)), "A"),
        # SET after LOCAL wins; LOCAL after SET hides it until the end
        ((("BEGIN",), ("local", "A"), ("set", "B")), "B"),
        ((("BEGIN",), ("set", "B"), ("local", "A"), ("COMMIT",)), "B"),
        # one Query of several statements is one transaction: its error takes all of it back
        ((("set", "A"), ("ready", "I"), ("set", "B"), ("ERROR",), ("ready", "I")), "A"),
        ((("set", "A"), ("BEGIN",), ("ROLLBACK",), ("ready", "I")), ""),
        # after an error inside BEGIN nothing but ROLLBACK does anything
        ((("set", "A"), ("ready", "I"), ("BEGIN",), ("set", "B"), ("ERROR",), ("ready", "E"), ("ROLLBACK",)), "A"),
        # savepoints
        ((("BEGIN",), ("set", "A"), ("SAVEPOINT", "s"), ("set", "B"), ("ROLLBACK", "s")), "A"),
        ((("BEGIN",), ("set", "A"), ("SAVEPOINT", "s"), ("set", "B"), ("ROLLBACK", "S"), ("COMMIT",)), "A"),
        ((("BEGIN",), ("set", "A"), ("SAVEPOINT", "s"), ("set", "B"), ("RELEASE", "s"), ("COMMIT",)), "B"),
        ((("BEGIN",), ("SAVEPOINT", "s"), ("local", "B"), ("ROLLBACK", "s")), ""),
        ((("BEGIN",), ("local", "A"), ("SAVEPOINT", "s"), ("local", "B"), ("ROLLBACK", "s")), "A"),
        # an inner savepoint of the same name hides the outer one, until it is released
        (
            (("BEGIN",), ("set", "A"), ("SAVEPOINT", "s"), ("set", "B"), ("SAVEPOINT", "s"), ("set", "C"),
             ("RELEASE", "s"), ("ROLLBACK", "s")),
            "A",
        ),
        # where it cannot be told which holds, none does
        ((("BEGIN",), ("set", "A"), ("SAVEPOINT", "s"), ("set", "B"), ("ROLLBACK", "unknown")), ""),
        ((("set", "A"), ("ready", "I"), ("BEGIN",), ("set", "B"), ("ready", "T"), ("ready", "I")), ""),
        # but what is the same in all of them stays
        ((("set", "A"), ("ready", "I"), ("BEGIN",), ("SAVEPOINT", "s"), ("ROLLBACK", "unknown")), "A"),
        ((("set", "A"), ("ready", "I"), ("BEGIN",), ("ready", "T"), ("ready", "I")), "A"),
    ],
)  # fmt: skip
def test_a_case_follows_its_transaction(steps: tuple[tuple[str, ...], ...], case: str) -> None:
    assert played(*steps).case == case


def test_rollback_to_a_savepoint_that_nobody_names_is_told_by_the_status() -> None:
    labels = played(("set", "A"), ("ready", "I"), ("BEGIN",), ("SAVEPOINT", "s"), ("set", "B"))
    labels.transaction("T", "ROLLBACK")
    assert labels.case == "A"
    labels = played(("set", "A"), ("ready", "I"), ("BEGIN",), ("set", "B"), ("SAVEPOINT", "s"))
    labels.transaction("T", "ROLLBACK")
    assert labels.case == ""


def test_a_rollback_without_a_name_leaves_only_what_is_certain_until_its_status_comes() -> None:
    steps = (("set", "A"), ("ready", "I"), ("BEGIN",), ("set", "B"), ("SAVEPOINT", "s"), ("set", "C"), ("ROLLBACK",))
    assert played(*steps).case == ""
    assert played(*steps, ("ready", "I")).case == "A"
    assert played(*steps, ("ready", "T")).case == ""
    assert played(*steps, ("ready", "T"), ("set", "D"), ("COMMIT",), ("ready", "I")).case == "D"


def test_the_labels_are_four_and_their_names_are_taken_in_any_case() -> None:
    labels = Labels()
    for name in ("Muniment.Case", "muniment.PURPOSE", "muniment.actor", "muniment.break_glass", "muniment.other", "x"):
        labels.said(name, name)
    assert (labels.case, labels.purpose) == ("Muniment.Case", "muniment.PURPOSE")
    assert (labels.actor, labels.break_glass) == ("muniment.actor", "muniment.break_glass")


@pytest.mark.parametrize(
    ("startup", "case"),
    [
        ({"options": "-c muniment.case=A-7"}, "A-7"),
        ({"options": "-cmuniment.case=A-7 -c search_path=x"}, "A-7"),
        ({"options": "--muniment.case=A-7"}, "A-7"),
        ({"options": r"-c muniment.case=two\ words\\ -d 3"}, "two words\\"),
        ({"options": "-c muniment.case=A -c Muniment.CASE=B"}, "B"),
        ({"muniment.case": "A-7"}, "A-7"),
        ({"options": "-c muniment.case=A", "muniment.case": "B"}, "B"),
        ({"options": "-c"}, ""),
        ({"options": "-c muniment.case"}, ""),
        ({"options": "-e muniment.case=A"}, ""),
        ({"application_name": "-c muniment.case=A"}, ""),
    ],
)
def test_startup_declares_as_postgresql_reads_it(startup: dict[str, str], case: str) -> None:
    assert Labels(startup).case == case


def test_reset_goes_back_to_the_start_not_to_nothing() -> None:
    startup = {"options": "-c muniment.case=A --muniment.break-glass=why"}
    labels = played(("set", "B"), startup=startup)
    assert labels.break_glass == "why"
    labels.said("muniment.case", None)
    assert labels.case == "A"
    labels.said("muniment.case", "B")
    labels.said("muniment.purpose", "audit")
    labels.said("ALL", None)
    assert (labels.case, labels.purpose) == ("A", "")


@pytest.mark.parametrize("value", ["x" * 201, "a\nb", "a\x1b[2Jb", "   ", "\u202eevil"])
def test_a_text_that_cannot_stand_in_the_ledger_is_not_declared(value: str) -> None:
    assert played(("set", "A"), ("set", value)).case == ""


def test_each_label_has_its_own_length() -> None:
    labels = Labels()
    for name, most in CHARACTERS.items():
        labels.said(f"muniment.{name}", "x" * most)
        assert len(getattr(labels, name)) == most
        labels.said(f"muniment.{name}", "x" * (most + 1))
        assert getattr(labels, name) == ""


def test_savepoints_without_end_are_not_remembered_without_end() -> None:
    labels = played(("BEGIN",), ("set", "A"), ("SAVEPOINT", "first"), ("set", "B"))
    for number in range(2 * SAVEPOINTS):
        labels.transaction("", "SAVEPOINT", f"s{number}")
    labels.transaction("", "ROLLBACK", "first")
    assert labels.case == ""


STEPS = st.one_of(
    st.tuples(st.sampled_from(["set", "local"]), st.sampled_from("ABC")),
    st.tuples(st.just("SAVEPOINT"), st.sampled_from("st")),
)


@given(st.lists(STEPS, max_size=12), st.sampled_from(["ROLLBACK", "COMMIT"]))
def test_nothing_inside_a_rolled_back_transaction_outlives_it(steps: list[tuple[str, str]], end: str) -> None:
    labels = played(("set", "before"), ("ready", "I"), ("BEGIN",), *steps, (end,), ("ready", "I"))
    last = [value for word, value in steps if word == "set"]
    assert labels.case == (last[-1] if last and end == "COMMIT" else "before")
