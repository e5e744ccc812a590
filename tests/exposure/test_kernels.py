"""Kernels against numpy, on both sides of each choice they make; compiled code is the plain function."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import InputError, MissingExtraError
from muniment.exposure import kernels

KEYS = st.lists(st.integers(0, 40) | st.integers(2**63 - 3, 2**63 - 1), max_size=60)


def brute(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The size of each row's class, and the sizes of all classes, sorted."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return counts[inverse.reshape(-1)], np.sort(counts)


def check_numbering(keys: np.ndarray, found: tuple[np.ndarray, np.ndarray]) -> None:
    ids, sizes = found
    per_row, counts = brute(keys)
    assert ids.dtype == np.uint32 and sizes.dtype == np.int64
    assert (sizes[ids] == per_row).all() and (np.sort(sizes) == counts).all()
    assert len(set(zip(keys.tolist(), ids.tolist(), strict=True))) == len(counts)


@given(KEYS)
def test_hashed_numbers_are_those_of_numpy(keys: list[int]):
    array = np.array(keys, np.uint64)
    check_numbering(array, kernels._numbered_by_hash(array))


@given(st.lists(st.integers(0, 300), max_size=60))
def test_ranked_numbers_are_those_of_numpy_in_the_order_of_keys(keys: list[int]):
    array = np.array(keys, np.uint32)
    found = kernels._numbered_by_rank(array, 301)
    check_numbering(array, found)
    assert (found[0] == np.unique(array, return_inverse=True)[1].reshape(-1)).all()


@pytest.mark.parametrize("pattern", ["equal", "all different", "one bit", "far apart", "falling"])
def test_a_table_that_grows_keeps_every_key(pattern: str):
    rows = 50_000
    keys = {
        "equal": np.full(rows, 2**62, np.uint64),
        "all different": np.arange(rows, dtype=np.uint64),
        "one bit": np.uint64(1) << (np.arange(rows, dtype=np.uint64) % np.uint64(63)),
        "far apart": np.arange(rows, dtype=np.uint64) << np.uint64(40),
        "falling": np.arange(rows, 0, -1).astype(np.uint64) * np.uint64(2**32),
    }[pattern]
    check_numbering(keys, kernels._numbered_by_hash(keys))


def unmixed(mixed: int) -> int:
    """The key that the finaliser turns into this value."""
    for factor in (0xC4CEB9FE1A85EC53, 0xFF51AFD7ED558CCD):
        mixed = (mixed ^ mixed >> 33) * pow(factor, -1, 2**64) % 2**64
    return mixed ^ mixed >> 33


def test_keys_that_share_a_slot_are_told_apart():
    keys = np.array([unmixed(number << 33 ^ number << 33 >> 33) for number in range(3_000)], np.uint64)
    check_numbering(keys, kernels._numbered_by_hash(np.concatenate([keys, keys])[: len(keys)]))
    twice = np.concatenate([keys, keys[::-1]])
    check_numbering(twice, kernels._numbered_by_hash(twice))


@pytest.mark.parametrize("cells", [1, 2, 31, 32, 33, 63, 64, 65, 1_000])
def test_edges_of_words(cells: int):
    keys = np.arange(cells, dtype=np.uint32)
    zeros = np.zeros(cells, np.uint8)
    check_numbering(keys, kernels.numbered(keys, cells))
    assert kernels.tallied(keys, zeros, 1, cells) == (cells, cells)
    twice = np.concatenate([keys, keys[-1:]])
    assert kernels.tallied(twice, np.zeros(cells + 1, np.uint8), 1, cells) == (cells, cells - 1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), max_size=80), st.booleans())
def test_tallies_and_sizes_are_those_of_numpy_direct_or_hashed(rows: list[tuple[int, int]], direct: bool):
    keys, codes = np.array([r[0] for r in rows], np.uint32), np.array([r[1] for r in rows], np.uint8)
    cells = 70 if direct else 2**62
    _, counts = brute(keys.astype(np.int64) * 7 + codes)
    assert kernels.tallied(keys, codes, 7, cells) == (len(counts), (counts == 1).sum())
    told = kernels.sizes_told(kernels.combined(keys, codes, 7, cells), cells)
    assert (told == np.bincount(counts, minlength=256)).all()


@pytest.mark.parametrize("cells", [3, 2**62])
@pytest.mark.parametrize("size", [1, 2, 3, 254, 255, 256, 257, 1_000])
def test_sizes_above_the_cap_are_told_as_the_cap(size: int, cells: int):
    told = kernels.sizes_told(np.repeat(np.array([2, 0], np.uint64), [size, 1]), cells)
    expected = np.zeros(256, np.int64)
    expected[min(size, 255)] += 1
    expected[1] += 1
    assert told.tolist() == expected.tolist()


@pytest.mark.parametrize("function", [kernels._mark, kernels._count_bytes])
def test_compiled_code_is_the_plain_function(function):
    keys = np.array([0, 5, 5, 63], np.uint64)
    kind = np.uint64 if function is kernels._mark else np.uint8
    plain, made = np.zeros(64, kind), np.zeros(64, kind)
    function(keys, plain)
    kernels.compiled(function)(keys, made)
    assert (plain == made).all()


def test_products_are_built_as_wide_as_they_must_be():
    keys, codes = np.array([2**16 - 1], np.uint16), np.array([2**16 - 1], np.uint16)
    assert kernels.combined(keys, codes, 2**16, 2**32 - 1).dtype == np.uint32
    assert kernels.combined(keys, codes, 2**16, 2**32).tolist() == [2**32 - 1]
    assert kernels.combined(keys, codes, 2**20, 2**36).tolist() == [(2**16 - 1) * 2**20 + 2**16 - 1]
    wide = np.array([2**32 - 1], np.uint32)
    assert kernels.combined(wide, wide, 2**31, 2**63).tolist() == [(2**32 - 1) * 2**31 + 2**32 - 1]


def test_without_numba_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(kernels, "import_module", missing)
    with pytest.raises(MissingExtraError, match="numba") as refused:
        kernels.compiled(lambda: None)
    assert isinstance(refused.value, InputError) and "muniment[exposure]" in refused.value.hint


def test_code_is_compiled_also_where_none_can_be_kept(monkeypatch: pytest.MonkeyPatch):
    import numba

    real = numba.njit

    def nowhere(**options: bool):
        if options.get("cache"):
            raise RuntimeError("no locator")
        return real(**options)

    monkeypatch.setattr(numba, "njit", nowhere)

    def plus_one(number: int) -> int:
        return number + 1

    assert kernels.compiled(plus_one)(2) == 3
