"""`muniment keys`."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.program import PASSPHRASE, muniment

OTHER = "other words that nobody guesses"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert muniment("init", tmp_path / "office", "--quiet").code == 0
    return tmp_path / "office"


def test_rotation_is_final_and_asks(folder: Path) -> None:
    at = ("--workspace", folder)
    refused = muniment("keys", "rotate", "mark", *at)
    assert refused.code == 2
    assert refused.err.splitlines()[1] == "try: the same command with --yes"
    assert muniment("keys", "rotate", "mark", "--yes", "--json", *at).json("keys-rotate")["id"] == "mark-2"
    assert muniment("keys", "rotate", "signing", "--yes", *at).code == 2
    keys = muniment("keys", "list", "--json", *at).json("keys")["keys"]
    assert [key["id"] for key in keys] == ["mark-1", "pseudonym-1", "segment-1", "signing-1", "mark-2"]
    assert all(key["logged_at"] for key in keys)


def test_passphrase_is_changed(folder: Path) -> None:
    at = ("--workspace", folder)
    assert "MUNIMENT_NEW_PASSPHRASE" in muniment("keys", "passphrase", *at).err
    assert muniment("keys", "passphrase", *at, env={"MUNIMENT_NEW_PASSPHRASE": "short"}).code == 2
    changed = muniment("keys", "passphrase", "--json", *at, env={"MUNIMENT_NEW_PASSPHRASE": OTHER})
    assert changed.json("keys-passphrase") == {"changed": True}
    wrong = muniment("keys", "list", "--json", *at)
    assert "passphrase" in wrong.error()["error"]
    assert PASSPHRASE not in wrong.err
    assert muniment("keys", "list", *at, env={"MUNIMENT_PASSPHRASE": OTHER}).code == 0


def test_ring_without_signing_key(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "ring.json"
    arguments = ("keys", "export-without-signing", out, "--json", "--workspace", folder)
    assert muniment(*arguments).json("keys-export") == {"file": str(out)}
    assert "a file already" in muniment(*arguments).error()["error"]
    out.replace(folder / "keys" / "ring.json")
    keys = muniment("keys", "list", "--json", "--workspace", folder).json("keys")["keys"]
    assert [key["public_key"] for key in keys] == [None] * 4
