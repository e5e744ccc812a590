"""docs/limits.md names real bounds with their real values."""

from __future__ import annotations

import re
from pathlib import Path

from muniment import limits

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")


def test_every_bound_in_the_table_is_the_one_in_the_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    assert len(rows) >= 15
    for name, value in rows:
        assert getattr(limits, name) == int(value.replace(",", "")), name


def test_the_sentences_say_the_same_numbers() -> None:
    assert f"1 to {limits.NAME_CHARACTERS} printable" in PAGE
    assert f"larger than {limits.LEAK_BYTES // 1024**3} GiB" in PAGE
    assert f"More rows than {limits.LEAK_ROWS:,}" in PAGE
    assert f"at most {limits.LOCK_SECONDS:g} seconds" in PAGE
