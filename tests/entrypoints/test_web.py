"""Do the doors let in who may come in, keep what they brought, and answer the rest as they should?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
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
from connector.entrypoints.web.app import create_app
from connector.ports.ledger import UnitOfWork
from connector.settings import read_settings
from tests.adapters.store.factories import an_account

SECRET, TOKEN, PUBLIC = "client-secret", "auth-token", "https://sms.example.com"


@pytest.fixture
def connector(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connector:
    values = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "PUBLIC_URL": PUBLIC,
        "SECRET_KEYS": "k" * 32,
        "HUBSPOT_CLIENT_SECRETS": f"newer-secret,{SECRET}",
        "TWILIO_ACCOUNT_SID": "AC1",
        "TWILIO_AUTH_TOKENS": TOKEN,
        "TWILIO_FROM": "+12025550100",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    with connector.ledger.begin() as uow:
        for portal in ("12345", "67890"):
            uow.accounts.add(an_account(external_id=portal))
        uow.commit()
    return connector


@pytest.fixture
def client(connector: Connector) -> Iterator[FlaskClient]:
    yield create_app(connector).test_client()
    connector.ledger.close()


def event(event_id: int = 1, portal: int = 12345, **changes: Any) -> dict[str, Any]:
    return {
        "eventId": event_id,
        "subscriptionId": 200,
        "portalId": portal,
        "appId": 678,
        "occurredAt": 1763700000000,
        "subscriptionType": "deal.propertyChange",
        "attemptNumber": 0,
        "objectId": 9001,
        "propertyName": "dealstage",
        "propertyValue": "closedwon",
        "changeSource": "CRM_UI",
    } | changes


def deliver(
    client: FlaskClient, connector: Connector, body: bytes, *, late: timedelta = timedelta(0), secret: str = SECRET
) -> TestResponse:
    stamp = str(int((connector.clock.now() - late).timestamp() * 1000))
    signed = f"POST{PUBLIC}/webhooks/hubspot".encode() + body + stamp.encode()
    signature = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    return client.post("/webhooks/hubspot", data=body, headers=headers, content_type="application/json")


def kept(connector: Connector) -> list[Any]:
    with connector.ledger.engine.connect() as connection:
        return list(connection.execute(select(external_event)))


def test_a_signed_batch_of_several_portals_is_kept_event_by_event(client: FlaskClient, connector: Connector) -> None:
    batch = [event(1), event(2, portal=67890), event(1, attemptNumber=3), event(3, portal=111)]
    answer = deliver(client, connector, json.dumps(batch).encode())
    assert (answer.status_code, answer.json) == (200, {"new": 2, "known": 1, "foreign": 1})
    assert len({row.account_id for row in kept(connector)}) == 2


def test_a_batch_delivered_ten_times_is_kept_once(client: FlaskClient, connector: Connector) -> None:
    body = json.dumps([event(n) for n in range(100)]).encode()
    answers = [deliver(client, connector, body).json for _ in range(10)]
    assert [answer["new"] for answer in answers if answer] == [100] + [0] * 9
    assert len(kept(connector)) == 100


def test_what_is_kept_is_unreadable_at_rest(client: FlaskClient, connector: Connector) -> None:
    deliver(client, connector, json.dumps([event()]).encode())
    assert all(b"closedwon" not in row.body_sealed for row in kept(connector))


@pytest.mark.parametrize("body", [b"{not json", b'{"eventId": 1}', b"[1, 2]", b"\xff\xfe", b""])
def test_a_signed_body_that_is_no_batch_is_kept_for_a_person_and_answered_2xx(
    client: FlaskClient, connector: Connector, body: bytes
) -> None:
    assert deliver(client, connector, body).status_code == 200
    (row,) = kept(connector)
    assert row.source == "hubspot.unreadable"
    assert row.handled_at is not None


@pytest.mark.parametrize(
    ("late", "secret"), [(timedelta(minutes=6), SECRET), (-timedelta(minutes=6), SECRET), (timedelta(0), "wrong")]
)
def test_who_is_not_hubspot_is_refused_and_nothing_is_kept(
    client: FlaskClient, connector: Connector, late: timedelta, secret: str
) -> None:
    answer = deliver(client, connector, json.dumps([event()]).encode(), late=late, secret=secret)
    assert answer.status_code == 401
    assert kept(connector) == []


def test_an_unsigned_request_is_refused_whatever_is_in_it(client: FlaskClient, connector: Connector) -> None:
    assert client.post("/webhooks/hubspot", data=b"{not json").status_code == 401
    assert client.post("/webhooks/hubspot").status_code == 401
    assert kept(connector) == []


def test_a_body_too_large_is_refused_before_it_is_read(client: FlaskClient, connector: Connector) -> None:
    assert deliver(client, connector, b"[" + b" " * 2_000_000 + b"]").status_code == 413


def test_without_a_secret_the_endpoint_is_closed(connector: Connector) -> None:
    connector.settings = replace(connector.settings, hubspot_client_secrets=())
    client = create_app(connector).test_client()
    assert deliver(client, connector, json.dumps([event()]).encode(), secret="").status_code == 401


def test_our_fault_is_5xx_so_that_the_webhook_comes_again(
    client: FlaskClient, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_disk(_uow: UnitOfWork) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr("connector.services.intake.Intake.take_events", lambda *_: no_disk)
    monkeypatch.setattr("connector.services.intake.Intake.take_events", lambda self, *_: self._committer.run(no_disk))
    assert deliver(client, connector, json.dumps([event()]).encode()).status_code == 503


def twilio_signed(url: str, form: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return {
        "X-Twilio-Signature": base64.b64encode(
            hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
        ).decode()
    }


STATUS = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "delivered", "Unheard": "of", "RawDlrDoneDate": "2611201200"}


@pytest.mark.parametrize("path", ["/callbacks/twilio/status/a-1", "/callbacks/twilio/status?attempt_id=a-1"])
def test_a_signed_receipt_is_kept_once_with_any_parameters(
    client: FlaskClient, connector: Connector, path: str
) -> None:
    for _ in range(2):
        answer = client.post(path, data=STATUS, headers=twilio_signed(PUBLIC + path, STATUS))
        assert answer.status_code == 200
    (row,) = kept(connector)
    assert (row.source, row.context["attempt_id"]) == ("twilio.status", "a-1")


def test_a_signed_reply_is_kept_and_answered_with_empty_twiml(client: FlaskClient, connector: Connector) -> None:
    form = {"MessageSid": "SM2", "From": "+12025550143", "To": "+12025550100", "Body": "STOP"}
    path = "/callbacks/twilio/inbound"
    answer = client.post(path, data=form, headers=twilio_signed(PUBLIC + path, form))
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.text.endswith("<Response/>")
    assert kept(connector)[0].source == "twilio.inbound"


def test_a_callback_with_a_wrong_signature_or_for_no_gateway_is_refused(
    client: FlaskClient, connector: Connector
) -> None:
    path = "/callbacks/twilio/status/a-1"
    forged = twilio_signed(PUBLIC + path, STATUS, token="guess")
    assert client.post(path, data=STATUS, headers=forged).status_code == 401
    assert client.post(path, data=STATUS).status_code == 401
    assert client.post("/callbacks/pigeon/status/a-1", data=STATUS).status_code == 404
    assert kept(connector) == []


def test_health_and_readiness(client: FlaskClient, connector: Connector) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ok", "checks": {"ledger": "ok", "redis": "ok"}}
    connector.settings = replace(connector.settings, redis_url="redis://127.0.0.1:1/0")
    vars(connector).pop("redis", None)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        503,
        {"status": "unavailable", "checks": {"ledger": "ok", "redis": "ConnectionError"}},
    )
