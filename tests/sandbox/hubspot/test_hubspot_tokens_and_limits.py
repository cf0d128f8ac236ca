"""Do tokens end, do refresh tokens work as told, and is a caller held to HubSpot's rates?"""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.tokens import s256
from connector.sandbox.hubspot.world import HubSpotWorld

PORTAL, V = 12345, "2026-09"
BACK = "http://localhost/back"
CLIENT = {"client_id": "app", "client_secret": "hush"}


@pytest.fixture(autouse=True)
def _app(world: HubSpotWorld) -> None:
    world.tokens.add_app("app", "hush", 678, [BACK])


def ask(api: httpx.Client, **form: str) -> httpx.Response:
    return api.post(f"/oauth/{V}/token", data=CLIENT | form)


def installed(api: httpx.Client, world: HubSpotWorld) -> dict[str, Any]:
    code = world.tokens.issue_code("app", PORTAL, BACK, ["oauth", "crm.objects.contacts.read"])
    answer = ask(api, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def contacts_status(api: httpx.Client, token: str) -> int:
    return api.get(f"/crm/objects/{V}/contacts", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_code_is_exchanged_once_for_half_an_hour_of_access(api: httpx.Client, world: HubSpotWorld) -> None:
    tokens = installed(api, world)
    assert (tokens["expires_in"], tokens["hub_id"], tokens["token_type"]) == (1800, PORTAL, "bearer")
    assert tokens["scopes"] == ["crm.objects.contacts.read", "oauth"]
    assert contacts_status(api, tokens["access_token"]) == 200


def test_an_access_token_ends_after_thirty_minutes_on_the_clock(
    api: httpx.Client, world: HubSpotWorld, clock: SandboxClock
) -> None:
    token = installed(api, world)["access_token"]
    clock.advance(timedelta(minutes=29))
    assert contacts_status(api, token) == 200
    clock.advance(timedelta(minutes=1))
    answer = api.get(f"/crm/owners/{V}", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_a_refresh_token_brings_a_new_access_token_and_stays(
    api: httpx.Client, world: HubSpotWorld, clock: SandboxClock
) -> None:
    first = installed(api, world)
    clock.advance(timedelta(hours=1))
    second = ask(api, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["refresh_token"] == first["refresh_token"]
    assert contacts_status(api, second["access_token"]) == 200


def test_a_rotating_refresh_token_works_once(api: httpx.Client, world: HubSpotWorld) -> None:
    world.tokens.rotates = True
    first = installed(api, world)["refresh_token"]
    second = ask(api, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    assert second != first
    assert ask(api, grant_type="refresh_token", refresh_token=first).status_code == 400
    assert ask(api, grant_type="refresh_token", refresh_token=second).status_code == 200


def test_an_uninstalled_app_cannot_refresh_or_call(api: httpx.Client, world: HubSpotWorld) -> None:
    tokens = installed(api, world)
    gone = api.delete(
        f"/appinstalls/{V}/external-install", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert gone.status_code == 204
    assert contacts_status(api, tokens["access_token"]) == 401
    answer = ask(api, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (
        400,
        "BAD_REFRESH_TOKEN",
        "invalid_grant",
    )
    assert contacts_status(api, "pat-test") == 200


def test_a_revoked_refresh_token_ends_while_the_access_token_goes_on(api: httpx.Client, world: HubSpotWorld) -> None:
    tokens = installed(api, world)
    form = CLIENT | {"token": tokens["refresh_token"], "token_type_hint": "refresh_token"}
    assert api.post(f"/oauth/{V}/token/revoke", data=form).status_code == 204
    assert ask(api, grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400
    assert contacts_status(api, tokens["access_token"]) == 200


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_id": "other"}, "BAD_CLIENT_ID", "invalid_client"),
        ({"client_secret": "guess"}, "BAD_CLIENT_SECRET", "invalid_client"),
        ({"code": "guess"}, "BAD_AUTH_CODE", "invalid_grant"),
        ({"redirect_uri": "http://localhost/else"}, "BAD_REDIRECT_URI", "invalid_grant"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE", "unsupported_grant_type"),
    ],
)
def test_a_wrong_token_request_says_what_is_wrong(
    api: httpx.Client, world: HubSpotWorld, change: dict[str, str], status: str, error: str
) -> None:
    code = world.tokens.issue_code("app", PORTAL, BACK)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK} | change
    answer = ask(api, **form)
    assert answer.status_code == 400
    assert (answer.json()["status"], answer.json()["error"]) == (status, error)


def test_a_code_grows_old_and_works_only_once(api: httpx.Client, world: HubSpotWorld, clock: SandboxClock) -> None:
    used, old = (world.tokens.issue_code("app", PORTAL, BACK) for _ in range(2))
    form = {"grant_type": "authorization_code", "redirect_uri": BACK}
    assert ask(api, code=used, **form).status_code == 200
    assert ask(api, code=used, **form).status_code == 400
    clock.advance(timedelta(minutes=10))
    assert ask(api, code=old, **form).json()["status"] == "BAD_AUTH_CODE"


def answer(api: httpx.Client, decision: str, **changes: str) -> httpx.Response:
    query = {"client_id": "app", "redirect_uri": BACK, "scope": "oauth tickets", "state": "s1"} | changes
    form = {"portal": str(PORTAL), "decision": decision}
    return api.post("/oauth/authorize", params=query, data=form)


def test_an_admin_sees_who_asks_for_what(api: httpx.Client) -> None:
    page = api.get("/oauth/authorize", params={"client_id": "app", "redirect_uri": BACK, "scope": "oauth tickets"})
    assert page.status_code == 200
    assert "tickets" in page.text
    assert str(PORTAL) in page.text


def test_an_admins_yes_brings_a_code_back_that_only_its_verifier_opens(api: httpx.Client) -> None:
    def code() -> str:
        back = answer(api, "allow", code_challenge=s256("verifier"), code_challenge_method="S256")
        assert back.status_code == 302
        query = parse_qs(urlsplit(back.headers["Location"]).query)
        assert query["state"] == ["s1"]
        return query["code"][0]

    form = {"grant_type": "authorization_code", "redirect_uri": BACK}
    assert ask(api, code=code(), code_verifier="another", **form).json()["status"] == "BAD_CODE_VERIFIER"
    assert ask(api, code=code(), **form).json()["status"] == "BAD_CODE_VERIFIER"
    granted = ask(api, code=code(), code_verifier="verifier", **form).json()
    assert (granted["hub_id"], granted["scopes"]) == (PORTAL, ["oauth", "tickets"])


def test_an_admins_no_brings_back_that_access_is_denied(api: httpx.Client) -> None:
    query = parse_qs(urlsplit(answer(api, "deny").headers["Location"]).query)
    assert (query["error"], query["state"]) == (["access_denied"], ["s1"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "other"},
        {"redirect_uri": "http://localhost/else"},
        {"scope": "tickets"},
        {"code_challenge": "x", "code_challenge_method": "plain"},
    ],
)
def test_a_wrong_request_for_consent_is_refused_on_the_page_and_sends_nobody_anywhere(
    api: httpx.Client, wrong: dict[str, str]
) -> None:
    assert answer(api, "allow", **wrong).status_code == 400
    query = {"client_id": "app", "redirect_uri": BACK, "scope": "oauth"} | wrong
    assert api.get("/oauth/authorize", params=query).status_code == 400


def test_a_token_request_is_a_form(api: httpx.Client) -> None:
    assert api.post(f"/oauth/{V}/token", json=CLIENT).status_code == 400


def test_introspection_tells_whose_token_it_is(api: httpx.Client, world: HubSpotWorld, clock: SandboxClock) -> None:
    tokens = installed(api, world)
    path = f"/oauth/{V}/token/introspect"
    seen = api.post(path, data=CLIENT | {"token": tokens["access_token"]}).json()
    assert (seen["active"], seen["hub_id"], seen["app_id"], seen["token_use"]) == (True, PORTAL, 678, "access_token")
    assert 1790 <= seen["expires_in"] <= 1800
    assert api.post(path, data=CLIENT | {"token": tokens["refresh_token"]}).json()["token_use"] == "refresh_token"
    clock.advance(timedelta(minutes=30))
    assert api.post(path, data=CLIENT | {"token": tokens["access_token"]}).json() == {"active": False}
    wrong = api.post(path, data={"client_id": "app", "client_secret": "x", "token": tokens["refresh_token"]})
    assert wrong.status_code == 400


def test_account_details_name_the_portal_and_its_time_zone(api: httpx.Client, world: HubSpotWorld) -> None:
    world.add_portal(777, token="kolkata", time_zone="Asia/Kolkata", currency="INR")
    seen = api.get(f"/account-info/{V}/details", headers={"Authorization": "Bearer kolkata"}).json()
    assert (seen["portalId"], seen["timeZone"], seen["companyCurrency"]) == (777, "Asia/Kolkata", "INR")
    assert (seen["utcOffset"], seen["utcOffsetMilliseconds"]) == ("+05:30", 19_800_000)


def read(api: httpx.Client) -> httpx.Response:
    return api.get(f"/crm/owners/{V}")


def test_the_111th_call_within_ten_seconds_is_429(api: httpx.Client, monotonic: Any) -> None:
    first = read(api)
    assert first.headers["X-HubSpot-RateLimit-Max"] == "110"
    assert first.headers["X-HubSpot-RateLimit-Remaining"] == "109"
    assert first.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    monotonic.seconds += 9
    assert {read(api).status_code for _ in range(109)} == {200}
    refused = read(api)
    assert refused.status_code == 429
    assert refused.json()["message"] == "You have reached your ten_secondly_rolling limit."
    assert (refused.json()["errorType"], refused.json()["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert refused.headers["X-HubSpot-RateLimit-Remaining"] == "0"
    monotonic.seconds += 1
    missing = api.get(f"/crm/owners/{V}/999")
    assert (missing.status_code, missing.headers["X-HubSpot-RateLimit-Remaining"]) == (404, "0")
    assert read(api).status_code == 429
    monotonic.seconds += 9
    assert read(api).status_code == 200


def test_each_portal_has_its_own_limit_and_a_bench_may_lift_it(api: httpx.Client, world: HubSpotWorld) -> None:
    world.add_portal(777, token="other")
    world.limits.per_ten_seconds = 1
    assert [read(api).status_code for _ in range(2)] == [200, 429]
    assert api.get(f"/crm/owners/{V}", headers={"Authorization": "Bearer other"}).status_code == 200
    world.limits.per_ten_seconds = None
    answer = read(api)
    assert answer.status_code == 200
    assert "X-HubSpot-RateLimit-Max" not in answer.headers


def test_searches_have_a_limit_of_their_own(api: httpx.Client, monotonic: Any) -> None:
    def search() -> httpx.Response:
        return api.post(f"/crm/objects/{V}/contacts/search", json={})

    assert {search().status_code for _ in range(5)} == {200}
    refused = search()
    assert refused.json()["message"] == "You have reached your secondly limit."
    assert read(api).headers["X-HubSpot-RateLimit-Remaining"] == "109"
    monotonic.seconds += 1
    assert search().status_code == 200


def test_calls_are_counted_by_operation_refused_ones_too(api: httpx.Client, world: HubSpotWorld) -> None:
    read(api)
    api.post(f"/crm/objects/{V}/contacts/batch/read", json={"inputs": []})
    assert world.calls == {"hubspot.owners.list": 1, "hubspot.contacts.batch_read": 1}
    assert api.get("/_sandbox/calls").json() == dict(world.calls)
