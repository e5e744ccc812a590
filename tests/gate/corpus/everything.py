"""All shapes of the corpus, and how many persons each of them reveals to somebody who asks PostgreSQL itself.

`reveals.toml` holds what an observer counted on PostgreSQL 15 without a gate. It keeps the corpus sharp: a hostile shape
that reveals nobody any more (a typing error, a table that changed) would prove nothing.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from gate.corpus import changing, joining, reading, speaking
from language.shapes import Shape

SHAPES: tuple[Shape, ...] = (*reading.SHAPES, *joining.SHAPES, *speaking.SHAPES, *changing.SHAPES)
REVEALS_FILE = Path(__file__).with_name("reveals.toml")
REVEALS: dict[str, int] = tomllib.loads(REVEALS_FILE.read_text(encoding="utf-8"))["reveals"]
