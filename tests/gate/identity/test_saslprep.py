"""SASLprep against the examples of RFC 4013, section 3, and what PostgreSQL does with passwords that it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.identity.saslprep import password_bytes, saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u3000b\u00a0c", "a b c"),
        ("電池 häst", "電池 häst"),
        ("\u0627\u0628", "\u0627\u0628"),
    ],
)
def test_examples_are_prepared(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u06271", "\u0627a\u0628", "\ue000", "\ufffd", "\u0221", "\u200e"])
def test_prohibited_text_is_refused_without_being_named(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        saslprep(text)
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    ("password", "used"),
    [("\u0007bell", b"\x07bell"), (b"\xff\xfe", b"\xff\xfe"), ("\u00ad", "\u00ad".encode()), (b"I\xc2\xadX", b"IX")],
)
def test_what_cannot_be_prepared_is_used_as_it_is(password: str | bytes, used: bytes) -> None:
    assert password_bytes(password) == used


@given(st.text(max_size=20))
def test_preparing_twice_changes_nothing(text: str) -> None:
    try:
        prepared = saslprep(text)
    except ValueError:
        return
    assert saslprep(prepared) == prepared
