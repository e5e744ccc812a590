"""The gate of a workspace: its settings, what a running gate is given, and what the ledger says that it let through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from language.offices import Office
from muniment.disclosure import Channel, Disclosure, Outcome, Party, Template
from muniment.errors import InputError
from muniment.gate.policy.settings import GateSettings
from muniment.ledger.batch import Batch
from muniment.workspace import gating
from muniment.workspace.bookkeeping import Selection
from muniment.workspace.gating import (
    Gatehouse,
    NewGate,
    gate_parts,
    marker,
    marks_wanted,
    recorded,
    spool,
    traffic,
    watch,
)

NEW = NewGate(upstream="db.example", control="host=db.example user=gate", tables=(("persons", "public.persons"),))


def house(office: Office) -> Gatehouse:
    return office.workspace.gate


def settings(office: Office, policy: str = "") -> GateSettings:
    """gate.toml with the least that it needs, and a policy behind it."""
    text = '[gate]\nupstream_host = "db"\ncontrol = "host=db"\n[registers.persons]\ntable = "public.persons"\n' + policy
    house(office).path.write_text(text, encoding="utf-8")
    return house(office).settings()


def give(
    office: Office, persons: Sequence[int], *, account: str = "clerk", occurred: int = 0, nameless: int = 0
) -> None:
    """What a gate would have recorded: persons by number, or nameless ones."""
    outcome = Outcome.UNATTRIBUTED if nameless else Outcome.GIVEN
    template = Template("persons", 1, Channel.GATE, (3,), "work", outcome=outcome)
    with office.parts.ledger.writing() as appender:
        ordinals = appender.ordinals(np.array([10_000 + one for one in persons], np.uint64))
        one = Disclosure(
            Party("office", account), template, tuple(sorted(set(ordinals.tolist()))), "case 1", "f",
            nameless, 10, len(persons) or nameless,
        )  # fmt: skip
        appender.append(one).result()


# --- settings --------------------------------------------------------------------------------------------------------


def test_a_new_gate_is_read_back(office: Office) -> None:
    assert not house(office).there
    assert house(office).init(NEW) == house(office).path
    found = house(office).settings()
    assert (found.upstream_host, found.upstream_port, list(found.registers)) == ("db.example", 5432, ["persons"])
    with pytest.raises(InputError, match="it stays"):
        house(office).init(NEW)


@pytest.mark.parametrize("upstream", ["db:", ":5432", "db:x", "db:5432x", "db:٣"])
def test_an_address_that_is_none_is_refused(office: Office, upstream: str) -> None:
    with pytest.raises(InputError, match="HOST:PORT"):
        house(office).init(NewGate(upstream=upstream, control=NEW.control, tables=NEW.tables))
    assert not house(office).there


def test_an_ipv6_address_is_read_back(office: Office) -> None:
    house(office).init(NewGate(upstream="[::1]:6000", control=NEW.control, tables=NEW.tables))
    assert (house(office).settings().upstream_host, house(office).settings().upstream_port) == ("::1", 6000)


def test_a_register_in_postgresql_says_where_everything_is() -> None:
    live = gating._live("postgresql://reader@db.example:6000/office/people.persons")
    assert live is not None
    assert (live.address, live.table) == ("db.example:6000", "people.persons")
    assert set(live.conninfo.split()) == {"user=reader", "host=db.example", "port=6000", "dbname=office"}
    assert gating._live("/data/persons.csv") is None


def test_a_guarded_register_must_be_declared(office: Office) -> None:
    settings(office)
    path = house(office).path
    path.write_text(path.read_text().replace("registers.persons", "registers.nobody"), encoding="utf-8")
    with pytest.raises(InputError, match="nobody"):
        house(office).settings()
    path.write_text('[gate]\nupstream_host = "db"\ncontrol = "host=db"\n', encoding="utf-8")
    with pytest.raises(InputError, match="what is guarded"):
        house(office).settings()
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        house(office).settings()
    path.unlink()
    with pytest.raises(InputError, match="no gate"):
        house(office).settings()


# --- what a running gate is given ------------------------------------------------------------------------------------


def test_parts_of_a_gate(office: Office) -> None:
    found = gate_parts(office.parts, settings(office))
    assert [key.id for key in found.pseudonym_keys] == ["pseudonym-1"]
    assert found.registers["persons"].key == ("person_id",)
    assert found.open_ledger() is not found.open_ledger()
    assert found.new_spool is not None and found.reload is not None
    assert found.reload() == found.settings
    assert abs(found.clock() - office.clock().timestamp() * 1_000) <= 60_000, "the clock moves by a minute"
    assert "secret" not in repr(found)


def test_the_password_of_the_control_role_comes_from_a_file(office: Office) -> None:
    (house(office).path.parent / "password").write_text("five words\nmore\n", encoding="utf-8")
    text = "".join(['[gate]\nupstream_host = "db"\ncontrol = "host=db"\ncontrol_password_file = "password"\n',
                    '[registers.persons]\ntable = "public.persons"\n'])  # fmt: skip
    house(office).path.write_text(text, encoding="utf-8")
    control = gating.control(office.parts, house(office).settings())
    assert control.password == "five words" and "five words" not in repr(control)
    (house(office).path.parent / "password").unlink()
    with pytest.raises(InputError, match="first line"):
        gating.control(office.parts, house(office).settings())


def test_marks_are_wanted_and_the_account_is_on_record_before_it_comes(office: Office) -> None:
    found = settings(office, '[accounts.clerk]\nmarks = true\nread_only = true\nrecipient = "Chen"\n')
    assert marks_wanted(found)
    assert marker(office.parts, found) is not None
    office.parts.journal.refresh()
    assert [copy.recipient.name for copy in office.workspace.copies()] == ["Chen"]


def test_without_marks_nobody_is_numbered(office: Office) -> None:
    assert marker(office.parts, settings(office, "[accounts.clerk]\nread_only = true\n")) is None
    assert not office.workspace.copies()


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        ("[accounts.clerk]\nmarks = true\n", "accounts.clerk"),
        ("[defaults]\nmarks = true\n", "defaults"),
        ("[roles.desk]\nmarks = true\n", "roles.desk"),
        ("[defaults]\nmarks = true\nread_only = true\n[accounts.clerk]\nread_only = false\n", "accounts.clerk"),
    ],
)
def test_whoever_receives_marks_may_not_write(office: Office, policy: str, where: str) -> None:
    with pytest.raises(InputError, match=where):
        marker(office.parts, settings(office, policy))


def test_marks_need_a_carrier(office: Office) -> None:
    office.allow_no_cells()
    with pytest.raises(InputError, match="no carrier"):
        marker(office.parts, settings(office, "[accounts.clerk]\nmarks = true\nread_only = true\n"))


def test_without_decoys_in_a_table_nothing_is_watched(office: Office) -> None:
    assert not watch(office.parts, settings(office))


# --- the spool and the ledger ----------------------------------------------------------------------------------------


def batch(*disclosures: Disclosure) -> Batch:
    return Batch.of(disclosures)


def spooled(occurred: int, case: str = "case 1") -> Disclosure:
    template = Template("persons", 1, Channel.GATE, (3,), "work")
    return Disclosure(Party("office", "clerk"), template, (), case, "f", 1, 10, 1, occurred)


def test_what_the_ledger_holds_is_known_from_what_it_does_not(office: Office) -> None:
    when = int(office.clock().timestamp() * 1_000)
    one, other = spooled(when), spooled(when + 1, "case 2")
    assert not recorded(office.parts, batch(one))
    with office.parts.ledger.writing() as appender:
        appender.append(one).result()
    assert recorded(office.parts, batch(one))
    assert not recorded(office.parts, batch(one, other)) and not recorded(office.parts, batch(other))
    assert not recorded(office.parts, batch(one, one)), "twice is not once"


def test_the_second_place_lies_beside_the_checkpoints(office: Office) -> None:
    assert spool(office.parts).files() == []
    assert gating.spool_folder(office.parts).parent == office.parts.ledger.place.second


# --- replay ----------------------------------------------------------------------------------------------------------


def test_traffic_is_what_left_by_the_gate(office: Office) -> None:
    give(office, [1, 2, 3])
    give(office, [], nameless=7, account="other")
    found = list(traffic(office.parts, Selection()))
    assert [(one.account, len(one.ordinals), one.anonymous) for one in found] == [("clerk", 3, 0), ("other", 0, 7)]
    assert (found[0].case, found[0].purpose) == ("case 1", "work")
    assert [one.account for one in traffic(office.parts, Selection(account="other"))] == ["other"]


def test_other_rules_are_tried_on_what_left(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gating, "REPLAYED", 2)
    monkeypatch.setattr(gating, "control", lambda *_: Nobody())
    settings(office, "[defaults]\npersons = { hour = 100 }\n")
    for start in range(0, 50, 10):
        give(office, range(start, start + 10))
    assert [(one.account, one.persons, one.stopped) for one in house(office).explain()] == [("clerk", 50, 0)]
    stricter = tmp_path / "stricter.toml"
    stricter.write_text(house(office).path.read_text().replace("100", "25"), encoding="utf-8")
    (found,) = house(office).explain(stricter)
    assert (found.persons, found.stopped, found.withheld, found.reasons) == (25, 3, 25, {"hour": 3})
    assert house(office).explain(stricter, account="nobody") == ()


class Nobody:
    """A control connection to a server that is away."""

    def verifier(self, account: str) -> object:
        from muniment.errors import UnreachableError

        raise UnreachableError(account)

    def close(self) -> None:
        """Nothing is open."""
