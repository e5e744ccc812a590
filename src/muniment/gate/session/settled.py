"""What a statement that ended changes for those after it: labels, names, the map of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from muniment.gate.session.conversation import Conversation
from muniment.gate.session.tracker import Ask, Portal, Statement

if TYPE_CHECKING:
    from muniment.gate.attribution.text import Facts

TABLES: Final = frozenset(("CREATE", "ALTER", "DROP", "REFRESH", "IMPORT", "SECURITY", "REASSIGN"))
"""First words of tags after which tables may be different."""
TRANSACTION: Final = frozenset(("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PREPARE"))


class Settled:
    """Follows statements to their end."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._labels = conversation.standing.labels
        self._handlers: Mapping[str, Callable[[Ask, Facts, str], None]] = {
            "SET": self._set, "RESET": self._set, "DISCARD": self._discard, "DECLARE": self._declare,
            "PREPARE": self._prepare, "DEALLOCATE": self._deallocate, "LISTEN": self._listen,
            "UNLISTEN": self._listen, **dict.fromkeys(TRANSACTION - {"PREPARE"}, self._transaction),
            **dict.fromkeys(TABLES, self._tables),
        }  # fmt: skip

    def completed(self, ask: Ask, tag: str) -> None:
        """CommandComplete came for one statement of `ask`."""
        handler = self._handlers.get(tag.partition(" ")[0])
        if handler is not None:
            handler(ask, ask.facts or self._conversation.unseen, tag)

    def failed(self) -> None:
        """ErrorResponse came."""
        self._labels.transaction("", "ERROR")
        self.declared()

    def ready(self, status: str) -> None:
        """ReadyForQuery came."""
        self._labels.transaction(status)
        self.declared()
        conversation = self._conversation
        if status == "I" and not conversation.tracker.asked and (conversation.tracker.doubt or conversation.unknown):
            conversation.refresh()

    def declared(self) -> None:
        """Take up what the client declares of itself now, and tell it what of that does not hold."""
        conversation = self._conversation
        refusal, grant = conversation.standing.declare()
        if refusal is not None:
            conversation.notice(refusal)
            conversation.report("declaration-refused", ("sqlstate", refusal.sqlstate))
        if grant is not None:
            conversation.report("break-glass", ("until", grant.until), ("persons", grant.left), alarm=True)

    def _set(self, ask: Ask, facts: Facts, tag: str) -> None:
        sets = facts.sets
        if ask.completed < len(sets):
            self._labels.said(*sets[ask.completed])
        ask.completed += 1
        self.declared()

    def _discard(self, ask: Ask, facts: Facts, tag: str) -> None:
        tracker = self._conversation.tracker
        if tag in {"DISCARD ALL", "DISCARD"}:
            self._labels.said("all", None)
            self.declared()
            tracker.statements.clear()
            tracker.portals.clear()
            tracker.cursors.clear()

    def _declare(self, ask: Ask, facts: Facts, tag: str) -> None:
        """A cursor's text proves something only where it stood alone."""
        proved = facts if facts.kind == "declare" else None
        for name in facts.names:
            self._conversation.tracker.declared(name, Portal(proved, ask.text, opaque=ask.opaque))

    def _prepare(self, ask: Ask, facts: Facts, tag: str) -> None:
        """What SQL prepares proves nothing later: its parameters are expressions."""
        if tag == "PREPARE TRANSACTION":
            self._transaction(ask, facts, tag)
            return
        for name in facts.names:
            self._conversation.tracker.statements[name] = Statement(None)

    def _deallocate(self, ask: Ask, facts: Facts, tag: str) -> None:
        statements = self._conversation.tracker.statements
        if "ALL" in tag:
            statements.clear()
        for name in facts.names:
            statements.pop(name, None)

    def _listen(self, ask: Ask, facts: Facts, tag: str) -> None:
        redaction = self._conversation.redaction
        if redaction is not None:
            for name in facts.names or ("*",):
                (redaction.listen if tag == "LISTEN" else redaction.unlisten)(name)

    def _transaction(self, ask: Ask, facts: Facts, tag: str) -> None:
        name = facts.names[0] if len(facts.names) == 1 and facts.kind == "transaction" else ""
        self._labels.transaction("", tag, name)

    def _tables(self, ask: Ask, facts: Facts, tag: str) -> None:
        self._conversation.disbelieve()
