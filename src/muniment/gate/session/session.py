r"""One client's conversation as a pure machine: events in, commands out; nothing leaves unrecorded.

    Opening  --login--> Relay     guarded accounts: every message is followed
                    \-> Passage   accounts that are not guarded: bytes pass

Rules
1. No I/O, no clock, no randomness: time (ms since 1970) and random bytes are given.
2. `receive` takes one event and returns what is to be done, in order.
"""

from __future__ import annotations

from collections.abc import Callable

from muniment.gate.session import events
from muniment.gate.session.commands import Command
from muniment.gate.session.opening import Opening
from muniment.gate.session.passage import Passage
from muniment.gate.session.relay import Relay
from muniment.gate.session.setup import Setup
from muniment.gate.session.standing import Standing


class Session:
    """From a client's first byte to its last."""

    def __init__(self, setup: Setup, clock: Callable[[], int], random_bytes: Callable[[int], bytes]) -> None:
        """`clock`: ms since 1970, UTC. `random_bytes`: so many unpredictable bytes."""
        self._setup = setup
        self._clock = clock
        self._random_bytes = random_bytes
        self._opening = Opening(setup.opening, random_bytes)
        self._stage: Relay | Passage | None = None
        """What follows the opening."""
        self._catalogue = setup.catalogue
        self.account = ""
        """The account that has authenticated; empty until then."""

    @property
    def congested(self) -> bool:
        """Whether nothing more is to be read from PostgreSQL for now."""
        return self._stage is not None and self._stage.congested

    @property
    def hold(self) -> bool:
        """Whether nothing more is to be read from the client for now."""
        return self._opening.hold if self._stage is None else self._stage.hold

    @property
    def idle(self) -> bool:
        """Whether neither a statement nor a transaction is under way."""
        return self._stage is not None and self._stage.idle

    def receive(self, event: events.Event) -> list[Command]:
        """Take an event, and say what is to be done, in order."""
        if self._stage is not None:
            return self._stage.receive(event)
        if isinstance(event, events.CatalogueChanged):
            self._catalogue = event.catalogue
        commands = self._opening.receive(event)
        if self._opening.identity is not None:
            self.account = self._opening.identity.account
        if self._opening.done:
            commands.extend(self._opened(self._opening))
        return commands

    def _opened(self, opening: Opening) -> list[Command]:
        """The login is over: what came behind it on either side is dealt with now."""
        assert opening.identity is not None and opening.startup is not None
        setup, identity = self._setup, opening.identity
        standing = Standing(setup, identity.account, identity.roles, opening.startup.parameters, self._clock)
        stage: Relay | Passage
        if standing.rules.guarded:
            key = opening.upstream_key
            stage = Relay(setup, standing, opening.parameters, key, self._clock, self._random_bytes)
        else:
            stage = Passage(opening.upstream_key)
        self._stage = stage
        commands: list[Command] = []
        if self._catalogue is not setup.catalogue:
            commands.extend(stage.receive(events.CatalogueChanged(self._catalogue)))
        if left := opening.left_upstream:
            commands.extend(stage.receive(events.FromUpstream(left)))
        if left := opening.left_client:
            commands.extend(stage.receive(events.FromClient(left)))
        return commands
