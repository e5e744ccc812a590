"""What is missing skips a test on a laptop and fails it where CI=true; the header says with what a run was made."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def conftest() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conftest_under_test", Path(__file__).parent.parent / "conftest.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_missing_data_set_skips_on_a_laptop(conftest: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "IN_CI", False)
    with pytest.raises(pytest.skip.Exception, match="no data"):
        conftest._unavailable("no data")


def test_a_missing_data_set_fails_in_ci(conftest: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "IN_CI", True)
    with pytest.raises(pytest.fail.Exception, match="CI=true"):
        conftest._unavailable("no data")


def test_the_data_folder_is_named_by_the_environment(
    conftest: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MUNIMENT_SHARED_DATA", str(tmp_path))
    assert conftest._shared_folder() == tmp_path
    monkeypatch.setenv("MUNIMENT_SHARED_DATA", str(tmp_path / "absent"))
    assert conftest._shared_folder() is None


def test_the_header_names_versions_and_seed(conftest: ModuleType, pytestconfig: pytest.Config) -> None:
    header = "\n".join(conftest.pytest_report_header(pytestconfig))
    assert "Python 3." in header
    assert "hypothesis: profile " in header
    assert "seed " in header
