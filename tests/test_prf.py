import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from muniment.prf import BlockFunction, cmac64_many, cmac_many, cmac_rows, hkdf, spread


def library_cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


@given(st.binary(min_size=16, max_size=16), st.lists(st.binary(max_size=70), max_size=20))
def test_cmac_of_many_equals_the_librarys_cmac_of_each(key: bytes, messages: list[bytes]) -> None:
    assert [row.tobytes() for row in cmac_many(key, messages)] == [library_cmac(key, m) for m in messages]


@given(st.binary(min_size=16, max_size=16), st.lists(st.binary(max_size=70), max_size=20), st.integers(0, 20))
def test_cmac_of_rows_equals_cmac_of_messages(key: bytes, messages: list[bytes], more: int) -> None:
    lengths = np.array([len(message) for message in messages], np.int64)
    rows = spread(b"".join(messages), lengths, max(lengths.tolist(), default=0) + more)
    before = rows.copy()
    assert (cmac_rows(key, rows, lengths) == cmac_many(key, messages)).all()
    assert (rows == before).all()


def test_cmac_of_many_over_more_than_one_chunk_equals_that_of_each() -> None:
    messages = [b"%d" % (n * 7919) for n in range(70_000)] + [b"x" * 40] * 30_000
    macs = cmac_many(b"k" * 16, messages)
    for i in (0, 65_535, 65_536, 69_999, 70_000, 99_999):
        assert macs[i].tobytes() == library_cmac(b"k" * 16, messages[i])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", "bb1d6929e95937287fa37d129b756746"),
        ("6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c"),
        (
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
            "dfa66747de9ae63030ca32611497c827",
        ),
    ],
)
def test_rfc_4493_vectors(message: str, expected: str) -> None:
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert cmac_many(key, [bytes.fromhex(message)])[0].tobytes().hex() == expected


def test_the_first_64_bits_are_big_endian() -> None:
    assert int(cmac64_many(b"k" * 16, [b"a"])[0]) == int.from_bytes(library_cmac(b"k" * 16, b"a")[:8], "big")


def test_aes_blocks_over_more_than_one_chunk_equal_the_blocks_alone() -> None:
    aes = BlockFunction(bytes(16))
    blocks = np.random.default_rng(1).integers(0, 256, (70_000, 16), dtype=np.uint8)
    whole = aes(blocks)
    for row in (0, 65_535, 65_536, 69_999):
        assert (aes(blocks[row : row + 1])[0] == whole[row]).all()


def test_hkdf_tells_its_labels_apart() -> None:
    assert len({hkdf(b"s", "ab", "c"), hkdf(b"s", "a", "bc"), hkdf(b"s", "abc"), hkdf(b"t", "ab", "c")}) == 4


def test_a_key_never_shows() -> None:
    assert repr(BlockFunction(b"secretsecretsecr")) == "BlockFunction()"
