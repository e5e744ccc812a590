"""Pseudonyms are a fixed keyed function of register and key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from muniment.disclosure import canonical_key
from muniment.keys import Key, Purpose
from muniment.prf import hkdf
from muniment.pseudonym import pseudonyms

KEY = Key("pseudonym-1", Purpose.PSEUDONYM, bytes(range(32)))
KEYS = [canonical_key([name]) for name in ("A123456789", "王小明", "x" * 100)]


def test_equals_one_cmac_for_each_key() -> None:
    for got, key in zip(pseudonyms(KEY, "persons", KEYS), KEYS, strict=True):
        mac = CMAC(AES(hkdf(KEY.secret, "muniment pseudonym 1", "persons")))
        mac.update(key)
        assert int(got) == int.from_bytes(mac.finalize()[:8], "big")


def test_registers_and_keys_are_kept_apart() -> None:
    other = Key("pseudonym-2", Purpose.PSEUDONYM, bytes(32))
    drawn = [pseudonyms(KEY, "persons", KEYS), pseudonyms(KEY, "staff", KEYS), pseudonyms(other, "persons", KEYS)]
    assert len({int(value) for values in drawn for value in values}) == 9


def test_key_of_another_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="mark-1"):
        pseudonyms(Key("mark-1", Purpose.MARK, bytes(32)), "persons", KEYS)


def test_no_keys_no_pseudonyms() -> None:
    assert pseudonyms(KEY, "persons", []).shape == (0,)
