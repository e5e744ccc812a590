"""Bars of shares as inline SVG.

Rules
1. A picture has a `<title>` and a `<desc>`, and stands beside a table that says the same.
2. No meaning by colour alone: what is told apart differs in pattern, and has a label.
3. Coordinates have one decimal: the same values give the same bytes. Words come from the caller and are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from muniment.messages.markup import Html, element, shorten
from muniment.messages.picture import WIDTH, picture, words

LABELS: Final = 240
"""Units at the left for the labels of rows."""
LABEL_WIDTH: Final = 34
"""Display width (half-width characters) of a label in that room."""
NOTES: Final = 130
"""Units at the right for what stands behind the bars."""
ROW: Final = 26
TOP: Final = 28


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a share from 0 to 1, `beside` it another that it is compared with, and what is said behind them."""

    label: str
    share: float
    note: str
    beside: float | None = None


@dataclass(frozen=True, slots=True)
class Caption:
    """What a picture says to those who do not see it; `solid` and `hatched` name the two kinds of bars."""

    title: str
    description: str
    solid: str
    hatched: str = ""


def bars(name: str, caption: Caption, rows: Sequence[Bar]) -> Html:
    """Draw one row for each bar on a scale of 0 to 100 %; `name` is unique on its page."""
    hatch = f"url(#{name}-hatch)"
    bottom = TOP + ROW * len(rows)
    parts = [*_legend(caption, hatch), *_axis(bottom)]
    for place, row in enumerate(rows):
        parts += _row(row, TOP + ROW * place, hatch)
    return element("figure", picture(name, caption.title, caption.description, bottom + 22, parts))


def _x(share: float) -> float:
    return LABELS + min(max(share, 0.0), 1.0) * (WIDTH - LABELS - NOTES)


def _row(row: Bar, top: float, hatch: str) -> list[Html]:
    height = 16.0 if row.beside is None else 8.0
    parts = [words(0, top + 14, shorten(row.label, LABEL_WIDTH)), _bar(row.share, top + 2, height, "share", None)]
    if row.beside is not None:
        parts.append(_bar(row.beside, top + 10, height, "cost", hatch))
    return [*parts, words(WIDTH - NOTES + 8, top + 14, row.note, kind="value")]


def _bar(share: float, top: float, height: float, kind: str, fill: str | None) -> Html:
    width = max(_x(share) - LABELS, 0.8 if share > 0 else 0.0)
    return element(
        "rect", x=LABELS, y=f"{top:.1f}", width=f"{width:.1f}", height=f"{height:.1f}", class_=kind, fill=fill
    )


def _axis(bottom: float) -> list[Html]:
    parts = []
    for tenth in range(0, 11, 2):
        x = f"{_x(tenth / 10):.1f}"
        parts.append(element("line", x1=x, y1=TOP - 2, x2=x, y2=f"{bottom:.1f}", class_="grid"))
        parts.append(words(_x(tenth / 10), bottom + 14, f"{10 * tenth} %", anchor="middle", kind="tick"))
    return parts


def _legend(caption: Caption, hatch: str) -> list[Html]:
    parts = [
        element("rect", x=LABELS, y=4, width=14, height=14, class_="share"),
        words(LABELS + 20, 15, caption.solid, kind="tick"),
    ]
    if caption.hatched:
        parts.append(element("rect", x=LABELS + 210, y=4, width=14, height=14, class_="cost", fill=hatch))
        parts.append(words(LABELS + 230, 15, caption.hatched, kind="tick"))
    return parts
