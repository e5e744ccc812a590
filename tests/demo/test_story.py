"""The demo as a newcomer runs it: four right verdicts, a day at the gate and a report, in both languages."""

from pathlib import Path

import pytest

from muniment.demo.story import run
from muniment.errors import InputError
from muniment.messages import LANGUAGES


@pytest.mark.live
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_small_demo_names_the_right_ones_and_writes_its_report(tmp_path: Path, lang: str) -> None:
    said: list[str] = []
    assert run(tmp_path / "demo", small=True, seed=1, lang=lang, echo=said.append) == 0
    assert "<html" in (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert "muniment recompute" in said[-1]


def test_a_folder_that_is_in_use_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not empty"):
        run(tmp_path, small=True, seed=1, lang="en", echo=lambda line: None)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
