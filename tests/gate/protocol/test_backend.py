"""What PostgreSQL sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.protocol import ProtocolError, backend
from muniment.gate.protocol.backend import (
    KINDS,
    Authentication,
    BackendKeyData,
    BindComplete,
    CloseComplete,
    CommandComplete,
    CopyBothResponse,
    CopyInResponse,
    CopyOutResponse,
    DataRow,
    EmptyQueryResponse,
    ErrorResponse,
    Field,
    FunctionCallResponse,
    Message,
    NoData,
    NoticeResponse,
    NotificationResponse,
    ParameterDescription,
    ParameterStatus,
    ParseComplete,
    PortalSuspended,
    ReadyForQuery,
    RowDescription,
)
from muniment.gate.protocol.frontend import CopyData, CopyDone
from muniment.gate.protocol.startup import NegotiateProtocolVersion

# Written down from the documentation's "Message Formats", not made by the code under test.
EXAMPLES: list[tuple[Message, bytes]] = [
    (Authentication(Authentication.OK), b"R\0\0\0\x08\0\0\0\0"),
    (Authentication(Authentication.MD5, b"salt"), b"R\0\0\0\x0c\0\0\0\x05salt"),
    (Authentication.sasl(("SCRAM-SHA-256",)), b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"),
    (BackendKeyData(258, b"abcd"), b"K\0\0\0\x0c\0\0\x01\x02abcd"),
    (ParameterStatus("DateStyle", "ISO"), b"S\0\0\0\x12DateStyle\0ISO\0"),
    (ReadyForQuery("T"), b"Z\0\0\0\x05T"),
    (
        RowDescription((Field("id", 16_385, 1, 23, 4, -1, 0), Field("ctid", 16_385, -1, 27, 6, -1, 1))),
        b"T\0\0\0\x32\0\x02"
        b"id\0\0\0\x40\x01\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"
        b"ctid\0\0\0\x40\x01\xff\xff\0\0\0\x1b\0\x06\xff\xff\xff\xff\0\x01",
    ),
    (DataRow((b"7", None, b"")), b"D\0\0\0\x13\0\x03\0\0\0\x017\xff\xff\xff\xff\0\0\0\0"),
    (ParameterDescription((23, 25)), b"t\0\0\0\x0e\0\x02\0\0\0\x17\0\0\0\x19"),
    (CommandComplete("SELECT 5"), b"C\0\0\0\x0dSELECT 5\0"),
    (CopyInResponse(0, (0, 0)), b"G\0\0\0\x0b\0\0\x02\0\0\0\0"),
    (CopyOutResponse(1, (1,)), b"H\0\0\0\x09\x01\0\x01\0\x01"),
    (CopyBothResponse(0, ()), b"W\0\0\0\x07\0\0\0"),
    (CopyData(b"x"), b"d\0\0\0\x05x"),
    (CopyDone(), b"c\0\0\0\x04"),
    (FunctionCallResponse(None), b"V\0\0\0\x08\xff\xff\xff\xff"),
    (ErrorResponse({"S": "ERROR", "C": "42501", "M": "no"}), b"E\0\0\0\x17SERROR\0C42501\0Mno\0\0"),
    (NoticeResponse({"M": "hm"}), b"N\0\0\0\x09Mhm\0\0"),
    (NotificationResponse(9, "news", "x"), b"A\0\0\0\x0f\0\0\0\x09news\0x\0"),
    (NegotiateProtocolVersion(3 << 16), b"v\0\0\0\x0c\0\x03\0\0\0\0\0\0"),
    (ParseComplete(), b"1\0\0\0\x04"),
    (BindComplete(), b"2\0\0\0\x04"),
    (CloseComplete(), b"3\0\0\0\x04"),
    (NoData(), b"n\0\0\0\x04"),
    (PortalSuspended(), b"s\0\0\0\x04"),
    (EmptyQueryResponse(), b"I\0\0\0\x04"),
]

TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6)
SMALL = st.integers(-(2**15), 2**15 - 1)
OIDS = st.integers(0, 2**32 - 1)
FIELDS = st.builds(Field, TEXTS, OIDS, SMALL, OIDS, SMALL, st.integers(-(2**31), 2**31 - 1), SMALL)
CELLS = st.lists(st.one_of(st.none(), st.binary(max_size=6)), max_size=4).map(tuple)
REPORTED = st.dictionaries(st.sampled_from("SVCMDHPpqWstcdnFLR"), TEXTS, max_size=6)
MESSAGES = st.one_of(
    st.builds(RowDescription, st.lists(FIELDS, max_size=4).map(tuple)),
    st.builds(DataRow, CELLS),
    st.builds(ParameterDescription, st.lists(OIDS, max_size=4).map(tuple)),
    st.builds(CommandComplete, TEXTS),
    st.builds(ErrorResponse, REPORTED),
    st.builds(NoticeResponse, REPORTED),
    st.builds(NotificationResponse, SMALL, TEXTS, TEXTS),
    st.builds(ParameterStatus, TEXTS, TEXTS),
    st.builds(BackendKeyData, SMALL, st.binary(min_size=4, max_size=256)),
    st.builds(FunctionCallResponse, st.one_of(st.none(), st.binary(max_size=6))),
    st.builds(CopyOutResponse, st.integers(0, 1), st.lists(st.integers(0, 1), max_size=4).map(tuple)),
    st.builds(ReadyForQuery, st.sampled_from("ITE")),
)


@pytest.mark.parametrize(("value", "data"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_messages_are_written_and_read_as_documented(value: Message, data: bytes) -> None:
    assert value.build() == data
    assert backend.parse(data[0], data[5:]) == value


def test_every_kind_has_an_example() -> None:
    assert {data[0] for _, data in EXAMPLES} == set(KINDS)


@given(MESSAGES)
def test_messages_are_read_as_they_were_written(value: Message) -> None:
    data = value.build()
    assert int.from_bytes(data[1:5], "big") == len(data) - 1
    assert backend.parse(data[0], data[5:]) == value


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=40))
def test_any_body_is_a_message_or_an_error(kind: int, body: bytes) -> None:
    try:
        value = backend.parse(kind, body)
    except ProtocolError:
        return
    if not isinstance(value, ErrorResponse | NoticeResponse):  # a code that came twice is left out
        assert value.build()[5:] == body


@given(MESSAGES, st.data())
def test_a_body_cut_short_is_refused(value: Message, data: st.DataObject) -> None:
    body = value.build()[5:]
    if not isinstance(value, BackendKeyData):  # its secret may be shorter
        with pytest.raises(ProtocolError):
            backend.parse(value.KIND, body[: data.draw(st.integers(0, len(body) - 1))])


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ProtocolError, match="PostgreSQL sent a message of type 0x07"):
        backend.parse(7, b"")


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        (b"Z", b"X", "unknown status"),
        (b"Z", b"", "unknown status"),
        (b"R", b"\0\0\0\x00x", "Authentication 0 has 1 bytes; expected 0"),
        (b"R", b"\0\0\0\x05abc", "Authentication 5 has 3 bytes; expected 4"),
        (b"K", b"\0\0\0\x05abc", "a cancel key has 3 bytes"),
    ],
)
def test_what_postgresql_never_sends_is_refused(kind: bytes, body: bytes, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        backend.parse(kind[0], body)


def test_the_offer_of_mechanisms() -> None:
    offer = Authentication.sasl(("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"))
    assert offer.mechanisms == ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
    with pytest.raises(ProtocolError):
        _ = Authentication(Authentication.SASL, b"SCRAM-SHA-256\0").mechanisms


def test_an_error_of_our_own() -> None:
    error = ErrorResponse.of("ERROR", "57014", "stopped", hint="ask")
    assert dict(error.fields) == {"S": "ERROR", "V": "ERROR", "C": "57014", "M": "stopped", "H": "ask"}
    assert (error.sqlstate, error.severity) == ("57014", "ERROR")
    assert ErrorResponse({"S": "FEHLER"}).severity == "FEHLER" and ErrorResponse({}).sqlstate == ""


def test_a_code_that_comes_twice_counts_once() -> None:
    assert ErrorResponse.parse(b"Ma\0Mb\0\0") == ErrorResponse({"M": "a"})


@pytest.mark.parametrize(("tag", "rows"), [("SELECT 5", 5), ("INSERT 0 12", 12), ("BEGIN", 0), ("", 0), ("COPY ²", 0)])
def test_the_count_in_a_tag(tag: str, rows: int) -> None:
    assert CommandComplete(tag).rows == rows


def test_no_cell_and_no_secret_is_in_a_repr() -> None:
    values = (DataRow((b"hidden",)), ErrorResponse({"M": "hidden"}), NoticeResponse({"D": "hidden"}),
              NotificationResponse(1, "c", "hidden"), BackendKeyData(1, b"hidden"), FunctionCallResponse(b"hidden"),
              Authentication(11, b"hidden"))  # fmt: skip
    assert not any("hidden" in repr(value) for value in values)
