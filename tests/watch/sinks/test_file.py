"""A file of alerts keeps its mode and its lines, whoever else writes to it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from language.alerting import message
from muniment.errors import UnreachableError
from muniment.watch.sinks.file import FileSink


def test_lines_of_several_writers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    patterns = ["budget", "burst", "share", "decoy"] * 5
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pattern: FileSink(path).send(message(pattern)), patterns))
    # who looks while another writes may take his line for a torn one, and leave an empty line behind it
    found = [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines() if line]
    assert sorted(found) == sorted(message(pattern).id for pattern in patterns)


def test_a_file_that_is_there_keeps_its_mode_and_what_stands_in_it(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"id":"old"}\n', encoding="utf-8")
    path.chmod(0o640)
    FileSink(path).send(message())
    assert path.stat().st_mode & 0o777 == 0o640
    first, second = path.read_text(encoding="utf-8").splitlines()
    assert first == '{"id":"old"}' and json.loads(second)["id"] == message().id


def test_an_empty_file_gets_no_empty_line(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.touch()
    FileSink(path).send(message(lang="zh-TW"))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("{") and text.endswith("}\n") and text.count("\n") == 1


def test_a_folder_that_is_missing_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none" / "alerts.jsonl"
    with pytest.raises(UnreachableError, match=r"none/alerts\.jsonl"):
        FileSink(path).send(message())
    assert not path.parent.exists()
