"""A language for transcripts of pure machines: events in, the commands that must come out, and blanks to be filled.

    play = Playbook(machine)
    token = Blank()
    play.when(FromUpstream(rows)).then(Append(token, Blank(), False))
    play.when(Appended(token.value)).then(ToClient(rows))

Bytes for one side that follow one another count as one command, however they were cut. A `Blank` is equal to whatever
comes first, and from then on to that alone.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

from muniment.gate.session.commands import Command, ToClient, ToUpstream
from muniment.gate.session.events import Event


class Machine(Protocol):
    """What is played with."""

    def receive(self, event: Event) -> list[Command]:
        """Take an event."""
        ...


class Blank:
    """A value that is not known beforehand."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self._values: list[Any] = []

    @property
    def value(self) -> Any:
        """What it was filled with."""
        assert self._values, "this blank was never filled"
        return self._values[0]

    def __eq__(self, other: object) -> bool:
        if not self._values:
            self._values.append(other)
            return True
        return bool(self._values[0] == other)

    def __repr__(self) -> str:
        return f"Blank({self._values[0]!r})" if self._values else "Blank()"


class Playbook:
    """One transcript. Every command has to be expected: what is left over fails at the next `when`, or at `end`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._left: list[Command] = []

    def when(self, *events: Event) -> Self:
        """These happen."""
        self.end()
        for event in events:
            self._left.extend(self.machine.receive(event))
        self._left = joined(self._left)
        return self

    def then(self, *commands: Command) -> Self:
        """These come out next, in this order."""
        for expected in joined(list(commands)):
            assert self._left, f"nothing more came out; expected {expected!r}"
            came = self._left.pop(0)
            assert expected == came, f"expected {_shown(expected)}, came {_shown(came)}"
        return self

    def take(self, kind: type[Any]) -> Any:
        """The one command of this type that came out, whatever else did."""
        found = [command for command in self._left if isinstance(command, kind)]
        assert len(found) == 1, f"expected one {kind.__name__}, came {[_shown(one) for one in self._left]}"
        self._left.remove(found[0])
        return found[0]

    def rest(self) -> list[Command]:
        """Whatever is left."""
        left, self._left = self._left, []
        return left

    def end(self) -> None:
        """Nothing is left."""
        assert not self._left, f"not expected: {[_shown(one) for one in self._left]}"


def joined(commands: list[Command]) -> list[Command]:
    """The same commands, with bytes for one side that follow one another in one."""
    found: list[Command] = []
    for command in commands:
        last = found[-1] if found else None
        if isinstance(command, ToClient | ToUpstream) and type(last) is type(command):
            found[-1] = type(command)(bytes(last.data) + bytes(command.data))  # type: ignore[union-attr]
        elif isinstance(command, ToClient | ToUpstream):
            found.append(type(command)(bytes(command.data)))
        else:
            found.append(command)
    return found


def to_client(commands: list[Command]) -> bytes:
    """All bytes for the client."""
    return b"".join(bytes(one.data) for one in commands if isinstance(one, ToClient))


def to_upstream(commands: list[Command]) -> bytes:
    """All bytes for PostgreSQL."""
    return b"".join(bytes(one.data) for one in commands if isinstance(one, ToUpstream))


def _shown(command: Command) -> str:
    data = getattr(command, "data", None)
    return f"{type(command).__name__}({bytes(data)!r})" if data is not None else repr(command)
