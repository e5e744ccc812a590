"""Hypothesis strategies for cells: what columns of each kind hold in Taiwanese and Western registers.

They are made of the words that carriers look for and of words that only look like them, in every order and case, so
that what a carrier must leave alone turns up as often as what it may write.
"""

from __future__ import annotations

from hypothesis import strategies as st

from muniment.disclosure import Kind

_NAMES = (
    "stanley salkauskas britten-jones o'brien st johns kilda mount pleasant fort saint park court the mcintyre unit "
    "second 1st first 3rd floor apt avenue saint. st. place smith and & jones west n 42nd twenty lauderdale medical a b"
).split()
_STARTS: tuple[tuple[str, ...], ...] = (
    (), (), (), ("st", "kilda"), ("saint",), ("mt", "isa"), ("fort", "denison"), ("1st",),
)  # fmt: skip
_TYPES = "street st st. road rd avenue crescent cres cct circuit close cl drive dr ct pl terrace tce way loop".split()
_NUMBERS = ("3", "12", "3/12", "12a", "u3", "u3/12", "unit 3", "flat 3", "apt 8g", "lot 7", "#4", "1203", "2-4")
_ENDS = (
    "", "north", "nw", "apt 4", "unit 5", "u5", "level 2", "springfield", "2nd floor", "first floor", "ryde 2112", ".",
    "and sons street", "& sons st",
)  # fmt: skip
_SIGNS = (" ", " ", " ", ", ", ",", "  ")
_CASES = (str.lower, str.title, str.upper, str.lower, str.title, str)


@st.composite
def western_addresses(draw: st.DrawFn) -> str:
    """An address line in Latin letters, in one case or a mixture."""
    parts = [draw(st.sampled_from(("", *_NUMBERS)))]
    parts += draw(st.sampled_from(_STARTS))
    parts += draw(st.lists(st.sampled_from(_NAMES), max_size=3))
    parts += [draw(st.sampled_from(("", *_TYPES))), draw(st.sampled_from(_ENDS))]
    text = ""
    for part in parts:
        if part:
            case = draw(st.sampled_from(_CASES))
            text += (draw(st.sampled_from(_SIGNS)) if text else "") + case(part)
    return draw(st.sampled_from(_CASES))(text)


_HAN_NUMBERS = ("一", "二", "三", "十", "十二", "2", "3", "5", "12", "35", "１", "１２", "02")


@st.composite
def taiwanese_addresses(draw: st.DrawFn) -> str:
    """An address as households are registered in Taiwan, with numbers in all scripts and widths."""
    number = st.sampled_from(_HAN_NUMBERS)
    join = st.sampled_from(("之", "-", "號之", "號-", "~", "、"))
    city = draw(st.sampled_from(("臺北市", "台北市", "台東縣", "屏東縣恆春鎮", "屏東縣恒春鎮", "高雄市", "")))
    road = draw(st.sampled_from(("中山路", "忠孝東路", "臺灣大道", "台中街", "大安段二小", "三民路", "")))
    section = draw(st.one_of(st.just(""), number.map(lambda n: f"{n}段")))
    lane = draw(st.one_of(st.just(""), number.map(lambda n: f"{n}巷")))
    door = draw(number) + draw(st.one_of(st.just(""), st.tuples(join, number).map("".join))) + draw(
        st.sampled_from(("號", "號", "號", ""))
    )
    floor = draw(st.one_of(st.just(""), st.tuples(number, st.sampled_from(("樓", "F", "f", "樓室"))).map("".join)))
    before = draw(st.sampled_from(("", "", "", " ", "地下", "B", "之")))
    behind = draw(st.one_of(st.just(""), st.tuples(join, number, st.sampled_from(("", "樓", "室"))).map("".join)))
    return city + road + section + lane + door + before + floor + behind


addresses = st.one_of(western_addresses(), taiwanese_addresses())

_DIGITS = "0123456789"


def _digits(shape: str) -> st.SearchStrategy[str]:
    """Text in which each 9 of the shape is any digit."""
    count = shape.count("9")
    pieces = shape.split("9")
    return st.text(_DIGITS, min_size=count, max_size=count).map(
        lambda digits: pieces[0] + "".join(d + p for d, p in zip(digits, pieces[1:], strict=True))
    )


phones = st.one_of(
    *(
        _digits(shape)
        for shape in (
            "(02)9999-9999", "02-99999999", "(049)999-9999", "02 9999 9999", "(02) 9999 9999", "0999-999-999",
            "0999999999", "09999999", "0499 999 999", "0499-999-999", "+886 2 9999 9999", "+886-2-9999-9999",
            "+99 999999", "(999) 999-9999", "999-999-9999", "01999 999999", "02-9999-9999#99", "(02)9999-9999轉9",
            "0999-999999", "9999-9999", "(02)9999-9999 ext 999", "02-9999999",
        )
    )
)  # fmt: skip

_days = st.dates()


@st.composite
def dates(draw: st.DrawFn) -> str:
    """A date, or what looks like one, in the layouts of registers here and elsewhere."""
    day = draw(_days)
    year, month, number = day.year, day.month, day.day
    if draw(st.booleans()):
        month, number = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    minguo = draw(st.integers(0, 210))
    return draw(
        st.sampled_from(
            (
                f"{year:04}{month:02}{number:02}", f"{year:04}-{month:02}-{number:02}", f"{year}-{month}-{number}",
                f"{year:04}/{month:02}/{number:02}", f"{year}/{month}/{number}", f"{number:02}/{month:02}/{year:04}",
                f"{number}.{month}.{year}", f"{minguo}.{month:02}.{number:02}", f"民國{minguo}年{month}月{number}日",
                f"{minguo:03}年{month:02}月{number:02}日", f"西元{year}年{month}月{number:02}日", f"{month}/{year}",
                f"{minguo}/{month}/{number}", f"{month}/{number:02}/{year % 100:02}",
            )
        )
    )  # fmt: skip


@st.composite
def timestamps(draw: st.DrawFn) -> str:
    """A time stamp with or without seconds, fraction and zone."""
    moment = draw(st.datetimes())
    day = moment.strftime(draw(st.sampled_from(("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y"))))
    time = moment.strftime(draw(st.sampled_from(("%H:%M:%S", "%H:%M:%S", "%H:%M:%S", "%H:%M", "%I:%M:%S %p"))))
    tail = draw(st.sampled_from(("", ".5", ".123456", "Z", "+08:00", " +0800", " UTC", "+08")))
    return day.zfill(10 if "-" in day or "/" in day else 8) + draw(st.sampled_from((" ", "T"))) + time + tail


codes = st.one_of(
    *(
        _digits(shape)
        for shape in (
            "AB9 9CD", "ab99cd", "sw9a 9aa", "W99AA", "9999999", "999 9999", "999999", "999 999 999", "9999999999",
            "999999999999", "9999 9999 9999 9999", "A999999999", "ab-99", "99", "AB9  9CD", "999 999", "00999999",
        )
    )
)  # fmt: skip

numbers = st.one_of(
    st.integers(-(10**15), 10**15).map(str),
    st.integers(0, 120).map(str),
    st.decimals(-10_000, 10_000, places=1).map(str),
    st.decimals(-10_000, 10_000, places=2).map(str),
    st.decimals(0, 5, places=4).map(str),
    st.sampled_from(("", "0", "0.0", "-0", "-0.00", "007", "1e5", "NaN", "?", "1,234", "1,234.50", "+5", ".5", "5.")),
)

_TEXT = "Doctor Dr Dr. Prof PROFESSOR Chen Smith and & AND Sons called unit 陳 a".split()
texts = st.lists(st.sampled_from(_TEXT), min_size=1, max_size=6).map(" ".join)

anything = st.one_of(
    st.text(max_size=40),
    st.text("臺台之-號樓F段路二１2 &,.'()ſßıK\n\t\u2028\u0660" + "and st", max_size=30),
)
"""Any text at all: carriers must look at it without an error."""

CELLS: dict[Kind, st.SearchStrategy[str]] = {
    Kind.ADDRESS: addresses,
    Kind.PHONE: phones,
    Kind.DATE: dates(),
    Kind.TIMESTAMP: timestamps(),
    Kind.CODE: codes,
    Kind.NUMBER: numbers,
    Kind.TEXT: texts,
}
"""The cells of each kind of column that can be marked."""
