"""`muniment demo` hands its options to the story and prints what it says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from language.program import muniment

SEEN: list[tuple[object, ...]] = []


def _run(folder: Path | None, *, small: bool, seed: int, lang: str, echo: Callable[[str], None]) -> int:
    SEEN.append((folder, small, seed, lang))
    echo("first")
    echo("第二")
    return 0


@pytest.fixture(autouse=True)
def story(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("muniment.demo.story")
    module.run = _run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "muniment.demo.story", module)
    SEEN.clear()


def test_lines_for_a_person(tmp_path: Path) -> None:
    outcome = muniment("demo", "--small", "--seed", "7", "--folder", tmp_path, "--lang", "zh-TW")
    assert (outcome.code, outcome.out) == (0, "first\n第二\n")
    assert SEEN.pop() == (tmp_path, True, 7, "zh-TW")


def test_json() -> None:
    value = muniment("demo", "--json").json("demo")
    assert value == {"exit_code": 0, "small": False, "seed": 1, "lines": ["first", "第二"]}
    assert SEEN.pop() == (None, False, 1, "en")
