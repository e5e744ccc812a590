"""The frame of a picture as inline SVG, and words in it: what the pictures of all reports share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from muniment.messages.markup import Html, element

WIDTH: Final = 720
"""Units of every picture's width; the page scales it."""


def picture(name: str, title: str, description: str, height: float, parts: Sequence[Html]) -> Html:
    """An `<svg>` with its title, its description and a hatch pattern `NAME-hatch`; `name` is unique on its page."""
    hatch = element(
        "pattern",
        element("rect", width=6, height=6, class_="hatch-ground"),
        element("path", d="M0 6 6 0M-1 1 1-1M5 7 7 5", class_="hatch-line"),
        id=f"{name}-hatch",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    )
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        element("defs", hatch),
        *parts,
        viewBox=f"0 0 {WIDTH} {height:.1f}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def words(x: float, y: float, *said: object, anchor: str = "start", kind: str | None = None) -> Html:
    """Words at a place, escaped; coordinates with one decimal, so that the same values give the same bytes."""
    return element("text", *said, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=kind)
