"""The container: any part can be read, and every way to change the file is found."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.faults import Faults, names_in
from language.rings import segment_keys
from muniment.errors import InputError, IntegrityError, LimitError, UnreachableError
from muniment.ledger.segments import container
from muniment.ledger.segments.container import FRAME, HEADER_BYTES, Container, SegmentKey, write_container

KEYS = segment_keys(2)
OWN = SegmentKey(b"i" * 16, b"s" * 32)


def _write(path: Path, *chunks: bytes, own: SegmentKey = OWN) -> container.Written:
    return write_container(path, chunks, own=own, key=KEYS[0], random_bytes=os.urandom)


@pytest.fixture(scope="module")
def content() -> bytes:
    return os.urandom(2 * FRAME + 1_000)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "one.seg"
    _write(path, content[:10], b"", content[10 : FRAME + 7], content[FRAME + 7 :])
    return path


def test_written_is_what_lies_there(tmp_path: Path) -> None:
    path = tmp_path / "one.seg"
    written = _write(path, b"content")
    assert written == container.Written(sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    assert path.stat().st_mode & 0o777 == 0o600
    opened = Container.open(path, KEYS)
    assert (opened.own, opened.size, b"".join(opened.chunks())) == (OWN, 7, b"content")
    assert "sss" not in repr(opened) + repr(opened.own)
    with pytest.raises(ValueError, match="one byte or more"):
        _write(tmp_path / "none.seg")
    assert names_in(tmp_path) == {"one.seg"}


@pytest.mark.parametrize("size", [1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME])
def test_sizes_around_a_frame(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    _write(tmp_path / "one.seg", content)
    opened = Container.open(tmp_path / "one.seg", KEYS)
    assert b"".join(opened.chunks()) == content
    assert opened.read(0, size) == content
    with pytest.raises(ValueError, match="bytes"):
        opened.read(0, size + 1)


@given(st.integers(0, 2 * FRAME + 1_000), st.integers(0, 2 * FRAME + 1_000))
@settings(max_examples=60)
def test_any_part_is_read(sealed: Path, content: bytes, one: int, other: int) -> None:
    start, stop = sorted((one, other))
    assert Container.open(sealed, KEYS).read(start, stop - start) == content[start:stop]


def test_reading_on_verifies_no_frame_twice(sealed: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces that overlap, as the heads of pages and their bodies do, also across the ends of frames."""
    opened, verified = Container.open(sealed, KEYS), []
    real = Container._decrypted

    def counted(container: Container, number: int, data: bytes) -> bytes:
        verified.append(number)
        return real(container, number, data)

    monkeypatch.setattr(Container, "_decrypted", counted)
    for start in [*range(0, FRAME, 200_000), FRAME - 5, FRAME - 20, FRAME - 1, *range(FRAME, len(content), 100_000)]:
        length = min(150_000, len(content) - start)
        assert opened.read(start, length) == content[start : start + length]
    assert verified == [0, 1, 2]


# --- damage ------------------------------------------------------------------------------------------------------


def _opened_whole(path: Path) -> bytes:
    return b"".join(Container.open(path, KEYS).chunks())


def _is_refused(path: Path) -> bool:
    try:
        _opened_whole(path)
    except IntegrityError:
        return True
    return False


@given(st.data())
@settings(max_examples=120)
def test_a_flipped_bit_anywhere_is_found(sealed: Path, data: st.DataObject) -> None:
    whole = bytearray(sealed.read_bytes())
    place = data.draw(st.one_of(st.integers(0, HEADER_BYTES + 40), st.integers(0, len(whole) - 1)))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    path = sealed.with_name("flipped.seg")
    path.write_bytes(whole)
    with pytest.raises(IntegrityError, match="flipped"):
        _opened_whole(path)


def test_cut_at_every_kind_of_place(sealed: Path) -> None:
    whole = sealed.read_bytes()
    step = FRAME + 16
    ends = [HEADER_BYTES, HEADER_BYTES + step, HEADER_BYTES + 2 * step]
    cuts = {0, 1, 16, 36, len(whole) - 1, *(end + shift for end in ends for shift in (-1, 0, 1, 15, 16, 17))}
    path = sealed.with_name("cut.seg")
    for cut in cuts:
        path.write_bytes(whole[:cut])
        with pytest.raises(IntegrityError, match="cut"):
            Container.open(path, KEYS)
    path.write_bytes(whole + b"\0")
    with pytest.raises(IntegrityError):
        Container.open(path, KEYS)


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=60)
def test_noise_is_no_segment(tmp_path_factory: pytest.TempPathFactory, noise: bytes, magic: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.seg"
    path.write_bytes(container.MAGIC + b"i" * 16 + b"\0\0\0\1" + noise if magic else noise)
    assert _is_refused(path)


def test_frames_exchanged_or_taken_from_another_segment_are_found(sealed: Path, content: bytes) -> None:
    whole = sealed.read_bytes()
    step = FRAME + 16
    head, first, second, last = (
        whole[:HEADER_BYTES],
        whole[HEADER_BYTES : HEADER_BYTES + step],
        whole[HEADER_BYTES + step : HEADER_BYTES + 2 * step],
        whole[HEADER_BYTES + 2 * step :],
    )
    path = sealed.with_name("swapped.seg")
    _write(path, content, own=replace(OWN, id=b"j" * 16))
    other = path.read_bytes()[HEADER_BYTES : HEADER_BYTES + step]
    other_head = path.read_bytes()[:HEADER_BYTES]
    swaps = {
        "order": head + second + first + last,
        "twice": head + first + first + last,
        "left out": head + first + last,
        "another's": head + other + second + last,
        "another's head": other_head + first + second + last,
    }
    for name, swapped in swaps.items():
        path.write_bytes(swapped)
        assert _is_refused(path), name


def test_each_fault_has_its_own_message(sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no such segment"):
        Container.open(tmp_path / "none.seg", KEYS)
    with pytest.raises(IntegrityError, match="segment-1, which this key ring does not hold"):
        Container.open(sealed, KEYS[1:])
    wrong = replace(KEYS[0], secret=b"w" * 32)
    with pytest.raises(IntegrityError, match="sealed under another key"):
        Container.open(sealed, [wrong])
    (tmp_path / "text.seg").write_text("no segment at all, but long enough for a header" * 5)
    with pytest.raises(IntegrityError, match="expected 'muniment segment'"):
        Container.open(tmp_path / "text.seg", KEYS)
    opened = Container.open(sealed, KEYS)
    sealed_as = container.Written(sha256(sealed.read_bytes()).hexdigest(), sealed.stat().st_size)
    opened.check(sealed_as)
    with pytest.raises(IntegrityError, match="SHA-256 differs"):
        opened.check(replace(sealed_as, sha256="0" * 64))
    with pytest.raises(IntegrityError, match="the log says 5"):
        opened.check(replace(sealed_as, size=5))
    monkeypatch.setattr(container, "FILE_BYTES", 1_000)
    with pytest.raises(LimitError, match="at most 1,000"):
        Container.open(sealed, KEYS)


def test_a_file_that_vanishes_or_shrinks_under_an_open_one(sealed: Path) -> None:
    path = sealed.with_name("gone.seg")
    path.write_bytes(sealed.read_bytes())
    opened = Container.open(path, KEYS)
    os.truncate(path, HEADER_BYTES + 100)
    with pytest.raises(IntegrityError, match="frame 1 of 3"):
        opened.read(0, 10)
    path.unlink()
    with pytest.raises(UnreachableError, match="no such file"):
        opened.read(0, 10)


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_a_failed_write_leaves_the_whole_file_or_none(tmp_path: Path, mode: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        _write(tmp_path / "counted.seg", b"content")
    assert {"write", "fsync", "replace"} <= set(steps.calls)
    for step in range(len(steps.calls)):
        folder = tmp_path / f"{step}"
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, mode)
            with pytest.raises(UnreachableError):
                _write(folder / "one.seg", b"content")
        left = names_in(folder)
        # an `open` that did its work and failed all the same leaves an empty name, which no one can know of
        assert left <= {"one.seg"} or all((folder / name).stat().st_size == 0 for name in left), left
        assert "one.seg" not in left or _opened_whole(folder / "one.seg") == b"content"
