"""The stored rule of a view: its columns where it is read, a refusal where it is not (real ones: test_control)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.gate.attribution.viewtree import ALONE, view_columns

TREE = (
    "({QUERY :commandType 1 :rtable ({RANGETBLENTRY :alias <> "
    ":eref {ALIAS :aliasname a\\ b :colnames (\"id\" \"x\\\"y\")} :rtekind 0 :relid 7} "
    "{RANGETBLENTRY :rtekind 1 :relid 0}) :targetList ("
    "{TARGETENTRY :expr {VAR :varno 1 :varattno 1 :varlevelsup 0} :resno 1 :resname id :resorigtbl 7 :resorigcol 1 "
    ":resjunk false} "
    "{TARGETENTRY :expr {VAR :varno 2 :varattno 1 :varlevelsup 0} :resno 2 :resname b :resorigtbl 7 :resorigcol 2 "
    ":resjunk false} "
    "{TARGETENTRY :expr {OPEXPR :args ({CONST :constvalue 4 [ 1 0 0 0 ]})} :resno 3 :resname c :resorigtbl 0 "
    ":resorigcol 0 :resjunk false} "
    "{TARGETENTRY :expr {VAR :varno 1 :varlevelsup 0} :resno 4 :resorigtbl 7 :resorigcol 3 :resjunk true})})"
)


def test_columns_with_their_sources() -> None:
    found = [(one.number, one.relation, one.attribute, one.source) for one in view_columns(TREE)]
    assert found == [(1, 7, 1, 1), (2, 7, 2, ALONE + 2), (3, 0, 0, ALONE + 3)]


DAMAGED = ["", "(", "<>", "({QUERY", "({QUERY :targetList ({TARGETENTRY :resno x})})", "(" * 500]


@pytest.mark.parametrize("tree", DAMAGED)
def test_what_is_not_known_is_refused(tree: str) -> None:
    with pytest.raises(InputError):
        view_columns(tree)


@given(st.integers(0, len(TREE)), st.text(alphabet="(){}: \\\"ab1", max_size=5))
def test_any_damage_is_refused_or_read(at: int, noise: str) -> None:
    try:
        found = view_columns(TREE[:at] + noise + TREE[at:])
    except InputError:
        return
    assert found
    assert len({(one.number, one.source) for one in found}) <= len(found)
