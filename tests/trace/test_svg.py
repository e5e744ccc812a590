"""Pictures: well-formed, described, told apart without colour, the same every time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from muniment.trace import svg

CAPTION = svg.Caption("What it shows", "The same in words.")


def _scale(bars: svg.Bars | None = None, *values: float) -> str:
    points = [svg.Point(f"name {value}", value) for value in values]
    return svg.evidence_scale("s", CAPTION, points, (9.3, "threshold 9.30"), bars, "log10 E")


def _fall() -> str:
    steps = [svg.Step("street", 10.0), svg.Step("date", -2.0), svg.Step("averaging", -1.0, hatched=True)]
    return svg.waterfall("w", CAPTION, steps, svg.Step("sum", 7.0), (9.3, "threshold"), "log10 E")


def _strips() -> str:
    rows = [svg.Strip("one", 3, 4, "3 / 4"), svg.Strip("none", 0, 0, "0 / 0")]
    return svg.strips("r", CAPTION, rows, "read", "erased")


BARS = svg.Bars(((-3.0, -1.0, 40), (-1.0, 2.0, 7)), "candidates")
PICTURES = {"scale": lambda: _scale(BARS, 12.0), "alone": _scale, "fall": _fall, "strips": _strips}


@pytest.mark.parametrize("name", list(PICTURES))
def test_well_formed_with_title_and_description(name: str) -> None:
    made = PICTURES[name]()
    root = ET.fromstring(made)
    assert root.find("title").text == CAPTION.title
    assert root.find("desc").text == CAPTION.description
    assert root.get("role") == "img"
    assert {element.get("id") for element in root.iter()} >= set(root.get("aria-labelledby").split())
    assert made == PICTURES[name]()


@pytest.mark.parametrize("name", list(PICTURES))
def test_everything_drawn_lies_inside(name: str) -> None:
    root = ET.fromstring(PICTURES[name]())
    _, _, width, height = (float(n) for n in root.get("viewBox").split())
    for shape in root.iter("rect"):
        if shape.get("x") is not None:
            assert 0 <= float(shape.get("x")) <= float(shape.get("x")) + float(shape.get("width")) <= width
            assert 0 <= float(shape.get("y")) + float(shape.get("height")) <= height


def test_no_style_and_no_script() -> None:
    for make in PICTURES.values():
        assert not re.search(r"style=|<script|href", make())


def test_a_cost_is_hatched_and_a_sum_is_not() -> None:
    kinds = {shape.get("class"): shape.get("fill") for shape in ET.fromstring(_fall()).iter("rect")}
    assert kinds["cost"] == "url(#w-hatch)"
    assert kinds["sum"] is None


def test_bars_end_where_the_sum_stands() -> None:
    bars = [s for s in ET.fromstring(_fall()).iter("rect") if s.get("class") in ("share", "cost", "sum")]
    last, total = bars[-2], bars[-1]
    assert float(total.get("x")) + float(total.get("width")) == pytest.approx(float(last.get("x")), abs=0.2)


def test_labels_are_escaped() -> None:
    made = svg.strips("r", CAPTION, [svg.Strip("<script>", 1, 1, "&")], "read", "erased")
    assert "<script>" not in made
    ET.fromstring(made)
