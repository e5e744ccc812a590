"""The table of all keys of watch.toml: reading, comments and `explain` are made from it.

[weights] is not in it: its keys are names of registers and columns, and it is read by `settings`.
"""

from __future__ import annotations

from typing import Final

from muniment.config import values
from muniment.config.values import Key
from muniment.watch import settings_parsers as parsers
from muniment.watch.signals.declared import A_DAY

WATCH, BUDGET, OFFICE, ACCOUNT, TYPE, SINK, GATE = (
    "watch", "budget", "offices.NAME", "accounts.NAME", "types.NAME", "sinks.NAME", "gate"
)  # fmt: skip
_BUDGETS: Final = (BUDGET, OFFICE, ACCOUNT)
CHANNELS: Final = ("gate", "application", "imported", "file")
SINKS: Final = ("stdout", "file", "syslog", "webhook", "email")
_PATH: Final = "a path, relative to the folder of this file"
_TEXT: Final = "a text of one line"
_SWITCH: Final = "true or false"


KEYS: Final = (
    Key(
        (WATCH,), "alerts_per_1000", "a number from 0.01 to 100",
        "Alerts on innocent accounts that the office accepts for 1,000 days on which an account worked.\n"
        "At 1, one account in five is flagged within a year of 220 workdays: every alert page says so.",
        "每 1,000 個帳號工作日可接受多少件誤報。設為 1 時，一年 220 個工作日內約五分之一的帳號會被誤報一次；\n"
        "警報頁面一律載明此比例。",
        values.number(0.01, 100), 1.0,
    ),
    Key(
        (WATCH,), "lag_hours", "a whole number from 0 to 720",
        "Hours after the end of a day until it is judged: cases and assignments of that day are imported at night.\n"
        "Each hour is one more in which a harvest goes on.",
        "一日結束後隔多少小時才予判讀，以便夜間匯入當日的案件與承辦資料；越久，越晚發現。",
        values.whole(0, 720), 6,
    ),
    Key(
        (WATCH,), "time_zone", 'a name such as "Asia/Taipei"',
        "The time zone in which days begin and end.",
        "一日起訖所依的時區。",
        values.time_zone, "UTC",
    ),
    Key(
        (WATCH,), "channels", "a list of " + ", ".join(f'"{one}"' for one in CHANNELS),
        "The ways by which disclosures are watched. Copies that were released as files are on record as such,\n"
        "with a purpose and marks, and are left out where \"file\" is not in the list.",
        "納入監看的揭露管道。以檔案釋出的副本另有紀錄、目的與標記；清單不含 file 時不列入。",
        values.choices_of(*CHANNELS), CHANNELS[:3],
    ),
    Key(
        (WATCH,), "challenge", "a number from 0 to 1",
        "The chance with which a read must be justified afterwards. 0 asks nobody. The coin is drawn after the read\n"
        "was recorded, so that nobody can tell beforehand.",
        "每次讀取須於事後說明理由的機率；0 表示不抽查。讀取入帳後才抽籤，事前無從得知。",
        values.number(0, 1), 0.0,
    ),
    Key(
        (WATCH,), "challenge_days", "a whole number of days from 1 to 90",
        "Days within which a challenge must be answered; after that it counts as failed.",
        "抽查須於幾日內說明；逾期視為未能說明。",
        values.whole(1, 90), 14,
    ),
    Key(
        (WATCH,), "alert_days", "a whole number of days from 1 to 3660",
        "Days after which a closed alert is deleted.",
        "警報結案後保存的日數，期滿刪除。",
        values.whole(1, 3_660), 365,
    ),
    Key(
        (WATCH,), "unmask_persons", "1 or 2",
        "How many persons it takes to see which account stands behind an alert.",
        "查明警報所指的帳號須幾人同意。",
        values.whole(1, 2), 1,
    ),
    Key(
        (WATCH,), "crowd_floor", "a whole number from 2 to 1000",
        "How many accounts must have read one person without a reason before that is told, as a count alone.",
        "同一人遭多少個帳號無故讀取時予以通報；僅載人數。",
        values.whole(2, 1_000), 5,
    ),
    Key(
        (WATCH,), "decoys_by_coin", _SWITCH,
        "Whether decoys were placed by a logged coin for each account: only then is a bound given for them.",
        "誘餌是否逐帳號依留有紀錄的抽籤安置；僅此情形可提出保證。",
        values.switch, False,
    ),
    Key(
        _BUDGETS, "a_day", "a number from 0.01 to 10000",
        "How many persons an account may read for the first time without a case, on average of the days it works.",
        "帳號每工作日平均可無案件而首次讀取的人數。",
        values.number(0.01, 10_000), A_DAY,
    ),
    Key(
        _BUDGETS, "share", "a number from 0.001 to 1",
        "Which share of the persons that an account reads for the first time may be without a case, on average.\n"
        "Left out: no such budget.",
        "帳號首次讀取的人當中，平均可無案件者所占的比例；省略表示不設此項額度。",
        values.number(0.001, 1), None,
    ),
    Key(
        (TYPE,), "household", _SWITCH,
        "Whether cases of this type cover the household of their persons too.",
        "此類案件是否及於當事人的同戶成員。",
        values.switch, False,
    ),
    Key(
        (SINK,), "kind", " or ".join(f'"{one}"' for one in SINKS),
        "How alerts are sent.",
        "警報送出的方式。",
        values.choice(*SINKS),
    ),
    Key(
        (SINK,), "path", _PATH,
        "file: where alerts are appended, one JSON line each.",
        "file：警報附加於此檔，每則一行 JSON。",
        values.text, "",
    ),
    Key(
        (SINK,), "host", "a host name or an address",
        "syslog, email: the server.",
        "syslog、email：伺服器。",
        values.text, "",
    ),
    Key(
        (SINK,), "port", "a whole number from 1 to 65535",
        "syslog, email: its port. Left out: the usual one.",
        "syslog、email：連接埠；省略表示採用慣用者。",
        values.whole(1, 65_535), 0,
    ),
    Key(
        (SINK,), "transport", '"udp", "tcp" or "tls"',
        "syslog: how it is reached.",
        "syslog：傳送方式。",
        values.choice("udp", "tcp", "tls"), "tls",
    ),
    Key(
        (SINK,), "url", "an address that begins with https://, or http:// to this machine",
        "webhook: where alerts are posted as CloudEvents.",
        "webhook：以 CloudEvents 格式送往的位址。",
        values.text, "",
    ),
    Key(
        (SINK,), "secret_file", _PATH,
        "webhook: a file whose first line is the key of the signature. No secret stands in watch.toml.",
        "webhook：簽章金鑰檔，取其第一行。watch.toml 內不寫機密。",
        values.text, "",
    ),
    Key(
        (SINK,), "sender", "an e-mail address",
        "email: from whom.",
        "email：寄件者。",
        values.text, "",
    ),
    Key(
        (SINK,), "recipients", "a list of e-mail addresses",
        "email: to whom.",
        "email：收件者。",
        parsers.texts, (),
    ),
    Key(
        (SINK,), "login", _TEXT,
        "email: the name to log in with. Left out: no login.",
        "email：登入名稱；省略表示不登入。",
        values.text, "",
    ),
    Key(
        (SINK,), "password_file", _PATH,
        "email: a file whose first line is the password.",
        "email：密碼檔，取其第一行。",
        values.text, "",
    ),
    Key(
        (SINK,), "security", '"starttls", "tls" or "none"',
        "email: how the server is reached. `none` is for a server on this machine.",
        "email：連線方式；none 僅供本機伺服器使用。",
        values.choice("starttls", "tls", "none"), "starttls",
    ),
    Key(
        (SINK,), "ca", _PATH,
        "syslog, webhook, email: certificates that may sign the server's. Left out: those of the system.",
        "syslog、webhook、email：可簽發伺服器憑證的憑證機構；省略表示採用系統所信任者。",
        values.text, "",
    ),
    Key(
        (GATE,), "lower", _SWITCH,
        "Whether a guaranteed alert lowers the account's budget at the gate, for 24 hours at most unless a named\n"
        "person confirms it. An estimated alert never does.",
        "有保證的警報是否調降該帳號在閘道的額度；除經具名人員確認外，至多 24 小時。推估的警報一律不調降。",
        values.switch, False,
    ),
    Key(
        (GATE,), "persons", "a table of limits by minute, hour, day, month (30 days) and lifetime",
        "What the budget is lowered to.",
        "調降後的額度。",
        parsers.persons, {"day": 20},
    ),
)  # fmt: skip

BY_TABLE: Final = {
    table: {key.name: key for key in KEYS if table in key.tables}
    for table in (WATCH, BUDGET, OFFICE, ACCOUNT, TYPE, SINK, GATE)
}
