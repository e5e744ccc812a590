"""Checkpoints (C2SP tlog-checkpoint): origin, size and root of the tree in a signed note, and its witnesses. Pure.

Rules
1. A checkpoint is believed once a key of the log has signed it *and* its origin is the one expected: a note of another
   keeper's log is told from a forged one.
2. A witness's signature that is there must verify, as any of a known key must. Whether one must be there is for the
   caller to say: a new checkpoint has none yet.
3. Size: decimal, without leading zeros, below 2**63. Root: 32 bytes. Extension lines are kept, and never written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from muniment.errors import InputError, IntegrityError
from muniment.ledger.log.note import (
    Kind,
    Note,
    Signature,
    Signer,
    VerifierKey,
    decode64,
    encode64,
    open_note,
    parse_note,
    sign_note,
)
from muniment.ledger.log.tree import DIGEST_BYTES

SIZE_END: Final = 1 << 63
"""Sizes end below this: Go's verifiers hold them in 63 bits."""
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log says of itself: `size` leaves lie under `root` (32 bytes), and always will."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), encode64(self.root), *self.extensions))

    @classmethod
    def parse(cls, text: str, *, what: str = "the checkpoint") -> Checkpoint:
        """Read the text of a note. Raises `IntegrityError` where it is no checkpoint."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise IntegrityError(f"{what}: expected three lines or more, none of them empty")
        origin, size, root, *extensions = lines
        digest = decode64(root)
        if not _SIZE.fullmatch(size) or int(size) >= SIZE_END:
            raise IntegrityError(f"{what}: the second line is no size")
        if digest is None or len(digest) != DIGEST_BYTES:
            raise IntegrityError(f"{what}: the third line is no root hash")
        return cls(origin, int(size), digest, tuple(extensions))

    def same_tree(self, other: Checkpoint) -> bool:
        """Whether both say the same of the tree."""
        return (self.size, self.root) == (other.size, other.root)


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified checkpoint, the note it came in, and which witnesses signed it when (name -> POSIX seconds)."""

    checkpoint: Checkpoint
    note: bytes
    witnessed: Mapping[str, int]


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The signed note of a checkpoint."""
    return sign_note(str(checkpoint), [signer])


def open_checkpoint(
    data: bytes,
    keys: Sequence[VerifierKey],
    origin: str,
    *,
    witnesses: Sequence[VerifierKey] = (),
    what: str = "the checkpoint",
) -> Signed:
    """Verify a checkpoint (rules 1 and 2). `keys`: those of the log, old ones too; `what` names it in messages.

    Raises `IntegrityError` where it is malformed, of another log, or does not verify.
    """
    # 1. of this log, 2. signed by it, and no known witness's signature is a bad one
    parsed = Checkpoint.parse(parse_note(data, what=what).text, what=what)
    if parsed.origin != origin:
        raise IntegrityError(
            f"{what} belongs to the log {parsed.origin[:80]!r}; expected {origin!r}",
            hint="each ledger needs a folder and a second place of its own: see that none was exchanged",
        )
    note = open_note(data, keys, others=witnesses, what=what)
    witnessed = {key.name: made.time for key in witnesses for made in note.signatures if key.made(made)}
    return Signed(parsed, data, witnessed)


def cosign(data: bytes, witness: Signer, time: int) -> str:
    """The signature line that a witness adds to a checkpoint which it has checked (`time`: POSIX seconds)."""
    return str(witness.sign(parse_note(data).text, time))


def add_cosignature(data: bytes, line: str, witnesses: Sequence[VerifierKey]) -> bytes:
    """Add the line of a witness to the note of a checkpoint; an older line of the same key gives way.

    Raises `InputError` where the line is not of one of `witnesses`, `IntegrityError` where it does not verify.
    """
    note = parse_note(data)
    added = _parse_line(line)
    key = next((key for key in witnesses if key.kind is Kind.COSIGNATURE and key.made(added)), None)
    if key is None:
        raise InputError(
            f"a signature of {added.name[:80]}: no such witness is configured",
            hint="add its verifier key to `witnesses` under [ledger] in muniment.toml",
        )
    key.verify(note.text, added)
    others = tuple(made for made in note.signatures if not key.made(made))
    return Note(note.text, (*others, added)).encode()


def _parse_line(line: str) -> Signature:
    try:
        (signature,) = parse_note(f"-\n\n{line.strip()}\n".encode()).signatures
    except (IntegrityError, ValueError) as error:
        raise InputError(f"{line[:80]!r} is no signature line; expected: — NAME BASE64") from error
    return signature
