"""What each column of a register is, told from its name and from a sample of its values.

Rules
1. The name speaks first, in English or in Chinese as Taiwanese offices write it. A name that promises a form (date,
   phone, e-mail, number) is believed only if most values have it.
2. Where the name says nothing, the values do: forms first, then words of addresses and the look of codes.
3. In doubt the kind is one on which less may be marked. A place of birth is PLACE, a name is NAME: nothing equivalent
   is ever written there. A town of residence in a column of its own is PLACE too: two spellings of one town would
   split every grouping at the recipient.
4. It is a suggestion: the owner may declare another kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final
from unicodedata import normalize

from muniment.disclosure import Kind
from muniment.table import Table

SAMPLE_VALUES: Final = 2_000
"""Filled cells of a column that are looked at."""
_MOST: Final = 0.8
"""Share of the values that must have a form for it to be the column's."""
_FEW_DISTINCT: Final = 30
"""A column with at most so many distinct values, each used over and over, is a category."""

# The first rule that fits decides, so that "place of birth" comes before "birth" and "email address" before "address".
# Names are matched in lower case with single blanks between words: `DateOfBirth`, `date_of_birth` -> "date of birth".
_NAMES: Final[tuple[tuple[Kind, str], ...]] = (
    (Kind.EMAIL, r"\be ?mails?\b|電子郵件|電子信箱|電郵|邮箱|電子郵箱"),
    (Kind.PLACE, r"\bbirth ?place|place of birth|\b(city|town|country|state|place|pob) of birth|\bpob\b|geburtsort"),
    (Kind.PLACE, r"\bbirth (city|town|country)\b|native (country|place)|出生地|出生縣市|籍貫|本籍|祖籍"),
    (Kind.PHONE, r"\b(tele)?phones?\b|\btel\b|\bmobiles?\b|\bcell( ?phone)?\b|\bfax\b"),
    (Kind.PHONE, r"電話|手機|行動|傳真|聯絡號碼|电话|手机|传真"),
    (Kind.TIMESTAMP, r"\btime ?stamp\b|\bdate ?time\b|時間|时间"),
    (Kind.TIMESTAMP, r"\b(created|updated|modified|registered|changed) (at|on|time)\b"),
    (Kind.DATE, r"\bdob\b|\bbirth ?(day|date)\b|\bdate of\b|\bdates?\b|\bborn\b|geburtsdatum"),
    (Kind.DATE, r"生日|出生(年月日|日期|日)?$|日期|年月日"),
    (Kind.CODE, r"\bpost ?codes?\b|\bpostal code\b|\bzip( ?code)?\b|\bplz\b|郵遞|邮编|郵區"),
    (Kind.CODE, r"\b(house|street|unit|flat|apartment|building) (number|no|nr)\b|門牌號"),
    (Kind.CODE, r"\b(user|login|account) ?(name|id)?$|\bip( address)?$|帳號|账号"),
    (Kind.CATEGORY, r"\b(work ?class|status|relationship|category|gender|sex|race|religion|nationality)\b"),
    (Kind.CATEGORY, r"\b(occupation|profession|title|department|dept)\b"),
    (Kind.CATEGORY, r"性別|性别|婚姻|職業|职业|學歷|教育程度|國籍|民族|族別|稱謂|關係|單位|部門|類別"),
    (Kind.ADDRESS, r"\baddr(ess)?(es)?\b|\bstreet( ?name)?\b|\bdomicile\b|\bresidence\b"),
    (Kind.ADDRESS, r"地址|住址|住所|居所|戶籍地|通訊處"),
    (Kind.NAME, r"\b(first|last|given|family|full|middle|maiden|sur|fore|birth|alias|person|patient|member) ?names?\b"),
    (Kind.NAME, r"\b(contact|mother|father|spouse|customer|client)(s|'s)? ?names?\b|\b(vor|nach)name\b"),
    (Kind.NAME, r"\b(sur|fore)names?\b|^names?\b|\bname (zh|en|cn|tw)\b|\bfirst and surname\b|^(alias|nick ?name)$"),
    (Kind.NAME, r"\bnom\b|\bprenom\b|姓名|^姓$|^名$|姓氏|名字|別名|曾用名|戶長|户主|配偶|父親|母親|^父$|^母$"),
    (Kind.PLACE, r"\b(suburb|city|town|village|municipality|district|county|state|province|region|country)\b"),
    (Kind.PLACE, r"\b(location|place|ort|stadt|ville)\b"),
    (Kind.PLACE, r"縣市|鄉鎮|村里|^(縣|市|區|鄉|鎮|里)別?$|行政區|城市|省份"),
    (Kind.CODE, r"\b(id|ids|uid|uuid|guid|key|codes?|no|nr|number|serial|ssn|nhs|passport|licen[cs]e|iban)\b"),
    (Kind.CODE, r"\b(account|cluster|ref|reference|registration)\b|\bsoc sec\b"),
    (Kind.CODE, r"身分證|身份證|身份证|統一編號|統編|證號|编号|編號|代碼|代號|戶號"),
    (Kind.CODE, r"病歷號|護照|字號|學號|員工號|卡號|流水號"),
    (Kind.TEXT, r"\b(remarks?|notes?|comments?|description|memo)\b|備註|备注|說明|記事"),
)
_NAME_RULES: Final = tuple((kind, re.compile(pattern)) for kind, pattern in _NAMES)

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_YEAR: Final = r"(?:1[6-9]|20|21)\d\d"
_MONTH_DAY: Final = r"(?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
_DAY_MONTH: Final = r"(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])"
_WORD_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE: Final = (
    rf"{_YEAR}[-/.]{_MONTH_DAY}"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    rf"|(?:{_DAY_MONTH}|{_MONTH_DAY})[-/.](?:{_YEAR}|\d\d)"
    rf"|(?:民國|民前|西元)?\s*\d{{1,4}}\s*年\s*\d{{1,2}}\s*月\s*\d{{1,2}}\s*日"
    rf"|0?\d{{2,3}}[-/.]{_MONTH_DAY}"
    rf"|\d{{1,2}}[- ./]{_WORD_MONTH}[- ./,]+{_YEAR}|{_WORD_MONTH} \d{{1,2}},? {_YEAR}"
)
"""ISO, compact, slashed, Chinese, Minguo (075/03/02 is 1986-03-02) and spelt months."""
_DATE_FORM: Final = re.compile(_DATE, re.IGNORECASE)
_MINGUO_COMPACT: Final = re.compile(r"[01]?\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
"""0750302: believed only where the name of the column says date."""
_CLOCK: Final = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\s*(?:[ap]m)?\s*(?:z|utc|[-+]\d\d:?(?:\d\d)?)?"
_TIMESTAMP_FORM: Final = re.compile(rf"(?:{_DATE})(?:[t :]\s*){_CLOCK}", re.IGNORECASE)
_NUMBER_FORM: Final = re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d+)?([.]\d+)?(e[-+]?\d+)?|[-+]?\d+,\d+", re.IGNORECASE)
_PHONE_FORM: Final = re.compile(r"(?=[+(]|00?[1-9])(?:\+?\d|[-‐ ().#/~]|轉|ext\.?|x)+", re.IGNORECASE)
_CODE_FORM: Final = re.compile(r"(?=.*\d)[A-Za-z]{0,6}[-./ ]?[A-Za-z0-9]+(?:[-./][A-Za-z0-9]+)*")
_ADDRESS_FORM: Final = re.compile(
    r"[縣市區鄉鎮村里路街段巷弄].*[號号楼樓]|[路街巷弄]"
    r"|\b(street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|place|pl|crescent|cres|circuit|cct|close|terrace|tce"
    r"|parade|boulevard|blvd|highway|hwy|square|sq|way|grove|stra(ss|ß)e|str|rue|platz)\b\.?",
    re.IGNORECASE,
)
_HAN_NAME: Final = re.compile(
    r"[陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾彭游詹胡施沈余盧梁趙顏柯翁魏孫戴范方宋鄧杜傅"
    r"侯曹薛丁卓阮馬董唐藍石蔣古紀姚連馮歐程湯田康姜白汪鄒尤巫鐘黎涂龔嚴韓袁金童陸夏柳邵陈黄张吴刘杨许郑谢]"
    r"[\u4e00-\u9fff]{1,3}"
)


def guess_kinds(columns: Sequence[str], sample: Table) -> dict[str, Kind]:
    """The likeliest kind of each of these columns, from its name and the filled cells of the sample."""
    return {name: guess_kind(name, [cell for cell in sample[name] if cell and cell.strip()]) for name in columns}


def guess_kind(name: str, values: Sequence[str]) -> Kind:
    """The likeliest kind of one column; `values` are filled cells (the first 2,000 count)."""
    values = [value.strip() for value in values[:SAMPLE_VALUES]]
    if _share(values, _is_email) >= _MOST:
        return Kind.EMAIL  # whatever the column is called
    named = _by_name(name)
    if named is None:
        return _by_values(values)
    if named in (Kind.DATE, Kind.TIMESTAMP):
        return _dated(values) if values else named
    check = _FORMS.get(named)
    if check is not None and values and _share(values, check) < 0.5:
        return _by_values(values)
    if named is Kind.CATEGORY and len(set(values)) > max(_FEW_DISTINCT * 20, len(values) // 2):
        return Kind.TEXT
    return named


def _by_name(name: str) -> Kind | None:
    """What the name alone says: `DateOfBirth`, `date_of_birth` and `DATE OF BIRTH` are read alike."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = " ".join(re.sub(r"[\W_]+", " ", apart).lower().split())
    return next((kind for kind, pattern in _NAME_RULES if pattern.search(words)), None)


def _dated(values: Sequence[str]) -> Kind:
    """A column that is called a date: with a clock or without; a year alone is a number."""
    if _share(values, _is_timestamp) >= 0.5:
        return Kind.TIMESTAMP
    if _share(values, lambda value: _is_date(value) or bool(_MINGUO_COMPACT.fullmatch(value))) >= 0.5:
        return Kind.DATE
    return _by_values(values)


def _by_values(values: Sequence[str]) -> Kind:
    """What the values alone say."""
    if not values:
        return Kind.TEXT
    for kind, check in _FORM_ORDER:
        if _share(values, check) >= _MOST:
            return kind
    distinct = len(set(values))
    if _share(values, _is_number) >= 0.95:
        return Kind.CODE if _numbers_are_codes(values, distinct) else Kind.NUMBER
    if distinct <= min(_FEW_DISTINCT, len(values) // 2):
        return Kind.CATEGORY
    if _share(values, _is_address) >= 0.5:
        return Kind.ADDRESS
    if _share(values, _is_code) >= _MOST:
        return Kind.CODE
    return Kind.NAME if _share(values, _is_han_name) >= _MOST else Kind.TEXT


def _numbers_are_codes(values: Sequence[str], distinct: int) -> bool:
    """Digits that count nothing: leading zeros, or one length of six and more with hardly a value twice."""
    if any(len(value) > 1 and value.startswith("0") and value.isdigit() for value in values):
        return True
    lengths = {len(value) for value in values}
    long = min(lengths) >= 6 and all(map(str.isdigit, values))
    return long and len(lengths) == 1 and len(values) > 5 and distinct > 0.9 * len(values)


def _share(values: Sequence[str], check: Callable[[str], bool]) -> float:
    return sum(map(check, values)) / len(values) if values else 0.0


def _is_email(value: str) -> bool:
    return bool(_EMAIL.fullmatch(value))


def _is_timestamp(value: str) -> bool:
    return bool(_TIMESTAMP_FORM.fullmatch(value))


def _is_date(value: str) -> bool:
    return bool(_DATE_FORM.fullmatch(value))


def _is_phone(value: str) -> bool:
    """A phone number as people write it: begins with +, 0 or a bracket and has 8 to 15 digits, or a short extension."""
    value = normalize("NFKC", value)  # full-width digits
    return bool(_PHONE_FORM.fullmatch(value)) and 7 <= sum(map(str.isdigit, value)) <= 20


def _is_number(value: str) -> bool:
    return bool(_NUMBER_FORM.fullmatch(value)) and any(map(str.isdigit, value))


def _is_address(value: str) -> bool:
    return bool(_ADDRESS_FORM.search(value))


def _is_code(value: str) -> bool:
    return bool(_CODE_FORM.fullmatch(value))


def _is_han_name(value: str) -> bool:
    return bool(_HAN_NAME.fullmatch(value))


def _is_named_phone(value: str) -> bool:
    """In a column called a phone the first digit may be any: local numbers, and zeros that a sheet has eaten."""
    return 5 <= sum(map(str.isdigit, value)) <= 20 and not re.search(r"[^\W\d_]{4}", value)


_FORM_ORDER: Final = ((Kind.TIMESTAMP, _is_timestamp), (Kind.DATE, _is_date), (Kind.PHONE, _is_phone))
"""Forms that a column has whatever it is called, the narrowest first."""
_FORMS: Final = {Kind.EMAIL: _is_email, Kind.PHONE: _is_named_phone}
"""The form that a named kind must show in half of its values."""
