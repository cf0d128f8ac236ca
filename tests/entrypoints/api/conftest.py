"""With which connector, accounts and keys is the API tested?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.adapters.store.tables import metadata
from connector.bootstrap import Connector
from connector.entrypoints.web.app import create_app
from connector.ports.api_keys import APIScope
from connector.ports.messages import MessageRow
from connector.settings import read_settings
from tests.adapters.store.factories import a_message, an_account
from tests.entrypoints.environment import set_environment

ROOT = Path(__file__).parents[3]
NUMBER = "+12025550143"
HELLO = {"to": NUMBER, "body": "Your table is ready"}


@dataclass
class Program:
    """A program of one account's that calls the API with a key."""

    client: FlaskClient
    account_id: str
    secret: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.secret}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=given)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        answer = self.call("POST", path, body, **headers)
        assert answer.status_code == status, answer.text
        return answer.json

    def send(self, status: int = 201, **changes: Any) -> Any:
        return self.post("/messages", HELLO | changes, status)


@pytest.fixture
def connector(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connector]:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    set_environment(monkeypatch, tmp_path, redis_url, ALLOW_LOOPBACK_URLS="true")
    connector = Connector(read_settings())
    metadata.create_all(connector.ledger.engine)
    with connector.ledger.begin() as uow:
        for number in "12":
            uow.accounts.add(an_account(id=f"account-{number}", external_id=number))
        uow.commit()
    yield connector
    connector.committer.close()
    connector.ledger.close()


@pytest.fixture
def app(connector: Connector) -> Flask:
    return create_app(connector)


def a_program(connector: Connector, app: Flask, account_id: str = "account-1", **options: Any) -> Program:
    scopes = options.pop("scopes", list(APIScope))
    secret = connector.api_keys.add(account_id, "shop", scopes, **options).secret
    return Program(app.test_client(), account_id, secret)


@pytest.fixture
def program(connector: Connector, app: Flask) -> Program:
    """A program that may do everything."""
    return a_program(connector, app)


@pytest.fixture
def stranger(connector: Connector, app: Flask) -> Program:
    """A program of another account that may do everything there."""
    return a_program(connector, app, "account-2")


def put(connector: Connector, **changes: Any) -> MessageRow:
    """Put a text into the ledger."""
    row = a_message(changes.pop("account_id", "account-1"), **changes)
    with connector.ledger.begin() as uow:
        assert uow.messages.add(row)
        uow.commit()
    return row


def kind_of(problem: Mapping[str, Any]) -> str:
    return str(problem["type"]).removeprefix("urn:sms-connector:problem:")
