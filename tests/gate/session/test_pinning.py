"""Parameters that pin a key: by declared type, by the column where they stand once, and never in doubt."""

from __future__ import annotations

import struct

import pytest

from language.conversations import catalogue
from muniment.gate.attribution.text import facts
from muniment.gate.protocol.frontend import Bind
from muniment.gate.session.pinning import bound, with_values
from muniment.gate.session.tracker import Portal

TEXT = "select surname from person where id = $1"
READ = facts(TEXT, catalogue(), conforming=True, safe_encoding=True)
FLOAT4, NUMERIC = 700, 1700


def portal(
    value: bytes | None, type_oid: int | None = None, *, binary: bool = False, text: str = TEXT
) -> Portal:
    sent = Bind("", "", (1,) if binary else (), (value,)).build()[7:]
    return Portal(text=text.encode(), types=() if type_oid is None else (type_oid,), values=sent)


@pytest.mark.parametrize(
    ("bound_to", "pin"),
    [
        (portal(b"7"), "7"),
        (portal(b"7", 0), "7"),
        (portal(b"7", 23), "7"),
        (portal(struct.pack(">i", 7), 23, binary=True), "7"),
        (portal(struct.pack(">q", -7), 20, binary=True), "-7"),
        (portal(b"a", 25), "a"),
        (portal(bytes(16), 2950, binary=True), "00000000-0000-0000-0000-000000000000"),
        (portal(struct.pack(">i", 7), binary=True), None),
        (portal(struct.pack(">i", 7), 20, binary=True), None),
        (portal(b"7", FLOAT4), None),
        (portal(b"7", NUMERIC), None),
        (portal(None), None),
        (portal(b"\xff"), None),
        (portal(b"7", text="select $1::float4 from person where id = $1"), None),
        (portal(b"7", text="select $10 from person where id = $1"), "7"),
        (Portal(text=TEXT.encode()), None),
        (Portal(text=TEXT.encode(), values=b"\0\0\0\x05"), None),
    ],
)
def test_what_a_parameter_pins(bound_to: Portal, pin: str | None) -> None:
    assert READ.pins == {"id": 1}
    assert with_values(READ, bound_to, "utf-8").pins == ({} if pin is None else {"id": pin})


def test_literals_stay() -> None:
    read = facts("select surname from person where id = 7", catalogue(), conforming=True, safe_encoding=True)
    assert with_values(read, portal(b"8"), "utf-8") is read


def test_one_format_stands_for_all_parameters() -> None:
    read = facts(
        "select surname from person where surname = $1 and id = $2", catalogue(), conforming=True, safe_encoding=True
    )
    sent = Bind("", "", (1,), (b"a", struct.pack(">i", 9))).build()[7:]
    found = with_values(read, Portal(text=b"$1 $2", types=(25, 23), values=sent), "utf-8")
    assert found.pins == {"surname": "a", "id": "9"}


def test_a_malformed_bind_has_no_parameters() -> None:
    assert bound(b"\0") is None
