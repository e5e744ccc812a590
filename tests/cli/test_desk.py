"""What a command is given: who may be asked, and what goes where."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any

import pytest

from muniment.cli.desk import Desk
from muniment.cli.options import Options
from muniment.errors import InputError, PassphraseError, UnreachableError
from muniment.passphrase import ENVIRONMENT


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch, typed: str = "") -> Terminal:
    """Make standard input and standard error a terminal; returns what is shown on it.

    No fixture: the capture of the runner puts its own stream in place between a fixture and the test.
    """
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.delenv(ENVIRONMENT, raising=False)


def _typing(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    asked: list[str] = []
    left = iter(answers)

    def getpass(prompt: str, stream: Any = None) -> str:
        asked.append(prompt)
        return next(left)

    monkeypatch.setattr("getpass.getpass", getpass)
    return asked


@pytest.mark.usefixtures("nobody")
def test_nobody_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _typing(monkeypatch)
    with pytest.raises(PassphraseError):
        Desk(Options()).passphrase()
    with pytest.raises(InputError, match="must be confirmed"):
        Desk(Options()).confirm("overwrite", file="a")
    with pytest.raises(InputError, match="custodians"):
        Desk(Options()).new_custodians()
    assert asked == []


@pytest.mark.usefixtures("nobody")
def test_yes_answers() -> None:
    Desk(Options(yes=True)).confirm("overwrite", file="a")


@pytest.mark.parametrize(
    ("answer", "good"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_a_question_on_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: str, good: bool) -> None:
    terminal(monkeypatch, answer)
    if good:
        Desk(Options()).confirm("overwrite", file="a")
    else:
        with pytest.raises(InputError, match="not confirmed"):
            Desk(Options()).confirm("overwrite", file="a")


def test_passphrases_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    asked = _typing(monkeypatch, "one two", "new words", "new words", "new words", "other words")
    desk = Desk(Options())
    assert desk.passphrase() == "one two"
    assert desk.new_passphrase(ENVIRONMENT) == "new words"
    with pytest.raises(InputError, match="not the same"):
        desk.new_passphrase("MUNIMENT_NEW_PASSPHRASE")
    assert len(asked) == 5


def test_result_in_three_ways(capsys: pytest.CaptureFixture[str]) -> None:
    for options in (Options(), Options(quiet=True), Options(json=True, quiet=True)):
        Desk(options).result({"a": "臺"}, ["long", "text"], brief="short")
    assert capsys.readouterr().out.splitlines() == ["long", "text", "short", '{"a": "臺"}']


def test_json_is_ascii_where_the_output_is_not_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="big5")
    monkeypatch.setattr(sys, "stdout", out)
    Desk(Options(json=True)).result({"a": "é"}, ())
    out.seek(0)
    assert out.read() == '{"a": "\\u00e9"}\n'


def test_a_full_disk_is_told_and_a_closed_pipe_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def __init__(self, error: OSError) -> None:
            super().__init__()
            self.error = error

        def flush(self) -> None:
            raise self.error

    monkeypatch.setattr(sys, "stdout", Broken(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(UnreachableError, match="no space left"):
        Desk(Options()).line("a")
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError()))
    with pytest.raises(BrokenPipeError):
        Desk(Options()).line("a")


def test_remarks_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    for options in (Options(), Options(quiet=True), Options(json=True)):
        Desk(options).remark("report_written", file="a\x1b.html")
    assert capsys.readouterr() == ("", "Report: a\ufffd.html\n")


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Desk(Options()).working("reading", what="people") as update:
        update("step")
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal(monkeypatch)
    with Desk(Options()).working("reading", what="[red]people") as update:
        update("[bold]step")
    assert "[red]people" in shown.getvalue()
