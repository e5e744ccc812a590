"""The small text files that a person hands over."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment import limits
from muniment.errors import InputError, LimitError
from muniment.workspace.recipients import read_recipients, read_reserve


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "in.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_names_become_numbers(tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = read_recipients(_file(tmp_path, "\ufeffrecipient\r\n../../etc\n\n\"B, C\"\n市政府\n"), out, "xlsx")
    assert found == {
        "../../etc": out / "copy-0001.xlsx",
        "B, C": out / "copy-0002.xlsx",
        "市政府": out / "copy-0003.xlsx",
    }
    assert out.is_dir()


def test_no_header_and_named_files(tmp_path: Path) -> None:
    found = read_recipients(_file(tmp_path, "A,a.csv\nB\nC,\n"), tmp_path)
    assert [path.name for path in found.values()] == ["a.csv", "copy-0002.csv", "copy-0003.csv"]


def test_many_names_sort(tmp_path: Path) -> None:
    found = read_recipients(_file(tmp_path, "\n".join(f"r{i}" for i in range(10_000))), tmp_path)
    assert list(found.values())[-1].name == "copy-10000.csv"
    assert next(iter(found.values())).name == "copy-00001.csv"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no recipient"),
        ("recipient,file\n", "no recipient"),
        ("A\nA\n", "line 2: this recipient stands there twice"),
        ("A,a.csv,b\n", "line 1: expected a recipient"),
        ("A,../a.csv\n", "without a folder"),
        ("A,/etc/a.csv\n", "without a folder"),
        ("A,..\n", "without a folder"),
        (",a.csv\n", "line 1: expected a recipient"),
        ('"A\n', "not CSV"),
        ("A\n".encode("utf-16"), "expected UTF-8"),
    ],
)
def test_faults_name_the_line_and_make_nothing(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_recipients(_file(tmp_path, text), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_file_and_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_recipients(tmp_path / "none.csv", tmp_path)
    monkeypatch.setattr("muniment.workspace.recipients.RECIPIENT_FILE_BYTES", 3)
    with pytest.raises(LimitError):
        read_recipients(_file(tmp_path, "four"), tmp_path)
    assert limits.RECIPIENT_FILE_BYTES > 10**6


def test_reserve(tmp_path: Path) -> None:
    assert read_reserve(_file(tmp_path, "A1\n\n A2 \n")) == ("A1", "A2")
    for text, said in (("\n", "no record number"), ("1\n1\n", "twice")):
        with pytest.raises(InputError, match=said):
            read_reserve(_file(tmp_path, text))
