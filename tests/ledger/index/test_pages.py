"""Pages: read back as written, in a cache of any size; nothing that was altered opens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from language.rings import segment_keys
from muniment.errors import InputError, IntegrityError
from muniment.ledger.index.pages import LEAST_CACHE_PAGES, PAGE_BYTES, PageCache, PageFile, PageWriter

KEYS = segment_keys(2)
STEP = 1024


def _write(path: Path, content: dict[str, bytes], *, file_id: bytes = b"f" * 16, step: int = STEP) -> Path:
    writer = PageWriter(KEYS[-1], file_id, dict.fromkeys(content, step))
    chunks = []
    for start in range(0, max(map(len, content.values()), default=0), 700):  # sections grow side by side
        for name, data in content.items():
            writer.add(name, data[start : start + 700])
        chunks.append(writer.drain())
    path.write_bytes(b"".join(chunks) + writer.finish({"n": 7}))
    return path


def _content(size: int = 5_000) -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    return {"a": rng.bytes(size), "b": b"", "c": rng.bytes(2 * STEP), "d": b"x"}


def test_sections_are_read_back(tmp_path: Path) -> None:
    content = _content()
    file = PageFile(_write(tmp_path / "f", content), KEYS, PageCache(0))
    assert file.meta == {"n": 7}
    assert file.file_id == b"f" * 16
    for name, data in content.items():
        assert (file.size(name), file.read(name)) == (len(data), data)
    assert file.read("a", 1000, 2100) == content["a"][1000:2100]
    assert file.read("a", 4999, 9999) == content["a"][4999:]
    assert file.read("a", 6000, 7000) == b""
    places = np.array([0, 4992 // 8, 3, 3, 200])
    assert np.array_equal(file.words("a", places), np.frombuffer(content["a"], "<u8", 625)[places])
    assert np.array_equal(file.halves("a", places), np.frombuffer(content["a"], "<u4")[places])
    assert np.array_equal(file.octets("c", places), np.frombuffer(content["c"], np.uint8)[places])
    file.close()
    file.close()


def test_a_cache_smaller_than_the_file_gives_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    data = rng.bytes(5 * LEAST_CACHE_PAGES * STEP)
    cache = PageCache(0)
    first = PageFile(_write(tmp_path / "f", {"a": data}), KEYS, cache)
    second = PageFile(_write(tmp_path / "g", {"a": data[::-1]}, file_id=b"g" * 16), KEYS, cache)
    assert len(cache) == LEAST_CACHE_PAGES
    for _ in range(30):
        places = rng.integers(0, len(data), int(rng.choice([3, 100, 20_000])))
        assert np.array_equal(first.octets("a", places), np.frombuffer(data, np.uint8)[places])
        assert np.array_equal(second.octets("a", places), np.frombuffer(data[::-1], np.uint8)[places])
    first.close()
    places = np.arange(0, len(data), 997)
    assert np.array_equal(second.octets("a", places), np.frombuffer(data[::-1], np.uint8)[places])


def test_pages_read_from_the_cache_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PageFile(_write(tmp_path / "f", _content()), KEYS, PageCache(0))
    wanted = file.octets("a", np.arange(5_000))

    def refuse(*_: object) -> bytes:
        raise OSError(5, "input/output error")

    monkeypatch.setattr("os.pread", refuse)
    assert np.array_equal(file.octets("a", np.arange(5_000)), wanted)


def test_no_flipped_bit_is_read(tmp_path: Path) -> None:
    content = _content(2_000)
    path = _write(tmp_path / "f", content)
    whole = path.read_bytes()
    for at in range(0, len(whole), 41):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(IntegrityError, match="index"):
            _read_all(path)


def test_no_shortened_or_longer_file_opens(tmp_path: Path) -> None:
    path = _write(tmp_path / "f", _content(2_000))
    whole = path.read_bytes()
    for end in [*range(0, 60), *range(100, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:end])
        with pytest.raises(IntegrityError):
            _read_all(path)
    for longer in (whole + b"\0", whole + whole, whole[:1060] + whole[20:]):
        path.write_bytes(longer)
        with pytest.raises(IntegrityError):
            _read_all(path)


def test_pages_stay_in_their_place_and_file(tmp_path: Path) -> None:
    content = {"a": bytes(3 * STEP)}
    one, other = (_write(tmp_path / n, content, file_id=n.encode() * 16) for n in "pq")
    whole, page, head = one.read_bytes(), STEP + 16, 36
    swapped = whole[:head] + whole[head + page : head + 2 * page] + whole[head : head + page] + whole[head + 2 * page :]
    one.write_bytes(swapped)
    with pytest.raises(IntegrityError, match="page 0"):
        _read_all(one)
    foreign = other.read_bytes()
    one.write_bytes(whole[:head] + foreign[head : head + page] + whole[head + page :])
    with pytest.raises(IntegrityError, match="page 0"):
        _read_all(one)


def test_wrong_keys_and_missing_files_have_their_messages(tmp_path: Path) -> None:
    path = _write(tmp_path / "f", _content())
    with pytest.raises(IntegrityError, match="segment-2"):
        PageFile(path, KEYS[:1], PageCache(0))
    with pytest.raises(InputError, match="missing"):
        PageFile(tmp_path / "none", KEYS, PageCache(0))
    forged = bytes(path.read_bytes()[:32]) + (1).to_bytes(4, "big") + path.read_bytes()[36:]
    path.write_bytes(forged)
    with pytest.raises(IntegrityError, match="does not verify"):
        PageFile(path, KEYS, PageCache(0))


def test_a_failed_page_leaves_the_cache_whole(tmp_path: Path) -> None:
    path = _write(tmp_path / "f", {"a": bytes(range(256)) * 40})
    whole = bytearray(path.read_bytes())
    whole[36 + 3 * (STEP + 16)] ^= 1
    path.write_bytes(whole)
    file = PageFile(path, KEYS, PageCache(0))
    good = np.arange(3 * STEP)
    before = file.octets("a", good)
    with pytest.raises(IntegrityError):
        file.octets("a", np.arange(10_000))
    assert np.array_equal(file.octets("a", good), before)


def test_a_page_with_its_tag_fills_64_kib() -> None:
    assert PAGE_BYTES + 16 == 65_536


def _read_all(path: Path) -> None:
    file = PageFile(path, KEYS, PageCache(0))
    try:
        for name in "abcd":
            file.read(name)
    finally:
        file.close()
