"""What other rules would have made of recorded traffic."""

from __future__ import annotations

import numpy as np

from language.policies import settings
from muniment.gate.policy.explain import Traffic, replay

NOON = 1_790_000_000_000 // 86_400_000 * 86_400_000 + 12 * 3_600_000
DAY = 86_400_000


def traffic(account: str, day: int, *persons: int, anonymous: int = 0, **more: str) -> Traffic:
    return Traffic(NOON + day * DAY, account, np.array(sorted(persons), np.uint32), anonymous, **more)


RECORDED = [
    traffic("anna", 0, 1, 2, 3),
    traffic("harvester", 0, *range(100)),
    traffic("anna", 1, 1, 2, 3, 4),
    traffic("harvester", 2, *range(50, 150)),
    traffic("robot", 2, *range(1_000)),
    traffic("anna", 2, anonymous=4),
]


def test_a_tighter_budget_stops_the_harvest_and_not_the_clerk() -> None:
    found = replay(settings("[defaults]\npersons = { day = 10 }\n[accounts.robot]\nguarded = false"), RECORDED)
    harvester, anna = found
    assert (harvester.account, harvester.stopped, harvester.withheld) == ("harvester", 2, 180)
    assert harvester.first == NOON and harvester.reasons == {"day": 2} and harvester.persons == 20
    assert (anna.account, anna.disclosures, anna.stopped, anna.persons, anna.first) == ("anna", 3, 0, 8, -1)


def test_modes_do_not_matter() -> None:
    text = "[defaults]\npersons = {{ day = 10 }}\nmode = '{}'"
    told = [replay(settings(text.format(mode)), RECORDED) for mode in ("observe", "throttle", "stop")]
    assert told[0] == told[1] == told[2]


def test_rates_of_anonymous_persons_are_budgets_too() -> None:
    found = replay(settings("[defaults]\npersons = { day = 3 }"), RECORDED[-1:])
    assert (found[0].stopped, found[0].withheld, found[0].reasons) == (1, 1, {"day": 1})


def test_hours_and_labels_stop_whole_disclosures() -> None:
    policy = settings(
        "[defaults]\nrequire = ['case']\n"
        "hours = { days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], spans = ['08:00-18:00'] }"
    )
    recorded = [traffic("anna", 0, 1, case="7"), traffic("anna", 0, 2, 3)]
    assert replay(policy, recorded)[0].reasons == {"case": 1}
    night = replay(policy, recorded, offset_minutes=lambda _: 12 * 60)[0]
    assert (night.reasons, night.withheld, night.persons) == ({"hours": 2}, 3, 0)


def test_roles_and_purposes_are_those_of_the_time() -> None:
    policy = settings(
        "[defaults]\npersons = { day = 1 }\n[roles.many]\npersons = { day = 1000 }\n"
        "[purposes.audit]\npersons = { day = 1000 }"
    )
    recorded = [traffic("anna", 0, *range(5)), traffic("bert", 0, *range(5), purpose="audit")]
    assert [one.withheld for one in replay(policy, recorded)] == [4, 0]
    assert [one.withheld for one in replay(policy, recorded, lambda _: ("many",))] == [0, 0]


def test_accounts_of_one_person_share_their_budget() -> None:
    text = "[defaults]\npersons = { day = 3 }\n[accounts.a]\nrecipient = 'R'\n[accounts.b]\nrecipient = 'R'"
    found = replay(settings(text), [traffic("a", 0, 1, 2), traffic("b", 0, 2, 3, 4)])
    assert {one.account: one.withheld for one in found} == {"a": 0, "b": 1}
