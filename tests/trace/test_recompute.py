"""Every number of the named comes out again, and every other number is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from language.bundles import resealed, sealable
from muniment.errors import InputError, IntegrityError
from muniment.trace.bundle import write_bundle
from muniment.trace.recompute import recompute
from muniment.trace.summary import recomputed_summary

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/recompute.json").read_text(encoding="utf-8"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    made = sealable()
    write_bundle(tmp_path / "a.zip", made.verdict, [made.part])
    return tmp_path / "a.zip"


def test_every_number_of_the_named(bundle: Path) -> None:
    made = sealable()
    result = recompute(bundle)
    for one, named in zip(result.named, made.verdict.ranked, strict=True):
        assert one.recipient == named.recipient
        assert one.log10_e == pytest.approx(named.log10_e, rel=1e-12)
        assert sum(share.log10_e for share in one.evidence) == pytest.approx(named.log10_e, rel=1e-12)
        assert {(s.carrier, s.symbols, s.agreeing) for s in one.evidence} == {
            (s.carrier, s.symbols, s.agreeing) for s in named.evidence
        }
    assert result.log10_threshold == pytest.approx(9.30103)
    assert result.symbols == 800


def test_json_fits_its_schema(bundle: Path) -> None:
    jsonschema.validate(json.loads(json.dumps(recompute(bundle).to_json())), SCHEMA)


def test_what_the_terminal_shows(bundle: Path) -> None:
    lines = recomputed_summary(recompute(bundle), "en").splitlines()
    assert lines[0] == "Every number of the named was recomputed and agrees: 2 named, 800 symbols."
    assert lines[-1].strip() == "The bundle carries no signature."


def test_nobody_named(tmp_path: Path) -> None:
    made = sealable(named=0)
    write_bundle(tmp_path / "a.zip", made.verdict, [made.part])
    result = recompute(tmp_path / "a.zip")
    assert result.named == ()
    assert result.to_json()["verdict"] == "none"
    write_bundle(tmp_path / "b.zip", made.verdict, [])
    assert recompute(tmp_path / "b.zip").symbols == 800


def test_addresses_that_were_opened_before_are_not_scored(tmp_path: Path) -> None:
    made = sealable(partly_opened=True)
    write_bundle(tmp_path / "a.zip", made.verdict, [made.part])
    first = next(one for one in recompute(tmp_path / "a.zip").named if one.number == 17)
    assert sum(share.symbols for share in first.evidence) < 800


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        recompute(tmp_path / "a.zip")


def _verdict(change: Callable[[dict[str, object]], object]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        verdict = json.loads(members["verdict.json"])
        change(verdict)
        members["verdict.json"] = json.dumps(verdict).encode()

    return changed


def _both(name: str, value: object) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        for member in ("verdict.json", "manifest.json"):
            members[member] = json.dumps({**json.loads(members[member]), name: value}).encode()

    return changed


def _flip_bit(members: dict[str, bytes]) -> None:
    words = json.loads(members["codewords-1.json"])
    words[0]["bits"] = f"{int(words[0]['bits'][0], 16) ^ 8:x}" + words[0]["bits"][1:]
    members["codewords-1.json"] = json.dumps(words).encode()


def _named_share(verdict: dict[str, object]) -> None:
    verdict["named"][0]["evidence"][0]["log10_e"] += 1e-6


def _named_agreeing(verdict: dict[str, object]) -> None:
    verdict["named"][0]["evidence"][0]["agreeing"] += 1


def _other_order(verdict: dict[str, object]) -> None:
    verdict["named"].reverse()


def _drop_named(verdict: dict[str, object]) -> None:
    verdict["named"].pop()


def _rename_key(verdict: dict[str, object]) -> None:
    verdict["named"][0]["mark_key"] = "mk-2"


FAULTS = {
    "one bit of a codeword": (_flip_bit, "log10 E of recipient number 17"),
    "log10 E": (_verdict(lambda v: v["named"][0].update(log10_e=v["named"][0]["log10_e"] + 1e-6)), "log10 E of"),
    "log10 (E/n)": (_verdict(lambda v: v["named"][0].update(log10_e_over_n=1.0)), r"log10 \(E/n\) of"),
    "phrase": (_verdict(lambda v: v["named"][0].update(phrase="weak")), "phrase"),
    "a share": (_verdict(_named_share), "a family's share"),
    "agreeing": (_verdict(_named_agreeing), "counts of symbols"),
    "order": (_verdict(_other_order), "order of evidence"),
    "a named recipient left out": (_verdict(_drop_named), "opened codewords are not those of the named"),
    "named under another key": (_verdict(_rename_key), "its codeword is not opened"),
    "verdict": (_verdict(lambda v: v.update(verdict="none")), "verdict is not theirs"),
    "symbols read": (_verdict(lambda v: v["symbols"].update(read=900)), "count of symbols is not"),
    "fewer symbols read": (_verdict(lambda v: v["symbols"].update(read=10)), "count of symbols is not"),
    "symbols of a family": (_verdict(lambda v: v["families"][0].update(read=401)), "symbols of family 0"),
    "a family renamed": (_verdict(lambda v: v["families"][1].update(column="x")), "symbols of family 1"),
    "named under another register": (_verdict(lambda v: v["named"][0].update(register="x")), "codeword is not opened"),
    "threshold": (_both("log10_threshold", 3.0), "threshold is stated as 3"),
    "alpha": (_both("alpha", 1e-3), "threshold is stated"),
    "candidates": (_both("candidates", 10), "threshold is stated"),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_number_that_does_not_follow(bundle: Path, fault: str) -> None:
    change, message = FAULTS[fault]
    resealed(bundle, change)
    with pytest.raises(IntegrityError, match=message):
        recompute(bundle)


def test_nobody_is_named_below_the_threshold(bundle: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        _both("log10_threshold", 59.30102999566398)(members)
        _both("alpha", 1e-56)(members)

    resealed(bundle, change)
    with pytest.raises(IntegrityError, match="named below the threshold"):
        recompute(bundle)


def test_two_registers_under_one_mark_key(tmp_path: Path) -> None:
    first, second = sealable(named=1), sealable(named=1, records=300, seed=8)
    named = [replace(first.verdict.named[0], register="residents"), replace(second.verdict.named[0], register="staff")]
    verdict = replace(first.verdict, named=tuple(named))
    write_bundle(tmp_path / "a.zip", verdict, [replace(second.part, register="staff"), first.part])
    found = sorted(one.log10_e for one in recompute(tmp_path / "a.zip").named)
    # Symbols are summed in the bundle's order: the last bits of a double may differ.
    assert found == pytest.approx(sorted(one.log10_e for one in named), rel=1e-12)
