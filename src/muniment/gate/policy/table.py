"""The table of all keys of gate.toml: reading, comments and `explain` are made from it.

A key of a policy may stand in several tables; its default holds where none of them has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from muniment.config.settings import REQUIRED
from muniment.gate.policy import parsers
from muniment.gate.policy.parsers import DAYS, MOST, Parser
from muniment.gate.policy.rules import MODES, UNATTRIBUTED

GATE: Final = ("gate",)
REGISTER: Final = ("registers.NAME",)
DEFAULTS, ROLE, ACCOUNT, PURPOSE = "defaults", "roles.NAME", "accounts.NAME", "purposes.NAME"
_WHO: Final = (DEFAULTS, ROLE, ACCOUNT)
_ALL: Final = (*_WHO, PURPOSE)
METHODS: Final = ("certificate", "scram-sha-256-plus", "scram-sha-256", "md5", "cleartext")
TLS: Final = ("off", "require", "verify-full")


@dataclass(frozen=True, slots=True)
class Key:
    """One key: the tables it may stand in, its name, what it takes, what it means, and how it is read."""

    tables: tuple[str, ...]
    name: str
    expected: str
    english: str
    chinese: str
    parse: Parser = field(repr=False)
    default: Any = REQUIRED


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
        "閘道的監聽位址。用戶端只應連得到閘道。",
        parsers.addresses, ("127.0.0.1:6432",),
    ),
    Key(
        GATE, "upstream_host", "a host name, an address, or the folder of a unix socket",
        "Where PostgreSQL is. Its pg_hba.conf should let nobody in but the gate.",
        "PostgreSQL 主機;其 pg_hba.conf 應只准閘道連入。",
        parsers.text,
    ),
    Key(
        GATE, "upstream_port", "a whole number from 1 to 65535",
        "The port of PostgreSQL.",
        "PostgreSQL 連接埠。",
        parsers.whole(1, 65_535), 5_432,
    ),
    Key(
        GATE, "upstream_tls", _any(TLS),
        "TLS to PostgreSQL. `verify-full` also checks its certificate; `off` is for a unix socket.",
        "與 PostgreSQL 之間的 TLS;verify-full 並驗證其憑證,off 僅供本機 socket。",
        parsers.choice(*TLS), "require",
    ),
    Key(
        GATE, "upstream_ca", _PATH,
        "Certificates that may sign PostgreSQL's. Empty: those of the system.",
        "簽發 PostgreSQL 憑證的憑證機構;空白表示採用系統所信任者。",
        parsers.optional_text, "",
    ),
    Key(
        GATE, "upstream_login", _any(("client", "stored")),
        "How the gate logs in for a client. `client`: with the key that its SCRAM proof shows; nothing is stored.\n"
        "`stored`: with the password in `upstream_password_file`; needed for client certificates.",
        "閘道代用戶端登入 PostgreSQL 的方式:client 沿用 SCRAM 證明中的金鑰,不儲存任何密碼;stored 使用密碼檔。",
        parsers.choice("client", "stored"), "client",
    ),
    Key(
        GATE, "upstream_password_file", _PATH,
        "A file in the form of .pgpass that only the gate may read. No password stands in gate.toml.",
        "格式同 .pgpass 的密碼檔,僅閘道可讀。gate.toml 內不寫密碼。",
        parsers.optional_text, "",
    ),
    Key(
        GATE, "control", "a connection string of libpq without a password",
        "The gate's own connection: it reads the tables' shape, the stored secrets and the roles.\n"
        "Its password comes from `control_password_file`, PGPASSWORD or ~/.pgpass.",
        "閘道自身的連線,用以讀取資料表結構、登入憑據及角色。密碼另置。",
        parsers.conninfo,
    ),
    Key(
        GATE, "control_password_file", _PATH,
        "A file whose first line is the password of `control`.",
        "control 連線的密碼檔,取其第一行。",
        parsers.optional_text, "",
    ),
    Key(
        GATE, "database", "the name of a database, or an empty text",
        "The only database that the gate lets through. Empty: the one of `control`.",
        "閘道唯一放行的資料庫;空白表示與 control 相同。",
        parsers.optional_text, "",
    ),
    Key(
        GATE, "certificate", _PATH,
        "The gate's own certificate with its chain, PEM. Without one there is no TLS: for a unix socket only.",
        "閘道憑證及憑證鏈(PEM)。未設定即無 TLS,僅適用本機 socket。",
        parsers.optional_text, "",
    ),
    Key(
        GATE, "certificate_key", _PATH,
        "The key of the certificate, PEM.",
        "憑證私鑰(PEM)。",
        parsers.optional_text, "",
    ),
    Key(
        GATE, "client_ca", _PATH,
        "Certificates that may sign those of clients. Empty: no client certificates.",
        "簽發用戶端憑證的憑證機構;空白表示不採用用戶端憑證。",
        parsers.optional_text, "",
    ),
    Key(
        GATE, "methods", "a list of " + _any(METHODS),
        "How clients may log in. `md5` and `cleartext` are weak, and never offered without TLS.",
        "用戶端可用的登入方式。md5 與 cleartext 較弱,且無 TLS 時一律不採。",
        parsers.choices_of(*METHODS), METHODS[:3],
    ),
    Key(
        GATE, "ledger_down", _any(("refuse", "spool")),
        "What happens while the ledger cannot be written. `refuse`: nothing is given out.\n"
        "`spool`: disclosures are recorded in a sealed file at the second place, and moved to the ledger later.",
        "帳冊無法寫入時:refuse 一律不提供資料;spool 先記於第二存放處的密封檔,事後補入。",
        parsers.choice("refuse", "spool"), "refuse",
    ),
    Key(
        GATE, "ledger_wait_seconds", "a number from 0.1 to 60",
        "How long rows wait for the ledger before they are refused.",
        "等待帳冊寫入的秒數上限。",
        parsers.number(0.1, 60), 5.0,
    ),
    Key(
        GATE, "workers", "a whole number from 1 to 64",
        "Processes that serve clients. They share the budgets.",
        "服務用戶端的行程數,額度共用。",
        parsers.whole(1, 64), 1,
    ),
    Key(
        GATE, "metrics", '"host:port", or an empty text',
        "Where figures for Prometheus are given. They hold no value of a register.",
        "提供 Prometheus 指標的位址;指標不含任何登記資料。",
        parsers.optional_address, "",
    ),
    Key(
        GATE, "connections", "a whole number from 1 to 100000",
        "Clients at a time, those that have not logged in included.",
        "同時連線數上限(含尚未登入者)。",
        parsers.whole(1, 100_000), 1_000,
    ),
    Key(
        GATE, "login_seconds", "a number from 1 to 600",
        "How long a client may take to log in.",
        "登入時限(秒)。",
        parsers.number(1, 600), 10.0,
    ),
    Key(
        GATE, "time_zone", 'a name such as "Asia/Taipei"',
        "The time zone of `hours`.",
        "hours 所用的時區。",
        parsers.time_zone, "UTC",
    ),
    Key(
        REGISTER, "table", '"schema.table"',
        "The live table of this register. Its partitions and views are found by themselves.",
        "此登記簿的資料表;其分割表與檢視表自動納入。",
        parsers.table,
    ),
    Key(
        REGISTER, "harmless", 'a list of column names, such as ["district"]',
        "Columns that tell nothing of a person where they stand alone.",
        "單獨出現時不涉及個人的欄位。",
        parsers.texts, (),
    ),
    Key(
        REGISTER, "mean_row_bytes", "a number from 1 to 1000000",
        "Bytes of an average record; a cell that nobody can read is charged by it. Left out, it is measured.",
        "平均每筆位元組數,用以估計無法判讀的內容;省略則自動測量。",
        parsers.number(1, 1_000_000), None,
    ),
    Key(
        (ACCOUNT,), "recipient", _TEXT,
        "Under whose name this account is recorded and charged. Accounts of one person name the same one.",
        "此帳號所屬的收受者;同一人的多個帳號應填同一名稱,額度合併計算。",
        parsers.text, "the account's name",
    ),
    Key(
        (ACCOUNT,), "certificates", "a list of common names",
        "Client certificates that may log in as this account. The account's own name always may.",
        "可登入此帳號的用戶端憑證名稱。",
        parsers.texts, (),
    ),
    Key(
        _WHO, "guarded", _SWITCH,
        "Whether registers are watched for this account. `false` lets everything pass unseen: for migrations only.",
        "是否監看此帳號。false 表示完全不看,僅供資料移轉。",
        parsers.switch, True,
    ),
    Key(
        _ALL, "mode", _any(MODES),
        "What happens at the end of a budget. `observe`: it is recorded; `warn`: the client is told as well;\n"
        "`throttle`: rows wait `throttle_seconds` for each person beyond; `stop`: the statement ends.",
        "額度用盡時:observe 僅記錄;warn 並通知用戶端;throttle 逐人延遲;stop 立即中止。",
        parsers.choice(*MODES), "stop",
    ),
    Key(
        _ALL, "persons", "a table of limits by minute, hour, day, month (30 days) and lifetime",
        "How many different persons may be received, beyond the case-load. Each window by itself; \"none\" lifts one.",
        "各時段可查閱的不同人數(不含既有案件);可各別設定,none 表示不限。",
        parsers.persons, None,
    ),
    Key(
        _ALL, "rows_per_statement", _LIMIT,
        "Rows of registers in one statement.",
        "單一查詢的筆數上限。",
        parsers.limit, None,
    ),
    Key(
        _ALL, "statements_per_minute", _LIMIT,
        "Statements on registers in a minute. It also bounds what is asked without receiving rows.",
        "每分鐘對登記簿的查詢次數上限;亦限制不取回資料的試探。",
        parsers.limit, None,
    ),
    Key(
        _ALL, "columns", 'a table register = ["column", ...], or "all"',
        "Columns that may be received. A register that is not named may not be read at all.",
        "可取得的欄位;未列出的登記簿完全不得讀取。",
        parsers.columns, None,
    ),
    Key(
        _ALL, "hours", f'{{days = ["{DAYS[0]}", ...], spans = ["08:00-18:00"]}}, or "always"',
        "When registers may be read, in `time_zone`. Of a span over midnight, both parts are on the days listed.",
        "可讀取登記簿的時段(依 time_zone)。",
        parsers.hours, None,
    ),
    Key(
        _ALL, "copy", _SWITCH,
        "Whether registers may be read by COPY.",
        "是否准用 COPY 讀取登記簿。",
        parsers.switch, False,
    ),
    Key(
        _WHO, "code", _SWITCH,
        "Whether code of one's own may run (DO, CREATE FUNCTION and the like). What it reads cannot be\n"
        "seen, and it can store it where the gate does not look.",
        "是否准許執行自行撰寫的程式(DO、CREATE FUNCTION 等)。其讀取內容無從判讀,且可能另存他處。",
        parsers.switch, False,
    ),
    Key(
        _WHO, "harmless", 'a list of names of functions, such as ["office_today"]',
        "Functions that disclose nothing of a register, whatever they are given.",
        "無論引數為何均不透露登記資料的函式。",
        parsers.text_set, (),
    ),
    Key(
        _WHO, "unattributed", _any(UNATTRIBUTED),
        "What happens to rows that nobody can be named for. `refuse`: none leave; `charge`: they are charged as\n"
        "unknown persons, by rows and bytes; `log`: they are charged, and leave all the same.",
        "無法判定屬於何人的資料:refuse 不提供;charge 依筆數與位元組計入額度;log 計入額度但仍予提供。",
        parsers.choice(*UNATTRIBUTED), "charge",
    ),
    Key(
        _ALL, "require", 'a list of "case" and "purpose"',
        "What a session must declare before it reads: `SET muniment.case = '...'`.",
        "讀取前必須聲明的事項:SET muniment.case = '...'。",
        parsers.require, (),
    ),
    Key(
        _WHO, "purpose", _TEXT,
        "The purpose that is recorded where the session declares none.",
        "未聲明用途時所記錄的用途。",
        parsers.text, "",
    ),
    Key(
        _WHO, "purposes", "a list of names of [purposes.NAME]",
        "Purposes that may be declared. Left out: all that this file has.",
        "可聲明的用途;省略表示本檔所列全部。",
        parsers.text_set, None,
    ),
    Key(
        _ALL, "basis", _TEXT,
        "The legal basis that is recorded.",
        "所記錄的法律依據。",
        parsers.text, "",
    ),
    Key(
        (DEFAULTS,), "caseload_days", "a whole number of days from 0 to 366",
        "Whoever was received within so many days is case-load: receiving them again costs nothing.",
        "幾日內查閱過者視為既有案件,再次查閱不計額度。",
        parsers.whole(0, 366), 30,
    ),
    Key(
        _WHO, "break_glass", '{persons = 20, minutes = 60}, or "never"',
        "What `SET muniment.break_glass = 'reason'` gives in an emergency, also while the ledger is down.\n"
        "Somebody is told at once.",
        "緊急查閱(須聲明理由)的人數與時間;帳冊中斷時亦可用,並立即通報。",
        parsers.glass, None,
    ),
    Key(
        _WHO, "redact", _SWITCH,
        "Whether values are taken out of errors, notices and notifications.",
        "是否自錯誤訊息、通知中移除資料內容。",
        parsers.switch, True,
    ),
    Key(
        (ROLE, ACCOUNT), "export", _SWITCH,
        "Whether this account may dump whole registers (pg_dump), within its budgets and with a case.",
        "是否准以 pg_dump 匯出整份登記簿(須有案號,並計入額度)。",
        parsers.switch, False,
    ),
    Key(
        _WHO, "read_only", _SWITCH,
        "Whether statements that write are refused.",
        "是否拒絕一切寫入。",
        parsers.switch, False,
    ),
    Key(
        _WHO, "marks", _SWITCH,
        "Whether marks are written into results in flight. It makes the account read-only: marks must not come back.",
        "是否於查詢結果中即時加註記號。加註者一律唯讀,以免記號寫回登記簿。",
        parsers.switch, False,
    ),
    Key(
        _ALL, "contact", _TEXT,
        "Whom a client is told to ask.",
        "通知用戶端洽詢的對象。",
        parsers.text, "",
    ),
    Key(
        _ALL, "throttle_seconds", "a number from 0.01 to 3600",
        "In mode `throttle`: how long rows wait for each person beyond the budget.",
        "throttle 模式下,超出額度每人延遲的秒數。",
        parsers.number(0.01, 3_600), 1.0,
    ),
    Key(
        _WHO, "actor_key", "a public key of 64 hex digits from `muniment gate actor-key`",
        "The application's key: with it, `SET muniment.actor` names the person behind a shared account.",
        "應用程式公鑰,用以驗證共用帳號背後的實際使用者。",
        parsers.public_key, "",
    ),
)  # fmt: skip

BY_TABLE: Final = {
    table: {key.name: key for key in KEYS if table in key.tables}
    for table in (*GATE, *REGISTER, DEFAULTS, ROLE, ACCOUNT, PURPOSE)
}
