"""Tables for invented persons: surnames with their shares, given-name characters by generation, western names, work.

Rules
1. Common names are common here as well: a register in which every name is rare would be too easy to align.
2. A Chinese name and its romanisation are two renderings of one name: each character has one romanisation in one table.
3. No real person is meant. Names are put together at random; numbers and mail domains lead nowhere.

The order of the hundred surnames and the shares (percent) of the first twenty are those of the name statistics of the
Department of Household Registration, Taiwan, 2018 and 2023 (Open Government Data License); the later shares are a
power law between the twentieth and the hundredth.
"""

from __future__ import annotations

from typing import Final


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Read a table such as `陳Chen 林Lin` into (character, romanisation) pairs."""
    return tuple((word[0], word[1:]) for word in text.split())


def _listed(text: str) -> tuple[str, ...]:
    """Read a table of words set apart by blanks."""
    return tuple(text.split())


SURNAMES_ZH: Final = _pairs(
    "陳Chen 林Lin 黃Huang 張Chang 李Lee 王Wang 吳Wu 劉Liu 蔡Tsai 楊Yang 許Hsu 鄭Cheng 謝Hsieh 洪Hung 郭Kuo 邱Chiu "
    "曾Tseng 廖Liao 賴Lai 徐Hsu 周Chou 葉Yeh 蘇Su 莊Chuang 呂Lu 江Chiang 何Ho 蕭Hsiao 羅Lo 高Kao 潘Pan 簡Chien "
    "朱Chu 鍾Chung 游Yu 彭Peng 詹Chan 胡Hu 施Shih 沈Shen 余Yu 盧Lu 梁Liang 趙Chao 顏Yen 柯Ko 翁Weng 魏Wei 孫Sun "
    "戴Tai 范Fan 方Fang 宋Sung 鄧Teng 杜Tu 傅Fu 侯Hou 曹Tsao 薛Hsueh 阮Juan 丁Ting 卓Cho 馬Ma 董Tung 温Wen 古Ku "
    "藍Lan 石Shih 紀Chi 唐Tang 蔣Chiang 姚Yao 連Lien 馮Feng 歐Ou 程Cheng 湯Tang 田Tien 康Kang 姜Chiang 白Pai "
    "汪Wang 鄒Tsou 尤Yu 巫Wu 鐘Chung 黎Li 涂Tu 龔Kung 嚴Yen 韓Han 袁Yuan 金Chin 童Tung 陸Lu 夏Hsia 柳Liu 凃Tu "
    "邵Shao 錢Chien 倪Ni"
)
_FIRST_SHARES: Final = (
    11.15, 8.32, 6.05, 5.27, 5.13, 4.10, 4.04, 3.15, 2.91, 2.66,
    2.33, 1.88, 1.76, 1.50, 1.49, 1.46, 1.44, 1.34, 1.32, 1.26,
)  # fmt: skip
SURNAME_SHARES: Final = _FIRST_SHARES + tuple(
    1.26 * (20 / rank) ** 1.55 for rank in range(len(_FIRST_SHARES) + 1, len(SURNAMES_ZH) + 1)
)
"""Weight of each surname, in the order of `SURNAMES_ZH` (percent; they need not add up to 100)."""

COHORTS: Final = (1955, 1985)
"""Years in which naming fashions change: born before the first, between the two, after the second."""

GIVEN_ZH: Final = {
    "M": (
        (
            _pairs(
                "明Ming 文Wen 正Cheng 清Ching 金Chin 國Kuo 義Yi 武Wu 德Te 輝Hui 榮Jung 春Chun 添Tien 進Chin 永Yung "
                "福Fu 水Shui 天Tien 振Chen 坤Kun 炳Ping 錦Chin 阿Ah 火Huo 茂Mao 慶Ching 登Teng 長Chang 來Lai 萬Wan"
            ),
            _pairs(
                "雄Hsiung 男Nan 山Shan 輝Hui 川Chuan 成Cheng 財Tsai 發Fa 貴Kuei 福Fu 源Yuan 枝Chih 木Mu 義Yi 德Te "
                "興Hsing 祥Hsiang 生Sheng 吉Chi 雲Yun 旺Wang 海Hai 松Sung 欽Chin 堂Tang 和Ho 泉Chuan 土Tu 城Cheng"
            ),
        ),
        (
            _pairs(
                "志Chih 俊Chun 建Chien 家Chia 文Wen 明Ming 宏Hung 信Hsin 國Kuo 冠Kuan 世Shih 智Chih 嘉Chia 威Wei 彥Yen "
                "士Shih 哲Che 政Cheng 育Yu 柏Po 勝Sheng 景Ching 仁Jen 偉Wei 立Li 孟Meng 裕Yu 宗Tsung 維Wei"
            ),
            _pairs(
                "豪Hao 偉Wei 宏Hung 銘Ming 傑Chieh 賢Hsien 龍Lung 仁Jen 華Hua 成Cheng 宇Yu 瑋Wei 良Liang 榮Jung 文Wen "
                "明Ming 達Ta 雄Hsiung 誠Cheng 維Wei 翔Hsiang 忠Chung 昌Chang 毅Yi 霖Lin 廷Ting 隆Lung 源Yuan"
            ),
        ),
        (
            _pairs(
                "宇Yu 承Cheng 柏Po 冠Kuan 宥Yu 品Pin 睿Jui 翔Hsiang 彥Yen 子Tzu 家Chia 宗Tsung 奕Yi 哲Che 浩Hao 昱Yu "
                "書Shu 庭Ting 丞Cheng 秉Ping 恩En 鈞Chun 威Wei 博Po 韋Wei 梓Tzu 祐Yu 聖Sheng 尚Shang 亦Yi"
            ),
            _pairs(
                "翔Hsiang 恩En 廷Ting 宇Yu 睿Jui 勳Hsun 翰Han 軒Hsuan 安An 均Chun 佑Yu 澤Tse 齊Chi 叡Jui 霖Lin 豪Hao "
                "辰Chen 謙Chien 凱Kai 緯Wei 毅Yi 碩Shuo 瑋Wei 誠Cheng 愷Kai 樂Le 寬Kuan 倫Lun 鴻Hung 杰Chieh"
            ),
        ),
    ),
    "F": (
        (
            _pairs(
                "美Mei 秀Hsiu 玉Yu 麗Li 月Yueh 春Chun 淑Shu 素Su 金Chin 阿Ah 寶Pao 碧Pi 錦Chin 惠Hui 瑞Jui 翠Tsui "
                "桂Kuei 梅Mei 彩Tsai 罔Wang 銀Yin 雪Hsueh 英Ying 貴Kuei 明Ming 鳳Feng 富Fu 招Chao 來Lai 滿Man"
            ),
            _pairs(
                "英Ying 珠Chu 蘭Lan 花Hua 鳳Feng 美Mei 月Yueh 雲Yun 霞Hsia 梅Mei 珍Chen 玉Yu 桃Tao 枝Chih 娥Oh "
                "香Hsiang 蓮Lien 琴Chin 葉Yeh 女Nu 嬌Chiao 卿Ching 子Tzu 菊Chu 錦Chin 雀Chueh 綢Chou 絨Jung 好Hao"
            ),
        ),
        (
            _pairs(
                "淑Shu 雅Ya 惠Hui 怡Yi 佩Pei 美Mei 慧Hui 玉Yu 秀Hsiu 麗Li 靜Ching 欣Hsin 婉Wan 宜Yi 佳Chia 詩Shih "
                "雯Wen 曉Hsiao 瑞Jui 素Su 郁Yu 思Ssu 筱Hsiao 明Ming 孟Meng 貞Chen 鈺Yu 珮Pei 心Hsin 文Wen"
            ),
            _pairs(
                "芬Fen 君Chun 婷Ting 惠Hui 玲Ling 芳Fang 雯Wen 娟Chuan 如Ju 萍Ping 慧Hui 貞Chen 真Chen 華Hua 珍Chen "
                "玫Mei 儀Yi 娥Oh 琪Chi 穎Ying 蓉Jung 瑜Yu 茹Ju 敏Min 伶Ling 菁Ching 潔Chieh 樺Hua 筠Yun"
            ),
        ),
        (
            _pairs(
                "品Pin 詠Yung 子Tzu 宥Yu 雨Yu 思Ssu 語Yu 芷Chih 羽Yu 佳Chia 欣Hsin 苡Yi 沛Pei 依Yi 怡Yi 庭Ting 映Ying "
                "筱Hsiao 婕Chieh 靖Ching 可Ko 采Tsai 禹Yu 亭Ting 妤Yu 恩En 詩Shih 心Hsin 昕Hsin 紫Tzu"
            ),
            _pairs(
                "涵Han 妍Yen 晴Ching 婷Ting 萱Hsuan 瑄Hsuan 蓁Chen 彤Tung 臻Chen 恩En 安An 柔Jou 甯Ning 芸Yun 瑜Yu "
                "嫻Hsien 穎Ying 雯Wen 希Hsi 妮Ni 庭Ting 錡Chi 潔Chieh 薇Wei 樂Le 昀Yun 霏Fei 寧Ning 羽Yu 榕Jung"
            ),
        ),
    ),
}  # fmt: skip
"""By sex and generation: (first characters, second characters), the common ones first."""

GIVEN_EN: Final = {
    "M": (
        _listed(
            "James John Robert William Richard Charles Donald George Kenneth Edward Ronald Frank Raymond Harold "
            "Walter Albert Arthur Ralph Eugene Howard Louis Ernest Stanley Leonard Norman Gerald Herbert Frederick "
            "Alfred Roy Earl Clarence Francis Philip Victor Martin Leo Bernard Cecil Hugh Wallace Percy Reginald "
            "Cyril Sidney"
        ),
        _listed(
            "Michael David Mark Thomas Steven Paul Andrew Kevin Brian Peter Scott Stephen Timothy Gregory Patrick "
            "Simon Anthony Eric Jeffrey Gary Nicholas Keith Craig Alan Neil Adam Stuart Graham Colin Ian Trevor "
            "Duncan Russell Derek Nigel Barry Carl Dennis Douglas Glenn Roger Bruce Wayne Adrian Vincent Marcus "
            "Julian Rohan Andreas"
        ),
        _listed(
            "Daniel Matthew Joshua Ethan Liam Noah Lucas Oliver Samuel Benjamin Jack Harry Jacob Alexander Ryan Dylan "
            "Nathan Logan Owen Caleb Isaac Leo Max Oscar Henry Theo Finn Elliot Jasper Hugo Felix Toby Miles Silas "
            "Ezra Rowan Kai Jude Arlo Reuben Callum Rhys Tristan Damian Gabriel Sebastian Xavier Dominic Mateo Emil"
        ),
    ),
    "F": (
        _listed(
            "Mary Margaret Dorothy Helen Betty Barbara Joan Patricia Shirley Doris Ruth Virginia Jean Frances Evelyn "
            "Alice Mildred Marjorie Irene Florence Lois Martha Gladys Edith Rose Phyllis Hazel Edna Thelma Norma "
            "Beryl Sylvia Marion Audrey Eileen Winifred Muriel Olive Ethel Mabel Vera Hilda Elsie Agnes Constance"
        ),
        _listed(
            "Susan Linda Karen Deborah Lisa Sandra Donna Carol Sharon Michelle Laura Sarah Kimberly Jennifer Amanda "
            "Nicole Angela Julie Helen Christine Alison Fiona Tracey Joanne Claire Heather Rachel Catherine Wendy "
            "Jane Andrea Sally Teresa Monica Denise Paula Gillian Lorraine Yvonne Vanessa Samantha Natalie Melanie "
            "Tanya"
        ),
        _listed(
            "Emily Emma Olivia Sophie Chloe Jessica Hannah Grace Lily Ava Mia Isabella Ella Amelia Lucy Ruby Freya "
            "Charlotte Zoe Evie Phoebe Megan Georgia Daisy Holly Molly Poppy Alice Eliza Maya Nora Iris Clara Violet "
            "Hazel Ivy Aurora Stella Naomi Leah Esther Paige Tessa Bethany Imogen Rosie Matilda Juliet Elena Saskia"
        ),
    ),
}
"""By sex and generation: western given names, the common ones first."""

SURNAMES_EN: Final = _listed(
    "Smith Jones Williams Brown Taylor Davies Wilson Evans Thomas Roberts Johnson Walker Wright Robinson Thompson "
    "White Hughes Edwards Green Hall Wood Harris Lewis Martin Jackson Clarke Clark Turner Hill Scott Cooper Morris "
    "Ward Moore King Watson Baker Harrison Morgan Patel Young Allen Mitchell James Anderson Phillips Lee Bell "
    "Parker Davis Bennett Miller Cook Shaw Cox Richardson Gray Marshall Carter Collins Simpson Ellis Adams Price "
    "Mason Murphy Rogers Hunt Palmer Wilkinson Foster Graham Butler Holmes Mills Rose Russell Barnes Knight Chapman "
    "Powell Kelly Fisher Webb Gibson Stevens Matthews Harvey Fox Ford Grant Lloyd West Ryan Dixon Pearson Day Hart "
    "Arnold Reid Kennedy Brooks Payne Cole Burton Spencer Bradley Armstrong Ross Woods Hayes Porter Crawford "
    "Lawrence Stone Newman Hudson Warren Walsh Cunningham Jenkins Perry Fletcher Gardner Black Elliott Hamilton "
    "Dunn Austin Berry Osborne Burke Nicholson Hawkins Lane Atkinson Pritchard Whitfield Ashworth Sutton Barker "
    "Holland Hammond Goodwin Briggs Dawson Parsons Bishop Norris Bartlett Frost Saunders Chambers Lambert Marsh "
    "Nash Sharpe Wheeler Carr Rhodes Winter Blackwell Thornton Hartley Bond Hobbs Yates Whitehead Marsden Langley "
    "Kirby Sinclair Calder Fenwick Garside Haworth Ingram Jarvis Kemp Lockwood Maddox Naylor Oakley Pickering Quinn "
    "Radford Selby Tennant Underhill Vickers Wardle Youngman"
)

OCCUPATIONS: Final = _listed(
    "教師 工程師 護理師 會計 業務員 公務員 司機 廚師 店員 技術員 作業員 農夫 漁民 自營商 設計師 行政助理 保全員 "
    "水電工 木工 美髮師 醫師 律師 藥師 記者 軍人 警察 消防員 郵務士 銀行員 保險員 房屋仲介 研究員 社工師 物理治療師 "
    "音樂老師 翻譯 攝影師 程式設計師 倉管員 採購 清潔員 服務生 幼教老師 麵包師 汽車技師 園藝師 建築師 船員 機師"
)

MAIL_WORDS: Final = _listed(
    "bluecat sunny happyday rainbow littlebear moonlight oldtree greentea snowfox seaside lucky milktea dragonfly "
    "starfish panda sparrow tulip bamboo cloud coffee mango orange puppy river summer thunder tiger whale winter zebra"
)
MAIL_DOMAINS: Final = ("mail.example", "post.example", "example.com", "example.net", "example.org", "school.example")
"""Reserved for examples (RFC 2606): mail to them reaches nobody."""
