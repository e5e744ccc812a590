"""Several workers behind one port: forked before any thread or file is open, with one keeper that they all ask.

    keeper (parent): ledger's writer, budgets, seals, metrics
      +- worker 0..n-1: listeners (SO_REUSEPORT), sessions; appends over the ledger's own socket

Rules
1. The keeper opens the ledger first, so that it holds the lock; the workers begin when it says so, as clients of it.
2. A worker that ends unasked ends the gate, with exit code 4 and an alarm: nothing goes on half. Whoever watches over
   the process (systemd) starts it again.
3. SIGTERM, SIGINT and SIGHUP go to the keeper, which passes them on. A worker whose keeper is gone drains and ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NoReturn

from muniment.errors import MunimentError, UnreachableError
from muniment.gate.policy.budgets import LocalBudgets
from muniment.gate.server import metrics as prometheus
from muniment.gate.server.accept import listen, shared_with
from muniment.gate.server.budgeting import Accounts, History
from muniment.gate.server.gate import DRAIN_SECONDS, SWITCH_SECONDS, Gate, loop_factory, run_alone
from muniment.gate.server.holding import HeldLedger
from muniment.gate.server.keeper import Oversight, Worker, answer_charges
from muniment.gate.server.logs import Log
from muniment.gate.server.metrics import Metrics, merged
from muniment.gate.server.parts import GateParts
from muniment.gate.server.seals import seal_regularly

COUNT_SECONDS: Final = 1.0
"""Seconds between what a worker tells the keeper of its counters."""
KILL_SECONDS: Final = DRAIN_SECONDS + 10.0
_READY_SECONDS: Final = 120.0


def run(parts: GateParts) -> int:
    """Run a gate until SIGTERM or SIGINT; returns the exit code. Errors of whatever keeps it from starting."""
    return run_alone(parts) if parts.settings.workers == 1 else _run_several(parts)


def _run_several(parts: GateParts) -> int:
    listeners = shared_with(listen(parts.settings.listen, shared=True), parts.settings.workers)
    links = [[socket.socketpair(), socket.socketpair()] for _ in listeners]
    children = []
    for number, own in enumerate(listeners):
        child = os.fork()
        if child == 0:
            _worker(parts, number, own, links)
        children.append(child)
    for own in listeners:
        for one in own:
            one.close()
    for pair in links:
        for _, theirs in pair:
            theirs.close()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_keep(parts, children, [(charges, line) for (charges, _), (line, _) in links]))
    finally:
        _reap(children)


# --- the keeper --------------------------------------------------------------------------------------------------


async def _keep(parts: GateParts, children: Sequence[int], links: Sequence[tuple[socket.socket, socket.socket]]) -> int:
    loop, stop, metrics = asyncio.get_running_loop(), asyncio.Event(), Metrics()
    log = Log(parts.clock, parts.log_file)
    held, history = HeldLedger(parts.open_ledger), History(parts.open_ledger)
    budgets = LocalBudgets(parts.settings.caseload_days)
    accounts = Accounts(budgets, history.of)
    await held.start()
    found: list[Worker] = []
    found += [Worker(accounts.prepare, lambda me: (one for one in found if one is not me)) for _ in links]
    tasks = [loop.create_task(answer_charges(charges, budgets)) for charges, _ in links]
    lines = [loop.create_task(one.serve(line)) for one, (_, line) in zip(found, links, strict=True)]
    tasks.append(loop.create_task(seal_regularly(held, metrics, log)))
    loop.add_signal_handler(signal.SIGHUP, _pass_on, children, signal.SIGHUP)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    for one in found:
        one.say({"ready": True})
    server = None
    if parts.settings.metrics:
        server = await prometheus.serve(parts.settings.metrics, lambda: _together(metrics, found))
    told = loop.create_task(stop.wait())
    await asyncio.wait([told, *lines], return_when=asyncio.FIRST_COMPLETED)
    unasked = not told.done()
    if unasked:
        log.write("worker-ended", alarm=True)
    _pass_on(children, signal.SIGTERM)
    await asyncio.wait(lines, timeout=KILL_SECONDS)
    for task in (*tasks, *lines, told):
        task.cancel()
    if server is not None:
        server.close()
    history.close()
    await held.close()
    log.reopen()
    return UnreachableError.exit_code if unasked else 0


def _together(own: Metrics, workers: Sequence[Worker]) -> str:
    return merged([own.snapshot(), *(one.metrics for one in workers)]).render()


def _pass_on(children: Sequence[int], number: signal.Signals) -> None:
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, number)


def _reap(children: Sequence[int]) -> None:
    """Wait for the workers; they have had their time by now."""
    _pass_on(children, signal.SIGKILL)
    for child in children:
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


# --- a worker ----------------------------------------------------------------------------------------------------


def _worker(
    parts: GateParts, number: int, listeners: Sequence[socket.socket],
    links: Sequence[Sequence[tuple[socket.socket, socket.socket]]],
) -> NoReturn:  # fmt: skip
    """The life of a worker; never returns into the keeper's code."""
    code = UnreachableError.exit_code
    try:
        sys.setswitchinterval(SWITCH_SECONDS)
        for other, pair in enumerate(links):
            for mine, theirs in pair:
                mine.close()
                if other != number:
                    theirs.close()
        (_, charges), (_, line) = links[number]
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            code = runner.run(_work(parts, number, listeners, charges, line))
    except MunimentError as error:
        Log(parts.clock, parts.log_file).write("worker-failed", (("reason", error.message),), alarm=True)
    finally:
        os._exit(code)


async def _work(
    parts: GateParts, number: int, listeners: Sequence[socket.socket], charges: socket.socket, line: socket.socket
) -> int:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    oversight = Oversight(charges)
    gone = loop.create_task(oversight.serve(line))
    await asyncio.wait_for(oversight.ready.wait(), _READY_SECONDS)
    gate = Gate(parts, worker=number, overseer=oversight)
    oversight.cancelled = gate.cancel_keys.ask
    await gate.start(listeners)
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(gate.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    told = loop.create_task(stop.wait())
    while not told.done() and not gone.done():
        await asyncio.wait([told, gone], timeout=COUNT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        gate.count()
        oversight.count(gate.metrics.snapshot())
    await gate.close()
    return UnreachableError.exit_code if gone.done() else 0
