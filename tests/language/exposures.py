"""A whole run over a made-up register: small, and hostile enough for the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from language import households
from muniment.exposure.examining import examine
from muniment.exposure.extract import Extract
from muniment.exposure.relations import shared
from muniment.exposure.result import Exposure, Subject

QUASI: Final = ("sex", "birth_year", "town")


def examined(
    persons: int = 2_000, *, quasi: Sequence[str] = QUASI, source: str = "invented.csv", deep: bool = True
) -> Exposure:
    """The run over a register with households declared and a diagnosis that is sensitive."""
    extract = labelled(persons)
    return examine(
        extract,
        Subject(source, tuple(quasi), sensitive=("diag",), relations=("hid",), recipient="Office 1"),
        ties=[shared(extract, ["hid"])],
        deep=deep,
        software="muniment test",
    )


def labelled(persons: int, names: Sequence[str] = (*QUASI, "marital", "edu", "hid", "diag")) -> Extract:
    """Some columns of the register, with labels."""
    return households.extract(households.register(persons), names)
