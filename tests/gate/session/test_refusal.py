"""Messages that fail."""

from __future__ import annotations

import pytest

from language.conversations import messages
from language.fake_postgres import FakePostgres
from muniment.gate.policy.statements import Refusal
from muniment.gate.protocol.backend import ErrorResponse
from muniment.gate.protocol.frontend import Bind, Execute, Parse, Sync
from muniment.gate.session.refusal import Substitutes, error
from muniment.gate.session.tracker import CALL, EXECUTE, PARSE, QUERY


def kinds(sent: bytes) -> bytes:
    fake = FakePostgres()
    fake.feed(sent)
    return bytes(kind for kind, _ in messages(fake.run()))


@pytest.mark.parametrize(("kind", "answers"), [(QUERY, b"EZ"), (CALL, b"EZ"), (PARSE, b"E"), (EXECUTE, b"E")])
def test_each_fails_with_the_answers_of_what_it_stands_for(kind: int, answers: bytes) -> None:
    assert kinds(Substitutes(bytes).of(kind)) == answers


def test_nobody_can_bind_the_portal() -> None:
    names = {Substitutes(lambda n, byte=byte: bytes([byte]) * n).name for byte in range(3)}
    assert len(names) == 3 and all(len(name) < 63 for name in names)
    sent = Parse("", "select id from person").build() + Bind("muniment refused", "").build()
    assert kinds(sent + Substitutes(bytes).of(EXECUTE) + Sync().build()) == b"12EZ"
    assert b"D" in kinds(sent + Execute("muniment refused").build())


def test_the_error_says_what_the_refusal_does() -> None:
    told = ErrorResponse.parse(error(Refusal("42501", "not allowed", "ask"))[5:])
    assert (told.severity, told.sqlstate) == ("ERROR", "42501")
    assert (told.fields["M"], told.fields["H"]) == ("not allowed", "ask")
