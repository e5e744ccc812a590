"""The mirror between sources and tests, seen from both sides, with a planted fault for each rule."""

from __future__ import annotations

import pytest

import mirror

MARKS = {"marks/__init__.py", "marks/codebook.py", "marks/carriers/protocol.py"}
SOURCES = {"__init__.py", "limits.py", "table.py", *MARKS} | mirror.NO_TEST


def test_a_source_without_a_test_is_named() -> None:
    assert list(mirror.missing_tests(SOURCES, {"test_table.py"})) == [
        "src/muniment/marks/codebook.py: has no test file tests/marks/test_codebook.py"
    ]


def test_a_full_mirror_passes() -> None:
    tests = {"test_table.py", "marks/test_codebook.py", "conftest.py"}
    assert not [*mirror.missing_tests(SOURCES, tests), *mirror.stray_tests(SOURCES, tests)]


def test_the_right_name_in_the_wrong_folder_is_not_enough() -> None:
    tests = {"test_table.py", "test_codebook.py"}
    assert len(list(mirror.missing_tests(SOURCES, tests))) == 1
    assert list(mirror.stray_tests(SOURCES, tests)) == [
        "tests/test_codebook.py: mirrors no source (expected src/muniment/codebook.py)"
    ]


def test_a_package_may_be_tested_as_a_whole() -> None:
    assert not list(mirror.stray_tests(SOURCES, {"test_marks.py"}))


@pytest.mark.parametrize("folder", sorted(mirror.FREE_FOLDERS))
def test_free_folders(folder: str) -> None:
    assert not list(mirror.stray_tests(SOURCES, {f"{folder}/test_anything.py", f"{folder}/deep/test_more.py"}))


def test_an_exemption_for_nothing_is_named() -> None:
    assert not list(mirror.stale_exemptions(SOURCES))
    assert list(mirror.stale_exemptions(SOURCES - {"limits.py"})) == [
        "tools/mirror.py: NO_TEST lists limits.py, which does not exist; take it out"
    ]
