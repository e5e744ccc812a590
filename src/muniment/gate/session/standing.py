"""Who acts in a session, and under which rules just now: account, roles, and what the client declared of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from muniment.disclosure import Party
from muniment.errors import InputError
from muniment.gate.identity.actor import claimed_actor, verify_actor
from muniment.gate.policy.breakglass import Grant
from muniment.gate.policy.rules import Rules, lower, resolve
from muniment.gate.policy.statements import Refusal, permit, prepare
from muniment.gate.session.labels import Labels
from muniment.gate.session.setup import Setup

if TYPE_CHECKING:
    from muniment.gate.attribution.plan import ResultPlan
    from muniment.gate.attribution.text import Facts


class Standing:
    """The rules of one session. They change with what the client declares, and with a break-glass grant."""

    def __init__(
        self, setup: Setup, account: str, roles: Sequence[str], startup: Mapping[str, str], clock: Callable[[], int]
    ) -> None:
        self._setup = setup
        self._clock = clock
        self._roles = tuple(roles)
        self.account = account
        self.labels = Labels(startup)
        self.rules = resolve(setup.policies, account, self._roles, self.labels.purpose)
        self._application = startup.get("application_name", "")
        self._declared: tuple[str, str, str] | None = None
        self.party = Party(self.rules.recipient, account, setup.device)
        """Who is recorded; `declare` adds the acting person."""

    @property
    def grant(self) -> Grant | None:
        """The break-glass grant under way."""
        if self.rules.break_glass is None:
            return None
        return self._setup.grants.active(self.rules.recipient, self._clock())

    def charged_by(self, grant: Grant | None) -> Rules:
        """The rules to charge with. What was lowered for the time being holds until the glass is broken."""
        if grant is not None:
            return self._setup.grants.rules(grant, self.rules)
        return lower(self.rules, self._setup.lowered(self.party.account))

    def spent(self, grant: Grant | None, persons: int) -> None:
        """Persons charged, beyond the case-load."""
        if grant is not None and persons:
            self._setup.grants.spent(self.rules.recipient, persons)

    def declare(self) -> tuple[Refusal | None, Grant | None]:
        """Take up what the labels say now: a refused break-glass or actor, and a grant that has just begun."""
        labels = self.labels
        said = (labels.purpose, labels.actor, labels.break_glass)
        if said == self._declared:
            return None, None
        before, self._declared = self._declared, said
        self.rules = resolve(self._setup.policies, self.account, self._roles, labels.purpose)
        refusal: Refusal | None = None
        try:
            self.party = self._party()
        except InputError as error:
            self.party = Party(self.rules.recipient, self.account, self._setup.device)
            refusal = Refusal("28000", error.message, error.hint)
        if not labels.break_glass or (before is not None and labels.break_glass == before[2]):
            return refusal, None
        begun = self._setup.grants.begin(self.rules, labels.break_glass, self._clock(), self._setup.lang)
        return (begun, None) if isinstance(begun, Refusal) else (refusal, begun)

    def permit(self, facts: Facts, plan: ResultPlan | None, columns: Mapping[str, Mapping[int, str]]) -> Refusal | None:
        """Whether a statement may run (`plan` None), or its result leave."""
        now = self._clock()
        rules = self.charged_by(self.grant)
        refusal = permit(
            facts, plan, rules, self.labels, now,
            lang=self._setup.lang, offset_minutes=self._setup.offset_minutes(now), columns=columns,
        )  # fmt: skip
        if refusal is None and plan is None and not facts.register_free:
            refusal = self._setup.rates.take(rules, now, self._setup.lang)
        return refusal

    def prepare(self, facts: Facts) -> Refusal | None:
        """Whether a statement may be prepared under a name."""
        rules = self.charged_by(self.grant)
        return prepare(facts, rules, self.labels, self._clock(), lang=self._setup.lang)

    def _party(self) -> Party:
        """Who is recorded. A claim that nobody vouches for is marked as one.

        The application's name counts only for accounts that are meant to be shared, as their `actor_key` says.
        """
        labels, rules = self.labels, self.rules
        key = bytes.fromhex(rules.actor_key) if rules.actor_key else None
        actor = claimed_actor(self._application) if key else None
        if labels.actor:
            actor = verify_actor(labels.actor, key, self.account, self._clock())
        account = self.account
        if actor is not None:
            account = f"{account} ({actor.name})" if actor.verified else f"{account} ({actor.name}?)"
        return Party(rules.recipient, account, self._setup.device)
