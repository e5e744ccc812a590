"""Signed notes: the published examples, every mangling of them, and whatever bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import InputError, IntegrityError
from muniment.ledger.log.note import (
    NOTE_BYTES,
    SIGNATURES,
    Kind,
    Note,
    Signer,
    VerifierKey,
    decode64,
    encode64,
    open_note,
    parse_note,
    sign_note,
)

# The example that Go's golang.org/x/mod/sumdb/note is tested with.
PETER = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
ENOCH = VerifierKey.parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
SIGNER = Signer("muniment/0123456789abcdef", bytes(range(32)))


def _bytes(*parts: str) -> bytes:
    return "".join(parts).encode()


def test_the_published_examples_verify() -> None:
    both = _bytes(TEXT, "\n", PETER_LINE, ENOCH_LINE)
    assert [made.name for made in open_note(both, [PETER, ENOCH]).signatures] == ["PeterNeumann", "EnochRoot"]
    assert [made.name for made in open_note(both, [ENOCH]).signatures] == ["EnochRoot"]
    assert open_note(both, [PETER]).text == TEXT
    assert parse_note(both).encode() == both
    peter = Signer("PeterNeumann", decode64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:])  # type: ignore[index]
    assert peter.verifier == PETER
    assert sign_note(TEXT, [peter]) == _bytes(TEXT, "\n", PETER_LINE)
    assert "810a14" not in repr(peter)


def test_signed_by_nobody_known() -> None:
    note = _bytes(TEXT, "\n", PETER_LINE, ENOCH_LINE)
    stranger = Signer("PeterNeumann", bytes(32)).verifier  # the name alone is not the key
    for keys in ([], [stranger], [SIGNER.verifier]):
        with pytest.raises(IntegrityError, match="signed by EnochRoot, PeterNeumann, but by none"):
            open_note(note, keys)
    with pytest.raises(IntegrityError, match="signature of EnochRoot does not verify"):
        open_note(_bytes(TEXT, "x\n\n", PETER_LINE, ENOCH_LINE), [ENOCH])
    # One bad signature of a known key refuses the note, whatever else is right.
    bad = ENOCH_LINE.replace("5n2tiOHp", "5n2tiOHq")
    with pytest.raises(IntegrityError, match="EnochRoot"):
        open_note(_bytes(TEXT, "\n", PETER_LINE, bad), [PETER, ENOCH])
    assert open_note(_bytes(TEXT, "\n", PETER_LINE, bad), [PETER]).signatures


def test_doubled_signatures_count_once() -> None:
    note = open_note(_bytes(TEXT, "\n", PETER_LINE * 3, ENOCH_LINE), [PETER])
    assert len(note.signatures) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        _bytes(TEXT),
        _bytes(TEXT, "\n"),
        _bytes(TEXT, "\n", PETER_LINE[:-1]),
        _bytes(TEXT, "\n", PETER_LINE, "Unexpected line.\n"),
        _bytes("\x01", TEXT, "\n", PETER_LINE),
        _bytes(TEXT, "\r\n", PETER_LINE).replace(b"is.\n", b"is.\r\n"),
        b"\xff" + _bytes(TEXT, "\n", PETER_LINE),
        _bytes(TEXT, "\n", PETER_LINE.replace("PeterNeumann", "Peter Neumann")),
        _bytes(TEXT, "\n", PETER_LINE.replace("PeterNeumann", "Peter+Neumann")),
        _bytes(TEXT, "\n", PETER_LINE.replace("PeterNeumann", "Peter\u3000Neumann")),
        _bytes(TEXT, "\n", PETER_LINE.replace("PeterNeumann", "")),
        _bytes(TEXT, "\n", PETER_LINE.replace("— ", "- ")),
        _bytes(TEXT, "\n", PETER_LINE.replace("M=", "N=")),  # the same bytes, written otherwise
        _bytes(TEXT, "\n", PETER_LINE.replace("=", "")),
        _bytes(TEXT, "\n", "— PeterNeumann x08gow==\n"),
        _bytes(TEXT, "\n", PETER_LINE * (SIGNATURES + 1)),
        _bytes("x" * NOTE_BYTES, "\n\n", PETER_LINE),
    ],
)
def test_malformed_notes(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        parse_note(data)
    with pytest.raises(IntegrityError):
        open_note(data, [PETER])


def test_sixteen_signatures_are_accepted() -> None:
    """The least that C2SP signed-note asks of a verifier."""
    signers = [Signer(f"signer-{n}", bytes([n]) * 32) for n in range(16)]
    note = sign_note("text\n", signers)
    assert len(open_note(note, [signer.verifier for signer in signers]).signatures) == 16
    with pytest.raises(ValueError, match="ends with a newline"):
        sign_note("text", signers)


def test_every_mangling_of_a_verifier_key_is_refused() -> None:
    text = str(PETER)
    for start in range(len(text)):
        for end in range(start, len(text) + (start > 0)):
            with pytest.raises(InputError):
                VerifierKey.parse(text[start:end])
    for place, letter in enumerate(text):
        with pytest.raises(InputError):
            VerifierKey.parse(text[:place] + chr(ord(letter) + 1) + text[place + 1 :])
    for bad in (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # too long, with a fitting id
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # an unknown kind, with a fitting id
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ):
        with pytest.raises(InputError):
            VerifierKey.parse(bad)


def test_verifier_keys_of_both_kinds_round_trip() -> None:
    for kind in Kind:
        key = Signer("a.example/log", bytes(32), kind).verifier
        assert VerifierKey.parse(str(key)) == key
    with pytest.raises(InputError, match="without spaces"):
        VerifierKey("a b", bytes(32))
    with pytest.raises(InputError, match="31 bytes"):
        VerifierKey("a", bytes(31))


def test_a_cosignature_is_no_note_signature() -> None:
    witness = Signer("w.example", bytes(32), Kind.COSIGNATURE)
    signature = witness.sign("text\n", 1_679_315_147)
    assert signature.time == 1_679_315_147
    witness.verifier.verify("text\n", signature)
    with pytest.raises(IntegrityError, match="malformed"):
        Signer("w.example", bytes(32)).verifier.verify("text\n", signature)
    for bad in (signature.value[:-1], b"\xff" + signature.value[1:], bytes(8) + signature.value[8:]):
        with pytest.raises(IntegrityError):
            witness.verifier.verify("text\n", type(signature)("w.example", signature.key_id, bad))


@settings(max_examples=200)
@given(data=st.binary(max_size=300) | st.text(alphabet="—ab+ =\n/é0A", max_size=200).map(str.encode))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    try:
        note = parse_note(data)
    except IntegrityError:
        return
    assert note.encode() == data


@settings(max_examples=100)
@given(text=st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n")), data=st.data())
def test_any_text_survives_and_no_byte_may_change(text: str, data: st.DataObject) -> None:
    note = sign_note(text + "\n", [SIGNER])
    assert open_note(note, [SIGNER.verifier]) == Note(text + "\n", (SIGNER.sign(text + "\n"),))
    place = data.draw(st.integers(0, len(note) - 1), "place")
    altered = bytearray(note)
    altered[place] ^= 1 << data.draw(st.integers(0, 7), "bit")
    with pytest.raises(IntegrityError):
        open_note(bytes(altered), [SIGNER.verifier])


@given(data=st.binary(max_size=80))
def test_base64_has_one_form(data: bytes) -> None:
    text = encode64(data)
    assert decode64(text) == data
    for bad in (text + "=", text + "\n", " " + text, text.replace("=", ""), text + "é"):
        assert bad == text or decode64(bad) is None
