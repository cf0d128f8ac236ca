"""Does an organisation let the app in at its own login page, and is only Salesforce's own address believed?"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.salesforce.installing import SalesforceInstalling
from connector.adapters.memory.ledger import MemoryLedger
from connector.errors import ConfigurationError, CRMUnavailableError, InstallRefusedError
from connector.ports.installing import Asking
from connector.ports.ledger import AccountRow

ORG, SHORT_ORG = "00D000000000001EAA", "00D000000000001"
INSTANCE = "https://acme.my.salesforce.com"
BACK = "https://sms.example/install/salesforce/callback"
ASKING = Asking("state-1", "challenge", BACK, "https://login.salesforce.com")
GOOD: Mapping[str, Any] = {
    "access_token": "access-1",
    "refresh_token": "refresh-1",
    "instance_url": INSTANCE,
    "id": f"https://login.salesforce.com/id/{ORG}/005000000000001AAA",
}


@dataclass
class Salesforce:
    """Answers by path, and notes what it was asked."""

    answers: dict[str, httpx.Response] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers[request.url.path]
        if answer.status_code == 599:
            raise httpx.ReadTimeout("no answer", request=request)
        return answer

    def grants(self, **changes: Any) -> None:
        self.answers["/services/oauth2/token"] = httpx.Response(200, json={**GOOD, **changes})

    def form(self, path: str) -> Mapping[str, str]:
        body = next(each for each in self.asked if each.url.path == path).content.decode()
        return {name: values[0] for name, values in parse_qs(body).items()}


@pytest.fixture
def vendor() -> Salesforce:
    vendor = Salesforce()
    vendor.grants()
    vendor.answers["/services/oauth2/userinfo"] = httpx.Response(200, json={"organization_id": SHORT_ORG})
    vendor.answers["/services/oauth2/revoke"] = httpx.Response(200)
    return vendor


@pytest.fixture
def door(vendor: Salesforce) -> Iterator[SalesforceInstalling]:
    with httpx.Client(transport=httpx.MockTransport(vendor)) as http:
        yield SalesforceInstalling(MemoryLedger(), http, OAuthApp("consumer-key", ("consumer-secret",)))


def account(door: SalesforceInstalling, **settings: Any) -> str:
    with door.ledger.begin() as work:
        at = datetime(2026, 11, 20, tzinfo=UTC)
        work.accounts.add(
            AccountRow("account-1", "salesforce", ORG, "", "leaving", "", settings, at, "access-1", "refresh-1")
        )
        work.commit()
    return "account-1"


@pytest.mark.parametrize(
    ("named", "host"),
    [
        ("", "https://login.salesforce.com"),
        ("test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com/lightning/page/home", "https://acme.my.salesforce.com"),
        ("acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"),
        ("Acme.lightning.force.com", "https://acme.my.salesforce.com"),
    ],
)
def test_the_login_page_is_salesforces_or_the_organisations_own(
    door: SalesforceInstalling, named: str, host: str
) -> None:
    assert door.host(named) == host


@pytest.mark.parametrize(
    "named",
    [
        "evil.example",
        "acme.my.salesforce.com.evil.example",
        "https://login.salesforce.com@evil.example",
        "127.0.0.1",
        "my.salesforce.com",
        "salesforce.com",
        "a.b.c.my.salesforce.com",
        "[",
        "https://[acme.my.salesforce.com",
    ],
)
def test_no_other_page_is_ever_shown_to_somebody_who_is_about_to_log_in(door: SalesforceInstalling, named: str) -> None:
    with pytest.raises(InstallRefusedError, match="no login page"):
        door.host(named)


def test_the_consent_page_is_asked_with_pkce_and_without_a_secret(door: SalesforceInstalling) -> None:
    url = urlsplit(door.authorize_url(ASKING))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (url.netloc, url.path) == ("login.salesforce.com", "/services/oauth2/authorize")
    assert (query["code_challenge"], query["code_challenge_method"], query["state"]) == ("challenge", "S256", "state-1")
    assert query["scope"] == "api refresh_token id"
    assert "consumer-secret" not in url.query


def test_a_code_becomes_tokens_and_the_address_of_that_organisation(
    door: SalesforceInstalling, vendor: Salesforce
) -> None:
    grant = door.exchange("code-1==", "verifier-1", ASKING)
    settings = {"instance_url": INSTANCE, "oauth_client_id": "consumer-key"}
    assert (grant.external_id, grant.settings, grant.expires_at) == (ORG, settings, None)
    form = vendor.form("/services/oauth2/token")
    assert (form["code"], form["code_verifier"], form["redirect_uri"]) == ("code-1==", "verifier-1", BACK)
    assert [each.url.host for each in vendor.asked] == ["login.salesforce.com", "acme.my.salesforce.com"]


def test_an_organisation_id_of_15_characters_is_kept_with_18(door: SalesforceInstalling, vendor: Salesforce) -> None:
    vendor.grants(id=f"https://login.salesforce.com/id/{SHORT_ORG}/005000000000001AAA")
    assert door.exchange("c", "v", ASKING).external_id == ORG


@pytest.mark.parametrize(
    "lie",
    [
        {"instance_url": "https://evil.example"},
        {"instance_url": "http://acme.my.salesforce.com"},
        {"instance_url": "https://acme.my.salesforce.com.evil.example"},
        {"instance_url": "https://127.0.0.1"},
        {"instance_url": "https://["},
        {"instance_url": None},
        {"id": "https://login.salesforce.com/id/005000000000001AAA/00D000000000001EAA"},
        {"id": ""},
    ],
)
def test_an_address_or_organisation_that_is_none_is_not_believed_and_never_called(
    door: SalesforceInstalling, vendor: Salesforce, lie: Mapping[str, Any]
) -> None:
    vendor.grants(**lie)
    with pytest.raises(InstallRefusedError, match="could not be understood"):
        door.exchange("c", "v", ASKING)
    assert {each.url.host for each in vendor.asked} == {"login.salesforce.com"}
    assert vendor.form("/services/oauth2/revoke") == {"token": "refresh-1"}


def test_a_token_that_its_own_organisation_says_is_another_ones_is_refused(
    door: SalesforceInstalling, vendor: Salesforce
) -> None:
    vendor.answers["/services/oauth2/userinfo"] = httpx.Response(200, json={"organization_id": "00D000000000002"})
    with pytest.raises(InstallRefusedError, match="does not confirm"):
        door.exchange("c", "v", ASKING)
    assert vendor.form("/services/oauth2/revoke") == {"token": "refresh-1"}


def test_what_nobody_confirms_is_given_back(door: SalesforceInstalling, vendor: Salesforce) -> None:
    vendor.answers["/services/oauth2/userinfo"] = httpx.Response(599)
    with pytest.raises(CRMUnavailableError):
        door.exchange("c", "v", ASKING)
    assert vendor.form("/services/oauth2/revoke") == {"token": "refresh-1"}


def test_without_offline_access_nothing_is_installed(door: SalesforceInstalling, vendor: Salesforce) -> None:
    vendor.grants(refresh_token=None)
    with pytest.raises(InstallRefusedError, match="offline access"):
        door.exchange("c", "v", ASKING)
    assert vendor.form("/services/oauth2/revoke") == {"token": "access-1"}


@pytest.mark.parametrize(
    ("word", "says", "is_ours"),
    [
        ("invalid_grant", "used already", False),
        ("invalid_client", "SALESFORCE_CLIENT_SECRETS", True),
        ("redirect_uri_mismatch", "callback URL", True),
        ("strange", "strange", True),
    ],
)
def test_a_refusal_is_told_in_plain_words_and_our_own_mistakes_to_the_operator(
    door: SalesforceInstalling,
    vendor: Salesforce,
    caplog: pytest.LogCaptureFixture,
    word: str,
    says: str,
    is_ours: bool,
) -> None:
    vendor.answers["/services/oauth2/token"] = httpx.Response(400, json={"error": word})
    with caplog.at_level(logging.ERROR), pytest.raises(InstallRefusedError, match=says) as caught:
        door.exchange("c", "v", ASKING)
    assert caught.value.code == word
    assert ("refuses our app" in caplog.text) == is_ours


@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.Response(599), httpx.Response(200, text="<html>")])
def test_no_answer_that_tells_anything_is_an_outage(
    door: SalesforceInstalling, vendor: Salesforce, answer: httpx.Response
) -> None:
    vendor.answers["/services/oauth2/token"] = answer
    with pytest.raises(CRMUnavailableError):
        door.exchange("c", "v", ASKING)


def test_leaving_revokes_the_tokens_and_says_what_only_an_admin_can_do(
    door: SalesforceInstalling, vendor: Salesforce
) -> None:
    assert "Installed Packages" in door.leave(account(door, instance_url=INSTANCE))[0]
    assert vendor.form("/services/oauth2/revoke") == {"token": "refresh-1"}
    assert vendor.asked[-1].url.host == "acme.my.salesforce.com"


def test_leaving_without_an_answer_is_to_be_tried_again_and_a_dead_token_is_none(
    door: SalesforceInstalling, vendor: Salesforce
) -> None:
    account_id = account(door, instance_url=INSTANCE)
    vendor.answers["/services/oauth2/revoke"] = httpx.Response(503)
    with pytest.raises(CRMUnavailableError):
        door.leave(account_id)
    vendor.answers["/services/oauth2/revoke"] = httpx.Response(400, json={"error": "unsupported_token_type"})
    assert door.leave(account_id)


def test_a_token_is_never_sent_to_an_address_that_is_not_salesforces(
    door: SalesforceInstalling, vendor: Salesforce
) -> None:
    assert door.leave(account(door, instance_url="https://evil.example"))
    assert vendor.asked == []


def test_what_cannot_be_given_back_is_logged_without_its_token(
    door: SalesforceInstalling, vendor: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    grant = door.exchange("c", "v", ASKING)
    vendor.answers["/services/oauth2/revoke"] = httpx.Response(500)
    door.give_back(grant)
    assert "could not be revoked" in caplog.text
    assert "refresh-1" not in caplog.text


def test_a_double_stands_for_every_address(vendor: Salesforce, door: SalesforceInstalling) -> None:
    pretended = replace(door, url="http://127.0.0.1:9")
    assert pretended.authorize_url(ASKING).startswith("http://127.0.0.1:9/services/oauth2/authorize?")
    pretended.exchange("c", "v", ASKING)
    assert {each.url.host for each in vendor.asked} == {"127.0.0.1"}
    assert vendor.asked[-1].headers["Host"] == "acme.my.salesforce.com"


def test_without_an_app_the_operator_is_told(door: SalesforceInstalling) -> None:
    with pytest.raises(ConfigurationError, match="SALESFORCE_CLIENT_ID"):
        replace(door, app=None).authorize_url(ASKING)
