"""What the gate counts, and how Prometheus reads it: text format 0.0.4 over a tiny HTTP server of its own.

Rules
1. Labels are fixed words of this program; no account, table or address ever becomes one (no growth without bound, and
   nothing about persons in a monitoring system).
2. Several workers: each counts for itself, and the keeper adds them up (`merged`).
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds: bounds of the histogram of appends, from a fast disk's sync to the longest wait that is usual."""
REQUEST_BYTES: Final = 8_192
REQUEST_SECONDS: Final = 5.0
SCRAPERS: Final = 16
"""Clients of the metrics server at a time."""

# name -> (kind, label, help)
FAMILIES: Final[Mapping[str, tuple[str, str, str]]] = {
    "sessions": ("gauge", "", "Clients that are connected."),
    "sessions_total": ("counter", "", "Clients that were taken."),
    "turned_away_total": ("counter", "", "Clients that were turned away because there was no room."),
    "reports_total": ("counter", "event", "What sessions reported, by kind: stops, refusals, logins, gaps."),
    "alarms_total": ("counter", "", "Reports that somebody must be told of at once."),
    "rows_total": ("counter", "outcome", "Rows of registers that were recorded before they left, by outcome."),
    "persons_total": ("counter", "", "Persons in recorded disclosures, each counted once a disclosure."),
    "nameless_persons_total": ("counter", "", "Persons that rows without a name were charged as."),
    "appends_outstanding": ("gauge", "", "Appends that wait for the ledger."),
    "append_failures_total": ("counter", "", "Appends that failed or were not durable in time: nothing left."),
    "append_late_total": ("counter", "", "Appends that became durable after the wait had ended."),
    "spooled_total": ("counter", "", "Appends that went to the second place because the ledger was down."),
    "ledger_down_seconds_total": ("counter", "", "Seconds during which the ledger took nothing."),
    "seals_total": ("counter", "result", "Rounds of sealing."),
    "catalogue_version": ("gauge", "", "Version of the map of tables that is in force."),
    "log_lines_lost_total": ("counter", "", "Lines of the log that could not be written."),
}
_GREATEST = frozenset({"catalogue_version"})
"""Gauges of which workers share one: the greatest is shown, not the sum."""


@dataclass(slots=True)
class Metrics:
    """The counters of one process. Belongs to the thread of the event loop."""

    values: dict[str, dict[str, float]] = field(default_factory=dict)
    appends: list[float] = field(default_factory=lambda: [0.0] * (len(BUCKETS) + 2))
    """Counts of appends for each bucket of `BUCKETS` and above, then the sum of their seconds."""

    def add(self, name: str, amount: float = 1, label: str = "") -> None:
        """Count. `name` is one of `FAMILIES`."""
        series = self.values.setdefault(name, {})
        series[label] = series.get(label, 0) + amount

    def put(self, name: str, value: float) -> None:
        """Set a gauge."""
        self.values.setdefault(name, {})[""] = value

    def appended(self, seconds: float) -> None:
        """Count one durable append that took so long."""
        self.appends[bisect_left(BUCKETS, seconds)] += 1
        self.appends[-1] += seconds

    def snapshot(self) -> dict[str, object]:
        """Everything, in values that JSON knows; for `merged`."""
        return {"values": self.values, "appends": self.appends}

    def render(self) -> str:
        """The text that Prometheus reads."""
        lines = []
        for name, (kind, label, explanation) in FAMILIES.items():
            full = f"muniment_gate_{name}"
            lines += [f"# HELP {full} {explanation}", f"# TYPE {full} {kind}"]
            series = self.values.get(name) or ({} if label else {"": 0})
            lines += [f"{full}{_labelled(label, text)} {_number(value)}" for text, value in sorted(series.items())]
        return "\n".join([*lines, *self._histogram()]) + "\n"

    def _histogram(self) -> Iterable[str]:
        full = "muniment_gate_append_seconds"
        yield f"# HELP {full} Time from asking for an append until it was durable."
        yield f"# TYPE {full} histogram"
        total = 0.0
        for bound, count in zip([*BUCKETS, "+Inf"], self.appends, strict=False):
            total += count
            yield f'{full}_bucket{{le="{bound}"}} {_number(total)}'
        yield f"{full}_sum {self.appends[-1]}"
        yield f"{full}_count {_number(total)}"


def merged(snapshots: Iterable[Mapping[str, object]]) -> Metrics:
    """The counters of several processes as one. Names and shapes that are not known are passed over."""
    found = Metrics()
    for snapshot in snapshots:
        values, appends = snapshot.get("values"), snapshot.get("appends")
        for name, series in values.items() if isinstance(values, dict) else ():
            for label, value in series.items() if name in FAMILIES else ():
                if name in _GREATEST:
                    value = max(0, value - found.values.get(name, {}).get(label, 0))
                found.add(name, value, label)
        if isinstance(appends, list) and len(appends) == len(found.appends):
            found.appends = [mine + theirs for mine, theirs in zip(found.appends, appends, strict=True)]
    return found


def _labelled(label: str, text: str) -> str:
    return f'{{{label}="{text}"}}' if label else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


async def serve(address: str, render: Callable[[], str]) -> asyncio.Server:
    """Answer `GET /metrics` at `host:port` (port 0: any) with what `render` gives."""
    host, _, port = address.rpartition(":")
    open_now = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now
        open_now += 1
        try:
            if open_now <= SCRAPERS:
                await asyncio.wait_for(_answer(reader, writer, render), REQUEST_SECONDS)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # not a scraper, or one that went away
        finally:
            open_now -= 1
            writer.close()

    return await asyncio.start_server(answer, host.strip("[]") or "127.0.0.1", int(port), limit=REQUEST_BYTES)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, render: Callable[[], str]) -> None:
    request = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
    known = len(request) == 3 and request[0] == b"GET" and request[1] in (b"/metrics", b"/metrics/")
    status, body = ("200 OK", render().encode()) if known else ("404 Not Found", b"GET /metrics\n")
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()
