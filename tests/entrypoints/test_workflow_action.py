"""Is the workflow action's door open to HubSpot only, and is a call answered before anybody is asked about it?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from connector.adapters.store.tables import metadata, workflow_call
from connector.bootstrap import Connector
from connector.entrypoints.web.app import create_app
from connector.ports.queue import WORKFLOWS
from connector.settings import read_settings
from tests.adapters.store.factories import an_account
from tests.entrypoints.environment import set_environment

SECRET, PUBLIC, PATH = "client-secret", "https://sms.example.com", "/hubspot/actions/send-sms"
CALL: dict[str, Any] = {
    "callbackId": "ap-123-456-7-0",
    "origin": {"portalId": 12345, "actionDefinitionId": 2, "actionDefinitionVersion": 1},
    "context": {"source": "WORKFLOWS", "workflowId": 3},
    "object": {"objectId": 51, "objectType": "CONTACT", "properties": {}},
    "inputFields": {"body": "Hello Maya", "wait_for": "delivered"},
}


@pytest.fixture
def connector(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    (tmp_path / "templates" / "hello").mkdir(parents=True)
    (tmp_path / "templates" / "hello" / "again.txt.j2").write_text("Hi")
    set_environment(monkeypatch, tmp_path, redis_url, HUBSPOT_CLIENT_SECRETS=SECRET)
    connector = Connector(read_settings())
    metadata.create_all(connector.ledger.engine)
    with connector.ledger.begin() as uow:
        uow.accounts.add(an_account(id="account-1", external_id="12345"))
        uow.commit()
    yield connector
    connector.committer.close()
    connector.ledger.close()


@pytest.fixture
def client(connector: Connector) -> FlaskClient:
    return create_app(connector).test_client()


def v2(method: str, path: str, body: bytes, secret: str = SECRET) -> dict[str, str]:
    signed = f"{secret}{method}{PUBLIC}{path}".encode() + body
    return {"X-HubSpot-Signature-Version": "v2", "X-HubSpot-Signature": hashlib.sha256(signed).hexdigest()}


def v3(connector: Connector, path: str, body: bytes, late: timedelta = timedelta()) -> dict[str, str]:
    stamp = str(int((connector.clock.now() - late).timestamp() * 1000))
    signed = f"POST{PUBLIC}{path}".encode() + body + stamp.encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}


def post(client: FlaskClient, call: Any = CALL, path: str = PATH, **headers: str) -> TestResponse:
    body = json.dumps(call).encode()
    given = headers or v2("POST", path, body)
    return client.post(path, data=body, headers=given, content_type="application/json")


def kept(connector: Connector) -> int:
    with connector.ledger.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(workflow_call)).scalar_one())


def test_a_call_signed_v2_is_kept_and_the_workflow_told_to_wait(client: FlaskClient, connector: Connector) -> None:
    answer = post(client)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    outputs = answer.json["outputFields"]
    assert (outputs["hs_execution_state"], outputs["hs_expiration_duration"]) == ("BLOCK", "PT15M")
    assert kept(connector) == 1
    assert WORKFLOWS in connector.alarm.lanes_with_work()


def test_ten_tries_of_a_call_are_kept_once_and_answered_alike(client: FlaskClient, connector: Connector) -> None:
    answers = [post(client).json for _ in range(10)]
    assert all(answer == answers[0] for answer in answers)
    assert kept(connector) == 1


def test_a_call_signed_v3_is_taken_and_a_stale_one_is_not_rescued_by_its_v2(
    client: FlaskClient, connector: Connector
) -> None:
    body = json.dumps(CALL).encode()
    assert post(client, **v3(connector, PATH, body)).status_code == 200
    stale = v3(connector, PATH, body, timedelta(minutes=6)) | v2("POST", PATH, body)
    assert post(client, **stale).status_code == 401


def test_a_call_nobody_signed_or_somebody_else_is_refused(client: FlaskClient, connector: Connector) -> None:
    body = json.dumps(CALL).encode()
    assert client.post(PATH, data=body).status_code == 401
    assert post(client, **v2("POST", PATH, body, "a guess")).status_code == 401
    assert post(client, **v2("POST", "/hubspot/actions/templates", body)).status_code == 401
    v1 = {
        "X-HubSpot-Signature-Version": "v1",
        "X-HubSpot-Signature": hashlib.sha256(SECRET.encode() + body).hexdigest(),
    }
    assert post(client, **v1).status_code == 401
    assert kept(connector) == 0


def test_what_is_no_call_is_answered_400_so_that_it_is_not_tried_again(client: FlaskClient) -> None:
    calls: tuple[Any, ...] = (None, [], {}, {"callbackId": "ap-1"})
    for call in calls:
        assert post(client, call).status_code == 400


def test_inputs_that_cannot_work_let_the_workflow_go_on_at_once(client: FlaskClient, connector: Connector) -> None:
    answer = post(client, CALL | {"inputFields": {"message_kind": "template", "template": "hello/nobody"}}).json
    assert answer is not None
    assert answer["outputFields"]["hs_execution_state"] == "FAIL_CONTINUE"
    assert answer["outputFields"]["errorCode"] == "UNKNOWN_TEMPLATE"
    assert kept(connector) == 0


def test_templates_are_offered_to_whoever_builds_a_workflow(client: FlaskClient) -> None:
    path = "/hubspot/actions/templates"
    found = post(client, {"origin": {"portalId": 12345}, "fetchOptions": {"q": "again"}}, path).json
    assert found is not None
    assert [each["value"] for each in found["options"]] == ["hello/again"]
    asked = f"{path}?q=nothing"
    assert client.get(asked, headers=v2("GET", asked, b"")).json == {"options": [], "searchable": True}
    assert client.get(path).status_code == 401
