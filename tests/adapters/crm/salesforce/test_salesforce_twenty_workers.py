"""Do twenty workers, each with what a process of its own has, refresh an ended token once?"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import redis

from connector.adapters.crm.locks import RedisLocks
from connector.adapters.crm.salesforce.tokens import OrgTokens
from connector.adapters.secrets import Vault
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from tests.adapters.crm.salesforce.conftest import ACCOUNT_ID, ORG, Salesforce, app_of

WORKERS = 20
REFRESH = "oauth.token.refresh_token"


def test_twenty_workers_with_an_ended_token_make_one_refresh_and_lose_no_rotated_one(
    salesforce: Salesforce, redis_client: redis.Redis
) -> None:
    """They share what processes share: the database file, Redis, and nothing in memory."""
    url, start = str(salesforce.ledger.engine.url), threading.Barrier(WORKERS)
    before = salesforce.row()
    salesforce.world.tokens.expire_sessions(ORG)

    def work(_worker: int) -> str:
        ledger = SQLLedger(make_engine(url), Vault(["k" * 32]), lambda _: None)
        with httpx.Client() as http:
            tokens = OrgTokens(
                ledger, salesforce.clock, RedisLocks(redis_client), http, app_of(salesforce), salesforce.url
            )
            start.wait(30)
            given = tokens.renewed(ACCOUNT_ID, str(before.access_token))
        ledger.close()
        return given

    with ThreadPoolExecutor(WORKERS) as pool:
        given = set(pool.map(work, range(WORKERS)))
    after = salesforce.row()
    assert salesforce.calls(REFRESH) == 1
    assert given == {after.access_token}
    assert after.refresh_token != before.refresh_token
    salesforce.world.tokens.expire_sessions(ORG)
    assert salesforce.crm.search(salesforce.account, "deal", [], ["Name"]) == []  # the token kept is the one that holds
    assert salesforce.calls(REFRESH) == 2
