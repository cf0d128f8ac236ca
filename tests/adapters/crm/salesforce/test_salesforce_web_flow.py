"""Does the whole way through the sandbox's consent page end in tokens that work, and in none after leaving?"""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.salesforce.installing import SalesforceInstalling
from connector.errors import CRMDisconnectedError, InstallRefusedError
from connector.ports.installing import Asking
from tests.adapters.crm.salesforce.conftest import ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, HOST, ORG, Salesforce
from tests.adapters.store.factories import damage_tokens

VERIFIER = "v" * 86
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKING = Asking("state-1", CHALLENGE, "https://sms.example/install/salesforce/callback")


@pytest.fixture
def door(salesforce: Salesforce) -> SalesforceInstalling:
    app = OAuthApp(CLIENT_ID, (CLIENT_SECRET,))
    return SalesforceInstalling(salesforce.ledger, salesforce.http, app, url=salesforce.url)


def returned(door: SalesforceInstalling) -> dict[str, str]:
    """Say yes, or no, at the consent page; give what the browser brings back."""
    answer = httpx.get(door.authorize_url(ASKING))
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def test_a_yes_becomes_tokens_with_which_the_adapter_works(salesforce: Salesforce, door: SalesforceInstalling) -> None:
    back = returned(door)
    assert back["state"] == "state-1"
    grant = door.exchange(back["code"], VERIFIER, ASKING)
    assert (grant.external_id, grant.settings) == (
        ORG,
        {"instance_url": f"https://{HOST}", "oauth_client_id": CLIENT_ID},
    )
    salesforce.grant(grant.access_token, grant.refresh_token)
    assert salesforce.crm.install(salesforce.account)["external_id"] == ORG


def test_a_code_opens_nothing_without_its_verifier(door: SalesforceInstalling) -> None:
    with pytest.raises(InstallRefusedError) as caught:
        door.exchange(returned(door)["code"], "another", ASKING)
    assert caught.value.code == "invalid_grant"


def test_a_no_brings_back_a_word_that_is_told_plainly(salesforce: Salesforce, door: SalesforceInstalling) -> None:
    salesforce.world.denies_approval = True
    assert "Nothing was installed" in door.refusal(returned(door)["error"])


def test_an_account_whose_tokens_are_damaged_is_to_be_connected_again_and_cannot_be_left_in_the_crm(
    salesforce: Salesforce, door: SalesforceInstalling
) -> None:
    grant = door.exchange(returned(door)["code"], VERIFIER, ASKING)
    damage_tokens(salesforce.ledger, ACCOUNT_ID)
    for call in (partial(salesforce.crm.install, salesforce.account), partial(door.leave, ACCOUNT_ID)):
        with pytest.raises(CRMDisconnectedError, match="damaged"):
            call()
    salesforce.grant(grant.access_token, grant.refresh_token)
    assert salesforce.crm.install(salesforce.account)["external_id"] == ORG


def test_after_leaving_no_token_works_any_more(salesforce: Salesforce, door: SalesforceInstalling) -> None:
    grant = door.exchange(returned(door)["code"], VERIFIER, ASKING)
    salesforce.grant(grant.access_token, grant.refresh_token)
    assert door.leave(ACCOUNT_ID)
    assert door.leave(ACCOUNT_ID)  # it may be asked twice
    with pytest.raises(CRMDisconnectedError):
        salesforce.crm.owners(salesforce.account)
