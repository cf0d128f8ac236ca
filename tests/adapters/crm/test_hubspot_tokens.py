"""Does every call carry a token that lives, refreshed once however many ask?"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import httpx
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connector.adapters.crm.locks import RedisLocks
from connector.adapters.secrets import Vault
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.errors import CRMDisconnectedError, CRMUnavailableError
from tests.adapters.crm.conftest import ACCOUNT_ID, CLIENT_ID, PORTAL, TOKEN, HubSpot

REDIRECT = "https://sms.example/install"


def install_oauth(hubspot: HubSpot) -> None:
    """Let the account have the tokens of an OAuth install, half an hour long."""
    tokens = hubspot.world.tokens
    code = tokens.issue_code(CLIENT_ID, PORTAL, REDIRECT)
    answer = tokens.exchange_code(tokens.apps[CLIENT_ID], code, REDIRECT)
    hubspot.grant(answer["access_token"], answer["refresh_token"], timedelta(seconds=answer["expires_in"]))


def read(hubspot: HubSpot) -> None:
    hubspot.crm.read_records(hubspot.account, "deal", ["1"], ["dealname"])


def test_a_private_apps_token_is_used_as_it_is(hubspot: HubSpot) -> None:
    hubspot.clock.advance(timedelta(days=400))
    read(hubspot)
    assert hubspot.calls("oauth.token") == 0


def test_a_token_with_time_left_is_not_refreshed(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    hubspot.clock.advance(timedelta(minutes=24))
    read(hubspot)
    assert hubspot.calls("oauth.token") == 0


def test_a_token_with_less_than_five_minutes_left_is_refreshed_before_the_call(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    before = hubspot.row()
    hubspot.clock.advance(timedelta(minutes=26))
    read(hubspot)
    after = hubspot.row()
    assert hubspot.calls("oauth.token") == 1
    assert hubspot.calls("deals.batch_read") == 1
    assert after.access_token != before.access_token
    assert after.token_expires_at is not None
    assert after.token_expires_at - hubspot.clock.now() > timedelta(minutes=29)


def test_a_rotated_refresh_token_is_kept(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    hubspot.world.tokens.rotates = True
    for _ in range(3):
        hubspot.clock.advance(timedelta(hours=1))
        read(hubspot)
    assert hubspot.calls("oauth.token") == 3


def test_many_callers_at_once_refresh_once(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    hubspot.world.tokens.rotates = True  # a second refresh with the old token would be refused
    hubspot.clock.advance(timedelta(hours=1))
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(read, hubspot) for _ in range(8)]:
            done.result()
    assert hubspot.calls("oauth.token") == 1
    assert set(hubspot.locks.names) == {f"hubspot-token:{ACCOUNT_ID}"}


def test_an_app_uninstalled_in_hubspot_loses_its_tokens_and_is_not_called_again(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    hubspot.world.tokens.uninstall(PORTAL)
    hubspot.clock.advance(timedelta(hours=1))
    with pytest.raises(CRMDisconnectedError):
        read(hubspot)
    row = hubspot.row()
    assert (row.status, row.access_token, row.refresh_token) == ("uninstalled", None, None)
    assert "refresh token" in row.status_reason
    calls = dict(hubspot.world.calls)
    with pytest.raises(CRMDisconnectedError):
        read(hubspot)
    assert dict(hubspot.world.calls) == calls


def test_a_refusal_of_a_token_that_another_process_has_replaced_meanwhile_ends_nobody(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    hubspot.world.tokens.rotates = True
    hubspot.clock.advance(timedelta(hours=1))
    tokens = hubspot.crm._records.calls.tokens
    stale = hubspot.row()
    fresh = tokens.token(ACCOUNT_ID)  # the other process, after our lock has ended by itself
    error = CRMDisconnectedError("missing or invalid refresh token", status=400)
    assert tokens._uninstalled(stale, error) == fresh
    assert hubspot.row().status == "active"


@pytest.mark.parametrize("access_token", ["access-new", ""])
def test_neither_the_answer_nor_the_refusal_of_a_slow_refresh_undoes_a_reconnection(
    hubspot: HubSpot, access_token: str
) -> None:
    install_oauth(hubspot)
    tokens, used = hubspot.crm._records.calls.tokens, hubspot.row()
    hubspot.grant(access_token, "refresh-new", timedelta(minutes=30))  # an admin, while the refresh is on its way
    reconnected = hubspot.row()
    refused = CRMDisconnectedError("missing or invalid refresh token", status=400)
    for come_back in (
        partial(tokens._save, used, {"access_token": "late", "expires_in": 1800}),
        partial(tokens._uninstalled, used, refused),
    ):
        if access_token:
            assert come_back() == access_token
        else:
            with pytest.raises(CRMUnavailableError, match="connected again"):
                come_back()
        assert hubspot.row() == reconnected


def test_a_slow_refresh_brings_no_dropped_token_back(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    used = hubspot.row()
    with hubspot.ledger.begin() as work:
        work.accounts.set_status(ACCOUNT_ID, "uninstalled", "uninstalled by ann")
        work.accounts.drop_tokens(ACCOUNT_ID)
        work.commit()
    with pytest.raises(CRMDisconnectedError, match="no token"):
        hubspot.crm._records.calls.tokens._save(used, {"access_token": "late", "refresh_token": "late too"})
    assert (hubspot.row().access_token, hubspot.row().refresh_token) == (None, None)


def test_a_refusal_because_we_became_another_app_takes_no_account_its_tokens(
    hubspot: HubSpot, caplog: pytest.LogCaptureFixture
) -> None:
    install_oauth(hubspot)
    with hubspot.ledger.begin() as work:
        work.accounts.save_settings(ACCOUNT_ID, {"oauth_client_id": "the app before"}, "")
        work.commit()
    hubspot.world.tokens.uninstall(PORTAL)
    hubspot.clock.advance(timedelta(hours=1))
    with caplog.at_level(logging.ERROR), pytest.raises(CRMUnavailableError, match="another app"):
        read(hubspot)
    assert "HUBSPOT_CLIENT_ID" in caplog.text
    row = hubspot.row()
    assert row.status == "active"
    assert row.refresh_token is not None


def test_twenty_callers_in_two_processes_refresh_once_and_lose_no_rotated_token(
    hubspot: HubSpot, redis_client: redis.Redis
) -> None:
    install_oauth(hubspot)
    hubspot.world.tokens.rotates = True
    hubspot.clock.advance(timedelta(hours=1))
    mine = replace(hubspot.crm._records.calls.tokens, locks=RedisLocks(redis_client))
    other_ledger = SQLLedger(make_engine(str(hubspot.ledger.engine.url)), Vault(["k" * 32]), lambda _: None)
    theirs = replace(mine, ledger=other_ledger)  # what another process has: its own connections, the same Redis
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(each.token, ACCOUNT_ID) for each in (mine, theirs) * 10]
        given = {done.result() for done in asked}
    other_ledger.close()
    row = hubspot.row()
    assert hubspot.calls("oauth.token") == 1
    assert given == {row.access_token}
    hubspot.clock.advance(timedelta(hours=1))
    assert mine.token(ACCOUNT_ID) not in given  # the refresh token that was kept is the one that holds
    assert hubspot.row().refresh_token != row.refresh_token


def test_a_token_cut_short_is_replaced_once(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    hubspot.world.tokens._access.pop(str(hubspot.row().access_token))
    read(hubspot)
    assert hubspot.calls("oauth.token") == 1


def test_a_refused_token_without_a_successor_is_a_disconnection(hubspot: HubSpot) -> None:
    hubspot.world.tokens.uninstall(PORTAL)
    with pytest.raises(CRMDisconnectedError) as caught:
        read(hubspot)
    assert caught.value.status == 401


def test_a_token_replaced_while_the_old_one_was_on_its_way_is_used_and_disconnects_nobody(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    hubspot.grant("pat-old", None, timedelta())

    def replace_token(*_: object, **__: object) -> int:
        hubspot.grant(TOKEN, None, timedelta())  # the admin runs `account add` after the old token was read
        return 1

    monkeypatch.setattr(hubspot.limiter, "take", replace_token)
    read(hubspot)
    assert hubspot.calls("deals.batch_read") == 2
    assert hubspot.row().status == "active"


def test_a_portal_that_refuses_the_fresh_token_too_ends_in_two_calls(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    hubspot.faults.arm("hubspot.deals.batch_read", "status", times=None, status=401)
    with pytest.raises(CRMDisconnectedError):
        read(hubspot)
    assert (hubspot.calls("deals.batch_read"), hubspot.calls("oauth.token")) == (2, 1)


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_a_refresh_that_fails_goes_on_with_the_token_while_it_lives(hubspot: HubSpot, kind: str) -> None:
    install_oauth(hubspot)
    hubspot.clock.advance(timedelta(minutes=27))
    hubspot.faults.arm("hubspot.oauth.token", kind)
    read(hubspot)
    assert hubspot.row().status == "active"


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_a_refresh_that_fails_with_a_dead_token_is_an_outage(hubspot: HubSpot, kind: str) -> None:
    install_oauth(hubspot)
    hubspot.clock.advance(timedelta(hours=1))
    hubspot.faults.arm("hubspot.oauth.token", kind)
    with pytest.raises(CRMUnavailableError):
        read(hubspot)
    assert hubspot.row().status == "active"


def test_a_wrong_client_secret_disconnects_nobody_and_is_said_aloud(
    hubspot: HubSpot, caplog: pytest.LogCaptureFixture
) -> None:
    install_oauth(hubspot)
    hubspot.world.tokens.add_app(CLIENT_ID, "another secret", 678)
    hubspot.clock.advance(timedelta(hours=1))
    with caplog.at_level(logging.ERROR), pytest.raises(CRMUnavailableError) as caught:
        read(hubspot)
    assert caught.value.category == "BAD_CLIENT_SECRET"
    assert caught.value.retry_after == timedelta(minutes=5)
    assert hubspot.row().status == "active"
    assert "HubSpot refuses our own credentials" in caplog.text
    assert "secret-1" not in caplog.text


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (423, {}, timedelta(seconds=2)),
        (429, {"Retry-After": "7"}, timedelta(seconds=7)),
        (477, {"Retry-After": "7200"}, timedelta(hours=2)),
        (477, {}, timedelta(hours=1)),
        (503, {"Retry-After": "30"}, timedelta(seconds=30)),
        (502, {}, None),
    ],
)
@pytest.mark.parametrize("body", [{"status": "BAD_REFRESH_TOKEN", "error": "invalid_grant"}, {"message": "moving"}])
def test_what_passes_at_the_token_endpoint_ends_nobody_and_is_waited_for_as_long_as_it_asks(
    hubspot: HubSpot,
    caplog: pytest.LogCaptureFixture,
    status: int,
    headers: dict[str, str],
    pause: timedelta | None,
    body: dict[str, str],
) -> None:
    install_oauth(hubspot)
    hubspot.clock.advance(timedelta(hours=1))
    answer = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, json=body))
    with httpx.Client(transport=answer) as http, caplog.at_level(logging.ERROR):
        tokens = replace(hubspot.crm._records.calls.tokens, http=http)
        with pytest.raises(CRMUnavailableError) as caught:
            tokens.token(ACCOUNT_ID)
    assert (caught.value.status, caught.value.retry_after) == (status, pause)
    assert "our own credentials" not in caplog.text  # which are in order
    assert (hubspot.row().status, hubspot.row().refresh_token is None) == ("active", False)


def test_an_oauth_token_without_our_credentials_is_said_aloud(hubspot: HubSpot) -> None:
    install_oauth(hubspot)
    hubspot.clock.advance(timedelta(hours=1))
    tokens = replace(hubspot.crm._records.calls.tokens, app=None)
    with pytest.raises(CRMUnavailableError, match="HUBSPOT_CLIENT_ID"):
        tokens.token(ACCOUNT_ID)


def test_an_account_without_any_token_is_a_disconnection(hubspot: HubSpot) -> None:
    hubspot.grant("", None, timedelta())
    with pytest.raises(CRMDisconnectedError, match="no token"):
        read(hubspot)


def test_an_account_nobody_knows_is_a_disconnection(hubspot: HubSpot) -> None:
    stranger = type(hubspot.account)("0190b000-0000-7000-8000-00000000ffff", "1")
    with pytest.raises(CRMDisconnectedError, match="no such account"):
        hubspot.crm.owners(stranger)


def test_a_lock_in_redis_is_held_by_one_and_given_back(redis_client: redis.Redis) -> None:
    locks = RedisLocks(redis_client)
    with locks.hold("token"):
        assert redis_client.exists("lock:token") == 1
        assert not redis_client.lock("lock:token", blocking=False).acquire()
    assert redis_client.exists("lock:token") == 0


def test_a_lock_that_ended_by_itself_is_no_error(redis_client: redis.Redis) -> None:
    with RedisLocks(redis_client).hold("token"):
        redis_client.delete("lock:token")


def test_a_lock_without_redis_is_an_outage() -> None:
    away = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    with pytest.raises(CRMUnavailableError, match="cannot be reached"), RedisLocks(away).hold("token"):
        pytest.fail("held without Redis")
    away.close()


def test_a_lock_that_others_keep_is_an_outage(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.adapters.crm.locks._PATIENCE", 0.01)
    locks = RedisLocks(redis_client)
    with locks.hold("token"), pytest.raises(CRMUnavailableError, match="another process"), locks.hold("token"):
        pytest.fail("held twice")
