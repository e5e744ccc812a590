"""Offices for the tests of the workspace: made once, copied for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.offices import Office, template


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def office(made: Path, tmp_path: Path) -> Office:
    """An office whose register has marks that keep the meaning, and no copy on record."""
    return Office.copied(made, tmp_path / "here")
