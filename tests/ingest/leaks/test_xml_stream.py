"""Foreign XML: events in order, and nothing that grows."""

from __future__ import annotations

import io
import time

import pytest

from muniment.errors import InputError, LimitError
from muniment.ingest.leaks.xml_stream import read_xml
from muniment.limits import XML_DEPTH, XML_TOKEN_BYTES


def events(xml: bytes) -> list[str]:
    found: list[str] = []
    read_xml(
        io.BytesIO(xml),
        "f",
        lambda tag, attributes: found.append(f"<{tag} {dict(attributes)}"),
        lambda tag: found.append(f"/{tag}"),
        found.append,
    )
    return found


def test_tags_come_without_prefix() -> None:
    assert events(b'<a:b xmlns:a="n"><c r="1">x&amp;y</c></a:b>') == [
        "<b {'xmlns:a': 'n'}", "<c {'r': '1'}", "x&y", "/c", "/b",
    ]  # fmt: skip


DAMAGED = [b"", b"<a>", b"<a></b>", b"\xff\xfe", b"<a>&x;</a>", b'<?xml encoding="no-such"?><a/>', b"text"]


@pytest.mark.parametrize("xml", DAMAGED)
def test_damage(xml: bytes) -> None:
    with pytest.raises(InputError, match="f: damaged XML"):
        events(xml)


def test_a_document_type_is_refused_in_any_encoding() -> None:
    xml = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'
    with pytest.raises(InputError, match="document type"):
        events(xml.encode("utf-16"))


def test_depth_and_long_tags_are_bounded() -> None:
    with pytest.raises(LimitError, match="levels"):
        events(b"<a>" * (XML_DEPTH + 1))
    started = time.perf_counter()
    for long in (b'<a b="', b"<!--", b"<?x ", b"<"):
        with pytest.raises(LimitError, match="a tag or comment of more"):
            events(b"<r>" + long + b"x" * (XML_TOKEN_BYTES * 2))
    assert time.perf_counter() - started < 10
