"""Does the door for Salesforce's outbound messages let in what comes to an organisation's own address, and no more?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from connector.adapters.store.migrate import migrate
from connector.adapters.store.tables import external_event
from connector.bootstrap import Connector
from connector.domain.account_status import ENDED, AccountStatus
from connector.entrypoints.cli import cli
from connector.entrypoints.web.app import create_app
from connector.ports.ledger import UnitOfWork
from connector.services.account_secrets import BOTH_HOLD, SALESFORCE_INTAKE
from connector.settings import read_settings
from tests.adapters.crm.salesforce.test_salesforce_outbound_messages import delivery, notification
from tests.adapters.store.factories import an_account
from tests.entrypoints.environment import set_environment

ORG, OTHER = "00D000000000001EAA", "00D000000000002EAA"
UNREADABLE = b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"


@pytest.fixture
def connector(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    set_environment(monkeypatch, tmp_path, redis_url)
    made = Connector(read_settings())
    migrate(made.ledger.engine)
    with made.ledger.begin() as uow:
        for organization in (ORG, OTHER):
            uow.accounts.add(an_account(crm="salesforce", external_id=organization))
        uow.commit()
    yield made
    made.ledger.close()


@pytest.fixture
def client(connector: Connector) -> FlaskClient:
    return create_app(connector).test_client()


def account_of(connector: Connector, organization: str) -> str:
    with connector.ledger.begin(write=False) as uow:
        return uow.accounts.by_external_ids("salesforce", [organization])[organization]


def address(connector: Connector, organization: str = ORG) -> str:
    made = connector.account_secrets.ensure(account_of(connector, organization), SALESFORCE_INTAKE)
    return f"/salesforce/outbound-messages/{made.secret}"


def kept(connector: Connector) -> list[tuple[str | None, str, str]]:
    with connector.ledger.engine.connect() as connection:
        rows = connection.execution_options(writes=False).execute(select(external_event))
        return [(row.account_id, row.source, row.external_id) for row in rows]


def test_every_notification_is_kept_once_before_it_is_acknowledged(connector: Connector, client: FlaskClient) -> None:
    body = delivery(notification(1), notification(2))
    for _ in range(10):
        answer = client.post(address(connector), data=body)
        assert answer.status_code == 200
        assert "<Ack>true</Ack>" in answer.text
        assert answer.mimetype == "text/xml"
    mine = account_of(connector, ORG)
    assert kept(connector) == [
        (mine, "salesforce", f"{ORG}:04l000000000001AAA"),
        (mine, "salesforce", f"{ORG}:04l000000000002AAA"),
    ]


def test_an_organisation_cannot_speak_for_another(connector: Connector, client: FlaskClient) -> None:
    answer = client.post(address(connector, OTHER), data=delivery(notification()))
    assert answer.status_code == 401
    assert "Ack" not in answer.text
    assert kept(connector) == []


@pytest.mark.parametrize("secret", ["wrong", "", "x" * 5000])
def test_an_address_nobody_has_takes_nothing(connector: Connector, client: FlaskClient, secret: str) -> None:
    address(connector)
    assert client.post(f"/salesforce/outbound-messages/{secret}", data=delivery(notification())).status_code == 404
    assert kept(connector) == []


def test_a_secret_that_opens_something_else_opens_nothing_here(connector: Connector, client: FlaskClient) -> None:
    other = connector.account_secrets.ensure(account_of(connector, ORG), "generic.billing").secret
    assert client.post(f"/salesforce/outbound-messages/{other}", data=delivery(notification())).status_code == 404


def test_a_replaced_secret_holds_for_a_week(
    connector: Connector, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = address(connector)
    connector.account_secrets.rotate(account_of(connector, ORG), SALESFORCE_INTAKE)
    assert address(connector) != old
    assert client.post(old, data=delivery(notification(1))).status_code == 200
    later = connector.clock.now() + BOTH_HOLD + timedelta(seconds=1)
    monkeypatch.setattr(connector.clock, "now", lambda: later)
    assert client.post(old, data=delivery(notification(2))).status_code == 404
    assert client.post(address(connector), data=delivery(notification(3))).status_code == 200


def test_what_is_no_outbound_message_is_kept_for_a_person_and_not_sent_for_a_day(
    connector: Connector, client: FlaskClient
) -> None:
    for organization in (ORG, OTHER, ORG):
        answer = client.post(address(connector, organization), data=UNREADABLE)
        assert answer.status_code == 200
    assert {(account_id, source) for account_id, source, _ in kept(connector)} == {
        (account_of(connector, ORG), "salesforce.unreadable"),
        (account_of(connector, OTHER), "salesforce.unreadable"),
    }
    assert len(kept(connector)) == 2


@pytest.mark.parametrize("status", sorted(ENDED))
def test_nothing_unreadable_is_kept_of_an_account_somebody_ended(
    connector: Connector, client: FlaskClient, status: AccountStatus
) -> None:
    where = address(connector)
    with connector.ledger.begin() as uow:
        uow.accounts.set_status(account_of(connector, ORG), status, "")
        uow.commit()
    assert client.post(where, data=UNREADABLE).status_code == 200
    assert kept(connector) == []


def test_nothing_is_acknowledged_when_nothing_could_be_kept(
    connector: Connector, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = address(connector)

    def fails(*_: object) -> None:
        raise OperationalError("insert", None, Exception("disk full"))

    monkeypatch.setattr(connector.intake, "_store_events", fails)
    answer = client.post(where, data=delivery(notification()))
    assert answer.status_code == 503
    assert "Ack" not in answer.text


def test_the_clicks_that_make_the_messages_are_printed_with_the_address(connector: Connector) -> None:
    told = (
        CliRunner()
        .invoke(cli, ["salesforce", "setup", "--account", ORG[:15], "--user", "sms@acme.example", "--print"])
        .output
    )
    assert address(connector) in told
    assert "Unique Name        SMS_Opportunity_Changed" in told
    assert "Fields to send     Amount, CloseDate, Id" in told


def test_an_unknown_organisation_is_told_which_there_are(connector: Connector) -> None:
    result = CliRunner().invoke(cli, ["salesforce", "setup", "--account", "00D9", "--user", "a@b.example"])
    assert f"known are {ORG}, {OTHER}" in str(result.exception)


def test_the_inbox_row_holds_what_was_sent_and_no_more(connector: Connector, client: FlaskClient) -> None:
    client.post(address(connector), data=delivery(notification()))

    def first(uow: UnitOfWork) -> bytes:
        now = connector.clock.now()
        return uow.inbox.claim(["salesforce"], 1, now, now + timedelta(minutes=1))[0].body

    with connector.ledger.begin() as uow:
        assert json.loads(first(uow))["fields"] == {"Id": "006000000000001AAA", "StageName": "Closed Won"}
