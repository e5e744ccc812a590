"""Two custodians: mark secrets wrapped so that neither custodian, nor the ring's passphrase alone, opens them.

The inner box is custodian 2's, the outer one custodian 1's; each has a passphrase lock of its own, so that a wrong
passphrase is laid at the right door.
"""

from __future__ import annotations

from collections.abc import Callable

from muniment.errors import PassphraseError
from muniment.passphrase import PassphraseLock
from muniment.sealed import seal, unseal

Locks = tuple[PassphraseLock, PassphraseLock]
Keks = tuple[bytes, bytes]
_WHOSE = ("the passphrase of custodian 1", "the passphrase of custodian 2")


def make(passphrases: tuple[str, str], ring: str, random_bytes: Callable[[int], bytes]) -> tuple[Locks, Keks]:
    """Make the locks of two custodians; `PassphraseError` where two of the passphrases are equal or one is short."""
    if len({*passphrases, ring}) < 3:
        raise PassphraseError("custodian 1, custodian 2 and the key ring need three different passphrases")
    (first, first_kek), (second, second_kek) = (
        PassphraseLock.make(passphrase, random_bytes, whose=whose)
        for passphrase, whose in zip(passphrases, _WHOSE, strict=True)
    )
    return (first, second), (first_kek, second_kek)


def open_locks(locks: Locks, first: str | None, second: str | None) -> Keks:
    """The keys of both custodians; `PassphraseError` says whose passphrase is missing or wrong."""
    for passphrase, lock, whose in zip((first, second), locks, _WHOSE, strict=True):
        if passphrase is None:
            lock.open(None, whose=whose)
    return locks[0].open(first, whose=_WHOSE[0]), locks[1].open(second, whose=_WHOSE[1])


def wrap(secret: bytes, keks: Keks, place: bytes) -> bytes:
    """Nest a secret: custodian 2's box inside custodian 1's."""
    return seal(keks[0], seal(keks[1], secret, place + b"custodian 2"), place + b"custodian 1")


def unwrap(box: bytes, keks: Keks, place: bytes, *, what: str) -> bytes:
    """Undo `wrap`; `IntegrityError` names `what` where a box does not verify."""
    inner = unseal(keks[0], box, place + b"custodian 1", what=f"{what} (box of custodian 1)")
    return unseal(keks[1], inner, place + b"custodian 2", what=f"{what} (box of custodian 2)")
