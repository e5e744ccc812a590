"""The release that is refused for what it adds, as the demo shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.program import write_csv
from muniment.demo import adding, people
from muniment.messages import LANGUAGES
from muniment.workspace.office import init

PASSPHRASE = "demo only: no secret"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_second_release_is_refused_and_the_mended_one_is_not(tmp_path: Path, lang: str) -> None:
    table = people.register(6_000, 1)
    source = write_csv(tmp_path / "register.csv", table.columns, list(table.iter_rows()))
    workspace = init(tmp_path / "office", PASSPHRASE, name="Demo", lang=lang)
    workspace.register("people", source, key=people.KEY, accept="equivalent")
    before = (tmp_path / "office" / "muniment.toml").read_bytes()
    done = adding.run(tmp_path / "office", tmp_path, PASSPHRASE, "people", "Institute", "study", lang)
    assert done.given
    assert "would be in a class of fewer than 5" in done.said
    assert done.itself <= 0.05 < done.together
    assert "<html" in done.report.read_text(encoding="utf-8")
    assert (tmp_path / "office" / "muniment.toml").read_bytes() == before
