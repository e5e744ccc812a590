"""Segments: bytes a disclosed record, and what sealing, opening and checking cost. One process, one core.

The stream is that of the reference generator (../shared/generators/disclosure_stream.py; at SCALE 1: 100 million
disclosed records in 15.4 million disclosures, 10,000 accounts, 25 million persons), ordinals permuted, cut into slices
of some 16 million records, one segment each. What the generator does not give is drawn here:
  plain   time to the millisecond, a party for each account, a template out of 200; `size` is proportional to `rows`
  full    also a case (2 million at scale 1, each lives 14 days), one of 2,000 fingerprints, three devices an account,
          and a `size` of its own
All bytes of the files count. A record that a disclosure of the generator holds twice counts once.

Run as `python bench/b08_segment_size.py [SCALE]`; 0.1 (default) takes a minute, 1.0 some ten.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets import folder
from measurement import Measurement
from muniment.disclosure import Channel, Party, Template
from muniment.keys import Key, Purpose
from muniment.ledger.batch import Batch, Texts, assembled
from muniment.ledger.frames import Head
from muniment.ledger.segments import bits, parquet
from muniment.ledger.segments.commit import Committer
from muniment.ledger.segments.manifest import Manifest
from muniment.ledger.segments.segment import Segment, write_segment
from muniment.ledger.segments.shapes import arranged

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALE = 0.1
SEED = 8
SLICE = 16_000_000
KEY = Key("segment-1", Purpose.SEGMENT, b"a key for benchmarks only" + bytes(7))
DAY = 86_400_000
YEAR = 365 * DAY
START = 1_767_225_600_000
TEMPLATES, FINGERPRINTS, DEVICES, CASES, CASE_DAYS = 200, 2_000, 3, 2_000_000, 14


def cpu(action: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of an action in this process, and what it gave."""
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def reference_stream(scale: float) -> tuple[NDArray[np.generic], ...]:
    """Account, time (s), count and records of the reference generator."""
    path = folder().parent / "generators" / "disclosure_stream.py"
    spec = importlib.util.spec_from_file_location("disclosure_stream", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: tuple[NDArray[np.generic], ...] = module.stream(scale)
    return found


def slices(scale: float, *, full: bool) -> Iterator[Batch]:
    """The stream in batches of some `SLICE` records, as a write-ahead file would give them."""
    account, seconds, counts, records = reference_stream(scale)
    rng = np.random.default_rng(SEED)
    permuted = rng.permutation(int(25_000_000 * scale)).astype(np.uint32)
    when = np.sort(seconds.astype(np.int64) * 1_000 + rng.integers(0, 1_000, len(seconds)))
    ends = np.cumsum(counts, dtype=np.int64)
    cuts = np.searchsorted(ends, np.arange(SLICE, int(ends[-1]), SLICE)).tolist()
    edges = sorted({0, *cuts, len(ends)})
    for first, last in pairwise(edges):
        start = int(ends[first - 1]) if first else 0
        lists = _sets(counts[first:last].astype(np.int64), permuted[records[start : int(ends[last - 1])]])
        yield _batch(account[first:last].astype(np.int64), when[first:last], first, lists, (scale, full))


def _sets(counts: NDArray[np.int64], records: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Each set ascending, each record once: starts and ordinals."""
    pairs = np.repeat(np.arange(len(counts), dtype=np.uint64), counts) << np.uint64(32) | records
    pairs.sort()
    pairs = pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))]
    sizes = np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=len(counts))
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64), pairs.astype(np.uint32)


def _batch(
    account: NDArray[np.int64],
    when: NDArray[np.int64],
    first: int,
    lists: tuple[NDArray[np.int64], NDArray[np.uint32]],
    wanted: tuple[float, bool],
) -> Batch:
    scale, full = wanted
    rng = np.random.default_rng(first)
    rows = np.diff(lists[0])
    count = len(rows)
    none = Texts(("",), np.zeros(count, np.uint32))
    devices = DEVICES if full else 1
    party = account * devices + rng.integers(0, devices, count)
    names = [
        Party(f"agency {i // devices % 50}", f"account {i // devices}", f"10.0.{i % 256}.{i % 7}" if full else "")
        for i in range(10_000 * devices)
    ]
    templates = [Template("persons", 1, Channel.GATE, (1, 2, 3 + i % 30), f"purpose {i}") for i in range(TEMPLATES)]
    case = fingerprint = none
    if full:
        number = (when - rng.integers(0, CASE_DAYS * DAY, count)) * int(CASES * scale) // YEAR
        case = _coded(number - number.min(), lambda i: f"C-2026-{i:07d}")
        fingerprint = _coded(rng.integers(0, FINGERPRINTS, count), lambda i: f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}")
    return assembled(
        {
            "sequence": np.arange(first + 1, first + 1 + count),
            "time": when + START,
            "rows": rows,
            "size": rows * (rng.integers(80, 400, count) if full else np.int64(120)),
            "released": rows,
            "occurred": np.zeros(count, np.int64),
        },
        {
            "party": _coded(party, lambda i: names[i].to_text()),
            "template": _coded(rng.integers(0, TEMPLATES, count), lambda i: templates[i].to_text()),
            "case": case,
            "fingerprint": fingerprint,
        },
        *lists,
    )


def _coded(numbers: NDArray[np.int64], text: Callable[[int], str]) -> Texts:
    """A column of texts, values in the order in which they first come."""
    used, place, codes = np.unique(numbers, return_index=True, return_inverse=True)
    order = np.argsort(place)
    rank = np.empty(len(order), np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    return Texts(tuple(text(i) for i in used[order].tolist()), rank[codes])


def sealed(scale: float, target: Path, *, full: bool) -> tuple[list[Manifest], float]:
    """Seal the stream into a folder; the manifests, and the CPU seconds of sealing."""
    span, seconds, manifests = int(25_000_000 * scale), 0.0, []
    for batch in slices(scale, full=full):
        head = Head(0, "00" * 32)
        start = time.process_time()
        manifests.append(write_segment(target, batch, key=KEY, span=span, chain=bytes(32), journal=head))
        seconds += time.process_time() - start
    return manifests, seconds


def size_line(claim: str, most: float, manifests: list[Manifest]) -> Measurement:
    """Bytes a disclosed record over all segments."""
    records = sum(manifest.records for manifest in manifests)
    came = sum(manifest.size for manifest in manifests) / records
    rows = sum(manifest.rows for manifest in manifests)
    measured = f"{came:.2f} B ({records:,} records, {rows:,} disclosures, {len(manifests)} segments)"
    return Measurement(claim, f"<= {most:g} B a record", measured, came <= most)


def rate_line(claim: str, count: int, seconds: float, wanted: float = 0.0) -> Measurement:
    """A rate in millions a CPU second; `wanted` 0 is for information."""
    reached = count / seconds / 1e6
    return Measurement(
        claim, f">= {wanted:g} M/s" if wanted else "(for information)", f"{reached:.1f} M/s", reached >= wanted
    )  # fmt: skip


def steps(scale: float) -> list[Measurement]:
    """What the parts of sealing cost, on the first slice."""
    span = int(25_000_000 * scale)
    batch = next(slices(scale, full=False))
    spent, (ordered, groups) = cpu(lambda: arranged(batch, span))
    packing, _ = cpu(lambda: list(parquet.rendered(ordered, groups, span, "")))
    committing, _ = cpu(lambda: Committer(ordered, span, bytes(32)).commitments())
    values = np.random.default_rng(SEED).integers(0, 25_000_000, 4_000_000).astype(np.uint32)
    encoding, packed = cpu(lambda: bits.encode(values))
    decoding, _ = cpu(lambda: bits.decode(packed, len(values), np.uint32))
    records = len(batch.ordinals)
    return [
        rate_line("pack 4 M random ordinals (DELTA_BINARY_PACKED)", len(values), encoding, 50),
        rate_line("unpack them", len(values), decoding, 50),
        rate_line("records to Parquet, without commitments", records, spent + packing),
        rate_line("commitments (SHA-256 of every record and event, one core)", records, committing),
    ]


def opened(target: Path, manifests: list[Manifest], seconds: float) -> list[Measurement]:
    """Rates of sealing, opening, checking."""
    records, size = sum(m.records for m in manifests), sum(m.size for m in manifests)
    segments = [Segment.open(target / manifest.file, [KEY], manifest) for manifest in manifests]
    opening = sum(cpu(segment.batch)[0] for segment in segments)
    hashing = sum(cpu(segment.check)[0] for segment in segments)
    full, _ = cpu(lambda: segments[-1].check(full=True))
    rows = segments[-1].batch()
    proving, _ = cpu(lambda: segments[-1].openings(rows).event(len(rows) // 2))
    return [
        rate_line("seal: arrange, commit, pack, encrypt, write", records, seconds),
        rate_line("open: decrypt, unpack every column", records, opening),
        Measurement(
            "check the bytes of all segments against the log",
            "<= 60 s per 10 GB",
            f"{hashing / size * 1e10:.1f} s per 10 GB",
            hashing / size * 1e10 <= 60,
        ),
        rate_line("check one in full: every commitment anew", manifests[-1].records, full),
        Measurement("open one event, batch at hand", "(for information)", f"{proving * 1e3:.0f} ms", True),
    ]


def main(scale: float = SCALE) -> list[Measurement]:
    """Sizes with few and with all fields, then rates."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="muniment-bench-") as name:
        for full, fields, most in (
            (False, "time, account, template", 2.5),
            (True, "case, fingerprint, device too", 3.5),
        ):
            target = Path(name) / fields[:4]
            target.mkdir()
            manifests, seconds = sealed(scale, target, full=full)
            lines.append(size_line(f"segments at scale {scale:g}: {fields}", most, manifests))
            if full:
                lines += opened(target, manifests, seconds)
    return lines + steps(scale)


if __name__ == "__main__":
    for line in main(float(sys.argv[1]) if len(sys.argv) > 1 else SCALE):
        print(f"{'ok ' if line.holds else 'NO '} {line.claim}: {line.measured} (wanted {line.wanted})")
