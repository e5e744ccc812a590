"""Tables of districts and roads, in Chinese and English, for the addresses of invented persons.

The districts and postcodes are real ones; which road a district has, and every house number, is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class District:
    """A district with its postcode, telephone area code and a rough number of residents in thousands."""

    city_zh: str
    city_en: str
    zh: str
    en: str
    postcode: str
    area: str
    residents: int


def _districts(text: str) -> tuple[District, ...]:
    """Read lines of `city_zh|city_en|area code|zh en postcode residents, ...`."""
    found = []
    for line in text.strip().splitlines():
        city_zh, city_en, area, members = line.split("|")
        for member in members.split(","):
            zh, en, postcode, residents = member.split()
            found.append(District(city_zh, city_en, zh, en.replace("_", " "), postcode, area, int(residents)))
    return tuple(found)


DISTRICTS: Final = _districts("""
臺北市|Taipei City|02|中正區 Zhongzheng 100 150,大同區 Datong 103 120,中山區 Zhongshan 104 220,松山區 Songshan 105 195
臺北市|Taipei City|02|大安區 Daan 106 295,萬華區 Wanhua 108 180,信義區 Xinyi 110 210,士林區 Shilin 111 270
臺北市|Taipei City|02|北投區 Beitou 112 240,內湖區 Neihu 114 275,南港區 Nangang 115 115,文山區 Wenshan 116 260
新北市|New Taipei City|02|板橋區 Banqiao 220 550,三重區 Sanchong 241 380,中和區 Zhonghe 235 405,永和區 Yonghe 234 215
新北市|New Taipei City|02|新莊區 Xinzhuang 242 420,新店區 Xindian 231 305,淡水區 Tamsui 251 185,汐止區 Xizhi 221 205
基隆市|Keelung City|02|仁愛區 Renai 200 42,中正區 Zhongzheng 202 51
桃園市|Taoyuan City|03|桃園區 Taoyuan 330 460,中壢區 Zhongli 320 425,平鎮區 Pingzhen 324 228,龜山區 Guishan 333 168
新竹縣|Hsinchu County|03|竹北市 Zhubei 302 205,竹東鎮 Zhudong 310 97
苗栗縣|Miaoli County|037|苗栗市 Miaoli 360 87,頭份市 Toufen 351 105
臺中市|Taichung City|04|中區 Central 400 18,東區 East 401 76,南區 South 402 126,西區 West 403 113,北區 North 404 146
臺中市|Taichung City|04|北屯區 Beitun 406 290,西屯區 Xitun 407 230,南屯區 Nantun 408 175,豐原區 Fengyuan 420 165
臺中市|Taichung City|04|大里區 Dali 412 212,沙鹿區 Shalu 433 96
彰化縣|Changhua County|04|彰化市 Changhua 500 226,員林市 Yuanlin 510 123
南投縣|Nantou County|049|南投市 Nantou 540 98,草屯鎮 Caotun 542 96
雲林縣|Yunlin County|05|斗六市 Douliu 640 108,虎尾鎮 Huwei 632 70
嘉義縣|Chiayi County|05|太保市 Taibao 612 38,民雄鄉 Minxiong 621 70
臺南市|Tainan City|06|中西區 West_Central 700 78,東區 East 701 185,南區 South 702 123,北區 North 704 129
臺南市|Tainan City|06|安平區 Anping 708 68,安南區 Annan 709 200,永康區 Yongkang 710 235
高雄市|Kaohsiung City|07|新興區 Xinxing 800 50,苓雅區 Lingya 802 165,鼓山區 Gushan 804 142,三民區 Sanmin 807 332
高雄市|Kaohsiung City|07|楠梓區 Nanzih 811 190,左營區 Zuoying 813 196,鳳山區 Fengshan 830 357
屏東縣|Pingtung County|08|屏東市 Pingtung 900 193,潮州鎮 Chaozhou 920 52
宜蘭縣|Yilan County|03|宜蘭市 Yilan 260 95,羅東鎮 Luodong 265 71
花蓮縣|Hualien County|03|花蓮市 Hualien 970 98,吉安鄉 Jian 973 83
臺東縣|Taitung County|089|臺東市 Taitung 950 103,卑南鄉 Beinan 954 17
澎湖縣|Penghu County|06|馬公市 Magong 880 63
""")

def _roads(text: str) -> tuple[tuple[str, str], ...]:
    """Read a table such as `中山路=Zhongshan_Road` into (Chinese, English) pairs."""
    pairs = (word.split("=") for word in text.split())
    return tuple((zh, en.replace("_", " ")) for zh, en in pairs)


ROADS: Final = _roads(
    "中山路=Zhongshan_Road 中正路=Zhongzheng_Road 民生路=Minsheng_Road 中華路=Zhonghua_Road "
    "民權路=Minquan_Road 信義路=Xinyi_Road 和平路=Heping_Road 復興路=Fuxing_Road 建國路=Jianguo_Road "
    "成功路=Chenggong_Road 文化路=Wenhua_Road 仁愛街=Renai_Street 忠孝街=Zhongxiao_Street 民族路=Minzu_Road "
    "光復街=Guangfu_Street 自由街=Ziyou_Street 大同街=Datong_Street 三民街=Sanmin_Street 博愛街=Boai_Street "
    "公園街=Gongyuan_Street 福德街=Fude_Street 永安街=Yongan_Street 學府路=Xuefu_Road 金雀街=Goldfinch_Street "
    "楓林大道=Maple_Avenue 湖濱大道=Lakeside_Avenue 雲雀街=Skylark_Street 松柏街=Cypress_Street "
    "河堤路=Riverbank_Road 榕樹大道=Banyan_Avenue 燈塔路=Lighthouse_Road 茶園路=Teagarden_Road "
    "竹林街=Bamboo_Street 蓮花街=Lotus_Street 白鷺大道=Egret_Boulevard 書院街=Academy_Street"
)
"""(Chinese, English) names of roads, the common ones first: each district has them in an order of its own."""
