"""What a watch is given in real offices: late and doubled disclosures, wrong clocks, gaps, accounts renamed in a night.

None of it may end the watch, flood its keeper, or pass unsaid; and each is replayed as it was.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from language.offices import Office, template
from language.watched import Read, Wall, copied, give, harvest, led, together, wall, watching, working
from muniment.errors import InputError
from muniment.workspace.watch_checking import check
from muniment.workspace.watching import Watching


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def here(made: Path, tmp_path: Path) -> tuple[Office, Wall]:
    return copied(made, tmp_path / "here")


def said(watch: Watching, name: str) -> dict[str, object]:
    """What `watch check` says of one thing."""
    return next(one for one in check(watch) if one.name == name).values


def accounts(watch: Watching) -> set[str]:
    """Accounts with an alert."""
    names = {watch.alerts.names.of("account", f"clerk{n}"): f"clerk{n}" for n in range(40)}
    return {names[one.pseudonym] for one in watch.handling.listed() if one.unit == "account"}


def test_disclosures_that_come_late(here: tuple[Office, Wall]) -> None:
    office, clock = here
    give(office, clock, working(0, 20))
    led(office, clock=clock, at=25)
    late = [replace(one, day=25.5, dated=one.day) for one in harvest(10, 13, account="clerk3")]
    give(office, clock, [*late, *working(26, 30, seed=3)])
    watch = led(office, clock=clock, at=33)
    assert said(watch, "judged")["late"] == 50
    assert watch.replay(whole=True).equal and not accounts(watch)


def test_disclosures_recorded_twice(here: tuple[Office, Wall]) -> None:
    office, clock = here
    reads = working(0, 30)
    give(office, clock, together(reads, reads, reads))
    watch = led(office, clock=clock, at=33)
    assert not accounts(watch), "reading a person again is no harvest"
    assert watch.replay(whole=True).equal


def test_a_clock_that_jumps_ahead_and_back(here: tuple[Office, Wall]) -> None:
    office, clock = here
    give(office, clock, working(0, 14))
    led(office, clock=clock, at=14.5)
    led(office, clock=clock, at=4_000)  # the watch's own clock is wrong for a night
    give(office, clock, together(working(15, 40, seed=2), harvest(22, 36)))
    watch = led(office, clock=clock, at=40)
    assert accounts(watch) == {"clerk1"}
    assert watch.replay(whole=True).equal


def test_a_gate_whose_clock_was_ahead_for_a_day(here: tuple[Office, Wall]) -> None:
    """The ledger's time never goes back: what follows stands at the wrong time until the clock has caught up."""
    office, clock = here
    wrong = [replace(one, day=one.day + 5) for one in working(14, 15, seed=4)]
    give(office, clock, [*working(0, 14), *wrong])
    give(office, clock, together(working(15, 60, seed=2), harvest(43, 57)))
    watch = led(office, clock=clock, at=60)
    assert accounts(watch) == {"clerk1"}
    assert watch.replay(whole=True).equal


def test_a_log_dated_in_the_future_or_at_the_beginning_of_time(here: tuple[Office, Wall]) -> None:
    office, clock = here
    odd = [Read(20.4, "clerk0", (7,), dated=9_000.0), Read(20.5, "clerk0", (8,), dated=-20_000.0)]
    give(office, clock, together(working(0, 30), odd))
    watch = led(office, clock=clock, at=33)
    assert said(watch, "judged")["ahead"] == 2
    assert watch.replay(whole=True).equal and not accounts(watch)


def test_a_gap_of_a_year(here: tuple[Office, Wall]) -> None:
    office, clock = here
    reads = [*working(0, 28), *working(28 + 364, 28 + 364 + 28, seed=2)]
    for part in (reads[: len(reads) // 2], reads[len(reads) // 2 :]):
        give(office, clock, part)
        watch = led(office, clock=clock, at=part[-1].day + 3)
    assert len(watch.handling.listed()) <= 4, "whoever comes back after a year is no flood"
    assert watch.replay(whole=True).equal


def test_ten_accounts_renamed_on_one_day(here: tuple[Office, Wall]) -> None:
    office, clock = here
    before = working(0, 40, accounts=10)
    after = [replace(one, account=f"clerk{int(one.account[5:]) + 10}") for one in working(40, 70, accounts=10, seed=1)]
    give(office, clock, [*before, *after])
    watch = led(office, clock=clock, at=75)
    assert len(accounts(watch)) <= 10, "at most one alert an account"
    assert watch.replay(whole=True).equal


def test_a_poisoned_beginning(here: tuple[Office, Wall]) -> None:
    office, clock = here
    give(office, clock, together(working(0, 40), harvest(0, 40, account="clerk1", a_day=10)))
    watch = led(office, clock=clock, at=43)
    sure = [one for one in watch.handling.listed() if one.kind == "guaranteed"]
    assert {one.pseudonym for one in sure} == {watch.alerts.names.of("account", "clerk1")}


def test_a_register_that_was_taken_out_of_the_settings(here: tuple[Office, Wall]) -> None:
    office, clock = here
    give(office, clock, together(working(0, 30), harvest(10, 24)))
    led(office, clock=clock, at=20)
    path = office.folder / "office" / "muniment.toml"
    path.write_text(path.read_text(encoding="utf-8").partition("[registers.persons]")[0], encoding="utf-8")
    watch = led(office, clock=clock, at=33)
    assert watch.handling.listed() and watch.handling.page(watch.handling.listed()[0].id, "en")


@pytest.mark.parametrize("what", ["watch/state/now.bin", "watch/alerts.bin", "watch/course/journal.bin"])
def test_what_was_altered_is_refused(here: tuple[Office, Wall], what: str) -> None:
    from muniment.errors import IntegrityError

    office, clock = here
    give(office, clock, together(working(0, 30), harvest(10, 24)))
    watch = led(office, clock=clock, at=33)
    path = watch.parts.folder / what
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(IntegrityError):
        watching(office).run(follow=False)


def test_settings_that_break_while_it_runs(here: tuple[Office, Wall]) -> None:
    office, _ = here
    wall(office).at(3)
    watch = led(office)
    watch.path.write_text("[watch]\nlag_hours = 'often'\n", encoding="utf-8")
    with pytest.raises(InputError, match="lag_hours"):
        watching(office).run(follow=False)
    assert [one.state for one in check(watching(office))] == ["fault"]
