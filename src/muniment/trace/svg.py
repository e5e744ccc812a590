"""Pictures as inline SVG: a log scale with a histogram, a waterfall, strips of shares.

Rules
1. Every picture has a `<title>` and a `<desc>`, and the caller puts its table twin beside it: nothing is in the picture
   alone.
2. No meaning by colour alone: what is told apart differs in pattern, shape or place, and carries a label.
3. Coordinates are written with one decimal: the same values give the same bytes.
4. Words come from the caller, in his language; all of them are escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from muniment.messages import count, decimal
from muniment.messages.markup import Html, element, join, shorten
from muniment.messages.picture import WIDTH, picture, words

LABELS: Final = 190
"""Units kept at the left for the labels of rows."""
LABEL_WIDTH: Final = 27
"""Display width (half-width characters) of a label in that room."""
ROW: Final = 26
AXIS: Final = 34
_MARGIN: Final = 24


@dataclass(frozen=True, slots=True)
class Point:
    """A named candidate on the scale."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A nameless histogram of (low, high, count) from left to right; `label` names the counts."""

    intervals: tuple[tuple[float, float, int], ...]
    label: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a waterfall; `hatched` marks the term that is no family."""

    label: str
    value: float
    hatched: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    """One strip: a whole of `total`, of which `part` is filled; `note` stands behind it."""

    label: str
    part: int
    total: int
    note: str


@dataclass(frozen=True, slots=True)
class Caption:
    """What a picture says to those who do not see it."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """A linear map from values to units, with ticks at whole steps."""

    low: float
    high: float
    left: float
    right: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    def ticks(self) -> Iterator[float]:
        step = _tick_step((self.high - self.low) / 8)
        for place in range(math.ceil(self.low / step), math.floor(self.high / step) + 1):
            yield place * step


def _tick_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _scale(values: Sequence[float], left: float, right: float) -> _Scale:
    low, high = min(values), max(values)
    room = (high - low or 1.0) * 0.06
    return _Scale(low - room, high + room, left, right)


def _x(value: float) -> str:
    return f"{value:.1f}"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    return element("line", x1=_x(x1), y1=_x(y1), x2=_x(x2), y2=_x(y2), class_=kind)


def _rect(x: float, y: float, width: float, height: float, kind: str, fill: str | None = None) -> Html:
    return element("rect", x=_x(x), y=_x(y), width=_x(max(width, 0.8)), height=_x(height), class_=kind, fill=fill)



def _axis(scale: _Scale, top: float, bottom: float, label: str) -> list[Html]:
    """Ticks with fine lines from `top` to `bottom`, and the name of the axis below."""
    out = []
    for tick in scale.ticks():
        out.append(_line(scale(tick), top, scale(tick), bottom, "grid"))
        places = 0 if float(tick).is_integer() else 1
        out.append(words(scale(tick), bottom + 14, decimal(tick, places), anchor="middle", kind="tick"))
    out.append(words((scale.left + scale.right) / 2, bottom + 29, label, anchor="middle", kind="tick"))
    return out


def _threshold(scale: _Scale, value: float, top: float, bottom: float, label: str) -> list[Html]:
    """A dashed line with its label above, kept inside the picture."""
    x = scale(value)
    anchor = "end" if x > WIDTH * 0.6 else "start"
    return [
        _line(x, top, x, bottom, "threshold"),
        words(x + (-6 if anchor == "end" else 6), top + 10, label, anchor=anchor, kind="threshold-label"),
    ]


def evidence_scale(
    name: str, caption: Caption, points: Sequence[Point], threshold: tuple[float, str], bars: Bars | None, axis: str
) -> Html:
    """Draw log10 E: one row for each named candidate, the threshold, and below them the histogram of the rest.

    `threshold` is its value and its label.
    """
    edges = [edge for low, high, _ in bars.intervals for edge in (low, high)] if bars else []
    scale = _scale([0.0, threshold[0], *(p.value for p in points), *edges], LABELS, WIDTH - _MARGIN - 34)
    rows = 22 + ROW * len(points)
    base = rows + (110 if bars else 8)
    parts = _axis(scale, 18, base, axis)
    parts += _threshold(scale, threshold[0], 4, base, threshold[1])
    for place, point in enumerate(points):
        parts += _point(scale, point, 22 + ROW * (place + 0.5))
    if bars:
        parts += _histogram(scale, bars, base)
    return picture(name, caption.title, caption.description, base + AXIS, parts)


def _point(scale: _Scale, point: Point, y: float) -> list[Html]:
    x = scale(point.value)
    diamond = f"M{_x(x)} {_x(y - 7)}L{_x(x + 7)} {_x(y)}L{_x(x)} {_x(y + 7)}L{_x(x - 7)} {_x(y)}Z"
    return [
        words(0, y + 4, shorten(point.label, LABEL_WIDTH)),
        _line(scale(0.0), y, x, y, "stem"),
        element("path", d=diamond, class_="named"),
        words(x + 11, y + 4, decimal(point.value), kind="value"),
    ]


def _histogram(scale: _Scale, bars: Bars, base: float) -> list[Html]:
    """Bars whose height is the logarithm of their count, each with its count above."""
    tallest = math.log1p(max(number for _, _, number in bars.intervals))
    out = [words(0, base - 36, shorten(bars.label, LABEL_WIDTH))]
    previous = -math.inf
    for low, high, number in bars.intervals:
        height = 72 * math.log1p(number) / tallest
        left, right = scale(low), scale(high)
        out.append(_rect(left + 0.5, base - height, right - left - 1, height, "rest"))
        middle = (left + right) / 2
        half = 3.6 * len(count(number))
        if middle - half > previous:
            out.append(words(middle, base - height - 4, count(number), anchor="middle", kind="tick"))
            previous = middle + half
    return out


def waterfall(
    name: str, caption: Caption, steps: Sequence[Step], total: Step, threshold: tuple[float, str], axis: str
) -> Html:
    """Draw how the shares add up to log10 E: one row for each step, the sum last, the threshold dashed."""
    sums = [0.0]
    for step in steps:
        sums.append(sums[-1] + step.value)
    scale = _scale([*sums, total.value, threshold[0]], LABELS, WIDTH - _MARGIN - 40)
    base = 22.0 + ROW * (len(steps) + 1)
    parts = _axis(scale, 18, base, axis)
    for place, step in enumerate(steps):
        y = 22.0 + ROW * place
        parts += _bar(scale, sums[place], sums[place + 1], y, step, f"url(#{name}-hatch)")
        parts.append(_line(scale(sums[place + 1]), y + 20, scale(sums[place + 1]), y + ROW + 6, "link"))
    parts += _bar(scale, 0.0, total.value, base - ROW, total, None)
    parts += _threshold(scale, threshold[0], 4, base, threshold[1])
    return picture(name, caption.title, caption.description, base + AXIS, parts)


def _bar(scale: _Scale, start: float, end: float, y: float, step: Step, hatch: str | None) -> list[Html]:
    left, right = sorted((scale(start), scale(end)))
    fill = hatch if step.hatched else None
    kind = "cost" if step.hatched else "share" if hatch else "sum"
    return [
        words(0, y + 17, shorten(step.label, LABEL_WIDTH), kind=None if hatch else "value"),
        _rect(left, y + 5, right - left, 16, kind, fill),
        words(right + 5, y + 17, decimal(step.value), kind="value"),
    ]


def strips(name: str, caption: Caption, rows: Sequence[Strip], filled: str, rest: str) -> Html:
    """Draw one strip for each row, filled in part; `filled` and `rest` name the two patterns in a legend."""
    right = WIDTH - 130
    hatch = f"url(#{name}-hatch)"
    parts = _legend(hatch, filled, rest)
    for place, row in enumerate(rows):
        y = 28.0 + ROW * place
        width = right - LABELS
        share = row.part / row.total if row.total else 0.0
        parts.append(words(0, y + 14, shorten(row.label, LABEL_WIDTH)))
        if row.total > row.part:
            parts.append(_rect(LABELS + share * width, y + 2, (1 - share) * width, 16, "cost", hatch))
        if row.part:
            parts.append(_rect(LABELS, y + 2, share * width, 16, "share"))
        parts.append(words(right + 8, y + 14, row.note, kind="value"))
    return picture(name, caption.title, caption.description, 28.0 + ROW * len(rows), parts)


def _legend(hatch: str, filled: str, rest: str) -> list[Html]:
    return [
        _rect(LABELS, 4, 14, 14, "share"),
        words(LABELS + 20, 15, filled, kind="tick"),
        _rect(LABELS + 130, 4, 14, 14, "cost", hatch),
        words(LABELS + 150, 15, rest, kind="tick"),
    ]


def figure(picture: Html, twin: Html) -> Html:
    """A picture with its table twin below it."""
    return element("div", element("figure", picture), twin, class_="figure") if twin else join([picture])
