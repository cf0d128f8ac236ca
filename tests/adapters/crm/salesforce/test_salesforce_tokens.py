"""Does every call carry a token that lives, refreshed once however many ask, and never twice with the same one?"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import httpx
import pytest
import redis
import requests
import sqlalchemy as sa

from connector.adapters.crm.locks import RedisLocks
from connector.adapters.crm.salesforce.adapter import SalesforceCRM
from connector.adapters.crm.salesforce.clients import OrgClients
from connector.adapters.crm.salesforce.tokens import OrgTokens
from connector.adapters.store.tables import timeline_entry
from connector.errors import CRMDisconnectedError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import CRMAccount
from tests.adapters.crm.contract import a_text
from tests.adapters.crm.doubles import ThreadLocks
from tests.adapters.crm.salesforce.conftest import ACCOUNT_ID, ADMIN, CLIENT_ID, HOST, ORG, Salesforce, app_of, new_crm

REFRESH = "oauth.token.refresh_token"


def read(salesforce: Salesforce, crm: SalesforceCRM | None = None) -> None:
    (crm or salesforce.crm).search(salesforce.account, "deal", [], ["Name"])


def test_a_living_token_is_used_as_it_is(salesforce: Salesforce) -> None:
    read(salesforce)
    assert salesforce.calls(REFRESH) == 0


def test_twenty_threads_with_a_stale_token_make_one_refresh_and_all_succeed(salesforce: Salesforce) -> None:
    contacts = [salesforce.contact() for _ in range(20)]
    salesforce.crm.create(salesforce.account, [a_text("warm", contacts[0])])  # what is remembered is remembered
    salesforce.world.tokens.expire_sessions(ORG)
    with ThreadPoolExecutor(20) as pool:
        jobs = [
            pool.submit(salesforce.crm.create, salesforce.account, [a_text(f"r{number}", contact)])
            for number, contact in enumerate(contacts)
        ]
        results = [job.result()[0] for job in jobs]
    assert [each.error for each in results] == [None] * 20
    assert salesforce.calls(REFRESH) == 1
    assert set(salesforce.locks.names) == {f"salesforce-token:{ACCOUNT_ID}"}


def test_two_processes_with_a_stale_token_make_one_refresh_between_them(
    salesforce: Salesforce, redis_client: redis.Redis
) -> None:
    crms = []
    for _ in range(2):
        locks = RedisLocks(redis_client)
        tokens = OrgTokens(
            salesforce.ledger, salesforce.clock, locks, salesforce.http, app_of(salesforce), salesforce.url
        )
        crm = salesforce.another()
        crm._records.calls.clients.tokens = tokens
        crms.append(crm)
    salesforce.world.tokens.expire_sessions(ORG)
    with ThreadPoolExecutor(8) as pool:
        for job in [pool.submit(read, salesforce, crms[number % 2]) for number in range(8)]:
            job.result()
    assert salesforce.calls(REFRESH) == 1
    assert redis_client.exists(f"lock:salesforce-token:{ACCOUNT_ID}") == 0


def test_a_rotated_refresh_token_is_kept_and_used_next(salesforce: Salesforce) -> None:
    seen = {salesforce.row().refresh_token}
    for _ in range(3):
        salesforce.world.tokens.expire_sessions(ORG)
        read(salesforce)
        seen.add(salesforce.row().refresh_token)
    assert salesforce.calls(REFRESH) == 3
    assert len(seen) == 4


def test_the_new_tokens_are_committed_before_one_of_them_is_used(
    salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    salesforce.world.tokens.expire_sessions(ORG)
    session_of, committed = salesforce.world.tokens.session, []

    def session(token: str) -> object:
        if salesforce.calls(REFRESH):
            committed.append(salesforce.row().access_token == token)
        return session_of(token)

    monkeypatch.setattr(salesforce.world.tokens, "session", session)
    read(salesforce)
    assert committed
    assert all(committed)


def test_a_token_never_accepted_costs_two_requests_and_one_refresh(salesforce: Salesforce) -> None:
    read(salesforce)
    before = salesforce.calls("query")
    salesforce.faults.arm("salesforce.query", "status", times=None, status=401)
    with pytest.raises(CRMDisconnectedError) as caught:
        read(salesforce)
    assert caught.value.status == 401
    assert (salesforce.calls("query") - before, salesforce.calls(REFRESH)) == (2, 1)


def test_a_401_whose_body_is_no_list_is_a_disconnection_too(salesforce: Salesforce) -> None:
    body = {"error": "invalid_token"}
    salesforce.faults.arm("salesforce.sobjects.*", "status", times=None, status=401, body=body)
    with pytest.raises(CRMDisconnectedError):
        read(salesforce)


def test_the_second_try_has_the_body_and_headers_of_the_first(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    salesforce.crm.create(salesforce.account, [a_text("r1", contact)])
    salesforce.world.tokens.expire_sessions(ORG)
    made = salesforce.crm.create(salesforce.account, [a_text("r2", contact)])[0]
    assert salesforce.task(made.crm_record_id)["Description"] == "Hello\nRef r2"
    assert len(salesforce.world.timeline(ORG, contact)) == 2


def test_an_uninstalled_app_is_disconnected_and_not_called_again(salesforce: Salesforce) -> None:
    salesforce.world.tokens.uninstall(ORG)
    with pytest.raises(CRMDisconnectedError):
        read(salesforce)
    row = salesforce.row()
    assert row.status == "disconnected"
    assert "invalid_grant" in row.status_reason
    calls = dict(salesforce.world.calls)
    with pytest.raises(CRMDisconnectedError):
        read(salesforce)
    assert dict(salesforce.world.calls) == calls


def test_a_user_who_left_disconnects_the_organisation(salesforce: Salesforce) -> None:
    salesforce.world.tokens.expire_sessions(ORG)
    salesforce.world.set_user(ORG, ADMIN, IsActive=False)
    with pytest.raises(CRMDisconnectedError):
        read(salesforce)
    assert salesforce.row().status == "disconnected"


def test_a_refresh_token_that_another_process_rotated_meanwhile_disconnects_nobody(salesforce: Salesforce) -> None:
    """The lock of a process that stood still for its whole lease has ended by itself."""
    stale = salesforce.row()
    salesforce.world.tokens.expire_sessions(ORG)
    other = new_crm(salesforce.ledger, salesforce.clock, ThreadLocks(), salesforce.http, salesforce.url)
    tokens = salesforce.crm._records.calls.clients.tokens
    assert isinstance(tokens, OrgTokens)
    read(salesforce, other)
    with pytest.raises(CRMDisconnectedError) as caught:
        tokens._exchange(stale)
    assert tokens._disconnected(stale, caught.value) == salesforce.row().access_token
    assert salesforce.row().status == "active"


@pytest.mark.parametrize("access_token", ["access-new", ""])
def test_neither_the_answer_nor_the_refusal_of_a_slow_refresh_undoes_a_reconnection(
    salesforce: Salesforce, access_token: str
) -> None:
    tokens, used = salesforce.crm._records.calls.clients.tokens, salesforce.row()
    assert isinstance(tokens, OrgTokens)
    salesforce.grant(access_token, "refresh-new")  # an admin, while the refresh is on its way
    reconnected = salesforce.row()
    answer = {"access_token": "late", "refresh_token": "late too", "instance_url": "https://late.my.salesforce.com"}
    refused = CRMDisconnectedError("invalid_grant", status=400)
    for come_back in (partial(tokens._save, used, answer), partial(tokens._disconnected, used, refused)):
        if access_token:
            assert come_back() == access_token
        else:
            with pytest.raises(CRMUnavailableError, match="connected again"):
                come_back()
        assert salesforce.row() == reconnected


def test_a_slow_refresh_brings_no_dropped_token_back(salesforce: Salesforce) -> None:
    tokens, used = salesforce.crm._records.calls.clients.tokens, salesforce.row()
    assert isinstance(tokens, OrgTokens)
    with salesforce.ledger.begin() as work:
        work.accounts.drop_tokens(ACCOUNT_ID)
        work.commit()
    with pytest.raises(CRMDisconnectedError, match="no token"):
        tokens._save(used, {"access_token": "late", "refresh_token": "late too"})
    assert (salesforce.row().access_token, salesforce.row().refresh_token) == (None, None)


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_a_refresh_that_fails_is_an_outage(salesforce: Salesforce, kind: str) -> None:
    salesforce.world.tokens.expire_sessions(ORG)
    salesforce.faults.arm(f"salesforce.{REFRESH}", kind)
    with pytest.raises(CRMUnavailableError):
        read(salesforce)
    assert salesforce.row().status == "active"
    read(salesforce)


def test_a_wrong_client_secret_disconnects_nobody_and_is_said_aloud(
    salesforce: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    salesforce.world.tokens.add_app(CLIENT_ID, "another secret")
    salesforce.world.tokens.expire_sessions(ORG)
    with caplog.at_level(logging.ERROR), pytest.raises(CRMUnavailableError) as caught:
        read(salesforce)
    assert caught.value.retry_after == timedelta(minutes=5)
    assert salesforce.row().status == "active"
    assert "Salesforce refuses our own credentials" in caplog.text
    assert "secret-1" not in caplog.text
    assert str(salesforce.row().refresh_token) not in caplog.text


def installed_with(salesforce: Salesforce, client_id: str) -> None:
    with salesforce.ledger.begin() as work:
        settings = {**salesforce.row().settings, "oauth_client_id": client_id}
        work.accounts.save_settings(ACCOUNT_ID, settings, "Acme")
        work.commit()


def test_a_refusal_because_we_became_another_app_disconnects_no_organisation_and_says_what_to_do(
    salesforce: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    installed_with(salesforce, "the app before")
    salesforce.world.tokens.uninstall(ORG)
    with caplog.at_level(logging.ERROR), pytest.raises(CRMUnavailableError, match="install the account anew") as caught:
        read(salesforce)
    assert caught.value.retry_after == timedelta(minutes=5)
    assert "SALESFORCE_CLIENT_ID" in caplog.text
    assert "the app before" not in caplog.text
    row = salesforce.row()
    assert (row.status, row.refresh_token is None) == ("active", False)


def test_an_organisation_that_takes_away_the_app_it_was_installed_with_is_disconnected_and_a_person_told(
    salesforce: Salesforce,
) -> None:
    installed_with(salesforce, CLIENT_ID)
    salesforce.world.tokens.uninstall(ORG)
    with pytest.raises(CRMDisconnectedError):
        read(salesforce)
    assert salesforce.row().status == "disconnected"
    with salesforce.ledger.engine.connect() as connection:
        told = connection.execute(sa.select(timeline_entry.c.account_id, timeline_entry.c.kind)).all()
    assert told == [(ACCOUNT_ID, "attention.needed")]


def test_a_refresh_token_without_our_credentials_is_said_aloud(salesforce: Salesforce) -> None:
    tokens = OrgTokens(salesforce.ledger, salesforce.clock, salesforce.locks, salesforce.http, None, salesforce.url)
    with pytest.raises(CRMUnavailableError, match="SALESFORCE_CLIENT_ID"):
        tokens.renewed(ACCOUNT_ID, str(salesforce.row().access_token))


def test_an_account_with_a_refresh_token_only_gets_its_first_access_token(salesforce: Salesforce) -> None:
    salesforce.grant("", salesforce.row().refresh_token)
    read(salesforce)
    assert salesforce.calls(REFRESH) == 1


def test_a_static_token_that_is_refused_is_a_disconnection(salesforce: Salesforce) -> None:
    salesforce.grant("revoked", None)
    with pytest.raises(CRMDisconnectedError) as caught:
        read(salesforce)
    assert caught.value.status == 401


def test_an_account_without_any_token_is_a_disconnection(salesforce: Salesforce) -> None:
    salesforce.grant("", None)
    with pytest.raises(CRMDisconnectedError, match="no token"):
        read(salesforce)


def test_an_account_nobody_knows_is_a_disconnection(salesforce: Salesforce) -> None:
    stranger = replace(salesforce.account, account_id="0190b000-0000-7000-8000-00000000ffff")
    with pytest.raises(CRMDisconnectedError, match="no such account"):
        salesforce.crm.owners(stranger)


def test_an_organisation_that_moved_is_followed(salesforce: Salesforce) -> None:
    salesforce.world.org(ORG).instance_host = "acme-eu.my.salesforce.com"
    salesforce.world.tokens.expire_sessions(ORG)
    with pytest.raises(CRMDisconnectedError):
        read(salesforce)  # the old address does not take the new token
    moved = salesforce.row().settings["instance_url"]
    assert moved == "https://acme-eu.my.salesforce.com"
    account = salesforce.having(instance_url=moved)
    assert salesforce.crm.search(account, "deal", [], ["Name"]) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com.evil.example",
        "https://evil.example",
        "https://user@acme.my.salesforce.com",
        "https://acme.my.salesforce.com:8443",
        "https://acme.my.salesforce.com/path",
        "https://evil.example/.my.salesforce.com",
    ],
)
def test_no_token_goes_to_an_address_that_is_not_salesforces(salesforce: Salesforce, url: str) -> None:
    with pytest.raises(CRMRefusedError, match="instance_url"):
        salesforce.crm.owners(salesforce.having(instance_url=url))
    assert not salesforce.world.calls


def test_every_request_has_time_limits_and_no_proxy(salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    send = requests.adapters.HTTPAdapter.send

    def noting(self: object, request: object, *args: object, **how: object) -> object:
        given.append(how["timeout"])
        return send(self, request, *args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", noting)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    read(salesforce)
    assert given
    assert set(given) == {(3.05, 20.0)}


def test_each_thread_has_a_session_of_its_own(salesforce: Salesforce) -> None:
    clients = salesforce.crm._records.calls.clients
    here = clients.of(salesforce.account)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(clients.of, salesforce.account).result()
    assert clients.of(salesforce.account) is here
    assert here.session is not there.session


def test_a_thread_keeps_no_more_sessions_than_it_may(salesforce: Salesforce) -> None:
    clients = OrgClients(salesforce.crm._records.calls.clients.tokens, lambda *_: None)
    accounts = [CRMAccount(str(number), ORG, {"instance_url": f"https://{HOST}"}) for number in range(40)]
    kept = [clients.of(each) for each in accounts]
    assert clients.of(accounts[-1]) is kept[-1]
    assert clients.of(accounts[0]) is not kept[0]


def test_the_token_endpoint_is_told_the_organisations_own_host(salesforce: Salesforce) -> None:
    asked: list[httpx.Request] = []
    answer = {"access_token": "new", "instance_url": "https://evil.example"}

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=answer)

    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        tokens = OrgTokens(salesforce.ledger, salesforce.clock, salesforce.locks, http, app_of(salesforce), "")
        assert tokens.renewed(ACCOUNT_ID, str(salesforce.row().access_token)) == "new"
    assert str(asked[0].url) == f"https://{HOST}/services/oauth2/token"
    assert salesforce.row().settings["instance_url"] == f"https://{HOST}"  # no token ever goes to evil.example
