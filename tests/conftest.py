"""Fixtures that every test may take, and the header that makes a report reproducible.

On a laptop a missing server or data set skips its tests, with the reason. Where CI=true it fails them: there, nothing
may be left out unseen.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from language.postgres import ServerError, running

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
PACKAGES = ("muniment", "numpy", "duckdb", "cryptography", "psycopg", "openpyxl", "hypothesis")
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "laptop")

# `ci` draws the same examples on every run: a red run is then always about the change. `laptop` looks for new ones.
# No deadline in either: two cores shared with other work make single timings worthless.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
hypothesis.settings.register_profile("laptop", deadline=None, print_blob=True)
hypothesis.settings.load_profile(PROFILE)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What a reader needs to run the same tests again."""
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    profile = config.getoption("hypothesis_profile", None) or PROFILE
    seed = config.getoption("hypothesis_seed", None) or ("derandomised" if profile == "ci" else "random")
    return [
        f"with: Python {platform.python_version()}, {packages}",
        f"hypothesis: profile {profile}, seed {seed}",
        f"shared data: {_shared_folder() or 'none'}; CI={'true' if IN_CI else 'false'}",
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _shared_folder() -> Path | None:
    """The folder of reference data sets: `$MUNIMENT_SHARED_DATA`, else `shared/data` beside the checkout."""
    named = os.environ.get("MUNIMENT_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def _unavailable(reason: str) -> NoReturn:
    if IN_CI:
        pytest.fail(f"{reason} (a failure, because CI=true)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference data sets. Mark the test `shared_data`; never copy from it into the project."""
    folder = _shared_folder()
    if folder is None:
        _unavailable("no reference data: set MUNIMENT_SHARED_DATA, or put them into ../shared/data")
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """`postgresql://` address of a throw-away server, one for the whole run. Mark the test `live`.

    The tests share the server: make a schema of your own, and drop it.
    """
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except ServerError as error:
            _unavailable(str(error))
        yield server.url
