"""What both directions of one conversation share: names and order, rules, the way to either side.

Rules
1. Whatever the session wants done is collected here, and handed over once an event is dealt with.
2. A text is read as the server will read it only while nothing under way can change how it reads: else it proves
   nothing (`facts`).
3. After a statement that may change tables, or run SQL that nobody sees, nothing is taken to be known until the map of
   tables was read anew (`doubt`); in a transaction that is not before its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.text import PLAIN, Facts, facts
from muniment.gate.policy.statements import Refusal
from muniment.gate.protocol.backend import NoticeResponse
from muniment.gate.protocol.framing import Framer
from muniment.gate.session.commands import Append, Command, Entry, RefreshCatalogue, Report, ToUpstream
from muniment.gate.session.outbox import Outbox, Part
from muniment.gate.session.redaction import Redaction
from muniment.gate.session.refusal import Substitutes
from muniment.gate.session.setup import Setup
from muniment.gate.session.standing import Standing
from muniment.gate.session.texts import Texts
from muniment.gate.session.tracker import Ask, Tracker

CLIENT_BYTES: Final = 16 << 20
"""Bytes of a client's message that is read whole; a longer statement is refused, longer values pass in pieces."""
UPSTREAM_BYTES: Final = 4 << 20
"""Bytes of a row that is read whole; a longer one is charged by its bytes."""
ENCODINGS: Final = frozenset(
    "UTF8 UNICODE SQL_ASCII LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 WIN1250 WIN1251 "
    "WIN1252 WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258 WIN866 WIN874 KOI8R KOI8U ISO_8859_5 ISO_8859_6 "
    "ISO_8859_7 ISO_8859_8 EUC_CN EUC_JP EUC_KR EUC_TW EUC_JIS_2004".split()
)
"""Client encodings in which no byte of a longer character can be taken for a quote or a backslash."""
CODECS: Final = {
    "UTF8": "utf-8", "UNICODE": "utf-8", "BIG5": "big5", "GBK": "gbk", "GB18030": "gb18030", "SJIS": "cp932",
    "UHC": "cp949", "JOHAB": "johab", "SHIFT_JIS_2004": "shift_jis_2004", "EUC_CN": "gb2312", "EUC_JP": "euc_jp",
    "EUC_KR": "euc_kr", "EUC_JIS_2004": "euc_jis_2004", "KOI8R": "koi8-r", "KOI8U": "koi8-u", "WIN866": "cp866",
    "WIN874": "cp874", "LATIN1": "latin-1", "LATIN2": "iso8859-2", "LATIN9": "iso8859-15", "WIN1250": "cp1250",
    "WIN1251": "cp1251", "WIN1252": "cp1252",
}  # fmt: skip
"""Python's names of client encodings; of texts in another one, only what is ASCII is read."""
READING: Final = frozenset(("client_encoding", "standard_conforming_strings"))
"""Settings that decide how a text is read."""
STEADY: Final = READING | {"names", "all"}
"""What SET and RESET call them."""

OPAQUE: Final = frozenset(("do", "call", "execute", "many", "other", "discard", "ddl", "create-as"))
"""Kinds of statements that may run SQL that nobody sees, or change more of tables and settings than their text says."""


@dataclass(slots=True)
class Stop:
    """A statement that is being broken off. `committed` is what the client is told if it took effect all the same."""

    refusal: Refusal
    committed: Refusal
    own_sync: bool = False
    sent: bool = False
    """Whether PostgreSQL was asked to cancel."""


class Conversation:
    """The shared state of `requests`, `replies`, `results` and `stopping`; each says which part it changes."""

    def __init__(
        self,
        setup: Setup,
        standing: Standing,
        parameters: Mapping[str, str],
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.setup = setup
        self.standing = standing
        self.clock = clock
        self.tracker = Tracker()
        self.outbox = Outbox()
        self.client = Framer(CLIENT_BYTES)
        self.upstream = Framer(UPSTREAM_BYTES)
        self.substitutes = Substitutes(random_bytes)
        self.stop: Stop | None = None
        """Under way until the ReadyForQuery of its pipeline; owned by `stopping`."""
        self.cancelling = 0
        """Cancel requests that are under way."""
        """A cancel request is under way: nothing new goes to PostgreSQL, which it might hit."""
        self.owed: bytes | None = None
        """A ReadyForQuery that the client gets for its next Sync, which PostgreSQL must not see."""
        self.owed_committed = False
        """Whether something took effect in that pipeline, though it was broken off."""
        self.unknown = False
        """A result was of tables that the map does not have."""
        self.refreshing = False
        self.ended = False
        self.catalogue = setup.catalogue
        lang = setup.lang
        self.redaction = Redaction(self._names_something, lang) if standing.rules.redact else None
        self.parameters = dict(parameters)
        self.commands: list[Command] = []
        self._token = 0
        self._upstream: list[bytes | memoryview] = []
        self._texts = Texts(lambda text: self._read(text, conforming=True, safe=True))
        self._changed = False
        self._last: list[Command] = []
        self.know(setup.catalogue)

    # --- the map of tables ---

    def know(self, catalogue: Catalogue) -> None:
        """A newer map of tables holds."""
        self.catalogue = catalogue
        self.columns = self.setup.doubt.columns(catalogue)
        self.unseen = facts("execute unseen", catalogue, conforming=False, safe_encoding=False)
        self._texts.clear()
        self._plain = catalogue.scalar_functions | catalogue.quiet_functions | PLAIN
        self.unknown = False
        if self.refreshing:
            self.refreshing = False
            self.believe()

    def _names_something(self, text: str) -> bool:
        return text in self.setup.doubt.names(self.catalogue)

    @property
    def doubtful(self) -> bool:
        """Whether tables may change, or have changed, since the map was read (rule 3)."""
        return self.tracker.doubt or bool(self.setup.doubt)

    def tables(self, ask: Ask) -> Catalogue:
        """The map as it may be relied on for the rows of `ask`: in doubt, no table is known."""
        others = self.setup.doubt.sessions > self.tracker.doubt
        return replace(self.catalogue, relations={}) if ask.doubted or others else self.catalogue

    def disbelieve(self) -> None:
        """Tables may change from here on."""
        if not self.tracker.doubt:
            self.tracker.doubt = True
            self.setup.doubt.sessions += 1

    def believe(self) -> None:
        """The map is new."""
        if self.tracker.doubt:
            self.tracker.doubt = False
            self.setup.doubt.sessions -= 1

    def refresh(self) -> None:
        """Have the map read anew; statements wait for it."""
        if not self.refreshing:
            self.refreshing = True
            self.emit(RefreshCatalogue())

    # --- texts ---

    def facts(self, text: bytes) -> Facts:
        """What a statement's text proves (rule 2)."""
        if not self.readable:
            return self._read(text, conforming=False, safe=False)
        return self._texts.facts(text)

    def parameter(self, name: str, value: str) -> None:
        """PostgreSQL reported a setting."""
        if name in READING and self.parameters.get(name) != value:
            self._texts.clear()
            self._changed = True
        self.parameters[name] = value

    def reread(self) -> None:
        """Read the texts of prepared statements again: what they prove depends on the map of tables."""
        tracker = self.tracker
        asked = [ask.statement for ask in tracker.asked if ask.statement is not None]
        for statement in [*tracker.statements.values(), *asked]:
            readable = statement.readable and statement.text
            statement.facts = self._read(statement.text, conforming=True, safe=True) if readable else None
        for portal in [*tracker.portals.values(), *tracker.cursors.values()]:
            portal.facts = None

    @property
    def codec(self) -> str:
        """Python's name of the client's encoding."""
        return CODECS.get(self.parameters.get("client_encoding", "").upper(), "ascii")

    @property
    def readable(self) -> bool:
        """Whether PostgreSQL will read a text that is sent now as the gate does."""
        if self.tracker.opaque_ask is not None or self.doubtful:
            return False
        parameters = self.parameters
        if parameters.get("standard_conforming_strings") != "on":
            return False
        return parameters.get("client_encoding", "").upper() in ENCODINGS

    def writes(self, found: Facts) -> bool:
        """Whether a statement may change something that lasts."""
        return found.writes or self.opaque(found)

    def opaque(self, found: Facts) -> bool:
        """Whether a statement may run SQL that nobody sees, or change tables, names, or how texts are read."""
        if found.kind in OPAQUE or not found.provable or not found.functions <= self._plain:
            return found.kind != "empty"
        if found.kind == "transaction":
            return self._changed
        return found.kind == "set" and not STEADY.isdisjoint(name for name, *_ in found.sets)

    def _read(self, text: bytes, *, conforming: bool, safe: bool) -> Facts:
        decoded = text.decode("utf-8", "surrogateescape")
        return facts(decoded, self.catalogue, conforming=conforming, safe_encoding=safe)

    # --- the ways out ---

    def emit(self, command: Command) -> None:
        """Have something done."""
        self.commands.append(command)

    def forward(self, data: bytes | memoryview) -> None:
        """Bytes for PostgreSQL."""
        self._upstream.append(data)

    def token(self) -> int:
        """A number for the next Append or Wake."""
        self._token += 1
        return self._token

    def append(self, entries: Sequence[Entry], *, spool: bool = False) -> int:
        """Have entries recorded; the token that says so."""
        token = self.token()
        self.emit(Append(token, tuple(entries), spool or self.setup.spool))
        return token

    def report(self, event: str, *fields: tuple[str, str | int], alarm: bool = False) -> None:
        """A line for the log."""
        self.emit(Report(event, (("account", self.standing.account), *fields), alarm))

    def notice(self, refusal: Refusal) -> None:
        """Tell the client something that is no error."""
        told = NoticeResponse.of("WARNING", refusal.sqlstate, refusal.message, hint=refusal.hint)
        self.outbox.send(told.build(), Part.APART)

    def take(self) -> list[Command]:
        """What is to be done, in order: records first, then bytes."""
        found: list[Command] = self.commands
        self.commands = []
        if self._upstream:
            pieces, self._upstream = self._upstream, []
            found.append(ToUpstream(pieces[0] if len(pieces) == 1 else b"".join(pieces)))
        found.extend(self.outbox.flush())
        if self._last:
            found.extend(self._last)
            self._last = []
        return found

    def finish(self, *commands: Command) -> None:
        """Have something done after everything else; what is still held then never leaves."""
        self._last.extend(commands)

    @property
    def hold(self) -> bool:
        """Whether the client's next message has to wait."""
        if self.stop is not None or self.cancelling or self.refreshing:
            return True
        tracker = self.tracker
        return tracker.doubt and bool(tracker.asked) and not tracker.copying and not tracker.inside
