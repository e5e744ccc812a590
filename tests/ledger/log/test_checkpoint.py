"""Checkpoints: what the note says, whose it is, and what witnesses add to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import InputError, IntegrityError
from muniment.ledger.log.checkpoint import Checkpoint, add_cosignature, cosign, open_checkpoint, sign_checkpoint
from muniment.ledger.log.note import Kind, Signer, VerifierKey, open_note, sign_note

ORIGIN = "muniment/0123456789abcdef"
SIGNER = Signer(ORIGIN, bytes(range(32)))
WITNESSES = [Signer(f"witness-{n}.example", bytes([n]) * 32, Kind.COSIGNATURE) for n in range(2)]
KEYS = [witness.verifier for witness in WITNESSES]
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))
NOTE = sign_checkpoint(CHECKPOINT, SIGNER)


def test_round_trip() -> None:
    signed = open_checkpoint(NOTE, [SIGNER.verifier], ORIGIN)
    assert signed.checkpoint == CHECKPOINT
    assert signed.note == NOTE
    assert signed.witnessed == {}
    assert str(CHECKPOINT) == f"{ORIGIN}\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    other = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)), ("more",))
    assert Checkpoint.parse(str(other)) == other
    assert other.same_tree(CHECKPOINT) and other != CHECKPOINT


def test_a_real_witness_verifies() -> None:
    """A checkpoint that FiloSottile/sunlight's witness cosigned (its test data for skylight; ISC)."""
    witness = VerifierKey.parse("witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN")
    note = (
        "rome2026h1.example.org\n300\nlCkHUpkmVBEms2r2T1K6Og69+wUuuN3MIEW1/ezu2v0=\n\n"
        "— rome2026h1.example.org kVB1JgAAAZtxtEwABAMARzBFAiEAi+mTa2xjL1IdWpH82OeciGsGvwRAP+f1WkfKaSZCfFECIHoNPZ/Q3y6U"
        "NzvKOO9cuLr6V16vPNfhwhle9f6r5H/Z\n"
        "— witness.example.org uKLPIAAAAABpVGeAhm2bOvKc3LaB9PFN1ruG19Y5yqslmcAAbhftnn1Zznmo0LXFZq4LGvqKqLX8jWlwLKasxEGT"
        "LIqAVusneCBmBw==\n"
    )
    (made,) = open_note(note.encode(), [witness]).signatures
    assert made.time == 1_767_139_200
    with pytest.raises(IntegrityError, match=r"witness\.example\.org does not verify"):
        open_note(note.replace("\n300\n", "\n301\n").encode(), [witness])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{ORIGIN}\n1\n", "three lines"),
        (f"{ORIGIN}\n1\n{'A' * 43}=\n\n", "three lines"),
        ("\n1\n" + "A" * 43 + "=\n", "three lines"),
        (f"{ORIGIN}\n01\n{'A' * 43}=\n", "no size"),
        (f"{ORIGIN}\n-1\n{'A' * 43}=\n", "no size"),
        (f"{ORIGIN}\n١\n{'A' * 43}=\n", "no size"),
        (f"{ORIGIN}\n9223372036854775808\n{'A' * 43}=\n", "no size"),
        (f"{ORIGIN}\n1 \n{'A' * 43}=\n", "no size"),
        (f"{ORIGIN}\n1\n{'A' * 43}\n", "no root"),
        (f"{ORIGIN}\n1\n{'A' * 42}==\n", "no root"),
        (f"{ORIGIN}\n1\n{'A' * 44}\n", "no root"),
    ],
)
def test_malformed_checkpoints_are_refused_even_when_signed(text: str, reason: str) -> None:
    note = sign_note(text, [SIGNER])
    with pytest.raises(IntegrityError, match=reason):
        open_checkpoint(note, [SIGNER.verifier], ORIGIN)


def test_another_keepers_log_and_a_forged_one_are_told_apart() -> None:
    stranger = Signer("muniment/ffffffffffffffff", bytes(32))
    theirs = sign_checkpoint(Checkpoint(stranger.name, 1, bytes(32)), stranger)
    with pytest.raises(IntegrityError, match="belongs to the log 'muniment/ffffffffffffffff'"):
        open_checkpoint(theirs, [SIGNER.verifier], ORIGIN)
    forged = sign_checkpoint(CHECKPOINT, Signer(ORIGIN, bytes(32)))
    with pytest.raises(IntegrityError, match="by none of the keys"):
        open_checkpoint(forged, [SIGNER.verifier], ORIGIN)
    # A key of ours under the origin of another log is no checkpoint of ours.
    with pytest.raises(IntegrityError, match="belongs to"):
        open_checkpoint(sign_checkpoint(Checkpoint("other", 1, bytes(32)), SIGNER), [SIGNER.verifier], ORIGIN)


def test_an_old_key_goes_on_being_trusted() -> None:
    new = Signer(ORIGIN, b"\7" * 32)
    for signer in (SIGNER, new):
        assert open_checkpoint(sign_checkpoint(CHECKPOINT, signer), [SIGNER.verifier, new.verifier], ORIGIN)


def test_cosignatures_are_added_and_checked() -> None:
    note = add_cosignature(NOTE, cosign(NOTE, WITNESSES[0], 5), KEYS)
    note = add_cosignature(note, cosign(note, WITNESSES[1], 6), KEYS)
    assert open_checkpoint(note, [SIGNER.verifier], ORIGIN, witnesses=KEYS).witnessed == {
        "witness-0.example": 5,
        "witness-1.example": 6,
    }
    newer = add_cosignature(note, cosign(note, WITNESSES[0], 9), KEYS)
    assert len(newer) == len(note)
    assert open_checkpoint(newer, [SIGNER.verifier], ORIGIN, witnesses=KEYS).witnessed["witness-0.example"] == 9
    # The time is signed too.
    made = WITNESSES[0].sign(str(CHECKPOINT), 9)
    later = replace(made, value=(10).to_bytes(8, "big") + made.value[8:])
    for bad in (newer.replace(b"20852163", b"20852164"), newer.replace(str(made).encode(), str(later).encode())):
        with pytest.raises(IntegrityError, match="does not verify"):
            open_checkpoint(bad, [SIGNER.verifier], ORIGIN, witnesses=KEYS)
    # A witness alone does not speak for the log.
    alone = newer.replace(f"— {ORIGIN}".encode(), "— x".encode())
    with pytest.raises(IntegrityError, match="by none of the keys"):
        open_checkpoint(alone, [SIGNER.verifier], ORIGIN, witnesses=KEYS)


def test_cosignatures_that_are_refused() -> None:
    older = sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), SIGNER)
    with pytest.raises(IntegrityError, match=r"witness-0\.example does not verify"):
        add_cosignature(NOTE, cosign(older, WITNESSES[0], 5), KEYS)
    with pytest.raises(InputError, match="no such witness"):
        add_cosignature(NOTE, cosign(NOTE, WITNESSES[0], 5), KEYS[1:])
    with pytest.raises(InputError, match="no such witness"):
        add_cosignature(NOTE, str(SIGNER.sign(str(CHECKPOINT))), [*KEYS, SIGNER.verifier])
    for line in ("", "—", "— a b", "x\n\ny", cosign(NOTE, WITNESSES[0], 1) * 2):
        with pytest.raises(InputError, match="no signature line"):
            add_cosignature(NOTE, line, KEYS)


@settings(max_examples=200)
@given(text=st.text(st.characters(max_codepoint=0x3000, exclude_categories=["Cs"]), max_size=120))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        checkpoint = Checkpoint.parse(text)
    except IntegrityError:
        return
    assert str(checkpoint) == text
