"""The reference page is made from the commands themselves: every command and option is on it, and drift is seen."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest
import typer
import typer.main

import docs_cli


class Language(StrEnum):
    EN = "en"
    ZH = "zh-TW"


def example() -> typer.Typer:
    app = typer.Typer(help="An example.")
    register = typer.Typer(help="Registers.")
    app.add_typer(register, name="register")

    @register.command("add")
    def add(
        name: str = typer.Argument(help="The register's name."),
        source: list[str] = typer.Argument(None, help="Where it is."),
        key: str = typer.Option(..., "--key", help="Columns a|b."),
        coalition: int = typer.Option(10, help="How many may collude."),
        lang: Language = typer.Option(Language.EN, envvar="EXAMPLE_LANG", help="Language."),
        quiet: bool = typer.Option(False, "--quiet", "-q", help="Say little."),
    ) -> None:
        """Add a register.

        A second paragraph.
        """

    @app.command(hidden=True)
    def secret() -> None:
        """Not shown."""

    return app


@pytest.fixture
def page() -> str:
    return docs_cli.page(typer.main.get_command(example()), "example")


def test_every_visible_command_has_a_section(page: str) -> None:
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == ["## example", "## example register", "## example register add"]


def test_usage_names_required_options_and_arguments(page: str) -> None:
    assert "    example register add --key KEY [options] NAME [SOURCE...]" in page


@pytest.mark.parametrize(
    "line",
    [
        "| `NAME` | The register's name. (required) |",
        "| `--key KEY` | Columns a\\|b. (required) |",
        "| `--coalition COALITION` | How many may collude. (default: `10`) |",
        "| `--lang LANG` | Language. (default: `en`; or `EXAMPLE_LANG` in the environment) |",
        "| `--quiet, -q` | Say little. |",
        "| `add` | Add a register. |",
    ],
)
def test_tables(page: str, line: str) -> None:
    assert line in page.splitlines()


def test_help_text_keeps_its_paragraphs(page: str) -> None:
    assert "Add a register.\n\nA second paragraph." in page


def test_check_fails_on_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(docs_cli, "__file__", str(tmp_path / "tools" / "docs_cli.py"))
    monkeypatch.setattr(docs_cli, "load_command", lambda app: typer.main.get_command(example()))
    assert docs_cli.main(["--check"]) == 1
    assert docs_cli.main([]) == 0
    assert docs_cli.main(["--check"]) == 0
    page = tmp_path / "docs" / "cli.md"
    page.write_text(page.read_text().replace("How many", "So many"))
    capsys.readouterr()
    assert docs_cli.main(["--check"]) == 1
    assert "So many" in capsys.readouterr().out
