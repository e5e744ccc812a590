"""The simulator is frozen: a change of it after the detector was written must be seen, dated and reasoned."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "muniment" / "simulate"
FROZEN = ROOT / "tests" / "simulate" / "FROZEN"


def digest() -> str:
    """SHA-256 over the names and contents of all modules, in the order of their names."""
    found = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        data = path.read_bytes()
        found.update(f"{path.relative_to(PACKAGE).as_posix()}\0{len(data)}\0".encode() + data)
    return found.hexdigest()


def test_the_simulator_is_the_one_that_was_frozen() -> None:
    last = [line for line in FROZEN.read_text(encoding="utf-8").splitlines() if line.startswith("sha256 ")][-1]
    assert last.split()[1] == digest(), (
        "the simulator differs from the one that figures were measured with: add a line `sha256 DIGEST DATE REASON` "
        f"to {FROZEN.name} with sha256 {digest()}, and measure anew"
    )
