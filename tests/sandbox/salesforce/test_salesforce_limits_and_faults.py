"""Is a caller told of the quota, cut off when it is gone, and met by every fault that can be armed?"""

from datetime import timedelta

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.plain import APP, DATA, ORG, OTHER_ORG, refusal
from tests.waiting import eventually

LIMITS, TASKS = f"{DATA}/limits/", f"{DATA}/sobjects/Task"


def test_every_answer_tells_the_usage(api: httpx.Client, world: SalesforceWorld) -> None:
    world.org(ORG).usage.limit = 5000
    world.org(ORG).usage.used_elsewhere = 17
    assert api.get(LIMITS).headers["Sforce-Limit-Info"] == "api-usage=18/5000"
    refused = api.post(TASKS, json={"Nope": 1})
    assert (refused.status_code, refused.headers["Sforce-Limit-Info"]) == (400, "api-usage=19/5000")
    assert api.get(LIMITS).json()["DailyApiRequests"] == {"Max": 5000, "Remaining": 4980}


def test_when_the_quota_is_gone_every_call_is_403(api: httpx.Client, world: SalesforceWorld) -> None:
    world.org(ORG).usage.limit = 2
    assert [api.get(LIMITS).status_code for _ in range(2)] == [200, 200]
    refused = api.post(TASKS, json={"Subject": "x"})
    refusal(refused, 403, "REQUEST_LIMIT_EXCEEDED")
    assert refused.headers["Sforce-Limit-Info"] == "api-usage=2/2"
    assert "Retry-After" not in refused.headers
    assert world.list(ORG, "Task") == []


def test_the_quota_comes_back_call_by_call_over_a_rolling_day(
    api: httpx.Client, world: SalesforceWorld, clock: SandboxClock
) -> None:
    def status() -> int:
        token = world.grant(ORG, client_id=APP).access_token  # the last one ended meanwhile
        return api.get(LIMITS, headers={"Authorization": f"Bearer {token}"}).status_code

    world.org(ORG).usage.limit = 2
    assert status() == 200
    clock.advance(timedelta(hours=12))
    assert [status(), status()] == [200, 403]
    clock.advance(timedelta(hours=12))
    assert [status(), status()] == [200, 403]


def test_other_apps_use_the_same_quota_up_and_give_it_back(api: httpx.Client, world: SalesforceWorld) -> None:
    world.org(ORG).usage.exhaust()
    refusal(api.get(LIMITS), 403, "REQUEST_LIMIT_EXCEEDED")
    world.org(ORG).usage.used_elsewhere = 0
    assert api.get(LIMITS).status_code == 200


def test_each_org_has_its_own_quota_and_count(api: httpx.Client, world: SalesforceWorld) -> None:
    world.org(ORG).usage.exhaust()
    other = {"Authorization": f"Bearer {world.grant(OTHER_ORG, client_id=APP).access_token}"}
    assert api.get(LIMITS, headers=other).status_code == 200
    api.get(LIMITS)
    assert world.calls["salesforce.limits"] == 2
    assert world.org_calls[OTHER_ORG, "salesforce.limits"] == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "UNABLE_TO_LOCK_ROW"),
        (401, "INVALID_SESSION_ID"),
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (500, "UNKNOWN_EXCEPTION"),
        (503, "SERVER_UNAVAILABLE"),
    ],
)
def test_an_armed_status_speaks_the_vendors_words_and_does_nothing(
    api: httpx.Client, world: SalesforceWorld, faults: Faults, status: int, code: str
) -> None:
    faults.arm("salesforce.sobjects.Task.create", "status", status=status)
    refusal(api.post(TASKS, json={"Subject": "x"}), status, code)
    assert world.list(ORG, "Task") == []
    assert api.post(TASKS, json={"Subject": "x"}).status_code == 201


def test_a_gateways_error_is_a_page_and_a_body_may_be_given(api: httpx.Client, faults: Faults) -> None:
    faults.arm("salesforce.limits", "status", status=502)
    assert api.get(LIMITS).headers["Content-Type"].startswith("text/html")
    faults.arm("salesforce.limits", "status", status=400, body=[{"errorCode": "API_DISABLED_FOR_ORG", "message": "m"}])
    refusal(api.get(LIMITS), 400, "API_DISABLED_FOR_ORG")


@pytest.mark.parametrize(("kind", "done"), [("timeout", 0), ("reset", 0), ("accept_then_timeout", 1)])
def test_a_call_without_an_answer_may_have_been_done(
    api: httpx.Client, world: SalesforceWorld, faults: Faults, kind: str, done: int
) -> None:
    faults.arm("salesforce.collections.create", kind)
    rows = [{"attributes": {"type": "Task"}, "Subject": "x"}]
    with pytest.raises(httpx.TransportError):
        api.post(f"{DATA}/composite/sobjects", json={"records": rows}, timeout=0.3)
    eventually(lambda: not faults.armed(), "the call meets its fault")
    assert eventually(lambda: len(world.list(ORG, "Task")) == done, "the call is done as often as it is said to be")


def test_the_token_endpoint_may_fail_too(bare: httpx.Client, world: SalesforceWorld, faults: Faults) -> None:
    faults.arm("salesforce.oauth.token.*", "status", status=503)
    token = world.grant(ORG, client_id=APP).refresh_token or ""
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": APP, "client_secret": "hush"}
    assert bare.post("/services/oauth2/token", data=form).status_code == 503
    assert bare.post("/services/oauth2/token", data=form).status_code == 200


def test_a_session_is_good_at_its_own_orgs_host_only(api: httpx.Client, world: SalesforceWorld) -> None:
    world.org(ORG).instance_host = "acme.my.salesforce.com"
    statuses = {
        host: api.get(LIMITS, headers={"Host": host}).status_code
        for host in ("acme.my.salesforce.com", "globex.my.salesforce.com", "acme.lightning.force.com")
    }
    assert list(statuses.values()) == [200, 401, 401]
