"""The outbox: messages that wait until a sink has taken them. Sealed and stored by its owner, after every change.

Rules
1. `put` returns after the messages were stored: from then on they survive kill -9. They are sent at least once.
2. A sink that fails is tried again after 1 s, 2 s, 4 s ... and at last every hour. The others go on.
3. A failing sink is told: in `faults`, and after `TOLD_AFTER` attempts once through every other sink, and once more
   when it works again. What is told of a sink never waits for that sink.
4. What a sink took for some recipients and not for others is not sent again, and told as a fault at once.
5. Of too many waiting messages the oldest are dropped, and counted.
6. Pure but for `store` and the sinks: time comes from outside, and nothing is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from muniment.errors import IntegrityError, MunimentError
from muniment.watch.alerts.text import moment, plain
from muniment.watch.alerts.texts import words_of
from muniment.watch.sinks.message import Message
from muniment.watch.sinks.sink import PartlyTakenError, Sink

FIRST_MS: Final = 1_000
LONGEST_MS: Final = 3_600_000
TOLD_AFTER: Final = 3
"""Attempts after which a failing sink is told through the others: a server that restarts is back by then."""
MOST_WAITING: Final = 10_000
"""Messages that wait for one sink; beyond, the oldest are dropped and counted. The alerts are kept elsewhere."""
_ERROR: Final = 3
_NOTICE: Final = 5


@dataclass(frozen=True, slots=True)
class SinkFault:
    """A sink that fails. `since`: when it first failed (ms since 1970, UTC); `waiting`: messages; `error`: the last."""

    sink: str
    since: int
    attempts: int
    waiting: int
    dropped: int
    error: str


@dataclass(frozen=True, slots=True)
class _Line:
    """One sink's queue. `messages`: oldest first; `due`: when to try next; `told`: whether its outage was told."""

    messages: tuple[Message, ...] = field(default=(), repr=False)
    attempts: int = 0
    since: int = 0
    due: int = 0
    dropped: int = 0
    told: bool = False
    error: str = ""


class Outbox:
    """All queues, by name of sink. One thread."""

    def __init__(self, store: Callable[[bytes], None], stored: bytes = b"", *, lang: str = "en") -> None:
        """`store`: keeps the bytes durably before it returns. `stored`: what it kept last; empty for a new outbox.

        Raises `IntegrityError` where `stored` is not what an outbox wrote.
        """
        self._store = store
        self._lang = lang
        self._lines = _read(stored) if stored else {}

    def __repr__(self) -> str:
        return f"Outbox({self.waiting} waiting)"

    @property
    def waiting(self) -> int:
        """Messages that some sink has not taken yet, counted for each sink."""
        return sum(len(line.messages) for line in self._lines.values())

    def put(self, message: Message, sinks: Iterable[str], now: int) -> None:
        """Take a message for these sinks; stored when this returns. One whose id waits already is left as it is."""
        changed = dict(self._lines)
        for name in sinks:
            line = changed.get(name, _Line(due=now))
            if all(one.id != message.id for one in line.messages):
                changed[name] = _shortened(replace(line, messages=(*line.messages, message)))
        self._keep(changed)

    def work(self, sinks: Mapping[str, Sink], now: int) -> int:
        """Send what is due, each sink's in order, until it fails; how many messages were taken.

        Queues of sinks that are not there any more (by the settings) are dropped.
        """
        self._keep({name: line for name, line in self._lines.items() if name in sinks})
        return sum(self._serve(name, sinks, now) for name in list(self._lines))

    def faults(self) -> tuple[SinkFault, ...]:
        """Sinks that fail now, by name; that took the last message for some alone; or that lost some (rule 5)."""
        return tuple(
            SinkFault(name, line.since, line.attempts, len(line.messages), line.dropped, line.error)
            for name, line in sorted(self._lines.items())
            if line.error or line.dropped
        )

    def next_due(self) -> int | None:
        """When there is something to do again (ms since 1970, UTC); `None`: nothing waits."""
        return min((line.due for line in self._lines.values() if line.messages), default=None)

    def _serve(self, name: str, sinks: Mapping[str, Sink], now: int) -> int:
        sent = 0
        while (line := self._lines[name]).messages and line.due <= now:
            try:
                sinks[name].send(line.messages[0])
                after = replace(line, messages=line.messages[1:], attempts=0, since=0, due=now, error="")
            except PartlyTakenError as error:
                after = replace(_failing(line, error, now), messages=line.messages[1:], attempts=0, due=now)
            except MunimentError as error:
                self._failed(name, _failing(line, error, now), sinks, now, TOLD_AFTER)
                break
            sent += 1
            self._change(name, after)
            if after.error:
                self._failed(name, after, sinks, now, 0)
        line = self._lines[name]
        if line.told and not line.error and not line.messages:
            self._change(name, replace(line, told=False, dropped=0))
            self._tell("mended", name, sinks, now, _NOTICE, {"sink": name})
        return sent

    def _failed(self, name: str, line: _Line, sinks: Mapping[str, Sink], now: int, told_after: int) -> None:
        tell = line.attempts >= told_after and not line.told
        self._change(name, replace(line, told=line.told or tell))
        if tell:
            values = {
                "sink": name, "since": moment(line.since), "attempts": str(max(1, line.attempts)),
                "waiting": str(len(line.messages)), "error": line.error,
            }  # fmt: skip
            self._tell("fault", name, sinks, now, _ERROR, values)

    def _tell(
        self, key: str, about: str, sinks: Mapping[str, Sink], now: int, severity: int, values: Mapping[str, str]
    ) -> None:
        parts = words_of(self._lang).parts
        line = parts[key].format(**values)
        message = Message(
            f"{key}-{about}-{now}", "fault", now, severity, parts[f"{key}_subject"].format(sink=about), (line,),
            {"sink": about, "fault": "yes" if key == "fault" else "no"},
        )  # fmt: skip
        failing = {name for name, one in self._lines.items() if one.attempts}
        self.put(message, [name for name in sinks if name != about and name not in failing], now)

    def _change(self, name: str, line: _Line) -> None:
        self._keep({**self._lines, name: line})

    def _keep(self, lines: dict[str, _Line]) -> None:
        """Store first, then go on from it: where storing fails, memory says what the disk says."""
        if lines != self._lines:
            self._store(_written(lines))
            self._lines = lines


def _failing(line: _Line, error: MunimentError, now: int) -> _Line:
    """The queue after one more failure."""
    wait = min(LONGEST_MS, FIRST_MS << min(line.attempts, 30))
    attempts, since = line.attempts + 1, line.since or now
    return replace(line, attempts=attempts, since=since, due=now + wait, error=plain(error.message, 300))


def _shortened(line: _Line) -> _Line:
    """At most `MOST_WAITING` messages, the newest."""
    over = max(0, len(line.messages) - MOST_WAITING)
    return replace(line, messages=line.messages[over:], dropped=line.dropped + over) if over else line


def _written(lines: Mapping[str, _Line]) -> bytes:
    value = {
        name: {
            "messages": [one.to_json() for one in line.messages], "attempts": line.attempts, "since": line.since,
            "due": line.due, "dropped": line.dropped, "told": line.told, "error": line.error,
        }
        for name, line in lines.items()
    }  # fmt: skip
    return json.dumps({"version": 1, "sinks": value}, ensure_ascii=False).encode()


def _read(stored: bytes) -> dict[str, _Line]:
    try:
        value: Any = json.loads(stored)
        if value["version"] != 1:
            raise ValueError
        return {
            str(name): _Line(
                tuple(Message.from_json(one) for one in line["messages"]), int(line["attempts"]), int(line["since"]),
                int(line["due"]), int(line["dropped"]), bool(line["told"]), str(line["error"]),
            )
            for name, line in value["sinks"].items()
        }  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError("the outbox of watch is not what muniment writes") from error
