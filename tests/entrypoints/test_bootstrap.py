"""Do the parts get each what the folders hold, the journeys that are switched off too?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from connector.adapters.store.migrate import migrate
from connector.adapters.store.tables import timeline_entry
from connector.bootstrap import Connector, journey_parts
from connector.ports.inbox import InboxRow
from connector.services.stepper_building import StepperParts
from connector.settings import read_settings
from tests.adapters.store.factories import an_account
from tests.services.fake_crm import FakeCRM

ROOT = Path(__file__).parents[2]


def test_a_journey_that_is_switched_off_is_named_in_the_trace_and_polls_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    for path in (tmp_path / "mappings" / "journeys").iterdir():
        path.write_text("enabled: no\n" + path.read_text())
    connector, crm = _connector(tmp_path, monkeypatch), FakeCRM()
    connector.__dict__["crms"] = {crm.slug: crm}
    migrate(connector.ledger.engine)
    contact = crm.put("contact", firstname="Lea", mobilephone="+12025550143", country="US")
    deal = crm.put("deal", [contact], dealname="Roof", dealstage="new")
    event = {"subscriptionType": "deal.propertyChange", "objectId": int(deal), "propertyName": "dealstage"}
    with connector.ledger.begin() as uow:
        account = an_account(external_id="12345")
        uow.accounts.add(account)
        body = json.dumps(event | {"occurredAt": 1763700000000}).encode()
        uow.inbox.add([InboxRow("row", account.id, crm.slug, "event-1", body, {}, connector.clock.now())])
        uow.commit()
    connector.publish_first(account.id)
    connector.events.understand()
    connector.poller.poll_due()
    with connector.ledger.engine.connect() as connection:
        told = connection.execute(timeline_entry.select().where(timeline_entry.c.kind == "enrollment.refused")).all()
    assert [row.summary for row in told] == ["Not enrolled in demo-booked: the journey is switched off"]
    assert crm.calls["search"] == 0
    connector.ledger.close()


@pytest.mark.parametrize(("default", "knows"), [("en", True), ("xx", False)])
def test_people_go_on_through_journeys_while_the_keywords_have_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, default: str, *, knows: bool
) -> None:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    path = tmp_path / "mappings" / "keywords.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("default: en", f"default: {default}"), encoding="utf-8")
    given: list[StepperParts] = []
    monkeypatch.setattr(journey_parts, "build_stepper", given.append)
    connector = _connector(tmp_path, monkeypatch)
    assert connector.journeys is not None
    assert ("please" in given[0].courtesies) is knows
    connector.ledger.close()


def _connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connector:
    values = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/ledger.sqlite3",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PUBLIC_URL": "https://sms.example.com",
        "SECRET_KEYS": "k" * 32,
        "GATEWAY": "null",
        "MAPPINGS_DIR": str(tmp_path / "mappings"),
        "TEMPLATES_DIR": str(ROOT / "templates"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Connector(read_settings())
