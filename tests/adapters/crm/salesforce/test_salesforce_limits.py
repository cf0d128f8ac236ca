"""Do we leave the last calls of an organisation's day to the customer's other apps, and come back in time?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.adapters.crm.salesforce.limits import OrgLimits
from connector.errors import CRMUnavailableError
from connector.ports.crm import CRMAccount
from tests.adapters.crm.contract import a_text
from tests.adapters.crm.doubles import MovableClock
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce

HERE = CRMAccount("a1", ORG)


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("api-usage=18/5000", (18, 5000)),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)", (25, 5000)),
        ("per-app-api-usage=17/250(appName=sample), api-usage=3/9", (3, 9)),
        ("per-app-api-usage=17/250(appName=sample)", None),
        ("api-usage=1/0", None),
        ("nonsense", None),
    ],
)
def test_the_limit_header_is_read_in_every_form(header: str, read: tuple[int, int] | None) -> None:
    limits = OrgLimits(MovableClock())
    limits.note("a1", header)
    usage = limits.usage("a1")
    assert (None if usage is None else (usage.used, usage.allowed)) == read


@pytest.mark.parametrize(
    ("used", "settings", "timeline", "rest"),
    [
        (940, {}, True, True),
        (951, {}, False, True),
        (990, {}, False, False),
        (951, {"api_reserve_percent": 2}, True, True),
        (999, {"api_reserve_percent": 0}, True, True),
        (951, {"api_reserve_percent": "many"}, False, True),
        (951, {"api_reserve_percent": 120}, False, True),
    ],
)
def test_the_timeline_stops_at_the_reserve_and_what_texts_need_at_a_fifth_of_it(
    used: int, settings: dict[str, object], timeline: bool, rest: bool
) -> None:
    limits, account = OrgLimits(MovableClock()), CRMAccount("a1", ORG, settings)
    limits.note("a1", f"api-usage={used}/1000")
    assert [may(limits, account, can_wait=each) for each in (True, False)] == [timeline, rest]


def may(limits: OrgLimits, account: CRMAccount, *, can_wait: bool) -> bool:
    try:
        limits.admit(account, can_wait=can_wait)
    except CRMUnavailableError as error:
        return error.retry_after != timedelta(hours=1)
    return True


def test_one_call_in_a_quarter_of_an_hour_looks_whether_calls_came_free() -> None:
    clock = MovableClock()
    limits = OrgLimits(clock)
    limits.note("a1", "api-usage=1000/1000")
    clock.advance(timedelta(minutes=14))
    assert not may(limits, HERE, can_wait=True)
    clock.advance(timedelta(minutes=1))
    assert may(limits, HERE, can_wait=True)
    assert not may(limits, HERE, can_wait=True)
    limits.note("a1", "api-usage=10/1000")
    assert may(limits, HERE, can_wait=True)


def test_one_organisations_use_is_not_anothers() -> None:
    limits = OrgLimits(MovableClock())
    limits.note_gone("a2")
    assert may(limits, HERE, can_wait=True)
    assert not may(limits, CRMAccount("a2", ORG), can_wait=False)


def test_every_answer_tells_the_usage(salesforce: Salesforce) -> None:
    salesforce.crm.create(salesforce.account, [a_text("r1", salesforce.contact())])
    usage = salesforce.crm.usage(salesforce.account)
    assert usage is not None
    assert (usage.used, usage.allowed) == (salesforce.world.org(ORG).usage.used, 100_000)


def test_a_gone_quota_is_met_once_and_then_left_alone_until_it_is_back(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    salesforce.crm.create(salesforce.account, [a_text("r0", contact)])
    salesforce.world.org(ORG).usage.exhaust()
    for _ in range(5):
        with pytest.raises(CRMUnavailableError) as caught:
            salesforce.crm.create(salesforce.account, [a_text("r1", contact)])
        assert caught.value.category == "REQUEST_LIMIT_EXCEEDED"
        assert caught.value.retry_after == timedelta(hours=1)
    assert salesforce.calls("collections.create") == 2
    salesforce.world.org(ORG).usage.used_elsewhere = 0
    salesforce.clock.advance(timedelta(hours=1))
    assert salesforce.crm.create(salesforce.account, [a_text("r1", contact)])[0].error is None
    assert len(salesforce.world.timeline(ORG, contact)) == 2


def test_opt_outs_are_still_written_when_the_timeline_has_to_wait(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    salesforce.crm.create(salesforce.account, [a_text("r0", contact)])
    salesforce.world.org(ORG).usage.used_elsewhere = 97_000
    salesforce.crm.owners(salesforce.account)  # hears of it
    with pytest.raises(CRMUnavailableError):
        salesforce.crm.create(salesforce.account, [a_text("r1", contact)])
    at = salesforce.clock.now()
    results = salesforce.crm.set_opt_out(salesforce.account, [contact], opted_out=True, at=at, source="a reply")
    assert [each.error for each in results] == [None]
