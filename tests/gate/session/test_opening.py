"""Openings as transcripts, then with libpq and PostgreSQL at their ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.logins import (
    GATE_KEY,
    PASSWORD,
    SERVER_KEY,
    SETTINGS,
    Certificate,
    PlainGate,
    certificate,
    counted,
    found,
    handed_over,
    servers_folder,
)
from language.postgres import Server, programs_of_wheel, running
from muniment.gate.identity.login import Identity, LoginRefused, LoginSettings, UpstreamLogin
from muniment.gate.protocol.backend import (
    Authentication,
    BackendKeyData,
    ErrorResponse,
    ParameterStatus,
    ReadyForQuery,
)
from muniment.gate.protocol.frontend import Query, SASLInitialResponse, Terminate
from muniment.gate.protocol.startup import (
    VERSION_3_0,
    VERSION_3_2,
    CancelRequest,
    GSSENCRequest,
    NegotiateProtocolVersion,
    SSLRequest,
    StartupMessage,
    packet,
    parse,
)
from muniment.gate.session import events
from muniment.gate.session.commands import (
    CancelSession,
    CloseClient,
    CloseUpstream,
    Command,
    FindVerifier,
    OpenUpstream,
    PrepareAccount,
    Report,
    StartTls,
    ToClient,
    ToUpstream,
)
from muniment.gate.session.opening import WAITING_BYTES, Opening, OpeningSetup, Permit, StoredCredential

SETUP = OpeningSetup(SETTINGS, GATE_KEY)
CERTIFIED = replace(
    SETUP, login=LoginSettings(("certificate",), server_key=SERVER_KEY), tls=events.TlsStarted(b"hash", "clerk")
)
STORED = Permit(StoredCredential("gate_role", "secret"))
OK = Authentication(Authentication.OK).build()
STATUS = ParameterStatus("server_version", "18.4").build()
READY = ReadyForQuery("I").build()
THEIRS = BackendKeyData(7, b"t" * 32)


class Play:
    """An opening and the commands that it gave since they were last looked at."""

    def __init__(self, setup: OpeningSetup = SETUP) -> None:
        self.opening = Opening(setup, counted)
        self.commands: list[Command] = []

    def tell(self, *told: events.Event) -> Play:
        for event in told:
            self.commands += self.opening.receive(event)
        return self

    def send(self, *packets: Any) -> Play:
        """Client bytes: packets or messages as values, or bytes."""
        data = b"".join(one if isinstance(one, bytes) else one.build() for one in packets)
        return self.tell(events.FromClient(data))

    def took(self) -> list[Command]:
        taken, self.commands = self.commands, []
        return taken

    def errors(self) -> list[str]:
        """SQLSTATEs that the client was told."""
        data = [bytes(command.data) for command in self.commands if isinstance(command, ToClient)]
        return [ErrorResponse.parse(one[5:]).sqlstate for one in data if one[:1] == b"E"]

    def reasons(self) -> list[Any]:
        return [dict(command.fields).get("reason") for command in self.commands if isinstance(command, Report)]


def start(version: int = VERSION_3_0, **parameters: str) -> StartupMessage:
    return StartupMessage(version, {"user": "clerk", "database": "office", **parameters})


def until_upstream(setup: OpeningSetup, message: StartupMessage | None = None) -> Play:
    """A session of a client with a certificate, up to the packet that goes upstream."""
    play = Play(setup).send(message or start())
    return play.tell(found(), events.AccountReady(), events.UpstreamOpened())


def stored(setup: OpeningSetup = CERTIFIED) -> OpeningSetup:
    return replace(setup, permits=lambda _, __: STORED)


# --- packets before the first message ---


@pytest.mark.parametrize(
    ("setup", "packets", "answer"),
    [
        (SETUP, [SSLRequest()], [ToClient(b"N")]),
        (SETUP, [GSSENCRequest()], [ToClient(b"N")]),
        (replace(SETUP, certificate=True), [SSLRequest()], [ToClient(b"S"), StartTls()]),
        (replace(SETUP, certificate=True), [GSSENCRequest()], [ToClient(b"N")]),
        (SETUP, [GSSENCRequest(), SSLRequest(), start()], [ToClient(b"N"), ToClient(b"N"), FindVerifier("clerk")]),
    ],
)
def test_encryption_is_answered(setup: OpeningSetup, packets: Sequence[Any], answer: list[Command]) -> None:
    play = Play(setup)
    for one in packets:
        play.send(one)
    assert play.took() == answer


@pytest.mark.parametrize("request_", [SSLRequest(), GSSENCRequest()])
@pytest.mark.parametrize("offered", [True, False])
def test_bytes_stuffed_behind_the_request_close_without_a_word(request_: Any, offered: bool) -> None:
    play = Play(replace(SETUP, certificate=offered)).send(request_, start())
    assert [type(command) for command in play.commands] == [Report, CloseClient]
    assert play.reasons() == ["stuffed-before-tls"] and play.opening.closed


def test_bytes_in_clear_after_the_answer_close_without_a_word() -> None:
    play = Play(replace(SETUP, certificate=True)).send(SSLRequest())
    play.took()
    assert [type(command) for command in play.send(start()).took()] == [Report, CloseClient]


def test_a_session_goes_on_inside_tls() -> None:
    play = Play(replace(SETUP, certificate=True, tls_required=True)).send(SSLRequest())
    play.tell(events.TlsStarted(b"hash")).took()
    assert play.send(start()).took() == [FindVerifier("clerk")]
    (asked,) = play.tell(found()).took()
    assert isinstance(asked, ToClient) and b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0" in bytes(asked.data)


@pytest.mark.parametrize("again", [SSLRequest(), GSSENCRequest()])
def test_encryption_is_asked_for_once(again: Any) -> None:
    assert Play().send(again).send(again).errors() == ["08P01"]
    assert Play(CERTIFIED).send(again).errors() == ["08P01"]


def test_tls_can_be_required() -> None:
    play = Play(replace(SETUP, tls_required=True)).send(start())
    assert play.errors() == ["28000"] and play.reasons() == ["tls-required"]


def test_a_cancel_request_is_passed_on_and_nothing_is_answered() -> None:
    for secret in (b"four", b"x" * 32):
        assert Play().send(CancelRequest(7, secret)).took() == [CancelSession(7, secret), CloseClient()]


@pytest.mark.parametrize(
    "data",
    [
        (0).to_bytes(4, "big"), (3).to_bytes(4, "big"), (2**31).to_bytes(4, "big"), packet(b"\0\2\0\0user\0a\0\0"),
        packet(b"\0\3\0\0\0"), packet(b"\0\3\0\0user\0\0\0"), packet(b"\0\3\0\0user\0a\0user\0b\0\0"),
        packet(b"\0\3\0\0user\0a"), packet(b"\x04\xd2\x16\x99"), b"GET / HTTP/1.1\r\n\r\n",
    ],
)  # fmt: skip
def test_packets_of_no_protocol_are_refused(data: bytes) -> None:
    play = Play().send(data)
    assert play.errors() == ["08P01"] and isinstance(play.commands[-1], CloseClient)


@pytest.mark.parametrize("user", [b"a\xff", b"a\nb", b"\x1b[2J"])
def test_a_name_that_no_log_can_show_is_refused(user: bytes) -> None:
    play = Play().send(packet(b"\0\3\0\0user\0" + user + b"\0\0"))
    assert play.errors() == ["28000"] and play.reasons() == ["user-name"]


def test_another_database_than_the_guarded_one_is_refused() -> None:
    setup = replace(SETUP, database="office")
    assert Play(setup).send(start()).took() == [FindVerifier("clerk")]
    assert Play(setup).send(StartupMessage(VERSION_3_0, {"user": "clerk"})).errors() == ["3D000"]
    assert Play(setup).send(StartupMessage(VERSION_3_0, {"user": "office"})).took() == [FindVerifier("office")]


@pytest.mark.parametrize(
    ("asked", "options", "spoken", "answer"),
    [
        (VERSION_3_0, {}, VERSION_3_0, None),
        (VERSION_3_2, {}, VERSION_3_2, None),
        (VERSION_3_0, {"_pq_.x": "1"}, VERSION_3_0, NegotiateProtocolVersion(VERSION_3_0, ("_pq_.x",))),
        (VERSION_3_2 + 1, {}, VERSION_3_2, NegotiateProtocolVersion(VERSION_3_2)),
        (3 << 16 | 9999, {"_pq_.x": "1"}, VERSION_3_2, NegotiateProtocolVersion(VERSION_3_2, ("_pq_.x",))),
    ],
)
def test_versions_are_negotiated_down(
    asked: int, options: dict[str, str], spoken: int, answer: NegotiateProtocolVersion | None
) -> None:
    play = Play().send(start(asked, **options))
    expected: list[Command] = [ToClient(answer.build())] if answer else []
    assert play.took() == [*expected, FindVerifier("clerk")]
    assert play.opening.version == spoken


def test_every_cut_of_a_packet_leads_to_the_same() -> None:
    data = start().build()
    for cut in range(len(data)):
        assert Play().send(data[:cut]).send(data[cut:]).took() == [FindVerifier("clerk")]


# --- the login ---


def answered(play: Play, password: str) -> Play:
    """Answer the gate's SCRAM requests with a password until it asks for nothing more."""
    login = UpstreamLogin("clerk", password, counted, None)
    while not play.opening.closed and not login.done:
        data = b"".join(bytes(command.data) for command in play.took() if isinstance(command, ToClient))
        replies = []
        while data:
            size = 1 + int.from_bytes(data[1:5], "big")
            replies.append(login.receive(data[5:size]))
            data = data[size:]
        if login.done:
            break
        play.send(*(reply for reply in replies if reply))
    return play


def test_the_right_password_leads_to_the_account_and_then_upstream() -> None:
    play = answered(Play().send(start()).tell(found()), PASSWORD)
    assert play.opening.identity is not None and play.opening.identity.client_key is not None
    assert play.tell(events.AccountReady()).took() == [OpenUpstream()]


def test_a_wrong_password_and_an_unknown_account_look_the_same() -> None:
    ends = []
    for verifier in (found(), found(password=None)):
        play = answered(Play().send(start()).tell(verifier), "guess")
        assert play.opening.closed and play.reasons() == ["wrong-password"]
        ends.append([(type(command), getattr(command, "data", None)) for command in play.took()])
    assert ends[0] == ends[1]
    assert [kind for kind, _ in ends[0]] == [ToClient, Report, CloseClient]


def test_the_answer_for_another_account_is_not_taken() -> None:
    assert Play().send(start()).tell(found("other")).took() == [FindVerifier("clerk")]


@pytest.mark.parametrize(
    ("data", "errors"),
    [(Query("select 1").build(), ["08P01"]), (Terminate().build(), []), (b"p\x7f\xff\xff\xff", ["08P01"])],
)
def test_a_client_that_does_not_log_in_is_let_go(data: bytes, errors: list[str]) -> None:
    play = Play().send(start()).tell(found())
    play.took()
    play.send(data)
    assert play.errors() == errors and isinstance(play.commands[-1], CloseClient) and play.opening.closed


def test_a_login_without_a_key_needs_a_credential_of_the_gates_own() -> None:
    play = Play(CERTIFIED).send(start()).tell(found())
    assert play.errors() == ["28000"] and play.reasons() == ["no-credential"]
    assert [type(command) for command in Play(stored()).send(start()).tell(found()).took()] == [
        FindVerifier, ToClient, Report, PrepareAccount,
    ]  # fmt: skip


def test_rules_may_turn_a_known_client_away() -> None:
    def closed_now(_: Identity, __: StartupMessage) -> Permit:
        raise LoginRefused("53300", "too many sessions of this account", "too-many")

    play = Play(replace(CERTIFIED, permits=closed_now)).send(start()).tell(found())
    assert play.errors() == ["53300"] and play.reasons() == ["too-many"]


@pytest.mark.parametrize("value", ["database", "true", "1", "on", "tru"])
def test_replication_is_refused_unless_the_rules_allow_it(value: str) -> None:
    assert Play(stored()).send(start(replication=value)).tell(found()).errors() == ["0A000"]
    allowed = replace(CERTIFIED, permits=lambda _, __: replace(STORED, replication=True))
    hello = until_upstream(allowed, start(replication=value)).took()[-1]
    assert isinstance(hello, ToUpstream) and b"replication\0" + value.encode() in bytes(hello.data)


@pytest.mark.parametrize("value", ["", "0", "off", "false", "no"])
def test_no_replication_is_not_passed_on(value: str) -> None:
    hello = until_upstream(stored(), start(replication=value)).took()[-1]
    assert isinstance(hello, ToUpstream) and b"replication" not in bytes(hello.data)


# --- upstream ---


def test_the_packet_upstream_has_the_clients_settings_and_no_protocol_option() -> None:
    message = start(VERSION_3_0, application_name="app", **{"_pq_.x": "1", "muniment.case": "7"})
    hello = until_upstream(stored(), message).took()[-1]
    assert isinstance(hello, ToUpstream)
    sent = parse(bytes(hello.data)[4:])
    assert isinstance(sent, StartupMessage) and sent.version == VERSION_3_2
    assert dict(sent.parameters) == {
        "user": "gate_role", "database": "office", "application_name": "app", "muniment.case": "7",
    }  # fmt: skip


def test_the_database_is_the_accounts_where_none_was_named() -> None:
    hello = until_upstream(stored(), StartupMessage(VERSION_3_0, {"user": "clerk"})).took()[-1]
    assert isinstance(hello, ToUpstream) and b"database\0clerk\0" in bytes(hello.data)


@pytest.mark.parametrize(("version", "size"), [(VERSION_3_0, 4), (VERSION_3_0 | 1, 4), (VERSION_3_2, 32)])
def test_a_session_opens_with_the_gates_own_key(version: int, size: int) -> None:
    play = until_upstream(stored(), start(version))
    play.took()
    play.send(b"early")
    play.tell(events.FromUpstream(OK + STATUS + THEIRS.build() + READY + b"late"))
    ours = BackendKeyData(GATE_KEY[0], GATE_KEY[1][:size])
    told, report = play.took()
    assert told == ToClient(STATUS + ours.build() + READY)
    assert isinstance(report, Report) and report.event == "session-opened"
    opening = play.opening
    assert opening.done and opening.client_key == (ours.process, ours.secret)
    assert opening.upstream_key == (7, b"t" * 32) and opening.parameters == {"server_version": "18.4"}
    assert (opening.left_client, opening.left_upstream) == (b"early", b"late")
    assert play.send(b"more").took() == []


@pytest.mark.parametrize(
    "end",
    [
        events.FromUpstream(ErrorResponse.of("FATAL", "0A000", "unsupported frontend protocol 3.2").build()),
        events.UpstreamClosed(),
    ],
    ids=["refused", "hung up"],
)
def test_an_older_upstream_is_asked_again_for_3_0(end: events.Event) -> None:
    play = until_upstream(stored(), start(VERSION_3_2))
    play.took()
    told = play.tell(end).took()
    assert told[-1] == OpenUpstream() and not play.errors()
    (hello,) = play.tell(events.UpstreamOpened()).took()
    assert isinstance(hello, ToUpstream)
    sent = parse(bytes(hello.data)[4:])
    assert isinstance(sent, StartupMessage) and sent.version == VERSION_3_0
    play.tell(events.FromUpstream(OK + BackendKeyData(7, b"four").build() + READY))
    assert play.opening.done and len(play.opening.client_key[1]) == 32
    again = until_upstream(stored()).tell(end, events.UpstreamOpened())
    again.took()
    assert again.tell(end).took() != []
    assert again.opening.closed


def test_postgres_errors_reach_the_client_without_detail() -> None:
    play = until_upstream(stored())
    play.took()
    error = ErrorResponse.of("FATAL", "3D000", "no database", detail="a detail", hint="a hint")
    play.tell(events.FromUpstream(OK + error.build()))
    assert play.errors() == ["3D000"]
    assert [type(command) for command in play.commands] == [ToClient, Report, CloseUpstream, CloseClient]
    assert b"a detail" not in bytes(getattr(play.commands[0], "data", b""))


def test_a_failed_login_of_the_gates_own_is_an_alarm_and_not_the_clients_business() -> None:
    play = until_upstream(stored())
    play.took()
    error = ErrorResponse.of("FATAL", "28P01", 'password authentication failed for user "gate_role"').build()
    play.tell(events.FromUpstream(error))
    assert play.errors() == ["57P03"]
    report = next(command for command in play.commands if isinstance(command, Report))
    assert report.alarm and b"gate_role" not in bytes(getattr(play.commands[0], "data", b""))


@pytest.mark.parametrize("data", [READY, OK + b"D\0\0\0\4", b"HTTP/1.1 400", OK + OK], ids=range(4))
def test_an_upstream_that_lies_is_not_relayed(data: bytes) -> None:
    play = until_upstream(stored())
    play.took()
    play.tell(events.FromUpstream(data))
    assert play.errors() == ["57P03"]
    assert [type(command) for command in play.commands][-2:] == [CloseUpstream, CloseClient]
    assert next(command for command in play.commands if isinstance(command, Report)).alarm


@pytest.mark.parametrize("step", range(4))
def test_a_lost_upstream_is_told_as_57p03_at_every_step(step: int) -> None:
    told: list[events.Event] = [found(), events.AccountReady(), events.UpstreamOpened(), events.FromUpstream(OK)]
    setup = replace(stored(), upstream_version=VERSION_3_0)
    play = Play(setup).send(start()).tell(*told[: step + 1])
    play.took()
    play.tell(events.UpstreamClosed("connection refused"))
    assert play.errors() == ["57P03"] and play.opening.closed


@pytest.mark.parametrize("step", range(5))
def test_a_lost_client_closes_upstream_where_there_is_one(step: int) -> None:
    told: list[events.Event] = [found(), events.AccountReady(), events.UpstreamOpened(), events.FromUpstream(OK)]
    play = Play(stored()).send(start()).tell(*told[:step])
    play.took()
    assert play.tell(events.ClientClosed()).took() == ([CloseUpstream()] if step > 2 else [])
    assert play.opening.closed and play.send(b"x").took() == []


def test_a_draining_gate_says_so() -> None:
    assert Play().send(start()).tell(events.Draining()).errors() == ["57P01"]


def test_what_waits_is_bounded_and_held_back() -> None:
    play = Play(stored()).send(start())
    play.send(bytes(70_000))
    assert play.opening.hold and not play.opening.closed
    play.send(bytes(WAITING_BYTES))
    assert play.errors() == ["08P01"]


_KNOWN_BYTES = st.sampled_from(
    [SSLRequest().build(), GSSENCRequest().build(), start().build(), start(VERSION_3_2 + 7).build(), OK, STATUS, READY,
     THEIRS.build(), Terminate().build(), Query("select 1").build(), CancelRequest(1, b"four").build(),
     SASLInitialResponse("SCRAM-SHA-256", b"n,,n=,r=abc").build(),
     ErrorResponse.of("FATAL", "0A000", "unsupported").build()]
)  # fmt: skip
_BYTES = st.one_of(_KNOWN_BYTES, st.binary(max_size=40))
_EVENTS = st.one_of(
    st.builds(events.FromClient, _BYTES),
    st.builds(events.FromUpstream, _BYTES),
    st.sampled_from(
        [events.TlsStarted(b"hash", "clerk"), found(), found(password=None), events.AccountReady(),
         events.UpstreamOpened(), events.UpstreamOpened(b"hash"), events.UpstreamClosed("gone"), events.ClientClosed(),
         events.Draining(), events.Cancelled(), events.Appended(1)]
    ),
)  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from([SETUP, stored(), replace(SETUP, certificate=True)]), st.lists(_EVENTS, max_size=12))
def test_no_order_of_events_breaks_an_opening(setup: OpeningSetup, told: list[events.Event]) -> None:
    """Whatever comes: no exception, nothing upstream but on an open connection, and silence after the end."""
    opening, connected = Opening(setup, counted), False
    for event in told:
        over = opening.closed or opening.done
        commands = opening.receive(event)
        assert not (over and commands)
        connected = (connected or isinstance(event, events.UpstreamOpened)) and not isinstance(
            event, events.UpstreamClosed
        )
        for command in commands:
            assert connected or not isinstance(command, ToUpstream)
        if opening.closed and commands and not isinstance(event, events.ClientClosed):
            assert isinstance(commands[-1], CloseClient)
        if opening.done:
            assert opening.identity is not None


# --- libpq before it, PostgreSQL behind it ---

ACCESS = "local all all trust\nhost all postgres 127.0.0.1/32 trust\n{kind} all all 127.0.0.1/32 scram-sha-256\n"


@pytest.fixture(scope="module")
def made() -> Iterator[Certificate]:
    with servers_folder() as folder:
        yield handed_over(certificate(folder))


@pytest.fixture(scope="module", params=["machine", *(["wheel"] if programs_of_wheel() else [])])
def server(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[Server]:
    """A server that asks for SCRAM: the machine's own, and the wheel's (18, with protocol 3.2)."""
    programs = programs_of_wheel()[0] if request.param == "wheel" else None
    with running(programs, access=ACCESS.format(kind="host")) as started:
        with psycopg.connect(started.url, autocommit=True) as connection:
            literal = psycopg.sql.Literal(PASSWORD)
            connection.execute(psycopg.sql.SQL("create role clerk login password {}").format(literal))
            connection.execute("create role barred login password 'x' connection limit 0")
        yield started


@pytest.fixture
def lookup(server: Server) -> Callable[[str], events.VerifierFound]:
    def verifier(account: str) -> events.VerifierFound:
        with psycopg.connect(server.url) as connection:
            row = connection.execute("select rolpassword from pg_authid where rolname = %s", [account]).fetchone()
        return events.VerifierFound(account, row[0] if row else None, (account,) if row else ())

    return verifier


def connect(gate: PlainGate, **options: Any) -> psycopg.Connection[Any]:
    given = {"user": "clerk", "password": PASSWORD, "dbname": "postgres", "sslmode": "disable", "gssencmode": "disable"}
    return psycopg.connect(host="127.0.0.1", port=gate.port, connect_timeout=10, **(given | options))


@pytest.mark.live
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gssencmode": "prefer", "sslmode": "prefer"},
        {"sslmode": "require", "channel_binding": "disable"},
        {"sslmode": "require", "channel_binding": "require"},
        {"sslmode": "require", "min_protocol_version": "3.2", "max_protocol_version": "latest"},
        {"max_protocol_version": "3.2"},
    ],
    ids=["plain", "prefer", "tls", "bound", "3.2 over tls", "3.2"],
)
def test_libpq_logs_in_through_the_gate_with_its_own_key(
    server: Server, lookup: Callable[[str], events.VerifierFound], made: Certificate, options: dict[str, str]
) -> None:
    setup = replace(SETUP, certificate=True)
    gate = PlainGate(setup, lookup, server.port, tls=made)
    with gate.listening(), connect(gate, **options) as connection:
        assert connection.execute("select current_user, 17").fetchone() == ("clerk", 17)
        assert connection.info.backend_pid == GATE_KEY[0]
        assert connection.info.parameter_status("server_encoding") == "UTF8"
        opening = gate.openings[-1]
        bound = options.get("sslmode") in {"require", "prefer"} and options.get("channel_binding") != "disable"
        assert opening.identity is not None and opening.identity.method == f"scram-sha-256{'-plus' if bound else ''}"
        newer = "3.2" in str(options)
        assert len(opening.client_key[1]) == (32 if newer else 4)
        assert opening.upstream_key is not None
        assert len(opening.upstream_key[1]) == (32 if server.version.startswith("18") else 4)
        connection.cancel_safe(timeout=5)
    assert [(one.process, one.secret) for one in gate.cancels] == [opening.client_key]


@pytest.mark.live
@pytest.mark.parametrize("user", ["clerk", "nobody"])
@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_libpq_is_told_the_same_for_a_wrong_password_and_no_account(
    server: Server, lookup: Callable[[str], events.VerifierFound], made: Certificate, user: str, sslmode: str
) -> None:
    gate = PlainGate(replace(SETUP, certificate=True), lookup, server.port, tls=made)
    failed = pytest.raises(psycopg.OperationalError, match=f'password authentication failed for user "{user}"')
    with gate.listening(), failed:
        connect(gate, user=user, password="guess", sslmode=sslmode)
    assert [dict(one.fields)["reason"] for one in gate.reports] == ["wrong-password"]


@pytest.mark.live
def test_libpq_finds_a_gate_out_whose_certificate_is_not_the_bound_one(
    server: Server, lookup: Callable[[str], events.VerifierFound], made: Certificate
) -> None:
    lying = replace(made, hash=bytes(32))
    gate = PlainGate(replace(SETUP, certificate=True), lookup, server.port, tls=lying)
    with gate.listening(), pytest.raises(psycopg.OperationalError, match="channel binding"):
        connect(gate, sslmode="require", channel_binding="require")


@pytest.mark.live
def test_errors_of_postgres_reach_libpq(server: Server, lookup: Callable[[str], events.VerifierFound]) -> None:
    gate = PlainGate(SETUP, lookup, server.port)
    with gate.listening():
        with pytest.raises(psycopg.OperationalError, match='database "nowhere" does not exist'):
            connect(gate, dbname="nowhere")
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            connect(gate, user="barred", password="x")


@pytest.mark.live
def test_the_gate_binds_its_own_channel_to_postgres(made: Certificate, postgres_url: str) -> None:
    """Client plain or bound at the gate; upstream TLS with SCRAM-SHA-256-PLUS, checked against pg_stat_ssl."""
    settings = ("ssl=on", f"ssl_cert_file={made.certificate}", f"ssl_key_file={made.key}")
    with running(access=ACCESS.format(kind="hostssl"), settings=settings) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            literal = psycopg.sql.Literal(PASSWORD)
            connection.execute(psycopg.sql.SQL("create role clerk login password {}").format(literal))
            (secret,) = connection.execute("select rolpassword from pg_authid where rolname = 'clerk'").fetchone() or ()
        setup = replace(SETUP, certificate=True)
        gate = PlainGate(
            setup, lambda account: events.VerifierFound(account, secret, (account,)), server.port, made, made
        )
        query = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
        with gate.listening():
            for sslmode in ("disable", "require"):
                with connect(gate, sslmode=sslmode) as connection:
                    assert connection.execute(query).fetchone() == (True,)
            gate.upstream_tls = replace(made, hash=bytes(32))
            with pytest.raises(psycopg.OperationalError, match="PostgreSQL refused the login of this account"):
                connect(gate)
