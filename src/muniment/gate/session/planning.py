"""Which rows a result will bring, and what has to happen to them: decided before the first of them is read.

Rules
1. Columns are PostgreSQL's own description: of the portal itself, of the result of a Query, of the query in a COPY.
2. The text belongs to the statement that really runs: that of the portal or cursor as PostgreSQL confirmed it. Where it
   may be another one by now, it proves nothing (`tracker`, rule 5).
3. A result that policy does not allow is broken off before its first row.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from muniment.disclosure import Outcome
from muniment.errors import UnreachableError
from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.classify import SessionMemory, Tally
from muniment.gate.attribution.plan import FIRST_USER_OID, ResultPlan, plan_copy, plan_result
from muniment.gate.attribution.text import Facts
from muniment.gate.protocol.backend import CopyOutResponse, Field, RowDescription
from muniment.gate.protocol.copyscan import CopyRows
from muniment.gate.protocol.wire import decoded
from muniment.gate.session import wording
from muniment.gate.session.conversation import Conversation
from muniment.gate.session.marking import RowMarker
from muniment.gate.session.pinning import bound, with_values
from muniment.gate.session.results import Counts, Guarded, Passing, Run, Withheld
from muniment.gate.session.stopping import Stopping
from muniment.gate.session.tracker import BIND, EXECUTE, Ask, Portal

PLANS: Final = 256
"""Plans that are kept, by description and text."""
ASKED: Final = 4_096
"""Tables that the map did not have, for which it is read anew once."""


class Planning:
    """Makes the `Run` of each result."""

    def __init__(self, conversation: Conversation, stopping: Stopping) -> None:
        self.counts = Counts()
        self.withheld = Withheld(self.counts)
        self._conversation = conversation
        self._tracker = conversation.tracker
        self._stopping = stopping
        self._passing = Passing(conversation)
        self._memory = SessionMemory()
        self._plans: OrderedDict[tuple[bytes, int], tuple[Facts, ResultPlan]] = OrderedDict()
        self._asked_for: set[int] = set()

    def know(self, catalogue: Catalogue) -> None:
        """A newer map of tables holds."""
        self._plans.clear()
        self._conversation.know(catalogue)
        self._conversation.reread()

    def running(self) -> Guarded | None:
        """The guarded result of which rows have left and more may come."""
        asked = self._tracker.asked
        run = asked[0].run if asked else None
        return run if isinstance(run, Guarded) and run.released else None

    # --- the three ways to a result ---

    def of_query(self, ask: Ask, body: bytes) -> Run:
        """Rows of a simple query."""
        facts, cursor = self._behind(ask, ask.facts or self._conversation.unseen)
        return self._planned(ask, facts, body, cursor)

    def of_portal(self, ask: Ask) -> Run | None:
        """Rows of Execute; `None` where PostgreSQL did not describe them."""
        portal = self._tracker.open_portal(ask.name)
        if portal.run is not None:
            return portal.run
        if not portal.body:
            return None
        facts, cursor = self._behind(ask, self._proved(portal, ask))
        if facts.pins and cursor is None:
            facts = with_values(facts, portal, self._conversation.codec)
        run = self._planned(ask, facts, portal.body, cursor)
        portal.run = run
        return run

    def of_copy(self, ask: Ask, response: CopyOutResponse) -> Run:
        """Rows of COPY TO STDOUT."""
        conversation = self._conversation
        facts = ask.facts or conversation.unseen
        if ask.kind == EXECUTE:
            facts = self._proved(self._tracker.open_portal(ask.name), ask)
        plan = plan_copy(facts, response, conversation.tables(ask), ask.fields)
        return self._run(plan, facts, before=0, copy=plan.copy_rows())

    def own_texts(self, ask: Ask) -> Sequence[str]:
        """Texts that the client itself sent with a statement: its own, and its parameters."""
        portal = ask.portal if ask.kind == BIND else self._tracker.portals.get(ask.name)
        values = portal.values if portal is not None and ask.kind in {BIND, EXECUTE} else b""
        sent = bound(values) if values else None
        texts = (ask.text, *(() if sent is None else sent.values))
        return [decoded(one) for one in texts if one]

    # --- whose text it is ---

    def _proved(self, portal: Portal, ask: Ask) -> Facts:
        """What is proved of a portal as it is executed (rule 2)."""
        trusted = not ask.name or portal.opaque == ask.opaque
        return portal.facts if portal.facts is not None and trusted else self._conversation.unseen

    def _behind(self, ask: Ask, facts: Facts) -> tuple[Facts, Portal | None]:
        """The text that the rows come from: for FETCH that of the cursor."""
        if facts.kind != "fetch" or len(facts.names) != 1:
            return facts, None
        tracker = self._tracker
        name = facts.names[0]
        cursor = tracker.cursors.get(name) or tracker.portals.get(name)
        if cursor is None:
            return self._conversation.unseen, None
        trusted = cursor.facts is not None and cursor.opaque == ask.opaque
        return (cursor.facts if cursor.facts is not None and trusted else self._conversation.unseen), cursor

    # --- plan, policy, run ---

    def _planned(self, ask: Ask, facts: Facts, body: bytes, cursor: Portal | None) -> Run:
        before = cursor.run.passed if cursor is not None and isinstance(cursor.run, Guarded) else 0
        plan = self._plan(ask, facts, body)
        try:
            marker = self._marker(facts, body) if plan.guarded else None
        except UnreachableError:
            self._stopping.begin(wording.ledger_down(self._conversation.setup.lang))
            return self.withheld
        run = self._run(plan, facts, before=before, marker=marker)
        if cursor is not None:
            cursor.run = run
        return run

    def _plan(self, ask: Ask, facts: Facts, body: bytes) -> ResultPlan:
        catalogue = self._conversation.catalogue
        tables = self._conversation.tables(ask)
        key = (body, id(facts))
        found = self._plans.get(key) if tables is catalogue else None
        if found is not None:
            return found[1]
        fields = RowDescription.parse(body).fields
        if tables is not catalogue:
            return plan_result(fields, tuple(one.format for one in fields), facts, tables)
        plan = plan_result(fields, tuple(one.format for one in fields), facts, catalogue)
        self._plans[key] = facts, plan
        if len(self._plans) > PLANS:
            self._plans.popitem(last=False)
        self._look_up(fields)
        return plan

    def _look_up(self, fields: tuple[Field, ...]) -> None:
        """Tables that the map does not have: it is read anew, once for each."""
        known, asked_for = self._conversation.catalogue.relations, self._asked_for
        for one in fields:
            oid = one.table_oid
            if oid >= FIRST_USER_OID and oid not in known and oid not in asked_for and len(asked_for) < ASKED:
                asked_for.add(oid)
                self._conversation.unknown = True

    def _marker(self, facts: Facts, body: bytes) -> RowMarker | None:
        """What writes marks into the rows, where this account is to have them. Raises `UnreachableError`."""
        conversation = self._conversation
        rules, marking = conversation.standing.rules, conversation.setup.marker
        if marking is None or not rules.marks:
            return None
        fields = RowDescription.parse(body).fields
        encoding, tables = conversation.codec, conversation.catalogue
        return marking.of(fields, tables, rules.recipient, single=facts.single, encoding=encoding)

    def _run(
        self, plan: ResultPlan, facts: Facts, *, before: int, copy: CopyRows | None = None,
        marker: RowMarker | None = None,
    ) -> Run:  # fmt: skip
        conversation = self._conversation
        if not plan.guarded:
            return self._passing
        refusal = conversation.standing.permit(facts, plan, conversation.columns)
        setup = conversation.setup
        tally = Tally(plan, setup.persons, setup.digest_key, self._memory, conversation.codec)
        stop = self._stopping.begin
        run = Guarded(
            conversation, self.counts, plan, facts, tally, before=before, copy=copy, marker=marker, stop=stop
        )
        if refusal is None:
            self._ask_for_decoys(plan, facts)
            return run
        conversation.append(run.ended(Outcome.REFUSED))
        conversation.report("refused", ("sqlstate", refusal.sqlstate))
        self._stopping.begin(refusal)
        return self.withheld

    def _ask_for_decoys(self, plan: ResultPlan, facts: Facts) -> None:
        """Tell of a statement that names a decoy, or counts through to one."""
        conversation = self._conversation
        decoys, recipient = conversation.setup.decoys, conversation.standing.rules.recipient
        if not decoys or not facts.pins:
            return
        values = [value for value in facts.pins.values() if isinstance(value, str)]
        for shape in plan.registers:
            parts = [facts.pins.get(column) for column in shape.key]
            key = [part for part in parts if isinstance(part, str)]
            alarm = decoys.asked(
                recipient, shape.name, key if len(key) == len(parts) else None, values, conversation.clock()
            )
            if alarm is not None:
                fields = (("sort", alarm.sort), ("register", alarm.register), ("decoys", alarm.decoys))
                conversation.report("decoy", *fields, ("reads", alarm.reads), alarm=True)
