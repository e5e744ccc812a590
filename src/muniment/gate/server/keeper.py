"""What several workers share: budgets and their restoring, in the one process that keeps them; and the way to it.

Rules
1. A charge is one round trip that the worker waits for, and one step in the keeper: no two workers ever spend the same
   allowance. It takes as long as two processes take to say a word to each other; more than `CHARGE_SECONDS` ends it.
2. A worker has two links, made before it was: one for charges, strictly question and answer, one for everything else.
   They have no name and no file: nobody else can speak on them.
3. Messages are bounded, and say numbers, names of accounts and limits; never a key of a record.
4. A link that broke stays broken: every charge is refused (`UnreachableError`), so nothing leaves.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import MunimentError, UnreachableError
from muniment.gate.policy.budgets import Budgets, Charge, Exceeded
from muniment.gate.policy.rules import Rules
from muniment.gate.server.parts import Received

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHARGE_SECONDS: Final = 5.0
MESSAGE_BYTES: Final = 64 * 1024**2
"""Bytes of one message: a charge of some 4 million rows; one chunk of rows has some thousands."""
CHARGED: Final = ("mode", "persons", "rows_per_statement", "throttle_seconds")
"""The rules that a charge is computed with; see `budgets.LocalBudgets`."""
_LENGTH = struct.Struct(">I")
Told = Callable[[dict[str, Any]], None]


class RemoteBudgets:
    """The keeper's `Budgets`, as a worker asks them. Belongs to the event loop's thread, which waits for answers."""

    def __init__(self, link: socket.socket) -> None:
        """`link`: the worker's end of its link for charges."""
        link.settimeout(CHARGE_SECONDS)
        self._link = link
        self._broken = False

    def __repr__(self) -> str:
        return "RemoteBudgets()"

    def charge(
        self, account: str, rules: Rules, now: int, ordinals: NDArray[np.uint32], anonymous: NDArray[np.int64], *,
        free: bool = True, before: int = 0,
    ) -> Charge:  # fmt: skip
        """See `budgets.Budgets`; `UnreachableError` where the keeper does not answer."""
        limits = {name: getattr(rules, name) for name in CHARGED} | {"persons": dict(rules.persons)}
        head = json.dumps([account, limits, now, ordinals.shape, free, before]).encode()
        body = b"".join([_LENGTH.pack(len(head)), head, _bytes(ordinals, "<u4"), _bytes(anonymous, "<i8")])
        if self._broken or len(body) > MESSAGE_BYTES:
            raise UnreachableError("the process that keeps the budgets cannot be asked")
        try:
            self._link.sendall(_LENGTH.pack(len(body)) + body)
            (length,) = _LENGTH.unpack(_exactly(self._link, _LENGTH.size))
            answer = json.loads(_exactly(self._link, min(length, MESSAGE_BYTES)))
        except (OSError, ValueError) as error:
            self._broken = True
            raise UnreachableError("the process that keeps the budgets does not answer") from error
        if isinstance(answer, str):
            raise UnreachableError(f"the budgets could not be charged ({answer})")
        *plain, exceeded = answer
        allowed, new_persons, undiscounted, wait = plain
        told = Exceeded(*exceeded) if exceeded is not None else None
        return Charge(allowed, told, new_persons, undiscounted, wait)

    def restore(self, account: str, batches: Iterable[Received]) -> None:
        """Nothing: the keeper restores, before it says that an account is ready (`Oversight.prepare`)."""


def charged(budgets: Budgets, body: bytes) -> bytes:
    """The keeper's answer to a charge; a question that makes no sense is answered with the kind of its fault."""
    try:
        (length,) = _LENGTH.unpack_from(body)
        start = _LENGTH.size + length
        account, limits, now, (rows, slots), free, before = json.loads(body[_LENGTH.size : start])
        ordinals = np.frombuffer(body, "<u4", rows * slots, start).reshape(rows, slots)
        anonymous = np.frombuffer(body, "<i8", rows, start + 4 * rows * slots)
        rules = Rules(account, account, **{name: limits[name] for name in CHARGED})
        found = budgets.charge(account, rules, now, ordinals, anonymous, free=free, before=before)
    except (ValueError, KeyError, TypeError, struct.error, MunimentError) as error:
        return json.dumps(type(error).__name__).encode()
    told = found.exceeded
    exceeded = None if told is None else [told.window, told.limit, told.used, told.resets_ms]
    return json.dumps([found.allowed, found.new_persons, found.undiscounted, found.wait, exceeded]).encode()


class Line:
    """One end of a link for everything but charges: JSON objects both ways. Belongs to the event loop's thread."""

    def __init__(self, told: Told) -> None:
        """`told` gets what the other end says."""
        self._told = told
        self._writer: asyncio.StreamWriter | None = None
        self._early: list[bytes] = []  # what was said before the line stood

    async def serve(self, link: socket.socket) -> None:
        """Hear the other end until it is gone."""
        reader, self._writer = await asyncio.open_connection(sock=link)
        self._writer.writelines(self._early)
        try:
            while True:
                self._told(json.loads(await _message(reader)))
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # the other end is gone, or talks nonsense
        finally:
            self._writer.close()

    def say(self, what: dict[str, Any]) -> None:
        """Tell the other end, once the line stands; what cannot be delivered any more is dropped."""
        body = json.dumps(what).encode()
        message = _LENGTH.pack(len(body)) + body
        self._early.append(message) if self._writer is None else self._writer.write(message)


async def answer_charges(link: socket.socket, budgets: Budgets) -> None:
    """Answer one worker's charges until it is gone; in the keeper."""
    reader, writer = await asyncio.open_connection(sock=link)
    try:
        while True:
            answer = charged(budgets, await _message(reader))
            writer.write(_LENGTH.pack(len(answer)) + answer)
    except (OSError, asyncio.IncompleteReadError, ValueError):
        pass  # the worker is gone, or talks nonsense
    finally:
        writer.close()


class Oversight:
    """What a worker shares with the others: a `gate.Overseer`."""

    def __init__(self, charges: socket.socket) -> None:
        """`charges`: its link for charges; `serve` takes the other one."""
        self.budgets: Budgets = RemoteBudgets(charges)
        self.ready = asyncio.Event()
        self.cancelled: Callable[[int, bytes], object] = lambda process, secret: None
        """Told of cancel keys that other workers were shown and did not know."""
        self._line = Line(self._told)
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def serve(self, link: socket.socket) -> None:
        """Hear the keeper until it is gone; a worker must end then."""
        await self._line.serve(link)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(UnreachableError("the process that keeps the budgets is gone"))

    async def prepare(self, account: str) -> None:
        """See `Accounts.prepare`."""
        waiting = self._waiting.get(account)
        if waiting is None or waiting.done():
            waiting = self._waiting[account] = asyncio.get_running_loop().create_future()
            self._line.say({"prepare": account})
        await asyncio.shield(waiting)

    def cancel(self, process: int, secret: bytes) -> None:
        """Pass a cancel key on to the others."""
        self._line.say({"cancel": process, "secret": secret.hex()})

    def count(self, snapshot: dict[str, object]) -> None:
        """Tell the keeper what this worker counted."""
        self._line.say({"metrics": snapshot})

    def _told(self, what: dict[str, Any]) -> None:
        if "ready" in what:
            self.ready.set()
        elif "cancel" in what:
            self.cancelled(int(what["cancel"]), bytes.fromhex(what["secret"]))
        elif (waiting := self._waiting.get(what.get("prepared", ""))) is not None and not waiting.done():
            if what["error"]:
                waiting.set_exception(UnreachableError(what["error"]))
            else:
                waiting.set_result(None)


class Worker:
    """One worker, as the keeper sees it."""

    def __init__(self, prepare: Callable[[str], Awaitable[None]], others: Callable[[Worker], Iterable[Worker]]) -> None:
        """`others`: the workers but this one."""
        self.metrics: dict[str, object] = {}
        self._line = Line(self._told)
        self._prepare = prepare
        self._others = others
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, link: socket.socket) -> None:
        """Hear the worker until it is gone."""
        await self._line.serve(link)

    def say(self, what: dict[str, Any]) -> None:
        """See `Line.say`."""
        self._line.say(what)

    def _told(self, what: dict[str, Any]) -> None:
        if "metrics" in what:
            self.metrics = what["metrics"]
        elif "cancel" in what:
            for other in self._others(self):
                other.say(what)
        elif "prepare" in what:
            task = asyncio.get_running_loop().create_task(self._prepared(str(what["prepare"])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _prepared(self, account: str) -> None:
        error = ""
        try:
            await self._prepare(account)
        except MunimentError as fault:
            error = fault.message
        self.say({"prepared": account, "error": error})


async def _message(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MESSAGE_BYTES:
        raise ValueError("a message of another process is too long")
    return await reader.readexactly(length)


def _exactly(link: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = link.recv(size - len(data))
        if not piece:
            raise ConnectionResetError
        data += piece
    return bytes(data)


def _bytes(values: NDArray[Any], kind: str) -> bytes:
    return np.ascontiguousarray(values, kind).tobytes()
