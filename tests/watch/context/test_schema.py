"""The page for keepers lists the tables as they are."""

from __future__ import annotations

import re
from pathlib import Path

from muniment.watch.context.index import GRACE_MS, MOST
from muniment.watch.context.schema import SHAPES
from muniment.watch.context.tables import DAY_MS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "watch-context.md").read_text(encoding="utf-8")


def test_the_page_lists_every_table_with_every_column_and_which_must_be_there() -> None:
    told = {}
    for part in PAGE.split("\n### ")[1:]:
        rows = re.findall(
            r"^\| (\*\*)?([A-Za-z_.]+)(?:\*\*)? \| .* \| `(.*)` \|$", part.split("\n## ")[0], re.MULTILINE
        )
        told[part.partition(":")[0]] = [(name, bool(bold), example) for bold, name, example in rows]
    table = {
        name: [(given.name, given.required, given.example) for given in shape.columns] for name, shape in SHAPES.items()
    }
    table["shifts"] = [("office", True, "Night desk")]
    assert told == table


def test_the_page_says_the_bounds_of_the_code() -> None:
    assert f"more than {MOST} persons" in PAGE
    assert f"More than {MOST} records" in PAGE
    assert GRACE_MS == 7 * DAY_MS
    assert "from seven days before" in PAGE


def test_tables_of_records_name_the_key_and_no_other_does() -> None:
    assert [name for name, shape in SHAPES.items() if shape.of_register] == ["covers", "households", "family", "orders"]
    assert [name for name, shape in SHAPES.items() if shape.more] == ["orders"]
