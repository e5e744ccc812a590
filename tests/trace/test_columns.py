"""What a register column is: a frozen value that can stand in a set."""

from __future__ import annotations

import dataclasses

import pytest

from muniment.disclosure import Kind
from muniment.trace.columns import ColumnSpec


def test_a_spec_is_frozen() -> None:
    spec = ColumnSpec("town", Kind.PLACE, str, None)
    assert spec in {spec}
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]
