"""Bars: on their scale, told apart by pattern, and safe against the words they are given."""

from __future__ import annotations

import re

import pytest

from muniment.exposure.report.svg import LABEL_WIDTH, LABELS, NOTES, WIDTH, Bar, Caption, bars

CAPTION = Caption("Title", "Description", "one kind", "the other")


@pytest.mark.parametrize(
    ("share", "width"),
    [(0.0, 0.0), (0.5, (WIDTH - LABELS - NOTES) / 2), (1.0, WIDTH - LABELS - NOTES), (1e-6, 0.8), (7.0, 350), (-1, 0)],
)
def test_a_bar_is_as_long_as_its_share(share: float, width: float) -> None:
    drawn = bars("n", Caption("t", "d", "s"), [Bar("row", share, "")])
    assert re.findall(r'y="30\.0" width="([^"]+)"', drawn) == [f"{width:.1f}"]


def test_two_kinds_of_bars_differ_in_pattern_and_have_a_legend() -> None:
    drawn = bars("n", CAPTION, [Bar("row", 0.5, "", 0.2)])
    assert drawn.count('fill="url(#n-hatch)"') == 2  # the bar and its place in the legend
    assert '<pattern id="n-hatch"' in drawn
    assert ">the other</text>" in drawn
    assert "the other" not in bars("n", Caption("Title", "Description", "one kind"), [Bar("row", 0.5, "")])


def test_a_picture_says_what_it_shows_and_has_room_for_all_rows() -> None:
    drawn = bars("n", CAPTION, [Bar(f"row {number}", 0.1, "note") for number in range(7)])
    assert 'aria-labelledby="n-title n-desc"' in drawn
    assert '<title id="n-title">Title</title><desc id="n-desc">Description</desc>' in drawn
    height = float(re.findall(r'viewBox="0 0 720 ([^"]+)"', drawn)[0])
    assert max(float(y) for y in re.findall(r' y="([^"]+)"', drawn)) < height


def test_words_are_cut_and_cannot_break_out() -> None:
    drawn = bars("n", CAPTION, [Bar("<b>" + "戶" * LABEL_WIDTH, 0.1, '"><script>')])
    assert "&lt;b&gt;戶" in drawn
    assert "…</text>" in drawn
    assert "戶" * (LABEL_WIDTH // 2) not in drawn
    assert "<script" not in drawn
