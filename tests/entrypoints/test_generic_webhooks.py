"""Does the door for webhooks of other systems let in who may come in, and keep what they brought?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from connector.adapters.store.migrate import migrate
from connector.adapters.store.tables import external_event
from connector.bootstrap import Connector
from connector.domain.account_status import ENDED
from connector.entrypoints.web.app import create_app
from connector.ports.ledger import UnitOfWork
from connector.settings import read_settings
from tests.adapters.store.factories import an_account
from tests.adapters.webhooks.signing import based, timestamped
from tests.entrypoints.environment import set_environment

ROOT = Path(__file__).parents[2]
BODY = json.dumps({"id": "evt_1", "type": "invoice.paid", "created": 1795183200, "data": {"object": {"id": "in_1"}}})


@pytest.fixture
def connector(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    set_environment(monkeypatch, tmp_path, redis_url)
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    with connector.ledger.begin() as uow:
        for portal in ("12345", "67890"):
            uow.accounts.add(an_account(id=f"account-{portal}", external_id=portal))
        uow.commit()
    yield connector
    connector.ledger.close()


@pytest.fixture
def client(connector: Connector) -> FlaskClient:
    return create_app(connector).test_client()


@pytest.fixture
def secret(connector: Connector) -> str:
    return connector.webhook_desk.add("account-12345", "stripe").secret


def deliver(
    client: FlaskClient,
    connector: Connector,
    secret: str,
    body: str = BODY,
    *,
    account: str = "account-12345",
    late: timedelta = timedelta(0),
) -> TestResponse:
    headers = timestamped(secret, body.encode(), connector.clock.now() - late)
    return client.post(f"/webhooks/generic/stripe/{account}", data=body.encode(), headers=headers)


def kept(connector: Connector) -> list[Any]:
    with connector.ledger.engine.connect() as connection:
        return list(connection.execute(select(external_event)))


def test_a_signed_webhook_is_kept_for_its_account_sealed_and_with_its_system(
    client: FlaskClient, connector: Connector, secret: str
) -> None:
    answer = deliver(client, connector, secret)
    assert (answer.status_code, answer.json) == (200, {"new": 1, "known": 0})
    (row,) = kept(connector)
    assert (row.account_id, row.source, row.context) == ("account-12345", "generic", {"source": "stripe"})
    assert b"evt_1" not in row.body_sealed
    assert row.handled_at is None


def test_an_event_delivered_ten_times_is_kept_once_even_if_its_body_changes_a_little(
    client: FlaskClient, connector: Connector, secret: str
) -> None:
    answers = [deliver(client, connector, secret, BODY[:-1] + f', "pending": {n}}}').json for n in range(10)]
    assert [answer["new"] for answer in answers if answer] == [1] + [0] * 9
    assert len(kept(connector)) == 1


def test_the_same_event_of_two_accounts_is_two_events(client: FlaskClient, connector: Connector, secret: str) -> None:
    other = connector.webhook_desk.add("account-67890", "stripe").secret
    deliver(client, connector, secret)
    assert deliver(client, connector, other, account="account-67890").json == {"new": 1, "known": 0}
    assert {row.account_id for row in kept(connector)} == {"account-12345", "account-67890"}


def test_a_secret_of_another_account_or_system_opens_nothing(
    client: FlaskClient, connector: Connector, secret: str
) -> None:
    others = [connector.webhook_desk.add("account-67890", "stripe"), connector.webhook_desk.add("account-12345", "app")]
    assert [deliver(client, connector, each.secret).status_code for each in others] == [401, 401]
    assert deliver(client, connector, secret, account="account-67890").status_code == 401
    assert kept(connector) == []


@pytest.mark.parametrize(
    "path", ["stripe/account-67890", "stripe/nobody", "app/account-12345", "strype/account-12345", "stripe/12345"]
)
def test_an_address_that_nobody_opened_is_not_there(
    client: FlaskClient, connector: Connector, secret: str, path: str
) -> None:
    headers = timestamped(secret, BODY.encode(), connector.clock.now())
    answer = client.post(f"/webhooks/generic/{path}", data=BODY, headers=headers)
    assert answer.status_code == 404
    assert kept(connector) == []


def test_a_closed_address_is_not_there_any_more(client: FlaskClient, connector: Connector, secret: str) -> None:
    assert connector.webhook_desk.remove("account-12345", "stripe")
    assert deliver(client, connector, secret).status_code == 404


@pytest.mark.parametrize("status", sorted(ENDED))
def test_an_account_that_was_uninstalled_takes_nothing(
    client: FlaskClient, connector: Connector, secret: str, status: str
) -> None:
    with connector.ledger.begin() as uow:
        uow.accounts.set_status("account-12345", status, "by its admin")
        uow.commit()
    assert deliver(client, connector, secret).status_code == 404


def test_both_secrets_hold_while_one_is_replaced(client: FlaskClient, connector: Connector, secret: str) -> None:
    newer = connector.webhook_desk.rotate("account-12345", "stripe").secret
    bodies = [BODY.replace("evt_1", name) for name in ("evt_2", "evt_3")]
    answers = [deliver(client, connector, *each).status_code for each in zip((secret, newer), bodies, strict=True)]
    assert answers == [200, 200]
    connector.webhook_desk.rotate("account-12345", "stripe", at_once=True)
    assert deliver(client, connector, newer).status_code == 401


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_what_was_recorded_minutes_ago_is_refused(
    client: FlaskClient, connector: Connector, secret: str, late: timedelta
) -> None:
    assert deliver(client, connector, secret, late=late).status_code == 401
    assert kept(connector) == []


def test_a_type_in_a_header_is_kept_with_the_event(client: FlaskClient, connector: Connector) -> None:
    secret, body = connector.webhook_desk.add("account-12345", "shopify").secret, b'{"token": "c-1"}'
    headers = {"X-Shopify-Hmac-Sha256": based(secret, body), "X-Shopify-Topic": "checkouts/create"}
    assert client.post("/webhooks/generic/shopify/account-12345", data=body, headers=headers).status_code == 200
    (row,) = kept(connector)
    assert row.context == {"source": "shopify", "type": "checkouts/create"}


@pytest.mark.parametrize("body", ["{not json", "[1, 2]", '"x"', "", "\x00"])
def test_a_signed_body_that_is_no_json_object_is_kept_and_answered_2xx(
    client: FlaskClient, connector: Connector, secret: str, body: str
) -> None:
    assert deliver(client, connector, secret, body).status_code == 200
    assert len(kept(connector)) == 1


def test_a_body_larger_than_any_event_is_refused(client: FlaskClient, connector: Connector, secret: str) -> None:
    assert deliver(client, connector, secret, "x" * (512 * 1024 + 1)).status_code == 413
    assert kept(connector) == []


def test_a_ledger_that_is_away_is_our_fault_and_the_sender_tries_again(
    client: FlaskClient, connector: Connector, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: UnitOfWork) -> None:
        raise OperationalError("insert", {}, Exception("disk full"))

    with monkeypatch.context() as patched:
        patched.setattr("connector.adapters.store.unit_of_work.SQLUnitOfWork.commit", broken)
        assert deliver(client, connector, secret).status_code == 503
    assert deliver(client, connector, secret).json == {"new": 1, "known": 0}


def test_neither_secret_nor_body_is_in_a_refusal(client: FlaskClient, connector: Connector, secret: str) -> None:
    answer = deliver(client, connector, "x" + secret)
    assert answer.status_code == 401
    assert secret not in answer.text
    assert "evt_1" not in answer.text
