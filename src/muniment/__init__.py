"""muniment: a guard for registers of persons.

    import muniment as mu

    ws = mu.init("office", passphrase)
    ws.register("persons", "persons.csv", key="id", accept="equivalent")
    ws.release("persons", to="Tax office", purpose="yearly check", out="tax-office.csv")
    verdict = ws.trace("found.csv")
    print(verdict.verdict, [named.recipient for named in verdict.named])
    print(ws.who("A123456789", purpose="access request 17").disclosures)

The map: `workspace` opens the parts and carries out what is asked; `ingest` reads registers and leaks; `marks` writes
and reads symbols; `trace` aligns, scores and decides; `ledger` keeps who received which records; `notice` says what a
person is told; `evidence` is the one statistic. Everything heavy is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muniment.errors import InputError, IntegrityError, LimitError, MunimentError, PassphraseError, UnreachableError

if TYPE_CHECKING:
    from muniment.trace.recompute import recompute
    from muniment.trace.verdict import Verdict
    from muniment.workspace.office import Workspace, init
    from muniment.workspace.office import open_workspace as open

_LAZY = {
    "Verdict": ("muniment.trace.verdict", "Verdict"),
    "Workspace": ("muniment.workspace.office", "Workspace"),
    "init": ("muniment.workspace.office", "init"),
    "open": ("muniment.workspace.office", "open_workspace"),
    "recompute": ("muniment.trace.recompute", "recompute"),
}

__all__ = [
    "InputError",
    "IntegrityError",
    "LimitError",
    "MunimentError",
    "PassphraseError",
    "UnreachableError",
    "Verdict",
    "Workspace",
    "init",
    "open",
    "recompute",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'muniment' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)
