"""Does a portal let the app in for what it asks, and is the app gone afterwards when it leaves?"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connector.adapters.crm.hubspot.installing import OPTIONAL_SCOPES, SCOPES, HubSpotInstalling
from connector.domain.account_status import AccountStatus
from connector.errors import ConfigurationError, CRMUnavailableError, InstallRefusedError
from connector.ports.installing import Asking, Grant
from connector.sandbox.hubspot.tokens import s256
from tests.adapters.crm.conftest import ACCOUNT_ID, CLIENT_ID, PORTAL, HubSpot

BACK = "https://sms.example/install"
VERIFIER = "v" * 43
ASKING = Asking("state-1", s256(VERIFIER), BACK)
PROJECT = Path(__file__).parents[3] / "marketplace/hubspot/src/app/app-hsmeta.json"


@pytest.fixture
def door(hubspot: HubSpot) -> HubSpotInstalling:
    return HubSpotInstalling(hubspot.crm._records.calls.tokens)


def allowed(door: HubSpotInstalling, asking: Asking = ASKING) -> str:
    """Say yes at the consent page; give the code."""
    answer = httpx.post(door.authorize_url(asking), data={"portal": str(PORTAL), "decision": "allow"})
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    assert parse_qs(back.query)["state"] == [asking.state]
    return parse_qs(back.query)["code"][0]


def connect(hubspot: HubSpot, grant: Grant) -> None:
    hubspot.grant(grant.access_token, grant.refresh_token, timedelta(minutes=30))


def test_a_yes_at_the_consent_page_becomes_tokens_of_that_portal(hubspot: HubSpot, door: HubSpotInstalling) -> None:
    grant = door.exchange(allowed(door), VERIFIER, ASKING)
    assert (grant.external_id, grant.settings) == (
        str(PORTAL),
        {"installed_by": "installer@example.com", "oauth_client_id": CLIENT_ID},
    )
    assert grant.expires_at is not None
    assert timedelta(minutes=29) < grant.expires_at - hubspot.clock.now() <= timedelta(minutes=30)
    assert grant.refresh_token is not None
    assert grant.access_token not in repr(grant)
    assert grant.refresh_token not in repr(grant)
    connect(hubspot, grant)
    hubspot.crm.read_records(hubspot.account, "deal", ["1"], ["dealname"])


def test_the_consent_page_is_hubspots_own_when_the_api_is(door: HubSpotInstalling) -> None:
    real = HubSpotInstalling(replace(door.tokens, url="https://api.hubapi.com"))
    url = real.authorize_url(ASKING)
    assert url.startswith("https://app.hubspot.com/oauth/authorize?")
    assert "scope=oauth%20crm.objects.contacts.read" in url
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge"] == [s256(VERIFIER)]
    assert query["code_challenge_method"] == ["S256"]
    assert "secret" not in url


def test_the_scopes_asked_for_are_those_of_the_app_project() -> None:
    auth = json.loads(PROJECT.read_text())["config"]["auth"]
    assert (tuple(auth["requiredScopes"]), tuple(auth["optionalScopes"])) == (SCOPES, OPTIONAL_SCOPES)


def test_a_login_page_of_its_own_is_refused(door: HubSpotInstalling) -> None:
    with pytest.raises(InstallRefusedError, match="one login page"):
        door.host("evil.example")


def test_a_code_without_its_verifier_opens_nothing(door: HubSpotInstalling) -> None:
    with pytest.raises(InstallRefusedError, match="does not belong to this browser") as caught:
        door.exchange(allowed(door), "another", ASKING)
    assert caught.value.code == "BAD_CODE_VERIFIER"


def test_a_code_works_once(door: HubSpotInstalling) -> None:
    code = allowed(door)
    door.exchange(code, VERIFIER, ASKING)
    with pytest.raises(InstallRefusedError, match="used already"):
        door.exchange(code, VERIFIER, ASKING)


def test_less_than_is_needed_is_given_back_and_named(hubspot: HubSpot, door: HubSpotInstalling) -> None:
    code = hubspot.world.tokens.issue_code(CLIENT_ID, PORTAL, BACK, [s for s in SCOPES if s != "tickets"])
    with pytest.raises(InstallRefusedError, match="missing: tickets") as caught:
        door.exchange(code, VERIFIER, ASKING)
    assert caught.value.code == "missing_scopes"
    assert hubspot.calls("appinstalls.uninstall") == 1


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_what_introspection_does_not_confirm_is_given_back(
    hubspot: HubSpot, door: HubSpotInstalling, kind: str
) -> None:
    hubspot.faults.arm("hubspot.oauth.introspect", kind)
    with pytest.raises(CRMUnavailableError):
        door.exchange(allowed(door), VERIFIER, ASKING)
    assert hubspot.calls("appinstalls.uninstall") == 1


def test_an_outage_while_connecting_again_uninstalls_no_portal_that_is_at_work(
    hubspot: HubSpot, door: HubSpotInstalling
) -> None:
    connect(hubspot, door.exchange(allowed(door), VERIFIER, ASKING))
    hubspot.faults.arm("hubspot.oauth.introspect", "status")
    with pytest.raises(CRMUnavailableError):
        door.exchange(allowed(door), VERIFIER, ASKING)
    assert hubspot.calls("appinstalls.uninstall") == 0
    hubspot.crm.read_records(hubspot.account, "deal", ["1"], ["dealname"])


def test_a_wrong_secret_of_ours_is_said_to_the_operator_and_plainly_to_the_visitor(
    hubspot: HubSpot, door: HubSpotInstalling, caplog: pytest.LogCaptureFixture
) -> None:
    code = allowed(door)
    hubspot.world.tokens.add_app(CLIENT_ID, "another secret", 678, (BACK,))
    with caplog.at_level(logging.ERROR), pytest.raises(InstallRefusedError, match="HUBSPOT_CLIENT_SECRETS"):
        door.exchange(code, VERIFIER, ASKING)
    assert "BAD_CLIENT_SECRET" in caplog.text
    assert "secret-1" not in caplog.text


def test_without_credentials_the_operator_is_told(door: HubSpotInstalling) -> None:
    with pytest.raises(ConfigurationError, match="HUBSPOT_CLIENT_ID"):
        HubSpotInstalling(replace(door.tokens, app=None)).authorize_url(ASKING)


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_no_answer_to_the_exchange_is_an_outage(hubspot: HubSpot, door: HubSpotInstalling, kind: str) -> None:
    code = allowed(door)
    hubspot.faults.arm("hubspot.oauth.token", kind)
    with pytest.raises(CRMUnavailableError):
        door.exchange(code, VERIFIER, ASKING)


def test_leaving_uninstalls_the_app_and_ends_its_tokens(hubspot: HubSpot, door: HubSpotInstalling) -> None:
    grant = door.exchange(allowed(door), VERIFIER, ASKING)
    connect(hubspot, grant)
    assert door.leave(ACCOUNT_ID) == ()
    assert (hubspot.calls("appinstalls.uninstall"), hubspot.calls("oauth.revoke")) == (1, 1)
    assert hubspot.world.tokens.find(grant.refresh_token or "") is None
    assert hubspot.world.tokens.find(grant.access_token) is None


def test_leaving_refreshes_a_dead_token_first(hubspot: HubSpot, door: HubSpotInstalling) -> None:
    connect(hubspot, door.exchange(allowed(door), VERIFIER, ASKING))
    hubspot.clock.advance(timedelta(hours=2))
    hubspot.world.tokens.rotates = True
    assert door.leave(ACCOUNT_ID) == ()
    assert hubspot.calls("appinstalls.uninstall") == 1


def test_leaving_where_the_app_was_uninstalled_before_is_done(hubspot: HubSpot, door: HubSpotInstalling) -> None:
    connect(hubspot, door.exchange(allowed(door), VERIFIER, ASKING))
    hubspot.world.tokens.uninstall(PORTAL)
    assert door.leave(ACCOUNT_ID) == ()
    hubspot.clock.advance(timedelta(hours=2))
    assert door.leave(ACCOUNT_ID) == ()
    assert hubspot.row().status == AccountStatus.UNINSTALLED


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_leaving_without_an_answer_is_to_be_tried_again(hubspot: HubSpot, door: HubSpotInstalling, kind: str) -> None:
    connect(hubspot, door.exchange(allowed(door), VERIFIER, ASKING))
    hubspot.faults.arm("hubspot.appinstalls.uninstall", kind)
    with pytest.raises(CRMUnavailableError):
        door.leave(ACCOUNT_ID)
    assert door.leave(ACCOUNT_ID) == ()


def test_a_private_app_is_deleted_by_a_person(hubspot: HubSpot, door: HubSpotInstalling) -> None:
    assert "private app" in door.leave(ACCOUNT_ID)[0]
    assert hubspot.calls("appinstalls.uninstall") == 0


def test_what_cannot_be_given_back_is_logged_and_forgotten(
    hubspot: HubSpot, door: HubSpotInstalling, caplog: pytest.LogCaptureFixture
) -> None:
    grant = door.exchange(allowed(door), VERIFIER, ASKING)
    hubspot.faults.arm("hubspot.appinstalls.uninstall", "status")
    door.give_back(grant)
    assert "could not be undone" in caplog.text
    assert grant.access_token not in caplog.text


def test_a_no_is_told_in_plain_words(door: HubSpotInstalling) -> None:
    assert "Nothing was installed" in door.refusal("access_denied")
    assert "strange" in door.refusal("strange")
