"""One JSON object a line, bounded, and never in the way."""

from __future__ import annotations

import io
import json
from pathlib import Path

from muniment.gate.server.logs import TEXT_CHARACTERS, Log


def test_a_line_is_one_object_with_time_and_word() -> None:
    stream = io.StringIO()
    log = Log(lambda: 1_800_000_000_123, stream=stream)
    log.write("stopped", (("account", "王\n小明"), ("rows", 3)), session=7, alarm=True)
    log.write("started", (("reason", "x" * 10_000),))
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first == {
        "time": "2027-01-15T08:00:00.123+00:00", "event": "stopped", "session": 7, "alarm": True,
        "account": "王\n小明", "rows": 3,
    }  # fmt: skip
    assert len(second["reason"]) == TEXT_CHARACTERS and "alarm" not in second


def test_a_file_that_was_rotated_away_is_made_anew(tmp_path: Path) -> None:
    log = Log(lambda: 0, tmp_path / "gate.log")
    log.write("one")
    (tmp_path / "gate.log").rename(tmp_path / "gate.log.1")
    log.reopen()
    log.write("two")
    log.reopen()
    assert "one" in (tmp_path / "gate.log.1").read_text() and "two" in (tmp_path / "gate.log").read_text()


def test_a_log_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    log = Log(lambda: 0, tmp_path / "nowhere" / "gate.log")
    log.write("one")
    (tmp_path / "nowhere").mkdir()
    log.write("two")
    log.reopen()
    assert log.lost == 1 and "two" in (tmp_path / "nowhere" / "gate.log").read_text()
