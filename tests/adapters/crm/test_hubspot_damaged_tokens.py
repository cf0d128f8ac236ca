"""Is an account whose tokens do not open to be connected again, or waited for where only the key is not here?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.adapters.crm.hubspot.installing import HubSpotInstalling
from connector.adapters.secrets import Vault
from connector.errors import CRMDisconnectedError, CRMUnavailableError
from tests.adapters.crm.conftest import ACCOUNT_ID, HubSpot
from tests.adapters.crm.test_hubspot_installing import ASKING, VERIFIER, allowed, connect
from tests.adapters.crm.test_hubspot_tokens import install_oauth, read
from tests.adapters.store.factories import damage_tokens

FOREIGN = Vault(["n" * 32]).seal("access", account=ACCOUNT_ID, column="account.access_token")


@pytest.fixture
def door(hubspot: HubSpot) -> HubSpotInstalling:
    return HubSpotInstalling(hubspot.crm._records.calls.tokens)


def test_a_damaged_token_is_told_as_a_lost_connection(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    damage_tokens(hubspot.ledger, ACCOUNT_ID)
    with pytest.raises(CRMDisconnectedError, match="damaged"):
        read(hubspot)
    install_oauth(hubspot)
    read(hubspot)


def test_a_token_whose_key_is_not_here_disconnects_nobody_and_is_said_aloud(
    hubspot: HubSpot, caplog: pytest.LogCaptureFixture
) -> None:
    install_oauth(hubspot)
    damage_tokens(hubspot.ledger, ACCOUNT_ID, FOREIGN)
    with pytest.raises(CRMUnavailableError, match="SECRET_KEYS") as caught:
        read(hubspot)
    assert caught.value.retry_after == timedelta(minutes=5)
    assert ACCOUNT_ID in caplog.text


@pytest.mark.parametrize("sealed", [b"cut short", FOREIGN], ids=["cut short", "of another account"])
def test_a_slow_refresh_undoes_nothing_that_it_cannot_open(hubspot: HubSpot, sealed: bytes) -> None:
    install_oauth(hubspot)
    used = hubspot.row()
    damage_tokens(hubspot.ledger, ACCOUNT_ID, sealed)
    tokens = hubspot.crm._records.calls.tokens
    with pytest.raises((CRMDisconnectedError, CRMUnavailableError)):
        tokens._save(used, {"access_token": "late", "expires_in": 1800})
    with pytest.raises((CRMDisconnectedError, CRMUnavailableError), match=r"damaged|SECRET_KEYS"):
        tokens._uninstalled(used, CRMDisconnectedError("missing or invalid refresh token", status=400))
    with hubspot.ledger.begin(write=False) as work:
        assert work.accounts.get(ACCOUNT_ID).status == "active"


@pytest.mark.parametrize("sealed", [b"cut short", FOREIGN], ids=["cut short", "of another account"])
def test_leaving_with_a_token_that_does_not_open_could_not_be_told(
    hubspot: HubSpot, door: HubSpotInstalling, sealed: bytes
) -> None:
    connect(hubspot, door.exchange(allowed(door), VERIFIER, ASKING))
    damage_tokens(hubspot.ledger, ACCOUNT_ID, sealed)
    with pytest.raises((CRMDisconnectedError, CRMUnavailableError)):
        door.leave(ACCOUNT_ID)
    assert hubspot.calls("appinstalls.uninstall") == 0


def test_an_outage_while_connecting_again_uninstalls_no_portal_whose_tokens_do_not_open(
    hubspot: HubSpot, door: HubSpotInstalling
) -> None:
    connect(hubspot, door.exchange(allowed(door), VERIFIER, ASKING))
    damage_tokens(hubspot.ledger, ACCOUNT_ID)
    hubspot.faults.arm("hubspot.oauth.introspect", "status")
    with pytest.raises(CRMUnavailableError):
        door.exchange(allowed(door), VERIFIER, ASKING)
    assert hubspot.calls("appinstalls.uninstall") == 0
