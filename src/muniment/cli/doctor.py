"""`muniment doctor`: whether a workspace is in a state that its keeper can rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.errors import IntegrityError

if TYPE_CHECKING:
    from muniment.workspace.doctoring import Check

FINDING: Final = 1
"""Exit code where something is to be put right, and everything verifies."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "doctor")(doctor)


def doctor(desk: Desk) -> int:
    """See whether the workspace is in order.

    Keys, clock, disk, permissions, checkpoints, and what waits to be done; nothing is changed. What the ledger holds is
    not read: that is `muniment ledger verify`. Where there is a gate, it is tried whether the registers can be reached
    past it, and what it cannot see through is listed.

    Exit code 1 where something is to be put right, 3 where something does not verify.
    """
    from muniment.cli.aligned import aligned

    office = desk.open()
    with desk.working("examining"):
        found = office.examine()
    states = {check.state for check in found}
    code = IntegrityError.exit_code if "broken" in states else int(states != {"ok"}) * FINDING
    head = [desk.text(f"head_{name}") for name in ("state", "check", "finding")]
    lines = aligned(head, [_row(desk, check) for check in found])
    brief = aligned(head, [_row(desk, check) for check in found if check.state != "ok"]) if code else []
    desk.result({"ok": not code, "checks": [check.to_json() for check in found]}, lines, brief=brief)
    return code


def _row(desk: Desk, check: Check) -> tuple[str, str, str]:
    return row_of(desk, check, gate=check.name.startswith("gate-"))


def row_of(desk: Desk, check: Check, *, gate: bool = False) -> tuple[str, str, str]:
    """State, name and finding of one check. Those of a gate have texts of their own; a fault is told by its reason."""
    name, key = f"check.{check.name}", f"doctor.{check.name}.{check.state}"
    if gate:
        name, key = f"gate_check.{check.name}.name", f"gate_check.{check.name}.{check.state}"
    if check.state == "broken" or (gate and check.state == "fault"):
        key = "doctor.broken"
    return desk.text(f"state.{check.state}"), desk.text(name), desk.text(key, **check.values)
