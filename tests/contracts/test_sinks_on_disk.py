"""Standard output and files: what is written, and what happens where it cannot be."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from language.alerting import message
from muniment.errors import UnreachableError
from muniment.watch.sinks import FileSink, StreamSink


def test_a_stream_gets_subject_and_lines() -> None:
    out = io.StringIO()
    StreamSink(out).send(message())
    assert out.getvalue() == "\n".join((message().subject, *message().lines)) + "\n\n"


def test_a_stream_that_is_closed_or_broken() -> None:
    closed = io.StringIO()
    closed.close()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as broken:
        for stream in (closed, broken):
            with pytest.raises(UnreachableError, match="closed or full"):
                StreamSink(stream).send(message())
        os.dup2(os.open(os.devnull, os.O_WRONLY), broken.fileno())


def test_a_file_gets_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    for pattern in ("budget", "burst"):
        FileSink(path).send(message(pattern, lang="zh-TW"))
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [one["id"] for one in found] == [message("budget").id, message("burst").id]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b'{"id":"half')
    FileSink(path).send(message())
    torn, whole = path.read_text(encoding="utf-8").splitlines()
    assert torn == '{"id":"half' and json.loads(whole)["id"] == message().id


def test_a_file_that_was_rotated_away_is_made_anew(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "alerts.jsonl")
    sink.send(message())
    (tmp_path / "alerts.jsonl").rename(tmp_path / "alerts.jsonl.1")
    sink.send(message())
    assert (tmp_path / "alerts.jsonl").read_bytes() == (tmp_path / "alerts.jsonl.1").read_bytes()


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("pipe", "link", ".", "none/alerts"):
        with pytest.raises(UnreachableError):
            FileSink(tmp_path / name).send(message())
    assert not (tmp_path / "target").exists()


def test_a_full_disk_is_said() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w", encoding="utf-8") as full:
        with pytest.raises(UnreachableError):
            StreamSink(full).send(message())
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
    with pytest.raises(UnreachableError, match="ordinary file"):
        FileSink(Path("/dev/full")).send(message())
