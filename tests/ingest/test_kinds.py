"""Kinds of columns, from names in English and Chinese and from values."""

import pytest

from muniment.demo.people import KINDS, register
from muniment.disclosure import Kind
from muniment.ingest.kinds import guess_kind, guess_kinds
from muniment.table import Table

NAMED = {
    Kind.NAME: "name full_name FirstName surname given_name 姓名 名字 戶長姓名 first_and_surname",
    Kind.ADDRESS: "address address_1 home-address street 地址 戶籍地址 通訊地址 住所",
    Kind.PHONE: "phone mobile tel fax cell_phone 電話 手機 行動電話 傳真",
    Kind.DATE: "dob date_of_birth birthDate birthday date 出生日期 生日 出生年月日 出生",
    Kind.EMAIL: "email e-mail 電子郵件",
    Kind.PLACE: "birthplace place_of_birth birth_place PlaceOfBirth city_of_birth 出生地 籍貫 suburb city town 縣市",
    Kind.CODE: "id rec_id unique_id soc_sec_id postcode zip 身分證 身分證統一編號 統一編號 戶號 street_number 郵遞區號",
    Kind.CATEGORY: "sex gender occupation marital-status 性別 職業 婚姻狀況",
    Kind.TEXT: "remarks note 備註",
    Kind.TIMESTAMP: "created_at timestamp 登記時間",
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NAMED.items() for name in names.split()])
def test_by_name_alone(kind, name):
    assert guess_kind(name, []) is kind


VALUES = [
    (Kind.DATE, ["1990-01-31", "1985-12-01"]),
    (Kind.DATE, ["19900131", "19851201"]),
    (Kind.DATE, ["31/01/1990", "1/12/1985"]),
    (Kind.DATE, ["1990/1/31", "1985/12/1"]),
    (Kind.DATE, ["31.01.1990", "01.12.1985"]),
    (Kind.DATE, ["民國75年3月2日", "民國101年12月31日"]),
    (Kind.DATE, ["75/03/02", "101/12/31"]),
    (Kind.DATE, ["2 March 1986", "31 Dec 2012"]),
    (Kind.TIMESTAMP, ["2020-01-02 03:04:05", "2020-01-02T03:04:05.123Z"]),
    (Kind.TIMESTAMP, ["17/May/2015:10:05:03 +0000", "18/May/2015:10:05:43 +0000"]),
    (Kind.PHONE, ["02-2700-1234", "(02) 2700 1234", "+886 2 2700 1234", "0912345678"]),
    (Kind.PHONE, ["０２－２７００－１２３４", "02-2700-1234#12"]),
    (Kind.EMAIL, ["anna@example.org", "bert.b@example.co.uk"]),
    (Kind.NUMBER, ["1", "-2.5", "1,234", "3e5", "17"]),
    (Kind.NUMBER, ["1,5", "22,75"]),
    (Kind.CODE, ["0012", "0345", "1200"]),
    (Kind.CODE, [f"A{number}" for number in range(100_000, 100_050)]),
    (Kind.CODE, [str(number) for number in range(4_000_000, 4_000_050)]),
    (Kind.ADDRESS, [f"{number} High Street" for number in range(50)]),
    (Kind.ADDRESS, [f"臺北市大安區信義路三段{number}號4樓" for number in range(50)]),
    (Kind.NAME, [f"陳{first}{second}" for first in "志明家豪俊宏文" for second in "雅婷淑芬美惠怡"]),
    (Kind.CATEGORY, ["red", "green", "red", "green", "blue", "red", "red", "blue"]),
    (Kind.TEXT, [f"a longer remark, number {number}" for number in range(50)]),
    (Kind.TEXT, []),
]


@pytest.mark.parametrize(("kind", "values"), VALUES)
def test_by_values_alone(kind, values):
    assert guess_kind("x7", values) is kind


def test_a_promise_of_the_name_is_checked():
    assert guess_kind("birth_year", ["1970", "1981", "1965"]) is Kind.NUMBER
    assert guess_kind("phone", ["see file", "none given", "unknown party"]) is not Kind.PHONE
    assert guess_kind("date", ["17/May/2015:10:05:03 +0000"]) is Kind.TIMESTAMP
    assert guess_kind("address", ["anna@example.org"]) is Kind.EMAIL


def test_minguo_without_separators_needs_the_name():
    assert guess_kind("出生日期", ["0750302", "0991231"]) is Kind.DATE
    assert guess_kind("x7", ["0750302", "0991231"]) is not Kind.DATE


def test_a_place_of_birth_is_never_a_date_or_an_address():
    for name in ("出生地", "place_of_birth", "birth city", "native-country"):
        assert guess_kind(name, ["臺北市中正區重慶南路1號"] * 9) is Kind.PLACE


def test_empty_cells_say_nothing():
    table = Table(("x",), (["", None, "  ", "1990-01-31", "1991-02-01"],))
    assert guess_kinds(("x",), table) == {"x": Kind.DATE}


def test_the_demo_register():
    table = register(1_500, 3)
    assert guess_kinds(table.columns, table) == KINDS


def test_the_demo_register_without_its_names():
    table = register(1_500, 3)
    nameless = Table(tuple(f"x{number}" for number in range(len(table.columns))), table.cells)
    found = dict(zip(table.columns, guess_kinds(nameless.columns, nameless).values(), strict=True))
    expected = ("person_id", "name_zh", "birth_date", "address_zh", "address_en", "phone", "mobile", "email", "sex")
    assert {name: found[name] for name in expected} == {name: KINDS[name] for name in expected}
