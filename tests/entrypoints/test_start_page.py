"""Does the start page show how things stand, and only to those who may see it?"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector
from connector.domain.circuit import CircuitState, GatewayHealth
from connector.domain.message import MessageState
from connector.domain.scoring import Tally
from connector.entrypoints.web.app import create_app
from connector.settings import read_settings
from tests.adapters.store.factories import a_message, an_account

ROOT = Path(__file__).parents[2]
HERE = {"base_url": "http://localhost:8000"}


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("mappings", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for path in (tmp_path / "mappings/journeys").iterdir():
        if path.stem not in {"demo-booked", "invoice-overdue", "urgent-ticket"}:
            path.unlink()
    return tmp_path


@pytest.fixture
def connector(redis_url: str, folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    values = {
        "DATABASE_URL": f"sqlite:///{folders}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "http://localhost:8000",
        "SECRET_KEYS": "k" * 32,
        "GATEWAY": "null",
        "MAPPINGS_DIR": str(folders / "mappings"),
        "TEMPLATES_DIR": str(folders / "templates"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    account = an_account(external_id="12345", access_token="pat-of-the-portal")
    with connector.ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    connector.publish_first(account.id)
    yield connector
    connector.ledger.close()


@pytest.fixture
def client(connector: Connector) -> FlaskClient:
    return create_app(connector).test_client()


def locked(connector: Connector) -> FlaskClient:
    connector.settings = replace(connector.settings, start_page_password="a password with ümlaut")
    return create_app(connector).test_client()


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()}


def test_journeys_are_shown_with_their_version(client: FlaskClient) -> None:
    page = client.get("/", **HERE)
    assert page.status_code == 200
    assert "invoice-overdue" in page.text
    assert page.text.count("in service") == 3
    assert "the connector, for a new account" in page.text
    assert "mistake" not in page.text


def test_a_broken_file_is_shown_with_its_line_and_what_runs_on(client: FlaskClient, folders: Path) -> None:
    path = folders / "mappings/journeys/demo-booked.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("purpose:", "porpoise:"), encoding="utf-8")
    page = client.get("/", **HERE)
    assert f"{path}:" in page.text
    assert "porpoise" in page.text
    assert page.text.count("in service") == 3


def test_an_edited_file_is_marked_until_it_is_published(client: FlaskClient, folders: Path) -> None:
    path = folders / "mappings/journeys/demo-booked.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("title: Demo", "title: New demo"), encoding="utf-8")
    assert "file edited since" in client.get("/", **HERE).text


def test_nothing_of_an_account_but_its_name_and_state_is_on_the_page(client: FlaskClient) -> None:
    page = client.get("/", **HERE)
    assert "12345" in page.text
    assert "pat-of-the-portal" not in page.text


def test_without_a_password_only_this_machine_sees_the_page(client: FlaskClient) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}
    assert client.get("/", **HERE, environ_overrides=elsewhere).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_without_a_password_a_proxy_on_this_machine_opens_no_door(client: FlaskClient, header: str) -> None:
    assert client.get("/", **HERE, headers={header: "203.0.113.7"}).status_code == 403


def test_without_a_password_a_foreign_name_for_this_machine_opens_no_door(client: FlaskClient) -> None:
    assert client.get("/", base_url="http://evil.example:8000").status_code == 403
    assert client.get("/", base_url="http://127.0.0.1:8000").status_code == 200


def test_with_a_password_it_is_asked_for_everywhere(connector: Connector) -> None:
    client = locked(connector)
    refused = client.get("/", **HERE)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert "invoice-overdue" not in refused.text


def test_the_password_opens_the_page_from_anywhere_and_a_wrong_one_does_not(connector: Connector) -> None:
    client = locked(connector)
    proxied = {"X-Forwarded-For": "203.0.113.7"}
    right, wrong = basic("a password with ümlaut"), basic("a password with umlaut")
    assert client.get("/", base_url="https://sms.example.com", headers={**proxied, **right}).status_code == 200
    assert client.get("/", base_url="https://sms.example.com", headers={**proxied, **wrong}).status_code == 401


def test_the_page_runs_no_script_and_is_kept_nowhere(client: FlaskClient) -> None:
    page = client.get("/", **HERE)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.text
    with client.get("/static/start_page.css") as style:
        assert style.status_code == 200


def test_a_ledger_that_does_not_answer_is_said(connector: Connector, client: FlaskClient) -> None:
    connector.checks = lambda: {"ledger": "OperationalError", "redis": "ok"}  # type: ignore[method-assign]
    page = client.get("/", **HERE)
    assert page.status_code == 200
    assert "ledger: OperationalError" in page.text


def test_a_gateway_is_shown_with_its_circuit_its_share_and_why(connector: Connector, client: FlaskClient) -> None:
    at = connector.clock.now()
    slow = GatewayHealth("null", at, at, CircuitState.LIMITED, 0.25, "it answers within 4.2 s; usual are 0.4 s")
    with connector.ledger.begin() as uow:
        uow.traffic.save_health(slow)
        uow.commit()
    page = client.get("/", **HERE).text
    assert "limited, 25 %" in page
    assert "it answers within 4.2 s; usual are 0.4 s" in page


def test_a_gateway_is_shown_with_its_last_hour(connector: Connector, client: FlaskClient) -> None:
    slot = connector.clock.now() - timedelta(minutes=10)
    with connector.ledger.begin() as uow:
        uow.traffic.note([Tally("null", "US", "", "", slot, sent=4711, delivered=4600, undelivered=111, failed=17)])
        uow.commit()
    page = client.get("/", **HERE).text
    for count in (4711, 4600, 111, 17):
        assert f'<td class="number">{count}</td>' in page


def test_texts_that_wait_for_a_person_are_counted_with_the_way_to_them(
    connector: Connector, client: FlaskClient
) -> None:
    assert "/dead-letters" not in client.get("/", **HERE).text
    with connector.ledger.begin() as uow:
        (account,) = uow.accounts.all()
        assert uow.messages.add(a_message(account.id, state=MessageState.DEAD_LETTER))
        uow.commit()
    page = client.get("/", **HERE).text
    assert "1 to decide about" in page
    assert 'href="/dead-letters"' in page
