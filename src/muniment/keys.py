"""The key ring: every secret of a workspace, each in a box of its own, under one passphrase.

Rules
1. Four purposes, separate secrets: *mark* (codebook), *pseudonym* (stand-ins for record keys), *segment* (journal and
   sealed files), *signing* (Ed25519). A key keeps its id, such as `mark-1`, for ever: rotation adds, never removes.
2. The right passphrase and an altered ring are told apart: the check box fails -> `PassphraseError`; after it, any box
   or the seal over the whole list fails -> `IntegrityError`.
3. With custodians a mark secret lies in three boxes: custodian 2's inside custodian 1's inside the ring's. The ring's
   passphrase alone neither marks nor traces.
4. The signing box may be missing (`write_without_signing`): everything but signing works.
5. Every change is made under a lock, on what the file holds now, and replaces the file as a whole.

A commitment is SHA-256(label, id, secret) over a 32-byte random secret: it hides the secret and fixes it. It stands in
the ring in clear, so that it can be printed and logged while the mark keys are locked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from muniment import custody, limits
from muniment.durable import locked, read_file, replace_file, storage_faults
from muniment.errors import InputError, IntegrityError, PassphraseError
from muniment.passphrase import CUSTODIANS, PassphraseLock
from muniment.ringfile import Entry, RingFile, parse_ring, render_ring
from muniment.sealed import seal, unseal

RandomBytes = Callable[[int], bytes]
_COMMITMENT = b"muniment key commitment 1"
_RING = "the passphrase of the key ring"
SECRET_BYTES = 32


class Purpose(StrEnum):
    """What a key is for; a key of one purpose is never used for another."""

    MARK = "mark"
    PSEUDONYM = "pseudonym"
    SEGMENT = "segment"
    SIGNING = "signing"


@dataclass(frozen=True, slots=True)
class Key:
    """One secret of 32 bytes with its id (`mark-1`). The secret shows in no repr."""

    id: str
    purpose: Purpose
    secret: bytes = field(repr=False)

    @property
    def number(self) -> int:
        """The number in the id: keys of one purpose are numbered from 1."""
        return int(self.id.rpartition("-")[2])

    @property
    def commitment(self) -> str:
        """SHA-256 over label, id and secret, as hex: fixes the key without showing it."""
        parts = (_COMMITMENT, self.id.encode(), self.secret)
        return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()


class KeyRing:
    """An open key ring. It owns the secrets in memory; the file belongs to whoever holds the lock beside it."""

    def __init__(self, path: Path, kek: bytes, stored: RingFile) -> None:
        """For `create` and `open` only: `kek` is the key that the passphrase gave."""
        self._path = path
        self._kek = kek
        self._stored = stored
        self._custodian_keks: tuple[bytes, bytes] | None = None
        self._keys = self._open_boxes()

    def __repr__(self) -> str:
        return f"KeyRing({str(self._path)!r})"

    @classmethod
    def create(
        cls,
        path: Path,
        passphrase: str,
        *,
        now: datetime,
        random_bytes: RandomBytes,
        custodians: tuple[str, str] | None = None,
    ) -> KeyRing:
        """Write a new ring with one key of each purpose, and open it (with custodians: unlocked).

        Raises `InputError` where there is a ring already, `PassphraseError` for a passphrase too short or used twice.
        """
        with storage_faults(path.parent, "make the folder"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with cls._writing(path):
            if path.exists():
                raise InputError(f"{path}: there is a key ring already; it stays", hint="choose another folder")
            lock, kek = PassphraseLock.make(passphrase, random_bytes, whose=_RING)
            locks, keks = custody.make(custodians, passphrase, random_bytes) if custodians else (None, None)
            ring = cls(path, kek, RingFile(lock, locks, ()))
            ring._custodian_keks = keks
            for purpose in Purpose:
                ring._add(purpose, now, random_bytes)
            ring._write(ring._stored)
        return ring

    @classmethod
    def open(cls, path: Path, passphrase: str) -> KeyRing:
        """Open a ring. Mark keys under custody stay locked until `unlock_custody`.

        Raises `InputError` where there is none, `PassphraseError` for a wrong passphrase, `IntegrityError` where the
        ring was altered. Nothing is written.
        """
        stored = _read(path)
        return cls(path, stored.lock.open(passphrase, whose=_RING), stored)

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def has_custodians(self) -> bool:
        """Whether the mark keys are wrapped for two custodians."""
        return self._stored.custodians is not None

    @property
    def custody_open(self) -> bool:
        """Whether both custodians have given their passphrases."""
        return self._custodian_keks is not None

    def current(self, purpose: str) -> Key:
        """The newest key of a purpose. Raises as `all`."""
        return self.all(purpose)[-1]

    def all(self, purpose: str) -> tuple[Key, ...]:
        """The keys of a purpose, old ones first.

        Raises `PassphraseError` where they are under custody and locked, `InputError` where the boxes are missing.
        """
        wanted = Purpose(purpose)
        entries = [entry for entry in self._stored.entries if entry.purpose == wanted]
        if any(entry.custody for entry in entries) and self._custodian_keks is None:
            raise PassphraseError(
                "the mark keys are locked: the passphrases of custodian 1 and custodian 2 are missing",
                hint=f"set {' and '.join(CUSTODIANS)}",
            )
        keys = tuple(self._keys[entry.id] for entry in entries if entry.id in self._keys)
        if not keys or keys[-1].id != entries[-1].id:
            raise InputError(
                f"{self._path}: this key ring holds no {wanted} key; everything else works",
                hint="use the ring of someone who may sign",
            )
        return keys

    def commitments(self) -> Mapping[str, str]:
        """Key id -> commitment (hex) of every key, locked ones too, old ones first."""
        return {entry.id: entry.commitment for entry in self._stored.entries}

    def public_keys(self) -> dict[str, str]:
        """Key id -> Ed25519 public key (hex) of every signing key that the ring holds; none without signing boxes."""
        signing = [key for key in self._keys.values() if key.purpose == Purpose.SIGNING]
        private = {key.id: Ed25519PrivateKey.from_private_bytes(key.secret) for key in signing}
        return {key_id: key.public_key().public_bytes_raw().hex() for key_id, key in private.items()}

    # --- changing ------------------------------------------------------------------------------------------------

    def unlock_custody(self, first: str | None, second: str | None) -> None:
        """Open the mark keys with the passphrases of custodian 1 and custodian 2.

        Raises `PassphraseError` that says whose passphrase is missing or wrong; `InputError` where the ring has no
        custodians.
        """
        if self._stored.custodians is None:
            raise InputError(f"{self._path}: this key ring has no custodians; its own passphrase opens everything")
        self._custodian_keks = custody.open_locks(self._stored.custodians, first, second)
        self._keys = self._open_boxes()

    def rotate(self, purpose: str, *, now: datetime, random_bytes: RandomBytes) -> Key:
        """Add a new key of a purpose and make it the current one; old keys stay, so old copies stay traceable.

        Mark keys under custody need `unlock_custody` first. The caller logs the new commitment.
        """
        wanted = Purpose(purpose)
        with self._writing(self._path):
            self._reload()
            self.all(wanted)  # refuses where the old ones are locked or missing
            before = self._stored
            try:
                key = self._add(wanted, now, random_bytes)
                self._write(self._stored)
            except BaseException:
                self._adopt(before)
                raise
        return key

    def change_passphrase(self, new: str, *, random_bytes: RandomBytes) -> None:
        """Put another passphrase on the ring; custodians keep theirs. A crash leaves the old or the new one valid.

        Whoever kept the old file with the old passphrase still opens that: rotate the keys where that is feared.
        """
        with self._writing(self._path):
            self._reload()
            lock, kek = PassphraseLock.make(new, random_bytes, whose=_RING)
            entries = tuple(self._resealed(entry, kek) for entry in self._stored.entries)
            stored = replace(self._stored, lock=lock, entries=entries)
            replace_file(self._path, [render_ring(stored, kek)])
            self._kek, self._stored = kek, stored

    def write_without_signing(self, path: Path) -> None:
        """Write this ring without its signing secrets, for someone who releases and traces but never signs."""
        entries = tuple(replace(e, box=None) if e.purpose == Purpose.SIGNING else e for e in self._stored.entries)
        replace_file(path, [render_ring(replace(self._stored, entries=entries), self._kek)])

    # --- boxes ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _writing(path: Path) -> AbstractContextManager[None]:
        return locked(path.with_name("lock"))

    def _write(self, stored: RingFile) -> None:
        replace_file(self._path, [render_ring(stored, self._kek)])

    def _reload(self) -> None:
        """Take up what others wrote since this ring was opened; a changed passphrase is a `PassphraseError`."""
        stored = _read(self._path)
        if stored.lock != self._stored.lock:
            raise PassphraseError(f"{self._path}: the passphrase was changed meanwhile", hint="open the ring again")
        self._adopt(stored)

    def _adopt(self, stored: RingFile) -> None:
        self._stored = stored
        self._keys = self._open_boxes()

    def _add(self, purpose: Purpose, now: datetime, random_bytes: RandomBytes) -> Key:
        number = 1 + sum(entry.purpose == purpose for entry in self._stored.entries)
        key = Key(f"{purpose}-{number}", purpose, random_bytes(SECRET_BYTES))
        place, in_custody, content = _place(key.id, purpose), False, key.secret
        if purpose == Purpose.MARK and self._custodian_keks is not None:
            in_custody, content = True, custody.wrap(content, self._custodian_keks, place)
        made = now.isoformat(timespec="seconds")
        entry = Entry(key.id, purpose, made, key.commitment, in_custody, seal(self._kek, content, place))
        self._stored = replace(self._stored, entries=(*self._stored.entries, entry))
        self._keys[key.id] = key
        return key

    def _resealed(self, entry: Entry, kek: bytes) -> Entry:
        if entry.box is None:
            return entry
        place = _place(entry.id, entry.purpose)
        return replace(entry, box=seal(kek, unseal(self._kek, entry.box, place, what=entry.id), place))

    def _open_boxes(self) -> dict[str, Key]:
        self._stored.verify(self._path, self._kek)
        opened = (self._open_box(entry) for entry in self._stored.entries)
        return {key.id: key for key in opened if key is not None}

    def _open_box(self, entry: Entry) -> Key | None:
        if entry.box is None:
            return None
        place, what = _place(entry.id, entry.purpose), f"{self._path}: key {entry.id}"
        content = unseal(self._kek, entry.box, place, what=what)
        if entry.custody:
            if self._custodian_keks is None:
                return None
            content = custody.unwrap(content, self._custodian_keks, place, what=what)
        key = Key(entry.id, Purpose(entry.purpose), content)
        if not compare_digest(key.commitment, entry.commitment):
            raise IntegrityError(f"{what} does not match its commitment: the ring was altered")
        return key


def _place(key_id: str, purpose: str) -> bytes:
    """The associated data of a box: it opens under this id and purpose only."""
    return json.dumps(["muniment key 1", purpose, key_id]).encode()


def _read(path: Path) -> RingFile:
    data = read_file(path, limits.KEY_RING_BYTES)
    if data is None:
        raise InputError(f"{path}: there is no key ring", hint="muniment init DIR makes a workspace with one")
    return parse_ring(path, data)
