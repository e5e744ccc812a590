"""Columns of text."""

from __future__ import annotations

from muniment.cli.aligned import aligned


def test_numbers_right_texts_left_wide_characters_two() -> None:
    assert aligned(["name", "n"], [("臺北", 1_000), ("A", 2)]) == ["name      n", "臺北  1,000", "A         2"]


def test_only_a_head() -> None:
    assert aligned(["a", "bc"], []) == ["a  bc"]


def test_a_name_cannot_move_the_cursor() -> None:
    assert aligned(["a"], [("x\x1b[2J\n\u202ey",)])[1] == "x\ufffd[2J\ufffd\ufffdy"
