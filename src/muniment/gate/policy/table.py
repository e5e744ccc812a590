"""The table of all keys of gate.toml: reading, comments and `explain` are made from it.

A key of a policy may stand in several tables; its default holds where none of them has it.
"""

from __future__ import annotations

from typing import Final

from muniment.config import values
from muniment.config.values import MOST, Key
from muniment.gate.policy import parsers
from muniment.gate.policy.parsers import DAYS
from muniment.gate.policy.rules import MODES, UNATTRIBUTED

GATE: Final = ("gate",)
REGISTER: Final = ("registers.NAME",)
DEFAULTS, ROLE, ACCOUNT, PURPOSE = "defaults", "roles.NAME", "accounts.NAME", "purposes.NAME"
_WHO: Final = (DEFAULTS, ROLE, ACCOUNT)
_ALL: Final = (*_WHO, PURPOSE)
METHODS: Final = ("certificate", "scram-sha-256-plus", "scram-sha-256", "md5", "cleartext")
TLS: Final = ("off", "require", "verify-full")


def _any(choices: tuple[str, ...]) -> str:
    return " or ".join(f'"{one}"' for one in choices)


_LIMIT: Final = f'a whole number from 0 to {MOST}, or "none"'
_SWITCH: Final = "true or false"
_TEXT: Final = "a text of one line"
_PATH: Final = "a path, relative to the folder of this file"

KEYS: Final = (
    Key(
        GATE, "listen", 'a list of "host:port" or paths of unix sockets',
        "Where clients connect. Only the gate may listen where clients can reach it.",
        "閘道監聽的位址。連線端應僅能連到閘道。",
        parsers.addresses, ("127.0.0.1:6432",),
    ),
    Key(
        GATE, "upstream_host", "a host name, an address, or the folder of a unix socket",
        "Where PostgreSQL is. Its pg_hba.conf should let nobody in but the gate.",
        "PostgreSQL 所在主機，其 pg_hba.conf 應僅准許閘道連入。",
        values.text,
    ),
    Key(
        GATE, "upstream_port", "a whole number from 1 to 65535",
        "The port of PostgreSQL.",
        "PostgreSQL 的連接埠。",
        values.whole(1, 65_535), 5_432,
    ),
    Key(
        GATE, "upstream_tls", _any(TLS),
        "TLS to PostgreSQL. `verify-full` also checks its certificate; `off` is for a unix socket.",
        "與 PostgreSQL 之間的 TLS：verify-full 另驗證其憑證，off 僅供本機 socket 使用。",
        values.choice(*TLS), "require",
    ),
    Key(
        GATE, "upstream_ca", _PATH,
        "Certificates that may sign PostgreSQL's. Empty: those of the system.",
        "簽發 PostgreSQL 憑證的憑證機構；空白表示採用系統所信任者。",
        values.optional_text, "",
    ),
    Key(
        GATE, "upstream_login", _any(("client", "stored")),
        "How the gate logs in for a client. `client`: with the key that its SCRAM proof shows; nothing is stored.\n"
        "`stored`: with the password in `upstream_password_file`; needed for client certificates.",
        "閘道代為登入 PostgreSQL 的方式：client 沿用連線端 SCRAM 證明中的金鑰，不儲存任何密碼；\n"
        "stored 採用 upstream_password_file 中的密碼，以憑證登入者須用此方式。",
        values.choice("client", "stored"), "client",
    ),
    Key(
        GATE, "upstream_password_file", _PATH,
        "A file that only the gate may read: a line ACCOUNT:PASSWORD for each account, `*` for all others.\n"
        "No password stands in gate.toml.",
        "密碼檔，每個帳號一行，格式為 ACCOUNT:PASSWORD，* 代表其餘所有帳號；僅閘道可讀。gate.toml 內不寫密碼。",
        values.optional_text, "",
    ),
    Key(
        GATE, "control", "a connection string of libpq without a password",
        "The gate's own connection: it reads the tables' shape, the stored secrets and the roles.\n"
        "Its password comes from `control_password_file`, PGPASSWORD or ~/.pgpass.",
        "閘道自身的連線，用以讀取資料表結構、登入憑據及角色。\n"
        "密碼取自 control_password_file、PGPASSWORD 或 ~/.pgpass。",
        parsers.conninfo,
    ),
    Key(
        GATE, "control_password_file", _PATH,
        "A file whose first line is the password of `control`.",
        "control 連線的密碼檔，取其第一行。",
        values.optional_text, "",
    ),
    Key(
        GATE, "database", "the name of a database, or an empty text",
        "The only database that the gate lets through: that of `control`. Empty: any, and it knows no other one.",
        "閘道唯一放行的資料庫，應與 control 相同。空白表示不限，但其他資料庫的內容閘道並不知悉。",
        values.optional_text, "",
    ),
    Key(
        GATE, "certificate", _PATH,
        "The gate's own certificate with its chain, PEM. Without one there is no TLS: for a unix socket only.",
        "閘道的憑證及憑證鏈（PEM）。未設定即無 TLS，僅適用於本機 socket。",
        values.optional_text, "",
    ),
    Key(
        GATE, "certificate_key", _PATH,
        "The key of the certificate, PEM.",
        "憑證的私鑰（PEM）。",
        values.optional_text, "",
    ),
    Key(
        GATE, "client_ca", _PATH,
        "Certificates that may sign those of clients. Empty: no client certificates.",
        "簽發連線端憑證的憑證機構；空白表示不接受以憑證登入。",
        values.optional_text, "",
    ),
    Key(
        GATE, "methods", "a list of " + _any(METHODS),
        "How clients may log in. `md5` and `cleartext` are weak, and never offered without TLS.",
        "可用的登入方式。md5 與 cleartext 強度不足，無 TLS 時一律不提供。",
        values.choices_of(*METHODS), METHODS[:3],
    ),
    Key(
        GATE, "ledger_down", _any(("refuse", "spool")),
        "What happens while the ledger cannot be written. `refuse`: nothing is given out.\n"
        "`spool`: disclosures are recorded in a sealed file at the second place, and moved to the ledger later.",
        "揭露帳簿無法寫入時：refuse 一律不提供資料；\n"
        "spool 先記入第二存放處的密封暫存檔，待恢復後移入帳簿。",
        values.choice("refuse", "spool"), "refuse",
    ),
    Key(
        GATE, "ledger_wait_seconds", "a number from 0.1 to 60",
        "How long rows wait for the ledger before they are refused.",
        "資料等候揭露帳簿寫入的秒數；逾時即不提供。",
        values.number(0.1, 60), 5.0,
    ),
    Key(
        GATE, "workers", "a whole number from 1 to 64",
        "Processes that serve clients. They share the budgets; break-glass and rates are counted by each alone.",
        "處理連線的行程數。額度由各行程共用；緊急開啟與每分鐘查詢次數則由各行程分別計算。",
        values.whole(1, 64), 1,
    ),
    Key(
        GATE, "metrics", '"host:port", or an empty text',
        "Where figures for Prometheus are given. They hold no value of a register.",
        "供 Prometheus 讀取指標的位址；指標不含登記簿的任何資料。",
        parsers.optional_address, "",
    ),
    Key(
        GATE, "connections", "a whole number from 1 to 100000",
        "Clients at a time, those that have not logged in included.",
        "同時連線數的上限，含尚未登入者。",
        values.whole(1, 100_000), 1_000,
    ),
    Key(
        GATE, "login_seconds", "a number from 1 to 600",
        "How long a client may take to log in.",
        "登入時限，以秒計。",
        values.number(1, 600), 10.0,
    ),
    Key(
        GATE, "time_zone", 'a name such as "Asia/Taipei"',
        "The time zone of `hours`.",
        "hours 所用的時區。",
        values.time_zone, "UTC",
    ),
    Key(
        REGISTER, "table", '"schema.table"',
        "The live table of this register. Its partitions and views are found by themselves.",
        "此登記簿的正式資料表；其分割資料表與檢視表自動納入。",
        parsers.table,
    ),
    Key(
        REGISTER, "harmless", 'a list of column names, such as ["district"]',
        "Columns that tell nothing of a person where they stand alone.",
        "單獨出現時不涉及個人的欄位。",
        values.texts, (),
    ),
    Key(
        REGISTER, "mean_row_bytes", "a number from 1 to 1000000",
        "Bytes by which persons are charged where nobody can say whose a value is. Left out: those of the narrowest\n"
        "column that tells persons apart, by PostgreSQL's statistics, where the role of `control` may see them.",
        "無法判定屬於何人的內容，據以換算人數的位元組數。省略時取足以區別個人的最窄欄位，\n"
        "依 PostgreSQL 的統計資料，以 control 的角色可見者為限。",
        values.number(1, 1_000_000), None,
    ),
    Key(
        (ACCOUNT,), "recipient", _TEXT,
        "Under whose name this account is recorded and charged. Accounts of one person name the same one.",
        "此帳號所屬的收受者，紀錄與額度均以其名義計算。同一人有多個帳號時，請填同一名稱。",
        values.text, "the account's name",
    ),
    Key(
        (ACCOUNT,), "certificates", "a list of common names",
        "Client certificates that may log in as this account. The account's own name always may.",
        "可登入此帳號的憑證所載名稱；與帳號同名者一律可登入。",
        values.texts, (),
    ),
    Key(
        _WHO, "guarded", _SWITCH,
        "Whether registers are watched for this account. `false` lets everything pass unseen: for migrations only.",
        "是否管制此帳號。false 表示全部放行且不留紀錄，僅供資料移轉使用。",
        values.switch, True,
    ),
    Key(
        _ALL, "mode", _any(MODES),
        "What happens at the end of a budget. `observe`: it is recorded; `warn`: the client is told as well;\n"
        "`throttle`: rows wait `throttle_seconds` for each person beyond; `stop`: the statement ends.",
        "額度用盡時：observe 僅留紀錄；warn 另告知連線端；\n"
        "throttle 每超出一人即延遲 throttle_seconds；stop 中止該查詢。",
        values.choice(*MODES), "stop",
    ),
    Key(
        _ALL, "persons", "a table of limits by minute, hour, day, month (30 days) and lifetime",
        "How many different persons may be received, beyond the case-load. Each window by itself; \"none\" lifts one.",
        "各時段可查閱的人數，同一人不重複計算，承辦範圍內者不計。各時段分別計算，none 表示不限。",
        parsers.persons, None,
    ),
    Key(
        _ALL, "rows_per_statement", _LIMIT,
        "Rows of registers in one statement.",
        "單一查詢可取得的登記簿資料列數上限。",
        parsers.limit, None,
    ),
    Key(
        _ALL, "statements_per_minute", _LIMIT,
        "Statements on registers in a minute. It also bounds what is asked without receiving rows.",
        "每分鐘查詢登記簿的次數上限，亦限制不取回資料的試探。",
        parsers.limit, None,
    ),
    Key(
        _ALL, "columns", 'a table register = ["column", ...], or "all"',
        "Columns that may be received. A register that is not named may not be read at all.",
        "可取得的欄位；未列出的登記簿一律不得讀取。",
        parsers.columns, None,
    ),
    Key(
        _ALL, "hours", f'{{days = ["{DAYS[0]}", ...], spans = ["08:00-18:00"]}}, or "always"',
        "When registers may be read, in `time_zone`. Of a span over midnight, both parts are on the days listed.",
        "可讀取登記簿的時段，依 time_zone 計。時段跨越午夜時，前後兩段均須為所列的日子。",
        parsers.hours, None,
    ),
    Key(
        _ALL, "copy", _SWITCH,
        "Whether registers may be read by COPY.",
        "是否准許以 COPY 讀取登記簿。",
        values.switch, False,
    ),
    Key(
        _WHO, "code", _SWITCH,
        "Whether code of one's own may run (DO, CREATE FUNCTION and the like). What it reads cannot be\n"
        "seen, and it can store it where the gate does not look.",
        "是否准許執行自行撰寫的程式碼（DO、CREATE FUNCTION 等）。其讀取的內容無從得知，\n"
        "且可能存放在閘道看不到的地方。",
        values.switch, False,
    ),
    Key(
        _WHO, "harmless", 'a list of names of functions, such as ["office_today"]',
        "Functions that disclose nothing of a register, whatever they are given.",
        "無論引數為何，均不透露登記簿資料的函式。",
        parsers.text_set, (),
    ),
    Key(
        _WHO, "unattributed", _any(UNATTRIBUTED),
        "What happens to rows that nobody can be named for. `refuse`: none leave; `charge`: they are charged as\n"
        "unknown persons, by rows and bytes; `log`: they are charged, and leave all the same.",
        "無法判定屬於何人的資料列：refuse 一律不提供；charge 依列數與位元組數，視為不知名的人計入額度；\n"
        "log 計入額度，但仍予提供。",
        values.choice(*UNATTRIBUTED), "charge",
    ),
    Key(
        _ALL, "require", 'a list of "case" and "purpose"',
        "What a session must declare before it reads: `SET muniment.case = '...'`.",
        "讀取前須聲明的事項，例如 SET muniment.case = '...'。",
        parsers.require, (),
    ),
    Key(
        _WHO, "purpose", _TEXT,
        "The purpose that is recorded where the session declares none.",
        "未聲明目的時，紀錄所載的目的。",
        values.text, "",
    ),
    Key(
        _WHO, "purposes", "a list of names of [purposes.NAME]",
        "Purposes that may be declared. Left out: all that this file has.",
        "可聲明的目的；省略表示本檔所列的全部目的。",
        parsers.text_set, None,
    ),
    Key(
        _ALL, "basis", _TEXT,
        "The legal basis that is recorded.",
        "紀錄所載的法律依據。",
        values.text, "",
    ),
    Key(
        (DEFAULTS,), "caseload_days", "a whole number of days from 0 to 366",
        "Whoever was received within so many days is case-load: receiving them again costs nothing.",
        "此日數內查閱過的人屬承辦範圍，再次查閱不計入額度。",
        values.whole(0, 366), 30,
    ),
    Key(
        _WHO, "break_glass", '{persons = 20, minutes = 60}, or "never"',
        "What `SET muniment.break_glass = 'reason'` gives in an emergency, also while the ledger is down.\n"
        "Somebody is told at once.",
        "緊急開啟（SET muniment.break_glass = '理由'）可查閱的人數與分鐘數；揭露帳簿無法寫入時亦可使用。\n"
        "一經開啟，立即發出警報。",
        parsers.glass, None,
    ),
    Key(
        _WHO, "redact", _SWITCH,
        "Whether values are taken out of errors, notices and notifications.",
        "是否移除錯誤訊息、提示與通知中的資料內容。",
        values.switch, True,
    ),
    Key(
        (ROLE, ACCOUNT), "export", _SWITCH,
        "Whether this account may dump whole registers (pg_dump), within its budgets and with a case.",
        "是否准許以 pg_dump 匯出整份登記簿；須聲明案號，並計入額度。",
        values.switch, False,
    ),
    Key(
        _WHO, "read_only", _SWITCH,
        "Whether statements that write are refused.",
        "是否拒絕一切寫入。",
        values.switch, False,
    ),
    Key(
        _WHO, "marks", _SWITCH,
        "Whether marks are written into results in flight. It makes the account read-only: marks must not come back.",
        "是否在送出的查詢結果中加入標記。此類帳號一律僅供讀取，以免標記寫回登記簿。",
        values.switch, False,
    ),
    Key(
        _ALL, "contact", _TEXT,
        "Whom a client is told to ask.",
        "告知連線端可洽詢的對象。",
        values.text, "",
    ),
    Key(
        _ALL, "throttle_seconds", "a number from 0.01 to 3600",
        "In mode `throttle`: how long rows wait for each person beyond the budget.",
        "mode 為 throttle 時，每超出額度一人所延遲的秒數。",
        values.number(0.01, 3_600), 1.0,
    ),
    Key(
        _WHO, "actor_key", "a public key of 64 hex digits from `muniment gate actor-key`",
        "The application's key: with it, `SET muniment.actor` names the person behind a shared account.",
        "應用程式的公鑰。設定後，SET muniment.actor 可載明共用帳號背後實際操作的人。",
        parsers.public_key, "",
    ),
)  # fmt: skip

BY_TABLE: Final = {
    table: {key.name: key for key in KEYS if table in key.tables}
    for table in (*GATE, *REGISTER, DEFAULTS, ROLE, ACCOUNT, PURPOSE)
}
