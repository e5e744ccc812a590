"""The whole run over one extract: each part as it is by itself, and what was not looked at."""

from __future__ import annotations

import pytest

from language.exposures import QUASI, examined, labelled
from muniment.errors import InputError
from muniment.exposure import examining
from muniment.exposure.blame import left_out
from muniment.exposure.classes import classes
from muniment.exposure.deciding import Policy
from muniment.exposure.examining import Beside, examine
from muniment.exposure.household import household
from muniment.exposure.relations import shared
from muniment.exposure.result import Subject
from muniment.exposure.suda import suda
from muniment.exposure.sweep import sweep


def test_a_run_tells_what_each_part_tells_by_itself() -> None:
    found, extract = examined(600), labelled(600)
    quasi = extract.chosen(QUASI)
    sizes = classes(quasi).sizes
    assert found.measures.rows == 600
    assert found.measures.classes.uniques.at_least == int((sizes == 1).sum())
    assert found.measures.below_k.at_least == int(sizes[sizes < 5].sum())
    assert found.worst_sets == sweep(extract, QUASI, size=3).worst(examining.WORST)
    assert found.blame == left_out(quasi, k=5)
    assert found.minimal == suda(quasi)
    assert found.household[0] == household(quasi, shared(extract, ["hid"]))
    assert [one.kind for one in found.attacks] == ["singling out", "linkability", "inference"]
    assert found.notes == ("no_register",)


def test_what_was_not_looked_at_is_said_and_not_told() -> None:
    extract = labelled(300, QUASI)
    found = examine(extract, Subject("x.csv", QUASI))
    assert set(found.notes) == {"no_recipient", "no_relations", "no_register", "no_sensitive"}
    assert (found.minimal, found.kin, found.cumulative, found.budget) == (None, (), None, None)
    assert found.measures.classes.journalist is None
    beside = Beside(in_register=classes(extract.chosen(QUASI)).sizes * 100)
    known = examine(extract, Subject("x.csv", QUASI), beside=beside)
    assert "no_register" not in known.notes
    assert known.measures.classes.journalist is not None


def test_the_policy_decides_and_its_k_is_counted_by() -> None:
    extract = labelled(600, ("sex", "marital"))
    subject = Subject("x.csv", ("sex", "marital"))
    assert examine(extract, subject).decision.verdict == "release"
    strict = examine(extract, subject, policy=Policy(k=10_000, share=0.0))
    assert strict.measures.below_k.at_least == 600
    assert [(one.code, one.found, one.allowed) for one in strict.decision.reasons] == [("columns", 1.0, 0.0)]


def test_too_many_sets_are_cut_to_smaller_ones_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    extract, subject = labelled(300, QUASI), Subject("x.csv", QUASI)
    assert max(len(one.names) for one in examine(extract, subject).worst_sets) == 3
    monkeypatch.setattr(examining, "SETS", 6)  # three columns have 3 + 3 sets of one and two
    cut = examine(extract, subject)
    assert max(len(one.names) for one in cut.worst_sets) == 2
    assert "sweep_cut" in cut.notes


@pytest.mark.parametrize(
    ("rows", "quasi", "sensitive", "said"),
    [
        (9, ("sex",), (), "fewer than 10 rows"),
        (50, (), (), "no column that an attacker may know"),
        (50, ("sex", "diag"), ("diag",), "'diag' is named both"),
        (50, ("sx",), (), "no column 'sx'"),
        (50, ("sex",), ("nowhere",), "no column 'nowhere'"),
    ],
)
def test_what_cannot_be_examined_is_refused(
    rows: int, quasi: tuple[str, ...], sensitive: tuple[str, ...], said: str
) -> None:
    extract = labelled(rows, ("sex", "diag"))
    with pytest.raises(InputError, match=said):
        examine(extract, Subject("x.csv", quasi, sensitive=sensitive))
