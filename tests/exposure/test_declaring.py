"""Relations as a person writes them."""

from __future__ import annotations

import pytest

from language.exposures import labelled
from muniment.errors import InputError
from muniment.exposure.declaring import declared


@pytest.mark.parametrize(
    ("text", "way", "columns"),
    [
        ("hid", "shared", ("hid",)),
        ("address, phone", "shared", ("address", "phone")),
        ("mother -> person", "referred", ("mother", "person")),
        ("heads:role", "heads", ("role",)),
        ("runs:town,village", "runs", ("town", "village")),
        ("x:y", "shared", ("x:y",)),
    ],
)
def test_the_four_forms(text: str, way: str, columns: tuple[str, ...]) -> None:
    found = declared(text)
    assert (found.way, found.columns) == (way, columns)


@pytest.mark.parametrize("text", ["", ",", "a,", "a->", "a->b->c", "heads:a,b", "runs:", "a,a", "a->a"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected COLUMN"):
        declared(text)


@pytest.mark.parametrize("text", ["hid", "heads:marital", "runs:town"])
def test_ties_of_an_extract(text: str) -> None:
    extract = labelled(200)
    ties = declared(text).ties(extract)
    assert ties.rows == 200
    assert ties.groups.sizes.max() > 1


def test_a_relation_of_no_column_names_the_columns() -> None:
    with pytest.raises(InputError, match="there is no column 'nowhere'"):
        declared("nowhere").ties(labelled(50))
