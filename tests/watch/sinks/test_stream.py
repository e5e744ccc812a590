"""A stream gets each message at once and whole, stays open, and is not trusted to take every letter."""

from __future__ import annotations

import io

import pytest

from language.alerting import message
from muniment.errors import UnreachableError
from muniment.watch.sinks.stream import StreamSink


def test_each_message_is_flushed_and_the_stream_stays_open() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", newline="\n", write_through=False)
    sink = StreamSink(stream)
    sink.send(message())
    once = raw.getvalue().decode()
    sink.send(message("burst", lang="zh-TW"))
    assert not stream.closed and once.startswith(message().subject) and once.endswith("\n\n")
    assert raw.getvalue().decode()[len(once) :].startswith(message("burst", lang="zh-TW").subject)


def test_messages_stand_apart_by_one_empty_line() -> None:
    out = io.StringIO()
    for pattern in ("budget", "burst", "share"):
        StreamSink(out).send(message(pattern))
    blocks = out.getvalue().split("\n\n")
    assert [block.partition("\n")[0] for block in blocks] == [
        *(message(pattern).subject for pattern in ("budget", "burst", "share")), "",
    ]  # fmt: skip


def test_a_stream_that_cannot_write_the_letters_is_a_fault_that_can_be_told() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with pytest.raises(UnreachableError, match="could not be written"):
        StreamSink(stream).send(message(lang="zh-TW"))
