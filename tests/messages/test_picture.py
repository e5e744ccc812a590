"""The frame of a picture: a title and a description that it is named by, a hatch of its own, and nothing unescaped."""

from __future__ import annotations

from xml.etree import ElementTree

from muniment.messages.picture import WIDTH, picture, words


def framed(title: str = "title", height: float = 41.25) -> ElementTree.Element:
    made = picture("p1", title, "description", height, [words(1, 2.25, "said", kind="tick")])
    return ElementTree.fromstring(str(made))


def test_it_is_named_by_its_title_and_description() -> None:
    found = framed()
    ids = {one.get("id"): one.text for one in found.iter() if one.get("id")}
    named = (found.get("aria-labelledby") or "").split()
    assert [ids[one] for one in named] == ["title", "description"]
    assert "p1-hatch" in ids


def test_it_is_as_wide_as_all_and_as_high_as_asked() -> None:
    assert framed().get("viewBox") == f"0 0 {WIDTH} 41.2"


def test_foreign_words_stay_words() -> None:
    assert [one.text for one in framed("<b>&").iter() if one.tag.endswith("title")] == ["<b>&"]


def test_places_have_one_decimal() -> None:
    said = next(one for one in framed().iter() if one.tag.endswith("text"))
    assert (said.get("x"), said.get("y"), said.get("class"), said.text) == ("1.0", "2.2", "tick", "said")
