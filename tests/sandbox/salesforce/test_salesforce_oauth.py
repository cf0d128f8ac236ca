"""Does an app get, renew and lose its tokens as Salesforce would have it?"""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.tokens import challenge_of
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.plain import ADMIN, APP, BACK, DATA, ORG, OTHER_ADMIN, OTHER_ORG, SECRET, refusal

VERIFIER = "a-verifier-that-is-long-enough-to-be-taken-0123456789"
ASKED = {
    "response_type": "code",
    "client_id": APP,
    "redirect_uri": BACK,
    "state": "s t&te",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}
CLIENT = {"client_id": APP, "client_secret": SECRET}


def authorize(bare: httpx.Client, **changes: str | None) -> dict[str, str]:
    asked = {name: value for name, value in (ASKED | changes).items() if value is not None}
    answer = bare.get("/services/oauth2/authorize", params=asked)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def ask(bare: httpx.Client, **form: str) -> httpx.Response:
    return bare.post("/services/oauth2/token", data=CLIENT | form)


def exchange(bare: httpx.Client, issued: str, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": issued, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return ask(bare, **(form | changes))


def installed(bare: httpx.Client, **changes: str) -> dict[str, Any]:
    answer = exchange(bare, authorize(bare, **changes)["code"])
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def refresh(bare: httpx.Client, token: str) -> httpx.Response:
    return ask(bare, grant_type="refresh_token", refresh_token=token)


def status_of(bare: httpx.Client, token: str) -> int:
    return bare.get(f"{DATA}/limits", headers={"Authorization": f"Bearer {token}"}).status_code


def told(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json()["error_description"]
    return answer.status_code, answer.json()["error"]


def test_the_browser_comes_back_with_a_code_and_the_state(bare: httpx.Client) -> None:
    back = authorize(bare)
    assert back["state"] == ASKED["state"]
    assert back["code"].endswith("==")


def test_a_code_is_exchanged_once_for_tokens_that_name_org_and_user(bare: httpx.Client, world: SalesforceWorld) -> None:
    code = authorize(bare)["code"]
    body = exchange(bare, code).json()
    assert set(body) == {
        "access_token",
        "refresh_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    }
    assert body["access_token"].startswith(f"{ORG[:15]}!")
    assert body["instance_url"] == str(bare.base_url).rstrip("/")
    assert body["id"].endswith(f"/id/{ORG}/{world.user_id(ORG, ADMIN)}")
    assert body["issued_at"].isdigit()
    assert status_of(bare, body["access_token"]) == 200
    assert told(exchange(bare, code)) == (400, "invalid_grant")


def test_a_login_hint_chooses_the_org(bare: httpx.Client) -> None:
    assert f"/id/{OTHER_ORG}/" in installed(bare, login_hint=OTHER_ADMIN)["id"]
    assert authorize(bare, login_hint="nobody@acme.example")["error"] == "access_denied"


def test_an_org_with_a_domain_of_its_own_is_asked_there(bare: httpx.Client, world: SalesforceWorld) -> None:
    world.add_org("00D000000000003", username="third@initech.example", instance_host="initech.my.salesforce.com")
    host = {"Host": "initech.my.salesforce.com"}
    answer = bare.get("/services/oauth2/authorize", params=ASKED, headers=host)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    body = exchange(bare, code).json()
    assert body["instance_url"] == "https://initech.my.salesforce.com"
    assert "/id/00D000000000003EAA/" in body["id"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "api moon"}, "invalid_scope"),
    ],
)
def test_what_an_app_asks_wrongly_comes_back_as_an_error(
    bare: httpx.Client, change: dict[str, str | None], error: str
) -> None:
    back = authorize(bare, **change)
    assert (back["error"], back["state"]) == (error, ASKED["state"])
    assert "code" not in back


def test_a_person_may_say_no(bare: httpx.Client, world: SalesforceWorld) -> None:
    world.denies_approval = True
    assert authorize(bare)["error"] == "access_denied"


@pytest.mark.parametrize(
    ("change", "error"),
    [({"client_id": "else"}, "invalid_client_id"), ({"redirect_uri": "http://evil"}, "redirect_uri_mismatch")],
)
def test_a_stranger_is_not_sent_back(bare: httpx.Client, change: dict[str, str], error: str) -> None:
    answer = bare.get("/services/oauth2/authorize", params=ASKED | change)
    assert answer.status_code == 400
    assert f"error={error}" in answer.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "else"}, "invalid_client_id"),
        ({"client_secret": "guess"}, "invalid_client"),
        ({"code": "guess"}, "invalid_grant"),
        ({"code_verifier": "guess"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": "http://localhost/else"}, "redirect_uri_mismatch"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_token_request_is_400_and_says_what_is_wrong(
    bare: httpx.Client, change: dict[str, str], error: str
) -> None:
    assert told(exchange(bare, authorize(bare)["code"], **change)) == (400, error)


def test_credentials_may_come_in_a_basic_header(bare: httpx.Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": installed(bare)["refresh_token"]}
    assert bare.post("/services/oauth2/token", data=form, auth=(APP, SECRET)).status_code == 200
    assert bare.post("/services/oauth2/token", data=form, auth=(APP, "guess")).json()["error"] == "invalid_client"
    odd = bare.post("/services/oauth2/token", data=form, headers={"Authorization": "Basic ?"})
    assert odd.json()["error"] == "invalid_client"


def test_a_code_grows_old(bare: httpx.Client, clock: SandboxClock) -> None:
    code = authorize(bare)["code"]
    clock.advance(timedelta(minutes=15))
    assert exchange(bare, code).json()["error_description"] == "expired authorization code"


def test_a_rotating_refresh_token_is_dead_at_once(bare: httpx.Client) -> None:
    first = installed(bare)["refresh_token"]
    second = refresh(bare, first).json()
    assert second["refresh_token"] != first
    assert told(refresh(bare, first)) == (400, "invalid_grant")
    assert refresh(bare, second["refresh_token"]).status_code == 200


def test_without_rotation_the_refresh_token_stays_and_is_not_told_again(
    bare: httpx.Client, world: SalesforceWorld
) -> None:
    world.tokens.add_app(APP, SECRET, [BACK], rotates=False)
    first = installed(bare)["refresh_token"]
    for _ in range(2):
        again = refresh(bare, first)
        assert again.status_code == 200
        assert "refresh_token" not in again.json()


def test_without_the_scope_there_is_no_refresh_token(bare: httpx.Client) -> None:
    assert "refresh_token" not in installed(bare, scope="api id")


def test_a_session_for_web_pages_may_not_use_the_api(bare: httpx.Client) -> None:
    token = installed(bare, scope="web refresh_token")["access_token"]
    refusal(bare.get(f"{DATA}/limits", headers={"Authorization": f"Bearer {token}"}), 401, "INVALID_SESSION_ID")


def test_an_idle_session_ends_after_two_hours_and_a_used_one_does_not(
    bare: httpx.Client, world: SalesforceWorld, clock: SandboxClock
) -> None:
    used, idle = (world.grant(ORG, client_id=APP).access_token for _ in range(2))
    clock.advance(timedelta(minutes=90))
    assert status_of(bare, used) == 200
    clock.advance(timedelta(minutes=90))
    assert (status_of(bare, used), status_of(bare, idle)) == (200, 401)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "INVALID_AUTH_HEADER"),
        ({"Authorization": "Basic YTpi"}, "INVALID_AUTH_HEADER"),
        ({"Authorization": "Bearer nobody"}, "INVALID_SESSION_ID"),
    ],
)
def test_a_call_without_a_session_is_401_with_a_list(bare: httpx.Client, header: dict[str, str], code: str) -> None:
    refusal(bare.get(f"{DATA}/limits", headers=header), 401, code)


def test_an_admin_ends_every_session_while_refresh_tokens_live_on(bare: httpx.Client, world: SalesforceWorld) -> None:
    tokens = installed(bare)
    world.tokens.expire_sessions(ORG)
    assert status_of(bare, tokens["access_token"]) == 401
    assert status_of(bare, refresh(bare, tokens["refresh_token"]).json()["access_token"]) == 200


def test_a_revoked_refresh_token_takes_its_sessions_along(bare: httpx.Client) -> None:
    tokens = installed(bare)
    assert bare.post("/services/oauth2/revoke", data={"token": tokens["refresh_token"]}).status_code == 200
    assert status_of(bare, tokens["access_token"]) == 401
    assert told(refresh(bare, tokens["refresh_token"])) == (400, "invalid_grant")
    again = bare.post("/services/oauth2/revoke", data={"token": tokens["refresh_token"]})
    assert told(again) == (400, "unsupported_token_type")


def test_a_revoked_access_token_ends_alone(bare: httpx.Client) -> None:
    tokens = installed(bare)
    assert bare.post("/services/oauth2/revoke", data={"token": tokens["access_token"]}).status_code == 200
    assert status_of(bare, tokens["access_token"]) == 401
    assert refresh(bare, tokens["refresh_token"]).status_code == 200


def test_a_sixth_approval_of_one_user_ends_the_oldest(bare: httpx.Client) -> None:
    approvals = [installed(bare) for _ in range(6)]
    assert told(refresh(bare, approvals[0]["refresh_token"])) == (400, "invalid_grant")
    assert refresh(bare, approvals[1]["refresh_token"]).status_code == 200


def test_an_inactive_user_or_org_gets_no_token(bare: httpx.Client, world: SalesforceWorld) -> None:
    token, code = installed(bare)["refresh_token"], authorize(bare)["code"]
    world.set_user(ORG, ADMIN, IsActive=False)
    assert told(refresh(bare, token)) == (400, "inactive_user")
    assert told(exchange(bare, code)) == (400, "inactive_user")
    world.org(ORG).is_active = False
    assert told(refresh(bare, token)) == (400, "inactive_org")


def test_an_uninstalled_package_ends_the_apps_tokens_in_that_org_only(
    bare: httpx.Client, world: SalesforceWorld
) -> None:
    here, there = installed(bare), installed(bare, login_hint=OTHER_ADMIN)
    world.uninstall_package(ORG)
    assert (status_of(bare, here["access_token"]), status_of(bare, there["access_token"])) == (401, 200)
    assert told(refresh(bare, here["refresh_token"])) == (400, "invalid_grant")
    assert refresh(bare, there["refresh_token"]).status_code == 200


def test_userinfo_and_the_identity_url_tell_whose_token_it_is(bare: httpx.Client, world: SalesforceWorld) -> None:
    tokens = installed(bare)
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    seen = bare.get("/services/oauth2/userinfo", headers=header).json()
    assert (seen["organization_id"], seen["user_id"]) == (ORG, world.user_id(ORG, ADMIN))
    assert (seen["preferred_username"], seen["zoneinfo"]) == (ADMIN, "America/New_York")
    same = bare.get(tokens["id"], headers=header).json()
    assert (same["organization_id"], same["username"], same["id"]) == (ORG, ADMIN, tokens["id"])


def test_userinfo_refuses_in_plain_text(bare: httpx.Client, world: SalesforceWorld) -> None:
    missing = bare.get("/services/oauth2/userinfo")
    bad = bare.get("/services/oauth2/userinfo", headers={"Authorization": "Bearer nobody"})
    assert (missing.status_code, missing.text) == (403, "Missing_OAuth_Token")
    assert (bad.status_code, bad.text) == (403, "Bad_OAuth_Token")
    header = {"Authorization": f"Bearer {world.grant(ORG, client_id=APP).access_token}"}
    assert bare.get(f"/id/{OTHER_ORG}/{world.user_id(OTHER_ORG, OTHER_ADMIN)}", headers=header).text == "Wrong_Org"


def test_calls_of_the_token_endpoint_are_counted_by_grant(bare: httpx.Client, world: SalesforceWorld) -> None:
    refresh(bare, installed(bare)["refresh_token"])
    ask(bare, grant_type="password")
    assert world.calls["salesforce.oauth.token.authorization_code"] == 1
    assert world.calls["salesforce.oauth.token.refresh_token"] == 1
    assert world.calls["salesforce.oauth.token.other"] == 1
