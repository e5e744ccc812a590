"""Hierarchies: what each built-in rule tells, trees only, losses, and own ones from CSV."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.exposure.extract import Coded, narrowed
from muniment.exposure.hierarchies import (
    OTHER,
    TOP,
    Addresses,
    Bands,
    Codes,
    Dates,
    Rule,
    Table,
    TaiwanAddresses,
    Whole,
    ages,
    hierarchy,
    rule_from_json,
    rule_to_json,
    suited,
    table_from_csv,
)


def column(*labels: str | None, name: str = "c") -> Coded:
    codes = narrowed(np.arange(len(labels)), len(labels))
    null = labels.index(None) if None in labels else -1
    return Coded(name, codes, len(labels), null, labels=labels)  # type: ignore[arg-type]


def told(rule: Rule, text: str | None) -> list[str | None]:
    """The text on each level."""
    found = hierarchy(column(text), rule)
    return [labels[0] for labels in found.labels]


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (Whole(), "F", ()),
        (Bands(), "37", ("35 to 39", "30 to 39", "20 to 39")),
        (Bands(), "-3", ("-5 to -1", "-10 to -1", "-20 to -1")),
        (Bands((2.5, 5)), "3.7", ("2.5 to below 5", "0 to 4")),
        (ages(), "88", ("85 to 89", "80 to 89", "80 to 89")),
        (ages(), "103", ("90 or more",) * 3),
        (Dates(), "1987-05-03", ("1987-05", "1987", "1980 to 1989")),
        (Dates(), "1987/5/3", ("1987-05", "1987", "1980 to 1989")),
        (Dates(), "19870503", ("1987-05", "1987", "1980 to 1989")),
        (Dates(), "76/05/03", ("1987-05", "1987", "1980 to 1989")),
        (Dates(), "0760503", ("1987-05", "1987", "1980 to 1989")),
        (Dates(), "民國７６年５月３日", ("1987-05", "1987", "1980 to 1989")),
        (Dates(time=True), "1987-05-03 12:30", ("1987-05-03", "1987-05", "1987", "1980 to 1989")),
        (Codes((3, 1)), "E11.9", ("E11*", "E*")),
        (Codes((3, 1)), "E", ("E*", "E*")),
        (Addresses(), "12 High St, Springfield, 12345, US", ("Springfield, 12345, US", "12345, US", "US")),
        (
            TaiwanAddresses(),
            "106台北市大安區龍坡里3鄰新生南路三段１號",
            ("臺北市大安區新生南路三段", "臺北市大安區", "臺北市"),
        ),
        (TaiwanAddresses(), "高雄市前鎮區中山路5號", ("高雄市前鎮區中山路", "高雄市前鎮區", "高雄市")),
        (TaiwanAddresses(), "屏東縣三地門鄉大社村1號", ("屏東縣三地門鄉大社村", "屏東縣三地門鄉", "屏東縣")),
        (TaiwanAddresses(), "臺南市新市區", ("臺南市新市區", "臺南市新市區", "臺南市")),
        (TaiwanAddresses(), "新竹市東區光復路二段101號", ("新竹市東區光復路二段", "新竹市東區", "新竹市")),
    ],
)
def test_a_rule_tells_a_value_less_and_less_exactly(rule: Rule, text: str, expected: tuple[str, ...]):
    assert told(rule, text) == [text, *expected, TOP]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Bands(), "many"), (Bands(), "nan"), (Bands(), "inf"), (Dates(), "1987-02-30"), (Dates(), "19875"),
        (TaiwanAddresses(), "12 High St"), (Addresses(), " , "), (Codes(), ""),
    ],
)  # fmt: skip
def test_what_a_rule_cannot_read_is_never_more_exact_than_its_neighbours(rule: Rule, text: str):
    found = hierarchy(column(text), rule)
    assert [labels[0] for labels in found.labels] == [text, *[OTHER] * len(rule.levels), TOP]
    assert found.unread.tolist() == [True]


def test_null_is_a_value_of_its_own_up_to_the_top():
    found = hierarchy(column("1", None, "2"), Bands((10,)))
    assert [labels[codes[1]] for labels, codes in zip(found.labels, found.maps, strict=True)] == [None, None, TOP]
    assert not found.unread.any()


def test_losses_count_the_leaves_below():
    found = hierarchy(column("1", "2", "11", "12", "13"), Bands((10, 100)))
    assert [one.tolist() for one in found.losses] == [[0.0] * 5, [0.25, 0.5], [1.0], [1.0]]


def test_leaves_of_a_table_count_though_no_row_has_them():
    table = Table({"a": ("x",), "b": ("x",), "c": ("y",), "d": ("y",), "e": ("y",)}, ("group",))
    found = hierarchy(column("a", "c"), table)
    assert [one.tolist() for one in found.losses] == [[0.0, 0.0], [0.25, 0.5], [1.0]]


def test_one_value_is_untouched_as_it_is_and_lost_above():
    assert [one.tolist() for one in hierarchy(column("x"), Whole()).losses] == [[0.0], [1.0]]


numbers = st.lists(st.integers(-500, 500), min_size=1, max_size=40, unique=True)


@given(numbers, st.sampled_from([Bands(), Bands((3, 9)), ages(), Codes((2, 1)), Dates()]))
def test_built_in_rules_are_trees_and_lose_more_on_each_level(values: list[int], rule: Rule):
    found = hierarchy(column(*map(str, values)), rule)
    for level in range(found.height - 1):
        below, above = found.maps[level], found.maps[level + 1]
        assert len(set(zip(below.tolist(), above.tolist(), strict=True))) == len(set(below.tolist()))
        assert (found.losses[level + 1][above] >= found.losses[level][below]).all()


def test_a_hierarchy_that_is_no_tree_is_refused():
    torn = Table({"a": ("x", "1"), "b": ("x", "2")}, ("group", "kind"))
    with pytest.raises(InputError, match="no tree"):
        hierarchy(column("a", "b"), torn)


def test_bands_that_overlap_are_refused():
    with pytest.raises(InputError, match="multiple"):
        Bands((5, 12))


@pytest.mark.parametrize(
    "broken", [lambda: Bands(()), lambda: Bands((0,)), lambda: Codes((1, 3)), lambda: Codes(()), lambda: Addresses(0)]
)
def test_settings_that_make_no_sense_are_refused(broken: object):
    with pytest.raises(InputError):
        broken()  # type: ignore[operator]


def test_a_column_without_labels_is_refused():
    with pytest.raises(InputError, match="labels"):
        hierarchy(Coded("c", np.zeros(3, np.uint8), 1), Whole())


# --- own hierarchies ---------------------------------------------------------------------------------------------


def test_a_table_is_read_from_csv_with_either_separator():
    plain = table_from_csv(["a;x;*\n", "b;x;*\n", "\n", "c;y;*\n"], "h.csv")
    named = table_from_csv(["value,group\n", "a,x\n", "b,x\n", "c,y\n"], "h.csv")
    assert plain.parents == named.parents == {"a": ("x",), "b": ("x",), "c": ("y",)}
    assert plain.levels == ("level 1",) and named.levels == ("group",)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no line"),
        (["value;group"], "no line"),
        (["a;x", "b"], "line 2: 1 cells, expected 2"),
        (["a;x", "a;x"], "line 2: its value stands in line 1 already"),
        (["value;g;h", "a;x;1", "", "b;x;2"], "no tree: lines 2 and 4"),
        (['a,"x'], "line 1: this is no line of CSV"),
        (["value;g", "a;x;1", "b;y;2"], "1 names for 2 levels"),
    ],
)
def test_a_table_that_is_none_is_refused_by_line(lines: list[str], said: str):
    with pytest.raises(InputError, match=said):
        table_from_csv(lines, "h.csv")


# --- kept, and chosen ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [Whole(), Bands((3, 9), 90), Dates(), Dates(time=True), TaiwanAddresses(), Addresses(2), Codes((4, 2)),
     Table({"a": ("x",)}, ("g",))],
)  # fmt: skip
def test_a_rule_can_be_kept(rule: Rule):
    assert rule_from_json(rule_to_json(rule)) == rule


@pytest.mark.parametrize(
    "kept", [{}, {"kind": "spell"}, {"kind": "bands"}, {"kind": "table", "parents": 3, "names": []}]
)
def test_what_is_no_rule_is_refused(kept: dict[str, object]):
    with pytest.raises(InputError, match="kept hierarchy"):
        rule_from_json(kept)


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        ("age", [str(age) for age in range(100)], ages()),
        ("village", [str(code) for code in range(100)], Bands()),
        ("born", [f"19{year}-01-02" for year in range(20, 60)], Dates()),
        ("seen", [f"19{year}-01-02T10:00" for year in range(20, 60)], Dates(time=True)),
        ("住址", [f"台北市大安區和平東路{number}號" for number in range(30)], TaiwanAddresses()),
        ("address", [f"{number} Low Rd, Ayr, UK" for number in range(30)], Addresses()),
        ("diagnosis", [f"E{number}.1" for number in range(10, 40)], Codes((3, 1))),
        ("name", [f"name {number}" for number in range(30)], Whole()),
        ("sex", ["1", "2"], Whole()),
        ("nothing", [None], Whole()),
    ],
)
def test_the_rule_that_suits_is_told_from_the_values(name: str, texts: list[str | None], expected: Rule):
    assert suited(column(*texts, name=name)) == expected
