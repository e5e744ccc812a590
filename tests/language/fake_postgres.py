"""A small PostgreSQL without sockets: the protocol exactly, a handful of statements, two tables of made-up rows.

`person` is a register (key `id`, then `surname`), `plain` is not. Bytes in by `feed`, bytes out by `run`, one message a
step, so that a test may interleave it with everything else. What it understands:

    select id, surname from person limit 3      select surname, id from person ... offset 5     delete ... returning id
    copy person to stdout                        copy person from stdin          begin, commit, rollback, set x = y
    raise / notice / division by zero            declare c cursor for select ...     fetch 2 from c     close c
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from muniment.gate.protocol import backend, frontend
from muniment.gate.protocol.framing import Frame, Framer
from muniment.gate.protocol.wire import message

OIDS = {"person": 16_400, "plain": 16_500}
COLUMNS = {"id": (1, 23, 4), "surname": (2, 25, -1)}
PLAIN = 5_000
"""Numbers of `plain` begin here: a row shows by its cells whose it is."""
_SELECT = re.compile(r"select ([\w, ]+) from (\w+)(?: where id = (\$1|\d+))?(?: limit (\d+))?(?: offset (\d+))?$")

Steps = Generator[bytes, None, None]


class Failed(Exception):
    """A statement fails with this SQLSTATE."""


class Lost(Exception):
    """The conversation cannot go on."""


@dataclass
class Result:
    """What a statement gives: columns and rows, or a COPY, or only a tag."""

    tag: str
    fields: tuple[backend.Field, ...] = ()
    rows: list[tuple[bytes, ...]] = field(default_factory=list)
    copy: str = ""
    at: int = 0


class FakePostgres:
    """One backend process after its login."""

    def __init__(self) -> None:
        self.status = "I"
        self.executed: list[str] = []
        """Every statement that was run, in order."""
        self.cancels = 0
        self.asleep = True
        """Whether it waits for a message."""
        self.dead = False
        """Whether it ended the connection."""
        self._in = Framer(1 << 20)
        self._cancelled = False
        self._statements: dict[str, str] = {}
        self._portals: dict[str, tuple[str, Result]] = {}
        self._changed: list[tuple[str, str]] = []
        self._settings: dict[str, str] = {}
        self._main = self._loop()

    def feed(self, data: bytes) -> None:
        """Bytes from whoever is connected."""
        self._in.feed(data)

    def cancel(self) -> None:
        """A CancelRequest came; it does nothing to a backend that waits for a message."""
        self.cancels += 1
        self._cancelled = not self.asleep

    def run(self, steps: int = 1_000_000) -> bytes:
        """Work on, at most so many steps; the bytes that come out."""
        out = b""
        for _ in range(steps):
            piece = next(self._main, None)
            if piece is None:
                self.dead = True
                break
            if not piece and self.asleep:
                break
            out += piece
        return out

    # --- the main loop ---

    def _read(self) -> Generator[bytes, None, Frame]:
        while True:
            frame = self._in.next()
            if frame is not None:
                assert isinstance(frame, Frame)
                self.asleep = self._cancelled = False
                return frame
            self.asleep = True
            yield b""

    def _loop(self) -> Steps:
        skip = extended = False
        while True:
            frame = yield from self._read()
            kind = chr(frame.kind)
            skip = skip and kind != "S"
            extended = kind in "PBDECH"
            if kind == "X":
                return
            if skip:
                continue
            try:
                yield from self._handle(kind, frame.body)
            except Lost:
                yield backend.ErrorResponse.of("FATAL", "08P01", "protocol synchronization was lost").build()
                return
            except Failed as failed:
                yield from self._failed(failed, extended)
                skip = extended

    def _failed(self, failed: Failed, extended: bool) -> Steps:
        yield self._error(str(failed))
        if self.status == "T":
            self.status = "E"
        self._portals.clear()
        if not extended:
            yield from self._ready()

    def _handle(self, kind: str, body: bytes) -> Steps:
        if kind in "dcf" or kind == "H":
            return
        if kind == "S":
            yield from self._ready()
        elif kind == "Q":
            yield from self._query(frontend.Query.parse(body).text)
        elif kind == "F":
            raise Failed("0A000")
        else:
            yield from self._extended(frontend.parse(ord(kind), body))

    def _ready(self) -> Steps:
        if self.status == "I":
            self._portals = {}
        for name, value in self._changed:
            yield backend.ParameterStatus(name, value).build()
        self._changed = []
        yield backend.ReadyForQuery(self.status).build()

    def _error(self, code: str) -> bytes:
        return backend.ErrorResponse.of("ERROR", code, f"it failed with {code}").build()

    # --- simple ---

    def _query(self, text: str) -> Steps:
        self._statements.pop("", None)
        self._portals.pop("", None)
        parts = [part.strip() for part in text.split(";") if part.strip()]
        if "muniment refused" in text:
            raise Failed("42601")
        if not parts:
            yield message(ord("I"), b"")
        for part in parts:
            result = self._start(part)
            if result.fields:
                yield backend.RowDescription(result.fields).build()
            yield from self._deliver(result, 0)
            yield backend.CommandComplete(self._tag(result)).build()
        yield from self._ready()

    def _start(self, text: str, values: tuple[bytes | None, ...] = ()) -> Result:
        if self.status == "E" and text.split(maxsplit=1)[0] not in {"rollback", "commit"}:
            raise Failed("25P02")
        self.executed.append(text)
        return self._interpret(text, values)

    def _interpret(self, text: str, values: tuple[bytes | None, ...] = ()) -> Result:
        word = text.split(maxsplit=1)[0]
        if word in RESULTS:
            return RESULTS[word](text)
        if word == "select":
            return self._select(text, values)
        if word == "declare":
            _, name, _, _, inner = text.split(" ", 4)
            self._portals[name] = (inner, self._interpret(inner))
            return Result("DECLARE CURSOR")
        if word == "fetch":
            return self._fetch(text)
        raise Failed("42601")

    def _select(self, text: str, values: tuple[bytes | None, ...]) -> Result:
        found = _SELECT.fullmatch(text)
        if found is None:
            raise Failed("42601")
        names, table = [name.strip() for name in found[1].split(",")], found[2]
        if table not in OIDS or not set(names) <= set(COLUMNS):
            raise Failed("42P01")
        if found[3]:
            wanted = values[0] if found[3] == "$1" and values else found[3].encode()
            numbers = [int(wanted)] if wanted and wanted.isdigit() else []
        else:
            first = int(found[5] or 0)
            numbers = list(range(first, first + int(found[4] or 3)))
        shift, letter = (0, b"s") if table == "person" else (PLAIN, b"p")
        cells = {"id": lambda n: b"%d" % (n + shift), "surname": lambda n: b"%b%d" % (letter, n)}
        rows = [tuple(cells[name](n) for name in names) for n in numbers]
        return Result("SELECT", tuple(_field(name, table) for name in names), rows)

    def _fetch(self, text: str) -> Result:
        _, count, _, name = text.split()
        if name not in self._portals:
            raise Failed("34000")
        _, source = self._portals[name]
        rows = source.rows[source.at : source.at + int(count)]
        source.at += len(rows)
        return Result("FETCH", source.fields, rows)

    # --- rows and COPY ---

    def _deliver(self, result: Result, limit: int) -> Steps:
        if result.copy.startswith("set "):
            self._set(result.copy[4:])
        elif result.copy == "in":
            yield from self._copy_in()
        elif result.copy == "notice":
            yield backend.NoticeResponse.of("NOTICE", "00000", "said something").build()
        elif result.copy == "raise":
            raise Failed("P0001")
        if result.copy == "out":
            yield backend.CopyOutResponse(0, (0, 0)).build()
        stop = len(result.rows) if limit <= 0 or result.copy else min(len(result.rows), result.at + limit)
        while result.at < stop:
            if self._cancelled:
                self._cancelled = False
                raise Failed("57014")
            row = result.rows[result.at]
            result.at += 1
            yield message(ord("d"), row[0]) if result.copy == "out" else backend.DataRow(row).build()
        if result.copy == "out":
            yield message(ord("c"), b"")

    def _copy_in(self) -> Steps:
        yield backend.CopyInResponse(0, (0, 0)).build()
        while True:
            frame = yield from self._read()
            kind = chr(frame.kind)
            if kind == "c":
                return
            if kind == "f":
                raise Failed("57014")
            if kind == "d" and b"bad" in frame.body:
                raise Failed("22P04")
            if kind not in "dSH":
                raise Lost

    def _set(self, text: str) -> None:
        name, _, value = (part.strip() for part in text.partition("="))
        value = value.strip("'")
        if "." not in name and self._settings.get(name) != value:
            self._settings[name] = value
            self._changed.append((name, value))

    def _tag(self, result: Result) -> str:
        if result.tag == "BEGIN":
            self.status = "T"
        elif result.tag in {"COMMIT", "ROLLBACK"}:
            tag = "ROLLBACK" if self.status == "E" else result.tag
            self.status = "I"
            return tag
        counted = result.tag in {"SELECT", "COPY", "FETCH"}
        return f"{result.tag} {result.at}" if counted else result.tag

    # --- extended ---

    def _extended(self, asked: frontend.Message) -> Steps:
        match asked:
            case frontend.Parse(name, text):
                yield self._parse(name, text)
            case frontend.Bind(portal, statement, _, values):
                yield self._bind(portal, statement, values)
            case frontend.Describe(target, name):
                yield from self._describe(target, name)
            case frontend.Execute(portal, limit):
                yield from self._execute(portal, limit)
            case frontend.Close(target, name):
                names: dict[str, object] = self._statements if target == frontend.STATEMENT else self._portals
                names.pop(name, None)
                yield message(ord("3"), b"")

    def _parse(self, name: str, text: str) -> bytes:
        if not name:
            self._statements.pop("", None)
        if name and name in self._statements:
            raise Failed("42P05")
        if "muniment refused" in text or ";" in text:
            raise Failed("42601")
        if text.split()[:1] == ["select"]:
            self._interpret(text)
        self._statements[name] = text
        return message(ord("1"), b"")

    def _bind(self, portal: str, statement: str, values: tuple[bytes | None, ...]) -> bytes:
        if statement not in self._statements:
            raise Failed("26000")
        if portal and portal in self._portals:
            raise Failed("42P03")
        text = self._statements[statement]
        if self.status == "E" and text.split()[:1] not in (["rollback"], ["commit"]):
            raise Failed("25P02")
        is_select = text.split()[:1] == ["select"] or "returning" in text
        result = self._interpret(text, values) if is_select else Result("later")
        self._portals[portal] = (text, result)
        return message(ord("2"), b"")

    def _describe(self, target: int, name: str) -> Steps:
        if target == frontend.STATEMENT:
            if name not in self._statements:
                raise Failed("26000")
            text = self._statements[name]
            yield backend.ParameterDescription((23,) if "$1" in text else ()).build()
            fields = self._interpret(text).fields if text.split()[:1] == ["select"] or "returning" in text else ()
        else:
            if name not in self._portals:
                raise Failed("34000")
            fields = self._portals[name][1].fields
        yield backend.RowDescription(fields).build() if fields else message(ord("n"), b"")

    def _execute(self, name: str, limit: int) -> Steps:
        if name not in self._portals:
            raise Failed("34000")
        text, result = self._portals[name]
        if not text.strip():
            yield message(ord("I"), b"")
            return
        if not result.at or result.tag == "later":
            self.executed.append(text)
        if result.tag == "later":
            if self.status == "E" and text.split()[0] not in {"rollback", "commit"}:
                raise Failed("25P02")
            result = self._interpret(text)
        before = result.at
        yield from self._deliver(result, limit)
        if limit > 0 and not result.copy and result.at - before == limit:
            yield message(ord("s"), b"")
            return
        yield backend.CommandComplete(self._tag(result)).build()


def _field(name: str, table: str) -> backend.Field:
    number, type_oid, size = COLUMNS[name]
    return backend.Field(name, OIDS[table], number, type_oid, size)


def _copy(text: str) -> Result:
    if " from " in text and not text.endswith("stdout"):
        return Result("COPY", copy="in")
    rows = [(b"%d\ts%d\n" % (number, number),) for number in range(70, 75)]
    return Result("COPY", rows=rows, copy="out")


RESULTS: dict[str, Callable[[str], Result]] = {
    "begin": lambda _: Result("BEGIN"),
    "commit": lambda _: Result("COMMIT"),
    "rollback": lambda _: Result("ROLLBACK"),
    "set": lambda text: Result("SET", copy=f"set {text[4:]}"),
    "insert": lambda _: Result("INSERT 0 1"),
    "delete": lambda _: Result("DELETE 3", (_field("id", "person"),), [(b"1",), (b"2",), (b"3",)]),
    "create": lambda _: Result("CREATE TABLE"),
    "drop": lambda _: Result("DROP TABLE"),
    "copy": _copy,
    "notice": lambda _: Result("DO", copy="notice"),
    "raise": lambda _: Result("", copy="raise"),
}
