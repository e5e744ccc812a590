"""Signed actors: what verifies, what is refused, what stays a claim."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError, LimitError
from muniment.gate.identity.actor import LONGEST_MS, TOKEN_CHARACTERS, Actor, claimed_actor, sign_actor, verify_actor

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
NOW = 1_800_000_000_000
HOUR = 3_600_000
TOKEN = sign_actor(KEY, "林小姐 Anna", "app", NOW + HOUR)


def signed(fields: object) -> str:
    """A token with a right signature over any body at all."""
    body = base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()
    head = f"muniment1.{body}"
    signature = base64.urlsafe_b64encode(KEY.sign(b"muniment actor 1\0" + head.encode())).rstrip(b"=").decode()
    return f"{head}.{signature}"


def test_a_signed_actor_is_verified() -> None:
    assert verify_actor(TOKEN, PUBLIC, "app", NOW) == Actor("林小姐 Anna", verified=True)


@pytest.mark.parametrize(
    ("account", "now", "reason"),
    [
        ("other", NOW, "another account"),
        ("app", NOW + HOUR, "run out"),
        ("app", NOW + HOUR - LONGEST_MS - 1, "more than a day"),
    ],
)
def test_a_token_holds_for_one_account_and_a_time(account: str, now: int, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        verify_actor(TOKEN, PUBLIC, account, now)


def test_a_token_may_be_bound_to_one_session() -> None:
    token = sign_actor(KEY, "Anna", "app", NOW + HOUR, session="17")
    assert verify_actor(token, PUBLIC, "app", NOW, session="17").verified
    for other in ("", "18"):
        with pytest.raises(InputError, match="another session"):
            verify_actor(token, PUBLIC, "app", NOW, session=other)


def test_another_key_does_not_verify() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    with pytest.raises(InputError, match="does not verify"):
        verify_actor(TOKEN, other, "app", NOW)


def test_a_token_without_a_configured_key_is_no_claim() -> None:
    with pytest.raises(InputError, match="no key"):
        verify_actor(TOKEN, None, "app", NOW)


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii", categories=("L", "N")))
def test_no_changed_token_becomes_a_verified_name(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    try:
        actor = verify_actor(changed, PUBLIC, "app", NOW)
    except InputError:
        return
    # Either the change touched the prefix, and it is a claim; or it lies in base64 bits that mean nothing.
    assert not actor.verified or actor.name == "林小姐 Anna"


@pytest.mark.parametrize("text", ["muniment1.", "muniment1..", "muniment1.e30", "muniment1.!.!", "muniment1.é.é"])
def test_what_looks_like_a_token_never_becomes_a_claim(text: str) -> None:
    with pytest.raises(InputError):
        verify_actor(text, PUBLIC, "app", NOW)


@pytest.mark.parametrize(
    "fields",
    [
        [], {}, {"actor": "a", "account": "app"}, {"actor": "a", "account": "app", "until": "soon"},
        {"actor": "a", "account": "app", "until": True}, {"actor": 1, "account": "app", "until": NOW + 1},
        {"actor": "a", "account": "app", "until": NOW + 1, "role": "x"},
        {"actor": " ", "account": "app", "until": NOW + 1}, {"actor": "a\nb", "account": "app", "until": NOW + 1},
        {"actor": "a" * 201, "account": "app", "until": NOW + 1},
    ],
)  # fmt: skip
def test_a_signed_body_of_another_shape_is_refused(fields: object) -> None:
    with pytest.raises(InputError):
        verify_actor(signed(fields), PUBLIC, "app", NOW)


def test_plain_text_is_a_claim_and_shown_as_one() -> None:
    assert verify_actor("psql", PUBLIC, "app", NOW) == Actor("psql", verified=False)
    assert claimed_actor("a\x1b[2Jb") == Actor("a?[2Jb", verified=False)
    assert claimed_actor("  ") is None
    with pytest.raises(InputError, match="empty"):
        verify_actor("", PUBLIC, "app", NOW)


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(LimitError):
        verify_actor("x" * (TOKEN_CHARACTERS + 1), PUBLIC, "app", NOW)
