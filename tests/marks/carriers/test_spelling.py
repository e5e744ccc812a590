"""A carrier made from one function."""

from __future__ import annotations

from muniment.disclosure import Harm, Kind
from muniment.marks.carriers.protocol import Carrier
from muniment.marks.carriers.spelling import Spelled, Spelling, both


def _spell(value: str) -> Spelled | None:
    return both(value, value.replace("b", "a"), value.replace("a", "b")) if set(value) & {"a", "b"} else None


MARK: Carrier = Spelling("letters", 250, frozenset({Kind.TEXT}), _spell)


def test_bit_and_forms() -> None:
    assert MARK.forms("xa") == ("xa", "xb")
    assert (MARK.read("xa"), MARK.read("xb"), MARK.read("ab"), MARK.read("x")) == (0, 1, None, None)
    assert MARK.forms("x") is None
    assert MARK.harm is Harm.EQUIVALENT


def test_same_is_equality_of_normal_forms() -> None:
    assert MARK.normal("xb") == "xa"
    assert MARK.normal("x") == "x"
    assert MARK.same("ab", "ba")
    assert not MARK.same("xa", "ya")


def test_one_spelling_is_no_place() -> None:
    assert both("x", "x", "x") is None
