"""Two releases to one recipient, each safe alone: the second is refused for what it adds, and then mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from muniment.errors import InputError
from muniment.exposure.report.render import render
from muniment.workspace.exposing import Question
from muniment.workspace.office import open_workspace

if TYPE_CHECKING:
    from muniment.workspace.office import Workspace

FIRST: Final = ("sex", "postcode")
SECOND: Final = ("sex", "occupation")
MENDED: Final = ("sex",)


@dataclass(frozen=True, slots=True)
class Added:
    """What came of it: shares of persons in small classes by the second release alone and together, what was said."""

    itself: float
    together: float
    said: str
    report: Path
    given: bool


def run(office: Path, home: Path, passphrase: str, register: str, recipient: str, purpose: str, lang: str) -> Added:
    """Turn the policy on in `office`, hand out twice, and write the report of the release that was refused."""
    settings = office / "muniment.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(r'(?m)^on_release = "off"', 'on_release = "refuse"', text), encoding="utf-8")
    try:
        return _handed_out(open_workspace(office, passphrase), home, register, recipient, purpose, lang)
    finally:
        settings.write_text(text, encoding="utf-8")


def _handed_out(workspace: Workspace, home: Path, register: str, recipient: str, purpose: str, lang: str) -> Added:
    folder = home / "institute"
    folder.mkdir()
    workspace.release(register, to=recipient, purpose=purpose, out=folder / "first.csv", columns=FIRST)
    said = ""
    try:
        workspace.release(register, to=recipient, purpose=purpose, out=folder / "second.csv", columns=SECOND)
    except InputError as error:
        said = str(error)
    asked = Question(register, purpose, columns=SECOND, quasi=SECOND, to=(recipient,))
    found = workspace.exposure.examine(asked)
    report = home / "exposure.html"
    report.write_text(render(found, lang), encoding="utf-8")
    workspace.release(register, to=recipient, purpose=purpose, out=folder / "mended.csv", columns=MENDED)
    held = found.cumulative
    assert held is not None  # a recipient was named
    given = (folder / "mended.csv").exists() and not (folder / "second.csv").exists()
    return Added(held.itself.share_below, held.together.share_below, said, report, given)
