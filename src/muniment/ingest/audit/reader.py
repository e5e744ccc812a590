"""`read_audit`: a stream of bytes and a source -> checked, counted readings, one at a time.

The reader is lazy: memory is bounded by one line (for a FHIR document, by the document), whatever the log's length.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

from muniment.errors import InputError, UnreachableError
from muniment.ingest.audit.reading import Reading
from muniment.ingest.audit.tally import Policy, Summary, Tally
from muniment.ingest.leaks.leak import shown

_CUT: Final = (EOFError, zlib.error, gzip.BadGzipFile)
"""What a stream over gzip raises when its bytes are damaged or end too soon."""


class AuditSource(Protocol):
    """One form of log. `form` names it for people."""

    @property
    def form(self) -> str: ...

    def readings(self, stream: BinaryIO, tally: Tally) -> Iterator[Reading]:
        """The disclosures of a log in its order. What cannot be read goes to `tally.refuse`, what is none is counted
        there; no exception but those of `muniment.errors` and of the stream itself."""
        ...


class AuditReader:
    """An iterator over one log, once. Owns the tally; `summary` is final when the iteration has ended."""

    def __init__(self, stream: BinaryIO, source: AuditSource, tally: Tally) -> None:
        self._stream, self._source, self._tally = stream, source, tally
        self._begun = False

    def __iter__(self) -> Iterator[Reading]:
        """The readings, in the order of the log.

        Raises:
            InputError: a malformed line under `Policy.STRICT`, or a second iteration.
            LimitError: a document that must be held in memory is too large.
            UnreachableError: the stream cannot be read on.
        """
        if self._begun:
            raise InputError(f"{self._tally.name}: a log is read once", hint="open it again")
        self._begun = True
        try:
            for reading in self._source.readings(self._stream, self._tally):
                if reason := reading.fault():
                    self._tally.refuse(reading.line, reason)
                    continue
                self._tally.count(reading)
                yield reading
        except _CUT as error:
            raise InputError(f"{self._tally.name}: not a whole gzip file", hint="copy the file again") from error
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise UnreachableError(f"{self._tally.name}: cannot be read: {reason}") from error

    def summary(self) -> Summary:
        """What was read so far, what was refused, and what can no longer be answered."""
        return self._tally.summary(self._source.form)


def read_audit(
    stream: BinaryIO, source: AuditSource, *, name: str = "audit log", policy: Policy = Policy.STRICT
) -> AuditReader:
    """Read a log; `name` is for messages. See `AuditReader` for what iterating over it raises."""
    return AuditReader(stream, source, Tally(shown(name), policy))
