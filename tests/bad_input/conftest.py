"""A workspace of one's own for every test of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.places import Place, copy_place, furnish, make_place


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_place(tmp_path_factory.mktemp("made"))


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    return copy_place(made, tmp_path)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """With decoys and structural marks. Shared by all tests that take it: use `spoilt` to change it."""
    place = make_place(tmp_path_factory.mktemp("furnished"))
    furnish(place)
    return place


@pytest.fixture
def spoilt(furnished: Place, tmp_path: Path) -> Place:
    """A copy of `furnished` to spoil."""
    return copy_place(furnished, tmp_path)
